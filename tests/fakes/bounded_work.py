"""Work that is done at once, in the test's own process."""

from collections.abc import Callable
from typing import TypeVar, TypeVarTuple

from tocsin.app.configuration.config_judge import ConfigJudge
from tocsin.ports.bounded_work import Overrun

T = TypeVar("T")
Ts = TypeVarTuple("Ts")


class SameProcess:
    """A port BoundedWork without bounds. With `overruns` the next functions give those instead. `patience` is what was
    asked for with each.
    """

    def __init__(self, *overruns: Overrun) -> None:
        self.overruns = list(overruns)
        self.patience: list[float | None] = []

    def run(
        self, function: Callable[[*Ts], T], *args: *Ts, seconds: float, megabytes: int, patience: float | None = None
    ) -> T | Overrun:
        """What the function gives."""
        self.patience.append(patience)
        return self.overruns.pop(0) if self.overruns else function(*args)


JUDGE = ConfigJudge(SameProcess())
"""Judges at once."""
