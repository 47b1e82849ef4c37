"""What commands need that ask the whole ledger, or leave something in the inbox: types and libraries that nobody waits
for who only looks at incidents or answers for one.

Decides how a ledger of either kind is opened beside the daemon.
"""

import asyncio
import os
import socket
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import datetime, timedelta
from enum import Enum
from functools import partial
from pathlib import Path
from typing import Protocol

from tocsin.app.configuration.judge import load, not_judged
from tocsin.app.configuration.load import Configuration, counted, digest_of
from tocsin.cli.judging import bounded_child
from tocsin.cli.ledger_access import LedgerAccess, SomeLedger, Tell, is_watched, open_file
from tocsin.cli.options import fail, utc_now
from tocsin.domain.arrival import InboxEntry
from tocsin.formats.config.file_names import SETTINGS
from tocsin.formats.settings.ledger_address import LedgerAddress, read_address
from tocsin.formats.settings.settings import Settings, reply_routes
from tocsin.ports.leadership import LedgerAwayError, Machines
from tocsin.ports.ledger.ledger import KeptConfig, Ledger
from tocsin.ports.ledger.reading import LedgerReader, OpenedAddresses
from tocsin.ports.ledger.trouble import LedgerError

NO_DRIVER = "PostgreSQL's driver is not installed here; install it: pip install 'tocsin[postgres]'"
WAITS, LOOKS_EVERY = 10.0, 0.2
"""Seconds for which is waited until the daemon has acted, and between two looks."""
NOT_YET = f"the daemon has not acted on it within {WAITS:.0f} s; it will as soon as it can, see its log"
HEALTHY_WITHIN = timedelta(seconds=30)
"""How old the last healthy pass of a daemon may be that is waited for."""


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


async def open_ledger(address: LedgerAddress, tell: Tell) -> LedgerAccess[Ledger]:
    """The ledger at its place; why one that is there cannot be read is told."""
    if address.file is not None:
        return open_file(address.file, tell, _ledger_in)
    access = await _open_server(address)
    if access.trouble:
        tell(f"the ledger cannot be read ({access.trouble}); going on with the files alone")
    if access.newer:
        tell(f"{access.newer}; what only that one knows is not shown")
    return access


def _ledger_in(file: Path) -> Ledger | None:
    """Raises LedgerError."""
    from tocsin.adapters.ledger.ledger import SqlLedger
    from tocsin.adapters.ledger.sqlite.keeping import FileStore
    from tocsin.adapters.ledger.sqlite.opening import open_existing

    opened = open_existing(file)
    return SqlLedger(FileStore(opened)) if opened else None


async def open_addresses(address: LedgerAddress, tell: Tell) -> LedgerAccess[OpenedAddresses]:
    """What the ledger at its place knows of addresses; why one that is there cannot be read is told."""
    if address.file is None:
        return await open_ledger(address, tell)
    return open_file(address.file, tell, _addresses_in)


def _addresses_in(file: Path) -> OpenedAddresses | None:
    """Raises LedgerError."""
    from tocsin.adapters.ledger.sqlite.file_reader import open_reader
    from tocsin.adapters.ledger.sqlite.reading.addresses import FileAddresses

    return open_reader(file, FileAddresses)


async def _open_server(address: LedgerAddress) -> LedgerAccess[Ledger]:
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
        away = isinstance(trouble, LedgerAwayError)
        lacking = away or (not address.password and NONE_GIVEN in str(trouble))
        return LedgerAccess(barred=True, trouble=str(trouble), lacking=lacking, away=away)
    ledger = SqlLedger(store)
    return LedgerAccess(ledger, newer=opened.newer, machines=lambda: store.read(read_machines))


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


async def last_good(
    loaded: Configuration, opened: SomeLedger | None, folder: Path, now: datetime, tell: Tell
) -> Configuration:
    """What counts of the last good config, or what there is of it to look at (nobody is told anything by these
    commands); where there is nothing, the one on disk if there was no time to judge it. `opened` is the ledger, or what
    knows some of it, if there is one that can be read.
    """
    from tocsin.app.configuration.kept.judging import judge_kept
    from tocsin.app.configuration.kept.reading import in_part

    work, stored = bounded_child(), await _kept_config(opened, loaded.ledger, tell)
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
    unread = "cannot be read" if loaded.unread else "is refused"
    what = "cannot be judged at once" if not_judged(loaded) else unread
    tell(f"the config {what} ({loaded.errors[0]}); the last good one is used, see tocsin check")
    if good.left_out:
        tell(in_part(good.left_out))
    return good.configuration


async def in_force(loaded: Configuration, opened: SomeLedger, folder: Path, now: datetime, tell: Tell) -> Configuration:
    """The config by which the machine that leads goes (P9), under the name that it has there: the ledger keeps it, this
    machine's tocsin.yaml goes with it. That this machine's own is another one is told; it counts where no other can be
    used here, or none was ever in force. Raises LedgerError.
    """
    from tocsin.app.configuration.kept.judging import judge_kept
    from tocsin.app.leadership.this_node import compared_revision

    kept = await _kept_config(opened, loaded.ledger, tell)
    if kept is None:
        return loaded
    if counted(kept.files, shared=True) == counted(loaded.files, shared=True):
        assert loaded.policy is not None
        return replace(loaded, policy=replace(loaded.policy, revision=kept.revision), revision=kept.revision)
    good = judge_kept(bounded_child(), kept, loaded, folder, now, os.environ).configuration
    named = compared_revision(kept.revision, digest_of(counted(kept.files, shared=True)))
    other = f"the config of this machine is not the one in force, {named}"
    if good.policy is None or good.settings is None:
        why = f" ({good.errors[0]})" if good.errors else ""
        tell(f"{other}, which cannot be used here{why}; what follows is by this machine's")
        return loaded
    tell(f"{other}; what follows is by that one, see tocsin nodes")
    return good


async def _kept_config(opened: SomeLedger | None, address: LedgerAddress, tell: Tell) -> KeptConfig | None:
    """The last good config; only the whole ledger knows it. Raises LedgerError."""
    if opened is None:
        return None
    from tocsin.adapters.ledger.ledger import SqlLedger

    if isinstance(opened, SqlLedger):
        return await opened.last_good_config()
    access = await open_ledger(address, tell)
    try:
        return await access.ledger.last_good_config() if access.ledger else None
    finally:
        await access.close()


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


async def misfits(access: LedgerAccess[SomeLedger], settings: Settings) -> tuple[str, list[str]]:
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


async def acts_on(settings: Settings, ledger: Ledger | None) -> bool:
    """Whether a healthy daemon runs here, which acts on what is left in the inbox: with a file the one that writes the
    ledger, with a server this machine's, which leads or hands in. Raises LedgerError.
    """
    if settings.ledger.file is None:
        return is_watched(settings.incidents)
    from tocsin.app.lifecycle.health import HEALTHY

    healthy_at = await ledger.noticed_at(HEALTHY) if ledger else None
    return healthy_at is not None and abs(utc_now() - healthy_at) <= HEALTHY_WITHIN


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
