"""Who may: every route with every kind of asker, each row of the table one line of `web/access` that holds it."""

import base64
import re
import signal
import socket
from collections.abc import AsyncIterator
from datetime import timedelta
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs
from tocsin.adapters.outbox.reader import OutboxReader
from tocsin.app.reply_options import signed_links
from tocsin.domain.people import SESSION_LASTS, Session, session_digest
from tocsin.formats.settings.settings import AlertmanagerSettings
from tocsin.web.http.site import Site
from tocsin.web.serving import serve

from tests.builders.instants import MINUTE, T0
from tests.builders.stories import many_incidents
from tests.fakes.clock import StillClock
from tests.unit.alerts import alert, notification
from tests.unit.web.lives import KEY, TOKEN, WEB, Life, alive, parsed, settings
from tests.unit.web.test_inbox import drop

NOW = T0 + 71 * MINUTE
OLD_KEY, GONE_KEY = "the key before that one", "a key that was taken out"
READER = "support@example.com"
INTERNAL = ("/incidents", "/incidents/card", "/oncall", "/inbox", "/inbox/{mail}/html", "/inbox/events")
"""What the token opens; the first two show outsiders a page of their own instead."""
PROXY_HEADERS = ("Forwarded", "X-Forwarded-For", "X-Forwarded-Host", "X-Real-IP", "Via")


SESSION = re.compile("tocsin_session=.")
FRESH, LAST, OVER, GONE = "f" * 43, "l" * 43, "o" * 43, "g" * 43
"""The ids of sessions: one that has just begun, one in its last second, one that is over, one of somebody who left."""


CLIENTS = count(1)


def cookie(id_: str = FRESH) -> str:
    return f"tocsin_session={id_}"


def basic(text: str) -> str:
    return "Basic " + base64.b64encode(text.encode()).decode()


ASKERS: list[tuple[str, dict[str, str], bool]] = [
    ("nobody", {}, False),
    ("the token", {"Authorization": f"Bearer {TOKEN}"}, True),
    ("the token, scheme in small letters", {"Authorization": f"bearer {TOKEN}"}, True),
    ("the token as a password", {"Authorization": basic(f"x:{TOKEN}")}, False),
    ("the token as a user's name", {"Authorization": basic(f"{TOKEN}:x")}, False),
    ("a wrong token of the same length", {"Authorization": f"Bearer {TOKEN[:-1]}x"}, False),
    ("a shorter token", {"Authorization": f"Bearer {TOKEN[:-1]}"}, False),
    ("a longer token", {"Authorization": f"Bearer {TOKEN}x"}, False),
    ("an empty token", {"Authorization": "Bearer"}, False),
    ("a blank token", {"Authorization": "Bearer  "}, False),
    ("an empty password", {"Authorization": basic("x:")}, False),
    ("no base64", {"Authorization": "Basic %%%"}, False),
    ("no text", {"Authorization": "Basic " + base64.b64encode(b"\xff:\xff").decode()}, False),
    ("the token without a scheme", {"Authorization": TOKEN}, False),
    ("the token in another scheme", {"Authorization": f"Digest {TOKEN}"}, False),
    ("letters beyond ASCII", {"Authorization": "Bearer opén"}, False),
    ("a session", {"Cookie": cookie()}, True),
    ("a session and a wrong token", {"Cookie": cookie(), "Authorization": "Bearer x"}, True),
    ("a session in its last second", {"Cookie": cookie(LAST)}, True),
    ("a session that is over", {"Cookie": cookie(OVER)}, False),
    ("a session of somebody who left", {"Cookie": cookie(GONE)}, False),
    ("a session with another letter", {"Cookie": cookie()[:-1] + "!"}, False),
    ("a session cut short", {"Cookie": cookie()[:-1]}, False),
    ("a session made longer", {"Cookie": cookie() + "A"}, False),
    ("a session that nobody began", {"Cookie": "tocsin_session=" + "A" * 43}, False),
    ("what the ledger knows of a session", {"Cookie": cookie(session_digest(FRESH))}, False),
    ("a session of letters", {"Cookie": "tocsin_session=\u00e9.\u00e9"}, False),
    ("an empty session", {"Cookie": "tocsin_session="}, False),
    ("the token itself as a session", {"Cookie": f"tocsin_session={TOKEN}"}, False),
    ("a session in a cookie of another name", {"Cookie": cookie().replace("tocsin_session", "session")}, False),
    ("a session and a longer one of another path", {"Cookie": f"a=b; {cookie()}; c=d"}, True),
]


