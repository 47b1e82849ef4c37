"""Signing in as oneself (P8), in the browser: the pages, with the daemon's own gate and judge behind them."""

import re
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import timedelta
from urllib.parse import quote, urlencode

import pytest
from tocsin.app.reply_options import signed_links
from tocsin.domain.arrival import ArrivalKind, CodeEntry, SignInEntry
from tocsin.domain.notification import AnswerLink
from tocsin.domain.people import Channel, session_digest
from tocsin.ports.inbox import InboxError

from tests.builders.stories import many_incidents
from tests.unit.web.lives import KEY, TOKEN, Life, alive, parsed

WEB = {"web": {"token": TOKEN, "signing_key": [KEY]}, "public_url": "https://pager.example.com"}
MINUTE = timedelta(minutes=1)


@dataclass
class Browser:
    """What a browser keeps and sends, without scripts."""

    life: Life
    client: str = "192.0.2.1"
    cookies: dict[str, str] = field(default_factory=dict)
    told: bytes = b""

    async def get(self, path: str) -> tuple[int, dict[str, str], str]:
        return await self._ask("GET", path, "")

    async def post(self, path: str, **fields: str) -> tuple[int, dict[str, str], str]:
        return await self._ask("POST", path, urlencode(fields))

    async def _ask(self, method: str, path: str, body: str) -> tuple[int, dict[str, str], str]:
        cookies = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        head = (
            f"{method} {path} HTTP/1.1\r\nHost: pager.example.com\r\nConnection: close\r\nAccept: text/html\r\n"
            f"X-Forwarded-For: {self.client}\r\nCookie: {cookies}\r\nOrigin: https://pager.example.com\r\n"
            f"Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {len(body)}\r\n\r\n"
        )
        answer = await self.life.ask((head + body).encode())
        self.told = b"\n".join(re.findall(rb"Set-Cookie: tocsin_session[^\r]*", answer))
        for name, value, rest in re.findall(rb"Set-Cookie: (\w+)=([^;]*);([^\r]*)", answer):
            if b"Max-Age=0" in rest:
                self.cookies.pop(name.decode(), None)
            else:
                self.cookies[name.decode()] = value.decode()
        return parsed(answer)

    async def asks(self, who: str = "bo", via: str = "sms", to: str = "/oncall") -> str:
        """Ask for a code; the path of the page on which to type it."""
        status, headers, _ = await self.post("/sign-in", who=who, via=via, to=to)
        assert status == 303, status
        return headers["location"]

    async def types(self, page: str, code: str, ref: str = "") -> tuple[int, dict[str, str], str]:
        """Type a code on that page, as its form has it."""
        if not ref:
            (ref,) = re.findall('name="ref" value="([^"]+)"', (await self.get(page))[2])
        (to,) = re.findall('name="to" value="([^"]+)"', (await self.get(page))[2])
        return await self.post(page.partition("?")[0], ref=ref, code=code, to=to)


@pytest.fixture
async def life() -> AsyncIterator[Life]:
    async with alive(**WEB) as life:
        life.ledger.pages = await many_incidents()
        yield life


def wrong(code: str) -> str:
    """Another code."""
    return f"{(int(code) + 1) % 10**6:06}"


async def test_a_person_signs_in_and_out(life: Life) -> None:
    """P8: a code to their own phone, typed once, in whatever groups; then 12 h, until they sign out."""
    bo = Browser(life)
    page = await bo.asks("Bo Lindqvist")
    assert re.fullmatch(r"/sign-in/[0-9a-f]{20}\?to=/oncall", page)
    (letter,) = life.inbox.sent.letters
    assert (letter.notification.to, letter.notification.via) == ("bo", Channel.SMS)
    shown = (await bo.get(page))[2]
    for wanted in ('autocomplete="one-time-code"', 'inputmode="numeric"', "good for 5 minutes"):
        assert wanted in shown, wanted
    code = life.inbox.code
    status, headers, _ = await bo.types(page, f" {code[:3]} {code[3:]} ")
    assert (status, headers["location"], headers["cache-control"]) == (303, "/oncall", "no-store")
    for wanted in (b"HttpOnly", b"SameSite=Lax", b"Secure", b"Path=/", b"Max-Age=43200"):
        assert wanted in bo.told, wanted
    assert set(bo.cookies) == {"tocsin_session"}
    assert "Signed in as <strong>Bo Lindqvist</strong>" in (await bo.get("/oncall"))[2]
    assert "INTERNAL-SUMMARY" in (await bo.get("/incidents/card"))[2]
    stolen = Browser(life, cookies=dict(bo.cookies))
    status, headers, _ = await bo.post("/sign-out")
    assert (status, headers["location"], bo.cookies) == (303, "/sign-in?out", {})
    assert "You are signed out in this browser." in (await bo.get("/sign-in?out"))[2]
    assert (await stolen.get("/oncall"))[0] == 303
    assert not life.ledger.pages.sessions


