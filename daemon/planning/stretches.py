"""Stretches: who is on call over a span, and until when somebody is (product.md section 7, `oncall`).

Computed from the instants at which something can change (handoffs, windows, overrides, events), never by sampling.
"""

from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise

from daemon.domain.rotation import Rotation, Shift
from daemon.planning.handoffs import firings_of
from daemon.planning.hours import stretches as open_stretches
from daemon.planning.on_call import on_call_now
from daemon.planning.wall_clock import instant

ENDLESS = timedelta(days=800)
"""A stretch that lasts longer than this from the moment asked about counts as endless."""
STEP = timedelta(days=32)


@dataclass(frozen=True, slots=True)
class Stretch:
    """One person on call in [start, end)."""

    rotation: str
    person: str
    start: datetime
    end: datetime
    override: bool


def stretches(rotation: Rotation, start: datetime, end: datetime) -> tuple[Stretch, ...]:
    """Who is on call in [start, end), clipped to it; adjoining stretches of one person and one `override` are one,
    gaps have none.
    """
    found: list[Stretch] = []
    moments = [start, *_changes(rotation, start, end), end]
    for begins, ends in pairwise(moments):
        person, override = on_call_now(rotation, begins)
        if person is None or begins >= ends:
            continue
        last = found[-1] if found else None
        if last and (last.person, last.override, last.end) == (person, override, begins):
            found[-1] = replace(last, end=ends)
        else:
            found.append(Stretch(rotation.id, person, begins, ends, override))
    return tuple(found)


def until(rotation: Rotation, at: datetime) -> datetime | None:
    """The end of the stretch (or gap) that covers an instant; None when nothing changes in the next 800 days."""
    now = on_call_now(rotation, at)
    begins = at
    while begins < at + ENDLESS:
        ends = begins + STEP
        for moment in _changes(rotation, begins, ends):
            if on_call_now(rotation, moment) != now:
                return moment
        if on_call_now(rotation, ends) != now:
            return ends
        begins = ends
    return None


def _changes(rotation: Rotation, start: datetime, end: datetime) -> list[datetime]:
    """Every instant strictly inside (start, end) at which who is on call may change, in order."""
    moments: set[datetime] = set()
    for override in rotation.overrides:
        moments |= {override.start, override.end}
    for event in rotation.events:
        moments |= {event.start, event.end}
    for shift in rotation.shifts:
        moments.update(_of_shift(shift, start, end))
    return sorted(moment for moment in moments if start < moment < end)


def _of_shift(shift: Shift, start: datetime, end: datetime) -> Iterator[datetime]:
    yield instant(shift.starts, shift.timezone)
    if len(set(shift.members)) > 1:
        for year in range(start.astimezone(UTC).year, end.astimezone(UTC).year + 1):
            fired = firings_of(shift.handoff, shift.timezone, year)
            yield from fired[bisect_right(fired, start) : bisect_right(fired, end)]
    if shift.during:
        for begins, ends in open_stretches(shift.during, shift.timezone, start):
            if begins >= end:
                break
            yield begins
            yield ends
