"""The folder of incident files, looked through whenever it may have changed, and what that brings.

It decides when to look; what counts is the intake's judgement, and what follows from it the plan's. It must not know
what a version says.
"""

import asyncio
import contextlib
from collections.abc import Mapping
from datetime import datetime

from tocsin.app.intake.intake import Changes, Intake
from tocsin.app.state.active_config import ActiveConfig
from tocsin.app.state.incidents import Incidents
from tocsin.app.state.notices import Notices
from tocsin.domain.facts import Gone, Seen
from tocsin.ports.clock import Clock
from tocsin.ports.folder import Folder, Listed
from tocsin.ports.ledger import FileLedger, LedgerError

RESCAN_EVERY = 10.0
"""Seconds after which the folder is looked through even if nothing pokes: not every file system tells."""
KEPT_TOGETHER = 500
"""Versions given to the ledger at once."""


class Watch:
    """Looks through the folder, in a thread, and passes on what is new. `alive_at` is when it last did."""

    def __init__(
        self,
        clock: Clock,
        ledger: FileLedger,
        config: ActiveConfig,
        incidents: Incidents,
        notices: Notices,
        folder: Folder,
        intake: Intake,
    ) -> None:
        self._folder = folder
        self._intake = intake
        self._clock = clock
        self._ledger = ledger
        self._config = config
        self._incidents = incidents
        self._notices = notices
        self._poked, self._some = asyncio.Event(), asyncio.Event()
        self._unkept: list[tuple[str, str, str, bytes]] = []
        self._next_look: datetime | None = None
        self.alive_at = clock.now()

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
        changes, listed = await asyncio.to_thread(self._observe)
        now = self._clock.now()
        for version in changes.versions:
            self._incidents.add_event(version.incident.id, Seen(now, version.incident, version.digest))
        for incident in changes.gone:
            self._incidents.add_event(incident, Gone(now))
        for notice in changes.notices:
            self._notices.tell(notice)
        self._next_look = changes.next_look
        self.alive_at = now
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
                keeping = (self._ledger.keep_file(*version) for version in together)
                with contextlib.suppress(LedgerError):
                    await asyncio.gather(*keeping)

    def _observe(self) -> tuple[Changes, Mapping[str, Listed]]:
        listing = self._folder.scan()
        changes = self._intake.observe(listing, self._clock.now(), self._config.policy)
        return changes, {} if isinstance(listing, str) else {file.name: file for file in listing}

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
