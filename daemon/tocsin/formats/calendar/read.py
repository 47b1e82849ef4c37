"""Reads an iCalendar file (RFC 5545) as the events of a rotation. `feed` is the other way.

Decides what belongs together in a file and how much may be unrolled; recurring-ical-events unrolls. Each series is
unrolled by itself, so that one that cannot be read spoils no other. Must not know whom an instance names
(`instances`), nor who is on call when events overlap. Never raises.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import recurring_ical_events
from icalendar import Calendar
from icalendar.timezone import tzp
from icalendar.timezone.windows_to_olson import WINDOWS_TO_OLSON

from tocsin.domain.people import Person
from tocsin.domain.problem import Problem
from tocsin.domain.rotation import CalendarEvent
from tocsin.formats.calendar.instances import DAY, EVENTS_MAX, Instances, Span, short
from tocsin.formats.calendar.lines import wanted
from tocsin.formats.calendar.plain import Divided, PlainEvent, divide
from tocsin.formats.calendar.rules import expected, listed
from tocsin.formats.calendar.zones import Zones
from tocsin.text.cleaning import shown
from tocsin.text.decoding import TOP, decode, problem

WRITTEN_MAX = 10_000
"""The most events that may stand in one file."""
_FAULTS = (
    ValueError, LookupError, TypeError, AttributeError, ArithmeticError, RuntimeError, AssertionError, OSError,
    MemoryError,
)  # fmt: skip
"""What the iCalendar libraries raise at files that break the rules."""

_ZONED = ("DTSTART", "DTEND", "RDATE", "EXDATE", "RECURRENCE-ID")
_LEFT_OUT = "X-LEFT-OUT"

_TIMES = {"DTSTART", "DTEND", "DURATION", "RRULE", "RDATE", "EXDATE", "RECURRENCE-ID"}
_ZONE_KEY = "X-WR-TIMEZONE"


def read_calendar(
    data: bytes, file: str, people: Mapping[str, Person], start: datetime, end: datetime
) -> tuple[tuple[CalendarEvent, ...], tuple[Problem, ...]]:
    """The events of a calendar that touch [start, end), by start, and what is wrong with it.

    An event that cannot be read or names nobody in the config is left out, with a warning. One file at a time in a
    process: what the library knows of zones is the process's.
    """
    text, problems = decode(data, file, len(data))
    instances, zones = Instances(file, text, people, (start, end)), Zones()
    tzp.use(zones)
    try:
        divided = _divided(text, zones)
        calendars = _calendars(divided, instances, zones)
        _unroll_all(calendars, divided, instances, zones, text, (start, end))
    except _FAULTS as fault:
        words = f"is no iCalendar file that can be read: {_why(fault)}; export it again as .ics"
        return (), (*problems, problem(file, TOP, "calendar-unreadable", words))
    finally:
        tzp.use_default()
    return instances.result(problems)


def _unroll_all(
    calendars: list[Any], divided: Divided, instances: Instances, zones: Zones, text: str, span: Span
) -> None:
    """Take the instances of all events, in the order in which these stand in the file."""
    count = 0
    for calendar in calendars:
        zone = _zone(calendar, instances, text)
        numbers = divided.numbers[count:]
        together: list[_Series | PlainEvent] = [*_series_of(calendar, zone, numbers), *divided.plain]
        for event in sorted(together, key=lambda event: event.number):
            if instances.full:
                break
            if isinstance(event, _Series):
                _unroll(event, instances, zones, span)
            else:
                instances.take_plain(event, zone or UTC)
        count += len(calendar.walk("VEVENT"))


def _why(fault: BaseException) -> str:
    return shown(" ".join(str(fault).split())[:200]) or type(fault).__name__


def _zone(calendar: Any, instances: Instances, text: str) -> ZoneInfo | None:
    """The calendar's own zone, if it names one that is known (a Windows name will do)."""
    name = str(calendar.get(_ZONE_KEY, "")).strip()
    try:
        return ZoneInfo(WINDOWS_TO_OLSON.get(name, name)) if name else None
    except (LookupError, ValueError, OSError):
        lines = (number for number, line in enumerate(text.splitlines(), 1) if line.upper().startswith(_ZONE_KEY))
        instances.warn(
            "unknown-timezone", f'{_ZONE_KEY}: unknown timezone "{short(name)}"; UTC is taken', next(lines, 1)
        )
        return None


