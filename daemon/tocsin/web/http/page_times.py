"""Instants on a page, on the wall clock of whoever reads it: the zone is named once on the page, UTC beside an instant
that people in other zones go by too.
"""

from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from tocsin.text.times import clock, day, seconds_of_day, time_of_day, zone_name

UTC = "UTC"


@dataclass(frozen=True, slots=True)
class PageTimes:
    """The times of a page that is read in `zone` at `now`. Who reads UTC, perhaps without having asked for it, reads so
    with each of them.
    """

    zone: str
    now: datetime

    def moment(self, at: datetime) -> str:
        """A time of day; with the day when that is another than today: `Tue 24 Nov, 11:30`."""
        if self.zone == UTC:
            return clock(at, UTC, self.now)
        return time_of_day(at.astimezone(ZoneInfo(self.zone)), self.now)

    def with_utc(self, at: datetime) -> str:
        """The same, for what others go by too: `11:30 (10:30 UTC)`."""
        here = at.astimezone(ZoneInfo(self.zone))
        return f"{self.moment(at)} ({clock(at, UTC, at)})" if here.utcoffset() else self.moment(at)

    def exact(self, at: datetime) -> str:
        """To the second: `11:30:05`."""
        return seconds_of_day(at, self.zone)

    def day(self, at: datetime) -> str:
        """`Mon 23 Nov 2026`."""
        return f"{day(at, self.zone)} {at.astimezone(ZoneInfo(self.zone)).year}"

    @property
    def named(self) -> str:
        """Whose times they are: `Europe/Berlin (CET)`."""
        name = zone_name(self.now.astimezone(ZoneInfo(self.zone)))
        return self.zone if name == self.zone else f"{self.zone} ({name})"
