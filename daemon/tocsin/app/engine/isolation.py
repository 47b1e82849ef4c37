"""The one broad `except` of the house (rule 9): a fault of ours in one piece of work leaves the rest running.

It decides nothing about what follows; whoever asked backs off, or sets the piece aside, and tells the operators.
"""

from collections.abc import Awaitable
from dataclasses import dataclass
from typing import TypeVar

import structlog

T = TypeVar("T")

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Broken:
    """The work raised what it must not raise."""

    fault: Exception

    def __str__(self) -> str:
        return f"{type(self.fault).__name__}: {self.fault}"


async def guarded(work: Awaitable[T], *lets: type[Exception]) -> T | Broken:
    """What the work gives, or that it broke, which is logged. The exceptions that it `lets` out go through."""
    try:
        return await work
    except lets:
        raise
    except Exception as fault:
        log.exception("broken")
        return Broken(fault)