def _unroll(series: "_Series", instances: Instances, zones: Zones, span: Span) -> None:
    """Take the instances of one series, or warn that it cannot be read."""
    zone = series.zone or UTC
    start, end = span
    try:
        if not instances.expect(series.expected(start, end)):
            return
        # All-day events and local times belong to the calendar's zone, the search does not: ask for more.
        for instance in series.between(start - 2 * DAY, end + 2 * DAY):
            instances.take(instance, series.number_of(instance), zone)
        for lost in series.unknown_zones():
            why = zones.refused.get(lost, "")
            words = f'timezone "{short(lost)}" cannot be read ({why})' if why else _unknown(lost)
            instances.warn_of_event(
                series.number, "unknown-timezone", f"{words}; the zone of the calendar ({zone}) is taken"
            )
        if any("EXRULE" in part for part in series.parts):
            instances.warn_of_event(
                series.number, "calendar-exrule", "EXRULE is not read (RFC 5545 has none); write EXDATE"
            )
    except _FAULTS as fault:
        summary = short(str(series.parts[0].get("SUMMARY", "")))
        words = f'the event "{summary}" cannot be read and is left out: {_why(fault)}'
        instances.warn_of_event(series.number, "calendar-event-unreadable", words)


def _unknown(name: str) -> str:
    return f'unknown timezone "{short(name)}" without a VTIMEZONE'


def _divided(text: str, zones: Zones) -> Divided:
    """The lines of the file, plain events apart. Raises ValueError for too many or too large ones."""
    if text.upper().count("BEGIN:VEVENT") > WRITTEN_MAX:
        raise ValueError(f"it holds over {WRITTEN_MAX} events, a shorter span is wanted")
    return divide(wanted(text), zones.timezone)


def _calendars(divided: Divided, instances: Instances, zones: Zones) -> list[Any]:
    """The calendars of the file, without plain events; it may hold several. Raises one of _FAULTS."""
    try:
        calendars = _parsed(divided.lines)
    except _FAULTS:
        calendars = _parsed(_readable(divided, instances, zones))
    if not calendars:
        raise ValueError("it holds no whole VCALENDAR")
    return calendars


def _parsed(lines: Iterable[str]) -> list[Any]:
    components = Calendar.from_ical("\r\n".join(lines) + "\r\n", multiple=True)
    return [component for component in components if component.name == "VCALENDAR"]


def _readable(divided: Divided, instances: Instances, zones: Zones) -> Iterator[str]:
    """The lines of a file without the events and zones that the library cannot read, each of which is told."""
    block: list[str] = []
    number = 0
    for line in divided.lines:
        word = line.replace(" ", "").upper()
        if not block and word not in ("BEGIN:VEVENT", "BEGIN:VTIMEZONE"):
            yield line
            continue
        block.append(line)
        if word != block[0].replace(" ", "").upper().replace("BEGIN", "END", 1):
            continue
        try:
            _parsed(["BEGIN:VCALENDAR", *block, "END:VCALENDAR"])
        except _FAULTS as fault:
            block = _left_out(block, divided.numbers[number], _why(fault), instances, zones)
        yield from block
        number += word == "END:VEVENT"
        block = []
    yield from block