def header(headers: dict[str, str]) -> dict[str, str]:
    return {name.replace("-", "_"): value for name, value in headers.items()}


async def statuses(life: Life, mail: str, headers: dict[str, str]) -> dict[str, tuple[int, bool]]:
    """Of each internal address the status, and whether something internal was shown. Each time by another client."""
    answers = {}
    if not headers.keys().isdisjoint({"Authorization", "Cookie"}):
        headers = {"X-Forwarded-For": f"192.0.2.{next(CLIENTS) % 256}"} | headers
    for path in INTERNAL:
        if path == "/inbox/events":
            life.site.ending.set()  # so that the stream ends at once
        status, _, body = await life.get(path.format(mail=mail), **header(headers))
        answers[path] = status, any(word in body for word in ("INTERNAL", "Bo Lindqvist", "Down", "data: "))
    life.site.ending.clear()
    return answers


async def stocked(life: Life) -> Life:
    life.ledger.pages = await many_incidents()
    life.clock.go(71 * MINUTE)
    now, second = life.clock.now(), timedelta(seconds=1)
    for id_, person, began_at in (
        (FRESH, "bo", now),
        (LAST, "bo", now - SESSION_LASTS + second),
        (OVER, "bo", now - SESSION_LASTS),
        (GONE, "somebody", now),
    ):
        await life.ledger.begin_session(Session(session_digest(id_), person, began_at))
    return life


@pytest.fixture
async def site(tmp_path: Path) -> AsyncIterator[tuple[Life, str]]:
    """A site with a public address, a token, two keys and an outbox with one mail."""
    web = {**WEB["web"], "signing_key": [KEY, OLD_KEY]}  # type: ignore[dict-item]  # a table of settings
    async with alive(outbox=OutboxReader(tmp_path), web=web, public_url=WEB["public_url"]) as life:
        yield await stocked(life), drop(tmp_path, 1)


async def test_what_is_internal_opens_to_the_token_and_who_signed_in(site: tuple[Life, str]) -> None:
    """Every internal page to every kind of asker: all of it or nothing, whatever else a request carries. Who has signed
    in (P8) sees what the token opens.
    """
    open_, shut = dict.fromkeys(INTERNAL, (200, True)), dict.fromkeys(INTERNAL[2:], (401, False))
    outside = dict.fromkeys(INTERNAL[:2], (200, False)) | shut
    over = dict.fromkeys(INTERNAL[:2], (303, False)) | shut  # who was let in before is led to the sign-in
    answers = {name: await statuses(*site, headers) for name, headers, _ in ASKERS}
    assert answers == {
        name: open_ if opens else over if SESSION.match(headers.get("Cookie", "")) else outside
        for name, headers, opens in ASKERS
    }


@pytest.mark.parametrize("token", [None, ""])
async def test_where_there_is_no_token_none_opens(tmp_path: Path, token: str | None) -> None:
    """Without a token, or with an empty one, no token opens anything; who has signed in needs none (P8)."""
    web = {**({} if token is None else {"token": token}), "signing_key": [KEY]}
    async with alive(outbox=OutboxReader(tmp_path), web=web, public_url="https://pager.example.com") as life:
        await stocked(life)
        mail = drop(tmp_path, 1)
        for _, headers, opens in ASKERS:
            answers = await statuses(life, mail, headers)
            is_signed_in = opens and "Cookie" in headers
            assert {shown for _, shown in answers.values()} == {is_signed_in}, headers
            refusals = {status for status, _ in list(answers.values())[2:]}
            assert refusals == ({200} if is_signed_in else {401}), headers


