"""A problem for people: what is wrong, where, and what to write instead, as `tocsin check` prints it."""

from dataclasses import dataclass
from enum import StrEnum


class ProblemLevel(StrEnum):
    """An error refuses a config; a warning does not."""

    ERROR = "error"
    WARNING = "warning"


@dataclass(frozen=True, slots=True)
class Problem:
    """Lines and columns count from 1; a problem of the whole file is at 1:1. `code` is a stable hyphenated word."""

    file: str
    line: int
    column: int
    level: ProblemLevel
    code: str
    message: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}: {self.level}: {self.message}"
