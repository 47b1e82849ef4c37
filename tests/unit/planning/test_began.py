"""When an incident really began, and which of its entries are news: what the history keeps for words."""

from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from tocsin.domain.facts import Seen
from tocsin.domain.history import History
from tocsin.domain.incident import Incident, Status, UpdateEntry
from tocsin.planning.history.fold import fold_facts

from tests.builders.instants import MINUTE, T0

CARDS = Incident("cards", "Card payments fail", "sev1")
DATED, UNDATED = UpdateEntry("We look.", at=T0 - MINUTE), UpdateEntry("We look.")


def seen(*versions: tuple[int, Incident]) -> History:
    """The history after versions, by the minute at which each was seen."""
    return fold_facts(Seen(T0 + minute * MINUTE, version, f"v{minute}") for minute, version in versions)


@pytest.mark.parametrize(
    ("written", "began"),
    [
        (None, T0),
        (T0 - timedelta(hours=9), T0 - timedelta(hours=9)),
        (T0, T0),
        (T0 + MINUTE, T0),
    ],
    ids=["not written", "the night before", "as it was declared", "in the future"],
)
def test_it_began_when_the_file_says(written: datetime | None, began: datetime) -> None:
    """`started_at`, else the declaration; an instant that had not come when it was read is a slip."""
    assert seen((0, replace(CARDS, started_at=written))).began_at == began


def test_a_beginning_may_be_written_later() -> None:
    """While it goes on, and as it ends; later than the declaration too, once that instant has come."""
    later = replace(CARDS, started_at=T0 + 3 * MINUTE)
    assert seen((0, CARDS), (5, later)).began_at == T0 + 3 * MINUTE
    assert seen((0, CARDS), (5, replace(later, status=Status.RESOLVED))).began_at == T0 + 3 * MINUTE


def test_a_reopened_incident_began_again() -> None:
    """The beginning of an earlier episode counts no more, unless another one is written."""
    first = replace(CARDS, started_at=T0 - MINUTE)
    over = replace(first, status=Status.RESOLVED)
    assert seen((0, first), (5, over), (9, first)).began_at == T0 + 9 * MINUTE
    anew = replace(first, started_at=T0 + 7 * MINUTE)
    assert seen((0, first), (5, over), (9, anew)).began_at == T0 + 7 * MINUTE


def test_nothing_seen_never_began() -> None:
    """There is no instant before the first version."""
    assert History().began_at is None


def test_entries_of_before_are_known() -> None:
    """A reopening keeps what stood there as it ended: it is told as news no more."""
    told = replace(CARDS, updates=(DATED,))
    over, again = replace(told, status=Status.RESOLVED), replace(told, updates=(DATED, UNDATED))
    assert seen((0, told)).updates_before == ()
    assert seen((0, told), (5, over), (9, again)).updates_before == (DATED,)


def test_entries_without_a_time_have_that_of_their_first_sight() -> None:
    """The first version's and those that come later, once each; one with a time of its own has that."""
    first, more = replace(CARDS, updates=(UNDATED, DATED)), UpdateEntry("We found it.")
    history = seen(
        (0, first), (5, replace(first, updates=(UNDATED, DATED, more))), (6, replace(first, updates=(more,)))
    )
    assert history.undated == ((UNDATED, T0), (more, T0 + 5 * MINUTE))
