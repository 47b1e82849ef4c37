"""Handoffs: when a cron expression fires on the wall clock of a zone, and whose turn that makes it (product.md 3).

croniter does the calendar arithmetic on naive local time; what a local time means is `wall_clock`'s business. Turns are
counted by firings, never by elapsed days.
"""

import re
from bisect import bisect_right
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import lru_cache

from croniter import CroniterBadDateError, CroniterError, croniter

from daemon.domain.rotation import Shift
from daemon.planning.wall_clock import SECOND, instant, local

FIELDS = 5
_PLAIN = re.compile(r"[0-9A-Za-z*/,\-?#]+(?:\s+[0-9A-Za-z*/,\-?#]+){4}", re.ASCII)
_RANDOM = re.compile(r"(?:^|[\s,/])[RHrh](?:$|[\s,/(])")
_SOME_YEAR = datetime(2024, 1, 1)  # noqa: DTZ001 - local time


def fault(cron: str) -> str | None:
    """Why an expression is refused, as a sentence that says what to write instead; None when it is good."""
    if len(cron.split()) != FIELDS:
        return f'"{cron}" is no cron expression of five fields (minute hour day month weekday); write "0 9 * * mon"'
    if not _PLAIN.fullmatch(cron.strip()) or _RANDOM.search(cron):
        return f'"{cron}" is no plain cron expression; write numbers, names, *, ranges and steps, such as "0 9 * * mon"'
    try:
        croniter(cron, _SOME_YEAR, ret_type=datetime, max_years_between_matches=8).get_next()
    except CroniterBadDateError:
        return f'"{cron}" can never fire; no such date exists'
    except (CroniterError, ValueError, KeyError) as wrong:
        return f'"{cron}" is no cron expression: {wrong}'
    return None


def firings(cron: str, timezone: str, after: datetime) -> Iterator[datetime]:
    """Every firing strictly after an instant, in order, in UTC. Those that fall on one instant are one."""
    # Nothing local at or before `after` can mean a later instant, so the search may begin right here.
    steps = croniter(cron, local(after, timezone).replace(microsecond=0) - SECOND, ret_type=datetime)
    last = after
    while True:
        at = instant(steps.get_next(), timezone)
        if at > last:
            last = at
            yield at


def next_firing(cron: str, timezone: str, after: datetime) -> datetime:
    """The first firing strictly after an instant (UTC)."""
    return next(firings(cron, timezone, after))


def turn_of(shift: Shift, at: datetime) -> int | None:
    """How many handoffs have passed since the shift's start: 0 is the first member's turn. None before `starts`.

    The first member serves until the first firing strictly after `starts`.
    """
    starts_at = instant(shift.starts, shift.timezone)
    if at < starts_at:
        return None
    years = range(starts_at.year, at.astimezone(UTC).year + 1)
    passed = 0
    for year in years:
        fired = firings_of(shift.handoff, shift.timezone, year)
        first = bisect_right(fired, starts_at) if year == starts_at.year else 0
        passed += (bisect_right(fired, at) if year == years[-1] else len(fired)) - first
    return passed


@lru_cache(maxsize=4096)
def firings_of(cron: str, timezone: str, year: int) -> tuple[datetime, ...]:
    """Every firing in a UTC year, in order. Kept, because turns are asked for again and again."""
    begins, ends = datetime(year, 1, 1, tzinfo=UTC), datetime(year + 1, 1, 1, tzinfo=UTC)
    fired: list[datetime] = []
    for at in firings(cron, timezone, begins - timedelta(microseconds=1)):
        if at >= ends:
            break
        fired.append(at)
    return tuple(fired)
