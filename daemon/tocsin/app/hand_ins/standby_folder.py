"""The folder of a machine that does not lead: watched like any other, and what counts there is handed in."""

import asyncio
from collections.abc import Awaitable, Callable
from concurrent.futures import Executor
from contextlib import suppress
from datetime import datetime, timedelta

from tocsin.adapters.files.incident_writer import IncidentFiles
from tocsin.app.hand_ins.borne_out import VersionLedger
from tocsin.app.hand_ins.handed_in import HandedIn
from tocsin.app.hand_ins.machine_folder import MachineFolder, known_files
from tocsin.app.intake.changes import Overwritten
from tocsin.app.intake.intake import Intake
from tocsin.app.intake.own_writes.older_saves import OlderSaves
from tocsin.app.intake.watch import Watch
from tocsin.app.state.active_config import ActiveConfig
from tocsin.app.state.notices import Notices
from tocsin.ports.clock import Clock
from tocsin.ports.folder import Folder, FolderMemory
from tocsin.ports.ledger.trouble import LedgerError

ATTESTS_EVERY = 5.0
"""Seconds between two looks whether what is written into the folder gets on."""
LOOKS_EVERY = 2.0
"""Seconds between two looks whether the ledger has lost something."""
WAITS = 5.0
"""Seconds that the first look at the folder waits for the ledger."""
ANSWERED_WITHIN = timedelta(seconds=30)
"""How old the ledger's last answer may be while the folder is shown to be watched."""


class FolderHandIn:
    """Watches one folder. `label` is how operators know it, `files` how a save of an older text is mended. `generation`
    gives what changes whenever the ledger may have lost something that this process knows to have been there; it raises
    LedgerError.
    """

    def __init__(  # noqa: PLR0913, PLR0917 - whose folder it is, and where what is new goes
        self,
        machine: str,
        label: str,
        clock: Clock,
        config: ActiveConfig,
        notices: Notices,
        folder: Folder,
        memory: FolderMemory,
        ledger: VersionLedger,
        generation: Callable[[], Awaitable[str]],
        handed_in: HandedIn,
        files: IncidentFiles,
        threads: Executor | None,
    ) -> None:
        self._machine = machine
        self._label = label
        self._clock = clock
        self._config = config
        self._notices = notices
        self._folder = folder
        self._memory = memory
        self._ledger = ledger
        self._generation = generation
        self._handed_in = handed_in
        self._older_saves = OlderSaves(files, threads, notices)
        self._overwritten: asyncio.Queue[Overwritten] = asyncio.Queue()
        self._compared_with = ""
        self._answered_at: datetime | None = None

    async def run(self) -> None:
        """Until cancelled."""
        remembered = await asyncio.get_running_loop().run_in_executor(self._folder.threads, self._memory.load)
        known, ended = await known_files(remembered, self._config.policy, self._folder.threads)
        news = MachineFolder(
            self._machine,
            remembered,
            self._memory,
            self._folder.threads,
            self._handed_in,
            self._notices,
            self._overwritten.put_nowait,
            self._config,
        )
        with suppress(TimeoutError):
            async with asyncio.timeout(WAITS):
                await self._compare(news)
        intake = Intake(known, self._label, ended)
        watch = Watch(self._clock, self._config, self._notices, self._folder, intake, news, shares=True)
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(watch.run(), name="folder")
            tasks.create_task(self._keep_comparing(news, watch), name="ledger comparisons")
            tasks.create_task(self._attest(watch), name="folder attests")
            tasks.create_task(self._mend(), name="older saves")

    async def _keep_comparing(self, news: MachineFolder, watch: Watch) -> None:
        while True:
            await asyncio.sleep(LOOKS_EVERY)
            if await self._compare(news):
                watch.poke()

    async def _compare(self, news: MachineFolder) -> bool:
        """Whether the ledger was another than before: then it is compared with what was handed in."""
        with suppress(LedgerError):
            generation = await self._generation()
            self._answered_at = self._clock.now()
            if generation != self._compared_with:
                await news.compare(self._ledger)
                self._compared_with = generation
                return True
        return False

    async def _attest(self, watch: Watch) -> None:
        """The folder may show that it is watched while the ledger answers, and takes what is handed in (P3)."""
        while True:
            answered_at = self._answered_at
            lately = answered_at is not None and self._clock.now() - answered_at <= ANSWERED_WITHIN
            if lately and self._handed_in.is_well:
                watch.attest()
            await asyncio.sleep(ATTESTS_EVERY)

    async def _mend(self) -> None:
        while True:
            await self._older_saves.mend(await self._overwritten.get())
