"""The folder of incident files put together: as the only one there is, or as one of several machines', which leads or
stands by (section 9).
"""

import asyncio
from collections.abc import Callable, Set
from contextlib import suppress
from dataclasses import dataclass

import structlog

from tocsin.adapters.files.disk_threads import FOLDERS_WITHIN, DiskThreads, in_time
from tocsin.adapters.files.folder_memory import NAME, FileFolderMemory
from tocsin.adapters.files.incident_folder.watched_folder import WatchedFolder
from tocsin.adapters.files.incident_writer import IncidentFiles
from tocsin.adapters.files.watch_mark import FolderWatchedError
from tocsin.adapters.inbox.reader import InboxReader
from tocsin.adapters.ledger.ledger import SqlLedger
from tocsin.app.arrivals.inbox_feed import InboxFeed
from tocsin.app.configuration.load import label_of
from tocsin.app.hand_ins.from_memory.sent_elsewhere import SentElsewhere
from tocsin.app.hand_ins.handed_in import HandedIn, NoticesHandedIn
from tocsin.app.hand_ins.leading import shared_folders
from tocsin.app.hand_ins.standby_folder import FolderHandIn
from tocsin.app.hand_ins.standby_inbox import JudgedElsewhere, StandbyGate
from tocsin.app.intake.changes import Overwritten
from tocsin.app.intake.intake import Intake
from tocsin.app.intake.one_folder import OneFolder
from tocsin.app.intake.watch import Watch
from tocsin.app.lifecycle.folders import ConfigOnDisk
from tocsin.app.lifecycle.run import Part, Source
from tocsin.app.lifecycle.startup import StartError, recall
from tocsin.app.state.active_config import ActiveConfig
from tocsin.app.state.incidents import Incidents
from tocsin.app.state.notices import Notices
from tocsin.formats.settings.settings import Settings
from tocsin.ports.clock import Clock
from tocsin.ports.ledger.trouble import LedgerError

LOOKS_EVERY = 2.0
"""Seconds between two looks whether another config is on disk."""

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class WatchedParts:
    """What watches the folder, the parts that belong to it, and what a start waits for."""

    watch: Watch
    parts: tuple[Part, ...]
    sources: tuple[Source, ...]


async def watched_parts(  # noqa: PLR0913, PLR0917 - what was made before them
    machine: str,
    clock: Clock,
    ledger: SqlLedger,
    config: ActiveConfig,
    incidents: Incidents,
    notices: Notices,
    folder: WatchedFolder,
    put_back: Callable[[Overwritten], None],
    elsewhere: SentElsewhere,
    recalled: Set[int],
    begin_anew: Callable[[], None],
) -> WatchedParts:
    """The folder of who leads, and what the ledger recalls of incidents. `machine` is its name where there are others;
    empty: there is no other. `recalled`: the rows of what others had handed in when the ledger was. `begin_anew` ends
    this life for the next one. Raises LedgerError.
    """
    settings, recalled_here = config.settings, await recall(ledger, incidents, clock.now())
    label = label_of(settings.incidents)
    await elsewhere.look()
    if not machine:
        intake = Intake(recalled_here.known, label, recalled_here.finished)
        news = OneFolder(ledger, config, incidents, notices, put_back)
        watch = Watch(clock, config, notices, folder, intake, news)
        return WatchedParts(watch, (watch,), (watch,))
    place = machine, label, clock, ledger, config, incidents, notices, folder
    shared = await shared_folders(*place, folder_memory(settings), put_back, elsewhere, recalled, begin_anew)
    watch = Watch(clock, config, notices, folder, shared.intake, shared.news, shares=True)
    return WatchedParts(watch, (watch, shared.feed, *shared.beside), (watch, shared.feed))


def folder_memory(settings: Settings) -> FileFolderMemory:
    """What the files of the folder held last."""
    return FileFolderMemory(settings.state / NAME, settings.incidents)


@dataclass(frozen=True, slots=True)
class StandbyFolders:
    """The folder and the inbox of a machine while it stands by. It goes by the config on disk; where that cannot be
    used, by the last good one.
    """

    machine: str
    clock: Clock
    ledger: SqlLedger
    on_disk: ConfigOnDisk

    async def run(self) -> None:
        """Until cancelled; then the next daemon may watch the folder."""
        config = await self._usable_config()
        folder = WatchedFolder(config.settings.incidents, self.clock)
        try:
            with suppress(FolderWatchedError):  # by another machine, with which it may be shared
                await in_time(FOLDERS_WITHIN, folder.threads, folder.make)
            async with asyncio.TaskGroup() as tasks:
                for part in self._parts(config, folder):
                    tasks.create_task(part.run())
                tasks.create_task(self._follow(config))
        finally:
            await in_time(FOLDERS_WITHIN, folder.threads, folder.release)

    def _parts(self, config: ActiveConfig, watched: WatchedFolder) -> tuple[Part, ...]:
        clock, ledger, settings, notices = self.clock, self.ledger, config.settings, Notices(self.clock)
        handed_in, files = HandedIn(clock, ledger), IncidentFiles(settings.incidents)
        place = self.machine, label_of(settings.incidents), clock, config, notices, watched
        folder = FolderHandIn(
            *place, folder_memory(settings), ledger, ledger.store.generation, handed_in, files, DiskThreads("edits")
        )
        gate, elsewhere = StandbyGate(clock, config, ledger), JudgedElsewhere()
        reader = InboxReader(settings.inbox, settings.incidents)
        inbox = InboxFeed(clock, ledger, reader, gate, elsewhere, elsewhere, notices)
        return handed_in, folder, inbox, NoticesHandedIn(self.machine, notices, handed_in)

    async def _usable_config(self) -> ActiveConfig:
        told = ""
        while True:
            try:
                return ActiveConfig(*await self.on_disk.usable(self.ledger))
            except (LedgerError, StartError) as trouble:
                if str(trouble) != told:
                    log.warning("standby trouble", trouble=str(trouble))
                told = str(trouble)
            await asyncio.sleep(LOOKS_EVERY)

    async def _follow(self, config: ActiveConfig) -> None:
        """Another config on disk counts from when it was read."""
        known = self.on_disk.reading
        while True:
            await asyncio.sleep(LOOKS_EVERY)
            reading = self.on_disk.reading
            if reading is not known and reading.policy is not None and reading.settings is not None:
                config.replace(reading.policy, reading.settings)
            known = reading
