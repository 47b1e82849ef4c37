"""When which incident is looked at next: a heap of next looks, and a line of those to look at now, the worst first.

It decides the order, and that one incident never has two looks at once. There is never a pass over all incidents: ten
thousand that wait cost nothing until their time.
"""

import asyncio
import heapq
from datetime import datetime


class Agenda:
    """Next looks by incident. `poke` and `set` may be called by anybody, the rest is the scheduler's."""

    def __init__(self) -> None:
        self._next: dict[str, datetime] = {}
        self._heap: list[tuple[datetime, str]] = []
        self._ready: list[tuple[int, int, str]] = []
        self._waiting: dict[str, int] = {}
        self._ranks: dict[str, int] = {}
        self._count = 0
        self._under_way: dict[str, bool] = {}
        self._sooner = asyncio.Event()
        self._work = asyncio.Semaphore(0)
        self._idle = asyncio.Event()
        self._idle.set()

    def poke(self, incident: str, rank: int | None = None) -> None:
        """Look at this incident now. Pokes before the look are one; a poke during it makes another. `rank` is how bad
        it is, 0 the worst, as far as that is known: in a storm of mild ones a bad one does not wait (rule 48).
        """
        if rank is not None:
            self._ranks[incident] = rank
        rank = self._ranks.get(incident, 0)
        if incident in self._under_way:
            self._under_way[incident] = True
        elif incident not in self._waiting:
            self._put(incident, rank)
            self._idle.clear()
            self._work.release()
        elif rank < self._waiting[incident]:
            self._put(incident, rank)

    def _put(self, incident: str, rank: int) -> None:
        """Let it wait at this place of the line. What stood at another one counts no more."""
        self._count += 1
        self._waiting[incident] = rank
        heapq.heappush(self._ready, (rank, self._count, incident))

    def set(self, incident: str, next_look: datetime | None) -> None:
        """Look at this incident then, instead of whatever was set before. None: not without a poke."""
        if next_look is None:
            self._next.pop(incident, None)
            return
        if self._next.get(incident) == next_look:
            return
        self._next[incident] = next_look
        heapq.heappush(self._heap, (next_look, incident))
        if self._heap[0] == (next_look, incident):
            self._sooner.set()
        if len(self._heap) > 64 + 4 * len(self._next):
            self._heap = [(at, name) for name, at in self._next.items()]
            heapq.heapify(self._heap)

    def __len__(self) -> int:
        """Entries held, replaced ones that are not yet swept out among them: it stays near the number of incidents."""
        return len(self._heap)

    def wake_due(self, now: datetime) -> datetime | None:
        """Put everything whose time has come into the line. Gives the earliest instant that is left."""
        self._sooner.clear()
        while self._heap and self._heap[0][0] <= now:
            next_look, incident = heapq.heappop(self._heap)
            if self._next.get(incident) == next_look:
                del self._next[incident]
                self.poke(incident)
        return self._heap[0][0] if self._heap else None

    async def sooner(self, seconds: float) -> None:
        """Wait that long, or until something is set that comes before everything else."""
        try:
            async with asyncio.timeout(seconds):
                await self._sooner.wait()
        except TimeoutError:
            return

    async def take(self) -> str:
        """The incident that is looked at next, once there is one. It counts as under way until `done`."""
        await self._work.acquire()
        while True:
            rank, _, incident = heapq.heappop(self._ready)
            if self._waiting.get(incident) == rank:
                break
        del self._waiting[incident]
        self._under_way[incident] = False
        return incident

    def done(self, incident: str, next_look: datetime | None) -> None:
        """The look is over; the next one is then, or at once if the incident was poked meanwhile."""
        self.set(incident, next_look)
        if self._under_way.pop(incident):
            self.poke(incident)
            return
        if next_look is None:
            self._ranks.pop(incident, None)
        if not self._under_way and not self._waiting:
            self._waiting.clear()  # after a storm its table would stay as large
            self._idle.set()

    @property
    def is_settled(self) -> bool:
        """Whether nothing that is due or poked is left to look at."""
        return self._idle.is_set()

    async def settled(self) -> None:
        """Wait until nothing that is due or poked is left to look at."""
        await self._idle.wait()
