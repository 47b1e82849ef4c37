"""The SQLite ledger and what befalls it while it runs: full disks, locks, rows of a newer version."""

import asyncio
import resource
import sqlite3
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy.exc import OperationalError
from tocsin.adapters.ledger.errors import ledger_error
from tocsin.adapters.ledger.ledger import SqlLedger
from tocsin.adapters.ledger.sqlite import file_database, opening
from tocsin.adapters.ledger.sqlite.faults import is_damage, is_passing
from tocsin.adapters.ledger.sqlite.keeping import FileStore
from tocsin.adapters.ledger.sqlite.opening import open_existing, open_file
from tocsin.domain.facts import Answer, Answered
from tocsin.domain.people import Channel
from tocsin.ports.ledger.trouble import LedgerError

T0 = datetime(2026, 11, 23, 10, tzinfo=UTC)
PHONE = "+14155550101"
FACT = Answered(T0, "ana", Answer.OK)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "var" / "tocsin.db"


@pytest.fixture
async def ledger(path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[SqlLedger]:
    monkeypatch.setattr(opening, "BUSY_MS", 200)
    monkeypatch.setattr(file_database, "PATIENCE_MS", 400)
    monkeypatch.setattr(file_database, "TROUBLED_MS", 20)
    ledger = SqlLedger(FileStore(open_file(path, "now")))
    yield ledger
    await ledger.close()


async def begin_many(ledger: SqlLedger, count: int, address: str = PHONE) -> list[object]:
    """Begin attempts at once; what each caller got."""
    begun = (ledger.begin_attempt(f"k{number}", Channel.SMS, address, T0) for number in range(count))
    return list(await asyncio.gather(*begun, return_exceptions=True))


@contextmanager
def full_disk() -> Iterator[None]:
    """This process cannot write to files, as if no room were left."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


async def test_a_full_disk_is_trouble_until_there_is_room(ledger: SqlLedger) -> None:
    """A call that the disk does not take raises LedgerError and leaves nothing; the ledger recovers by itself."""
    await ledger.record("db", (FACT,), (), ())
    with full_disk():
        for _ in range(3):
            with pytest.raises(LedgerError):
                await ledger.record("db", (FACT,), (), ())
        assert all(isinstance(result, LedgerError) for result in await begin_many(ledger, 16))
    await ledger.record("web", (FACT,), (), ())
    assert (await ledger.facts("db"), await ledger.facts("web")) == ((FACT,), (FACT,))


async def test_a_lock_of_another_process_is_waited_for_once(ledger: SqlLedger, path: Path) -> None:
    """While somebody else holds the file, all who wait hear of it together, the loop goes on, and readers read."""
    await ledger.record("db", (FACT,), (), ())
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    started = time.perf_counter()
    waiting = asyncio.create_task(begin_many(ledger, 50))
    assert await ledger.facts("db") == (FACT,)
    assert not waiting.done()
    assert all(isinstance(result, LedgerError) for result in await waiting)
    assert time.perf_counter() - started < 2
    other.execute("ROLLBACK")
    other.close()
    assert not [result for result in await begin_many(ledger, 50) if isinstance(result, LedgerError)]


async def test_a_lock_is_waited_for_once_and_then_hardly(ledger: SqlLedger, path: Path) -> None:
    """Rule 71: what follows a write that met a lock does not wait so long again: a page may depend on it. Whoever looks
    after the ledger hears at once that it is locked, and that it is not any more; then it is patient again.
    """
    await ledger.record("db", (FACT,), (), ())

    async def seconds() -> float:
        started = time.perf_counter()
        with pytest.raises(LedgerError):
            await ledger.record("db", (FACT,), (), ())
        return time.perf_counter() - started

    turns = asyncio.create_task(ledger.store.trouble_turns())
    other = sqlite3.connect(path, isolation_level=None)
    for _ in range(2):
        other.execute("BEGIN EXCLUSIVE")
        assert await seconds() >= 0.35
        assert "is locked" in ledger.store.trouble
        await asyncio.wait_for(turns, 0.1)
        assert await seconds() < 0.3
        with pytest.raises(LedgerError):
            await ledger.store.try_lock()
        other.execute("ROLLBACK")
        turns = asyncio.create_task(ledger.store.trouble_turns())
        await ledger.store.try_lock()
        await asyncio.wait_for(turns, 0.1)
        assert ledger.store.trouble == ""
        turns = asyncio.create_task(ledger.store.trouble_turns())
    turns.cancel()
    other.close()


async def test_commands_work_beside_the_daemon(ledger: SqlLedger, path: Path) -> None:
    """A command reads the ledger of a running daemon, each time as it is then, and can write nothing there."""
    opened = open_existing(path)
    assert opened is not None
    command = SqlLedger(FileStore(opened))
    for number in range(1, 4):
        await ledger.record("db", (FACT,), (), ())
        assert await command.facts("db") == (FACT,) * number
    with pytest.raises(LedgerError, match="readonly"):
        await command.record("web", (FACT,), (), ())
    await command.close()
    assert await ledger.incidents() == ("db",)


@pytest.mark.parametrize(
    ("code", "passing", "damage"),
    [
        (sqlite3.SQLITE_BUSY_SNAPSHOT, True, False),
        (sqlite3.SQLITE_FULL, True, False),
        (sqlite3.SQLITE_CORRUPT_INDEX, False, True),
        (sqlite3.SQLITE_NOTADB, False, True),
        (sqlite3.SQLITE_IOERR_FSYNC, False, False),
        (sqlite3.SQLITE_READONLY_DBMOVED, False, False),
    ],
)
def test_faults_are_told_apart_by_their_kind(code: int, passing: bool, damage: bool) -> None:
    """SQLite's finer codes count as the fault they are a kind of; what is said of one is SQLite's own line."""
    cause = sqlite3.OperationalError("it went wrong\nat length")
    cause.sqlite_errorcode = code
    fault = OperationalError("SELECT 1", {}, cause)
    assert (is_passing(fault), is_damage(fault)) == (passing, damage)
    assert str(ledger_error(fault)) == "it went wrong"
    assert not is_passing(OSError("disk"))
    assert not is_damage(OSError("disk"))
    assert str(ledger_error(OSError())) == "OSError"
