"""The folder of a machine that does not lead: watched like any other, and what counts there is handed in."""

import asyncio
from concurrent.futures import Executor

from tocsin.adapters.files.incident_writer import IncidentFiles
from tocsin.app.hand_ins.handed_in import HandedIn
from tocsin.app.hand_ins.machine_folder import MachineFolder, known_files
from tocsin.app.intake.intake import Intake, Overwritten
from tocsin.app.intake.older_saves import OlderSaves
from tocsin.app.intake.watch import Watch
from tocsin.app.state.active_config import ActiveConfig
from tocsin.app.state.notices import Notices
from tocsin.ports.clock import Clock
from tocsin.ports.folder import Folder, FolderMemory

ATTESTS_EVERY = 5.0
"""Seconds between two looks whether what is written into the folder gets on."""


class FolderHandIn:
    """Watches one folder. `label` is how operators know it, `files` how a save of an older text is mended."""

    def __init__(  # noqa: PLR0913, PLR0917 - whose folder it is, and where what is new goes
        self,
        machine: str,
        label: str,
        clock: Clock,
        config: ActiveConfig,
        notices: Notices,
        folder: Folder,
        memory: FolderMemory,
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
        self._handed_in = handed_in
        self._older_saves = OlderSaves(files, threads, notices)
        self._overwritten: asyncio.Queue[Overwritten] = asyncio.Queue()

    async def run(self) -> None:
        """Until cancelled."""
        remembered = await asyncio.get_running_loop().run_in_executor(self._folder.threads, self._memory.load)
        known, ended = known_files(remembered, self._config.policy)
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
        watch = Watch(self._clock, self._config, self._notices, self._folder, Intake(known, self._label, ended), news)
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(watch.run(), name="folder")
            tasks.create_task(self._attest(watch), name="folder attests")
            tasks.create_task(self._mend(), name="older saves")

    async def _attest(self, watch: Watch) -> None:
        """The folder may show that it is watched while the ledger takes what is handed in (P3)."""
        while True:
            if self._handed_in.is_well:
                watch.attest()
            await asyncio.sleep(ATTESTS_EVERY)

    async def _mend(self) -> None:
        while True:
            await self._older_saves.mend(await self._overwritten.get())
