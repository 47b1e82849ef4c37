"""Markdown: strangers' text put into a Markdown page so that it reads as it was written, and does nothing else.

Follows CommonMark 0.31 and GitHub's tables. Must not know what the text says.
"""

import re
from dataclasses import dataclass

from tocsin.text.cleaning import clean, one_line

_INLINE = re.compile(r"([\\`*_\[\]<>|~&$])")
_LINE_START = re.compile(r"([#+\-=:])|(\d{1,9})([.)])")
_MARKS = re.compile(r"(?P<broken>\\\n\s*|\n\s*)|\\(?P<plain>.)|(?P<strong>\*\*)|(?P<slight>\*)|(?P<code>`)")


@dataclass(frozen=True, slots=True)
class Run:
    """A stretch of text in one manner: "strong", "slight" (emphasis), "code", or "" for plain."""

    text: str
    manner: str = ""


def inline(text: str) -> str:
    """A text on one line, for headings, table cells and sentences."""
    return _escaped(one_line(clean(text)))


def flowing(text: str, indent: str = "") -> str:
    """A text with its line breaks and paragraphs. What follows its first line is indented, as a list entry needs."""
    lines = [_escaped(line.strip()) for line in clean(text).split("\n")]
    parts: list[str] = []
    for line in lines:
        if line and parts and parts[-1]:
            parts[-1] += "\\"
        if line or (parts and parts[-1]):
            parts.append(line)
    return "\n".join(f"{indent}{line}" if line and number else line for number, line in enumerate(parts))


def runs(text: str) -> tuple[Run, ...]:
    """A text made with `inline` and `flowing`, read back for who shows it otherwise than as Markdown. Marks of strong,
    slight and code do not stand inside each other.
    """
    found: list[Run] = []
    manner, said, at = "", "", 0
    for mark in _MARKS.finditer(text):
        said += text[at : mark.start()]
        at = mark.end()
        if mark.lastgroup in ("broken", "plain"):
            said += mark["plain"] or "\n"
            continue
        if said:
            found.append(Run(said, manner))
        manner, said = "" if manner == mark.lastgroup else mark.lastgroup or "", ""
    said += text[at:]
    return (*found, Run(said, manner)) if said else tuple(found)


def _escaped(line: str) -> str:
    """One line whose marks of Markdown, HTML and mathematics are plain characters."""
    text = _INLINE.sub(r"\\\1", line)
    start = _LINE_START.match(text)
    if start is None:
        return text
    at = start.end() - 1
    return f"{text[:at]}\\{text[at:]}"
