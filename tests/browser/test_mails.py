"""Every mail in a real headless Chromium: on small phones, at twice the size, in light and dark, by axe's rules.

Skipped, saying so, where there is no `chromium`.
"""

import re
from typing import Any

import pytest
from axe_core_python.base import AXE_SCRIPT
from playwright.async_api import Browser, Page

from tests.browser.test_pages import AXE, COLOURS, SIZES, emptied, pytestmark
from tests.builders.mail_bodies import RIGHT_TO_LEFT, bodies

SAMPLE = (
    "ar page",
    "ar update",
    "en page  ",
    "en update external ",
    "en closing  drill",
    "en bundle  ",
    "en sign_in external ",
)
"""Mails of each look, which every run of the tests looks at."""
WIDTHS = (320, 375, 1000)
LONG = "Zahlungsdiensteaufsichtsgesetzesänderungsverordnung" * 4
"""A word that no line holds."""
TOO_SMALL = """() => { const shown = [...document.querySelectorAll("span, b, p, h1, h2")].filter(each => each.offsetParent);
    return shown.filter(each => parseFloat(getComputedStyle(each).fontSize) < 13).map(each => each.textContent); }"""

NO_PAGE = {"rules": {name: {"enabled": False} for name in ("landmark-one-main", "region")}}
"""A mail is shown within a page, whose landmarks are that page's."""

__all__ = ["pytestmark"]


def shown() -> dict[str, str]:
    """The first sample of each kind and look in English, and of each kind in what is read from right to left; in every
    second one titles and names begin with a word that is too long.
    """
    chosen: dict[tuple[str, ...], str] = {}
    for name, content in bodies().items():
        code, _, kind = name.split()
        look = ("external" if "SEV" not in content.html else "", "drill" if "DRILL" in content.html else "")
        if code == "en":
            chosen.setdefault((code, kind, *look), content.html)
        elif code == RIGHT_TO_LEFT:
            chosen.setdefault((code, kind), content.html)
    return {
        " ".join(key): re.sub(r"(?<=>)(Card|Acme|Slow|Bo) ", f"{LONG} ", html) if number % 2 else html
        for number, (key, html) in enumerate(chosen.items())
    }


async def wrong_with(page: Page) -> list[Any]:
    """What a mail does on small screens, at twice its size, in the dark, and by axe."""
    found: list[Any] = []
    for width in WIDTHS:
        await page.set_viewport_size({"width": width, "height": 800})
        needed, had = await page.evaluate(SIZES)
        found += [f"needs {needed} of {width}"] if needed > had else []
    await page.set_viewport_size({"width": 750, "height": 800})
    await page.evaluate("() => { document.documentElement.style.zoom = '2'; }")
    needed, had = await page.evaluate(SIZES)
    found += [f"needs {needed} of {had} at twice the size"] if needed > had else []
    await page.evaluate("() => { document.documentElement.style.zoom = ''; }")
    await page.set_viewport_size({"width": 375, "height": 800})
    found += await page.evaluate(TOO_SMALL)
    await page.evaluate(AXE_SCRIPT)
    found += await page.evaluate(AXE, NO_PAGE)
    await page.emulate_media(color_scheme="dark")
    found += await page.evaluate(AXE, COLOURS)
    await page.emulate_media(color_scheme="light")
    return found


@pytest.mark.parametrize("names", [SAMPLE, pytest.param((), marks=pytest.mark.attack)], ids=["some", "all"])
async def test_every_mail_by_axes_rules_without_sideways_scrolling(chromium: Browser, names: tuple[str, ...]) -> None:
    """No rule of axe is broken, nothing is wider than the screen whatever its words, no letters are too small."""
    wrong: dict[str, list[Any]] = {}
    mails = shown()
    async with emptied(chromium):
        page = await (await chromium.new_context()).new_page()
        for name in names or mails:
            await page.set_content(mails[name])
            found = await wrong_with(page)
            wrong |= {name: found} if found else {}
    assert wrong == {}
