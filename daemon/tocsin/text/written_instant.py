"""Instants as people write them in a hurry: `23:00` and `2h`, beside the whole of it (P7).

Decides what a time of day or a span means. Must not know what it is for, nor ask a clock.
"""

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo

from tocsin.text.scalars import duration, instant

_TIME = re.compile(r"([01]?\d|2[0-3]):([0-5]\d)(?::([0-5]\d))?", re.ASCII)
"""With seconds as well: `explain` shows them."""


@dataclass(frozen=True, slots=True)
class WrittenInstant:
    """What was written: an instant (`at`, UTC), a span, or a time of day; just one of them. `ago`: a span counts back.
    `today`: a time of day is today's, else its next occurrence.
    """

    text: str
    at: datetime | None = None
    span: timedelta | None = None
    time_of_day: time | None = None
    ago: bool = False
    today: bool = False

    def taken(self, now: datetime, zone: tzinfo | None) -> datetime:
        """The instant that is meant, UTC; times of day are in `zone` (None: this machine's)."""
        if self.at is not None:
            return self.at
        if self.span is not None:
            whole = now.replace(microsecond=0)
            return whole - self.span if self.ago else whole + self.span
        assert self.time_of_day is not None
        return self._on_a_day(self.time_of_day, now, zone)

    def _on_a_day(self, written: time, now: datetime, zone: tzinfo | None) -> datetime:
        """The time of day: today, or the first of today's and tomorrow's that is to come. An hour that the clock has
        twice is two; a time that it skips is as long after midnight as it says.
        """
        today = now.astimezone(zone).date()
        if self.today:
            return _at(today, written, zone)
        days = today, today + timedelta(days=1)
        first = [_at(day, written, zone) for day in days]
        second = [_at(day, written.replace(fold=1), zone) for day in days]
        return min(at for at in (*first, *map(max, first, second)) if at > now)


def _at(day: date, written: time, zone: tzinfo | None) -> datetime:
    return datetime.combine(day, written, zone).astimezone(UTC)


def written_instant(text: str, *, ago: bool = False, today: bool = False) -> WrittenInstant:
    """What somebody wrote where an instant is meant. Raises ValueError."""
    written = text.strip()
    if match := _TIME.fullmatch(written):
        hour, minute, second = map(int, match.groups("0"))
        return WrittenInstant(text, time_of_day=time(hour, minute, second), ago=ago, today=today)
    try:
        return WrittenInstant(text, at=instant(text))
    except ValueError:
        if "-" in written[1:]:  # a date: what is wrong with it was said
            raise
    try:
        return WrittenInstant(text, span=duration(text), ago=ago, today=today)
    except ValueError:
        unit = f"; did you mean {written}m?" if written.isdecimal() else ""
        wanted = "write it such as 2026-11-23T10:04:00Z, 23:00 or 2h"
        raise ValueError(f'"{text}" is no instant; {wanted}{unit}') from None
