"""The bytes of incidents' newest good versions, given to the ledger in good time: commands write a file anew from them.
A miss is a small loss, as facts hold what the file said.
"""

import asyncio
import contextlib

from tocsin.ports.ledger.ledger import FileLedger, LedgerError

KEPT_TOGETHER = 500
"""Versions given to the ledger at once."""


class NewestFiles:
    """Those that the ledger does not have yet."""

    def __init__(self, ledger: FileLedger) -> None:
        self._ledger = ledger
        self._some = asyncio.Event()
        self._unkept: list[tuple[str, str, str, bytes]] = []

    def add(self, incident: str, file: str, digest: str, data: bytes) -> None:
        """A version counts: the name of its file, what tells its content from others, and its bytes."""
        self._unkept.append((incident, file, digest, data))
        self._some.set()

    async def run(self) -> None:
        """Until cancelled."""
        while True:
            await self._some.wait()
            self._some.clear()
            while together := self._unkept[:KEPT_TOGETHER]:
                del self._unkept[:KEPT_TOGETHER]
                with contextlib.suppress(LedgerError):
                    await asyncio.gather(*(self._ledger.keep_file(*version) for version in together))