def _left_out(block: list[str], number: int, why: str, instances: Instances, zones: Zones) -> list[str]:
    """What stands for an event (the one of this number) or a zone that cannot be read."""
    if block[0].upper().endswith("VEVENT"):
        words = f"an event cannot be read and is left out: {why}"
        instances.warn_of_event(number, "calendar-event-unreadable", words)
        return [block[0], f"{_LEFT_OUT}:1", block[-1]]
    for name in (line[5:].strip() for line in block if line.upper().startswith("TZID:")):
        zones.refused[name] = why
    return []


@dataclass(slots=True)
class _Series:
    """What shares a UID: an event, and changed instances of it. `zone` is the calendar's own, if it names one;
    `numbers` are the places of the parts among all events of the file, from 0.
    """

    zone: ZoneInfo | None
    parts: list[Any] = field(default_factory=list)
    numbers: list[int] = field(default_factory=list)
    _by_summary: dict[str, int] = field(default_factory=dict)

    @property
    def number(self) -> int:
        """The place of the first part."""
        return self.numbers[0]

    def number_of(self, instance: Any) -> int:
        """The place of the part that an instance comes from, by its summary."""
        if not self._by_summary:
            pairs = zip(reversed(self.parts), reversed(self.numbers), strict=True)
            self._by_summary = {str(part.get("SUMMARY")): number for part, number in pairs}
        return self._by_summary.get(str(instance.get("SUMMARY")), self.number)

    def unknown_zones(self) -> Iterator[str]:
        """Zones by name that neither this machine nor the file knows."""
        for value in (value for part in self.parts for name in _ZONED for value in listed(part, name)):
            dates = getattr(value, "dts", [value])
            moment = getattr(dates[0], "dt", None) if dates else None
            if isinstance(moment, datetime) and moment.tzinfo is None and "TZID" in value.params:
                yield str(value.params["TZID"])

    def expected(self, start: datetime, end: datetime) -> float:
        """About how many instances touch [start, end). Raises one of _FAULTS, also when they would be too many."""
        for part in self.parts:
            _refuse_broken(part)
        return sum(expected(part, start, end, EVENTS_MAX) for part in self.parts)

    def between(self, start: datetime, end: datetime) -> list[Any]:
        """The instances that touch [start, end). Raises one of _FAULTS."""
        calendar = Calendar()  # without X-WR-TIMEZONE, by which the library would move times written in UTC
        for part in self.parts:
            calendar.add_component(part)
        return list(recurring_ical_events.of(calendar).between(start, end))


def _series_of(calendar: Any, zone: ZoneInfo | None, numbers: Sequence[int]) -> list[_Series]:
    """The series of a calendar. Of events that share a UID by mistake each is a series of its own; `numbers` are the
    places of its events in the file.
    """
    by_uid: dict[tuple[str, int], _Series] = {}
    twins: defaultdict[tuple[str, str], int] = defaultdict(int)
    for number, event in zip(numbers, calendar.walk("VEVENT"), strict=False):
        if _LEFT_OUT in event:
            continue
        uid = str(event.get("UID", "")) or f"no UID, event {number}"
        twin = 0
        if "RECURRENCE-ID" not in event:
            version = (uid, str(event.get("SEQUENCE", 0)))
            twin = twins[version]
            twins[version] += 1
        series = by_uid.setdefault((uid, twin), _Series(zone))
        series.parts.append(event)
        series.numbers.append(number)
    return list(by_uid.values())


def _refuse_broken(event: Any) -> None:
    """Raise ValueError when it cannot be known when an event is."""
    for name, fault in event.errors:
        if name in _TIMES:
            raise ValueError(f"{name}: {fault}")
    if "DTSTART" not in event:
        raise ValueError("it has no DTSTART")
    for name in ("DTSTART", "DTEND"):
        if len(listed(event, name)) > 1:
            raise ValueError(f"it has several {name}; write one")
    first, last = event["DTSTART"].dt, event["DTEND"].dt if "DTEND" in event else None
    with suppress(TypeError):  # a date and a time, or a time in an unknown zone: compared as instants later
        if last is not None and last < first:
            raise ValueError("it ends before it starts")
