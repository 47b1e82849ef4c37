"""The lead ends as soon as the ledger's writer meets another term; its next renewal would find it out only later."""

import asyncio
from typing import Protocol

from tocsin.app.leadership.lease import Lease


class WriterOfTerm(Protocol):
    """What writes under a term. `lost` is set when another one was found in the ledger."""

    lost: asyncio.Event


class TermWatch:
    """Waits for that."""

    def __init__(self, writer: WriterOfTerm, lease: Lease) -> None:
        self._writer = writer
        self._lease = lease

    async def run(self) -> None:
        """Until cancelled."""
        await self._writer.lost.wait()
        self._lease.lose("the ledger has another term, or has gone back in time")
        await asyncio.Event().wait()