async def test_nothing_that_opens_a_door_lies_anywhere(life: Life) -> None:
    """P8: neither code nor id nor the browser's secret is in the ledger, in the inbox, or in the log."""
    bo = Browser(life)
    page = await bo.asks()
    secret, code = bo.cookies["tocsin_browser"], life.inbox.code
    await bo.types(page, code)
    session = bo.cookies["tocsin_session"]
    kept = repr((life.ledger.pages, life.log.lines, life.inbox.left))
    assert session_digest(session) in kept
    for hidden in (secret, code, session):
        assert hidden not in kept, hidden


@pytest.mark.parametrize(
    "way", ["a guess", "another browser", "another request", "expired", "replayed", "no daemon memory"]
)
async def test_a_code_that_is_none_lets_nobody_in(life: Life, way: str) -> None:
    """P8: one sentence for all of them; nothing is begun, and whatever else was typed comes back."""
    bo = Browser(life)
    page = await bo.asks()
    code = life.inbox.code
    if way == "another browser":
        bo = Browser(life, cookies={"tocsin_browser": "x" * 43})
    if way == "another request":
        page = await bo.asks("ana")
    if way == "expired":
        life.clock.go(5 * MINUTE)
    if way == "replayed":
        assert (await bo.types(page, code))[0] == 303
        del bo.cookies["tocsin_session"]
        bo.cookies["tocsin_browser"] = "x" * 43
    if way == "no daemon memory":
        life.inbox.codes._requests.clear()
    before = dict(life.ledger.pages.sessions)
    status, _, shown = await bo.types(page, wrong(code) if way == "a guess" else code)
    assert (status, "tocsin_session" in bo.cookies, life.ledger.pages.sessions) == (403, False, before)
    assert re.search("This is not the code|This was tried five times", shown), shown
    assert 'name="to" value="/oncall"' in shown


async def test_a_code_typed_in_the_page_before(life: Life) -> None:
    """Whoever goes back to the form after a wrong code and types the right one is in; the same code twice is one try."""
    bo = Browser(life)
    page = await bo.asks()
    (ref,) = re.findall('name="ref" value="([^"]+)"', (await bo.get(page))[2])
    for _ in range(2):
        assert "You may try 4 more times." in (await bo.types(page, wrong(life.inbox.code), ref))[2]
    assert (await bo.types(page, life.inbox.code, ref))[0] == 303
    assert "tocsin_session" in bo.cookies


async def test_tries_belong_to_the_request(life: Life) -> None:
    """P8: after five the right code is refused too; nobody is locked out: a new code counts."""
    bo = Browser(life)
    page = await bo.asks()
    code = life.inbox.code
    said = [(await bo.types(page, wrong(code)))[2] for _ in range(5)]
    assert ["You may try 4 more times." in said[0], "You may try 1 more time." in said[3]] == [True, True]
    assert "Ask for a new one" in said[4]
    assert (await bo.types(page, code))[0] == 403
    page = await bo.asks()
    assert (await bo.types(page, life.inbox.code))[0] == 303


async def test_a_stranger_learns_nothing(life: Life) -> None:
    """P8: who is nobody of the config is answered as anybody is, at each step; nothing is sent, nothing kept."""
    nobody, bo = Browser(life), Browser(life, "192.0.2.2")
    pages = [await nobody.asks("mallory@example.com"), await bo.asks()]
    code = life.inbox.code
    assert len(life.inbox.sent.letters) == 1

    def plain(answer: tuple[int, dict[str, str], str]) -> tuple[int, str]:
        return answer[0], re.sub("[0-9a-f]{20}", "REF", answer[2])

    for number in range(6):
        shown = [plain(await asker.get(page)) for asker, page in zip((nobody, bo), pages, strict=True)]
        assert shown[0] == shown[1], number
        typed = [plain(await asker.types(page, wrong(code))) for asker, page in zip((nobody, bo), pages, strict=True)]
        assert typed[0] == typed[1], number
    life.clock.go(6 * MINUTE)
    late = [plain(await asker.types(page, code)) for asker, page in zip((nobody, bo), pages, strict=True)]
    assert late[0] == late[1]
    assert [arrival.who for arrival, _ in life.ledger.pages.arrivals if arrival.kind is ArrivalKind.SIGN_IN] == ["bo"]
    assert "mallory" not in repr(life.ledger.pages)


