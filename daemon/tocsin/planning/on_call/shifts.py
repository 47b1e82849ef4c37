"""Shifts as they fall: who is on call over a span of time, and until when somebody is (what `oncall` shows).

Computed from the instants at which something can change (handoffs, windows, overrides, events), never by sampling.
"""

from bisect import bisect_right
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import partial
from itertools import pairwise

from tocsin.domain.rotation import CalendarEvent, Hours, Override, Rotation, Shift
from tocsin.planning.on_call.handoffs import firings_in_year, turn_of
from tocsin.planning.on_call.hours import open_between
from tocsin.planning.on_call.resolve import calendar_turns, on_call_now, overridden
from tocsin.planning.on_call.wall_clock import SECOND, instant

ENDLESS = timedelta(days=800)
"""Handoffs and windows that put nobody else on call for this long never do."""
ENDLESS_CALENDAR = timedelta(days=365)
"""A calendar's span that lasts longer counts as endless: only so much of a calendar's future is read."""
AROUND = timedelta(days=60)
"""How far around it is looked for where an on-call span really begins and ends."""
FAR = timedelta(days=100_000)
"""Farther than anything that is written down."""
STEP = timedelta(days=32)


@dataclass(frozen=True, slots=True)
class OnCallSpan:
    """One person on call in [start, end)."""

    rotation: str
    person: str
    start: datetime
    end: datetime
    override: bool


def on_call_spans(rotation: Rotation, start: datetime, end: datetime) -> tuple[OnCallSpan, ...]:
    """Who is on call in [start, end), clipped to it; adjoining spans of one person and one `override` are one,
    gaps have none.
    """
    spans: list[OnCallSpan] = []
    person_at = _on_call_at(rotation, [_ShiftOver(shift, start, end) for shift in rotation.shifts])
    for begins, ends in pairwise([start, *change_instants(rotation, start, end), end]):
        person, override = person_at(begins)
        if person is None or begins >= ends:
            continue
        last = spans[-1] if spans else None
        if last and (last.person, last.override, last.end) == (person, override, begins):
            spans[-1] = replace(last, end=ends)
        else:
            spans.append(OnCallSpan(rotation.id, person, begins, ends, override))
    return tuple(spans)


def change_instants(rotation: Rotation, start: datetime, end: datetime) -> list[datetime]:
    """The instants inside (start, end) at which who is on call, or who is next, may change, in order."""
    return sorted({*_fixed(rotation, start, end), *_recurring(rotation, start, end)})


def unclipped_spans(rotation: Rotation, start: datetime, end: datetime) -> tuple[OnCallSpan, ...]:
    """The spans that touch [start, end), not clipped to it: one that is under way keeps its real start, so that it is
    the same tomorrow. Looked for within 60 days around, from a first of January on.
    """
    first = (start - AROUND).replace(month=1, day=1, hour=0, minute=0, second=0, microsecond=0)
    spans = on_call_spans(rotation, first, end + AROUND)
    return tuple(span for span in spans if span.end > start and span.start < end)


def on_call_until(rotation: Rotation, at: datetime) -> datetime | None:
    """The end of the on-call span (or gap) that covers an instant; None when it is endless: nothing written down
    ends it, and neither does a handoff or window in the next 800 days (in a calendar nothing in the next 365).
    """
    person_at = _on_call_at(rotation)
    now = person_at(at)
    ahead = ENDLESS_CALENDAR if rotation.calendar else FAR
    fixed = next((moment for moment in sorted(_fixed(rotation, at, at + ahead)) if person_at(moment) != now), None)
    begins, last = at, min(fixed or at + ENDLESS, at + ENDLESS)
    while rotation.shifts and begins < last:
        ends = min(begins + STEP, last)
        for moment in sorted(_recurring(rotation, begins, ends + SECOND)):
            if person_at(moment) != now:
                return moment
        begins = ends
    return fixed


class _ShiftOver:
    """A shift over a span: asked for many instants of it, it knows whose turn it is without counting from `starts`."""

    def __init__(self, shift: Shift, start: datetime, end: datetime) -> None:
        self.members = shift.members
        self.since = max(start, instant(shift.starts, shift.timezone))
        alone = len(set(shift.members)) == 1
        self.first = 0 if alone or self.since >= end else turn_of(shift, self.since) or 0
        self.fired = () if alone else tuple(_handoffs(shift, self.since, end))
        self.edges = [
            edge for opened in open_between(Hours(shift.timezone, shift.during), start, end) for edge in opened
        ]

    def person(self, at: datetime) -> str | None:
        """Whose turn it is at an instant of the span; None before `starts` and outside the windows."""
        if at < self.since or bisect_right(self.edges, at) % 2 == 0:
            return None
        return self.members[(self.first + bisect_right(self.fired, at)) % len(self.members)]


def _on_call_at(
    rotation: Rotation, shifts: Sequence[_ShiftOver] | None = None
) -> Callable[[datetime], tuple[str | None, bool]]:
    """`on_call_now` for one rotation and many instants: a calendar's events are put in order only once, and shifts
    that are known over a span are asked there.
    """
    if rotation.calendar:
        turns = list(calendar_turns(rotation.events))
        moments = [moment for moment, _ in turns]
        return lambda at: overridden(
            rotation, turns[index - 1][1] if (index := bisect_right(moments, at)) else None, at
        )
    if shifts is None:
        return partial(on_call_now, rotation)
    return lambda at: overridden(
        rotation, next((person for shift in shifts if (person := shift.person(at)) is not None), None), at
    )


def _fixed(rotation: Rotation, start: datetime, end: datetime) -> set[datetime]:
    """The instants inside (start, end) that are written down, at which who is on call may change."""
    spans: tuple[Override | CalendarEvent, ...] = (*rotation.overrides, *rotation.events)
    moments = {moment for span in spans for moment in (span.start, span.end)}
    moments.update(instant(shift.starts, shift.timezone) for shift in rotation.shifts)
    return {moment for moment in moments if start < moment < end}


def _recurring(rotation: Rotation, start: datetime, end: datetime) -> set[datetime]:
    """The instants inside (start, end) of handoffs and windows."""
    return {moment for shift in rotation.shifts for moment in _of_shift(shift, start, end) if start < moment < end}


def _of_shift(shift: Shift, start: datetime, end: datetime) -> Iterator[datetime]:
    if len(set(shift.members)) > 1:
        yield from _handoffs(shift, start, end)
    if shift.during:
        for opened in open_between(Hours(shift.timezone, shift.during), start, end):
            yield from opened


def _handoffs(shift: Shift, start: datetime, end: datetime) -> Iterator[datetime]:
    """The firings in (start, end]."""
    for year in range(start.astimezone(UTC).year, end.astimezone(UTC).year + 1):
        fired = firings_in_year(shift.handoff, shift.timezone, year)
        yield from fired[bisect_right(fired, start) : bisect_right(fired, end)]
