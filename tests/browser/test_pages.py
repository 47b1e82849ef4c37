"""Every page in a real headless Chromium: on a phone and on a desk, light and dark, without JavaScript, by axe's rules.

Skipped, saying so, where there is no `chromium`.
"""

import asyncio
import re
import shutil
from collections.abc import AsyncIterator, Collection, Mapping
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from axe_core_python.base import AXE_SCRIPT
from playwright.async_api import Browser, BrowserContext, Page
from tocsin.adapters.outbox.reader import OutboxReader
from tocsin.adapters.outbox.transport import Outbox
from tocsin.app.reply_options import signed_links
from tocsin.domain.delivery import Accepted, Content, Message
from tocsin.domain.facts import Answer, Answered, Closed, Seen
from tocsin.domain.incident import Incident, Status
from tocsin.domain.operator_notice import Trouble
from tocsin.domain.people import Channel, Session, session_digest
from tocsin.web.http.cache import AT_LEAST

from tests.builders.instants import MINUTE, T0
from tests.builders.stories import many_incidents
from tests.fakes.clock import StillClock
from tests.unit.web.lives import BEARER, KEY, WEB, Life, alive

CHROMIUM = shutil.which("chromium")
PAGES = {
    "incident": signed_links.page([KEY], "card"),
    "resolved": "/incidents/mail",
    "public": "/incidents/card?view=public",
    "incidents": "/incidents",
    "public by link": signed_links.STATUS + signed_links.status_token(KEY, "card"),
    "public incidents": "/incidents?view=public",
    "nothing": "/nothing",
    "on call": "/oncall",
    "sign in": "/sign-in",
    "sign in by link": "/sign-in?to=" + signed_links.answer([KEY], "card", "bo"),
    "code": "/sign-in/abcdefgh12",
    "sign out": "/sign-out",
    "answer": signed_links.answer([KEY], "card", "bo"),
    "communications": signed_links.answer([KEY], "card", "dee"),
    "review": signed_links.answer([KEY], "mail", "bo"),
    "drill": signed_links.page([KEY], "practice"),
    "drill answer": signed_links.answer([KEY], "practice", "bo"),
    "inbox": "/inbox",
}
REFUSED = {"/nothing": 404}
"""What leads to nothing, and with which status."""
SAMPLE = ("incident", "public incidents", "on call", "code", "answer", "inbox")
"""Pages of each look, which every run of the tests looks at: the others are put together from the same parts."""
PLAIN = (
    "incident",
    pytest.param("incidents", marks=pytest.mark.attack),
    pytest.param("on call", marks=pytest.mark.attack),
)
"""Pages that are looked at without scripts too."""
DRAWINGS = ((390, "narrow-drawing"), (1280, "wide-drawing"))
"""Of an incident, by how wide the screen is."""
OWN = {
    "own incident": "/incidents/card",
    "own incident, over": "/incidents/mail",
    "own drill": "/incidents/practice",
    "a file in trouble": "/incidents/search",
    "own list": "/incidents",
    "found": "/incidents?q=sev1",
    "found nothing": "/incidents?q=nothing-like-this&show=closed",
    "closed": "/incidents?show=closed&page=2",
    "own on call": "/oncall",
}
"""Pages of who has signed in."""
WIDTHS = (320, 390, 1280)
AXE = """options => axe.run(document, {resultTypes: ["violations"], ...options}).then(found => found.violations.map(
    each => each.id + ": " + each.nodes.map(node => node.target + " " + node.failureSummary).join("; ")))"""
COLOURS = {"runOnly": ["color-contrast"]}
TWICE = "document.documentElement.style.fontSize = '200%'"
ONCE = "document.documentElement.style.fontSize = ''"
LOW = """() => [...document.querySelectorAll("main summary, main a[href^=tel], main .incidents a, main a.way, main .feeds a")]
    .filter(each => each.getClientRects().length && each.getBoundingClientRect().height < 24).map(each => each.outerHTML)"""
"""What is tapped alone, lower than a thumb hits."""
SIZES = "() => [document.documentElement.scrollWidth, window.innerWidth]"

pytestmark = [
    pytest.mark.skipif(CHROMIUM is None, reason="there is no chromium here; apt-get install chromium"),
    pytest.mark.asyncio(loop_scope="module"),
]


@asynccontextmanager
async def site(folder: Path) -> AsyncIterator[Life]:
    """The site in the thick of an incident, with two messages in its outbox."""
    outbox = Outbox(folder=folder, email_sender="tocsin@example.com", sms_sender="+15005550006", clock=StillClock())
    for via, address in ((Channel.EMAIL, "ana@example.com"), (Channel.SMS, "+14155550101")):
        content = Content(
            "Card payments fail", "[SEV1] Card payments fail", "<p>Card payments fail</p>" * (via is Channel.EMAIL)
        )
        message = Message(f"key-{via}", via, address, "ana", "Ana Souza", content, "card", 1, "page", T0)
        assert isinstance(await outbox.send(message), Accepted)
    async with alive(outbox=OutboxReader(folder), **WEB) as life:
        life.ledger.pages = await many_incidents()
        life.clock.go(71 * MINUTE)
        yield life