@pytest.mark.parametrize(
    ("who", "is_bo"),
    [
        ("bo", True), ("BO", True), (" Bo   Lindqvist ", True), ("bo@example.com", True), ("Bo@Example.com", True),
        ("+14155550102", True), ("+1 (415) 555-0102", True), ("0014155550102", True), ("14155550102", True),
        ("Bo", True), ("Lindqvist", False), ("4155550102", False), ("bo@example", False), ("+", False), ("0" * 300, False),
        ("engineers", False),
    ],
)  # fmt: skip
async def test_whom_somebody_means(life: Life, who: str, is_bo: bool) -> None:
    """By id, name, mailbox or number, however written."""
    await Browser(life).asks(who)
    assert [letter.notification.to for letter in life.inbox.sent.letters] == (["bo"] if is_bo else [])


async def test_a_form_sent_twice_is_one(life: Life) -> None:
    """Both lead on with the same session; a second reference of the same code does not."""
    bo = Browser(life)
    page = await bo.asks()
    twin = Browser(life, cookies=dict(bo.cookies))
    (ref,) = re.findall('name="ref" value="([^"]+)"', (await bo.get(page))[2])
    code = life.inbox.code
    assert [(await asker.types(page, code, ref))[0] for asker in (bo, twin)] == [303, 303]
    assert bo.cookies == twin.cookies
    assert len(life.ledger.pages.sessions) == 1


async def test_while_the_daemon_is_away_nobody_is_signed_in(life: Life, monkeypatch: pytest.MonkeyPatch) -> None:
    """P8: 503, with the code in the form again; pressed once more it counts, once the daemon has looked."""
    monkeypatch.setattr("tocsin.web.http.judged.WAITS", 0.4)
    bo = Browser(life)
    page = await bo.asks()
    (ref,) = re.findall('name="ref" value="([^"]+)"', (await bo.get(page))[2])
    life.inbox.away, code = True, life.inbox.code
    status, _, shown = await bo.types(page, code, ref)
    assert (status, f'value="{code}"' in shown, f'value="{ref}"' in shown) == (503, True, True)
    assert "Nobody has confirmed the code yet" in shown
    assert "tocsin_session" not in bo.cookies
    life.inbox.away = False
    assert (await bo.types(page, code, ref))[0] == 303
    status, _, shown = await bo.post("/sign-out")
    assert status == 303
    life.inbox.trouble = InboxError("the disk is full")
    assert (await bo.post("/sign-in", who="bo"))[0] == 503


async def test_who_comes_by_their_own_link_is_known(life: Life) -> None:
    """P8: only the way is chosen, of addresses that nobody else can use; what was to be done comes back. A link of no
    key of ours is none.
    """
    token = signed_links.token(KEY, "card", 1, "bo")
    life.ledger.pages.links[signed_links.token_digest(token)] = AnswerLink(
        signed_links.token_digest(token), "card", 1, "bo"
    )
    short, long = f"/a/{token}/act/eta", signed_links.answer([KEY], "card", "bo") + "?x=1"
    for to in (short, long):
        bo = Browser(life)
        shown = (await bo.get(f"/sign-in?to={quote(to, safe='')}"))[2]
        for wanted in ("You are Bo Lindqvist.", "to the phone …02", "by email to b…@example.com"):
            assert wanted in shown, (to, wanted)
        assert 'name="who"' not in shown
        page = await bo.asks("", "email", to)
        assert life.inbox.sent.letters[-1].notification.via is Channel.EMAIL
        status, headers, _ = await bo.types(page, life.inbox.code)
        assert (status, headers["location"]) == (303, to)
    forged = signed_links.answer(["another key than ours"], "card", "bo")
    for to in (forged, f"/a/{token[:-1]}", "/a/" + "A" * 16, f"/x/a/{token}", f"/a/{token}x"):
        assert 'name="who"' in (await Browser(life).get(f"/sign-in?to={quote(to, safe='')}"))[2], to


