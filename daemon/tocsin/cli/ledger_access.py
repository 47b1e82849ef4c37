"""The ledger as commands and the web side get at it, whichever kind it is: to be read only. What they have to say they
leave in a file or in the inbox, so nothing here writes.

Decides how a ledger is opened beside the daemon, and what is said where it cannot be. Its libraries are not waited for
before there is one.
"""

import asyncio
import socket
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import NoReturn, Protocol

from tocsin.adapters.files import watch_mark
from tocsin.adapters.files.rights import closed, is_file
from tocsin.app.configuration.load import Configuration
from tocsin.cli.opened_config import Asked
from tocsin.cli.options import fail, utc_now
from tocsin.formats.config.file_names import SETTINGS
from tocsin.formats.settings.ledger_address import LedgerAddress, read_address
from tocsin.formats.settings.settings import Settings, reply_routes
from tocsin.ports.leadership import LedgerAwayError, Machines
from tocsin.ports.ledger.ledger import Ledger
from tocsin.ports.ledger.reading import LedgerReader, OpenedAddresses
from tocsin.ports.ledger.recorded import OpenedIncidents
from tocsin.ports.ledger.trouble import LedgerError

NO_DRIVER = "PostgreSQL's driver is not installed here; install it: pip install 'tocsin[postgres]'"
HEALTHY_WITHIN = timedelta(seconds=30)
"""How old the last healthy pass of a daemon may be that is waited for."""


@dataclass(frozen=True, slots=True)
class LedgerAccess:
    """The ledger, if there is one that can be read; `incidents` and `addresses` are what knows these alone, or the
    same. `barred`: there is one, but not for us. `absent`: there is none yet, as no daemon has run. `trouble` is what
    is wrong with one that is there, in a line; `lacking`: only here, or only now (no password, no way to the server,
    another version that keeps it). `newer`: it is read, but a newer version keeps it.
    """

    ledger: Ledger | None = None
    incidents: OpenedIncidents | None = None
    addresses: OpenedAddresses | None = None
    barred: bool = False
    absent: bool = False
    trouble: str = ""
    lacking: bool = False
    newer: str = ""
    machines: Callable[[], Awaitable[Machines]] | None = None

    @property
    def is_reached(self) -> bool:
        """Whether the ledger was found to be one, or to be still empty, whichever version keeps it."""
        return self.machines is not None or not self.trouble

    async def close(self) -> None:
        """Let go of it."""
        opened = self.incidents or self.addresses
        if opened is not None:
            await opened.close()

    def refuse(self, why: str) -> NoReturn:
        """End with 1 where nothing can be done without the ledger; that it cannot be read was told already."""
        fail([f"there is no ledger yet; {why}" if self.absent else why])


class SharedReading(Protocol):
    """The ledger for a process that stays: given anew whenever it is asked for."""

    def __call__(self) -> LedgerReader:
        """The ledger. Raises LedgerError while there is none."""
        ...

    @property
    def machines(self) -> Callable[[], Awaitable[Machines]] | None:
        """The machines that share it; None where it lies in a file."""
        ...

    async def close(self) -> None:
        """Let go of it."""
        ...


async def open_ledger(address: LedgerAddress, tell: Callable[[str], None], asked: Asked = Asked.ALL) -> LedgerAccess:
    """The ledger at its place; why one that is there cannot be read is told. Of one in a file only that is opened which
    is `asked`.
    """
    if address.file is None:
        access = await _open_server(address)
        if access.trouble:
            tell(f"the ledger cannot be read ({access.trouble}); going on with the files alone")
        if access.newer:
            tell(f"{access.newer}; what only that one knows is not shown")
        return access
    if why := closed(address.file):
        tell(f"the ledger {address.file} {why}; going on with the files alone")
        return LedgerAccess(barred=True)
    if not is_file(address.file):
        return LedgerAccess(absent=True)
    try:
        if asked is Asked.INCIDENTS:
            from tocsin.adapters.ledger.sqlite.file_reader import open_reader
            from tocsin.adapters.ledger.sqlite.reading.incidents import FileIncidents

            return LedgerAccess(incidents=open_reader(address.file, FileIncidents))
        if asked is Asked.ADDRESSES:
            from tocsin.adapters.ledger.sqlite.file_reader import open_reader
            from tocsin.adapters.ledger.sqlite.reading.addresses import FileAddresses

            return LedgerAccess(addresses=open_reader(address.file, FileAddresses))
        from tocsin.adapters.ledger.ledger import SqlLedger
        from tocsin.adapters.ledger.sqlite.keeping import FileStore
        from tocsin.adapters.ledger.sqlite.opening import open_existing

        opened = open_existing(address.file)
    except LedgerError as trouble:
        tell(f"the ledger cannot be read ({trouble}); going on without it")
        return LedgerAccess(trouble=str(trouble))
    ledger = SqlLedger(FileStore(opened)) if opened else None
    return LedgerAccess(ledger, ledger, ledger)


