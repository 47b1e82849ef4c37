"""How a file is opened and asked that a daemon may write meanwhile. It is only read."""

import asyncio
import sqlite3
import stat
import zlib
from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path
from types import MappingProxyType
from typing import Any, TypeVar
from urllib.parse import quote, urlencode

from tocsin.adapters.files.disk_threads import DiskThreads
from tocsin.adapters.files.rights import why_not
from tocsin.adapters.ledger.errors import describe, ledger_error
from tocsin.adapters.ledger.schema import SCHEMA
from tocsin.adapters.ledger.schema.incident_rows import (
    Rows,
)
from tocsin.adapters.ledger.sqlite.ledger_file import is_open_to_readers
from tocsin.ports.ledger.trouble import LedgerError

BUSY_MS = 5000
"""How long a transaction waits for another process's, in milliseconds."""
BESIDE = MappingProxyType({"mode": "ro"})
"""How SQLite opens a file to read along, beside whoever writes it."""
UNOPENED = MappingProxyType({"mode": "ro", "immutable": "1"})
"""How it reads a file that nobody has open, without the files that it would want beside it."""
read_text = partial(str, encoding="utf-8", errors="surrogateescape")
"""Text as it is, also where a bit of it has flipped: then its row alone cannot be read, not all that are asked for."""

T = TypeVar("T")
R = TypeVar("R", bound="FileReader")


def may_hold_a_ledger(path: Path) -> bool:
    """Whether a file lies there that is not empty. Raises LedgerError."""
    try:
        status = path.stat()
    except (FileNotFoundError, NotADirectoryError):
        return False
    except OSError as fault:
        raise LedgerError(f"{path} {why_not(path, fault)}") from None
    return stat.S_ISREG(status.st_mode) and status.st_size > 0


def another_version(path: Path, schema: str) -> LedgerError:
    """That the ledger is of another schema than ours."""
    return LedgerError(f"{path}: another version of tocsin keeps it (schema {schema}, not {SCHEMA})")


def set_up_to_read(connection: sqlite3.Connection, _record: Any = None) -> None:
    """What holds for each connection that only reads."""
    connection.text_factory = read_text
    connection.execute(f"PRAGMA busy_timeout={BUSY_MS}")


def open_reader(path: Path, reader: "type[R]") -> "R | None":
    """A ledger that is there, to be read only by such a reader; None when there is none, or an empty one. Nothing is
    made, and nothing changed. Raises LedgerError.
    """
    if not may_hold_a_ledger(path):
        return None
    unopened = None if is_open_to_readers(path) else path
    how = UNOPENED if unopened else BESIDE
    try:
        connection = sqlite3.connect(
            f"file:{quote(str(path))}?{urlencode(how)}", uri=True, isolation_level=None, check_same_thread=False
        )
        set_up_to_read(connection)
        schema = _schema(connection)
    except (sqlite3.Error, OSError) as fault:
        raise LedgerError(f"{path}: {describe(fault)}") from None
    if schema == SCHEMA:
        return reader(connection, unopened)
    connection.close()
    if schema is None:
        return None
    raise another_version(path, schema)


def _schema(connection: sqlite3.Connection) -> str | None:
    """The name of the file's schema; None for an empty file."""
    if not connection.execute("SELECT 1 FROM sqlite_master WHERE name = 'alembic_version'").fetchone():
        return None
    row = connection.execute("SELECT version_num FROM alembic_version").fetchone()
    return row[0] if row else None


class FileReader:
    """What asks a file. `unopened` is the file, where it is read as one that nobody has open."""

    def __init__(self, connection: sqlite3.Connection, unopened: Path | None) -> None:
        self._connection = connection
        self._unopened = unopened
        self._thread = DiskThreads("ledger reader")

    async def close(self) -> None:
        """Let go of the file, once what is asked of it has its answer: on a disk that hangs nobody waits for that."""
        self._thread.submit(self._connection.close)

    async def read(self, made: Callable[[Rows], T], query: str, *named: str) -> T:
        """Ask in a thread, and make the answer of the rows. Raises LedgerError."""
        return await self._ask(lambda: made(self._connection.execute(query, named)))

    async def read_named(self, made: Callable[[Iterable[sqlite3.Row]], T], query: str) -> T:
        """The same of rows whose columns are known by their names."""

        def ask() -> T:
            cursor = self._connection.cursor()
            cursor.row_factory = sqlite3.Row
            return made(cursor.execute(query))

        return await self._ask(ask)

    async def _ask(self, question: Callable[[], T]) -> T:
        def ask() -> T:
            answer = question()
            if self._unopened is not None and is_open_to_readers(self._unopened):
                raise LedgerError("the daemon has just opened it; ask again")  # what was read may be torn
            return answer

        try:
            return await asyncio.get_running_loop().run_in_executor(self._thread, ask)
        except (sqlite3.Error, OSError, ValueError, zlib.error) as fault:
            raise ledger_error(fault) from None
