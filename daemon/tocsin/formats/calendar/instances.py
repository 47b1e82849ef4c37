"""The instances of a calendar: when each is, in UTC, and whom it puts on call.

Must not know how an iCalendar file is parsed and unrolled (`read`), nor who is on call when events overlap.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta, tzinfo
from typing import Any

from tocsin.domain.people import Person
from tocsin.domain.problem import Problem, ProblemLevel
from tocsin.domain.rotation import CalendarEvent
from tocsin.formats.calendar.names import Names
from tocsin.formats.calendar.plain import PlainEvent
from tocsin.text.cleaning import shown
from tocsin.text.decoding import TOP, problem

EVENTS_MAX = 10_000
"""The most instances read of one file."""
WARNINGS_MAX = 20
"""The most warnings about single events of one file."""
DAY = timedelta(days=1)

Span = tuple[datetime, datetime]
"""[start, end)."""


class Instances:
    """The events and warnings of one file, as they are found. `wanted` is the span [start, end) that is read."""

    def __init__(self, file: str, text: str, people: Mapping[str, Person], wanted: Span) -> None:
        self._file = file
        self._wanted = wanted
        self._names = Names(people)
        self._lines = _lines(text)
        self._events: list[CalendarEvent] = []
        self._warnings: dict[str, Problem] = {}
        self._expected = 0.0

    def take(self, instance: Any, number: int, zone: tzinfo) -> None:
        """Take one instance, a mapping of iCalendar's names to values, of the event at a place in the file (from 0)."""
        start, end = instance["DTSTART"].dt, instance["DTEND"].dt if "DTEND" in instance else None
        summary, status = str(instance.get("SUMMARY", "")), str(instance.get("STATUS", ""))
        self._take(number, _span(start, end, zone), summary, status, _attendees(instance))

    def take_plain(self, event: PlainEvent, zone: tzinfo) -> None:
        """Take an event that happens once."""
        self._take(event.number, _span(event.start, event.end, zone), event.summary, event.status, ())

    def _take(self, number: int, span: Span, summary: str, status: str, attendees: Iterable[str]) -> None:
        (begins, ends), (start, end) = span, self._wanted
        if status.upper() == "CANCELLED" or ends < start or begins >= end:
            return
        if ends <= begins:
            self._warn_of_words(number, "calendar-event-empty", f"{_called(summary)} lasts no time; give it an end")
        elif named := self._names.of(summary, attendees):
            if ends > start:
                self._events.append(CalendarEvent(named[0], begins, ends))
            if len(named) > 1:
                message = f"names {' and '.join(named)}; {named[0]} is taken, who stands first; write an event for each"
                self._warn_of_words(number, "calendar-event-ambiguous", f"{_called(summary)} {message}")
        else:
            message = "names nobody in the config; write a person's id, full name or email there"
            self._warn_of_words(number, "calendar-event-nobody", f"{_called(summary)} {message}")

    def expect(self, more: float) -> bool:
        """Whether about so many more instances are still wanted."""
        self._expected += more
        return not self.full

    @property
    def full(self) -> bool:
        """Whether there are more instances than are wanted."""
        return max(len(self._events), self._expected) > EVENTS_MAX

    def _warn_of_words(self, number: int, code: str, words: str) -> None:
        """Warn of what the event at a place in the file says, at its summary."""
        self.warn(code, words, self._lines[number][1] if number < len(self._lines) else 1)

    def warn_of_event(self, number: int, code: str, words: str) -> None:
        """Warn of the event at a place in the file (from 0)."""
        self.warn(code, words, self._lines[number][0] if number < len(self._lines) else 1)

    def warn(self, code: str, words: str, line: int = 1) -> None:
        """Warn, once for the same words."""
        self._warnings.setdefault(words, problem(self._file, (line, 1), code, words, ProblemLevel.WARNING))

    def result(self, problems: Sequence[Problem]) -> tuple[tuple[CalendarEvent, ...], tuple[Problem, ...]]:
        """The events by start, and every problem: what `read_calendar` gives."""
        all_problems = [*problems, *list(self._warnings.values())[:WARNINGS_MAX]]
        more = len(self._warnings) - WARNINGS_MAX
        if more > 0:
            message = f"{more} more warnings about events of this calendar"
            all_problems.append(problem(self._file, TOP, "calendar-more-warnings", message, ProblemLevel.WARNING))
        events = sorted(self._events, key=lambda event: (event.start, event.end, event.person))
        if self.full:
            message = f"the calendar holds over {EVENTS_MAX} events in the span that is read; write longer events"
            all_problems.append(problem(self._file, TOP, "calendar-too-long", message))
        return tuple(events[:EVENTS_MAX]), tuple(all_problems)


def _lines(text: str) -> list[tuple[int, int]]:
    """For each event of the file the lines on which it and its summary begin."""
    lines: list[tuple[int, int]] = []
    for number, line in enumerate(text.splitlines(), 1):
        word = line[:12].upper()
        if word == "BEGIN:VEVENT":
            lines.append((number, number))
        elif word.startswith(("SUMMARY:", "SUMMARY;")) and lines and lines[-1][0] == lines[-1][1]:
            lines[-1] = (lines[-1][0], number)
    return lines


def _called(summary: str) -> str:
    return f'the event "{short(summary)}"'


def short(text: str) -> str:
    """Words of a file, fit for a line of a problem."""
    return shown(text[:80])


def _attendees(instance: Any) -> Iterator[str]:
    """The attendees' addresses and names."""
    listed = instance.get("ATTENDEE", [])
    for attendee in listed if isinstance(listed, list) else [listed]:
        yield re.sub(r"(?i)^mailto:", "", str(attendee))
        yield str(getattr(attendee, "params", {}).get("CN", ""))


def _span(start: date, end: date | None, zone: tzinfo) -> Span:
    """[start, end) in UTC. All-day events and local times without a zone follow the calendar's own zone."""
    whole_days = not isinstance(start, datetime)
    if end is None:
        end = start + (DAY if whole_days else timedelta(0))
    if whole_days and end == start:  # no valid one (RFC 5545, 3.6.1), but exporters that write it mean the day
        end = start + DAY
    return _instant(start, zone), _instant(end, zone)


def _instant(moment: date, zone: tzinfo) -> datetime:
    if not isinstance(moment, datetime):
        moment = datetime(moment.year, moment.month, moment.day, tzinfo=zone)
    elif moment.tzinfo is None:
        moment = moment.replace(tzinfo=zone)
    return moment.astimezone(UTC)
