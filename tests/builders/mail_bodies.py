"""Every HTML body that the shipped templates make of the samples, and what is wrong with one for who cannot see it well.

The checks are those of the Email Markup Consortium's accessibility report, as far as they are about the markup.
"""

import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from functools import cache
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

from tocsin.adapters.jinja import sources
from tocsin.adapters.jinja.template_set import TemplateSet
from tocsin.domain.delivery import Content, Message
from tocsin.domain.notification import Kind
from tocsin.domain.people import Channel
from tocsin.wording.answer.sign_in_wording import SIGN_INS
from tocsin.wording.language.languages import Languages
from tocsin.wording.message.samples import bundle_samples, samples
from tocsin.wording.operator.samples import TESTS, notice_samples

TEMPLATES = Path(__file__).parents[2] / "templates"
RIGHT_TO_LEFT = "ar"
"""A language that is not shipped, whose catalogue is one sentence."""
ARABIC = 'msgid ""\nmsgstr "Content-Type: text/plain; charset=UTF-8\\n"\n\nmsgid "Follow the incident"\nmsgstr "تابع الحادث"\n'
UNSUBSCRIBE_URL = "https://tocsin.example.com/unsubscribe/pay/ana@example.com/q1w2e3r4t5z6u7i8o9p0a1"
AT = datetime(2026, 11, 23, 10, tzinfo=UTC)
VOID = frozenset({"meta", "br", "img", "hr", "link", "input"})
VAGUE = frozenset({"here", "click here", "more", "link", "read more", ""})
LEAST_CONTRAST = 4.5
LEAST_PIXELS = 13.0
SKIPPED = ("style", "title", "head")

Style = dict[str, str]


def languages() -> Languages:
    """What is shipped, and a language that is read from right to left."""
    return Languages({f"{RIGHT_TO_LEFT}/messages.po": ARABIC}, sources.read(TEMPLATES).texts)


@cache
def bodies() -> dict[str, Content]:
    """Every sample as an email in every language, by what it is."""
    return dict(_bodies())


def _bodies() -> Iterator[tuple[str, Content]]:
    texts, spoken = sources.read(TEMPLATES).texts, languages()
    templates = TemplateSet(texts, texts, {}, spoken, lambda fault: _refuse(str(fault)))
    codes = sorted({name.partition("/")[0] for name in texts if "/" in name} | {"en", RIGHT_TO_LEFT})
    for code in codes:
        language = spoken.of(code)
        every: list[Any] = [*samples(), *bundle_samples(), *notice_samples(), *TESTS, *SIGN_INS]
        for number, words in enumerate(every):
            spoken_words = replace(words, language=language.code, direction=language.direction)
            yield f"{code} {number} {words.kind}", templates.content(spoken_words, Channel.EMAIL, language)


def _refuse(fault: str) -> None:
    raise AssertionError(fault)


class _Reader(HTMLParser):
    """Reads one body as its reader's program does; `faults` are what it stumbles over."""

    def __init__(self, dark: dict[str, Style]) -> None:
        super().__init__()
        self.faults: list[str] = []
        self.open: list[tuple[str, dict[str, str], Style, Style]] = []
        self.headings: list[int] = []
        self.seen: dict[str, dict[str, str]] = {}
        self.link = ""
        self._dark = dark

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        self.seen.setdefault(tag, given)
        light = dict(self.open[-1][2]) if self.open else {"color": "#000000", "background": "#ffffff"}
        dark = dict(self.open[-1][3]) if self.open else dict(light)
        style = _style(given.get("style", ""))
        light |= style
        dark |= style
        for name in given.get("class", "").split():
            dark |= self._dark.get(name, {})
        self._look(tag, given, style)
        if tag == "a":
            self.link = ""
        if tag not in VOID:
            self.open.append((tag, given, light, dark))

    def _look(self, tag: str, given: dict[str, str], style: Style) -> None:
        if tag == "table" and given.get("role") != "presentation":
            self.faults.append("a table of the layout is read as one of data")
        if tag == "img" and not given.get("alt"):
            self.faults.append("an image without a text")
        if tag == "a" and not re.match(r"https?://|tel:|mailto:", given.get("href", "")):
            self.faults.append(f"a link leads nowhere: {given.get('href')}")
        if tag in ("h1", "h2", "h3"):
            level = int(tag[1])
            if level > (self.headings[-1] if self.headings else 0) + 1:
                self.faults.append(f"{tag} stands under nothing")
            self.headings.append(level)
        if "font-size" in style and float(style["font-size"].removesuffix("px")) < LEAST_PIXELS:
            self.faults.append(f"letters of {style['font-size']}")
        if style.get("text-align") == "justify":
            self.faults.append("justified text")

    def handle_endtag(self, tag: str) -> None:
        if tag in VOID:
            return
        opened = self.open.pop()[0] if self.open else ""
        if opened != tag:
            self.faults.append(f"</{tag}> closes {opened}")
        if tag == "a" and self.link.strip().lower() in VAGUE:
            self.faults.append(f"a link that does not say where it leads: {self.link!r}")

    def handle_data(self, data: str) -> None:
        if not data.strip() or any(tag in SKIPPED for tag, *_ in self.open):
            return
        self.link += data
        _, given, light, dark = self.open[-1]
        if any(style.get("display") == "none" for *_, style, _ in self.open):
            return
        for scheme, style in (("light", light), ("dark", dark)):
            ratio = contrast(style["color"], style["background"])
            if ratio < LEAST_CONTRAST:
                self.faults.append(f"{scheme}: {data.strip()[:20]!r} has {ratio:.1f} ({given.get('class')})")


