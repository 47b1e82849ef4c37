"""The folders of several machines, as the one that leads has them: its own is judged as those of the others are."""

import asyncio
from collections.abc import Callable, Set
from dataclasses import dataclass
from typing import Protocol

from tocsin.app.hand_ins.feed import HandInFeed, JudgesSent
from tocsin.app.hand_ins.file_versions import FileVersions
from tocsin.app.hand_ins.machine_folder import MachineFolder, known_files
from tocsin.app.hand_ins.own_files import OwnFiles
from tocsin.app.intake.changes import Overwritten
from tocsin.app.intake.intake import Intake
from tocsin.app.intake.newest_files import NewestFiles
from tocsin.app.state.active_config import ActiveConfig
from tocsin.app.state.incidents import Incidents
from tocsin.app.state.notices import Notices
from tocsin.ports.clock import Clock
from tocsin.ports.folder import Folder, FolderMemory
from tocsin.ports.ledger.ledger import ArrivalLedger, IncidentLedger


class FolderLedger(IncidentLedger, ArrivalLedger, Protocol):
    """What is known of incidents, and what was handed in."""


@dataclass(frozen=True, slots=True)
class SharedFolders:
    """What compares the own files, where their news goes, what brings what others hand in; and what runs beside."""

    intake: Intake
    news: MachineFolder
    feed: HandInFeed
    beside: tuple[OwnFiles, NewestFiles]


async def shared_folders(  # noqa: PLR0913, PLR0917 - what was made before them
    machine: str,
    label: str,
    clock: Clock,
    ledger: FolderLedger,
    config: ActiveConfig,
    incidents: Incidents,
    notices: Notices,
    folder: Folder,
    memory: FolderMemory,
    put_back: Callable[[Overwritten], None],
    elsewhere: JudgesSent,
    recalled: Set[int],
    begin_anew: Callable[[], None],
) -> SharedFolders:
    """The folders, as a machine of that name begins to lead. The file of an incident that is set aside is looked at as
    if it were new (rule 63), and what the ledger has lost is handed in again. Raises LedgerError.
    """
    kept = NewestFiles(ledger)
    versions = FileVersions(clock, ledger, config, incidents, notices, kept)
    loaded = await asyncio.get_running_loop().run_in_executor(folder.threads, memory.load)
    remembered = {id_: file for id_, file in loaded.items() if not incidents.is_set_aside(id_)}
    known, ended = await known_files(remembered, config.policy, folder.threads)
    own = OwnFiles(clock, ledger, versions, incidents)
    news = MachineFolder(machine, remembered, memory, folder.threads, own, notices, put_back, config)
    await news.compare(ledger)
    feed = HandInFeed(ledger, versions, elsewhere, notices, recalled, begin_anew)
    return SharedFolders(Intake(known, label, ended), news, feed, (own, kept))
