"""What commands need to work on incidents: the config that counts, the ledger if there is one, and how refusals are
told.
"""

import os
import shutil
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Generic

import click

from tocsin.adapters.files import watch_mark
from tocsin.adapters.files.incident_writer import IncidentFiles
from tocsin.app.configuration.judge import JUDGED_SOON
from tocsin.app.configuration.load import Configuration, label_of
from tocsin.cli.ledger_access import L_co, LedgerAccess, Opener, Tell, open_file, seen_leader, works_on
from tocsin.cli.opened_config import Asked, judged_config
from tocsin.cli.options import fail, warn_of
from tocsin.domain.policy import Policy
from tocsin.formats.incident.file_name import incident_id
from tocsin.formats.settings.ledger_address import LedgerAddress
from tocsin.formats.settings.settings import Settings
from tocsin.ports.ledger.recorded import OpenedIncidents, RecordedIncidents

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
class Workspace(Generic[L_co]):
    """What a command works on: the config that counts, and how the ledger can be got at."""

    loaded: Configuration
    access: LedgerAccess[L_co]

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
    def ledger(self) -> L_co | None:
        """The ledger, or what of it was asked for, if there is one that can be read."""
        return self.access.ledger

    def need_ledger(self, why: str) -> L_co:
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


def nobody_watches(written: Path, *, away: bool = False) -> Iterator[str]:
    """What is said of a file that no healthy daemon will act on: that, and what to do. `away`: the database that
    machines share does not answer, so none is healthy, and one that runs acts on what it pages from memory (R54).
    """
    folder = label_of(written.parent)
    if away:
        yield (
            f"{label_of(written)} is written, but the database does not answer: a daemon that runs here acts "
            f"on what is newly declared in {folder}, and on nothing else there until the database is back"
        )
        yield "see to the database, and that the daemon runs (systemctl status tocsin); to answer a page, reply to it"
        return
    yield (
        f"{label_of(written)} is written, but no healthy daemon watches {folder} (no {watch_mark.NAME} there is "
        f"younger than {watch_mark.FRESH.seconds} s): nobody hears of it until one does"
    )
    yield (
        "start it (tocsin run; systemctl start tocsin) or see in its log why it is not well; if it watches another "
        "folder, name its config by --config; where git carries the file to it, say --anyway"
    )


async def open_incidents(address: LedgerAddress, tell: Tell) -> LedgerAccess[OpenedIncidents]:
    """What the ledger at its place knows of incidents; why one that is there cannot be read is told."""
    if address.file is None:
        from tocsin.cli.whole_ledger import open_ledger

        return await open_ledger(address, tell)
    return open_file(address.file, tell, _incidents_in)


def _incidents_in(file: Path) -> OpenedIncidents | None:
    """Raises LedgerError."""
    from tocsin.adapters.ledger.sqlite.file_reader import open_reader
    from tocsin.adapters.ledger.sqlite.reading.incidents import FileIncidents

    return open_reader(file, FileIncidents)


@asynccontextmanager
async def open_workspace(
    opener: Opener[L_co],
    folder: Path,
    now: datetime,
    tell: Tell = warn,
    *,
    loaded: Configuration | None = None,
) -> AsyncIterator[Workspace[L_co]]:
    """The config that counts, and the ledger if there is one, as `opener` opens it. A refused config gives way to what
    counts of the last good one that the ledger keeps (rule 43); without one its problems are told and the command ends
    with 1. Where machines share the ledger that one counts wherever this machine's is another (P9). `loaded` is the
    config as it was just judged, if it was.
    """
    asked = Asked.INCIDENTS if opener is open_incidents else Asked.ALL
    loaded = loaded or judged_config(folder, patience=JUDGED_SOON, asked=asked)
    access = await opener(loaded.ledger, tell)
    try:
        if loaded.policy is None or loaded.settings is None:
            from tocsin.cli.whole_ledger import last_good

            loaded = await last_good(loaded, access.ledger, folder, now, tell)
        elif access.ledger is not None and loaded.ledger.server:
            from tocsin.cli.whole_ledger import in_force

            loaded = await in_force(loaded, access.ledger, folder, now, tell)
        warn_of(loaded.errors)
        yield Workspace(loaded, access)
    finally:
        await access.close()


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
