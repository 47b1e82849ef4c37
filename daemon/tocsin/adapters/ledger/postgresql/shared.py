"""The ledger on a server as a process beside the daemon reads it: opened in a thread, so that a server which does not
answer holds up no request, and tried again for as long as it cannot be.

Decides when it is asked again. Must not know what is asked of it.
"""

import asyncio

from tocsin.adapters.files.disk_threads import DiskThreads
from tocsin.adapters.ledger.ledger import SqlLedger
from tocsin.adapters.ledger.postgresql.address import ServerAddress
from tocsin.adapters.ledger.postgresql.nodes import read_machines
from tocsin.adapters.ledger.postgresql.opening import OtherVersionError, machines_of, open_server_to_read
from tocsin.adapters.ledger.postgresql.server import ServerStore
from tocsin.ports.leadership import Machines
from tocsin.ports.ledger.trouble import LedgerError

AGAIN_AFTER = 1.0
"""Seconds between a try that failed and the next."""


class SharedServer:
    """Gives the ledger on a server, to be read only. Used in one loop."""

    def __init__(self, address: ServerAddress) -> None:
        self._address = address
        self._ledger: SqlLedger | None = None
        self._trouble = LedgerError(f"{address.place} has not answered yet")
        self._opening: asyncio.Task[None] | None = None
        self._threads = DiskThreads("ledger opening")

    def __call__(self) -> SqlLedger:
        """The ledger. Raises LedgerError while it cannot be opened."""
        if self._ledger is None:
            if self._opening is None or self._opening.done():
                self._opening = asyncio.create_task(self._open())
            raise type(self._trouble)(str(self._trouble))
        return self._ledger

    async def machines(self) -> Machines:
        """The machines that share it, also where another version keeps it. Raises LedgerError."""
        try:
            return await self().store.read(read_machines)
        except OtherVersionError:
            return await asyncio.get_running_loop().run_in_executor(self._threads, machines_of, self._address)

    async def begin(self) -> None:
        """Try it for the first time: who is asked next has the ledger, or knows what is wrong with it."""
        await self._try()

    async def _open(self) -> None:
        await self._try()
        if self._ledger is None:
            await asyncio.sleep(AGAIN_AFTER)

    async def _try(self) -> None:
        opening = asyncio.get_running_loop().run_in_executor(self._threads, open_server_to_read, self._address)
        try:
            self._ledger = SqlLedger(ServerStore(await opening))
        except LedgerError as trouble:
            self._trouble = trouble

    async def close(self) -> None:
        """Let go of it."""
        if self._opening is not None:
            self._opening.cancel()
        if self._ledger is not None:
            await self._ledger.close()
