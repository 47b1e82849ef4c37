"""The series of a calendar: each event with its recurrences and what was changed in them (RFC 5545, 3.8.5).

Decides what belongs together and how much may be unrolled; recurring-ical-events unrolls. Each series is unrolled by
itself, so that one that cannot be read spoils no other. Must not know people.
"""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

import recurring_ical_events
from icalendar import Calendar, Component

STEPS_MAX = 200_000
"""The most recurrences that are counted through from an event's first one to where reading ends."""
FAULTS = (ValueError, LookupError, TypeError, AttributeError, ArithmeticError, RuntimeError, AssertionError)
"""What the iCalendar libraries raise at files that break the rules."""

_PER_DAY = {"SECONDLY": 86400.0, "MINUTELY": 1440.0, "HOURLY": 24.0}
_SELDOM = ("BYMONTH", "BYMONTHDAY", "BYYEARDAY", "BYWEEKNO")
_TIMES = {"DTSTART", "DTEND", "DURATION", "RRULE", "RDATE", "EXDATE", "RECURRENCE-ID"}
_FINER: dict[str, tuple[str, ...]] = {"SECONDLY": (), "MINUTELY": ("BYSECOND",), "HOURLY": ("BYSECOND", "BYMINUTE")}


@dataclass(slots=True)
class Series:
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

    @property
    def summary(self) -> str:
        """The summary of the first part."""
        return str(self.parts[0].get("SUMMARY", ""))[:80]

    def number_of(self, summary: str) -> int:
        """The place of the part that has this summary."""
        pairs = zip(self.parts, self.numbers, strict=True)
        return next((number for part, number in pairs if str(part.get("SUMMARY", "")) == summary), self.number)

    def unknown_zones(self) -> Iterator[str]:
        """Zones by name that neither this machine nor the file knows."""
        for value in (part.get(key) for part in self.parts for key in ("DTSTART", "DTEND")):
            moment = getattr(value, "dt", None)
            if isinstance(moment, datetime) and moment.tzinfo is None and "TZID" in value.params:
                yield str(value.params["TZID"])

    def between(self, start: datetime, end: datetime, most: int) -> list[Any]:
        """The instances that touch [start, end). Raises one of FAULTS, also when there would be over `most`."""
        for part in self.parts:
            _refuse_broken(part)
            _refuse_too_many(part, start, end, most)
        calendar = Calendar()
        if self.zone is not None:
            calendar.add("X-WR-TIMEZONE", self.zone.key)
        for part in self.parts:
            calendar.add_component(part)
        return list(recurring_ical_events.of(calendar).between(start, end))


def series_of(calendar: Component, zone: ZoneInfo | None, before: int = 0) -> list[Series]:
    """The series of a calendar. Of events that share a UID by mistake each is a series of its own; `before` is how
    many events the file has before this calendar.
    """
    found: dict[tuple[str, int], Series] = {}
    twins: defaultdict[tuple[str, str], int] = defaultdict(int)
    for number, event in enumerate(calendar.walk("VEVENT"), before):
        uid = str(event.get("UID", "")) or f"no UID, event {number}"
        twin = 0
        if "RECURRENCE-ID" not in event:
            version = (uid, str(event.get("SEQUENCE", 0)))
            twin = twins[version]
            twins[version] += 1
        series = found.setdefault((uid, twin), Series(zone))
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


def _refuse_too_many(event: Any, start: datetime, end: datetime, most: int) -> None:
    """Raise ValueError for recurrences so frequent that unrolling them would take all day."""
    rules = event.get("RRULE", [])
    first = event["DTSTART"].dt
    days = max((end.date() - date(first.year, first.month, first.day)).days, 0)
    for rule in rules if isinstance(rules, list) else [rules]:
        often = _per_day(rule)
        count = rule.get("COUNT", [STEPS_MAX + most])[0]
        if min(often * days, count) > STEPS_MAX or min(often * min(days, (end - start).days), count) > most:
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