async def metrics_by_asker(life: Life, forwarded: str) -> None:
    """What a proxy passed on wants the token, as any other asker does."""
    for _, headers, opens in ASKERS:
        given = {forwarded: "192.0.2.1", **headers} if forwarded else headers
        status, _, body = await life.get("/metrics", **header(given))
        with_token = opens and headers.get("Authorization") not in (None, "Bearer x")  # they are for machines alone
        assert (status, "tocsin_" in body) == ((200, True) if with_token else (401, False)), (forwarded, headers)


@pytest.mark.parametrize("forwarded", PROXY_HEADERS)
async def test_metrics_are_for_the_listeners_own_network(monkeypatch: pytest.MonkeyPatch, forwarded: str) -> None:
    """While no address is public whoever reaches the listener may read them, but for what a proxy passed on."""
    monkeypatch.setattr("tocsin.web.access.tries.TRIES", 1000.0)
    async with alive(web=WEB["web"]) as life:
        await stocked(life)
        assert (await life.get("/metrics"))[0] == 200
        await metrics_by_asker(life, forwarded)


@pytest.mark.parametrize("forwarded", ["", *PROXY_HEADERS])
async def test_metrics_want_the_token_where_an_address_is_public(
    monkeypatch: pytest.MonkeyPatch, forwarded: str
) -> None:
    """W7: a proxy that adds no header looks like somebody at this machine, and is believed as little."""
    monkeypatch.setattr("tocsin.web.access.tries.TRIES", 1000.0)
    async with alive(**WEB) as life:
        await metrics_by_asker(await stocked(life), forwarded)


async def test_metrics_are_closed_where_there_is_no_token() -> None:
    """A public address without a token: nobody reads them; health is for everybody all the same."""
    async with alive(public_url="https://pager.example.com") as life:
        await stocked(life)
        status, _, body = await life.get("/metrics")
        assert (status, body) == (403, "This is closed until TOCSIN_WEB__TOKEN is set.\n")
        assert (await life.get("/healthz"))[0] in (200, 503)


PUBLIC = ("/healthz", "/static/site.css")


async def test_what_is_for_everybody(site: tuple[Life, str]) -> None:
    """Health and the stylesheet look the same to every asker and hold nothing internal."""
    life, _ = site
    for path in PUBLIC:
        bodies = {(await life.get(path, **header(headers)))[2] for _, headers, _ in ASKERS}
        assert len(bodies) == 1
        assert "INTERNAL" not in bodies.pop()


TRIALS: list[tuple[dict[str, str], bool]] = [
    ({}, True),
    ({"Host": "localhost"}, True),
    ({"Host": "localhost:8765"}, True),
    ({"Host": "[::1]:8765"}, True),
    ({"Host": "[::1]"}, True),
    ({"Host": "rebound.example.com"}, False),
    ({"Host": "rebound.example.com:8765"}, False),
    ({"Host": "localhost.example.com"}, False),
    ({"Host": "192.0.2.1:8765"}, False),
    *(({name: "127.0.0.1"}, False) for name in PROXY_HEADERS),
    *(({name: ""}, False) for name in PROXY_HEADERS),
]


async def trial(life: Life, mail: str, headers: dict[str, str]) -> bool:
    """Whether all that is internal is shown; nothing of it is where not all is."""
    answers = await statuses(life, mail, headers)
    (shown,) = {shown for _, shown in answers.values()}
    assert {status for status, _ in list(answers.values())[2:]} <= ({200} if shown else {401, 404})
    return shown


