"""The queue of one channel, pages first, worked off a few at a time.

It decides the order and how many at once. It must not know what is done with what it carries. Draining stops
taking, and lets what is under way come to its end.
"""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Generic, TypeVar

Item = TypeVar("Item")


class SendQueue(Generic[Item]):
    """Items wait here by rank, then in the order they came; `work` does one. `width` are done side by side."""

    def __init__(self, name: str, width: int, work: Callable[[Item], Awaitable[None]]) -> None:
        self.name = name
        self._width = width
        self._work = work
        self._queue: asyncio.PriorityQueue[tuple[int, int, Item]] = asyncio.PriorityQueue()
        self._count = 0
        self._timers: set[asyncio.TimerHandle] = set()
        self._busy = 0
        self._quiet = asyncio.Event()
        self._quiet.set()
        self._draining = False

    def put(self, rank: int, item: Item) -> None:
        """Do this as soon as a place is free and nothing of a lower rank waits."""
        self._count += 1
        self._queue.put_nowait((rank, self._count, item))

    def later(self, wait: timedelta, rank: int, item: Item) -> None:
        """Put it into the queue after this span."""

        def ring() -> None:
            self._timers.discard(timer)
            self.put(rank, item)

        timer = asyncio.get_running_loop().call_later(max(0.0, wait.total_seconds()), ring)
        self._timers.add(timer)

    async def run(self) -> None:
        """Until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            for number in range(self._width):
                tasks.create_task(self._serve(), name=f"{self.name} {number}")

    async def drain(self, patience: float) -> bool:
        """Begin nothing new, and wait for what is under way. False when that took too long."""
        self._draining = True
        for timer in self._timers:
            timer.cancel()
        try:
            async with asyncio.timeout(patience):
                await self._quiet.wait()
        except TimeoutError:
            return False
        return True

    async def _serve(self) -> None:
        while True:
            _rank, _number, item = await self._queue.get()
            if self._draining:
                continue
            self._busy += 1
            self._quiet.clear()
            try:
                await self._work(item)
            finally:
                self._busy -= 1
                if not self._busy:
                    self._quiet.set()
