"""Many resolved incidents whose files go back to older contents together: the checkout of an old commit, not somebody
who reopens them (rule 69).

It decides from instants alone; must not know files.
"""

from bisect import bisect_left
from collections.abc import Iterable
from datetime import datetime, timedelta

MANY = 3
"""How many make a checkout; fewer are reopened as any edit says."""
TOGETHER = timedelta(seconds=2)
"""How far apart the first and the last of so many may be."""


class Checkout:
    """The instants at which files went back."""

    def __init__(self, instants: Iterable[datetime]) -> None:
        self._instants = sorted(instants)

    def includes(self, instant: datetime) -> bool:
        """Whether so many went back together with the one of this instant."""
        instants, place = self._instants, bisect_left(self._instants, instant)
        starts = range(max(0, place - MANY + 1), min(place, len(instants) - MANY) + 1)
        return any(instants[start + MANY - 1] - instants[start] <= TOGETHER for start in starts)
