"""Whose request counts against which rate."""

from datetime import timedelta
from ipaddress import ip_network
from unittest.mock import Mock

import pytest
from aiohttp.test_utils import make_mocked_request
from multidict import CIMultiDict
from tocsin.web.http.clients import Client, Proxies, client_of
from tocsin.web.http.rate_limit import RateLimit

from tests.unit.web.lives import BEARER, WEB, Life, alive, settings, signed_in
from tests.unit.web.test_access import basic, header, post, stocked

SECOND = timedelta(seconds=1)


LOOPBACK = settings().web.proxies
LAN = [ip_network("10.0.0.0/8"), ip_network("2001:db8:ffff::/48")]


def client(remote: str, *lines: str, proxies: Proxies = LOOPBACK) -> Client:
    """Whom a request counts for."""
    transport = Mock()
    transport.get_extra_info.side_effect = lambda name, default=None: (remote, 1) if name == "peername" else default
    headers = CIMultiDict([("X-Forwarded-For", line) for line in lines])
    return client_of(make_mocked_request("GET", "/", headers=headers, transport=transport), proxies)


@pytest.mark.parametrize(
    ("remote", "forwarded", "counts_for"),
    [
        ("192.0.2.1", None, "192.0.2.1"),
        ("127.0.0.1", None, "127.0.0.1"),
        ("127.0.0.1", "192.0.2.1", "192.0.2.1"),
        ("::1", "192.0.2.1", "192.0.2.1"),
        ("127.0.0.1", "198.51.100.9, 192.0.2.1", "192.0.2.1"),
        ("127.0.0.1", "not an address", "127.0.0.1"),
        ("127.0.0.1", "", "127.0.0.1"),
        ("192.0.2.1", "198.51.100.9", "192.0.2.1"),
        ("2001:db8:1:2:3:4:5:6", None, "2001:db8:1:2::"),
        ("127.0.0.1", "2001:db8:1:2:ffff::1", "2001:db8:1:2::"),
        ("::ffff:192.0.2.1", None, "192.0.2.1"),
        ("::ffff:127.0.0.1", "192.0.2.1", "192.0.2.1"),
        ("127.0.0.1", "::ffff:192.0.2.1", "192.0.2.1"),
        ("127.0.0.1", "192.0.2.1:4711", "192.0.2.1"),
        ("127.0.0.1", "[2001:db8:1:2::5]:4711", "2001:db8:1:2::"),
        ("127.0.0.1", "[2001:db8:1:2::5]", "2001:db8:1:2::"),
        ("127.0.0.1", '"[2001:db8:1:2::5]:4711"', "2001:db8:1:2::"),
        ("127.0.0.1", "192.0.2.1:", "127.0.0.1"),
        ("127.0.0.1", "198.51.100.9, unknown", "127.0.0.1"),
        ("127.0.0.1", "198.51.100.9,", "127.0.0.1"),
        ("10.0.0.1", "192.0.2.1", "10.0.0.1"),
    ],
)
def test_whose_rate_it_is(remote: str, forwarded: str | None, counts_for: str) -> None:
    """The other end's; the last that a proxy at this machine names, and nobody else's word; a whole network of IPv6."""
    assert client(remote, *([] if forwarded is None else [forwarded])).address == counts_for


