"""A line for people: its text, what of it stands out, and where it goes on when a terminal is too narrow for it.

How it looks there is decided in `console`; `show` prints it.
"""

from enum import StrEnum
from typing import Self

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
