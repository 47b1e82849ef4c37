"""Markdown: strangers' text put into a Markdown page so that it reads as it was written, and does nothing else.

Follows CommonMark 0.31 and GitHub's tables. Must not know what the text says.
"""

import re

from daemon.documents.cleaning import clean, one_line

_INLINE = re.compile(r"([\\`*_\[\]<>|~&$])")
_LINE_START = re.compile(r"([#+\-=:])|(\d{1,9})([.)])")


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


def _escaped(line: str) -> str:
    """One line whose marks of Markdown, HTML and mathematics are plain characters."""
    text = _INLINE.sub(r"\\\1", line)
    start = _LINE_START.match(text)
    if start is None:
        return text
    at = start.end() - 1
    return f"{text[:at]}\\{text[at:]}"