async def test_codes_are_few(life: Life) -> None:
    """P8: three by SMS an hour to a person, then by email; then none but for who comes by their own link. Operators
    are told, and the answer is the same each time.
    """
    for number in range(12):
        page = await Browser(life, f"192.0.2.{number}").asks()
        assert page.startswith("/sign-in/")
    ways = [letter.notification.via for letter in life.inbox.sent.letters]
    assert ways == [Channel.SMS] * 3 + [Channel.EMAIL] * 5
    (notice,) = {notice.text: notice for notice in life.inbox.notices.take()}.values()
    assert notice.headline == "Somebody tries to sign in as Bo Lindqvist"
    own = signed_links.answer([KEY], "card", "bo")
    await Browser(life, "192.0.2.99").asks("", "sms", own)
    assert len(life.inbox.sent.letters) == 9
    life.clock.go(timedelta(hours=1))
    await Browser(life, "192.0.2.100").asks()
    assert life.inbox.sent.letters[-1].notification.via is Channel.SMS


async def test_an_address_asks_ten_times_an_hour(life: Life) -> None:
    """P8: then it is told so, with what it typed; another address, or somebody with their own link, is not concerned."""
    for number in range(10):
        await Browser(life).asks(f"x{number}")
    status, _, shown = await Browser(life).post("/sign-in", who="ana", via="email")
    assert (status, 'value="ana"' in shown, "Too many codes" in shown) == (429, True, True)
    assert len(life.inbox.left) == 10
    await Browser(life, "192.0.2.2").asks("ana")
    await Browser(life).asks("", "sms", signed_links.answer([KEY], "card", "bo"))
    life.clock.go(timedelta(minutes=7))
    await Browser(life).asks("ana")


@pytest.mark.parametrize(
    "to", ["https://evil.example", "//evil.example", "/\\evil.example", "/a\r\nX: y", "/" + "x" * 999, "x", "/sign-out"]
)
async def test_nobody_is_sent_elsewhere(life: Life, to: str) -> None:
    """Signed in, one lands on a page of this site, whatever the address asked for."""
    bo = Browser(life)
    page = await bo.asks(to=to)
    assert page.endswith("?to=/incidents")
    assert (await bo.types(page, life.inbox.code))[1]["location"] == "/incidents"


async def test_forms_that_say_nothing(life: Life) -> None:
    """One sentence each, and nothing is left for the daemon."""
    bo = Browser(life)
    status, _, shown = await bo.post("/sign-in", who="   ")
    assert (status, "Say who you are" in shown) == (400, True)
    page = "/sign-in/" + "a" * 20
    status, _, shown = await bo.post(page, code="123456", ref="b" * 20)
    assert (status, "This browser did not ask for that code" in shown) == (403, True)
    bo.cookies["tocsin_browser"] = "s" * 43
    for fields in ({"code": "", "ref": "b" * 20}, {"code": "abc", "ref": "b" * 20}, {"code": "12345", "ref": "b" * 20}, {"code": "1" * 33, "ref": "b" * 20},
                   {"code": "123456", "ref": "../x"}, {"code": "123456"}):  # fmt: skip
        status, _, shown = await bo.post(page, **fields)
        assert (status, "Type the six digits" in shown) == (400, True), fields
    assert (await bo.get("/sign-in/.."))[0] == 404
    assert not life.inbox.left


async def test_what_is_left_for_the_daemon(life: Life) -> None:
    """The request names the browser by a digest of a proof, the try shows that proof; both are sealed from whoever may
    read the folder.
    """
    bo = Browser(life)
    page = await bo.asks()
    await bo.types(page, life.inbox.code)
    asked, typed = life.inbox.left
    assert isinstance(asked, SignInEntry)
    assert isinstance(typed, CodeEntry)
    assert (typed.code[0], typed.proof[0]) == ("~", "~")
    assert typed.session == session_digest(bo.cookies["tocsin_session"])


async def test_the_old_log_in_leads_on(life: Life) -> None:
    """Bookmarks work, and the token is no way in for a browser."""
    status, headers, _ = await Browser(life).get("/login?to=/oncall")
    assert (status, headers["location"]) == (303, "/sign-in?to=/oncall")
