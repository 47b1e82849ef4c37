"""Rotations as the config declares them: shifts with hand-offs, overrides, and calendars already read into events. Who
is on call follows from them in `planning/on_call/resolve.py`.
"""

from dataclasses import dataclass
from datetime import datetime, time


@dataclass(frozen=True, slots=True)
class Window:
    """One stretch of `during`: days (0 is Monday) on which it starts, and the clock times.

    The start is included, the end excluded; `end` of 00:00 is midnight at the end of the day; an `end` not after
    `start` runs past midnight and belongs to the day on which it starts.
    """

    days: frozenset[int]
    start: time
    end: time


@dataclass(frozen=True, slots=True)
class Hours:
    """Named opening hours: windows on the wall clock of a zone. No windows means always open."""

    timezone: str = "UTC"
    windows: tuple[Window, ...] = ()


@dataclass(frozen=True, slots=True)
class Shift:
    """Members who take turns; the turn passes at each firing of `handoff` (five-field cron, wall clock of the zone).

    `starts` is naive local time: the first member's first turn. `during` empty means around the clock.
    """

    members: tuple[str, ...]
    handoff: str
    timezone: str
    starts: datetime
    during: tuple[Window, ...] = ()
    place: str = ""


@dataclass(frozen=True, slots=True)
class Override:
    """Somebody else takes a span [start, end); with `instead_of` only that person's turns in it."""

    person: str
    start: datetime
    end: datetime
    instead_of: str | None = None
    place: str = ""


@dataclass(frozen=True, slots=True)
class CalendarEvent:
    """A stretch of an iCalendar rotation, already expanded, in UTC, [start, end)."""

    person: str
    start: datetime
    end: datetime


@dataclass(frozen=True, slots=True)
class Rotation:
    """A rotation is either shifts or a calendar; overrides apply to both. `events` are ordered by start."""

    id: str
    shifts: tuple[Shift, ...] = ()
    overrides: tuple[Override, ...] = ()
    calendar: str = ""
    events: tuple[CalendarEvent, ...] = ()
    place: str = ""
