"""When names of the config reach nobody, and whom that concerns. `planning/on_call/coverage.py` finds them,
`formats/config/coverage_advice.py` puts them in words.
"""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from tocsin.domain.policy import Who


@dataclass(frozen=True, slots=True)
class Gap:
    """A stretch [start, end) in which nobody is reached."""

    start: datetime
    end: datetime


@dataclass(frozen=True, slots=True)
class PagedChain:
    """What pages by a chain: a role of a severity, by its own chain or (`service`) by that of a service; under the
    role `responder` a service's responders.
    """

    severity: str
    role: str
    service: str = ""


class GapCause(StrEnum):
    """What of a rotation leaves a gap: nobody has begun, its windows, its calendar, or that it has too few members."""

    STARTS = "starts"
    DURING = "during"
    CALENDAR = "calendar"
    MEMBERS = "members"


@dataclass(frozen=True, slots=True)
class GapSource:
    """A rotation that leaves a gap, by what, and in which of its shifts (counted from 0)."""

    rotation: str
    cause: GapCause
    shift: int = 0


@dataclass(frozen=True, slots=True)
class UnreachedChain:
    """The gaps of one cause: the rotations that leave them (none: the people named have no channel), and who asks."""

    whos: tuple[Who, ...]
    sources: tuple[GapSource, ...]
    gaps: tuple[Gap, ...]
    chains: tuple[PagedChain, ...]


@dataclass(frozen=True, slots=True)
class SkippedLevels:
    """The gaps that a rotation leaves in levels which rely on it, by the windows of its shifts or since none begins;
    the chains go on to their next level then.
    """

    source: GapSource
    gaps: tuple[Gap, ...]
    chains: tuple[PagedChain, ...]