@asynccontextmanager
async def emptied(chromium: Browser) -> AsyncIterator[None]:
    """Afterwards nothing is open in it, and no connection to a site that is to end."""
    try:
        yield
    finally:
        for context in chromium.contexts:
            await context.close()


async def opened(context: BrowserContext, life: Life, path: str) -> tuple[Page, list[str]]:
    """A page, and what its console complained of: a broken Content-Security-Policy, a missing file, a fault."""
    page, said = await context.new_page(), []
    told = f"status of {REFUSED[path]}" if path in REFUSED else "\0"
    page.on("console", lambda message: told in message.text or said.append(f"{message.type}: {message.text}"))
    page.on("pageerror", lambda fault: said.append(f"fault: {fault}"))
    answer = await page.goto(f"http://127.0.0.1:{life.port}{path}", wait_until="load")
    assert answer is not None
    assert answer.status == REFUSED.get(path, 200), path
    return page, said


@pytest.mark.parametrize("names", [SAMPLE, pytest.param(PAGES.keys() - set(SAMPLE), marks=pytest.mark.attack)])
async def test_every_page_by_axes_rules_without_sideways_scrolling(
    tmp_path: Path, chromium: Browser, names: Collection[str]
) -> None:
    """No rule of axe is broken, neither on a phone in the light nor (contrast) on a desk in the dark; nothing is wider
    than the screen, nor on a phone in letters of twice the size, and no link that stands alone is too low to tap; the
    console is silent under the page's own Content-Security-Policy.
    """
    async with site(tmp_path) as life, emptied(chromium):
        context = await chromium.new_context(extra_http_headers=BEARER, color_scheme="light")
        assert await faults_of(context, life, {name: PAGES[name] for name in names}) == {}


@pytest.mark.attack
async def test_pages_of_who_has_signed_in(tmp_path: Path, chromium: Browser) -> None:
    """The same of what only they see: what they can do, what is wrong with a file, fifty and more that are closed, what
    was found and that nothing was; the numbers on it are large enough for a thumb.
    """
    async with site(tmp_path) as life, emptied(chromium):
        for number in range(60):
            old = Incident(f"old-{number}", f"A title {'that is long ' * number}", "sev2", Status.RESOLVED)
            await life.ledger.record(old.id, [Seen(T0, old, "d"), Closed(T0)], [], [])
            await life.ledger.keep_file(old.id, f"{old.id}.yaml", "d", b"title: Old")
            await life.ledger.finish(old.id)
        await life.ledger.keep_file("search", "search.yaml", "x", b"title: Search\nseverity: sev9\nstatus: fixing\n")
        await life.ledger.claim_notice(f"{Trouble.FILE_VANISHED}:in/search.yaml", life.clock.now(), timedelta(0))
        await life.ledger.begin_session(Session(session_digest("a-random-id"), "bo", life.clock.now()))
        context = await chromium.new_context(color_scheme="light")
        await context.add_cookies(
            [{"name": "tocsin_session", "value": "a-random-id", "url": f"http://127.0.0.1:{life.port}"}]
        )
        assert await faults_of(context, life, OWN) == {}
        page, _ = await opened(context, life, OWN["own incident"])
        small = "[...document.querySelectorAll('a.call, .act a')].filter(a => a.getBoundingClientRect().height < 30)"
        assert await page.evaluate(f"{small}.map(a => a.outerHTML)") == []


async def faults_of(context: BrowserContext, life: Life, pages: Mapping[str, str]) -> dict[str, Any]:
    """What is wrong with pages, by what."""
    wrong: dict[str, Any] = {}
    for name, path in pages.items():
        page, said = await opened(context, life, path)
        for width in WIDTHS:
            await page.set_viewport_size({"width": width, "height": 800})
            needed, had = await page.evaluate(SIZES)
            wrong |= {f"{name} at {width}": f"needs {needed}"} if needed > had else {}
        await page.set_viewport_size({"width": WIDTHS[0], "height": 800})
        low = await page.evaluate(LOW)
        wrong |= {f"{name}, too low to tap": low} if low else {}
        await page.evaluate(TWICE)
        needed, had = await page.evaluate(SIZES)
        wrong |= {f"{name} in letters of twice the size": f"needs {needed}"} if needed > had else {}
        await page.evaluate(ONCE)
        await page.evaluate(AXE_SCRIPT)
        await page.emulate_media(color_scheme="dark")
        dark = await page.evaluate(AXE, COLOURS)
        await page.emulate_media(color_scheme="light")
        await page.set_viewport_size({"width": 390, "height": 800})
        broken = [*dark, *await page.evaluate(AXE, {})]
        wrong |= {f"{name} by axe": broken} if broken else {}
        wrong |= {f"{name}'s console": said} if said else {}
        await page.close()
    return wrong