def faults(html: str, language: str, direction: str) -> list[str]:
    """What is wrong with one body."""
    reader = _Reader(dark_rules(html))
    reader.feed(html)
    wrong = list(reader.faults)
    wrong += [
        f"{tag} is in another language: {reader.seen[tag]}"
        for tag in ("html", "body")
        if (reader.seen[tag].get("lang"), reader.seen[tag].get("dir")) != (language, direction)
    ]
    if not (title := re.search(r"<title>(.*?)</title>", html, re.DOTALL)) or not title[1].strip():
        wrong.append("it has no title")
    if reader.headings[:1] != [1] or reader.headings.count(1) != 1:
        wrong.append(f"its headings are {reader.headings}")
    if "user-scalable" in html or "maximum-scale" in html:
        wrong.append("it cannot be made larger")
    if reader.open:
        wrong.append(f"{reader.open[-1][0]} is not closed")
    return wrong + (["over 60 kB"] if len(html.encode()) > 60_000 else [])


def dark_rules(html: str) -> dict[str, Style]:
    """What the dark scheme says of each class."""
    sheet = html.partition("prefers-color-scheme: dark)")[2].partition("@media")[0]
    return {name: _style(rules.replace("!important", "")) for name, rules in re.findall(r"\.(\w+) \{([^}]*)\}", sheet)}


def _style(text: str) -> Style:
    pairs = (rule.partition(":") for rule in text.split(";") if ":" in rule)
    return {name.strip(): value.strip() for name, _, value in pairs}


def contrast(one: str, other: str) -> float:
    """How far two colours are from each other, as WCAG 2.2 reckons it."""
    darker, lighter = sorted((_luminance(one), _luminance(other)))
    return (lighter + 0.05) / (darker + 0.05)


def _luminance(colour: str) -> float:
    parts = (int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5))
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def preview(html: str) -> str:
    """What a mailbox shows behind the subject: the first text of the body."""
    hidden = re.search(r'<div aria-hidden="true"[^>]*>(.*?)</div>', html, re.DOTALL)
    return " ".join(re.sub(r"&(#847|zwnj|nbsp);|<[^>]*>", " ", hidden[1]).split()) if hidden else ""


def mails() -> Iterator[Message]:
    """Every sample as a message on its way, with all headers that its kind may have."""
    for name, content in bodies().items():
        kind = name.rpartition(" ")[2]
        message = Message(name, Channel.EMAIL, "ana@example.com", "ana", "Ana Souza", content, "pay", 1, kind, AT)
        message = replace(message, reply_to="desk@example.com")
        if kind in (Kind.UPDATE, Kind.CLOSING):
            message = replace(message, mailing_list="customers", list_title="Customers")
        if kind == Kind.UPDATE:
            message = replace(message, unsubscribe_url=UNSUBSCRIBE_URL, one_click=True)
        yield message
