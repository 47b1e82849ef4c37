"""Strangers' text put into a Markdown page so that it reads as it was written, and does nothing else; and
lines of runs, which a page may write as Markdown or otherwise.

Follows CommonMark 0.31 and GitHub's tables. Must not know what the text says.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import groupby, zip_longest

from tocsin.text.cleaning import clean, one_line

_INLINE = re.compile(r"([\\`*_\[\]<>|~&$])")
_LINE_START = re.compile(r"([#+\-=:])|(\d{1,9})([.)])")
_MARKS = {"": "", "strong": "**", "slight": "*", "code": "`"}


@dataclass(frozen=True, slots=True)
class Run:
    """A stretch of text in one manner: "strong", "slight" (emphasis), "code", or "" for plain. A `quoted` one is a
    stranger's text, which may hold anything; the others are our own words, without a mark of Markdown.
    """

    text: str
    manner: str = ""
    quoted: bool = False


Runs = tuple[Run, ...]
"""A line, put together of runs. It may hold line breaks."""


def runs(*parts: str | Run | Runs) -> Runs:
    """A line put together: each string is a plain run of our own words."""
    return tuple(run for part in parts for run in _runs(part))


def quoted(text: str, manner: str = "") -> Run:
    """A stranger's text on one line."""
    return Run(one_line(clean(text)), manner, quoted=True)


def quoted_lines(text: str) -> Run:
    """A stranger's text with its line breaks and paragraphs."""
    return Run("\n".join(_lines(text)), quoted=True)


def joined(separator: str, lines: Iterable[str | Run | Runs]) -> Runs:
    """Lines as one, with our own words between them."""
    parts = [part for line in lines for part in (separator, line)]
    return runs(*parts[1:])


def markdown(line: Runs, indent: str = "") -> str:
    """A line as Markdown. What follows its first line break is indented, as a list entry needs."""
    parts = []
    for manner, stretch in groupby(line, key=lambda run: run.manner):
        words = "".join(flowing(run.text, indent) if run.quoted else _broken(run.text, indent) for run in stretch)
        parts.append(f"{_MARKS[manner]}{words}{_MARKS[manner]}")
    return "".join(parts)


def inline(text: str) -> str:
    """A text on one line, for headings, table cells and sentences."""
    return _escaped(one_line(clean(text)))


def flowing(text: str, indent: str = "") -> str:
    """A text with its line breaks and paragraphs. What follows its first line is indented, as a list entry needs."""
    lines = list(map(_escaped, _lines(text)))
    broken = [f"{line}\\" if line and following else line for line, following in zip_longest(lines, lines[1:])]
    return "\n".join(f"{indent}{line}" if line and number else line for number, line in enumerate(broken))


def _runs(part: str | Run | Runs) -> Runs:
    if isinstance(part, str):
        return (Run(part),)
    return (part,) if isinstance(part, Run) else part


def _lines(text: str) -> Iterator[str]:
    """The lines of a clean text; one empty line between paragraphs."""
    above = ""
    for line in (line.strip() for line in clean(text).split("\n")):
        if line or above:
            yield line
        above = line


def _broken(words: str, indent: str) -> str:
    """Our own words, with their line breaks."""
    return words.replace("\n", f"\\\n{indent}")


def _escaped(line: str) -> str:
    """One line whose marks of Markdown, HTML and mathematics are plain characters."""
    text = _INLINE.sub(r"\\\1", line)
    start = _LINE_START.match(text)
    if start is None:
        return text
    at = start.end() - 1
    return f"{text[:at]}\\{text[at:]}"
