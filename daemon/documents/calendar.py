"""Calendars: an iCalendar file (RFC 5545) as the events of a rotation (product.md section 3, "Calendar rotations").

Decides which person each instance names and when, in UTC. Recurrences are unrolled by recurring-ical-events. Must not
know who is on call when events overlap. Never raises.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta, tzinfo
from typing import Any
from zoneinfo import ZoneInfo

import recurring_ical_events
from icalendar import Calendar, Event

from daemon.documents.source import decode
from daemon.domain.people import Person
from daemon.domain.problem import Problem, ProblemLevel
from daemon.domain.rotation import CalendarEvent

EVENTS_MAX = 20_000
"""The most instances read of one calendar."""
DAY = timedelta(days=1)


def read(
    data: bytes, file: str, people: Mapping[str, Person], start: datetime, end: datetime
) -> tuple[tuple[CalendarEvent, ...], tuple[Problem, ...]]:
    """The events of a calendar that touch [start, end), by start, and what is wrong with it.

    An event that names nobody in the config is left out, with a warning.
    """
    text, problems = decode(data, file, len(data))
    try:
        calendar = Calendar.from_ical(text)
        instances = recurring_ical_events.of(calendar, skip_bad_series=True).between(start, end)
    except (ValueError, KeyError, TypeError, IndexError, AttributeError, OverflowError) as fault:
        words = f"is no iCalendar file that can be read: {' '.join(str(fault).split())[:200]}; export it again as .ics"
        return (), (*problems, Problem(file, 1, 1, ProblemLevel.ERROR, "calendar-unreadable", words))
    zone = _zone(str(calendar.get("X-WR-TIMEZONE", "")))
    names = _Names(people)
    events: list[CalendarEvent] = []
    nameless: dict[str, Problem] = {}
    for instance in instances[:EVENTS_MAX]:
        if str(instance.get("STATUS", "")).upper() == "CANCELLED":
            continue
        begins, ends = _span(instance, zone)
        person = names.of(instance)
        if person is None:
            summary = " ".join(str(instance.get("SUMMARY", "")).split())
            nameless.setdefault(summary, _nameless(text, file, summary))
        elif ends > begins:
            events.append(CalendarEvent(person, begins, ends))
    events.sort(key=lambda event: (event.start, event.end, event.person))
    return tuple(events), (*problems, *nameless.values())


class _Names:
    """Who a text means: an id, a full name (also inside a longer text) or an email address, in any case."""

    def __init__(self, people: Mapping[str, Person]) -> None:
        self._exact: dict[str, str] = {}
        self._inside: list[tuple[re.Pattern[str], str]] = []
        for person in people.values():
            for word in (person.id, person.name, person.email):
                if word:
                    self._exact.setdefault(_folded(word), person.id)
            for word in (person.name, person.email):
                if word:
                    self._inside.append((re.compile(rf"(?<!\w){re.escape(_folded(word))}(?!\w)"), person.id))

    def of(self, instance: Any) -> str | None:
        """The person an event names: by its summary, else by an attendee."""
        texts = [str(instance.get("SUMMARY", "")), *_attendees(instance)]
        exact = (self._exact.get(_folded(text)) for text in texts)
        return next((person for person in (*exact, *map(self._found_in, texts)) if person), None)

    def _found_in(self, text: str) -> str | None:
        """The person whose name stands first in a longer text; of two at one place the longer name."""
        matches = [(match, person) for pattern, person in self._inside if (match := pattern.search(_folded(text)))]
        return min(matches, key=lambda found: (found[0].start(), -found[0].end()))[1] if matches else None


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


def _zone(name: str) -> tzinfo:
    try:
        return ZoneInfo(name) if name else UTC
    except (KeyError, ValueError, OSError):
        return UTC


def _nameless(text: str, file: str, summary: str) -> Problem:
    """The warning for an event that names nobody, at the line of its summary."""
    said = summary[:40]
    lines = enumerate(text.splitlines(), 1)
    known = (number for number, line in lines if line.upper().startswith("SUMMARY") and said in line)
    words = f'the event "{summary[:80]}" names nobody in the config; write a person\'s id, full name or email there'
    return Problem(file, next(known, 1), 1, ProblemLevel.WARNING, "calendar-event-nobody", words)


def _folded(text: str) -> str:
    return " ".join(text.split()).casefold()


def write(events: Sequence[tuple[str, Person, datetime, datetime]], stamp: datetime) -> bytes:
    """A calendar of (rotation, person, start, end) stretches, in UTC, as RFC 5545 bytes. The same stretches give the
    same bytes, so that a calendar application updates its events instead of doubling them.
    """
    calendar = Calendar()
    calendar.add("prodid", "-//tocsin//on call//EN")
    calendar.add("version", "2.0")
    calendar.add("calscale", "GREGORIAN")
    calendar.add("method", "PUBLISH")
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
