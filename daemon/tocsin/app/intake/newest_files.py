"""The newest good version of each incident's file, given to the ledger in good time: commands write a file anew from
it. What the ledger cannot take now it gets later: a text that is outdated there would be taken for the newest.
"""

import asyncio
from itertools import islice

from tocsin.ports.ledger.kept_file import FileLedger, KeptFile
from tocsin.ports.ledger.trouble import LedgerError

KEPT_TOGETHER = 500
"""Versions given to the ledger at once."""
KEEPS_AGAIN = 5.0
"""Seconds until the ledger is tried again."""


class NewestFiles:
    """Those that the ledger does not have yet."""

    def __init__(self, ledger: FileLedger) -> None:
        self._ledger = ledger
        self._some = asyncio.Event()
        self._unkept: dict[str, KeptFile] = {}

    def add(self, incident: str, file: str, digest: str, data: bytes) -> None:
        """A version counts: the name of its file, what tells its content from others, and its bytes."""
        self._unkept[incident] = KeptFile(file, data, digest)
        self._some.set()

    def waiting(self, incident: str) -> KeptFile | None:
        """That of an incident which the ledger does not have yet; None: the ledger's is the newest."""
        return self._unkept.get(incident)

    async def run(self) -> None:
        """Until cancelled."""
        while True:
            await self._some.wait()
            self._some.clear()
            while self._unkept:
                try:
                    await self._keep()
                except LedgerError:
                    await asyncio.sleep(KEEPS_AGAIN)

    async def _keep(self) -> None:
        """Raises LedgerError. What was refused comes last the next time, so that it holds up nothing else."""
        together = list(islice(self._unkept.items(), KEPT_TOGETHER))
        kept = ((incident, version.name, version.digest, version.data) for incident, version in together)
        troubles = await asyncio.gather(*(self._ledger.keep_file(*version) for version in kept), return_exceptions=True)
        for (incident, version), trouble in zip(together, troubles, strict=True):
            if self._unkept.get(incident) is version:
                del self._unkept[incident]
                if trouble is not None:
                    self._unkept[incident] = version
        for trouble in filter(None, troubles):
            raise trouble
