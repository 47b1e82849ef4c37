"""Times and spans in the reader's language. The day has twenty-four hours everywhere. English stands in `text/times`,
which logs, commands and records use.
"""

from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from babel import Locale
from babel.dates import format_skeleton, get_timezone_name
from babel.units import format_unit

from tocsin.text import times
from tocsin.wording.language.language import Language, is_english, locale_of

ZONE_MOST = 5
"""The longest name of a zone in a language that is written; longer ones are descriptions."""
TIMES_KEPT = 256
"""Times that are kept as they were written: those of some seconds, in the zones and languages of their readers."""


def clock(at: datetime, zone: str, seen_from: datetime, language: Language) -> str:
    """A time of day in the reader's zone, `11:30 CET`; with the day when that is another than `seen_from`'s."""
    return _clock(_second(at), zone, _second(seen_from), language.code)


def time_of_day(at: datetime, zone: str, seen_from: datetime, language: Language) -> str:
    """The same without the zone, for a text in which every letter counts: `11:30`."""
    return _time_of_day(_second(at), zone, _second(seen_from), language.code)


def dated(at: datetime, zone: str, language: Language, seen_from: datetime | None = None) -> str:
    """The same for a text that is read later: `Mon 23 Nov, 11:30 CET (10:30 UTC)`, the latter where it differs; with
    the year when that is another than `seen_from`'s.
    """
    return _dated(_second(at), zone, _second(seen_from) if seen_from else None, language.code)


def _second(at: datetime) -> datetime:
    """The second in which an instant lies: what is written says no more, and a storm has hundreds of pages in one."""
    return at.replace(microsecond=0)


@lru_cache(TIMES_KEPT)
def _clock(at: datetime, zone: str, seen_from: datetime, code: str) -> str:
    locale = _locale(code)
    if locale is None:
        return times.clock(at, zone, seen_from)
    here = at.astimezone(ZoneInfo(zone))
    return f"{_time(here, seen_from, locale)} {_zone(here, locale)}"


@lru_cache(TIMES_KEPT)
def _time_of_day(at: datetime, zone: str, seen_from: datetime, code: str) -> str:
    locale, here = _locale(code), at.astimezone(ZoneInfo(zone))
    return times.time_of_day(here, seen_from) if locale is None else _time(here, seen_from, locale)


@lru_cache(TIMES_KEPT)
def _dated(at: datetime, zone: str, seen_from: datetime | None, code: str) -> str:
    locale = _locale(code)
    if locale is None:
        return times.dated(at, zone, seen_from)
    here = at.astimezone(ZoneInfo(zone))
    shown = f"{_joined(_day(here, seen_from, locale), f'{here:%H:%M}', locale)} {_zone(here, locale)}"
    return f"{shown} ({at.astimezone(UTC):%H:%M} UTC)" if here.utcoffset() else shown


def moment(at: datetime, zone: str, language: Language) -> str:
    """A day with its year and a time in the reader's zone: `Mon 23 Nov 2026, 11:30 CET`."""
    locale = _locale(language.code)
    if locale is None:
        return times.moment(at, zone)
    here = at.astimezone(ZoneInfo(zone))
    return f"{_joined(_date(here.date(), True, locale), f'{here:%H:%M}', locale)} {_zone(here, locale)}"


def span(length: timedelta, language: Language) -> str:
    """A span as people say it: `2 hours 5 minutes`; its two largest units, at least a minute."""
    locale = _locale(language.code)
    if locale is None:
        return times.span(length)
    minutes = max(int(length.total_seconds()) // 60, 1)
    units = (
        (minutes // 1440, "duration-day"),
        (minutes // 60 % 24, "duration-hour"),
        (minutes % 60, "duration-minute"),
    )
    return language.listed([format_unit(count, unit, "long", locale=locale) for count, unit in units if count][:2])


def _locale(code: str) -> Locale | None:
    """How days and spans are written in a language; None for English, and for one of which nothing is known."""
    return None if is_english(code) else locale_of(code)


def _time(here: datetime, seen_from: datetime, locale: Locale) -> str:
    shown = f"{here:%H:%M}"
    if here.date() == seen_from.astimezone(here.tzinfo).date():
        return shown
    return _joined(_day(here, seen_from, locale), shown, locale)


def _day(here: datetime, seen_from: datetime | None, locale: Locale) -> str:
    same_year = seen_from is None or seen_from.astimezone(here.tzinfo).year == here.year
    return _date(here.date(), not same_year, locale)


@lru_cache(maxsize=1024)
def _date(day: date, with_year: bool, locale: Locale) -> str:
    """A day, `Mon 23 Nov`, with its year if that is wanted."""
    return format_skeleton("yMMMEd" if with_year else "MMMEd", day, locale=locale)


def _joined(day: str, time: str, locale: Locale) -> str:
    """A day and a time; behind a shortened month (`24 de nov.`) a blank alone would read as one number."""
    pattern = str(locale.datetime_formats["medium"])
    if day.endswith("."):
        pattern = pattern.replace("{1} {0}", "{1}, {0}")
    return pattern.replace("{1}", day).replace("{0}", time)


def _zone(here: datetime, locale: Locale) -> str:
    """The zone's short name, in the language where it has one of its own; where it has only digits, the offset."""
    if here.utcoffset() == timedelta(0) and here.tzname() in ("UTC", None):
        return "UTC"
    name = get_timezone_name(here, width="short", locale=locale)
    return name if name.isalpha() and len(name) <= ZONE_MOST else times.zone_name(here)