async def test_somebody_who_tries_tocsin_out_sees_all(tmp_path: Path) -> None:
    """At this machine, by one of its own names; whatever hints at somebody else, or at a proxy, shuts it."""
    mail = drop(tmp_path, 1)
    async with alive(outbox=OutboxReader(tmp_path), web={"token": TOKEN}) as life:
        await stocked(life)
        assert [await trial(life, mail, headers) for headers, _ in TRIALS] == [opens for _, opens in TRIALS]


@pytest.mark.parametrize(
    ("listen", "public_url", "is_outbox", "opens"),
    [
        ("127.0.0.1:8765", None, True, True),
        ("localhost:8765", None, True, True),
        ("[::1]:8765", None, True, True),
        ("0.0.0.0:8765", None, True, False),
        ("192.0.2.1:8765", None, True, False),
        ("127.0.0.1:8765", "https://pager.example.com", True, False),
        ("127.0.0.1:8765", None, False, False),
    ],
)
async def test_what_is_no_trial(
    tmp_path: Path, listen: str, public_url: str | None, is_outbox: bool, opens: bool
) -> None:
    """One that listens to others, has a public address, or whose messages really leave: nobody sits at this machine."""
    mail = drop(tmp_path, 1)
    inbox = OutboxReader(tmp_path) if is_outbox else None
    async with alive(outbox=inbox, web={"listen": listen, "token": TOKEN}, public_url=public_url) as life:
        assert await trial(await stocked(life), mail, {}) is opens


def purposes(key: str, incident: str = "card", person: str = "bo", reader: str = READER) -> dict[str, str]:
    """The four kinds of signed links."""
    return {
        "answer": signed_links.answer([key], incident, person),
        "incidents": signed_links.page([key], incident),
        "oncall": signed_links.calendar([key], person),
        "unsubscribe": signed_links.unsubscribe([key], incident, reader),
    }


def address(purpose: str, path: str) -> str:
    return path + ".ics" if purpose == "oncall" else path


async def test_a_link_opens_what_it_was_signed_for(site: tuple[Life, str]) -> None:
    """Of the newest and of the older key; of a key that was taken out none does, nor one with a letter changed."""
    life, _ = site
    for key, wanted in ((KEY, 200), (OLD_KEY, 200), (GONE_KEY, 403)):
        for purpose, path in purposes(key).items():
            assert (await life.get(address(purpose, path)))[0] == wanted, (key, purpose)
    for purpose, path in purposes(KEY).items():
        for wrong in (
            path[:-1],
            path + "A",
            path[:-1] + ("A" if path[-1] != "A" else "B"),
            path.rpartition("/")[0] + "/",
        ):
            status, _, body = await life.get(address(purpose, wrong))
            assert status in (403, 404), wrong
            assert "INTERNAL" not in body


async def test_a_link_opens_nothing_else(site: tuple[Life, str]) -> None:
    """No signature of another incident, person, reader or purpose counts, to look or to press."""
    life, _ = site
    own = purposes(KEY)
    strange = [
        purposes(KEY, incident="search"),
        purposes(KEY, person="dee"),
        purposes(KEY, reader="bo@example.com"),
        own,
    ]
    signatures = {path.rpartition("/")[2] for others in strange for path in others.values()}
    assert len(signatures) > 8
    before = list(life.ledger.pages.facts), list(life.inbox.left)
    for purpose, path in own.items():
        base, _, signature = path.rpartition("/")
        for other in signatures - {signature}:
            status, _, body = await life.get(address(purpose, f"{base}/{other}"))
            assert (status, "INTERNAL" in body) == (403, False), (purpose, other)
            if purpose in ("answer", "unsubscribe"):
                form = "answer=ok&List-Unsubscribe=One-Click"
                assert (await post(life, f"{base}/{other}", form))[0] == 403
    assert (life.ledger.pages.facts, life.inbox.left) == before


