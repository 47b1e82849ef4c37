"""What commands ask of a ledger in a file in SQL of its own, they are answered as the whole ledger answers it."""

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Awaitable
from contextlib import closing
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from threading import Event
from typing import Any

import pytest
from tocsin.adapters.ledger.ledger import SqlLedger
from tocsin.adapters.ledger.sqlite.file_reader import open_reader
from tocsin.adapters.ledger.sqlite.keeping import FileStore
from tocsin.adapters.ledger.sqlite.opening import open_existing, open_file
from tocsin.adapters.ledger.sqlite.reading.addresses import FileAddresses
from tocsin.adapters.ledger.sqlite.reading.incidents import FileIncidents
from tocsin.domain.arrival import Arrival, ArrivalKind, OptOut
from tocsin.domain.delivery import Accepted, Deferred, Fault, Outcome, Receipt, Refused
from tocsin.domain.facts import Answer, Answered, Closed, Paged, RoleOpened, Seen
from tocsin.domain.incident import Incident, Status, UpdateEntry
from tocsin.domain.notification import Reason
from tocsin.domain.people import Channel
from tocsin.ports.ledger.reading import AddressRecords
from tocsin.ports.ledger.recorded import RecordedIncidents
from tocsin.ports.ledger.trouble import LedgerError

from tests.contract.test_ledger import letter

T0 = datetime(2026, 11, 23, 10, tzinfo=UTC)
HOUR = timedelta(hours=1)
NAMES = ("db", "DB", "a_b", "déjà", "over", "never")
SPOILT = [
    "UPDATE facts SET body = '{}' WHERE id = 2",
    "UPDATE facts SET body = X'00ff' WHERE id = 2",
    "UPDATE facts SET body = CAST(X'7b22ff' AS TEXT) WHERE id = 1",
    "UPDATE facts SET kind = CAST(X'ff' AS TEXT) WHERE id = 2",
    "UPDATE incidents SET data = X'00' WHERE id = 'db'",
    "UPDATE incidents SET data = 'text' WHERE id = 'db'",
    "UPDATE incidents SET digest = CAST(X'ff' AS TEXT) WHERE id = 'db'",
]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "var" / "tocsin.db"


@pytest.fixture
async def ledger(path: Path) -> AsyncIterator[SqlLedger]:
    """A running daemon's, with some incidents: one is over, one was declared anew, of one the file was kept."""
    ledger = SqlLedger(FileStore(open_file(path, "now")))
    for number, name in enumerate(NAMES[:5]):
        updates = tuple(UpdateEntry(f"update {count} 🙂", at=T0) for count in range(number))
        seen = Seen(T0, Incident(name, "Déjà vu", "sev1", updates=updates), f"d{number}")
        await ledger.record(name, (seen, RoleOpened(T0, "technical_lead", Reason.DECLARED)), (), ())
        await ledger.record(name, (Answered(T0 + HOUR, "ana", Answer.OK),), (), ())
    paged = Paged(T0, "ana", ("technical_lead",), 0, 1, Reason.DECLARED, (Channel.SMS,))
    await ledger.record("a_b", (Seen(T0 + HOUR, Incident("a_b", "Anew", "sev2"), "d9"), paged), (), (), anew=T0 + HOUR)
    over = Seen(T0 + HOUR, Incident("over", "Over", "sev1", status=Status.RESOLVED), "d8")
    await ledger.record("over", (over, Closed(T0 + HOUR)), (), ())
    await ledger.finish("over")
    await ledger.keep_file("db", "d\udcffb.yaml", "d0", b"title: db\n")
    yield ledger
    await ledger.close()


async def answers(reader: RecordedIncidents) -> list[Any]:
    """All that can be asked of it, and what is said of what cannot be answered."""
    questions: list[Awaitable[Any]] = [
        reader.incidents(),
        reader.unfinished(),
        reader.files(),
        reader.newest_versions(NAMES),
        reader.newest_versions(()),
        *(reader.facts(name) for name in NAMES),
        *(reader.file(name) for name in NAMES),
    ]
    return [await _answered(question) for question in questions]


async def _answered(question: Awaitable[Any]) -> Any:
    try:
        return await question
    except LedgerError as trouble:
        return type(trouble), str(trouble)


async def test_it_answers_as_the_whole_ledger_does(ledger: SqlLedger, path: Path) -> None:
    """Beside a daemon, each time as it is then, and in the same order."""
    reader = open_reader(path, FileIncidents)
    assert reader is not None
    first = await answers(reader)
    assert first == await answers(ledger)
    assert list(first[1]) == list(await ledger.unfinished())
    await ledger.record("db", (Answered(T0 + HOUR, "bo", Answer.OK),), (), ())
    assert await answers(reader) == await answers(ledger) != first
    await reader.close()


@pytest.mark.parametrize("statement", SPOILT)
async def test_it_says_the_same_of_spoilt_rows(ledger: SqlLedger, path: Path, statement: str) -> None:
    """Rule 63: one that cannot be read takes its own incident out of an answer, in the same words."""
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        assert other.execute(statement).rowcount > 0
    reader = open_reader(path, FileIncidents)
    assert reader is not None
    assert await answers(reader) == await answers(ledger)
    await reader.close()


async def addresses(reader: AddressRecords) -> list[Any]:
    """All that `check` asks of it."""
    return [await _answered(question) for question in (reader.refusals(), reader.opt_outs(), reader.proofs())]


