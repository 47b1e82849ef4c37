"""Opening: a ledger file becomes an engine: made if absent, checked, brought up to date, or set aside if damaged.

It decides whether the file can be used at all. It must not know what is kept in it.
"""

import importlib
import sqlite3
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import URL, Connection, Engine, create_engine, event, inspect
from sqlalchemy.exc import DatabaseError, SQLAlchemyError
from sqlalchemy.pool import QueuePool

from tocsin.adapters.ledger.errors import damage, said
from tocsin.adapters.ledger.tables import SCHEMA
from tocsin.ports.ledger import LedgerError

BUSY_MS = 5000
"""How long a transaction waits for another process's, in milliseconds."""
CONNECTIONS = 4
"""Connections kept: one writes, the others read."""


class LedgerDamagedError(Exception):
    """SQLite finds the file damaged."""


@dataclass(frozen=True, slots=True)
class Opened:
    """An engine; where a damaged ledger was set aside, if it was; what is to be said about the file's place."""

    engine: Engine
    set_aside: Path | None = None
    concern: str = ""


def open_file(path: Path, stamp: str) -> Opened:
    """Open a ledger for writing. A damaged file is renamed to `.damaged-<stamp>` and a fresh one made. Raises
    LedgerError when neither can be had.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        try:
            return Opened(_checked(path), None, concern(path))
        except LedgerDamagedError:
            aside = _set_aside(path, stamp)
            return Opened(_checked(path), aside, concern(path))
    except (LedgerDamagedError, LedgerError, SQLAlchemyError, OSError) as fault:
        raise LedgerError(f"{path}: {said(fault)}") from None


def open_existing(path: Path) -> Engine | None:
    """The engine of a ledger that is there; None when there is none. For commands, beside a running daemon: it neither
    makes nor changes a file. Raises LedgerError.
    """
    if not path.is_file() or not path.stat().st_size:
        return None
    found = engine(path)
    try:
        with found.connect().execution_options(reading=True) as connection:
            schema = _schema(connection)
    except (SQLAlchemyError, OSError) as fault:
        found.dispose()
        raise LedgerError(f"{path}: {said(fault)}") from None
    if schema == SCHEMA:
        return found
    found.dispose()
    if schema is None:
        return None
    raise LedgerError(f"{path}: another version of tocsin keeps it (schema {schema}, not {SCHEMA})")


def engine(path: Path) -> Engine:
    """An engine on a SQLite file: WAL, every commit on disk, transactions that take the write lock when they begin."""
    made = create_engine(
        URL.create("sqlite", database=str(path)),
        poolclass=QueuePool,
        pool_size=CONNECTIONS,
        connect_args={"isolation_level": None, "check_same_thread": False, "timeout": BUSY_MS / 1000},
    )
    event.listen(made, "connect", _pragmas)
    event.listen(made, "begin", _begin)
    return made


def _pragmas(connection: sqlite3.Connection, _record: Any) -> None:
    for pragma in ("journal_mode=WAL", "synchronous=FULL", f"busy_timeout={BUSY_MS}", "foreign_keys=ON"):
        connection.execute(f"PRAGMA {pragma}")


def _begin(connection: Connection) -> None:
    """Readers and writers alike name their intent at the start: a deferred transaction loses under contention."""
    reading = connection.get_execution_options().get("reading", False)
    connection.exec_driver_sql("BEGIN" if reading else "BEGIN IMMEDIATE")


def _checked(path: Path) -> Engine:
    """An engine on a sound file with the newest schema. Raises LedgerDamagedError."""
    path.touch(mode=0o600)  # SQLite gives what it makes beside a file the file's own mode
    found = engine(path)
    try:
        with found.begin() as connection:
            _sound(connection)
            schema = _schema(connection)
            if schema != SCHEMA:
                importlib.import_module("tocsin.adapters.ledger.migrate").migrate(connection, schema)
    except DatabaseError as fault:
        found.dispose()
        if damage(fault):
            raise LedgerDamagedError(said(fault)) from None
        raise
    except (LedgerDamagedError, LedgerError, SQLAlchemyError, OSError):
        found.dispose()
        raise
    return found


def _sound(connection: Connection) -> None:
    verdict = connection.exec_driver_sql("PRAGMA quick_check(1)").scalar()
    if verdict != "ok":
        raise LedgerDamagedError(f"it is damaged ({verdict})")


def _schema(connection: Connection) -> str | None:
    """The name of the file's schema; None for an empty file."""
    if not inspect(connection).has_table("alembic_version"):
        return None
    schema: str | None = connection.exec_driver_sql("SELECT version_num FROM alembic_version").scalar()
    return schema


def _set_aside(path: Path, stamp: str) -> Path:
    """Rename a damaged file, with what SQLite keeps beside it. Gives its new name."""
    aside = path.with_name(f"{path.name}.damaged-{stamp}")
    for suffix in ("", "-wal", "-shm"):
        part = path.with_name(path.name + suffix)
        if part.exists():
            part.rename(aside.with_name(aside.name + suffix))
    return aside


NETWORKED = {"nfs", "nfs4", "cifs", "smb3", "smbfs", "ncpfs", "afs", "ceph", "glusterfs", "9p", "fuse.sshfs"}
"""File systems whose locks and flushes other machines may not see."""


MOUNTS = Path("/proc/self/mountinfo")


def concern(path: Path, mounts: Path = MOUNTS) -> str:
    """A sentence about a network file system under the ledger; empty when there is none, or nobody can tell."""
    try:
        lines = mounts.read_text("utf-8", "surrogateescape").splitlines()
        place = path.resolve()
    except OSError:
        return ""
    kinds = {}
    for line in lines:
        before, _, after = line.partition(" - ")
        point = before.split(" ")[4].encode("utf-8", "surrogateescape").decode("unicode_escape")
        kinds[Path(point)] = after.split(" ")[0]
    kind = next((kinds[parent] for parent in (place, *place.parents) if parent in kinds), "")
    if kind not in NETWORKED:
        return ""
    return f"the ledger {path} is on a network file system ({kind}), where SQLite may lose it; move it to a local disk"
