"""What commands need to work on incidents: the config that counts, the ledger if there is one, and how refusals are
told.
"""

import asyncio
import os
import shutil
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from pathlib import Path

import click

from tocsin.adapters.files import watch_mark
from tocsin.adapters.files.incident_writer import IncidentFiles
from tocsin.app.configuration.judge import JUDGED_SOON, load, not_judged
from tocsin.app.configuration.load import Configuration, label_of
from tocsin.cli.judging import bounded_child
from tocsin.cli.ledger_access import LedgerAccess, acts_on, open_ledger, seen_leader, works_on
from tocsin.cli.opened_config import Asked, judged_config
from tocsin.cli.options import fail, warn_of
from tocsin.domain.arrival import InboxEntry
from tocsin.domain.policy import Policy
from tocsin.formats.incident.file_name import incident_id
from tocsin.formats.settings.settings import Settings
from tocsin.ports.bounded_work import BoundedWork
from tocsin.ports.ledger.ledger import Ledger
from tocsin.ports.ledger.recorded import RecordedIncidents

WAITS, LOOKS_EVERY = 10.0, 0.2
"""Seconds for which is waited until the daemon has acted, and between two looks."""
NOT_YET = f"the daemon has not acted on it within {WAITS:.0f} s; it will as soon as it can, see its log"
ANSWERS_WITHIN = 3.0
"""Seconds for a folder to answer a command."""


def warn(sentence: str) -> None:
    """Tell what people should know besides what they asked for. What fits the terminal needs no laying out."""
    if len(sentence) > shutil.get_terminal_size().columns:
        from tocsin.cli.output.terminal.show import show

        show([sentence], err=True)
    elif sentence:
        click.echo(sentence, file=sys.stderr)


@dataclass(frozen=True, slots=True)
class Workspace:
    """What a command works on: the config that counts, and how the ledger can be got at."""

    loaded: Configuration
    access: LedgerAccess

    @property
    def policy(self) -> Policy:
        """Who is asked what, and when."""
        assert self.loaded.policy is not None
        return self.loaded.policy

    @property
    def settings(self) -> Settings:
        """Where things are, and how messages leave."""
        assert self.loaded.settings is not None
        return self.loaded.settings

    @property
    def ledger(self) -> Ledger | None:
        """The ledger, if there is one that can be read."""
        return self.access.ledger

    @property
    def incidents(self) -> RecordedIncidents | None:
        """What the ledger knows of incidents, if there is one that can be read."""
        return self.access.incidents

    def need_ledger(self, why: str) -> Ledger:
        """The ledger; ends with 1 where there is none to be read, saying `why` it is needed."""
        return self.access.ledger or self.access.refuse(why)

    def is_served(self) -> bool:
        """Whether a daemon works here, healthy or not."""
        return works_on(self.settings.ledger, self.settings.incidents)

    async def unserved(self) -> str:
        """That nobody would be paged, or that what is written here is seen by nobody, in a sentence; else empty."""
        if self.settings.database is not None:
            return "" if self.is_served() else "no daemon seems to run: nobody is paged until tocsin run is started"
        machines = await self.access.machines() if self.access.machines else None
        leader = seen_leader(machines) if machines else None
        if machines and leader is None:
            return "no machine leads: nobody is paged until one does (tocsin nodes)"
        if self.is_served():
            return ""
        others = f", though {leader} leads" if leader else ""
        return f"no healthy daemon seems to run on this machine{others}: what is written here is seen by nobody"

    async def has_healthy_daemon(self) -> bool:
        """Whether a healthy daemon runs here, which acts on what is left in the inbox. Raises LedgerError."""
        return await acts_on(self.settings.ledger, self.settings.incidents, self.ledger)


async def need_answer(folder: Path, instead: str) -> None:
    """End with 1 where a folder hangs, before anything is asked of it that would never come back (rule 62)."""
    from tocsin.adapters.files.disk_threads import DiskThreads, in_time

    if not await in_time(ANSWERS_WITHIN, DiskThreads("incident folder"), _ask, folder):
        label = label_of(folder)
        look = f"see whether its disk or server is alive: ls {label}"
        fail([f"the incident folder {label} does not answer ({look}); {instead}"])


def _ask(folder: Path) -> bool:
    """Ask a folder for its first name; whatever it says is an answer."""
    with suppress(OSError), os.scandir(folder) as entries:
        next(entries, None)
    return True


