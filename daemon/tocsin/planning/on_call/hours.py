"""When pages may go, and spans counted in open time only (rule 11). A shift's `during` is read alike.

A window's start is included, its end excluded. Windows follow the wall clock; open time is what really passes.
"""

from collections.abc import Iterator
from datetime import datetime, timedelta
from functools import lru_cache
from itertools import islice

from tocsin.domain.rotation import Hours, Window
from tocsin.planning.on_call.wall_clock import instant, local

DAY = timedelta(days=1)
MOST_WINDOWS = 10_000
"""The most windows that a span of open time is counted over."""


def is_open(hours: Hours, at: datetime) -> bool:
    """Whether an instant lies in a window; without windows it always does."""
    return opening_from(hours, at) == at


def opening_from(hours: Hours, at: datetime) -> datetime:
    """The instant itself if it is open, else the next opening."""
    if not hours.windows:
        return at
    return next(max(start, at) for start, end in window_spans(hours.windows, hours.timezone, at) if end > at)


def open_time_after(hours: Hours, start: datetime, span: timedelta) -> datetime:
    """`span` of open time after `start`. Falling exactly on a closing, it waits for the next opening. A span that is
    not over after `MOST_WINDOWS` windows counts as over then.
    """
    if not hours.windows:
        return start + span
    at, left = start, span
    for begins, ends in islice(window_spans(hours.windows, hours.timezone, start), MOST_WINDOWS):
        at = max(at, begins)
        if ends <= at:
            continue
        if left < ends - at:
            return at + left
        left -= ends - at
        at = ends
    return at


@lru_cache(maxsize=1024)
def open_between(hours: Hours, start: datetime, end: datetime) -> tuple[tuple[datetime, datetime], ...]:
    """The open time in [start, end), clipped to it, in order; what touches or overlaps is one."""
    if not hours.windows:
        return ((start, end),)
    spans: list[tuple[datetime, datetime]] = []
    for opening, closing in window_spans(hours.windows, hours.timezone, start):
        if opening >= end:
            break
        begins, ends = max(opening, start), min(closing, end)
        if spans and begins <= spans[-1][1]:
            spans[-1] = (spans[-1][0], max(ends, spans[-1][1]))
        elif begins < ends:
            spans.append((begins, ends))
    return tuple(spans)


def window_spans(windows: tuple[Window, ...], timezone: str, since: datetime) -> Iterator[tuple[datetime, datetime]]:
    """The spans [start, end) of the windows, by start, from those that may still be open at `since`. They may
    touch or overlap. An end not after its start runs past midnight and belongs to the first day.
    """
    day = local(since, timezone).replace(hour=0, minute=0, second=0, microsecond=0) - 2 * DAY
    ordered = sorted(windows, key=lambda window: (window.start, window.end))
    while True:
        for window in ordered:
            if day.weekday() in window.days:
                last = day if window.end > window.start else day + DAY
                begins = instant(datetime.combine(day, window.start), timezone)
                ends = instant(datetime.combine(last, window.end), timezone)
                if ends > begins:
                    yield begins, ends
        day += DAY
