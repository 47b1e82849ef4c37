"""How far a machine's own clock is from the database's (R60)."""

from datetime import UTC, datetime, timedelta

import pytest
from tocsin.planning.machines.clocks import ahead_at_least, differs

T0 = datetime(2026, 11, 23, 10, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    ("asked", "answered", "ahead"),
    [(-1, 1, 0), (-3, 0, 0), (0, 3, 0), (4, 5, 4), (-9, -5, -5)],
)
def test_only_what_is_sure_counts(asked: float, answered: float, ahead: float) -> None:
    """However long the answer took: it was true at some instant meanwhile."""
    at = [T0 + timedelta(seconds=seconds) for seconds in (asked, answered)]
    assert ahead_at_least(at[0], T0, at[1]) == timedelta(seconds=ahead)


def test_two_seconds_are_nothing() -> None:
    """Either way."""
    assert [differs(timedelta(seconds=seconds)) for seconds in (-2.1, -2, 0, 2, 2.1)] == [
        True,
        False,
        False,
        False,
        True,
    ]
