"""Calendars: an iCalendar file (RFC 5545) as the events of a rotation, and stretches as an iCalendar file.

Decides what belongs together in a file and how much may be unrolled; recurring-ical-events unrolls. Each series is
unrolled by itself, so that one that cannot be read spoils no other. Must not know whom an instance names
(`calendar_instances`), nor who is on call when events overlap. Never raises.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import Any
from zoneinfo import ZoneInfo

import recurring_ical_events
from icalendar import Calendar, Event
from icalendar.timezone.windows_to_olson import WINDOWS_TO_OLSON

from daemon.documents.calendar_instances import DAY, EVENTS_MAX, Instances
from daemon.documents.source import TOP, decode, problem
from daemon.domain.people import Person
from daemon.domain.problem import Problem
from daemon.domain.rotation import CalendarEvent

WRITTEN_MAX = 10_000
"""The most events that may be written in one file."""
STEPS_MAX = 200_000
"""The most recurrences that are counted through from an event's first one to where reading ends."""
_FAULTS = (ValueError, LookupError, TypeError, AttributeError, ArithmeticError, RuntimeError, AssertionError)
"""What the iCalendar libraries raise at files that break the rules."""

_PER_DAY = {"SECONDLY": 86400.0, "MINUTELY": 1440.0, "HOURLY": 24.0}
_SELDOM = ("BYMONTH", "BYMONTHDAY", "BYYEARDAY", "BYWEEKNO")
_TIMES = {"DTSTART", "DTEND", "DURATION", "RRULE", "RDATE", "EXDATE", "RECURRENCE-ID"}
_FINER: dict[str, tuple[str, ...]] = {"SECONDLY": (), "MINUTELY": ("BYSECOND",), "HOURLY": ("BYSECOND", "BYMINUTE")}
_ZONE_KEY = "X-WR-TIMEZONE"


def read(
    data: bytes, file: str, people: Mapping[str, Person], start: datetime, end: datetime
) -> tuple[tuple[CalendarEvent, ...], tuple[Problem, ...]]:
    """The events of a calendar that touch [start, end), by start, and what is wrong with it.

    An event that cannot be read or names nobody in the config is left out, with a warning.
    """
    text, problems = decode(data, file, len(data))
    try:
        calendars = _calendars(text)
    except _FAULTS as fault:
        words = f"is no iCalendar file that can be read: {fault}; export it again as .ics"
        return (), (*problems, problem(file, TOP, "calendar-unreadable", words))
    found = Instances(file, text, people, (start, end))
    count = 0
    for calendar in calendars:
        zone = _zone(calendar, found, text)
        for series in _series_of(calendar, zone, count):
            if not found.full:
                _unroll(series, found, start, end)
            count += len(series.parts)
    return found.result(problems)


def _zone(calendar: Any, found: Instances, text: str) -> ZoneInfo | None:
    """The calendar's own zone, if it names one that is known (a Windows name will do)."""
    name = str(calendar.get(_ZONE_KEY, "")).strip()
    try:
        return ZoneInfo(WINDOWS_TO_OLSON.get(name, name)) if name else None
    except (LookupError, ValueError, OSError):
        lines = (number for number, line in enumerate(text.splitlines(), 1) if line.upper().startswith(_ZONE_KEY))
        found.warn("unknown-timezone", f'{_ZONE_KEY}: unknown timezone "{name}"; UTC is taken', next(lines, 1))
        return None


def _unroll(series: "_Series", found: Instances, start: datetime, end: datetime) -> None:
    """Take the instances of one series, or warn that it cannot be read."""
    zone = series.zone or UTC
    try:
        # All-day events and local times belong to the calendar's zone, the search does not: ask for more.
        for instance in series.between(start - 2 * DAY, end + 2 * DAY):
            found.take(instance, series.number_of(instance), zone)
        for lost in series.unknown_zones():
            words = f'unknown timezone "{lost}" without a VTIMEZONE; the zone of the calendar ({zone}) is taken'
            found.warn_of_event(series.number, "unknown-timezone", words)
    except _FAULTS as fault:
        summary = str(series.parts[0].get("SUMMARY", ""))[:80]
        words = f'the event "{summary}" cannot be read and is left out: {fault}'
        found.warn_of_event(series.number, "calendar-event-unreadable", words)


def _calendars(text: str) -> list[Any]:
    """The calendars of the file; it may hold several. Raises one of _FAULTS."""
    if text.upper().count("BEGIN:VEVENT") > WRITTEN_MAX:
        raise ValueError(f"it holds over {WRITTEN_MAX} events, a shorter span is wanted")
    found = [each for each in Calendar.from_ical(text, multiple=True) if each.name == "VCALENDAR"]
    if not found:
        raise ValueError("it holds no whole VCALENDAR")
    return found


