"""The SQLite ledger and what befalls it: full disks, locks, damage, other versions, callers that misbehave."""

import asyncio
import resource
import sqlite3
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from tocsin.adapters.ledger import opening
from tocsin.adapters.ledger.ledger import SqlLedger
from tocsin.adapters.ledger.lock import LedgerLockedError, Lock
from tocsin.adapters.ledger.opening import check_place, open_existing, open_file
from tocsin.adapters.ledger.tables import metadata
from tocsin.domain.delivery import Accepted, Content, Letter
from tocsin.domain.facts import Answer, Answered
from tocsin.domain.notification import Kind, Notification, Reason
from tocsin.domain.people import Channel
from tocsin.ports.ledger import LedgerError

T0 = datetime(2026, 11, 23, 10, tzinfo=UTC)
PHONE = "+14155550101"
DATA = Path(__file__).parents[2] / "data" / "ledger"
FACT = Answered(T0, "ana", Answer.OK)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "var" / "tocsin.db"


@pytest.fixture
async def ledger(path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[SqlLedger]:
    monkeypatch.setattr(opening, "BUSY_MS", 200)
    ledger = SqlLedger(open_file(path, "now"))
    yield ledger
    await ledger.close()


async def tries(ledger: SqlLedger, count: int, address: str = PHONE) -> list[object]:
    """Begin tries at once; what each caller got."""
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
        assert all(isinstance(each, LedgerError) for each in await tries(ledger, 16))
    await ledger.record("web", (FACT,), (), ())
    assert (await ledger.facts("db"), await ledger.facts("web")) == ((FACT,), (FACT,))


async def test_a_lock_of_another_process_is_waited_for_once(ledger: SqlLedger, path: Path) -> None:
    """While somebody else holds the file, all who wait hear of it together, the loop goes on, and readers read."""
    await ledger.record("db", (FACT,), (), ())
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    started = time.perf_counter()
    waiting = asyncio.create_task(tries(ledger, 50))
    assert await ledger.facts("db") == (FACT,)
    assert not waiting.done()
    assert all(isinstance(each, LedgerError) for each in await waiting)
    assert time.perf_counter() - started < 2
    other.execute("ROLLBACK")
    other.close()
    assert not [each for each in await tries(ledger, 50) if isinstance(each, LedgerError)]


async def test_a_call_that_fails_takes_nobody_with_it(ledger: SqlLedger) -> None:
    """In a group of calls, one that cannot be written fails alone; the others are written once."""
    good = (ledger.begin_attempt(f"k{number}", Channel.SMS, PHONE, T0) for number in range(5))
    bad = ledger.begin_attempt("bad", Channel.SMS, "\ud800", T0)
    results = await asyncio.gather(*good, bad, return_exceptions=True)
    assert isinstance(results.pop(), LedgerError)
    assert [attempt.number for attempt in results if not isinstance(attempt, BaseException)] == [1] * 5
    assert (await ledger.begin_attempt("bad", Channel.SMS, PHONE, T0)).number == 1


async def test_our_own_mistake_is_ours_and_passes(ledger: SqlLedger) -> None:
    """A fault of the program reaches its caller as it is, and the writer goes on."""

    def wrong(_connection: object, _arguments: object) -> list[None]:
        raise AssertionError("a mistake")

    with pytest.raises(AssertionError, match="a mistake"):
        await ledger._writer.commit(wrong, None)
    assert (await ledger.begin_attempt("k", Channel.SMS, PHONE, T0)).number == 1


async def test_who_gives_up_waiting_harms_nobody(ledger: SqlLedger) -> None:
    """A cancelled call neither breaks its group nor hangs the next one."""
    calls = [asyncio.create_task(ledger.begin_attempt(f"k{number}", Channel.SMS, PHONE, T0)) for number in range(8)]
    await asyncio.sleep(0)
    calls[0].cancel()
    calls[5].cancel()
    results = await asyncio.gather(*calls, return_exceptions=True)
    assert sum(isinstance(each, asyncio.CancelledError) for each in results) == 2
    assert (await ledger.begin_attempt("k9", Channel.SMS, PHONE, T0)).number == 1


def replace_content(path: Path, change: Callable[[bytes], bytes]) -> bytes:
    changed = change(path.read_bytes())
    path.write_bytes(changed)
    return changed


@pytest.mark.parametrize(
    "harm",
    [
        lambda data: b"x" * 100 + data[100:],
        lambda data: data[:4096] + b"\xff" * 8192 + data[12288:],
        lambda data: data[:5000],
        lambda _data: b"this is no database, but it is long enough to be taken for one " * 100,
    ],
    ids=["header", "pages", "cut", "another file"],
)
async def test_a_damaged_ledger_is_set_aside(path: Path, harm: Callable[[bytes], bytes]) -> None:
    """Damage is met at the start: the file is kept beside, a fresh one works, and the caller can tell."""
    ledger = SqlLedger(open_file(path, "before"))
    await ledger.record("db", (FACT,) * 200, (), ())
    await ledger.close()
    harmed = replace_content(path, harm)
    ledger = SqlLedger(open_file(path, "20261123T100000Z"))
    assert ledger.set_aside is not None
    assert ledger.set_aside.name == "tocsin.db.damaged-20261123T100000Z"
    assert ledger.set_aside.read_bytes()[:50] == harmed[:50]
    assert await ledger.incidents() == ()
    await ledger.record("web", (FACT,), (), ())
    await ledger.close()
    ledger = SqlLedger(open_file(path, "later"))
    assert ledger.set_aside is None
    assert await ledger.incidents() == ("web",)
    await ledger.close()


def test_a_newer_schema_is_refused(path: Path) -> None:
    """A ledger of a newer tocsin is refused in a sentence that says so, and stays as it is."""
    open_file(path, "now").engine.dispose()
    with sqlite3.connect(path) as other:
        other.execute("UPDATE alembic_version SET version_num = '9999'")
    other.close()
    before = path.read_bytes()
    with pytest.raises(LedgerError, match=r"tocsin\.db: it was written by a newer tocsin \(schema 9999\)"):
        open_file(path, "now")
    with pytest.raises(LedgerError, match="schema 9999"):
        open_existing(path)
    assert path.read_bytes() == before
    assert not list(path.parent.glob("*damaged*"))


async def test_an_unknown_fact_is_refused(ledger: SqlLedger, path: Path) -> None:
    """A fact of a class that only a newer tocsin has is told in a sentence, not guessed and not left out."""
    await ledger.record("db", (FACT,), (), ())
    with sqlite3.connect(path) as other:
        other.execute("UPDATE facts SET kind = 'Dreamt'")
    other.close()
    with pytest.raises(LedgerError, match='"Dreamt", which only a newer tocsin knows'):
        await ledger.facts("db")
    with pytest.raises(LedgerError, match="Dreamt"):
        await ledger.unfinished()


async def test_an_unknown_outcome_is_refused(ledger: SqlLedger, path: Path) -> None:
    """An outcome of a class that only a newer tocsin has is told in a sentence, wherever it is met."""
    notification = Notification("k", "db", 1, Kind.PAGE, Reason.DECLARED, T0, "ana", Channel.SMS)
    await ledger.record("db", (), [Letter(notification, Content("Database down"))], ())
    attempt = await ledger.begin_attempt("k", Channel.SMS, PHONE, T0)
    await ledger.end_attempt(attempt, Accepted("SM1"), T0)
    with sqlite3.connect(path) as other:
        other.execute("""UPDATE attempts SET outcome = '{"is": "Bounced", "detail": "x"}'""")
    other.close()
    for question in (ledger.unsettled(), ledger.records("db"), ledger.find_attempt(attempt.id)):
        with pytest.raises(LedgerError, match='"Bounced", which only a newer tocsin knows'):
            await question


def test_a_migration_is_whole_or_not_at_all(path: Path) -> None:
    """A migration that fails on its way leaves the file as it was."""
    path.parent.mkdir()
    with sqlite3.connect(path) as other:
        other.execute("CREATE TABLE notices (mine)")
    with pytest.raises(LedgerError, match="notices already exists"):
        open_file(path, "now")
    assert other.execute("SELECT name FROM sqlite_master").fetchall() == [("notices",)]
    other.close()


async def test_a_ledger_of_the_first_version_is_brought_up_to_date(path: Path) -> None:
    """What the first version of tocsin has written is all there after the upgrade, and new kinds of rows fit in."""
    path.parent.mkdir()
    old = sqlite3.connect(path)
    old.executescript((DATA / "0001.sql").read_text())
    old.close()
    with pytest.raises(LedgerError, match="schema 0001"):
        open_existing(path)
    ledger = SqlLedger(open_file(path, "now"))
    assert ledger.set_aside is None
    assert [type(fact).__name__ for fact in await ledger.facts("db")] == ["Seen", "Assessed", "StepFired", "Paged"]
    assert [len(each.attempts) for each in await ledger.unsettled()] == [1]
    assert await ledger.file("db") == ("db.yaml", b"title: x\n")
    await ledger.report("pull", "refused", T0)
    assert [each.text for each in await ledger.reports_since(0)] == ["refused"]
    await ledger.close()


def test_the_scripts_make_the_tables(path: Path) -> None:
    """What the migrations make is what the code expects, to the last column and index."""
    engine = open_file(path, "now").engine
    with engine.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), metadata) == []
        indexes = "SELECT sql FROM sqlite_master WHERE type = 'index' AND sql IS NOT NULL"
        made = {" ".join(str(sql).split()) for (sql,) in connection.exec_driver_sql(indexes)}
        metadata.drop_all(connection)
        metadata.create_all(connection)
        wanted = {" ".join(str(sql).split()) for (sql,) in connection.exec_driver_sql(indexes)}
    engine.dispose()
    plain = [{sql.replace('"', "").replace("notifications.", "").replace("facts.", "") for sql in each}
             for each in (made, wanted)]  # fmt: skip
    assert plain[0] == plain[1]


