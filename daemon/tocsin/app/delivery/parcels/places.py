"""The places that messages of a channel have with its provider, a few at a time: whoever ranks lowest gets the next.

It decides who is next. It must not know what a message is.
"""

import asyncio
import heapq

Rank = tuple[int, int, float]
"""The lowest goes first: what sort of thing it is, how bad it is, since when it waits."""


class Places:
    """So many messages may be under way at once."""

    def __init__(self, number: int) -> None:
        self._free = number
        self._count = 0
        self._waiting: list[tuple[Rank, int, asyncio.Future[None]]] = []

    @property
    def are_waited_for(self) -> bool:
        """Whether something that is ready to leave has none yet."""
        return bool(self._waiting)

    async def take(self, rank: Rank) -> None:
        """Wait for a place. Cancelled meanwhile, none is taken."""
        if self._free:
            self._free -= 1
            return
        self._count += 1
        given = asyncio.get_running_loop().create_future()
        entry = rank, self._count, given
        heapq.heappush(self._waiting, entry)
        try:
            await given
        except asyncio.CancelledError:
            if not given.cancelled():
                self.leave()
            elif entry in self._waiting:
                self._waiting.remove(entry)
                heapq.heapify(self._waiting)
            raise

    def leave(self) -> None:
        """A message is out: its place is the next one's."""
        while self._waiting:
            _rank, _number, given = heapq.heappop(self._waiting)
            if not given.done():
                given.set_result(None)
                return
        self._free += 1