async def tell_of_addresses(ledger: SqlLedger) -> None:
    """Some were refused and some not, with receipts, texts that came in, and people who want nothing more."""
    await ledger.record("db", (), [letter("k")], ())
    ends: list[tuple[Channel, str, Outcome]] = [
        (Channel.SMS, "+14155550101", Refused("opted out \U0001f642", "21610")),
        (Channel.SMS, "+14155550102", Refused("no number", "21211")),
        (Channel.SMS, "+14155550102", Deferred("busy")),
        (Channel.SMS, "+14155550103", Refused("no number", "21211")),
        (Channel.SMS, "+14155550103", Accepted("SM1")),
        (Channel.SMS, "+14155550103", Refused("too long", "21617", Fault.MESSAGE)),
        (Channel.EMAIL, "ana@example.com", Refused("550 no such user", "550")),
        (Channel.EMAIL, "bo@example.com", Accepted("M1")),
    ]
    for hour, (via, address, outcome) in enumerate(ends):
        attempt = await ledger.begin_attempt("k", via, address, T0 + hour * HOUR)
        await ledger.end_attempt(attempt, outcome, T0 + hour * HOUR)
        if isinstance(outcome, Accepted):
            await ledger.record_receipt(attempt, Receipt.DELIVERED, T0 + 9 * HOUR)
    for who, at in ("+14155550102", T0), ("+14155550103", T0 + 10 * HOUR):
        await ledger.record_arrival(Arrival(ArrivalKind.SMS, f"SM{who}", who, "ok", at))
    await ledger.opt_out(OptOut(Channel.SMS, "+14155550101", T0, "SM9"))
    await ledger.opt_out(OptOut(Channel.EMAIL, "cy@example.com", T0 + HOUR, ""))


async def test_it_knows_of_addresses_what_the_whole_ledger_does(ledger: SqlLedger, path: Path) -> None:
    """Which were refused, which want nothing more, which proved to work and by what."""
    reader = open_reader(path, FileAddresses)
    assert reader is not None
    assert await addresses(reader) == await addresses(ledger) == [(), (), {}]
    await tell_of_addresses(ledger)
    known = await addresses(reader)
    assert known == await addresses(ledger)
    assert [len(part) for part in known] == [3, 2, 3]
    await reader.close()


@pytest.mark.parametrize(
    "column", ["attempts.via", "attempts.outcome", "attempts.ended_at", "opt_outs.at", "arrivals.at"]
)
async def test_it_leaves_out_the_same_spoilt_addresses(ledger: SqlLedger, path: Path, column: str) -> None:
    """Rule 63: what cannot be read of one says nothing of the others."""
    await tell_of_addresses(ledger)
    table, _, name = column.partition(".")
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        spoilt = f"UPDATE {table} SET {name} = {name} || CAST(X'ff' AS TEXT) WHERE rowid IN (1, 8)"
        assert other.execute(spoilt).rowcount > 0
    reader = open_reader(path, FileAddresses)
    assert reader is not None
    assert await addresses(reader) == await addresses(ledger)
    await reader.close()


def opened(path: Path) -> tuple[bool | str, bool | str]:
    """What becomes of opening it so, and as a whole."""
    found: list[bool | str] = []
    for open_it in (partial(open_reader, reader=FileIncidents), open_existing):
        try:
            found.append(open_it(path) is not None)
        except LedgerError as trouble:
            found.append(str(trouble))
    return found[0], found[1]


def test_what_is_none_is_none_for_both(path: Path) -> None:
    """No file, a folder, an empty file, one of SQLite without anything, none of SQLite, another version's."""
    assert opened(path) == (False, False)
    path.mkdir(parents=True)
    assert opened(path) == (False, False)
    path.rmdir()
    path.touch()
    assert opened(path) == (False, False)
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("CREATE TABLE x (y)")
    assert opened(path) == (False, False)
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("CREATE TABLE alembic_version (version_num)")
        other.execute("INSERT INTO alembic_version VALUES ('9999')")
    one, whole = opened(path)
    assert one == whole
    assert "another version of tocsin keeps it (schema 9999, not " in str(one)
    path.write_bytes(b"no database, but long enough to be read as one " * 200)
    one, whole = opened(path)
    assert one == whole
    assert "not a database" in str(one)


async def test_a_file_that_nobody_has_open_is_read_without_a_trace(path: Path) -> None:
    """Nothing is made beside it; and what a daemon has opened meanwhile may be torn, so that is not answered."""
    daemon = SqlLedger(FileStore(open_file(path, "now")))
    await daemon.record("db", (Seen(T0, Incident("db", "Down", "sev1"), "d"),), (), ())
    await daemon.close()
    for side in path.parent.glob("tocsin.db-*"):
        side.unlink()
    before = sorted(path.parent.iterdir())
    reader = open_reader(path, FileIncidents)
    assert reader is not None
    assert await reader.incidents() == ("db",)
    assert sorted(path.parent.iterdir()) == before
    daemon = SqlLedger(FileStore(open_file(path, "now")))
    with pytest.raises(LedgerError, match="the daemon has just opened it; ask again"):
        await reader.incidents()
    await reader.close()
    await daemon.close()


async def test_nobody_waits_for_a_disk_that_hangs(ledger: SqlLedger, path: Path) -> None:
    """A command that is broken off lets go of the file at once, whatever a question that has no answer holds."""
    reader = open_reader(path, FileIncidents)
    assert reader is not None
    answers, hangs, in_vain = Event(), Event(), list[bool]()

    def hang() -> int:
        hangs.set()
        in_vain.append(not answers.wait(5))
        return 0

    reader._connection.set_progress_handler(hang, 1)
    asked = asyncio.create_task(reader.incidents())
    await asyncio.to_thread(hangs.wait, 10)
    closing_it = asyncio.create_task(reader.close())
    await asyncio.wait([closing_it], timeout=1)
    assert closing_it.done()
    answers.set()
    assert len(await asked) == 5
    assert not any(in_vain)
