"""Rounds in turn: the peer, ours, the peer, ours, so that what else the machine does meets both."""

import sys
import time
from collections.abc import Callable
from dataclasses import dataclass

from bench.figures import Found


@dataclass(frozen=True)
class Scale:
    """How much is measured. `quick` only shows that all of it runs."""

    rounds: int = 5
    quick: bool = False

    def of(self, full: int, quick: int) -> int:
        """One size or the other."""
        return quick if self.quick else full


Part = Callable[[Scale], Found]
"""Something that can be measured alone."""


def in_turn(rounds: int, *sides: Callable[[], float]) -> list[list[float]]:
    """What each side gives in each round, one after the other: a list for each side."""
    found: list[list[float]] = [[] for _ in sides]
    for number in range(rounds):
        for side, values in zip(sides, found, strict=True):
            values.append(side())
        progress(f"round {number + 1} of {rounds}: " + ", ".join(f"{values[-1]:.4g}" for values in found))
    return found


def progress(said: str) -> None:
    """A line for who waits."""
    print(f"{time.strftime('%H:%M:%S')}   {said}", file=sys.stderr, flush=True)