async def _open_server(address: LedgerAddress) -> LedgerAccess:
    try:
        from tocsin.adapters.ledger.ledger import SqlLedger
        from tocsin.adapters.ledger.postgresql.address import ServerAddress
        from tocsin.adapters.ledger.postgresql.faults import NONE_GIVEN
        from tocsin.adapters.ledger.postgresql.nodes import read_machines
        from tocsin.adapters.ledger.postgresql.opening import (
            EmptyDatabaseError,
            OtherVersionError,
            machines_of,
            open_server_to_read,
        )
        from tocsin.adapters.ledger.postgresql.server import ServerStore
    except ImportError:
        return LedgerAccess(barred=True, trouble=NO_DRIVER)
    server = ServerAddress(address.server, address.password)
    try:
        opened = open_server_to_read(server)
        store = ServerStore(opened)
    except EmptyDatabaseError:
        return LedgerAccess(absent=True)
    except OtherVersionError as trouble:
        machines = partial(asyncio.to_thread, machines_of, server)
        return LedgerAccess(barred=True, trouble=str(trouble), lacking=True, machines=machines)
    except LedgerError as trouble:
        lacking = isinstance(trouble, LedgerAwayError) or (not address.password and NONE_GIVEN in str(trouble))
        return LedgerAccess(barred=True, trouble=str(trouble), lacking=lacking)
    ledger = SqlLedger(store)
    return LedgerAccess(ledger, ledger, ledger, newer=opened.newer, machines=lambda: store.read(read_machines))


async def share_ledger(address: LedgerAddress) -> SharedReading:
    """The ledger for the web side. Raises LedgerError where it can never be read here."""
    if address.file is not None:
        from tocsin.adapters.ledger.sqlite.shared import SharedLedger

        return SharedLedger(address.file)
    try:
        from tocsin.adapters.ledger.postgresql.address import ServerAddress
        from tocsin.adapters.ledger.postgresql.shared import SharedServer
    except ImportError:
        raise LedgerError(NO_DRIVER) from None
    shared = SharedServer(ServerAddress(address.server, address.password))
    await shared.begin()
    return shared


def works_on(address: LedgerAddress, incidents: Path) -> bool:
    """Whether a daemon works on this ledger here, healthy or not; with a server, whether a healthy one watches the
    folder of incidents on this machine (P3).
    """
    if address.file is None:
        return is_watched(incidents)
    from tocsin.adapters.ledger.sqlite.lock import is_locked

    return is_locked(address.file)


def is_watched(incidents: Path) -> bool:
    """Whether a healthy daemon watches a folder of incidents, by the age of its mark there."""
    try:
        return abs(utc_now() - watch_mark.renewed_at(incidents / watch_mark.NAME)) <= watch_mark.FRESH
    except OSError:
        return False


def trouble_of_writing(loaded: Configuration) -> str:
    """Why a daemon could not write a ledger on a server, without changing anything there; empty: it could, or the role
    that is entered by here is another one than tocsin.yaml names, which is the daemon's. Where that names no server,
    the daemon has this address too.
    """
    from tocsin.adapters.ledger.postgresql.address import ServerAddress
    from tocsin.adapters.ledger.postgresql.opening import look_before_writing
    from tocsin.text.yaml import read_yaml

    document = read_yaml(loaded.files.get(SETTINGS, b""), SETTINGS).value
    try:
        written = document.get("ledger") if isinstance(document, dict) else None
        own = read_address(str(written)) if written else None
        if own is None or own.file is not None or own.role == loaded.ledger.role:
            look_before_writing(ServerAddress(loaded.ledger.server, loaded.ledger.password))
    except (LedgerError, ValueError) as trouble:
        return str(trouble)
    return ""


def seen_leader(machines: Machines) -> str | None:
    """The name of the machine that leads."""
    from tocsin.app.doctor.machines import seen

    return seen(machines).leader


async def misfits(access: LedgerAccess, settings: Settings) -> tuple[str, list[str]]:
    """What is wrong where a machine that shares the ledger has this one's name and folder (R43), which is all that ends
    a start; and what else of this one and the others does not go together. Raises LedgerError.
    """
    if access.machines is None:
        return "", []
    from tocsin.app.doctor.machines import differences, is_grave, seen, stranger, taken_by_another
    from tocsin.app.leadership.this_node import key_fingerprint

    machines, incidents = await access.machines(), settings.incidents
    name, folder, runs_here = settings.node or socket.gethostname(), str(incidents), is_watched(incidents)
    key = key_fingerprint(reply_routes(settings).keys)
    return taken_by_another(machines, name, folder, runs_here=runs_here), [
        *stranger(machines, name, folder, key, runs_here=runs_here),
        *filter(is_grave, differences(seen(machines).nodes)),
    ]


async def acts_on(address: LedgerAddress, incidents: Path, ledger: Ledger | None) -> bool:
    """Whether a healthy daemon runs here, which acts on what is left in the inbox: with a file the one that writes the
    ledger, with a server this machine's, which leads or hands in. Raises LedgerError.
    """
    if address.file is None:
        return is_watched(incidents)
    from tocsin.app.lifecycle.health import HEALTHY

    healthy_at = await ledger.noticed_at(HEALTHY) if ledger else None
    return healthy_at is not None and abs(utc_now() - healthy_at) <= HEALTHY_WITHIN