async def post(life: Life, path: str, body: str, **headers: str) -> tuple[int, dict[str, str], str]:
    """A form, sent as a browser sends it."""
    given = {"Host": "pager.example.com", "Content-Type": "application/x-www-form-urlencoded", **headers}
    lines = "".join(f"{name.replace('_', '-')}: {value}\r\n" for name, value in given.items())
    head = f"POST {path} HTTP/1.1\r\nConnection: close\r\nContent-Length: {len(body.encode())}\r\n{lines}\r\n"
    return parsed(await life.ask((head + body).encode()))


ORIGINS: list[tuple[dict[str, str], bool]] = [
    ({}, True),
    ({"Origin": "https://pager.example.com"}, True),
    ({"Origin": "HTTPS://PAGER.example.com"}, True),
    ({"Origin": "null", "Sec_Fetch_Site": "same-origin"}, True),
    ({"Origin": "null"}, False),
    ({"Origin": "null", "Sec_Fetch_Site": "cross-site"}, False),
    ({"Origin": "https://evil.example"}, False),
    ({"Origin": "https://evil.example", "Sec_Fetch_Site": "none"}, False),
    ({"Origin": "https://pager.example.com.evil.example"}, False),
    ({"Sec_Fetch_Site": "same-site"}, False),
    ({"Sec_Fetch_Site": "cross-site"}, False),
    ({"Sec_Fetch_Site": ""}, False),
    ({"Referer": "https://evil.example/"}, True),
]


async def test_every_form_wants_its_right_and_our_own_page(tmp_path: Path) -> None:
    """An answer, a wish and a notification change something only with their link or token, and never from another
    site's page; a session alone, the cookie that a browser sends along, is no right to change anything.
    """
    web = {"token": TOKEN, "signing_key": [KEY], "alertmanager": AlertmanagerSettings()}
    folder = tmp_path / "incidents"
    async with alive(web=web, public_url="https://pager.example.com", incidents=folder) as life:
        await stocked(life)
        good, wrong = purposes(KEY), "A" * 22
        told = notification([alert()]).decode()
        rights: list[tuple[str, str, dict[str, str], bool]] = [
            ("/answer/card/bo/" + wrong, "answer=ok", {"Cookie": cookie()}, False),
            (f"/unsubscribe/card/{READER}/" + wrong, "List-Unsubscribe=One-Click", {"Cookie": cookie()}, False),
            ("/alertmanager", told, {"Cookie": cookie()}, False),
            ("/alertmanager", told, {"Cookie": cookie(), "Authorization": "Bearer x"}, False),
            ("/alertmanager", told, {"Cookie": cookie(), "Authorization": ""}, False),
            ("/alertmanager", told, {}, False),
            (good["answer"], "answer=ok", {}, True),
            (good["unsubscribe"], "List-Unsubscribe=One-Click", {}, True),
            ("/alertmanager", told, {"Authorization": f"Bearer {TOKEN}"}, True),
        ]
        before = list(life.ledger.pages.facts)
        for path, body, right, is_right in rights:
            for headers, allowed in sorted(ORIGINS, key=lambda row: row[1]):
                asker = {"X-Forwarded-For": f"192.0.2.{next(CLIENTS) % 256}"}
                status, _, text = await post(life, path, body, **right, **headers, **asker)
                assert status in ((200, 303) if is_right and allowed else (401, 403)), (path, headers, text)
                changed = life.ledger.pages.facts != before or life.inbox.left or folder.is_dir()
                assert is_right or not changed
            if path == good["answer"]:
                assert len(life.ledger.pages.facts) <= len(before) + 1
                before = list(life.ledger.pages.facts)
        assert len(life.inbox.notices.take()) == 1
        assert len(list(folder.glob("*.yaml"))) == 1


