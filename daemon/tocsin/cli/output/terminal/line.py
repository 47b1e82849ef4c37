"""A line for people: its text, what of it stands out, and where it goes on when a terminal is too narrow for it.

How it looks there is decided in `console`; `show` prints it.
"""

import re
from collections.abc import Iterator
from enum import StrEnum
from typing import Self

from rich.cells import cell_len

from tocsin.domain.problem import Problem, ProblemLevel


class Mark(StrEnum):
    """What stands out on a terminal, and as what."""

    WORST = "severity.worst"
    SECOND = "severity.second"
    THIRD = "severity.third"
    MILD = "severity.mild"
    ALARM = "alarm"
    """Somebody must act: nobody accepted, an error, a test that failed."""
    WARNING = "warning"
    TITLE = "title"


_BY_RANK = (Mark.WORST, Mark.SECOND, Mark.THIRD)
_WORD = re.compile(r" *(?:[\u2e80-\u9fff\uf900-\ufaff\uff00-\uffef]|[^ \u2e80-\u9fff\uf900-\ufaff\uff00-\uffef]+)")
"""A word and the blanks before it. Chinese and Japanese are broken between any two letters."""


class Line(str):
    """A text with marks on parts of it; `hang` is the column in which it goes on below (default: two more than it is
    indented by). It is a text like any other: what does not know of marks just prints it.
    """

    __slots__ = ("hang", "marks")

    hang: int | None
    marks: tuple[tuple[int, int, Mark], ...]
    """From where to where what stands out, none overlapping."""

    def __new__(cls, *parts: str, hang: int | None = None) -> Self:
        """The parts one after the other, the marks of each kept."""
        line = super().__new__(cls, "".join(parts))
        line.hang, marks, begin = hang, [], 0
        for part in parts:
            if isinstance(part, Line):
                marks += [(begin + start, begin + end, mark) for start, end, mark in part.marks]
            begin += len(part)
        line.marks = tuple(marks)
        return line

    def part(self, start: int, end: int, indent: str) -> "Line":
        """From where to where of it, with its marks, below an indentation."""
        line = Line(indent, self[start:end])
        line.marks = tuple(
            (max(begin - start, 0) + len(indent), min(stop, end) - start + len(indent), mark)
            for begin, stop, mark in self.marks
            if begin < end and stop > start
        )
        return line


def marked(text: str, mark: Mark) -> Line:
    """A part that stands out."""
    line = Line(text)
    line.marks = ((0, len(text), mark),)
    return line


def severity_mark(rank: int) -> Mark:
    """How a severity stands out, by its rank (0 is the worst)."""
    return _BY_RANK[rank] if rank < len(_BY_RANK) else Mark.MILD


def problem_line(problem: Problem) -> Line:
    """`file:line:col: error: message`, as `check` prints it."""
    mark = Mark.ALARM if problem.level is ProblemLevel.ERROR else Mark.WARNING
    where = f"{problem.file}:{problem.line}:{problem.column}: "
    return Line(where, marked(f"{problem.level}:", mark), f" {problem.message}", hang=4)


def rows(line: str, most: int) -> Iterator[Line]:
    """A line as rows of at most `most` cells; a word that alone is longer keeps a row to itself."""
    for text in line.splitlines() or [""]:
        yield from _rows(line if isinstance(line, Line) and text == line else Line(text), most)


def _rows(line: Line, most: int) -> Iterator[Line]:
    if cell_len(line) <= most:
        yield line
        return
    hang = len(line) - len(line.lstrip(" ")) + 2 if line.hang is None else line.hang
    indent, start, end = "", 0, 0
    for word in _WORD.finditer(line):
        if end and cell_len(indent) + cell_len(line[start : word.end()]) > most:
            yield line.part(start, end, indent)
            indent, start = " " * min(hang, most // 2), word.end() - len(word.group().lstrip(" "))
        end = word.end()
    yield line.part(start, end, indent)
