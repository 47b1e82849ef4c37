"""When which incident is looked at again: a heap of next looks, and pokes for now.

It decides the order of looks and that one incident never has two at once; different incidents are looked at side by
side, a few at a time. It must not know what a look does. There is never a pass over all incidents: ten thousand
that wait cost nothing until their time.
"""

import asyncio
import heapq
from collections import deque
from collections.abc import Awaitable, Callable
from datetime import datetime

from tocsin.ports.clock import Clock

SIDE_BY_SIDE = 16
"""Incidents looked at together: enough to share the ledger's commits, few enough to stay in order."""
LONGEST_SLEEP = 5.0
"""Seconds after which the time is asked again: the loop's own clock stands still while a machine sleeps."""

Look = Callable[[str], Awaitable[datetime | None]]


class Scheduler:
    """Calls `look(incident)` when it is poked or its time has come; the answer is the next look, None for never."""

    def __init__(self, clock: Clock, look: Look) -> None:
        self._clock = clock
        self._look = look
        self._next: dict[str, datetime] = {}
        self._heap: list[tuple[datetime, str]] = []
        self._ready: deque[str] = deque()
        self._waiting: set[str] = set()
        self._looking: dict[str, bool] = {}
        self._changed = asyncio.Event()
        self._work = asyncio.Semaphore(0)
        self._idle = asyncio.Event()
        self._idle.set()
        self.woke_at = clock.now()

    def poke(self, incident: str) -> None:
        """Look at this incident now. Pokes before the look are one; a poke during it makes another."""
        if incident in self._looking:
            self._looking[incident] = True
        elif incident not in self._waiting:
            self._waiting.add(incident)
            self._ready.append(incident)
            self._idle.clear()
            self._work.release()

    def set(self, incident: str, when: datetime | None) -> None:
        """Look at this incident at `when`, instead of whatever was set before. None: not without a poke."""
        if when is None:
            self._next.pop(incident, None)
            return
        if self._next.get(incident) == when:
            return
        self._next[incident] = when
        heapq.heappush(self._heap, (when, incident))
        if self._heap[0] == (when, incident):
            self._changed.set()
        if len(self._heap) > 64 + 4 * len(self._next):
            self._heap = [(at, name) for name, at in self._next.items()]
            heapq.heapify(self._heap)

    async def run(self) -> None:
        """Until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._wake(), name="wake")
            for number in range(SIDE_BY_SIDE):
                tasks.create_task(self._looks(), name=f"look {number}")

    async def settled(self) -> None:
        """Wait until nothing that is due or poked is left to look at."""
        await self._idle.wait()

    async def _wake(self) -> None:
        """The one alarm clock: moves what is due from the heap to the ready line."""
        while True:
            self._changed.clear()
            self.woke_at = now = self._clock.now()
            while self._heap and self._heap[0][0] <= now:
                when, incident = heapq.heappop(self._heap)
                if self._next.get(incident) == when:
                    del self._next[incident]
                    self.poke(incident)
            sleep = min(LONGEST_SLEEP, (self._heap[0][0] - now).total_seconds()) if self._heap else LONGEST_SLEEP
            await _first(self._changed, sleep)

    async def _looks(self) -> None:
        """Look at one ready incident after the other."""
        while True:
            await self._work.acquire()
            incident = self._ready.popleft()
            self._waiting.discard(incident)
            self._looking[incident] = False
            self.set(incident, await self._look(incident))
            if self._looking.pop(incident):
                self.poke(incident)
            elif not self._looking and not self._ready:
                self._idle.set()


async def _first(event: asyncio.Event, seconds: float) -> None:
    """Wait for the event, but not longer than this."""
    try:
        async with asyncio.timeout(seconds):
            await event.wait()
    except TimeoutError:
        return
