"""The queue of one channel, worked off in the order of its ranks, a few at a time.

It decides the order and how many at once. It must not know what is done with what it carries. Draining stops
taking, and lets what is under way come to its end.
"""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Hashable
from datetime import timedelta
from typing import Generic, TypeVar

Item = TypeVar("Item", bound=Hashable)
Rank = tuple[int, int, float]
"""The lowest goes first: what sort of thing it is, how bad it is, since when it waits."""


class SendQueue(Generic[Item]):
    """Items wait here by rank, then in the order they came; `work` does one. `width` are done side by side, and may
    change: nothing is taken out before there is a place for it, so whatever comes still passes what ranks behind it.
    """

    def __init__(self, name: str, width: int, work: Callable[[Item], Awaitable[None]]) -> None:
        self.name = name
        self.width = width
        self._work = work
        self._queue: asyncio.PriorityQueue[tuple[Rank, int, Item]] = asyncio.PriorityQueue()
        self._sorts: Counter[int] = Counter()
        self._count = 0
        self._timers: set[asyncio.TimerHandle] = set()
        self._doing = 0
        self._in_place: set[Item] = set()
        self._ended = asyncio.Event()
        self._draining = False

    def put(self, rank: Rank, item: Item) -> None:
        """Do this as soon as a place is free and nothing of a lower rank waits."""
        self._count += 1
        self._sorts[rank[0]] += 1
        self._queue.put_nowait((rank, self._count, item))

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

    def leave_place(self, item: Item) -> None:
        """What is left to do with this holds up nothing: the next one may be taken."""
        if item in self._in_place:
            self._in_place.remove(item)
            self._ended.set()

    async def run(self) -> None:
        """Until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            while True:
                while len(self._in_place) >= self.width:
                    self._ended.clear()
                    await self._ended.wait()
                rank, number, item = await self._queue.get()
                if not self._draining:
                    self._doing += 1
                    self._in_place.add(item)
                    tasks.create_task(self._do(rank, item), name=f"{self.name} {number}")

    async def drain(self, patience: float) -> bool:
        """Begin nothing new, and wait for what is under way. False when that took too long."""
        self._draining = True
        for timer in self._timers:
            timer.cancel()
        try:
            async with asyncio.timeout(patience):
                while self._doing:
                    self._ended.clear()
                    await self._ended.wait()
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
            self._ended.set()
