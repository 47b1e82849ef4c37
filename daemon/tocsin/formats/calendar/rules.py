"""How often a recurrence rule of a calendar (RFC 5545, 3.3.10) happens, judged before it is unrolled.

Decides which rules would take all day to unroll, or never happen. Must not know what is on call.
"""

from datetime import date, datetime
from typing import Any

STEPS_MAX = 200_000
"""The most recurrences that are counted through from an event's first one to where reading ends."""

_PER_DAY = {"SECONDLY": 86400.0, "MINUTELY": 1440.0, "HOURLY": 24.0, "DAILY": 1.0}
_PERIODS = {"WEEKLY": 7, "MONTHLY": 28, "YEARLY": 365}
_SELDOM = ("BYMONTH", "BYMONTHDAY", "BYYEARDAY", "BYWEEKNO")
_FINER: dict[str, tuple[str, ...]] = {"SECONDLY": (), "MINUTELY": ("BYSECOND",), "HOURLY": ("BYSECOND", "BYMINUTE")}
_LONGEST = (31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)


def expected(event: Any, start: datetime, end: datetime, most: int) -> float:
    """About how many instances the rules of an event have in [start, end). Raises ValueError when they would be over
    `most`, when too many have to be counted through, or when there are none ever.
    """
    rules = event.get("RRULE", [])
    first, total = _day(event["DTSTART"].dt), 0.0
    for rule in rules if isinstance(rules, list) else [rules]:
        often = _per_day(rule)
        count = rule.get("COUNT", [STEPS_MAX + most])[0]
        last = min(end.date(), *map(_day, rule.get("UNTIL", [end])))
        days, inside = ((last - begin).days + 1 for begin in (first, max(first, start.date())))
        total += (wanted := min(often * max(inside, 0), count))
        if min(often * days, count) > STEPS_MAX or wanted > most:
            raise ValueError("it repeats too often for an on-call calendar; write longer events")
    return total


def _day(moment: date) -> date:
    return date(moment.year, moment.month, moment.day)


def _per_day(rule: Any) -> float:
    """About how many recurrences a rule has in a day, at most."""
    frequency = str(rule.get("FREQ", ["DAILY"])[0]).upper()
    if frequency in _FINER and any(part in rule for part in _SELDOM):
        raise ValueError(f"FREQ={frequency} with {', '.join(_SELDOM)} is not read; write FREQ=DAILY or longer")
    _refuse_never(rule)
    often = _PER_DAY.get(frequency) or _days(rule, _PERIODS.get(frequency, 1))
    often /= max(int(rule.get("INTERVAL", [1])[0]), 1)
    for part in _FINER.get(frequency, ("BYSECOND", "BYMINUTE", "BYHOUR")):
        often *= max(len(rule.get(part, [])), 1)
    return often


def _days(rule: Any, period: int) -> float:
    """About how many days of each day a rule of weeks, months or years takes."""
    if "BYSETPOS" in rule:
        return len(rule["BYSETPOS"]) / period
    if "BYDAY" in rule:
        return sum(1 / period if str(day).strip("+")[:1] in "-0123456789" else 1 / 7 for day in rule["BYDAY"])
    if "BYMONTHDAY" in rule:
        return len(rule["BYMONTHDAY"]) / 28
    return (
        max(len(rule.get("BYYEARDAY", [])), 7 * len(rule.get("BYWEEKNO", [])), len(rule.get("BYMONTH", [])), 1) / period
    )


def _refuse_never(rule: Any) -> None:
    """The 31st of February would be looked for until the year 9999."""
    months, days = rule.get("BYMONTH", []), rule.get("BYMONTHDAY", [])
    if months and days and not any(abs(int(day)) <= _LONGEST[int(month) - 1] for month in months for day in days):
        raise ValueError("it falls on a day that no month has")
