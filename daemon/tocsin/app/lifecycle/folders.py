"""The folders at a start: read, made and claimed, none of them waited for when it hangs (rule 62).

It decides how long each is waited for, and which of them refuses a start.
"""

import asyncio
from collections.abc import Mapping
from concurrent.futures import Executor
from datetime import datetime
from pathlib import Path
from typing import ParamSpec, Protocol, TypeVar

from tocsin.adapters.files.disk_threads import FOLDERS_WITHIN, in_time
from tocsin.adapters.files.fingerprint import Fingerprint, fingerprint
from tocsin.adapters.files.rights import is_file
from tocsin.adapters.files.watch_mark import FolderWatchedError
from tocsin.app.configuration.config_judge import ConfigJudge
from tocsin.app.configuration.judge import JUDGED_SOON, not_judged
from tocsin.app.configuration.load import ConfigFiles, Configuration, counted, digest_of, read_files, unanswered
from tocsin.app.leadership.this_node import compared_revision
from tocsin.app.lifecycle.startup import Started, StartError, load_at_start
from tocsin.domain.policy import Policy
from tocsin.formats.settings.ledger_address import LedgerAddress
from tocsin.formats.settings.settings import Settings
from tocsin.ports.clock import Clock
from tocsin.ports.ledger.ledger import ConfigLedger

CONFIG_WITHIN = 10.0
"""Seconds for the config folder to answer; then the start goes on with the last good config."""

T = TypeVar("T")
P = ParamSpec("P")


class ClaimedFolder(Protocol):
    """The folder of incidents, as a start takes it."""

    @property
    def threads(self) -> Executor | None:
        """Where what blocks is to be done."""
        ...

    def make(self) -> str:
        """Make it if it is missing, and keep other daemons away; empty, or why it cannot be made. It blocks. Raises
        FolderWatchedError.
        """
        ...


async def read_config(
    folder: Path,
    environ: Mapping[str, str],
    now: datetime,
    threads: Executor,
    judge: ConfigJudge,
    patience: float | None = JUDGED_SOON,
) -> tuple[Fingerprint, Configuration]:
    """The config on disk, and the folder's fingerprint from before it was read. One that is not judged soon counts as
    unread, if not said otherwise: open incidents do not wait for it.
    """

    def read() -> tuple[Fingerprint, ConfigFiles]:
        return fingerprint((folder,)), read_files(folder)

    before, found = await in_time(CONFIG_WITHIN, threads, read) or (frozenset(), unanswered(folder))
    return before, await judge.config(found, folder, now, environ, patience)


class ConfigOnDisk:
    """The config on disk as a start takes it: `reading`, and the folder's fingerprint from `before` it was read. One
    that is not judged soon gives way to the last good one, so that open incidents do not wait; where there is none that
    counts, it is waited for.
    """

    def __init__(
        self, folder: Path, environ: Mapping[str, str], clock: Clock, threads: Executor, judge: ConfigJudge
    ) -> None:
        self.folder = folder
        self._environ = environ
        self._clock = clock
        self._threads = threads
        self._judge = judge
        self.before: Fingerprint = frozenset()
        self.reading = Configuration(None, None, (), LedgerAddress())

    def by(self, clock: Clock) -> "ConfigOnDisk":
        """The same, by another clock."""
        same = ConfigOnDisk(self.folder, self._environ, clock, self._threads, self._judge)
        same.before, same.reading = self.before, self.reading
        return same

    async def read(self, patience: float | None = JUDGED_SOON) -> None:
        """Read it anew."""
        self.before, self.reading = await read_config(
            self.folder, self._environ, self._clock.now(), self._threads, self._judge, patience
        )

    @property
    def revision(self) -> str:
        """That of what was read, as machines that share a ledger compare it."""
        return compared_revision(self.reading.revision, digest_of(counted(self.reading.files, shared=True)))

    @property
    def own(self) -> Settings:
        """What is this machine's own, whatever else is wrong with the config: where machines share a ledger, that is
        never kept (P9). Raises StartError.
        """
        if self.reading.own is None:
            raise StartError(*self.reading.errors)
        return self.reading.own

    async def fingerprint(self) -> Fingerprint:
        """What tells a changed folder from one that rests; one that does not answer rests."""
        now = await in_time(CONFIG_WITHIN, self._threads, fingerprint, (self.folder,))
        return self.before if now is None else now

    async def ledger(self, threads: Executor) -> LedgerAddress:
        """Where the ledger lies, or is to be made. Raises StartError."""
        place = await ledger_of(self.reading, threads)
        if place is None and not_judged(self.reading):
            await self.read(None)
            place = await ledger_of(self.reading, threads)
        if place is None:
            raise StartError(*self.reading.errors)
        return place

    async def started(self, ledger: ConfigLedger) -> Started:
        """The config in force from this start on. Raises StartError."""
        try:
            return await self._started(ledger)
        except StartError:
            if not not_judged(self.reading):
                raise
        await self.read(None)
        return await self._started(ledger)

    async def usable(self, ledger: ConfigLedger) -> tuple[Policy, Settings]:
        """By what this machine goes while it stands by: the config on disk if it is good, else what counts of the last
        good one. Raises StartError and LedgerError.
        """
        if self.reading.policy is not None and self.reading.settings is not None:
            return self.reading.policy, self.reading.settings
        started = await self.started(ledger)
        return started.policy, started.settings

    async def _started(self, ledger: ConfigLedger) -> Started:
        now, shared = self._clock.now(), bool(self.reading.ledger.server)
        return await load_at_start(self.reading, ledger, self.folder, self._environ, now, self._judge, shared=shared)


async def ledger_of(reading: Configuration, threads: Executor) -> LedgerAddress | None:
    """Where the ledger lies, or is to be made. None when there is none to give a config that cannot be used a last good
    one, or its disk does not answer.
    """
    if reading.policy is not None:
        return reading.ledger
    for place in (reading.ledger, *reading.elsewhere):
        if place.file is None or await in_time(FOLDERS_WITHIN, threads, is_file, place.file):
            return place
    return None


async def prepare_folders(
    started: Started, incidents: ClaimedFolder, threads: Executor, *, shared: bool = False
) -> None:
    """Folders that are missing are made, and the one of incidents is this daemon's alone (rule 72), but where the
    ledger is `shared`: machines may share the folder too (P3), and the lease decides. At a first start
    one that cannot be made is an error; later those who use it tell of it, and open incidents go on. Raises StartError.
    """
    settings = started.settings
    try:
        troubles = await asyncio.gather(
            in_time(FOLDERS_WITHIN, incidents.threads, incidents.make),
            *(in_time(FOLDERS_WITHIN, threads, _make, path) for path in (settings.reviews, settings.outbox)),
        )
    except FolderWatchedError as other:
        if not shared:
            raise StartError(other) from None
        return
    if started.first and any(troubles):
        raise StartError(*filter(None, troubles))


def _make(folder: Path) -> str:
    """Make a folder that is missing; empty, or why it cannot be made."""
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    except OSError as trouble:
        return f"the folder {folder} cannot be made: {trouble.strerror}"
    return ""
