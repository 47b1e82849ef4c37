"""The small words of the files: durations, instants, zones, windows, truths, names.

Each function takes the text as written and gives its value, or raises ValueError with a sentence that says what to
write instead. Must not know in which field the text stands, nor what time it is.
"""

import difflib
import re
from collections.abc import Iterable
from datetime import UTC, datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo, available_timezones

from tocsin.domain.rotation import Window

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}")
DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
LONGEST = timedelta(days=3660)
"""The longest duration that is accepted: ten years."""
YEARS = range(2000, 2200)
"""The years in which instants and local times may lie: whoever writes another has made a slip."""

_SHORT = re.compile("".join(rf"(?:(\d{{1,12}}){unit})?" for unit in "dhms"), re.ASCII)
_ISO = re.compile(r"P(?:(\d{1,9})W)?(?:(\d{1,9})D)?(?:T(?:(\d{1,9})H)?(?:(\d{1,9})M)?(?:(\d{1,9})S)?)?", re.ASCII)
_ZONE = re.compile(r"[A-Za-z0-9_+-]+(?:/[A-Za-z0-9_+-]+)*")
_LOCAL_ZONES = frozenset({"localtime", "posixrules", "Factory"})
_CLOCK = r"([01]?\d|2[0-3]):([0-5]\d)"
_WINDOW = re.compile(rf"(?:([a-z, -]+?)\s+)?{_CLOCK}\s*-\s*(?:{_CLOCK}|24:00)", re.ASCII | re.IGNORECASE)


def closest(word: str, known: Iterable[str], cutoff: float = 0.6) -> str:
    """'; did you mean "x"?' when one of the known words is like this one, else nothing."""
    by_lower = {name.lower(): name for name in sorted(known)}
    matches = difflib.get_close_matches(word.lower(), by_lower, n=1, cutoff=cutoff)
    return f'; did you mean "{by_lower[matches[0]]}"?' if matches else ""


def duration(text: str) -> timedelta:
    """A span such as `30s`, `5m`, `1h30m`, `2d`, or ISO 8601 (`PT5M`); days are 24 hours."""
    written = text.strip()
    short = _SHORT.fullmatch(written.replace(" ", "").lower())
    iso = None if short else _ISO.fullmatch(written.upper())
    if short and any(short.groups()):
        parts = [0, *(int(part or 0) for part in short.groups())]
    elif iso and any(iso.groups()):
        parts = [int(part or 0) for part in iso.groups()]
    else:
        unit = f"; did you mean {written}m?" if written.isdecimal() else ""
        raise ValueError(f'"{text}" is no duration; write one such as 30s, 5m, 1h30m or 2d{unit}')
    try:
        span = timedelta(weeks=parts[0], days=parts[1], hours=parts[2], minutes=parts[3], seconds=parts[4])
    except OverflowError:
        span = timedelta.max
    if span > LONGEST:
        raise ValueError(f'"{text}" is too long; at most {LONGEST.days}d')
    return span


def instant(text: str) -> datetime:
    """An instant, ISO 8601 with an offset or Z, as UTC."""
    try:
        at = datetime.fromisoformat(text.strip().upper())
    except ValueError:
        raise ValueError(f'"{text}" is no instant; write it such as 2026-11-23T10:04:00Z') from None
    if at.tzinfo is None:
        raise ValueError(f'"{text}" needs its offset from UTC; write it such as 2026-11-23T10:04:00Z or +01:00')
    _in_range(text, at)
    return at.astimezone(UTC)


def local_time(text: str) -> datetime:
    """A wall-clock time without zone, such as `2026-01-05T09:00`; its zone stands beside it."""
    try:
        at = datetime.fromisoformat(text.strip())
    except ValueError:
        raise ValueError(f'"{text}" is no local time; write it such as 2026-01-05T09:00') from None
    if at.tzinfo is not None:
        raise ValueError(f'"{text}" must be local to the timezone beside it; write it without the offset')
    _in_range(text, at)
    return at


def _in_range(text: str, at: datetime) -> None:
    if at.year not in YEARS:
        raise ValueError(f'"{text}" lies in the year {at.year}; write one from {YEARS[0]} to {YEARS[-1]}')


@lru_cache(maxsize=1024)
def zone(text: str) -> str:
    """An IANA zone name that this machine (or the tzdata package) knows."""
    if _ZONE.fullmatch(text) and text not in _LOCAL_ZONES:
        try:
            return ZoneInfo(text).key
        except (OSError, ValueError, KeyError):
            pass
    raise ValueError(f'unknown timezone "{text}"{closest(text, _zones())} (an IANA name is wanted)')


@lru_cache(maxsize=1)
def _zones() -> frozenset[str]:
    """Every zone that may be offered; finding them is slow."""
    return frozenset(available_timezones()) - _LOCAL_ZONES


def window(text: str) -> Window:
    """One stretch of `during`: `[DAYS ]HH:MM-HH:MM`, such as `mon-fri 09:00-17:00` or `fri-mon 22:00-06:00`."""
    match = _WINDOW.fullmatch(text.strip())
    if not match:
        raise ValueError(f'"{text}" is no window; write one such as "mon-fri 09:00-17:00" or "22:00-24:00"')
    days, start_hour, start_minute, end_hour, end_minute = match.groups()
    end = time(int(end_hour), int(end_minute)) if end_hour else time(0)
    return Window(_days(days) if days else frozenset(range(7)), time(int(start_hour), int(start_minute)), end)


def _days(text: str) -> frozenset[int]:
    """Weekdays (0 is Monday) such as `mon-fri`, `sat,sun`, `fri-mon` (which runs over the weekend)."""
    days: set[int] = set()
    for part in text.lower().replace(" ", "").split(","):
        first, _, last = part.partition("-")
        if first not in DAYS or (last or first) not in DAYS or part.endswith("-"):
            raise ValueError(f'"{text}" are no days; write such as mon-fri or sat,sun ({" ".join(DAYS)})')
        begin, length = DAYS.index(first), (DAYS.index(last or first) - DAYS.index(first)) % 7
        days.update((begin + step) % 7 for step in range(length + 1))
    return frozenset(days)


def truth(text: str) -> bool:
    """`true` or `false`, as YAML 1.2 writes them."""
    if text in {"true", "True", "TRUE"}:
        return True
    if text in {"false", "False", "FALSE"}:
        return False
    raise ValueError(f'"{text}" is neither; write true or false')


def whole(text: str) -> int:
    """A whole number in decimal digits."""
    if re.fullmatch(r"[-+]?[0-9]{1,9}", text):
        return int(text)
    raise ValueError(f'"{text}" is no whole number; write digits such as 3')


def name(text: str) -> str:
    """A name in the config: letters, digits, - and _, at most 64, beginning with a letter or digit."""
    if NAME.fullmatch(text):
        return text
    raise ValueError(f'"{text}" is no name; use letters, digits, "-" and "_" (at most 64, a letter or digit first)')


def variable_name(text: str) -> str:
    """A name as it stands in the name of an environment variable, which has neither small letters nor dashes."""
    return text.upper().replace("-", "_")
