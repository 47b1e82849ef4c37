"""Opening: a ledger file becomes an engine: made if absent, checked, brought up to date, or set aside if damaged.

It decides whether the file can be used at all. It must not know what is kept in it.
"""

import sqlite3
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine, create_engine, event, text
from sqlalchemy.exc import DatabaseError, SQLAlchemyError
from sqlalchemy.pool import QueuePool

from daemon.ports import LedgerTrouble

BUSY_MS = 5000
"""How long a transaction waits for another process's, in milliseconds."""
_DAMAGED = ("malformed", "not a database", "corrupt", "quick_check")


@dataclass(frozen=True, slots=True)
class Opened:
    """An engine, and where a damaged ledger was set aside, if it was."""

    engine: Engine
    set_aside: Path | None = None


def open_file(path: Path, stamp: str) -> Opened:
    """Open a ledger for writing. A damaged file is renamed to `.damaged-<stamp>` and a fresh one made. Raises
    LedgerTrouble when neither can be had.
    """
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    try:
        return Opened(_checked(path))
    except (SQLAlchemyError, OSError) as fault:
        if not any(word in str(fault) for word in _DAMAGED):
            raise LedgerTrouble(_said(path, fault)) from None
    aside = path.with_name(f"{path.name}.damaged-{stamp}")
    try:
        for suffix in ("", "-wal", "-shm"):
            part = path.with_name(path.name + suffix)
            if part.exists():
                part.rename(aside.with_name(aside.name + suffix))
        return Opened(_checked(path), aside)
    except (SQLAlchemyError, OSError) as fault:
        raise LedgerTrouble(_said(path, fault)) from None


def open_existing(path: Path) -> Engine | None:
    """The engine of a ledger that is there and of this schema; None when there is none. For commands."""
    if not path.is_file():
        return None
    found = engine(path)
    try:
        with found.connect() as connection:
            if MigrationContext.configure(connection).get_current_revision() != _scripts().get_current_head():
                found.dispose()
                return None
    except (SQLAlchemyError, OSError) as fault:
        found.dispose()
        raise LedgerTrouble(_said(path, fault)) from None
    return found


def engine(path: Path) -> Engine:
    """An engine on a SQLite file: WAL, every commit on disk, transactions that take the write lock when they begin."""
    made = create_engine(
        f"sqlite:///{path}",
        poolclass=QueuePool,
        pool_size=2,
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
    """An engine on a sound file with the newest schema."""
    found = engine(path)
    try:
        with found.begin() as connection:
            _sound(connection)
            _migrate(connection, path)
    except BaseException:
        found.dispose()
        raise
    path.chmod(0o600)
    return found


def _sound(connection: Connection) -> None:
    """Raise when SQLite finds the file damaged."""
    verdict = connection.execute(text("PRAGMA quick_check(1)")).scalar()
    if verdict != "ok":
        raise DatabaseError("quick_check", None, Exception(f"quick_check: {verdict}"))


def _migrate(connection: Connection, path: Path) -> None:
    """Bring the schema up to date, in one transaction."""
    scripts = _scripts()
    now, head = MigrationContext.configure(connection).get_current_revision(), scripts.get_current_head()
    if now == head:
        return
    if now is not None and now not in {script.revision for script in scripts.walk_revisions()}:
        raise LedgerTrouble(f"{path} was written by a newer tocsin (schema {now}); update tocsin")
    config = _config()
    config.attributes["connection"] = connection
    command.upgrade(config, "head")


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    return config


def _scripts() -> ScriptDirectory:
    return ScriptDirectory.from_config(_config())


def _said(path: Path, fault: BaseException) -> str:
    return f"{path}: {str(getattr(fault, 'orig', None) or fault).splitlines()[0]}"