def nobody_watches(written: Path) -> Iterator[str]:
    """What is said of a file that no daemon will act on: that, and what to do."""
    folder = label_of(written.parent)
    yield (
        f"{label_of(written)} is written, but no healthy daemon watches {folder} (no {watch_mark.NAME} there is "
        f"younger than {watch_mark.FRESH.seconds} s): nobody hears of it until one does"
    )
    yield (
        "start it (tocsin run; systemctl start tocsin) or see in its log why it is not well; if it watches another "
        "folder, name its config by --config; where git carries the file to it, say --anyway"
    )


@asynccontextmanager
async def open_workspace(
    folder: Path,
    now: datetime,
    tell: Callable[[str], None] = warn,
    *,
    asked: Asked = Asked.ALL,
    loaded: Configuration | None = None,
) -> AsyncIterator[Workspace]:
    """The config that counts, and the ledger if there is one, to be read only. A refused config gives way to what
    counts of the last good one that the ledger keeps (rule 43); without one its problems are told and the command ends
    with 1. `asked` is what will be asked of the ledger; `loaded` is the config as it was just judged, if it was.
    """
    work = bounded_child()
    loaded = loaded or judged_config(folder, patience=JUDGED_SOON, asked=asked)
    access = await open_ledger(loaded.ledger, tell, asked)
    try:
        if loaded.policy is None or loaded.settings is None:
            if access.incidents and access.ledger is None:  # the last good config is asked of the whole
                await access.close()
                access = await open_ledger(loaded.ledger, tell)
            loaded = await _last_good(work, loaded, access.ledger, folder, now, tell)
        warn_of(loaded.errors)
        yield Workspace(loaded, access)
    finally:
        await access.close()


async def _last_good(
    work: BoundedWork,
    loaded: Configuration,
    ledger: Ledger | None,
    folder: Path,
    now: datetime,
    tell: Callable[[str], None],
) -> Configuration:
    """What counts of the last good config, or what there is of it to look at (nobody is told anything by these
    commands); where there is nothing, the one on disk if there was no time to judge it.
    """
    from tocsin.app.configuration.kept.judging import judge_kept
    from tocsin.app.configuration.kept.reading import in_part

    stored = await ledger.last_good_config() if ledger else None
    good = judge_kept(work, stored, loaded, folder, now, os.environ) if stored else None
    if good and good.remnant:
        tell(f"the config is refused ({loaded.errors[0]}), and no daemon would start by the last good one: {good.why}")
        return good.remnant
    if good is None or good.configuration.policy is None or good.configuration.settings is None:
        if not_judged(loaded):
            loaded = load(work, folder, now, os.environ)
        if loaded.policy is None or loaded.settings is None:
            fail([*loaded.problems, *([good.why] if good and good.why else [])])
        return loaded
    what = "cannot be judged at once" if not_judged(loaded) else "is refused"
    tell(f"the config {what} ({loaded.errors[0]}); the last good one is used, see tocsin check")
    if good.left_out:
        tell(in_part(good.left_out))
    return good.configuration


async def incident_named(
    written: str, files: IncidentFiles | None, ledger: RecordedIncidents | None, tell: Callable[[str], None] = warn
) -> str:
    """The id of the incident that somebody means by an id, any unambiguous start of one, or its file (P7); which it is
    taken for is told where that was not written. One that is not known is given back. Raises AmbiguousIncidentError.
    """
    from tocsin.app.incidents.incident_meant import NamedIncidents

    id_ = id_of(written)
    meant = await NamedIncidents(files, ledger).meant(id_)
    if meant != id_:
        tell(f"{id_} is {meant}")
    return meant


def id_of(written: str) -> str:
    """The id that somebody means who writes an id, or the incident's file."""
    name = Path(written).name
    return incident_id(name) if name != written or name.lower().endswith((".yaml", ".yml")) else written


class Left(Enum):
    """What became of it: the daemon acted; it has not, yet; no healthy one runs."""

    DONE = "done"
    WAITS = "waits"
    NO_DAEMON = "no daemon"


async def leave(
    entry: InboxEntry, inbox: Path, is_served: Callable[[], Awaitable[bool]], done: Callable[[], Awaitable[bool]]
) -> Left:
    """Leave it, and wait until it is `done`, if a healthy daemon runs (`is_served`). Raises LedgerError, InboxError."""
    from tocsin.adapters.clock import WallClock
    from tocsin.adapters.inbox.writer import InboxWriter

    await InboxWriter(inbox, WallClock()).leave(entry)
    if not await is_served():
        return Left.NO_DAEMON
    for _ in range(round(WAITS / LOOKS_EVERY)):
        if await done():
            return Left.DONE
        await asyncio.sleep(LOOKS_EVERY)
    return Left.WAITS
