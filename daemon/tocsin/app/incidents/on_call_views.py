"""Who is on call now and next, for the web, and calendars of shifts for applications that subscribe to them.

Decides how far they look, and that an event of a calendar stays the same as days go by.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from tocsin.domain.policy import Policy
from tocsin.domain.rotation import Rotation
from tocsin.formats.calendar.feed import write_calendar
from tocsin.planning.on_call.resolve import next_on_call, on_call
from tocsin.planning.on_call.shifts import OnCallSpan, on_call_spans, on_call_until, unclipped_spans

SHOWN = timedelta(days=14)
"""How far ahead turns are listed."""
TURNS_MOST = 5
"""The most turns of a rotation that are listed."""
BACK = timedelta(days=14)
AHEAD = timedelta(days=180)
"""What a calendar covers, before and after today."""


@dataclass(frozen=True, slots=True)
class UpcomingShift:
    """Somebody's turn to come."""

    name: str
    start: datetime
    end: datetime


@dataclass(frozen=True, slots=True)
class Duty:
    """A rotation: who is on call (nobody in a gap) until when (None: without end), who is next, and the turns to come.
    `zone` is where its handoffs are at home.
    """

    rotation: str
    name: str
    next: str
    until: datetime | None
    zone: str
    turns: tuple[UpcomingShift, ...]


def duties(policy: Policy, now: datetime) -> tuple[Duty, ...]:
    """Every rotation, by name."""
    return tuple(_duty(rotation, policy, now) for _, rotation in sorted(policy.rotations.items()))


def owners(policy: Policy) -> tuple[tuple[str, str], ...]:
    """Whoever may have a calendar besides the rotations, as (id, name): people, by name."""
    people = sorted(policy.people.values(), key=lambda person: person.name)
    return tuple((person.id, person.name) for person in people)


def feed(policy: Policy, owner: str, now: datetime) -> bytes | None:
    """The calendar of a rotation, or of a person's turns in all of them; None when the config has neither. The same
    bytes all day, as long as the turns stay.
    """
    today = now.replace(hour=0, minute=0, second=0, microsecond=0)
    start, end = today - BACK, today + AHEAD
    person = policy.people.get(owner)
    if person is None and owner not in policy.rotations:
        return None
    spans: list[OnCallSpan] = []
    for rotation in policy.rotations.values():
        if person is not None or rotation.id == owner:
            spans += [span for span in unclipped_spans(rotation, start, end) if person is None or span.person == owner]
    spans.sort(key=lambda span: (span.start, span.rotation))
    events = [(span.rotation, policy.people[span.person], span.start, span.end) for span in spans]
    return write_calendar(events, today, f"On call: {person.name if person else owner}")


def _duty(rotation: Rotation, policy: Policy, now: datetime) -> Duty:
    coming = [span for span in on_call_spans(rotation, now, now + SHOWN) if span.start > now][:TURNS_MOST]
    return Duty(
        rotation=rotation.id,
        name=policy.person_name(on_call(rotation, now)),
        next=policy.person_name(next_on_call(rotation, now)),
        until=on_call_until(rotation, now),
        zone=rotation.shifts[0].timezone if rotation.shifts else "UTC",
        turns=tuple(UpcomingShift(policy.person_name(span.person), span.start, span.end) for span in coming),
    )