@pytest.mark.parametrize(
    ("remote", "lines", "proxies", "expected"),
    [
        ("127.0.0.1", ("198.51.100.9", "192.0.2.1"), LOOPBACK, Client("192.0.2.1", is_proxy=False)),
        ("127.0.0.1", ("198.51.100.9, 198.51.100.8", "10.9.9.9, 192.0.2.1:1"), LOOPBACK, Client("192.0.2.1", False)),
        ("127.0.0.1", ("192.0.2.1", ""), LOOPBACK, Client("127.0.0.1", is_proxy=True)),
        ("127.0.0.1", (), LOOPBACK, Client("127.0.0.1", is_proxy=True)),
        ("127.0.0.1", ("192.0.2.1",), [], Client("127.0.0.1", is_proxy=False)),
        ("10.1.2.3", ("192.0.2.1",), LAN, Client("192.0.2.1", is_proxy=False)),
        ("::ffff:10.1.2.3", ("192.0.2.1",), LAN, Client("192.0.2.1", is_proxy=False)),
        ("2001:db8:ffff::7", ("192.0.2.1",), LAN, Client("192.0.2.1", is_proxy=False)),
        ("127.0.0.1", ("192.0.2.1",), LAN, Client("127.0.0.1", is_proxy=False)),
        ("11.1.2.3", ("192.0.2.1",), LAN, Client("11.1.2.3", is_proxy=False)),
        ("10.1.2.3", ("nobody",), LAN, Client("10.1.2.3", is_proxy=True)),
    ],
)
def test_who_is_believed(remote: str, lines: tuple[str, ...], proxies: Proxies, expected: Client) -> None:
    """W1: the last element of all lines, from a configured proxy alone; one that names nobody is told from a client."""
    assert client(remote, *lines, proxies=proxies) == expected


def test_a_bucket_fills_steadily_and_never_over() -> None:
    """After its burst an address waits for each request; a refused one costs nothing; a long rest gives one burst."""
    now = 100.0
    limit = RateLimit(lambda: now, burst=3, steady=0.5)
    assert [limit.allow("a") for _ in range(5)] == [True] * 3 + [False] * 2
    now += 1.9
    assert not limit.allow("a")
    now += 0.1
    assert [limit.allow("a"), limit.allow("a")] == [True, False]
    now += 10_000
    assert [limit.allow("a") for _ in range(4)] == [True] * 3 + [False]
    assert limit.allow("b")


def test_a_clock_put_back_empties_no_bucket() -> None:
    """Rule 60: nobody is kept out until the clock has caught up."""
    now = 10_000.0
    limit = RateLimit(lambda: now, burst=3, steady=0.5)
    assert limit.allow("a")
    now -= 3600
    assert [limit.allow("a") for _ in range(3)] == [True, True, False]
    now += 2
    assert limit.allow("a")


async def test_guesses_are_counted_for_each_client() -> None:
    """Ten at once, then one each six seconds; another client may come in meanwhile."""
    async with alive(**WEB) as life:
        await stocked(life)
        for _ in range(10):
            assert (await life.get("/oncall", Authorization="Bearer x", X_Forwarded_For="192.0.2.1"))[0] == 401
        assert (await life.get("/oncall", **BEARER, X_Forwarded_For="192.0.2.1"))[0] == 429
        assert (await life.get("/oncall", **BEARER, X_Forwarded_For="192.0.2.2"))[0] == 200
        life.clock.go(5 * SECOND)
        assert (await life.get("/oncall", **BEARER, X_Forwarded_For="192.0.2.1"))[0] == 429
        life.clock.go(1.1 * SECOND)
        assert (await life.get("/oncall", **BEARER, X_Forwarded_For="192.0.2.1"))[0] == 200


DOORS = {
    "Bearer": ("GET", "/oncall", {"Authorization": "Bearer guess"}, ""),
    "Basic": ("GET", "/incidents", {"Authorization": basic("x:guess")}, ""),
    "another scheme": ("GET", "/oncall", {"Authorization": "Digest guess"}, ""),
    "metrics": ("GET", "/metrics", {"Authorization": "Bearer guess"}, ""),
    "alerts": ("POST", "/alertmanager", {"Authorization": "Bearer guess"}, "{}"),
}
"""Every way to try a token."""


async def through(life: Life, door: str, **headers: str) -> int:
    """The status of one wrong token."""
    method, path, given, body = DOORS[door]
    if method == "GET":
        return (await life.get(path, **header(given), **headers))[0]
    return (await post(life, path, body, **given, **headers))[0]


