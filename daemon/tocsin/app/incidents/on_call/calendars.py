"""Calendars of shifts for applications that subscribe to them. Decides how far they look, and that an event stays the
same as days go by.
"""

from datetime import datetime, timedelta

from tocsin.domain.policy import Policy
from tocsin.formats.calendar.feed import write_calendar
from tocsin.planning.on_call.shifts import OnCallSpan, unclipped_spans

BACK = timedelta(days=14)
AHEAD = timedelta(days=180)
"""What a calendar covers, before and after today."""


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
            spans += [turn for turn in unclipped_spans(rotation, start, end) if person is None or turn.person == owner]
    spans.sort(key=lambda turn: (turn.start, turn.rotation))
    events = [(turn.rotation, policy.people[turn.person], turn.start, turn.end) for turn in spans]
    return write_calendar(events, today, f"On call: {person.name if person else owner}")
