"""Why somebody is on call at an instant: whose turn it is, from when to when, by which shift, override or calendar; and
when somebody's next turn is. For people who ask why they were woken; the plan itself only asks who.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from tocsin.domain.rotation import Override, Rotation, Shift
from tocsin.planning.on_call.resolve import covering_shift, in_turn, override_at
from tocsin.planning.on_call.shifts import AROUND, on_call_spans, on_call_until, unclipped_spans
from tocsin.planning.on_call.wall_clock import SECOND

AHEAD = timedelta(days=90)
"""How far somebody's next turn is looked for."""


@dataclass(frozen=True, slots=True)
class OnCallTurn:
    """Who is on call in a rotation, None in a gap, from `since` to `until` (None: for as long as is known). `base` is
    whose turn it is, overrides apart; `shift` covers the moment, `override` puts somebody in its place. `place` is
    where that is written.
    """

    person: str | None
    base: str | None
    since: datetime | None
    until: datetime | None
    shift: Shift | None
    override: Override | None
    place: str


def turn_at(rotation: Rotation, at: datetime) -> OnCallTurn:
    """Who is on call at an instant, and why."""
    base = in_turn(rotation, at)
    override = override_at(rotation, base, at)
    covering = None if rotation.calendar else covering_shift(rotation, at)
    shift = covering[0] if covering else None
    known_from = (at - AROUND).replace(month=1, day=1, hour=0, minute=0, second=0, microsecond=0)
    starts = (span.start for span in unclipped_spans(rotation, at, at + SECOND))
    since = next((start for start in starts if known_from < start <= at), None)
    place = override.place if override else shift.place if shift else rotation.place
    person = override.person if override else base
    return OnCallTurn(person, base, since, on_call_until(rotation, at), shift, override, place)


def next_turn(rotation: Rotation, person: str, after: datetime) -> tuple[datetime, datetime] | None:
    """From when to when somebody is on call next, within 90 days; None if they are not. A turn that is under way at
    `after` is none.
    """
    spans = on_call_spans(rotation, after, after + AHEAD)
    return next(((span.start, span.end) for span in spans if span.person == person and span.start > after), None)
