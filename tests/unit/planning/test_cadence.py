"""The interval of a cadence, and the update that follows a send (rule 23)."""

from datetime import UTC, datetime, timedelta

import pytest
from tocsin.domain.policy import Cadence, Span
from tocsin.planning.cadence.spans import next_due, span_at

from tests.builders.instants import MINUTE, T0

SLOWING = Cadence(
    (Span(5 * MINUTE, 10 * MINUTE), Span(10 * MINUTE, 20 * MINUTE), Span(20 * MINUTE, 60 * MINUTE), Span(60 * MINUTE))
)
ENDING = Cadence((Span(5 * MINUTE, 10 * MINUTE), Span(10 * MINUTE, 20 * MINUTE)))


@pytest.mark.parametrize(
    ("elapsed", "every"), [(0, 5), (9, 5), (10, 10), (29, 10), (30, 20), (89, 20), (90, 60), (10_000, 60)]
)
def test_the_span_in_force(elapsed: int, every: int) -> None:
    """Slowing spans add up, and an instant on the border belongs to the next one."""
    assert span_at(SLOWING, elapsed * MINUTE) == every * MINUTE


def test_the_last_span_goes_on() -> None:
    """Also where it says how long it lasts; a cadence without spans has no interval."""
    assert span_at(ENDING, 31 * MINUTE) == 10 * MINUTE
    assert span_at(Cadence(), timedelta(0)) is None


def test_the_next_update() -> None:
    """One span after the last send, the span being that in force at the send; a send that bears an instant before the
    spans began counts as at their beginning; a cron fires on the wall clock; without either only changes are told.
    """
    assert next_due(SLOWING, T0 + 9 * MINUTE, T0) == T0 + 14 * MINUTE
    assert next_due(SLOWING, T0 + 10 * MINUTE, T0) == T0 + 20 * MINUTE
    assert next_due(SLOWING, T0 - MINUTE, T0) == T0 + 4 * MINUTE
    assert next_due(Cadence(cron="0 9 * * *", timezone="UTC"), T0, T0) == datetime(2026, 11, 24, 9, tzinfo=UTC)
    assert next_due(Cadence(), T0, T0) is None