def test_one_daemon_for_a_ledger(path: Path) -> None:
    """A second lock is refused and names the first one's process; it is free when that lets go."""
    path.parent.mkdir()
    first = Lock(path)
    with pytest.raises(LedgerLockedError) as refused:
        Lock(path)
    assert int(refused.value.pid) > 0
    assert refused.value.pid in str(refused.value)
    first.release()
    Lock(path).release()


async def test_commands_work_beside_the_daemon(ledger: SqlLedger, path: Path) -> None:
    """A command reads and writes the ledger of a running daemon, and the daemon finds what it wrote."""
    engine = open_existing(path)
    assert engine is not None
    command = SqlLedger(opening.OpenedLedger(engine))
    await ledger.record("db", (FACT,), (), ())
    assert await command.facts("db") == (FACT,)
    own = [ledger.record("db", (FACT,), (), ()) for _ in range(20)]
    others = [command.record("web", (FACT,), (), ()) for _ in range(20)]
    await asyncio.gather(*own, *others)
    assert len(await ledger.answers_since(0)) == 41
    await command.close()


def test_a_command_makes_no_ledger(path: Path) -> None:
    """Where there is no ledger, or an empty file, a command goes on without and leaves nothing behind."""
    assert open_existing(path) is None
    path.parent.mkdir()
    path.touch()
    assert open_existing(path) is None
    assert path.stat().st_size == 0


