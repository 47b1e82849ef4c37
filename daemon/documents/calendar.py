"""Calendars: an iCalendar file (RFC 5545) as the events of a rotation, and stretches as an iCalendar file.

Decides when each instance is, in UTC, and which person it names (product.md section 3, "Calendar rotations").
Recurrences are unrolled by `calendar_series`. Must not know who is on call when events overlap. Never raises.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta, tzinfo
from typing import Any
from zoneinfo import ZoneInfo

from icalendar import Calendar, Event
from icalendar.timezone.windows_to_olson import WINDOWS_TO_OLSON

from daemon.documents.calendar_names import Names
from daemon.documents.calendar_series import FAULTS, Series, series_of
from daemon.documents.source import TOP, decode, problem
from daemon.domain.people import Person
from daemon.domain.problem import Problem, ProblemLevel
from daemon.domain.rotation import CalendarEvent

WRITTEN_MAX = 10_000
"""The most events that may be written in one file."""
EVENTS_MAX = 20_000
"""The most instances read of one file."""
WARNINGS_MAX = 20
"""The most warnings about single events of one file."""
DAY = timedelta(days=1)
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
    except FAULTS as fault:
        words = f"is no iCalendar file that can be read: {fault}; export it again as .ics"
        return (), (*problems, problem(file, TOP, "calendar-unreadable", words))
    reading = _Reading(file, text, people)
    count = 0
    for calendar in calendars:
        zone = reading.zone(calendar)
        for series in series_of(calendar, zone, count):
            reading.read(series, zone or UTC, start, end)
            count += len(series.parts)
    return reading.result(problems)


def _calendars(text: str) -> list[Any]:
    """The calendars of the file; it may hold several. Raises one of FAULTS."""
    if text.upper().count("BEGIN:VEVENT") > WRITTEN_MAX:
        raise ValueError(f"it holds over {WRITTEN_MAX} events, a shorter span is wanted")
    found = [each for each in Calendar.from_ical(text, multiple=True) if each.name == "VCALENDAR"]
    if not found:
        raise ValueError("it holds no whole VCALENDAR")
    return found


class _Reading:
    """The events and warnings of one file, as they are found."""

    def __init__(self, file: str, text: str, people: Mapping[str, Person]) -> None:
        self._file = file
        self._names = Names(people)
        self._lines = _lines(text)
        self._zone_line = next(
            (n for n, line in enumerate(text.splitlines(), 1) if line.upper().startswith(_ZONE_KEY)), 1
        )
        self._events: list[CalendarEvent] = []
        self._warnings: dict[str, Problem] = {}

    def zone(self, calendar: Any) -> ZoneInfo | None:
        """The calendar's own zone, if it names one that is known (a Windows name will do)."""
        name = str(calendar.get(_ZONE_KEY, "")).strip()
        try:
            return ZoneInfo(WINDOWS_TO_OLSON.get(name, name)) if name else None
        except (LookupError, ValueError, OSError):
            self._warn(self._zone_line, "unknown-timezone", f'{_ZONE_KEY}: unknown timezone "{name}"; UTC is taken')
            return None

    def read(self, series: Series, zone: tzinfo, start: datetime, end: datetime) -> None:
        """Take the instances of one series that touch [start, end)."""
        try:
            # All-day events and local times belong to the calendar's zone, the search does not: ask for more.
            instances = series.between(start - 2 * DAY, end + 2 * DAY, EVENTS_MAX)
            for lost in series.unknown_zones():
                found = f'unknown timezone "{lost}" without a VTIMEZONE; the zone of the calendar ({zone}) is taken'
                self._warn(self._line(series.number), "unknown-timezone", found)
            for instance in instances:
                self._take(series, instance, zone, start, end)
        except FAULTS as fault:
            found = f'the event "{series.summary}" cannot be read and is left out: {fault}'
            self._warn(self._line(series.number), "calendar-event-unreadable", found)

    def _take(self, series: Series, instance: Any, zone: tzinfo, start: datetime, end: datetime) -> None:
        begins, ends = _span(instance, zone)
        if str(instance.get("STATUS", "")).upper() == "CANCELLED" or ends <= max(begins, start) or begins >= end:
            return
        summary = str(instance.get("SUMMARY", ""))
        person = self._names.of((summary, *_attendees(instance)))
        if person is not None:
            self._events.append(CalendarEvent(person, begins, ends))
            return
        found = f'the event "{summary[:80]}" names nobody in the config; write a person\'s id, full name or email there'
        self._warn(self._line(series.number_of(summary), summary=True), "calendar-event-nobody", found)

    def _line(self, number: int, *, summary: bool = False) -> int:
        """The line of an event, or of its summary."""
        return self._lines[number][summary] if number < len(self._lines) else 1

    def _warn(self, line: int, code: str, words: str) -> None:
        self._warnings.setdefault(words, problem(self._file, (line, 1), code, words, ProblemLevel.WARNING))

    def result(self, problems: Sequence[Problem]) -> tuple[tuple[CalendarEvent, ...], tuple[Problem, ...]]:
        """What `read` gives."""
        told = [*problems, *list(self._warnings.values())[:WARNINGS_MAX]]
        more = len(self._warnings) - WARNINGS_MAX
        if more > 0:
            found = f"{more} more warnings about events of this calendar"
            told.append(problem(self._file, TOP, "calendar-more-warnings", found, ProblemLevel.WARNING))
        events = sorted(self._events, key=lambda event: (event.start, event.end, event.person))
        if len(events) > EVENTS_MAX:
            found = f"the calendar holds over {EVENTS_MAX} events; those after {events[EVENTS_MAX].start} are left out"
            told.append(problem(self._file, TOP, "calendar-too-long", found))
        return tuple(events[:EVENTS_MAX]), tuple(told)


def _lines(text: str) -> list[tuple[int, int]]:
    """For each event of the file the lines on which it and its summary begin."""
    found: list[tuple[int, int]] = []
    for number, line in enumerate(text.splitlines(), 1):
        word = line[:12].upper()
        if word == "BEGIN:VEVENT":
            found.append((number, number))
        elif word.startswith(("SUMMARY:", "SUMMARY;")) and found and found[-1][0] == found[-1][1]:
            found[-1] = (found[-1][0], number)
    return found


def _attendees(instance: Any) -> Iterator[str]:
    """The attendees' addresses and names."""
    listed = instance.get("ATTENDEE", [])
    for attendee in listed if isinstance(listed, list) else [listed]:
        yield re.sub(r"(?i)^mailto:", "", str(attendee))
        yield str(getattr(attendee, "params", {}).get("CN", ""))


def _span(instance: Any, zone: tzinfo) -> tuple[datetime, datetime]:
    """[start, end) in UTC. All-day events and local times without a zone follow the calendar's own zone."""
    start = instance["DTSTART"].dt
    end = (
        instance["DTEND"].dt if "DTEND" in instance else start + (timedelta(0) if isinstance(start, datetime) else DAY)
    )
    return _instant(start, zone), _instant(end, zone)


def _instant(moment: date, zone: tzinfo) -> datetime:
    if not isinstance(moment, datetime):
        moment = datetime(moment.year, moment.month, moment.day, tzinfo=zone)
    elif moment.tzinfo is None:
        moment = moment.replace(tzinfo=zone)
    return moment.astimezone(UTC)


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
