"""How often a recurrence rule of a calendar (RFC 5545, 3.3.10) happens, judged before it is unrolled.

Decides which rules would take all day to unroll, or never happen. Must not know what is on call.
"""

from datetime import date, datetime
from typing import Any

STEPS_MAX = 200_000
"""The most recurrences that are counted through from an event's first one to where reading ends."""

DATES_MAX = 10_000
"""The most dates that an event adds, or leaves out, one by one."""

_BY_DATE = ("RDATE", "EXDATE")
_PER_DAY = {"SECONDLY": 86400.0, "MINUTELY": 1440.0, "HOURLY": 24.0, "DAILY": 1.0}
_PERIODS = {"WEEKLY": 7, "MONTHLY": 28, "YEARLY": 365}
_SELDOM = ("BYMONTH", "BYMONTHDAY", "BYYEARDAY", "BYWEEKNO")
_LONGEST_PERIODS = {"WEEKLY": 7, "MONTHLY": 31, "YEARLY": 366}
_FINER: dict[str, tuple[str, ...]] = {"SECONDLY": (), "MINUTELY": ("BYSECOND",), "HOURLY": ("BYSECOND", "BYMINUTE")}
_WEEKS_OF_MONTH, _WEEKS_OF_YEAR = 5, 53
_LONGEST = (31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)


def expected(event: Any, start: datetime, end: datetime, most: int) -> float:
    """About how many instances the rules of an event have in [start, end). Raises ValueError when they would be over
    `most`, when too many have to be counted through, or when there are none ever.
    """
    first = _day(event["DTSTART"].dt)
    total = float(_dates(event))
    for rule in listed(event, "RRULE"):
        often = _per_day(rule)
        count = rule.get("COUNT", [STEPS_MAX + most])[0]
        last = min(end.date(), *map(_day, rule.get("UNTIL", [end])))
        days, inside = ((last - begin).days + 1 for begin in (first, max(first, start.date())))
        total += (wanted := min(often * max(inside, 0), count))
        if min(often * days, count) > STEPS_MAX or wanted > most:
            raise ValueError("it repeats too often for an on-call calendar; write longer events")
    return total


def listed(component: Any, name: str) -> list[Any]:
    """The values of a property, which may stand there several times or not at all."""
    values = component.get(name, [])
    return values if isinstance(values, list) else [values]


def interval(rule: Any) -> int:
    """How many periods lie between two recurrences. Raises ValueError for one that would never come on."""
    several = rule.get("INTERVAL", [1])
    if len(several) != 1 or int(several[0]) < 1:
        raise ValueError("INTERVAL is no number from 1 on; write INTERVAL=1, or leave it out")
    return int(several[0])


def _dates(event: Any) -> int:
    """How many instants an event adds one by one. Raises ValueError for too many, left out ones as well."""
    added, left_out = (sum(len(getattr(dates, "dts", ())) for dates in listed(event, name)) for name in _BY_DATE)
    if max(added, left_out) > DATES_MAX:
        raise ValueError(f"it lists over {DATES_MAX:,} dates; write a rule, or several events")
    return added


def _day(moment: date) -> date:
    return date(moment.year, moment.month, moment.day)


def _per_day(rule: Any) -> float:
    """About how many recurrences a rule has in a day, at most."""
    if not rule.get("FREQ"):
        raise ValueError("its RRULE has no FREQ; write how often it comes")
    frequency = str(rule["FREQ"][0]).upper()
    if frequency in _FINER and any(part in rule for part in _SELDOM):
        raise ValueError(f"FREQ={frequency} with {', '.join(_SELDOM)} is not read; write FREQ=DAILY or longer")
    refuse_never(rule)
    _refuse_positions(rule, frequency)
    often = _PER_DAY.get(frequency) or _days(rule, _PERIODS.get(frequency, 1))
    often /= interval(rule)
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


def refuse_never(rule: Any) -> None:
    """The 31st of February, or a sixth Monday, would be looked for until the year 9999."""
    months, days = ([abs(int(number)) for number in rule.get(name, [])] for name in ("BYMONTH", "BYMONTHDAY"))
    if not all(1 <= month <= len(_LONGEST) for month in months) or not all(1 <= day <= _LONGEST[0] for day in days):
        raise ValueError("it falls on a day that no month has")
    if months and days and not any(day <= _LONGEST[month - 1] for month in months for day in days):
        raise ValueError("it falls on a day that no month has")
    places = [int(place) for day in rule.get("BYDAY", []) if (place := str(day).strip("+-")[:-2])]
    if places and days:
        raise ValueError("BYMONTHDAY with BYDAY that counts days (1MO) is not read; write one of them")
    yearly = str(rule.get("FREQ", [""])[0]).upper() == "YEARLY" and not months
    if any(place > (_WEEKS_OF_YEAR if yearly else _WEEKS_OF_MONTH) for place in places):
        raise ValueError("it falls on a day that no month has")


def _refuse_positions(rule: Any, frequency: str) -> None:
    """The fifth of one would be looked for until the year 9999, and so would day 366 in February, or week 53 there."""
    if "BYYEARDAY" in rule and any(part in rule for part in ("BYMONTH", "BYMONTHDAY", "BYWEEKNO")):
        raise ValueError("BYYEARDAY with BYMONTH, BYMONTHDAY or BYWEEKNO is not read; write one of them")
    if "BYWEEKNO" in rule and frequency != "YEARLY":
        raise ValueError(f"BYWEEKNO with FREQ={frequency} is not read; write FREQ=YEARLY")
    positions = [abs(int(position)) for position in rule.get("BYSETPOS", [])]
    if not positions:
        return
    if frequency not in _PERIODS:
        raise ValueError(f"BYSETPOS with FREQ={frequency} is not read; leave it out")
    others = {name: value for name, value in rule.items() if name.upper() != "BYSETPOS"}
    if min(positions) > _days(others, _PERIODS[frequency]) * _LONGEST_PERIODS[frequency] + 1:
        raise ValueError("BYSETPOS names a place that the rule never has")