@dataclass(slots=True)
class _Series:
    """What shares a UID: an event, and changed instances of it. `zone` is the calendar's own, if it names one;
    `numbers` are the places of the parts among all events of the file, from 0.
    """

    zone: ZoneInfo | None
    parts: list[Any] = field(default_factory=list)
    numbers: list[int] = field(default_factory=list)

    @property
    def number(self) -> int:
        """The place of the first part."""
        return self.numbers[0]

    def number_of(self, instance: Any) -> int:
        """The place of the part that an instance comes from, by its summary."""
        pairs = zip(self.parts, self.numbers, strict=True)
        return next((number for part, number in pairs if part.get("SUMMARY") == instance.get("SUMMARY")), self.number)

    def unknown_zones(self) -> Iterator[str]:
        """Zones by name that neither this machine nor the file knows."""
        for value in (part.get(key) for part in self.parts for key in ("DTSTART", "DTEND")):
            moment = getattr(value, "dt", None)
            if isinstance(moment, datetime) and moment.tzinfo is None and "TZID" in value.params:
                yield str(value.params["TZID"])

    def between(self, start: datetime, end: datetime) -> list[Any]:
        """The instances that touch [start, end). Raises one of _FAULTS, also when there would be too many."""
        for part in self.parts:
            _refuse_broken(part)
            _refuse_too_many(part, start, end)
        calendar = Calendar()  # without X-WR-TIMEZONE, by which the library would move times written in UTC
        for part in self.parts:
            calendar.add_component(part)
        return list(recurring_ical_events.of(calendar).between(start, end))


def _series_of(calendar: Any, zone: ZoneInfo | None, before: int) -> list[_Series]:
    """The series of a calendar. Of events that share a UID by mistake each is a series of its own; `before` is how
    many events the file has before this calendar.
    """
    found: dict[tuple[str, int], _Series] = {}
    twins: defaultdict[tuple[str, str], int] = defaultdict(int)
    for number, event in enumerate(calendar.walk("VEVENT"), before):
        uid = str(event.get("UID", "")) or f"no UID, event {number}"
        twin = 0
        if "RECURRENCE-ID" not in event:
            version = (uid, str(event.get("SEQUENCE", 0)))
            twin = twins[version]
            twins[version] += 1
        series = found.setdefault((uid, twin), _Series(zone))
        series.parts.append(event)
        series.numbers.append(number)
    return list(found.values())


def _refuse_broken(event: Any) -> None:
    """Raise ValueError when it cannot be known when an event is."""
    for name, fault in event.errors:
        if name in _TIMES:
            raise ValueError(f"{name}: {fault}")
    if "DTSTART" not in event:
        raise ValueError("it has no DTSTART")


def _refuse_too_many(event: Any, start: datetime, end: datetime) -> None:
    """Raise ValueError for recurrences so frequent that unrolling them would take all day."""
    rules = event.get("RRULE", [])
    first = event["DTSTART"].dt
    days = max((end.date() - date(first.year, first.month, first.day)).days, 0)
    for rule in rules if isinstance(rules, list) else [rules]:
        often = _per_day(rule)
        count = rule.get("COUNT", [STEPS_MAX + EVENTS_MAX])[0]
        if min(often * days, count) > STEPS_MAX or min(often * min(days, (end - start).days), count) > EVENTS_MAX:
            raise ValueError("it repeats too often for an on-call calendar; write longer events")


def _per_day(rule: Any) -> float:
    """About how many recurrences a rule has in a day, at most."""
    frequency = str(rule.get("FREQ", ["DAILY"])[0]).upper()
    if frequency in _PER_DAY and any(part in rule for part in _SELDOM):
        raise ValueError(f"FREQ={frequency} with {', '.join(_SELDOM)} is not read; write FREQ=DAILY or longer")
    often = _PER_DAY.get(frequency, 1.0) / max(int(rule.get("INTERVAL", [1])[0]), 1)
    for part in _FINER.get(frequency, ("BYSECOND", "BYMINUTE", "BYHOUR")):
        often *= max(len(rule.get(part, [])), 1)
    return often


def write(events: Sequence[tuple[str, Person, datetime, datetime]], stamp: datetime) -> bytes:
    """A calendar of (rotation, person, start, end) stretches, in UTC, as RFC 5545 bytes. The same stretches give the
    same bytes, so that a calendar application updates its events instead of doubling them.
    """
    calendar = Calendar()
    calendar.add("prodid", "-//tocsin//on call//EN")
    calendar.add("version", "2.0")
    calendar.add("calscale", "GREGORIAN")
    calendar.add("method", "PUBLISH")
    calendar.add("x-wr-calname", "On call")
    for rotation, person, start, end in events:
        event = Event()
        event.add("uid", f"{rotation}-{person.id}-{start.astimezone(UTC):%Y%m%dT%H%M%SZ}@tocsin")
        event.add("dtstamp", stamp.astimezone(UTC).replace(microsecond=0))
        event.add("dtstart", start.astimezone(UTC))
        event.add("dtend", end.astimezone(UTC))
        event.add("summary", f"{person.name} on call: {rotation}")
        event.add("transp", "TRANSPARENT")
        calendar.add_component(event)
    written: bytes = calendar.to_ical()
    return written