async def test_a_foreign_page_changes_nothing(tmp_path: Path) -> None:
    """Not with the right link, nor with the right token, whatever its origin is called."""
    web = {"token": TOKEN, "signing_key": [KEY], "alertmanager": AlertmanagerSettings()}
    async with alive(web=web, public_url="https://pager.example.com", incidents=tmp_path / "incidents") as life:
        await stocked(life)
        before, good = list(life.ledger.pages.facts), purposes(KEY)
        for headers in (headers for headers, allowed in ORIGINS if not allowed):
            await post(life, good["answer"], "answer=ok", **headers)
            await post(life, good["unsubscribe"], "List-Unsubscribe=One-Click", **headers)
            right = {"Authorization": f"Bearer {TOKEN}"}
            await post(life, "/alertmanager", notification([alert()]).decode(), **right, **headers)
        assert (life.ledger.pages.facts, life.inbox.left) == (before, [])
        assert not (tmp_path / "incidents").exists()


async def test_nobody_is_signed_in_or_out_by_a_foreign_page(site: tuple[Life, str]) -> None:
    """W7: these forms are taken from our own pages alone, which tell browsers to say where a form comes from."""
    life, _ = site
    for headers in (headers for headers, allowed in ORIGINS if not allowed):
        for path, body in (("/sign-in", "who=bo"), ("/sign-in/abcdefgh12", "code=1&ref=abcdefgh12"), ("/sign-out", "")):
            status, answered, _ = await post(life, path, body, Cookie=cookie(), **headers)
            assert (status, "set-cookie" in answered) == (403, False), (path, headers)
    assert not life.inbox.left
    assert (await life.get("/oncall", Cookie=cookie()))[0] == 200
    for path in ("/sign-in", "/sign-in/abcdefgh12", "/sign-out", "/oncall", "/incidents"):
        assert (await life.get(path, Cookie=cookie()))[1]["referrer-policy"] == "same-origin"


async def test_a_session_opens_only_by_looking(site: tuple[Life, str]) -> None:
    """HEAD is a look; whatever else a session asks for of such a page is not done."""
    life, _ = site
    assert (await life.get("/oncall", "HEAD", Cookie=cookie()))[0] == 200
    for method in ("POST", "PUT", "DELETE"):
        assert (await life.get("/oncall", method, Cookie=cookie()))[0] == 405


async def test_the_token_is_no_session(site: tuple[Life, str]) -> None:
    """P8: it reads. Nobody is signed in by it, and no form of a person's takes it."""
    life, _ = site
    right = {"Authorization": f"Bearer {TOKEN}"}
    assert "Signed in as" not in (await life.get("/incidents", **right))[2]
    assert (await life.get("/login", **right))[:1] == (303,)
    assert (await post(life, "/login", f"token={TOKEN}"))[0] == 405


class StopsWhenReady:
    """A service manager that stops the service as soon as it is ready."""

    def ready(self, status: str) -> None:
        signal.raise_signal(signal.SIGTERM)

    def reloading(self) -> None:
        """Nothing follows from it."""

    stopping = healthy = reloading


@pytest.mark.parametrize(("meant_for", "apart"), [("tocsin-web", False), ("tocsin-web", True), ("", False)])
async def test_a_web_side_that_runs_as_the_daemons_user_says_so(meant_for: str, apart: bool) -> None:
    """An upgrade that left the old unit: the inbox is another user's, and ours may write the ledger. In a checkout all
    is one user's, and there is nothing to say.
    """
    with socket.create_server(("127.0.0.1", 0)) as free:
        listen = f"127.0.0.1:{free.getsockname()[1]}"
    unused: Any = None
    given = settings(web={"listen": listen})
    site = Site(given, StillClock(), unused, unused, unused, unused, apart=apart, meant_for=meant_for)
    with capture_logs() as lines:
        assert await serve(site, StopsWhenReady()) is False
    told = [line["trouble"] for line in lines if line["event"] == "not apart"]
    assert len(told) == (bool(meant_for) and not apart)
    assert all("run it as tocsin-web: install the units" in trouble for trouble in told)