@pytest.mark.parametrize("door", DOORS)
async def test_one_bucket_for_every_wrong_token(door: str) -> None:
    """W2: ten by any door, then none is looked at by any of them, not even the right one; others are not concerned."""
    web = {**WEB["web"], "alertmanager": {}}  # type: ignore[dict-item]  # a table of settings
    async with alive(web=web, public_url=WEB["public_url"]) as life:
        await stocked(life)
        statuses = [await through(life, door, X_Forwarded_For="192.0.2.1") for _ in range(10)]
        assert 429 not in statuses
        for other in DOORS:
            assert await through(life, other, X_Forwarded_For="192.0.2.1") == 429
        assert (await life.get("/oncall", **BEARER, X_Forwarded_For="192.0.2.1"))[0] == 429
        assert (await life.get("/oncall", **BEARER, X_Forwarded_For="192.0.2.2"))[0] == 200
        for path in ("/healthz", "/sign-in", "/static/site.css", "/incidents"):
            assert (await life.get(path, X_Forwarded_For="192.0.2.1"))[0] != 429
        life.clock.go(7 * SECOND)
        assert (await life.get("/oncall", **BEARER, X_Forwarded_For="192.0.2.1"))[0] == 200


async def test_right_tokens_cost_nothing() -> None:
    """Prometheus and Alertmanager come with theirs as often as they like, and one request is one try."""
    async with alive(**WEB) as life:
        await stocked(life)
        for _ in range(30):
            assert (await life.get("/metrics", **BEARER, X_Forwarded_For="192.0.2.1"))[0] == 200
        for _ in range(10):
            assert (await life.get("/incidents", Authorization="Bearer x", X_Forwarded_For="192.0.2.1"))[0] == 200
        assert (await life.get("/incidents", Authorization="Bearer x", X_Forwarded_For="192.0.2.1"))[0] == 429


async def test_who_is_signed_in_stays_so_while_others_guess() -> None:
    """A session is no guess: it counts also where the bucket of its address is empty."""
    async with alive(**WEB) as life:
        await stocked(life)
        session = (await signed_in(life))["Cookie"]
        for _ in range(30):
            await life.get("/oncall", Authorization="Bearer x", X_Forwarded_For="192.0.2.1")
        assert (await life.get("/oncall", Cookie=session, X_Forwarded_For="192.0.2.1"))[0] == 200


async def test_a_session_that_is_over_is_forgotten_by_its_browser() -> None:
    """It is told to forget its cookie, whatever it is answered; nobody guesses one, so it is no guess at the token."""
    async with alive(**WEB) as life:
        await stocked(life)
        for _ in range(20):
            got, headers, _ = await life.get("/oncall", Cookie="tocsin_session=gone", X_Forwarded_For="192.0.2.1")
            assert got == 401
            assert "Max-Age=0" in headers["set-cookie"]
        assert "set-cookie" not in (await life.get("/oncall"))[1]


async def test_behind_a_proxy_that_names_nobody_a_stranger_locks_nobody_out() -> None:
    """W7: there all are one address. The right token counts; guesses are refused all the same."""
    async with alive(**WEB) as life:
        await stocked(life)
        statuses = [(await life.get("/oncall", Authorization="Bearer x"))[0] for _ in range(30)]
        assert statuses == [401] * 10 + [429] * 20
        assert (await life.get("/oncall", **BEARER))[0] == 200
        assert (await life.get("/oncall", Authorization="Bearer x"))[0] == 429


async def test_a_short_token_is_never_guessed_through_such_a_proxy() -> None:
    """One that can be guessed waits like a guess: about it `tocsin check` warns."""
    async with alive(web={"token": "fifteen-letters"}, public_url="https://pager.example.com") as life:
        await stocked(life)
        for _ in range(10):
            await life.get("/oncall", Authorization="Bearer x")
        right = {"Authorization": "Bearer fifteen-letters"}
        assert (await life.get("/oncall", **right))[0] == 429
        life.clock.go(7 * SECOND)
        assert (await life.get("/oncall", **right))[0] == 200
