"""Whom a name in a chain means at an instant.

Shifts and calendars say whose turn it is; overrides may put somebody else on call. Nothing here knows incidents.
"""

from collections import deque
from collections.abc import Collection, Iterable, Iterator
from datetime import datetime, timedelta
from heapq import heappop, heappush
from itertools import chain

from tocsin.domain.policy import Policy, Who
from tocsin.domain.rotation import CalendarEvent, Hours, Override, Rotation, Shift
from tocsin.planning.on_call.handoffs import turn_of
from tocsin.planning.on_call.hours import is_open

CALENDAR_AHEAD = timedelta(days=90)


def resolve(who: Who, policy: Policy, at: datetime) -> tuple[str, ...]:
    """The people a name means at that instant; nobody in a gap."""
    if who.part == "person":
        return (who.name,) if who.name in policy.people else ()
    rotation = policy.rotations.get(who.name)
    if rotation is None:
        return ()
    if who.part == "everyone":
        return everyone(rotation, at)
    person = on_call(rotation, at) if who.part == "on_call" else next_on_call(rotation, at)
    return (person,) if person else ()


def on_call(rotation: Rotation, at: datetime) -> str | None:
    """Who is on call, overrides applied; None in a gap."""
    person, _ = on_call_now(rotation, at)
    return person


def on_call_now(rotation: Rotation, at: datetime) -> tuple[str | None, bool]:
    """Who is on call, and whether an override says so: the last listed that holds then wins."""
    return overridden(rotation, in_turn(rotation, at), at)


def overridden(rotation: Rotation, base: str | None, at: datetime) -> tuple[str | None, bool]:
    """Who is on call instead of `base`, whose turn it is, and whether an override says so."""
    override = override_at(rotation, base, at)
    return (override.person, True) if override else (base, False)


def override_at(rotation: Rotation, base: str | None, at: datetime) -> Override | None:
    """The override that holds at an instant, where it is `base`'s turn: the last listed one."""
    holding = (
        override
        for override in reversed(rotation.overrides)
        if override.start <= at < override.end and override.instead_of in (None, base)
    )
    return next(holding, None)


def in_turn(rotation: Rotation, at: datetime) -> str | None:
    """Whose turn it is, overrides apart: the first shift that covers the moment, or the calendar's latest event."""
    if rotation.calendar:
        running = [event for event in rotation.events if event.start <= at < event.end]
        return max(running, key=lambda event: event.start).person if running else None
    covering = covering_shift(rotation, at)
    return covering[0].members[covering[1]] if covering else None


def next_on_call(rotation: Rotation, at: datetime) -> str | None:
    """Who has the turn after this one, skipping whoever is on call: nobody is asked twice for one turn. Overrides
    of later turns don't count; nobody in a gap.
    """
    now, base = on_call(rotation, at), in_turn(rotation, at)
    if base is None:
        return None
    if rotation.calendar:
        return _next_in_calendar(rotation, at, {now, base})
    covering = covering_shift(rotation, at)
    assert covering is not None
    shift, turn = covering
    ahead = (*shift.members[turn + 1 :], *shift.members[:turn])
    return next((person for person in ahead if person not in (now, base)), None)


def everyone(rotation: Rotation, at: datetime) -> tuple[str, ...]:
    """The members of all shifts, whatever `during`; in a calendar all named in the next 90 days."""
    if rotation.calendar:
        until = at + CALENDAR_AHEAD
        named = (event.person for event in rotation.events if event.end > at and event.start < until)
    else:
        named = (person for shift in rotation.shifts for person in shift.members)
    return tuple(dict.fromkeys(named))


def can_mean(who: Who, policy: Policy, people: Collection[str]) -> bool:
    """Whether a name can mean any of these people at one time or another: of a rotation all members, all in its
    calendar, and those of its overrides, whoever's turn it is.
    """
    rotation = policy.rotations.get(who.name)
    if who.part == "person":
        return who.name in people and who.name in policy.people
    if rotation is None:
        return False
    members = (person for shift in rotation.shifts for person in shift.members)
    named = chain(members, (event.person for event in rotation.events), (over.person for over in rotation.overrides))
    return any(person in people for person in named)


def covering_shift(rotation: Rotation, at: datetime) -> tuple[Shift, int] | None:
    """The first shift that covers the moment, and the index of the member whose turn it is."""
    for shift in rotation.shifts:
        turn = turn_of(shift, at)
        if turn is not None and is_open(Hours(shift.timezone, shift.during), at):
            return shift, turn % len(shift.members)
    return None


def _next_in_calendar(rotation: Rotation, at: datetime, skipped: set[str | None]) -> str | None:
    """The next person in the calendar who is somebody else, also when an earlier event goes on after a later one."""
    ahead = (event for event in rotation.events if event.end > at)
    people = (person for moment, person in calendar_turns(ahead) if moment > at)
    return next((person for person in people if person and person not in skipped), None)


def calendar_turns(events: Iterable[CalendarEvent]) -> Iterator[tuple[datetime, str | None]]:
    """Whose turn it is from each instant on at which that may change, in order: of overlapping events the one that
    starts latest, of those the first listed.
    """
    waiting = deque(sorted(events, key=lambda event: event.start))
    # The latest start on top; events that are over leave when they get there.
    running: list[tuple[float, int, CalendarEvent]] = []
    moments = sorted({moment for event in waiting for moment in (event.start, event.end)})
    count = 0
    for moment in moments:
        while waiting and waiting[0].start <= moment:
            event = waiting.popleft()
            heappush(running, (-event.start.timestamp(), count, event))
            count += 1
        while running and running[0][2].end <= moment:
            heappop(running)
        yield moment, running[0][2].person if running else None
