"""A copy of a SQLite ledger, all of it of one instant, made beside whoever writes: SQLite's online backup, in steps.

The source is read in one transaction, so that no commit meanwhile makes it begin anew; in WAL mode none waits for it.
It is the disk that commits share with the copy: after each step that gets a rest, and what was copied is flushed in
small parts. Decides whether a copy counts as one. Must not know what is kept in it.
"""

import os
import sqlite3
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote, urlencode

from tocsin.adapters.files.rights import is_file, why_not
from tocsin.adapters.files.whole_file import sync_folder, temporary_file
from tocsin.adapters.ledger.errors import describe
from tocsin.adapters.ledger.sqlite.file_reader import BESIDE, UNOPENED
from tocsin.adapters.ledger.sqlite.ledger_file import connect, is_open_to_readers
from tocsin.ports.ledger.trouble import LedgerError

STEP_PAGES = 64
"""Pages of one step: 256 kB as SQLite makes them."""
FLUSHED_EVERY = 16
"""Steps after which what was copied is brought to the disk: a large flush would hold up a commit's own."""
RESTS_AT_LEAST = 0.002
"""Seconds of rest after a step; it is never shorter than the step was."""
PRIVATE = 0o600
MAGIC = b"SQLite format 3\0"
"""What a database of SQLite begins with."""
OF_LEDGERS = ("-wal", "-shm", ".lock", ".sent")
"""What lies beside a ledger that a daemon keeps, or kept, and beside no backup."""

Tell = Callable[[int, int], None]
"""Hears how many pages are copied, and of how many."""


@dataclass(frozen=True, slots=True)
class Backup:
    """A copy that was looked at: its octets, the schema, and how many rows each table has."""

    path: Path
    octets: int
    schema: str
    rows: Mapping[str, int]


def back_up(ledger: Path, target: Path, tell: Tell, *, overwrite: bool = False) -> Backup:
    """Copy a ledger to a file that only its owner may read, and look at the copy; only then it has that name. What
    stands there stays, unless `overwrite`: then it may be an older backup, and nothing else. Raises LedgerError: then
    nothing was written.
    """
    _refuse(ledger, target, overwrite=overwrite)
    try:
        with temporary_file(target, PRIVATE) as (temporary, opened):
            with _source(ledger) as source:
                before = _contents(source)
                _copy(source, temporary, tell)
            os.fsync(opened.fileno())
            _verify(temporary, *before)
            octets = temporary.stat().st_size
            _name(temporary, target, overwrite=overwrite)
        sync_folder(target.parent)
    except sqlite3.Error as fault:
        raise LedgerError(f"{describe(fault)}; nothing was written") from None
    except FileExistsError:
        raise LedgerError(_there_already(target)) from None
    except OSError as fault:
        place = target if target.is_dir() else target.parent
        raise LedgerError(f"{place} {why_not(place, fault, 'written', os.W_OK)}; nothing was written") from None
    return Backup(target, octets, *before)


def _refuse(ledger: Path, target: Path, *, overwrite: bool) -> None:
    """Raises LedgerError where a copy has no place there."""
    if target.is_dir():
        raise LedgerError(f"{target} is a folder; name the file, such as {target / 'tocsin-backup.db'}")
    if not os.path.lexists(target):
        return
    if target.exists() and ledger.exists() and target.samefile(ledger):
        raise LedgerError(f"{target} is the ledger itself; name another file")
    if not overwrite:
        raise LedgerError(_there_already(target))
    if not _is_backup(target):
        raise LedgerError(f"{target} is no backup, so it is not overwritten; name another file")
    if beside := [suffix for suffix in OF_LEDGERS if os.path.lexists(f"{target}{suffix}")]:
        side = f"{target.name}{beside[0]}"
        raise LedgerError(f"{target} is a ledger, with {side} beside it, and no backup; name another file")


