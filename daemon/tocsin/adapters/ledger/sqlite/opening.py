"""A ledger file becomes an engine: made if absent, checked, brought up to date, or set aside if damaged; in memory, if
its disk gives neither room nor answer (rule 64).

Decides whether the file can be used at all. Must not know what is kept in it.
"""

import importlib
import os
import re
import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from types import MappingProxyType
from typing import Any
from urllib.parse import quote

from sqlalchemy import URL, Connection, Engine, create_engine, event, inspect
from sqlalchemy.exc import DatabaseError, SQLAlchemyError
from sqlalchemy.pool import QueuePool

from tocsin.adapters.files.rights import mode_in
from tocsin.adapters.ledger.errors import describe
from tocsin.adapters.ledger.schema import SCHEMA
from tocsin.adapters.ledger.schema.fresh import make_tables
from tocsin.adapters.ledger.sqlite.ballast import Ballast
from tocsin.adapters.ledger.sqlite.faults import is_damage, is_held_by_another, outlived
from tocsin.adapters.ledger.sqlite.file_reader import (
    BESIDE,
    BUSY_MS,
    UNOPENED,
    another_version,
    may_hold_a_ledger,
    read_text,
    set_up_to_read,
)
from tocsin.adapters.ledger.sqlite.ledger_file import MEMORY_NAME, LedgerFile, in_memory, is_open_to_readers, put_aside
from tocsin.adapters.ledger.sqlite.lock import Lock
from tocsin.adapters.ledger.sqlite.seal import Seal
from tocsin.adapters.ledger.statements import run
from tocsin.ports.ledger.trouble import LedgerError

CONNECTIONS = 4
"""Connections kept: one writes, the others read."""
READING_KB = 500
"""What a connection keeps of the file in memory, for good; the system keeps it too, for as long as there is room."""
NETWORKED = {"nfs", "nfs4", "cifs", "smb3", "smbfs", "ncpfs", "afs", "ceph", "glusterfs", "9p", "fuse.sshfs"}
"""File systems whose locks and flushes other machines may not see."""
MOUNTS = Path("/proc/self/mountinfo")
IN_PLACE = MappingProxyType({"mode": "rw"})
"""How SQLite opens a file that is there, to read and to write."""
MEMORY = MappingProxyType({"vfs": "memdb"})
"""How it opens the one database in memory."""


class LedgerDamagedError(Exception):
    """SQLite finds the file damaged."""


@dataclass(frozen=True, slots=True)
class OpenedLedger:
    """An engine; where a damaged ledger was set aside, if it was; what operators should know of the file's place. A
    daemon's has its `file` too; `freed`: the ballast was given up for it; `known`: what the file held is in it.
    `unopened` is the file, where it is read as one that nobody has open.
    """

    engine: Engine
    seal: Seal
    set_aside: Path | None = None
    concern: str = ""
    file: LedgerFile | None = None
    freed: bool = False
    known: bool = True
    unopened: Path | None = None


FAULTS = (LedgerDamagedError, LedgerError, SQLAlchemyError, sqlite3.Error, OSError)
"""What may be wrong with a file."""


def take_lock(path: Path) -> Lock | None:
    """The lock of a ledger. None where the disk has no room or no answer for it: then nobody else can be kept away.
    Raises LedgerLockedError, and OSError for what a human must put right.
    """
    for _try in range(2):
        try:
            path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            return Lock(path)
        except OSError as fault:
            if not outlived(fault, path):
                raise
        if not Ballast(path).release():
            return None
    return None


def open_file(path: Path, stamp: str) -> OpenedLedger:
    """Open a ledger for writing. A damaged file is renamed to `.damaged-<stamp>` and a fresh one made. A full disk
    costs the ballast; one that does not help then leaves a ledger in memory, with what can be read of the file. Raises
    LedgerError for what a human must put right.
    """
    ballast = Ballast(path)
    freed = ballast.needed and ballast.release()
    try:
        return replace(_open_or_set_aside(path, stamp), freed=freed)
    except FAULTS as fault:
        if not outlived(fault, path):
            raise LedgerError(f"{path}: {describe(fault)}") from None
        why, held = describe(fault), is_held_by_another(fault)
    if not held and ballast.release():
        try:
            return replace(_open_or_set_aside(path, stamp), freed=True)
        except FAULTS as fault:
            why = describe(fault)
    return _open_in_memory(path, why)


def _open_or_set_aside(path: Path, stamp: str) -> OpenedLedger:
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    aside = None
    try:
        engine = _open_sound(path)
    except LedgerDamagedError:
        aside = put_aside(path, "damaged", stamp)
        engine = _open_sound(path)
    return OpenedLedger(engine, Seal(path, making=True), aside, check_place(path), LedgerFile.of(path))


def _open_in_memory(path: Path, why: str) -> OpenedLedger:
    """Raises LedgerError."""
    file, known = in_memory(path, why)
    engine = make_engine(path, MEMORY)
    try:
        _bring_up_to_date(engine)
    except FAULTS as fault:
        raise LedgerError(f"{path}: {why}; in memory: {describe(fault)}") from None
    return OpenedLedger(engine, Seal(path, making=True), file=file, known=known)


def open_empty() -> OpenedLedger:
    """A ledger in memory alone, which knows nothing and is gone with its process. Raises LedgerError."""
    engine = make_engine(Path(os.devnull), MEMORY)
    try:
        _bring_up_to_date(engine)
    except FAULTS as fault:
        raise LedgerError(f"a ledger in memory: {describe(fault)}") from None
    return OpenedLedger(engine, Seal(Path(os.devnull)))


