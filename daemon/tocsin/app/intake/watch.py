"""Watch: the folder of incident files, looked through whenever it may have changed, and what that brings.

It decides when to look; what counts is the intake's judgement, and what follows from it the plan's. It must not know
what a version says.
"""

import asyncio
import contextlib
from collections.abc import Mapping
from datetime import datetime

from tocsin.app.engine.engine import Engine
from tocsin.app.intake.intake import Changes, Intake
from tocsin.domain.facts import Gone, Seen
from tocsin.ports.folder import Folder, Listed
from tocsin.ports.ledger import LedgerError

RESCAN_EVERY = 10.0
"""Seconds after which the folder is looked through even if nothing pokes: not every file system tells."""
KEPT_TOGETHER = 500
"""Versions given to the ledger at once."""


class Watch:
    """Looks through the folder, a thread's work, and passes on what is new."""

    def __init__(
        self,
        folder: Folder,
        intake: Intake,
        engine: Engine,
    ) -> None:
        self._folder = folder
        self._intake = intake
        self._engine = engine
        self._clock = engine.clock
        self._poked, self._some = asyncio.Event(), asyncio.Event()
        self._unkept: list[tuple[str, str, str, bytes]] = []
        self._next_look: datetime | None = None
        self.scanned_at = engine.clock.now()

    def poke(self) -> None:
        """Something may have changed: the folder, or the config by which it is read."""
        self._poked.set()

    async def run(self) -> None:
        """Until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._listen(), name="folder pokes")
            tasks.create_task(self._looks(), name="folder scans")
            tasks.create_task(self._keeps(), name="folder keeps")

    async def scan(self) -> None:
        """Look through the folder once."""
        self._poked.clear()
        changes, listed = await asyncio.to_thread(self._take)
        now = self._clock.now()
        for version in changes.versions:
            self._engine.learn(version.incident.id, Seen(now, version.incident, version.digest))
        for incident in changes.gone:
            self._engine.learn(incident, Gone(now))
        for trouble in changes.troubles:
            self._engine.tell(trouble)
        self._next_look = changes.next_look
        self.scanned_at = now
        for version in changes.versions:
            file = listed.get(version.file)
            if file is not None and file.data and not version.incident.unreadable:
                self._unkept.append((version.incident.id, version.file, version.digest, file.data))
        self._some.set()

    async def _keeps(self) -> None:
        """Let the ledger have the bytes of readable versions, in good time. A miss is a small loss: facts hold them."""
        while True:
            await self._some.wait()
            self._some.clear()
            while together := self._unkept[:KEPT_TOGETHER]:
                del self._unkept[:KEPT_TOGETHER]
                keeping = (self._engine.ledger.keep_file(*each) for each in together)
                with contextlib.suppress(LedgerError):
                    await asyncio.gather(*keeping)

    def _take(self) -> tuple[Changes, Mapping[str, Listed]]:
        listing = self._folder.scan()
        changes = self._intake.take(listing, self._clock.now(), self._engine.policy())
        return changes, {} if isinstance(listing, str) else {each.name: each for each in listing}

    async def _listen(self) -> None:
        async for _ in self._folder.pokes():
            self._poked.set()

    async def _looks(self) -> None:
        while True:
            wait = RESCAN_EVERY
            if self._next_look is not None:
                wait = min(wait, max(0.0, (self._next_look - self._clock.now()).total_seconds()))
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(wait):
                    await self._poked.wait()
            await self.scan()
