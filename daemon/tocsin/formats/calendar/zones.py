"""The zones of one iCalendar file: those by name that this machine knows, and those that the file describes.

A zone is asked again and again when it is when, so one that a file describes may change only a few times a year. Must
not know what an event is. The library keeps what it was told of zones in the process; it is told anew for each file.
"""

import re
from datetime import datetime, tzinfo
from typing import Any

from icalendar.timezone.zoneinfo import ZONEINFO

from tocsin.formats.calendar.rules import interval, listed, refuse_never

ZONES_MOST = 200
"""The most zones that a file may describe."""
CHANGES_MOST = 500
"""The most changes of the clock, and rules for them, that one zone may list."""
A_YEAR_MOST = 60
"""The most days a year that one rule may name."""

_NAME = re.compile(r"(?!.*\.\.)[A-Za-z0-9_+\-/]{1,64}", re.ASCII)
_PARTS = {"FREQ", "INTERVAL", "UNTIL", "COUNT", "BYMONTH", "BYMONTHDAY", "BYDAY", "WKST"}
_FAULTS = (ValueError, LookupError, TypeError, AttributeError, ArithmeticError, RuntimeError, AssertionError, OSError)


class Zones(ZONEINFO):
    """The zones of one file. `refused` has what is wrong with those it describes, by name."""

    def __init__(self) -> None:
        self.refused: dict[str, str] = {}
        self._described = 0

    def timezone(self, name: str) -> tzinfo | None:
        """A zone that this machine knows. What looks like none is not looked for: it could name a folder."""
        try:
            return super().timezone(name) if _NAME.fullmatch(name) else None
        except (OSError, LookupError):
            return None

    def create_timezone(self, tz: Any) -> tzinfo:  # type: ignore[override]  # as the library's own has it
        """A zone that the file describes; one that is not read is as unknown as one that is not described."""
        self._described += 1
        try:
            if self._described > ZONES_MOST:
                raise ValueError(f"the calendar describes over {ZONES_MOST} zones")
            _refuse_dear(tz)
            zone = super().create_timezone(tz)
            zone.utcoffset(datetime(2026, 1, 1))  # noqa: DTZ001 - what breaks, breaks here
        except _FAULTS as fault:
            self.refused[str(tz["TZID"])] = " ".join(str(fault).split())[:200]
            return None  # type: ignore[return-value]  # the library takes it for a zone that it does not know
        return zone


def _refuse_dear(zone: Any) -> None:
    """Raise ValueError for a zone whose clock changes too often, or never ends to."""
    changes = 0
    for part in zone.subcomponents:
        if "EXRULE" in part:
            raise ValueError("it has an EXRULE")
        changes += 1 + sum(len(getattr(dates, "dts", ())) for dates in listed(part, "RDATE"))
        for rule in listed(part, "RRULE"):
            if str(rule.get("FREQ", [""])[0]).upper() != "YEARLY" or interval(rule) != 1 or set(rule) - _PARTS:
                raise ValueError("its clock changes by a rule that is not yearly; write FREQ=YEARLY, without INTERVAL")
            refuse_never(rule)
            days = [max(len(rule.get(name, ())), 1) for name in ("BYMONTH", "BYMONTHDAY", "BYDAY")]
            if days[0] * days[1] * days[2] > A_YEAR_MOST:
                raise ValueError("its clock changes too often")
    if changes > CHANGES_MOST:
        raise ValueError(f"it lists over {CHANGES_MOST} changes of the clock")
