"""Times in words: instants as a reader's wall clock shows them, and spans as people say them."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


def clock(at: datetime, zone: str, seen_from: datetime) -> str:
    """A time of day in the reader's zone, `11:30 CET`; with the day when that is another than `seen_from`'s."""
    here = at.astimezone(ZoneInfo(zone))
    return f"{time_of_day(here, seen_from)} {zone_name(here)}"


def dated(at: datetime, zone: str, seen_from: datetime | None = None) -> str:
    """The same for a text that is read later: `Mon 23 Nov, 11:30 CET (10:30 UTC)`, the latter where it differs; with
    the year when that is another than `seen_from`'s.
    """
    here = at.astimezone(ZoneInfo(zone))
    shown = f"{_day(here, seen_from)}, {_hour_and_minute(here)} {zone_name(here)}"
    return f"{shown} ({_hour_and_minute(at.astimezone(UTC))} UTC)" if here.utcoffset() else shown


def moment(at: datetime, zone: str) -> str:
    """A day with its year and a time in the reader's zone: `Mon 23 Nov 2026, 11:30 CET`."""
    here = at.astimezone(ZoneInfo(zone))
    return f"{_day(here)} {here.year}, {here:%H:%M} {zone_name(here)}"


def day_and_time(at: datetime, zone: str) -> str:
    """An instant on the wall clock of a zone that is named beside it: `Sat 28 Nov 08:00`."""
    here = at.astimezone(ZoneInfo(zone))
    return f"{day(at, zone)} {here:%H:%M}"


def day(at: datetime, zone: str) -> str:
    """A day in a zone: `Sat 28 Nov`."""
    return _day(at.astimezone(ZoneInfo(zone)))


def utc(at: datetime) -> str:
    """An instant as records write it: `2026-11-23 10:30:05 UTC`."""
    return f"{at.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"


def recorded(at: datetime, zone: str) -> str:
    """The same on the wall clock of a reader: `2026-11-23 11:30:05 CET`."""
    here = at.astimezone(ZoneInfo(zone))
    return f"{here:%Y-%m-%d %H:%M:%S} {zone_name(here)}"


def seconds_of_day(at: datetime, zone: str) -> str:
    """A time of day to the second, in a zone that is named beside it: `11:30:05`."""
    return f"{at.astimezone(ZoneInfo(zone)):%H:%M:%S}"


def iso_utc(at: datetime) -> str:
    """An instant as JSON shows it: `2026-11-23T10:30:05Z`, in UTC and whole seconds."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def span(length: timedelta) -> str:
    """A span as people say it: `2 hours 5 minutes`; its two largest units, at least a minute."""
    minutes = max(int(length.total_seconds()) // 60, 1)
    units = ((minutes // 1440, "day"), (minutes // 60 % 24, "hour"), (minutes % 60, "minute"))
    words = [f"{count} {unit}{'' if count == 1 else 's'}" for count, unit in units if count]
    return " ".join(words[:2])


def elapsed(length: timedelta) -> str:
    """How long something has lasted: as `span`, but within its first minute in seconds, `7 s`."""
    seconds = int(length.total_seconds())
    return f"{max(seconds, 0)} s" if seconds < 60 else span(length)


def brief(length: timedelta) -> str:
    """A span as files write it, to the second: `1h5m`, `30s`, `0s`."""
    seconds = round(length.total_seconds())
    parts = ((seconds // 86400, "d"), (seconds // 3600 % 24, "h"), (seconds // 60 % 60, "m"), (seconds % 60, "s"))
    return "".join(f"{count}{unit}" for count, unit in parts if count) or "0s"


def roughly(length: timedelta) -> str:
    """A span as files write it; in years from two of them on: `about 12 years`."""
    years = round(length.days / 365.25)
    return brief(length) if years < 2 else f"about {years} years"


def apart(ahead: timedelta) -> str:
    """How one clock stands to another: `4s ahead of`, `2m behind`."""
    return f"{roughly(abs(ahead))} {'ahead of' if ahead > timedelta(0) else 'behind'}"


def time_of_day(here: datetime, seen_from: datetime) -> str:
    """A time of day on the wall clock that it is given in; with the day when that is another than `seen_from`'s."""
    shown = _hour_and_minute(here)
    return shown if here.date() == seen_from.astimezone(here.tzinfo).date() else f"{_day(here, seen_from)}, {shown}"


def _hour_and_minute(here: datetime) -> str:
    """`09:05`. Without `strftime`, which takes longer than all else of a time: each message has several."""
    return f"{here.hour:02d}:{here.minute:02d}"


def _day(here: datetime, seen_from: datetime | None = None) -> str:
    shown = f"{DAYS[here.weekday()]} {here.day} {MONTHS[here.month - 1]}"
    same_year = seen_from is None or seen_from.astimezone(here.tzinfo).year == here.year
    return shown if same_year else f"{shown} {here.year}"


def zone_name(here: datetime) -> str:
    """The zone's short name; where it has only digits, the offset from UTC."""
    name = here.tzname() or "UTC"
    if name.isalpha():
        return name
    return f"UTC{name[:3]}:{name[3:]}" if len(name) > 3 else f"UTC{name}"