@pytest.mark.parametrize("name", PLAIN)
async def test_every_page_without_javascript(tmp_path: Path, chromium: Browser, name: str) -> None:
    """Where scripts are off a page says the same; the drawing is there and is drawn, once."""
    async with site(tmp_path) as life, emptied(chromium):
        bare = await chromium.new_context(extra_http_headers=BEARER, java_script_enabled=False)
        full = await chromium.new_context(extra_http_headers=BEARER)
        (page, _), (scripted, _) = await asyncio.gather(
            opened(bare, life, PAGES[name]), opened(full, life, PAGES[name])
        )
        assert await page.inner_text("main") == await scripted.inner_text("main")
        assert await page.locator("h1").count() == 1
        for width, kind in DRAWINGS if name == "incident" else ():
            await page.set_viewport_size({"width": width, "height": 800})
            assert await page.locator("svg.drawn:visible").count() == 1
            box = await page.locator(f"svg.{kind}").bounding_box()
            assert box is not None
            assert box["width"] > 0.7 * min(width, 640)
            assert box["height"] > 250


async def test_the_printed_page_has_what_is_folded_and_nothing_to_tap(tmp_path: Path, chromium: Browser) -> None:
    """Somebody takes it to a meeting: every page that went out stands on it."""
    async with site(tmp_path) as life, emptied(chromium):
        page, _ = await opened(await chromium.new_context(extra_http_headers=BEARER), life, "/incidents/card")
        folded = page.locator("ol.story details p").first
        assert not await folded.is_visible()
        await page.emulate_media(media="print")
        assert await folded.is_visible()
        assert await page.locator("nav:visible, form:visible").count() == 0


async def test_an_open_page_keeps_itself_up_to_date(tmp_path: Path, chromium: Browser) -> None:
    """What has changed is shown without a reload, what was unfolded stays so; a site that is away is said."""
    async with site(tmp_path) as life, emptied(chromium):
        page, _ = await opened(await chromium.new_context(), life, signed_links.page([KEY], "card"))
        await page.click("summary >> nth=1")
        life.ledger.pages.facts.append(("card", Answered(T0 + 71 * MINUTE, "ana", Answer.OK)))
        async with asyncio.timeout(30):  # an answer is kept for longer where making it takes long
            while "Nobody has accepted" in await page.inner_text("main"):
                await asyncio.sleep(AT_LEAST)
                await page.evaluate("look()")
        assert (
            await page.evaluate("[...document.querySelectorAll('details')].map(each => each.open).indexOf(true)") == 1
        )
        assert await page.evaluate("document.activeElement.tagName") == "SUMMARY"
        life.ledger.trouble = "away"
        async with asyncio.timeout(30):
            while "could not be brought up to date. It is from 11:11:00 UTC." not in await page.inner_text("footer"):
                await asyncio.sleep(AT_LEAST)
                await page.evaluate("look()")


async def test_a_person_signs_in_and_out(tmp_path: Path, chromium: Browser) -> None:
    """P8: without scripts, by a code to their own phone; the internal pages, until they sign out."""
    async with site(tmp_path) as life, emptied(chromium):
        page, _ = await opened(
            await chromium.new_context(java_script_enabled=False), life, "/sign-in?to=/incidents/card"
        )
        await page.fill("#who", "bo")
        await page.click("text=Send me a code")
        await page.fill("#code", "000000")
        await page.click("main button")
        assert "This is not the code" in await page.inner_text("main")
        await page.fill("#code", life.inbox.code)
        await page.click("main button")
        assert page.url.endswith("/incidents/card")
        assert "Who has it" in await page.inner_text("main")
        await page.click("text=Sign out")
        assert "You are signed out" in await page.inner_text("main")
        await page.goto(f"http://127.0.0.1:{life.port}/incidents/card")
        assert "Who has it" not in await page.inner_text("main")


async def test_an_open_page_leads_to_the_sign_in_when_its_session_ends(tmp_path: Path, chromium: Browser) -> None:
    """A wall board must not turn into the page for outsiders, who were told nothing; signed in again it goes on."""
    async with site(tmp_path) as life, emptied(chromium):
        page, _ = await opened(await chromium.new_context(), life, "/sign-in?to=/incidents")
        for _ in range(2):
            await page.fill("#who", "bo")
            await page.click("text=Send me a code")
            await page.fill("#code", life.inbox.code)
            await page.click("main button")
            await page.wait_for_url(re.compile("/incidents"))
            assert "Sign out" in await page.inner_text("body")
            await page.context.clear_cookies()  # signed out in another tab
            await page.evaluate("look()")
            await page.wait_for_url(re.compile("/sign-in"))
            assert "You are not signed in any more" in await page.inner_text("main")
