"""When a cron expression fires on the wall clock of a zone, and whose turn that makes it.

croniter does the calendar arithmetic on naive local time; what a local time means is `wall_clock`'s business. Turns are
counted by firings, never by elapsed days.
"""

import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from itertools import takewhile
from typing import NamedTuple

from croniter import CroniterBadDateError, CroniterError, croniter

from tocsin.domain.rotation import Shift
from tocsin.planning.on_call.wall_clock import SECOND, instant, local, zone

FIELDS = ("minute", "hour", "day of the month", "month", "weekday")
_KNOWN = ("0 to 59", "0 to 23", "1 to 31", "1 to 12 or jan to dec", "0 to 7 (0 and 7 are Sunday) or mon to sun")
HOUR = timedelta(hours=1)
MONTH = timedelta(days=31)
"""From the first of a month into the next."""
MOMENT = timedelta(microseconds=1)
OFTEN = 12
"""Firings of one day from which on turns are counted by days."""
SAMPLE_DAYS = 4 * 365 + 1
FEW = 100_000
"""So many firings are counted through in no time."""
_PLAIN = re.compile(r"[0-9A-Za-z*/,\-?#]+(?:\s+[0-9A-Za-z*/,\-?#]+){4}", re.ASCII)
_RANDOM = re.compile(r"(?:^|[\s,/])[RHrh](?:$|[\s,/(])")
_OF_ONE = re.compile(r"(?<![\w-])(\w+)-\1(?:/\d+)?(?![\w/#-])", re.ASCII)
_SOME_DAY = datetime(2024, 1, 1)  # noqa: DTZ001 - local time


@lru_cache(maxsize=1024)
def cron_problem(cron: str) -> str | None:
    """Why an expression is refused, as a sentence that says what to write instead; None when it is good."""
    if len(cron.split()) != len(FIELDS):
        return f'"{cron}" is no cron expression of five fields (minute hour day month weekday); write "0 9 * * mon"'
    if not _PLAIN.fullmatch(cron.strip()) or _RANDOM.search(cron):
        return f'"{cron}" is no plain cron expression; write numbers, names, *, ranges and steps, such as "0 9 * * mon"'
    try:
        croniter.expand(_without_ranges_of_one(cron))
        next(_found_days(_day_fields(cron), _SOME_DAY))
    except CroniterBadDateError:
        return f'"{cron}" can never fire; no such date exists'
    except (CroniterError, ValueError, KeyError) as wrong:
        return f'"{cron}" is no cron expression: {_wrong_field(cron) or wrong}'
    return None


def _wrong_field(cron: str) -> str:
    """Which of the five fields is at fault, and what it may hold; empty when each by itself is good."""
    for number, field in enumerate(cron.split()):
        alone = ["*"] * len(FIELDS)
        alone[number] = _without_ranges_of_one(field)
        try:
            croniter.expand(" ".join(alone))
        except (CroniterError, ValueError, KeyError):
            return f'its {FIELDS[number]} "{field}" is none; write {_KNOWN[number]}'
    return ""


def firings(cron: str, timezone: str, after: datetime) -> Iterator[datetime]:
    """Every firing strictly after an instant, in order, in UTC. Those that fall on one instant are one."""
    # Nothing local at or before `after` can mean a later instant, so the search may begin right here.
    begins = local(after, timezone).replace(microsecond=0)
    today = begins.replace(hour=0, minute=0, second=0)
    last = after
    for day in _days(cron, today):
        times = _times(cron)
        for time in times[bisect_left(times, begins - day) :]:
            at = instant(day + time, timezone)
            if at > last:
                last = at
                yield at


def _without_ranges_of_one(cron: str) -> str:
    """The expression with `5` for `5-5`: every other cron reads that as one value, croniter as all of them."""
    return _OF_ONE.sub(r"\1", cron.lower())


