"""A chart of what happened: lanes over one stretch of time, with bands and marks. `chart_lanes` fills it, `chart_svg`
draws it.
"""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class Tone(StrEnum):
    """How something is to be taken; the stylesheet gives each its colour, in light and dark."""

    ALARM = "alarm"
    WARN = "warn"
    NEWS = "news"
    GOOD = "good"
    CALM = "calm"


class MarkSign(StrEnum):
    """What a mark stands for. Each has a shape of its own, so that colour is never all that tells them apart."""

    PAGE = "page"
    ACCEPTED = "accepted"
    PASSED = "passed on"
    UPDATE = "update"
    PROMISED = "promised"


@dataclass(frozen=True, slots=True)
class ChartBand:
    """Something that held over [start, end). A `thin` one is a line: nobody has it yet."""

    start: datetime
    end: datetime
    tone: Tone
    label: str = ""
    thin: bool = False


@dataclass(frozen=True, slots=True)
class ChartMark:
    """Something that happened at an instant."""

    at: datetime
    sign: MarkSign


@dataclass(frozen=True, slots=True)
class ChartLane:
    """One row: what it is about, how that stands now (`note`), and what happened."""

    title: str
    note: str = ""
    bands: tuple[ChartBand, ...] = ()
    marks: tuple[ChartMark, ...] = ()


@dataclass(frozen=True, slots=True)
class Chart:
    """Lanes over [start, end]. `now` when that lies inside; `title` and `description` are for who cannot see it."""

    title: str
    description: str
    start: datetime
    end: datetime
    now: datetime | None
    lanes: tuple[ChartLane, ...]
