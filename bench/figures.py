"""What a measurement gives: figures of ours and of a peer, taken in turn, and the ratio of each round."""

import statistics
from collections.abc import Iterable, Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Spread:
    """The median of some values, and the range of all."""

    median: float
    least: float
    most: float

    @classmethod
    def of(cls, values: Sequence[float]) -> "Spread":
        """That of these values."""
        return cls(statistics.median(values), min(values), max(values))


@dataclass(frozen=True)
class Figure:
    """What one measure gave: a value for each round, and a peer's of the same round."""

    measure: str
    """Which one of `bench.targets`."""
    ours: Sequence[float]
    peer: str = ""
    theirs: Sequence[float] = ()
    missing: str = ""
    """The peer that is not installed here, where there is one."""
    note: str = ""
    """What else was seen: processor time for each, the limit of the sink."""

    @property
    def ratios(self) -> Sequence[float]:
        """Ours by theirs, of each round."""
        return [ours / theirs for ours, theirs in zip(self.ours, self.theirs, strict=True)] if self.theirs else []


@dataclass(frozen=True)
class Line:
    """How something grows: values at sizes, for a plot."""

    plot: str
    """Which plot it belongs to: a key of `bench.plots`."""
    name: str
    points: Sequence[tuple[float, float]]


@dataclass(frozen=True)
class Found:
    """All that a part found."""

    figures: Sequence[Figure] = ()
    lines: Sequence[Line] = ()


def percentile(values: Iterable[float], part: float) -> float:
    """The value that this part of all are below, of the values themselves."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * part))]
