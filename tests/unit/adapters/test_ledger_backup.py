"""A copy of a SQLite ledger: whole, of one instant, of its owner alone, and in nobody's way."""

import os
import shutil
import sqlite3
import stat
import threading
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from statistics import median

import pytest
from tocsin.adapters.ledger.sqlite import backup
from tocsin.adapters.ledger.sqlite.backup import Backup, back_up
from tocsin.adapters.ledger.sqlite.ledger_file import stay_open_to_readers
from tocsin.adapters.ledger.sqlite.opening import make_engine, open_file
from tocsin.ports.ledger.trouble import LedgerError


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A ledger of some megabytes that nobody has open."""
    path = tmp_path_factory.mktemp("made") / "tocsin.db"
    opened = open_file(path, "now")
    with opened.engine.begin() as connection:
        for number in range(40):
            connection.exec_driver_sql(
                "INSERT INTO incidents (id, finished, file, digest, data) VALUES (?, 0, ?, '', ?)",
                (f"i{number}", b"f", os.urandom(100_000)),
            )
    opened.engine.dispose()
    assert opened.file
    opened.file.close()
    stay_open_to_readers(path)
    return path


@pytest.fixture
def ledger(made: Path, tmp_path: Path) -> Path:
    """The same for one test."""
    shutil.copytree(made.parent, tmp_path / "var")
    return tmp_path / "var" / made.name


@pytest.fixture
def writing(ledger: Path) -> Iterator[list[float]]:
    """Somebody who commits all the while, and how long each commit took."""
    took: list[float] = []
    stop = threading.Event()

    def write() -> None:
        engine = make_engine(ledger)
        number = 0
        while not stop.wait(0.002):
            began = time.perf_counter()
            with engine.begin() as connection:
                number += 1
                connection.exec_driver_sql("INSERT INTO notices (cause, at) VALUES (?, 'x')", (str(number),))
            took.append(time.perf_counter() - began)
        engine.dispose()

    thread = threading.Thread(target=write)
    thread.start()
    while len(took) < 20:
        time.sleep(0.01)
    yield took
    stop.set()
    thread.join()


def quietly(_done: int, _of: int) -> None:
    pass


def test_a_copy_is_whole_while_somebody_writes(ledger: Path, writing: list[float], tmp_path: Path) -> None:
    """Commits that come meanwhile neither wait for it, nor make it begin anew, nor are in it in part."""
    before, told = len(writing), list[tuple[int, int]]()
    copy = back_up(ledger, tmp_path / "copy.db", lambda done, of: told.append((done, of)))
    meanwhile = writing[before:]
    assert len(meanwhile) >= 10
    assert median(meanwhile) < 0.05
    assert [done for done, _ in told] == sorted(done for done, _ in told)
    assert told[-1][0] == told[-1][1]
    with closing(sqlite3.connect(copy.path)) as there:
        assert there.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        assert there.execute("SELECT count(*) FROM incidents").fetchone() == (40,)
        (notices,) = there.execute("SELECT count(*) FROM notices").fetchone()
    assert before <= notices == copy.rows["notices"] <= len(writing)
    assert copy.octets == copy.path.stat().st_size > 4_000_000


def test_a_copy_is_its_owners_alone(ledger: Path, tmp_path: Path) -> None:
    """Whatever the umask; and nothing else is left beside it."""
    (tmp_path / "b").mkdir()
    before = os.umask(0)
    try:
        copy = back_up(ledger, tmp_path / "b" / "copy.db", quietly)
    finally:
        os.umask(before)
    assert stat.S_IMODE(copy.path.stat().st_mode) == 0o600
    assert [path.name for path in (tmp_path / "b").iterdir()] == ["copy.db"]


def test_a_copy_opens_as_a_ledger(ledger: Path, tmp_path: Path) -> None:
    """What was copied is a ledger like any other."""
    copy = back_up(ledger, tmp_path / "copy.db", quietly)
    opened = open_file(copy.path, "now")
    with opened.engine.connect() as connection:
        assert connection.exec_driver_sql("SELECT count(*) FROM incidents").scalar() == 40
    opened.engine.dispose()
    assert opened.set_aside is None


def test_what_is_there_stays(ledger: Path, tmp_path: Path) -> None:
    """Only a backup is overwritten, and only if that is said; the ledger itself and other files never."""
    target = tmp_path / "copy.db"
    back_up(ledger, target, quietly)
    first = target.stat().st_ino
    with pytest.raises(LedgerError, match="is there already; name another file, or say --overwrite"):
        back_up(ledger, target, quietly)
    assert target.stat().st_ino == first
    back_up(ledger, target, quietly, overwrite=True)
    assert target.stat().st_ino != first
    other = tmp_path / "tocsin.yaml"
    other.write_text("operators: [ana]\n")
    with pytest.raises(LedgerError, match="is no backup"):
        back_up(ledger, other, quietly, overwrite=True)
    with pytest.raises(LedgerError, match="is the ledger itself"):
        back_up(ledger, ledger, quietly, overwrite=True)
    with pytest.raises(LedgerError, match="is a folder"):
        back_up(ledger, tmp_path, quietly)
    with pytest.raises(LedgerError, match="no such file"):
        back_up(ledger, tmp_path / "nowhere" / "copy.db", quietly)
    assert other.read_text() == "operators: [ana]\n"


@pytest.mark.parametrize("beside", backup.OF_LEDGERS)
def test_another_ledger_is_not_overwritten(ledger: Path, tmp_path: Path, beside: str) -> None:
    """One that a daemon keeps, or kept, has files beside it: what stands in its log would go into the copy."""
    target = tmp_path / "other.db"
    back_up(ledger, target, quietly)
    first = target.stat().st_ino
    side = tmp_path / f"other.db{beside}"
    side.touch()
    with pytest.raises(LedgerError, match=f"is a ledger, with other.db{beside} beside it, and no backup"):
        back_up(ledger, target, quietly, overwrite=True)
    assert target.stat().st_ino == first
    side.unlink()
    back_up(ledger, target, quietly, overwrite=True)


@pytest.mark.parametrize("kind", ["empty", "of another program", "of another program, with alembic", "pipe"])
def test_nothing_but_a_backup_is_overwritten(ledger: Path, tmp_path: Path, kind: str) -> None:
    """An empty file is none, nor is a database of somebody else's; a pipe is not waited for."""
    target = tmp_path / "other.db"
    if kind == "pipe":
        os.mkfifo(target)
    elif kind == "empty":
        target.touch()
    else:
        with closing(sqlite3.connect(target)) as database:
            database.execute("CREATE TABLE mine (a)")
            if "alembic" in kind:
                database.execute("CREATE TABLE alembic_version AS SELECT '0001' AS version_num")
            database.commit()
    first = target.lstat().st_ino
    with pytest.raises(LedgerError, match="is no backup, so it is not overwritten"):
        back_up(ledger, target, quietly, overwrite=True)
    assert target.lstat().st_ino == first


