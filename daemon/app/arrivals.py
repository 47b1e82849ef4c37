"""Arrivals: what came in from outside and lies in the ledger (an SMS, a receipt), brought to whoever judges
its kind.

It decides when to look, and that each is judged once. It must not know what an arrival means.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping

import structlog

from daemon.domain.arrival import Arrival, Arrives
from daemon.ports import Ledger, LedgerTrouble

ASKS_EVERY = 1.0
"""Seconds between two looks."""
UNKNOWN = "unknown"
"""The result of an arrival whose kind nobody judges."""

Judge = Callable[[Arrival], Awaitable[str]]
"""Acts on an arrival and gives a word for what it led to. It may be called again after a kill: acting twice is
harmless."""

log = structlog.get_logger()


class Arrivals:
    """Looks for arrivals and has them judged, one after the other."""

    def __init__(self, ledger: Ledger, judges: Mapping[Arrives, Judge]) -> None:
        self._ledger = ledger
        self._judges = judges

    async def run(self) -> None:
        """Until cancelled."""
        while True:
            await asyncio.sleep(ASKS_EVERY)
            try:
                await self.look()
            except LedgerTrouble as trouble:
                log.warning("ledger trouble", trouble=str(trouble))

    async def look(self) -> None:
        """Judge everything that waits. Raises LedgerTrouble; what was not judged then is judged at the next look."""
        while arrivals := await self._ledger.arrivals():
            for row, arrival in arrivals:
                judge = self._judges.get(arrival.kind)
                result = await judge(arrival) if judge else UNKNOWN
                log.info("arrival", kind=arrival.kind.value, result=result)
                await self._ledger.judged(row, result)
