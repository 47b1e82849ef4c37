"""Acting from a phone, in a real headless Chromium: every form and state by axe's rules at 320 pixels, light and dark,
without scripts, by the keyboard.

Skipped, saying so, where there is no `chromium`.
"""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest
from axe_core_python.base import AXE_SCRIPT
from playwright.async_api import Browser, BrowserContext, Page
from tocsin.domain.arrival import Judgement
from tocsin.web.access.browser import SESSION
from tocsin.web.http import judged

from tests.browser.test_pages import AXE, COLOURS, ONCE, SIZES, TWICE, emptied, pytestmark
from tests.unit.web.acting import Acting, acting
from tests.unit.web.test_acting import WORDS, going

PHONE = {"width": 320, "height": 640}
LOOK = "button[value=look]"
TAPPED = """() => [...document.querySelectorAll("main button, main .button, main select, main textarea, main .choice")]
    .filter(each => each.offsetParent && each.getBoundingClientRect().height < 44).map(each => each.outerHTML)"""

__all__ = ["pytestmark"]


@dataclass(frozen=True)
class State:
    """A page, what is filled in there, and what is pressed then."""

    path: str
    fill: Mapping[str, str] = field(default_factory=dict)
    press: str = ""
    status: int = 200


UPDATE = {"#text": WORDS["text"], "#public": WORDS["public"]}
STATES = {
    "update": State("/incidents/card/act/update"),
    "update, looked at": State("/incidents/card/act/update", UPDATE, LOOK),
    "update without words": State("/incidents/card/act/update", {}, LOOK, 422),
    "update by link": State("LINK/act/update"),
    "status": State("/incidents/card/act/status", {}, LOOK, 422),
    "severity": State("/incidents/card/act/severity"),
    "severity, looked at": State("/incidents/card/act/severity", {}, "text=Make it SEV3"),
    "severity, another one": State("/incidents/card/act/severity", {}, "text=Make it SEV4"),
    "estimate": State("/incidents/card/act/eta", {"#eta_at": "10:00", "#eta_day": "2026-11-23"}, LOOK, 422),
    "impact, changed meanwhile": State("/incidents/card/act/impact", {"#impact": "All."}, LOOK),
    "role": State("/incidents/card/act/assign", {}, LOOK, 422),
    "end": State("/incidents/card/act/resolve", {"#text": "Rolled back."}, LOOK, 422),
    "note, refused": State("/incidents/card/act/note", {"#note": "Seen."}, "button[value=do]", 409),
    "title": State("/incidents/card/act/title"),
    "pass": State("/incidents/card/act/pass"),
    "all acts": State("/incidents/card/act"),
    "all acts by link": State("LINK/act"),
    "link": State("LINK"),
    "declare": State("/declare", {}, LOOK, 422),
    "declare, looked at": State("/declare", {"#title": "Search is down", "[value=sev1]": "check"}, LOOK),
    "not possible": State("/incidents/card/act/healthy", status=409),
}
SAMPLE = ("update, looked at", "estimate", "link", "declare, looked at")


@asynccontextmanager
async def phone(chromium: Browser, actor: Acting, *, scripts: bool) -> AsyncIterator[BrowserContext]:
    """A phone whose person has signed in."""
    async with emptied(chromium):
        context = await chromium.new_context(viewport=PHONE, java_script_enabled=scripts, color_scheme="light")
        await context.add_cookies([{"name": SESSION, "value": actor.id, "url": address(actor)}])
        yield context


def address(actor: Acting) -> str:
    return f"http://127.0.0.1:{actor.site.client.port}"


async def brought_to(page: Page, actor: Acting, state: State) -> int:
    """Open a state; the status of its page."""
    path = state.path.replace("LINK", actor.site.short("dee"))
    answer = await page.goto(address(actor) + path)
    for selector, value in state.fill.items():
        target = page.locator(selector).first
        if value == "check":
            await target.check()
        elif await target.evaluate("each => each.tagName") == "SELECT":
            await target.select_option(value)
        else:
            await target.fill(value)
    if state.press:
        async with page.expect_navigation() as arriving:
            await page.click(state.press)
        answer = await arriving.value
    assert answer is not None
    return answer.status