@lru_cache(maxsize=1024)
def _times(cron: str) -> tuple[timedelta, ...]:
    """The times of day at which an expression fires, in order."""
    minutes, hours = (
        range(size) if field == ["*"] else field
        for field, size in zip(croniter.expand(_without_ranges_of_one(cron))[0], (60, 24), strict=False)
    )
    return tuple(sorted(timedelta(hours=int(hour), minutes=int(minute)) for hour in hours for minute in minutes))


def _days(cron: str, since: datetime) -> Iterator[datetime]:
    """The days on which an expression fires, as local midnights, from that of `since` on."""
    fields, month = _day_fields(cron), since.replace(day=1)
    while True:
        days = _days_of_month(fields, month)
        yield from days[bisect_left(days, since) :]
        month = (month + MONTH).replace(day=1)


@lru_cache(maxsize=4096)
def _days_of_month(fields: str, month: datetime) -> tuple[datetime, ...]:
    """The days of a month, named by its first, on which the day's three fields of an expression hold. Kept, because
    most expressions share them (`* * mon`) and croniter takes long to find a day.
    """
    ends = (month + MONTH).replace(day=1)
    weekdays = _weekdays(fields)
    if weekdays:
        days = (month + timedelta(days=number) for number in range((ends - month).days))
        return tuple(day for day in days if day.isoweekday() % 7 in weekdays)
    return tuple(takewhile(lambda day: day < ends, _found_days(fields, month)))


@lru_cache(maxsize=1024)
def _weekdays(fields: str) -> frozenset[int]:
    """The weekdays (0 is Sunday) of an expression that chooses days by them alone; none where it takes more to know."""
    (_, _, days, months, weekdays), counted = croniter.expand(f"0 0 {fields}")
    if days != ["*"] or months != ["*"] or counted:
        return frozenset()
    return frozenset(range(7) if weekdays == ["*"] else map(int, weekdays))


def _found_days(fields: str, since: datetime) -> Iterator[datetime]:
    """The days from `since` on, as croniter finds them: CroniterBadDateError if there are none. A day of the month and
    a weekday together mean either of them, both when one begins with a star: what Vixie cron does.
    """
    steps = croniter(f"0 0 {fields}", since - SECOND, ret_type=datetime, implement_cron_bug=True)
    while True:
        yield steps.get_next()


def _day_fields(cron: str) -> str:
    """The three fields of an expression that choose days."""
    return " ".join(_without_ranges_of_one(cron).split()[2:])


def next_firing(cron: str, timezone: str, after: datetime) -> datetime:
    """The first firing strictly after an instant (UTC)."""
    hour = after.astimezone(UTC).replace(minute=0, second=0, microsecond=0)
    return next(at for at in _from_hour(cron, timezone, hour) if at > after)


@lru_cache(maxsize=4096)
def _from_hour(cron: str, timezone: str, hour: datetime) -> tuple[datetime, ...]:
    """Every firing in the hour that begins then, and the first after it. Kept, because reading an expression costs a
    hundred times more than comparing instants, and many incidents ask the same.
    """
    fired: list[datetime] = []
    for at in firings(cron, timezone, hour - MOMENT):
        fired.append(at)
        if at >= hour + HOUR:
            break
    return tuple(fired)


def turn_of(shift: Shift, at: datetime) -> int | None:
    """How many handoffs have passed since the shift's start: 0 is the first member's turn. None before `starts`.

    The first member serves until the first firing strictly after `starts`.
    """
    starts_at, before = _start_of(shift.handoff, shift.timezone, shift.starts)
    if at < starts_at:
        return None
    first, last = starts_at.year, at.astimezone(UTC).year
    whole = sum(_count(shift.handoff, shift.timezone, year) for year in range(first, last))
    return whole + _count_until(shift.handoff, shift.timezone, last, at) - before


@lru_cache(maxsize=4096)
def _start_of(cron: str, timezone: str, starts: datetime) -> tuple[datetime, int]:
    """The instant of a shift's start, and how many firings its UTC year has had by then."""
    starts_at = instant(starts, timezone)
    return starts_at, _count_until(cron, timezone, starts_at.year, starts_at)