def test_what_comes_to_stand_there_meanwhile_stays(ledger: Path, tmp_path: Path) -> None:
    """A file that somebody made under the name while the copy was on its way is not overwritten."""
    target = tmp_path / "copy.db"

    def make(_done: int, _of: int) -> None:
        target.write_text("mine")

    with pytest.raises(LedgerError, match="is there already"):
        back_up(ledger, target, make)
    assert target.read_text() == "mine"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["copy.db", "var"]


@pytest.mark.parametrize("fault", [KeyboardInterrupt, sqlite3.OperationalError("database or disk is full")])
def test_a_copy_that_fails_leaves_nothing(
    ledger: Path, tmp_path: Path, fault: BaseException | type[BaseException]
) -> None:
    """Neither a part of it nor its temporary file, whoever ends it."""
    (tmp_path / "b").mkdir()

    def end(_done: int, _of: int) -> None:
        raise fault

    with pytest.raises((KeyboardInterrupt, LedgerError)):
        back_up(ledger, tmp_path / "b" / "copy.db", end)
    assert not list((tmp_path / "b").iterdir())


def test_a_damaged_ledger_gives_no_backup(ledger: Path, tmp_path: Path) -> None:
    """A copy that is not sound never gets its name."""
    with ledger.open("r+b") as file:
        file.seek(3 * 4096)
        file.write(os.urandom(4 * 4096))
    with pytest.raises(LedgerError, match=r"nothing was written"):
        back_up(ledger, tmp_path / "copy.db", quietly)
    assert not (tmp_path / "copy.db").exists()


def test_a_copy_that_lacks_something_is_none(ledger: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The rows of each table are compared, and the schema."""
    copy_pages = backup._copy

    def copy_less(source: sqlite3.Connection, target: Path, tell: backup.Tell) -> None:
        copy_pages(source, target, tell)
        with closing(sqlite3.connect(target)) as there:
            there.execute("DELETE FROM incidents WHERE id = 'i7'")
            there.commit()
            there.execute("PRAGMA journal_mode=DELETE")

    monkeypatch.setattr(backup, "_copy", copy_less)
    with pytest.raises(LedgerError, match="does not hold what the ledger holds"):
        back_up(ledger, tmp_path / "copy.db", quietly)
    assert not (tmp_path / "copy.db").exists()


def test_an_empty_file_is_no_ledger(tmp_path: Path) -> None:
    """A backup of nothing would be found out too late."""
    (tmp_path / "tocsin.db").touch()
    with pytest.raises(LedgerError, match="is empty yet"):
        back_up(tmp_path / "tocsin.db", tmp_path / "copy.db", quietly)


def test_a_ledger_of_another_schema_is_copied(ledger: Path, tmp_path: Path) -> None:
    """Before and after an upgrade, whichever program is called."""
    with closing(sqlite3.connect(ledger)) as there:
        there.execute("UPDATE alembic_version SET version_num = '9999'")
        there.commit()
    copy = back_up(ledger, tmp_path / "copy.db", quietly)
    assert isinstance(copy, Backup)
    assert copy.schema == "9999"