def open_existing(path: Path) -> OpenedLedger | None:
    """A ledger that is there, to be read only; None when there is none. For the web side and commands, beside a running
    daemon or without one: nothing is made, and nothing changed. Raises LedgerError.
    """
    if not may_hold_a_ledger(path):
        return None
    unopened = None if is_open_to_readers(path) else path
    engine = make_engine(path, UNOPENED if unopened else BESIDE)
    try:
        with engine.connect().execution_options(reading=True) as connection:
            schema = _schema(connection)
    except (SQLAlchemyError, OSError) as fault:
        engine.dispose()
        raise LedgerError(f"{path}: {describe(fault)}") from None
    if schema == SCHEMA:
        return OpenedLedger(engine, Seal(path), unopened=unopened)
    engine.dispose()
    if schema is None:
        return None
    raise another_version(path, schema)


def open_alone(path: Path) -> OpenedLedger:
    """A ledger that is there, sound and of our schema, to be written by a command that has its lock, as no daemon runs.
    Raises LedgerError.
    """
    if open_existing(path) is None:
        raise LedgerError(f"there is no ledger at {path}")
    engine = make_engine(path)
    try:
        with engine.connect().execution_options(reading=True) as connection:
            _check_sound(connection)
    except FAULTS as fault:
        engine.dispose()
        raise LedgerError(f"{path}: {describe(fault)}") from None
    return OpenedLedger(engine, Seal(path))


def make_engine(path: Path, how: Mapping[str, str] = IN_PLACE) -> Engine:
    """An engine on a SQLite file: WAL, every commit on disk, transactions that take the write lock when they begin. One
    that is gone is never made anew. `how` is how SQLite opens it, if otherwise: to be read only, or in memory.
    """
    database = MEMORY_NAME if how is MEMORY else f"file:{quote(str(path))}"
    engine = create_engine(
        URL.create("sqlite", database=database, query={**how, "uri": "true"}),
        poolclass=QueuePool,
        pool_size=CONNECTIONS,
        connect_args={"isolation_level": None, "check_same_thread": False, "timeout": BUSY_MS / 1000},
    )
    event.listen(engine, "connect", set_up_to_read if how in (BESIDE, UNOPENED) else _set_up)
    event.listen(engine, "begin", _begin)
    return engine


def _set_up(connection: sqlite3.Connection, _record: Any) -> None:
    connection.text_factory = read_text
    for pragma in (
        "journal_mode=WAL",
        "synchronous=FULL",
        f"busy_timeout={BUSY_MS}",
        "foreign_keys=ON",
        f"cache_size=-{READING_KB}",
    ):
        connection.execute(f"PRAGMA {pragma}")


def _begin(connection: Connection) -> None:
    """Readers and writers alike name their intent at the start: a deferred transaction loses under contention."""
    reading = connection.get_execution_options().get("reading", False)
    run(connection, "BEGIN" if reading else "BEGIN IMMEDIATE")


def _open_sound(path: Path) -> Engine:
    """An engine on a sound file with the newest schema. Raises LedgerDamagedError, and whatever else is wrong."""
    path.touch(mode=mode_in(path.parent))  # SQLite gives what it makes beside a file the file's own mode
    engine = make_engine(path)
    try:
        _bring_up_to_date(engine)
    except DatabaseError as fault:
        engine.dispose()
        if is_damage(fault):
            raise LedgerDamagedError(describe(fault)) from None
        raise
    except (LedgerDamagedError, LedgerError, SQLAlchemyError, OSError):
        engine.dispose()
        raise
    return engine


def _bring_up_to_date(engine: Engine) -> None:
    """Check that it is sound, and bring it to the newest schema."""
    with engine.begin() as connection:
        _check_sound(connection)
        schema = _schema(connection)
        if schema is None:
            make_tables(connection)
        elif schema != SCHEMA:
            importlib.import_module("tocsin.adapters.ledger.migrations.migrate").migrate(connection, schema)


def _check_sound(connection: Connection) -> None:
    verdict = connection.exec_driver_sql("PRAGMA quick_check(1)").scalar()
    if verdict != "ok":
        raise LedgerDamagedError(f"it is damaged ({verdict})")


def _schema(connection: Connection) -> str | None:
    """The name of the file's schema; None for an empty file."""
    if not inspect(connection).has_table("alembic_version"):
        return None
    schema: str | None = connection.exec_driver_sql("SELECT version_num FROM alembic_version").scalar()
    return schema


def check_place(path: Path, mounts: Path = MOUNTS) -> str:
    """A sentence about a network file system under the ledger; empty when there is none, or nobody can tell. `mounts`
    is in the format of proc_pid_mountinfo(5).
    """
    try:
        lines = mounts.read_bytes().splitlines()
        place = path.resolve()
    except OSError:
        return ""
    kinds = dict(map(_mount, lines))
    kind = next((kinds[folder] for folder in (place, *place.parents) if folder in kinds), "")
    if kind not in NETWORKED:
        return ""
    return f"the ledger {path} is on a network file system ({kind}), where SQLite may lose it; move it to a local disk"


def _mount(line: bytes) -> tuple[Path, str]:
    """The folder of a mount, in which octal numbers stand for blanks, and the kind of its file system."""
    before, _, after = line.partition(b" - ")
    folder = re.sub(rb"\\([0-7]{3})", lambda octal: bytes([int(octal[1], 8)]), before.split(b" ")[4])
    return Path(os.fsdecode(folder)), os.fsdecode(after.split(b" ")[0])
