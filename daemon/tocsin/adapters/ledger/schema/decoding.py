"""A row as what it says; one that cannot be read is a RowError."""

import zlib
from collections.abc import Callable
from datetime import UTC, datetime
from typing import ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")


class RowError(ValueError):
    """A row cannot be read: which one, and why not, in a few words (rule 63)."""


def decode(table: str, row: int, read: Callable[P, T], *columns: P.args, **named: P.kwargs) -> T:
    """What a row of a table says. Raises RowError."""
    try:
        return read(*columns, **named)
    except (ValueError, TypeError, LookupError, AttributeError, zlib.error) as fault:
        lines = str(fault).splitlines()
        raise RowError(f"row {row} of {table} cannot be read ({lines[0] if lines else type(fault).__name__})") from None


def write_instant(at: datetime) -> str:
    """An instant as the tables keep it."""
    return at.astimezone(UTC).isoformat(timespec="microseconds")


def read_instant(text: str) -> datetime:
    """An instant as it came out of a table."""
    return datetime.fromisoformat(text)
