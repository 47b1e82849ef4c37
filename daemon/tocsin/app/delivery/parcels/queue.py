"""The queue of one channel, worked off in the order of its ranks, a few at a time.

It decides the order and how many at once. It must not know what is done with what it carries. Draining stops
taking, and lets what is under way come to its end.
"""

import asyncio
import heapq
from collections import Counter
from collections.abc import Awaitable, Callable, Hashable
from datetime import timedelta
from typing import Generic, TypeVar

from tocsin.app.delivery.parcels.places import Places, Rank

Item = TypeVar("Item", bound=Hashable)


class SendQueue(Generic[Item]):
    """Items wait here by rank, then in the order they came; `work` does one. `width` are done side by side, and may
    change: nothing is taken out before there is a place for it, so whatever comes still passes what ranks behind it.
    What was taken out and still waits for one of the `leaving` places keeps no worse one from it: that is taken, too.
    """

    def __init__(
        self, name: str, width: int, work: Callable[[Item], Awaitable[None]], leaving: Places | None = None
    ) -> None:
        self.name = name
        self.width = width
        self._work = work
        self._leaving = leaving
        self._waiting: list[tuple[Rank, int, Item]] = []
        self._sorts: Counter[int] = Counter()
        self._count = 0
        self._timers: set[asyncio.TimerHandle] = set()
        self._doing = 0
        self._in_place: dict[Item, Rank] = {}
        self._turned = asyncio.Event()
        self._draining = False

    def put(self, rank: Rank, item: Item) -> None:
        """Do this as soon as a place is free and nothing of a lower rank waits."""
        self._count += 1
        self._sorts[rank[0]] += 1
        heapq.heappush(self._waiting, (rank, self._count, item))
        self._turned.set()

    def holds_behind(self, rank: Rank) -> bool:
        """Whether something of another sort waits behind this."""
        return any(count and sort > rank[0] for sort, count in self._sorts.items())

    def later(self, wait: timedelta, rank: Rank, item: Item) -> None:
        """Put it into the queue after this span."""

        def ring() -> None:
            self._timers.discard(timer)
            self.put(rank, item)

        timer = asyncio.get_running_loop().call_later(max(0.0, wait.total_seconds()), ring)
        self._timers.add(timer)

    def hear_waiting(self, rank: Rank) -> None:
        """Something that was taken out by this rank waits for a `leaving` place from now on: whatever is worse and
        waits here may be taken beside it.
        """
        if self._waiting and _grade(self._waiting[0][0]) < _grade(rank):
            self._turned.set()

    def leave_place(self, item: Item) -> None:
        """What is left to do with this holds up nothing: the next one may be taken."""
        if self._in_place.pop(item, None) is not None:
            self._turned.set()

    async def run(self) -> None:
        """Until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            while True:
                while not self._has_place_for_first():
                    self._turned.clear()
                    await self._turned.wait()
                rank, number, item = heapq.heappop(self._waiting)
                if not self._draining:
                    self._doing += 1
                    self._in_place[item] = rank
                    tasks.create_task(self._do(rank, item), name=f"{self.name} {number}")

    def _has_place_for_first(self) -> bool:
        """Whether something waits for which there is a place."""
        if not self._waiting or len(self._in_place) < self.width:
            return bool(self._waiting)
        if self._leaving is None or not self._leaving.are_waited_for:
            return False
        first = _grade(self._waiting[0][0])
        return sum(_grade(rank) <= first for rank in self._in_place.values()) < self.width

    async def drain(self, patience: float) -> bool:
        """Begin nothing new, and wait for what is under way. False when that took too long."""
        self._draining = True
        for timer in self._timers:
            timer.cancel()
        try:
            async with asyncio.timeout(patience):
                while self._doing:
                    self._turned.clear()
                    await self._turned.wait()
        except TimeoutError:
            return False
        return True

    async def _do(self, rank: Rank, item: Item) -> None:
        self._sorts[rank[0]] -= 1
        try:
            await self._work(item)
        finally:
            self._doing -= 1
            self.leave_place(item)
            self._turned.set()


def _grade(rank: Rank) -> tuple[int, int]:
    """What sort of thing it is and how bad, since when it waits apart."""
    return rank[:2]
