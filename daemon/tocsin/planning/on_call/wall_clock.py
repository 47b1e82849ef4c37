"""Which instant a local time in a zone means (`docs/behaviour.md`, Handoffs).

A local time that does not exist (clocks go forward, or the zone skips the date) means the first instant that does; one
that exists twice means its first.
"""

from datetime import UTC, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

SECOND = timedelta(seconds=1)


@lru_cache(maxsize=1024)
def zone(name: str) -> ZoneInfo:
    """The IANA zone of that name; whoever reads config has checked that it exists."""
    return ZoneInfo(name)


def local(at: datetime, name: str) -> datetime:
    """What the wall clock of the zone shows at an instant, without its zone."""
    return at.astimezone(zone(name)).replace(tzinfo=None)


def instant(shown: datetime, name: str) -> datetime:
    """The instant (UTC) that a local time of the zone means."""
    before = shown.replace(tzinfo=zone(name), fold=0)
    at = before.astimezone(UTC)
    if at.astimezone(zone(name)).replace(tzinfo=None) == shown:
        return at
    return _end_of_gap(shown, name)


def _end_of_gap(shown: datetime, name: str) -> datetime:
    """The instant at which the clock jumps over a local time: between what it means by the later offset and by the
    earlier one, found by halving to the second.
    """
    tz = zone(name)
    low = shown.replace(tzinfo=tz, fold=1).astimezone(UTC)
    high = shown.replace(tzinfo=tz, fold=0).astimezone(UTC)
    later = high.astimezone(tz).utcoffset()
    while high - low > SECOND:
        middle = low + timedelta(seconds=(high - low) // SECOND // 2)
        if middle.astimezone(tz).utcoffset() == later:
            high = middle
        else:
            low = middle
    return high
