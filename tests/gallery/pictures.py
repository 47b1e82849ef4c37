"""Pictures of messages from a real Chromium: a mail as a mail program shows it, an SMS as a phone does.

Every distinct message once: kind, channel, wording and language, on a phone (375 pixels) and a desk (1000), in the light
and in the dark.
"""

import asyncio
import html
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from playwright.async_api import Browser, async_playwright
from tocsin.domain.delivery import Content

WIDTHS = (375, 1000)
SCHEMES = ("light", "dark")
AT_ONCE = 4
"""Pictures that are taken at the same time."""
BUBBLE = """<!doctype html><html lang="{language}"><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>SMS</title><style>:root{{color-scheme:light dark}}body{{margin:0;padding:16px;background:light-dark(#fff,#000);
font:17px/1.35 -apple-system,'Segoe UI',Roboto,sans-serif}}p{{max-width:290px;margin:0;padding:9px 14px;border-radius:18px;
background:light-dark(#e9e9eb,#262629);color:light-dark(#000,#fff);overflow-wrap:anywhere}}</style><p dir="auto">{text}</p>"""


@dataclass(frozen=True, slots=True)
class Sitter:
    """What a picture is taken of, and the beginning of its file's name."""

    name: str
    content: Content


def chromium() -> str:
    """Where the browser is; empty where there is none."""
    return shutil.which("chromium") or shutil.which("google-chrome") or ""


async def take(sitters: Sequence[Sitter], folder: Path) -> int:
    """Take every picture. Gives how many there are."""
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=chromium(), args=["--no-sandbox"])
        room = asyncio.Semaphore(AT_ONCE)
        shots = [_shot(browser, room, sitter, width, scheme, folder) for sitter, width, scheme in _poses(sitters)]
        await asyncio.gather(*shots)
        await browser.close()
    return len(shots)


def _poses(sitters: Sequence[Sitter]) -> Iterator[tuple[Sitter, int, str]]:
    for sitter in sitters:
        for width in WIDTHS if sitter.content.html else WIDTHS[:1]:
            for scheme in SCHEMES:
                yield sitter, width, scheme


async def _shot(
    browser: Browser, room: asyncio.Semaphore, sitter: Sitter, width: int, scheme: str, folder: Path
) -> None:
    async with room:
        dark = scheme == "dark"
        context = await browser.new_context(
            viewport={"width": width, "height": 200},
            color_scheme="dark" if dark else "light",
            java_script_enabled=False,
        )
        page = await context.new_page()
        text = html.escape(sitter.content.text)
        await page.set_content(sitter.content.html or BUBBLE.format(text=text, language=sitter.content.language))
        await page.screenshot(path=folder / f"{sitter.name}-{width}-{scheme}.png", full_page=True)
        await context.close()