@pytest.mark.parametrize("names", [SAMPLE, pytest.param(tuple(STATES), marks=pytest.mark.attack)], ids=["some", "all"])
async def test_every_form_and_state_by_axes_rules_on_the_smallest_phone(
    chromium: Browser, names: tuple[str, ...]
) -> None:
    """No rule of axe is broken in the light, nor (contrast) in the dark; nothing is wider than 320 pixels, in letters of twice the size either, nothing that
    is tapped lower than 44; the console is silent.
    """
    wrong: dict[str, Any] = {}
    async with acting() as bo, phone(chromium, bo, scripts=True) as context:
        await going(bo, "fay", "bo")
        bo.judged = Judgement("refused", "Chen Wei wrote the same at 22:10.")
        page = await context.new_page()
        page.on("pageerror", lambda fault: wrong.setdefault("faults", []).append(str(fault)))
        for name in names:
            state = STATES[name]
            status = await brought_to(page, bo, state)
            wrong |= {f"{name}'s status": status} if status != state.status else {}
            needed, had = await page.evaluate(SIZES)
            wrong |= {f"{name}'s width": f"needs {needed}"} if needed > had else {}
            await page.evaluate(TWICE)
            needed, had = await page.evaluate(SIZES)
            wrong |= {f"{name} in letters of twice the size": f"needs {needed}"} if needed > had else {}
            await page.evaluate(ONCE)
            low = await page.evaluate(TAPPED)
            wrong |= {f"{name}, too low to tap": low} if low else {}
            await page.evaluate(AXE_SCRIPT)
            broken = await page.evaluate(AXE, {})
            await page.emulate_media(color_scheme="dark")
            broken += await page.evaluate(AXE, COLOURS)
            await page.emulate_media(color_scheme="light")
            wrong |= {f"{name} by axe": broken} if broken else {}
    assert wrong == {}


async def test_an_update_by_keyboard_without_scripts(chromium: Browser) -> None:
    """The first field has the focus; Tab leads on in reading order; what is wrong has the focus; an update without a text
    costs nothing but the text; then it is looked at, where the focus is at what it will do, and sent.
    """
    async with acting("dee") as dee, phone(chromium, dee, scripts=False) as context:
        await going(dee, "fay", "dee")
        page = await context.new_page()
        await page.goto(f"{address(dee)}/incidents/card/act/update")
        await page.keyboard.press("Tab")  # from the first field, which has the focus already
        await page.keyboard.type(WORDS["public"])
        for _ in range(2):
            await page.keyboard.press("Tab")
        async with page.expect_navigation():
            await page.keyboard.press("Enter")
        assert "Customers will read this, by email:" in await page.inner_text("main")
        assert WORDS["public"] in await page.inner_text("figure.outside")
        assert await page.locator("section:focus h2").inner_text() == "What this does"
        await page.keyboard.press("Tab")
        assert await page.locator("button:focus").inner_text() == "Send to 3 groups"
        async with page.expect_navigation():
            await page.keyboard.press("Enter")
        assert "It is true now." in await page.inner_text("[role=status]")
        (entry,) = dee.acts
        assert getattr(entry, "edit").entry.public == WORDS["public"]  # noqa: B009 - an edit, as the form is one


@pytest.mark.attack  # an update by the keyboard goes the same way
async def test_a_severity_that_outsiders_hear_of_is_looked_at_and_set(chromium: Browser) -> None:
    """The first press shows their last word; the second sets just that severity, and another one is looked at anew."""
    async with acting() as bo, phone(chromium, bo, scripts=False) as context:
        await going(bo)
        page = await context.new_page()
        await page.goto(f"{address(bo)}/incidents/card/act/severity")
        for press in ("text=Make it SEV4", "text=Make it SEV3 >> nth=0", "text=Make it SEV3 >> nth=0"):
            assert bo.acts == []
            async with page.expect_navigation():
                await page.click(press)
        (entry,) = bo.acts
        assert getattr(entry, "edit").severity == "sev3"  # noqa: B009 - an edit, as the form is one


async def test_a_form_that_waits_keeps_its_text_and_looks_again(
    chromium: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody has confirmed it: the page says so with the text, by axe's rules, and leads on once it counts."""
    monkeypatch.setattr(judged, "WAITS", 0.2)
    async with acting() as bo, phone(chromium, bo, scripts=True) as context:
        await going(bo)
        bo.site.inbox.away = True
        page = await context.new_page()
        await brought_to(page, bo, State("/incidents/card/act/note", {"#note": "Restarted."}, "button[value=do]"))
        assert "NOT yet confirmed" in await page.inner_text("h1")
        assert await page.input_value("textarea") == "Restarted."
        await page.evaluate(AXE_SCRIPT)
        assert [one for one in await page.evaluate(AXE, {}) if not one.startswith("meta-refresh")] == []
        (entry,) = bo.acts
        await bo.judge(entry)
        async with page.expect_navigation():
            await page.click("text=Look again now")
        assert "It is true now." in await page.inner_text("[role=status]")