async def test_nobody_else_reads_it(tmp_path: Path) -> None:
    """The folder and the file are made for their owner alone, whatever characters their names have."""
    path = tmp_path / "a b?c=%20d#e" / "tocsin.db"
    ledger = SqlLedger(open_file(path, "now"))
    await ledger.end_attempt(await ledger.begin_attempt("k", Channel.SMS, PHONE, T0), Accepted(), T0)
    assert path.parent.stat().st_mode & 0o777 == 0o700
    assert {each.stat().st_mode & 0o777 for each in path.parent.iterdir()} == {0o600}
    await ledger.close()


def test_a_network_file_system_is_told(tmp_path: Path) -> None:
    """SQLite on a network file system is used, and the operators are told; the innermost mount counts."""
    mounts = tmp_path / "mounts"
    mounts.write_text(
        "22 1 254:0 / / rw - ext4 /dev/vda rw\n"
        "23 22 0:41 / /srv/team\\040disk rw shared:1 - nfs4 nas:/team rw\n"
        "24 23 254:1 / /srv/team\\040disk/local rw - xfs /dev/vdb rw\n"
        "25 22 0:42 / /srv/\u00e9quipe rw shared:1 master:2 - cifs //nas/x rw\n",
        encoding="utf-8",
    )
    assert "nfs4" in check_place(Path("/srv/team disk/var/tocsin.db"), mounts)
    assert check_place(Path("/srv/team disk/local/tocsin.db"), mounts) == ""
    assert "cifs" in check_place(Path("/srv/\u00e9quipe/tocsin.db"), mounts)
    assert check_place(Path("/srv/tocsin.db"), mounts) == ""
    assert check_place(Path("/srv/tocsin.db"), tmp_path / "absent") == ""
