"""Rule 64 for one ledger file: given up, taken away, replaced, and back again."""

import errno
import os
import sqlite3
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy.exc import OperationalError
from tocsin.adapters.ledger.ledger import SqlLedger
from tocsin.adapters.ledger.sqlite import ballast, opening
from tocsin.adapters.ledger.sqlite.ballast import Ballast
from tocsin.adapters.ledger.sqlite.faults import outlived
from tocsin.adapters.ledger.sqlite.keeping import FileStore
from tocsin.adapters.ledger.sqlite.lock import LedgerLockedError, Lock
from tocsin.adapters.ledger.sqlite.opening import open_file, take_lock
from tocsin.domain.facts import Answer, Answered
from tocsin.ports.ledger.file import FileChange
from tocsin.ports.ledger.trouble import LedgerError

T0 = datetime(2026, 11, 23, 10, tzinfo=UTC)
FACT = Answered(T0, "ana", Answer.OK)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "var" / "tocsin.db"


async def reopened(path: Path) -> set[str]:
    """The incidents that a new process finds."""
    ledger = SqlLedger(FileStore(open_file(path, "now")))
    incidents = await ledger.incidents()
    await ledger.close()
    return set(incidents)


def refusing(monkeypatch: pytest.MonkeyPatch, code: int, times: int) -> None:
    """The file cannot be opened so many times."""
    real, left = opening._open_sound, [times]

    def open_sound(path: Path) -> Any:
        if left[0]:
            left[0] -= 1
            fault = sqlite3.OperationalError("no room")
            fault.sqlite_errorcode = code
            raise OperationalError("", None, fault)
        return real(path)

    monkeypatch.setattr(opening, "_open_sound", open_sound)


@pytest.mark.parametrize("names", [[""], ["", "-wal", "-shm"], ["-wal", "-shm", ""]])
async def test_a_deleted_file_is_made_anew(path: Path, names: list[str]) -> None:
    """Rule 64: with all that was recorded, also what was recorded since; whoever reads or writes goes on."""
    ledger = SqlLedger(FileStore(open_file(path, "now")))
    await ledger.record("db", (FACT,), (), ())
    assert await ledger.store.look_after_file(T0) is None
    for name in names:
        path.with_name(path.name + name).unlink()
    await ledger.record("web", (FACT,), (), ())
    assert await ledger.store.look_after_file(T0) is FileChange.DELETED
    assert await ledger.store.look_after_file(T0) is None
    await ledger.record("dns", (FACT,), (), ())
    assert set(await ledger.incidents()) == {"db", "web", "dns"}
    await ledger.close()
    assert await reopened(path) == {"db", "web", "dns"}


async def test_another_file_in_its_place_is_kept(path: Path) -> None:
    """Rule 64: what somebody put there is put aside with its own log, and is as it was."""
    ledger = SqlLedger(FileStore(open_file(path, "now")))
    await ledger.record("db", (FACT,), (), ())
    backup = path.with_name("backup.db")
    other = sqlite3.connect(backup, isolation_level=None)
    other.execute("PRAGMA journal_mode=WAL")
    other.execute("CREATE TABLE mine (x)")
    for name in ("-wal", "-shm", ""):
        backup.with_name(backup.name + name).rename(path.with_name(path.name + name))
    assert await ledger.store.look_after_file(T0) is FileChange.REPLACED
    assert ledger.store.replaced == path.with_name("tocsin.db.replaced-20261123T100000Z")
    with closing(sqlite3.connect(ledger.store.replaced)) as aside:
        assert aside.execute("SELECT name FROM sqlite_master").fetchall() == [("mine",)]
    other.close()
    await ledger.record("web", (FACT,), (), ())
    await ledger.close()
    assert await reopened(path) == {"db", "web"}