def _is_backup(target: Path) -> bool:
    """Whether a file is a whole ledger by itself. Raises LedgerError where it cannot be read."""
    if not is_file(target):
        return False
    try:
        with target.open("rb") as there:
            if there.read(len(MAGIC)) != MAGIC:
                return False
        with closing(connect(f"file:{quote(str(target))}?{urlencode(UNOPENED)}")) as database:
            database.text_factory = bytes
            _, rows = _contents(database)
    except OSError as fault:
        raise LedgerError(f"{target} {why_not(target, fault)}; nothing was written") from None
    except (sqlite3.Error, LedgerError):
        return False
    return {"incidents", "facts"} <= rows.keys()


def _there_already(target: Path) -> str:
    return f"{target} is there already; name another file, or say --overwrite"


@contextmanager
def _source(ledger: Path) -> Iterator[sqlite3.Connection]:
    """The ledger in one reading transaction, beside whoever writes it, or as a file that nobody has open. Raises
    LedgerError and sqlite3.Error.
    """
    how = BESIDE if is_open_to_readers(ledger) else UNOPENED
    with closing(connect(f"file:{quote(str(ledger))}?{urlencode(how)}")) as source:
        source.text_factory = bytes
        source.execute("BEGIN")
        yield source
        source.execute("ROLLBACK")
    if how is UNOPENED and is_open_to_readers(ledger):
        raise LedgerError("the daemon has just opened the ledger, and the copy may be torn; ask again")


def _copy(source: sqlite3.Connection, target: Path, tell: Tell) -> None:
    """Copy page by page. Raises sqlite3.Error."""
    steps, began = 0, time.perf_counter()
    with closing(connect(f"file:{quote(str(target))}?mode=rw")) as copy:
        for pragma in ("journal_mode=OFF", "synchronous=OFF"):  # it has no name yet: torn, it is nothing
            copy.execute(f"PRAGMA {pragma}")
        file = os.open(target, os.O_WRONLY | os.O_CLOEXEC)

        def rest(_status: int, remaining: int, total: int) -> None:
            nonlocal steps, began
            steps += 1
            if steps % FLUSHED_EVERY == 0:
                os.fdatasync(file)
            tell(total - remaining, total)
            time.sleep(max(RESTS_AT_LEAST, time.perf_counter() - began))
            began = time.perf_counter()

        try:
            source.backup(copy, pages=STEP_PAGES, progress=rest)
        finally:
            os.close(file)


def _contents(database: sqlite3.Connection) -> tuple[str, dict[str, int]]:
    """The schema, and the rows of each table. Raises sqlite3.Error, and LedgerError if it is no ledger."""
    query = "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\' ORDER BY 1"
    names = [_text(name) for (name,) in database.execute(query)]
    if "alembic_version" not in names:
        raise LedgerError("the ledger is empty yet, or none of tocsin's; there is nothing to copy")
    (schema,) = database.execute("SELECT version_num FROM alembic_version").fetchone()
    rows = {name: database.execute(f'SELECT count(*) FROM "{name}"').fetchone()[0] for name in names}  # noqa: S608
    return _text(schema), rows


def _verify(copy: Path, schema: str, rows: Mapping[str, int]) -> None:
    """Raises LedgerError if a copy is not sound, or does not hold what its ledger held."""
    with closing(connect(f"file:{quote(str(copy))}?{urlencode(UNOPENED)}")) as database:
        database.text_factory = bytes
        faults = [_text(fault) for (fault,) in database.execute("PRAGMA integrity_check(3)")]
        if faults != ["ok"]:
            why = f"the copy is not sound, perhaps as the ledger itself is not ({'; '.join(faults)[:200]})"
            raise LedgerError(f"{why}; nothing was written")
        if _contents(database) != (schema, rows):
            raise LedgerError("the copy does not hold what the ledger holds; nothing was written")


def _name(temporary: Path, target: Path, *, overwrite: bool) -> None:
    """Give the copy its name. Raises FileExistsError where something has come to stand there, and OSError."""
    if overwrite:
        temporary.rename(target)
        return
    try:
        os.link(temporary, target)
    except FileExistsError:
        raise
    except OSError:  # a file system without links
        if os.path.lexists(target):
            raise FileExistsError(str(target)) from None
        temporary.rename(target)


def _text(value: bytes | str) -> str:
    return value if isinstance(value, str) else value.decode("utf-8", "replace")
