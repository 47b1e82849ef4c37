"""Work that may hang, eat memory or break: it has an end, and whatever becomes of it is a value."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol, TypeVar, TypeVarTuple

T = TypeVar("T")
Ts = TypeVarTuple("Ts")


class OverrunCause(StrEnum):
    """Why work gave nothing. MACHINE is no fault of the work: it may go well at another time."""

    TIME = "time"
    MEMORY = "memory"
    SIZE = "size"
    FAULT = "fault"
    CRASH = "crash"
    MACHINE = "machine"


@dataclass(frozen=True, slots=True)
class Overrun:
    """Work that gave nothing: why, in words that follow what was done (`takes over 10 s`), and what it was at, as it
    noted last. `dearest` are the stages that took most of its time, with the processor's seconds of each.
    """

    cause: OverrunCause
    why: str
    stage: str = ""
    dearest: tuple[tuple[str, float], ...] = ()


class BoundedWork(Protocol):
    """Has functions of the program's own done within bounds."""

    def run(
        self, function: Callable[[*Ts], T], *args: *Ts, seconds: float, megabytes: int, patience: float | None = None
    ) -> T | Overrun:
        """What the function gives, or why it gives nothing. It blocks, and never raises what the function raises.
        Function, arguments and result must be picklable. `seconds` are the processor's; `megabytes` what it may take
        besides what it begins with; `patience` how many seconds by the clock whoever asks can wait, if not longer.
        """
        ...