async def test_one_that_cannot_be_made_anew_goes_on(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Rule 64: without room for a new file the ledger stays open as it is; it is made anew later."""
    ledger = SqlLedger(FileStore(open_file(path, "now")))
    await ledger.record("db", (FACT,), (), ())
    remove(path)
    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", fail)
        with pytest.raises(LedgerError, match="No space left"):
            await ledger.store.look_after_file(T0)
    await ledger.record("web", (FACT,), (), ())
    assert path.name not in names_in(path.parent)
    assert await ledger.store.look_after_file(T0) is FileChange.DELETED
    await ledger.close()
    assert await reopened(path) == {"db", "web"}


def names_in(folder: Path) -> set[str]:
    return {file.name for file in folder.iterdir()}


def remove(path: Path) -> None:
    path.unlink()


def fail(_file: int) -> None:
    raise OSError(errno.ENOSPC, "No space left on device")


async def test_the_lock_goes_along(path: Path) -> None:
    """Rule 64: the whole folder may have gone; afterwards a second daemon still finds the ledger taken."""
    path.parent.mkdir()
    lock = Lock(path)
    ledger = SqlLedger(FileStore(open_file(path, "now"), lock))
    for file in path.parent.iterdir():
        file.unlink()
    path.parent.rmdir()
    assert await ledger.store.look_after_file(T0) is FileChange.DELETED
    with pytest.raises(LedgerLockedError, match=str(os.getpid())):
        Lock(path)
    await ledger.close()
    lock.release()


async def test_the_ballast_is_given_up_for_a_start(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Rule 64: a file that finds no room is opened once the ballast is gone; it is held anew where there is room."""
    ledger = SqlLedger(FileStore(open_file(path, "now")))
    assert await ledger.store.hold_ballast()
    held = path.with_name("tocsin.db.ballast")
    assert held.stat().st_size == ballast.SIZE
    assert held.stat().st_blocks * 512 >= ballast.SIZE
    await ledger.close()
    refusing(monkeypatch, sqlite3.SQLITE_FULL, 1)
    opened = open_file(path, "now")
    assert (opened.freed, held.exists()) == (True, False)
    ledger = SqlLedger(FileStore(opened))
    assert ledger.away == ""
    monkeypatch.setattr(ballast, "free", lambda _folder: ballast.ROOM - 1)
    assert not await ledger.store.hold_ballast()
    monkeypatch.undo()
    assert await ledger.store.hold_ballast()
    await ledger.close()


async def test_the_ballast_goes_before_there_is_no_room_at_all(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Rule 64: a ledger that could be opened, and take nothing, would be no help."""
    path.parent.mkdir()
    assert Ballast(path).hold()
    monkeypatch.setattr(ballast, "free", lambda _folder: ballast.SCARCE - 1)
    opened = open_file(path, "now")
    assert opened.freed
    await SqlLedger(FileStore(opened)).close()


@pytest.mark.parametrize("killed", [False, True])
async def test_a_ledger_in_memory_returns(path: Path, monkeypatch: pytest.MonkeyPatch, killed: bool) -> None:
    """Rule 64: with all that its file held, after a kill too; once there is room it is in its file, with all since."""
    ledger = SqlLedger(FileStore(open_file(path, "now")))
    await ledger.record("db", (FACT,), (), ())
    copies = {file: file.read_bytes() for file in path.parent.iterdir() if not file.name.endswith("-shm")}
    await ledger.close()
    if killed:
        for file, data in copies.items():
            file.write_bytes(data)
    refusing(monkeypatch, sqlite3.SQLITE_IOERR, 9)
    ledger = SqlLedger(FileStore(open_file(path, "now")))
    assert ledger.away == "no room"
    assert ledger.store.start.known
    await ledger.record("web", (FACT,), (), ())
    assert await ledger.incidents() == ("db", "web")
    with monkeypatch.context() as patch:
        patch.setattr(ballast, "free", lambda _folder: 0)
        assert await ledger.store.look_after_file(T0) is None
    assert await ledger.store.look_after_file(T0) is FileChange.RETURNED
    assert ledger.away == ""
    await ledger.record("dns", (FACT,), (), ())
    await ledger.close()
    monkeypatch.undo()
    assert await reopened(path) == {"db", "web", "dns"}


async def test_what_changed_meanwhile_is_put_aside(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Rule 64: a file that another process wrote while the ledger was in memory is never overwritten."""
    await SqlLedger(FileStore(open_file(path, "now"))).close()
    with monkeypatch.context() as patch:
        refusing(patch, sqlite3.SQLITE_IOERR, 9)
        ledger = SqlLedger(FileStore(open_file(path, "now")))
    command = SqlLedger(FileStore(open_file(path, "now")))
    await command.record("web", (FACT,), (), ())
    await command.close()
    assert await ledger.store.look_after_file(T0) is FileChange.RETURNED
    assert ledger.store.replaced is not None
    assert await reopened(ledger.store.replaced) == {"web"}
    await ledger.close()


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EDQUOT, errno.EIO, errno.EROFS, errno.EMFILE])
def test_no_room_and_bad_io_are_outlived(tmp_path: Path, code: int) -> None:
    """Rule 64: a start pages whatever happens to the disk."""
    assert outlived(OSError(code, "x"), tmp_path / "tocsin.db")


@pytest.mark.parametrize("code", [errno.EACCES, errno.EPERM, errno.EISDIR, errno.ENOTDIR, errno.ENAMETOOLONG])
def test_what_a_human_must_put_right_is_not(tmp_path: Path, code: int) -> None:
    """Rule 64: without rights, or with a folder in its place, the daemon says so and ends."""
    assert not outlived(OSError(code, "x"), tmp_path / "tocsin.db")


@pytest.mark.parametrize(
    ("code", "goes_on"),
    [
        (sqlite3.SQLITE_FULL, True),
        (sqlite3.SQLITE_IOERR_SHMSIZE, True),
        (sqlite3.SQLITE_BUSY, True),
        (sqlite3.SQLITE_CANTOPEN, True),
        (sqlite3.SQLITE_AUTH, False),
        (sqlite3.SQLITE_ERROR, False),
    ],
)
def test_what_sqlite_says(tmp_path: Path, code: int, goes_on: bool) -> None:
    """Rule 64: the same for SQLite's own words; one that cannot be opened although we may is outlived."""
    fault = sqlite3.OperationalError("x")
    fault.sqlite_errorcode = code
    assert outlived(OperationalError("", None, fault), tmp_path / "tocsin.db") is goes_on


def test_a_folder_in_its_place_is_a_clear_line(path: Path) -> None:
    """Rule 64: nobody guesses what a folder there means."""
    path.mkdir(parents=True)
    with pytest.raises(LedgerError, match=f"^{path}: "):
        open_file(path, "now")


def test_a_lock_that_the_disk_does_not_give(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Rule 64: no room for the lock's file is no reason not to page; no rights are one to end."""
    monkeypatch.setattr(os, "open", lambda *_arguments: no_room())
    assert take_lock(path) is None
    monkeypatch.setattr(os, "open", lambda *_arguments: no_rights())
    with pytest.raises(PermissionError):
        take_lock(path)


def no_room() -> int:
    raise OSError(errno.ENOSPC, "No space left on device")


def no_rights() -> int:
    raise PermissionError(errno.EACCES, "Permission denied")
