"""Whose request counts against which rate."""

from datetime import timedelta
from ipaddress import ip_address
from unittest.mock import Mock

import pytest
from aiohttp.test_utils import make_mocked_request
from tocsin.web.http.rate_limit import RateLimit, client_address

from tests.unit.web.lives import TOKEN, WEB, alive
from tests.unit.web.test_access import post

SECOND = timedelta(seconds=1)


def address(remote: str | None, **headers: str) -> str:
    """The address that a request counts for."""
    transport = Mock()
    transport.get_extra_info.side_effect = lambda name, default=None: (remote, 1) if name == "peername" else default
    given = {name.replace("_", "-"): value for name, value in headers.items()}
    return client_address(make_mocked_request("GET", "/", headers=given, transport=transport if remote else None))


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
        ("::ffff:192.0.2.1", None, str(ip_address("::ffff:192.0.2.1"))),
    ],
)
def test_whose_rate_it_is(remote: str, forwarded: str | None, counts_for: str) -> None:
    """The other end's; the last that a proxy at this machine names, and nobody else's word; a whole network of IPv6."""
    headers = {} if forwarded is None else {"X_Forwarded_For": forwarded}
    assert address(remote, **headers) == counts_for


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


async def test_guesses_at_the_login_are_counted_for_each_client() -> None:
    """Ten at once, then one each six seconds; another client may log in meanwhile."""
    async with alive(**WEB) as life:
        for _ in range(10):
            assert (await post(life, "/login", "token=guess", X_Forwarded_For="192.0.2.1"))[0] == 403
        right = f"token={TOKEN}"
        assert (await post(life, "/login", right, X_Forwarded_For="192.0.2.1"))[0] == 429
        assert (await post(life, "/login", right, X_Forwarded_For="192.0.2.2"))[0] == 303
        life.clock.go(5 * SECOND)
        assert (await post(life, "/login", right, X_Forwarded_For="192.0.2.1"))[0] == 429
        life.clock.go(1.1 * SECOND)
        assert (await post(life, "/login", right, X_Forwarded_For="192.0.2.1"))[0] == 303