def handoffs_since(cron: str, starts: datetime, at: datetime) -> int:
    """About how many firings lie between the local time `starts` and `at`; more than there are where those are few."""
    days = max((at.replace(tzinfo=None) - starts).days + 1, 0)
    most = len(_times(cron)) * days
    return most if most < FEW else round(most * _firing_days(cron) / SAMPLE_DAYS)


@lru_cache(maxsize=1024)
def _firing_days(cron: str) -> int:
    """On how many days of a sample an expression fires."""
    ends = _SOME_DAY + timedelta(days=SAMPLE_DAYS)
    return sum(1 for _ in takewhile(lambda day: day < ends, _days(cron, _SOME_DAY)))


@lru_cache(maxsize=65536)
def _count(cron: str, timezone: str, year: int) -> int:
    """How many firings a UTC year has."""
    return _count_until(cron, timezone, year, datetime(year + 1, 1, 1, tzinfo=UTC) - MOMENT)


def _count_until(cron: str, timezone: str, year: int, at: datetime) -> int:
    """How many firings a UTC year has until an instant in it, that one included."""
    times = _times(cron)
    if len(times) <= OFTEN:
        return bisect_right(firings_in_year(cron, timezone, year), at)
    days = _busy_days(cron, timezone, year)
    number = bisect_right(days, at, key=lambda day: day.first)
    if number == 0:
        return 0
    busy = days[number - 1]
    if busy.firings:
        return busy.before + bisect_right(busy.firings, at)
    return busy.before + bisect_right(times, local(at, timezone) - busy.day)


class _BusyDay(NamedTuple):
    """A local day on which an expression fires: its first firing, how many its year had before, and all of its firings
    where these are not just the times of that day: where a clock is changed, and at the edges of the year.
    """

    day: datetime
    first: datetime
    before: int
    firings: tuple[datetime, ...]


@lru_cache(maxsize=256)
def _busy_days(cron: str, timezone: str, year: int) -> tuple[_BusyDay, ...]:
    """The days of a UTC year on which an expression fires. Kept, for expressions that fire often: each minute makes
    half a million a year, and whose turn it is is asked whenever somebody is paged.
    """
    begins, ends = datetime(year, 1, 1, tzinfo=UTC), datetime(year + 1, 1, 1, tzinfo=UTC)
    opening, closing = (
        local(moment, timezone).replace(hour=0, minute=0, second=0, microsecond=0) for moment in (begins, ends)
    )
    times, days, count, last = _times(cron), list[_BusyDay](), 0, begins - MOMENT
    for day in _days(cron, opening):
        if day > closing:
            break
        if opening < day < closing and _is_even(day, timezone):
            days.append(_BusyDay(day, instant(day + times[0], timezone), count, ()))
            count, last = count + len(times), instant(day + times[-1], timezone)
            continue
        fired = sorted({at for time in times if last < (at := instant(day + time, timezone)) < ends})
        if fired:
            days.append(_BusyDay(day, fired[0], count, tuple(fired)))
            count, last = count + len(fired), fired[-1]
    return tuple(days)


def _is_even(day: datetime, timezone: str) -> bool:
    """Whether no clock is changed from the day before a local day until the end of that after it."""
    offsets = {(day + timedelta(days=days)).replace(tzinfo=zone(timezone)).utcoffset() for days in (-1, 0, 1, 2)}
    return len(offsets) == 1


@lru_cache(maxsize=2048)
def firings_in_year(cron: str, timezone: str, year: int) -> tuple[datetime, ...]:
    """Every firing in a UTC year, in order. Kept, because turns are asked for again and again."""
    begins, ends = datetime(year, 1, 1, tzinfo=UTC), datetime(year + 1, 1, 1, tzinfo=UTC)
    return tuple(takewhile(lambda at: at < ends, firings(cron, timezone, begins - MOMENT)))
