"""What the ledger's writer promises: each call whole or not at all, however many share a transaction."""

import asyncio
import sqlite3
import threading
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import Connection
from tocsin.adapters.ledger.ledger import SqlLedger
from tocsin.adapters.ledger.sqlite.file_database import WRITING_KB
from tocsin.adapters.ledger.sqlite.keeping import FileStore
from tocsin.adapters.ledger.sqlite.opening import READING_KB, open_file
from tocsin.adapters.ledger.writes import CONFIGS_KEPT
from tocsin.domain.arrival import Arrival, ArrivalKind
from tocsin.domain.delivery import Accepted, Bundle, Content, Letter
from tocsin.domain.facts import Answer, Answered
from tocsin.domain.notification import Kind, Notification, Reason
from tocsin.domain.people import Channel
from tocsin.ports.ledger.trouble import LedgerError

T0 = datetime(2026, 11, 23, 10, tzinfo=UTC)
PHONE = "+14155550101"
FACT = Answered(T0, "ana", Answer.OK)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "tocsin.db"


@pytest.fixture
async def ledger(path: Path) -> AsyncIterator[SqlLedger]:
    ledger = SqlLedger(FileStore(open_file(path, "now")))
    yield ledger
    await ledger.close()


def letter(key: str, to: str = "ana") -> Letter:
    page = Notification(key, "db", 1, Kind.PAGE, Reason.DECLARED, T0, to, Channel.SMS)
    return Letter(page, Content(f"words of {key}"))


def rows(path: Path, table: str) -> int:
    """How many rows another process finds in a table."""
    other = sqlite3.connect(path)
    count: int = other.execute(f"SELECT count(*) FROM {table}").fetchone()[0]
    other.close()
    return count


async def test_a_call_that_fails_half_way_leaves_nothing(ledger: SqlLedger, path: Path) -> None:
    """When the last row of a call cannot be written, none of the ones before it is there, and what was there stays."""
    await ledger.record("db", (FACT,), (), ())
    await ledger.finish("db")
    with pytest.raises(LedgerError):
        await ledger.record("db", (FACT,), [letter("a"), letter("b"), letter("c", to="\ud800")], ())
    with pytest.raises(LedgerError):
        await ledger.record("web", (FACT,), [letter("d", to="\ud800")], ())
    assert {table: rows(path, table) for table in ("incidents", "facts", "contents", "notifications")} == {
        "incidents": 1,
        "facts": 1,
        "contents": 0,
        "notifications": 0,
    }
    assert await ledger.unfinished() == {}
    assert await ledger.record("db", (FACT,), [letter("a")], ()) == {"a"}


async def test_one_that_fails_among_many_leaves_nothing(ledger: SqlLedger, path: Path) -> None:
    """In a group the calls that can be written are there once and whole, and of the others nothing."""
    calls = [ledger.record(f"i{n}", (FACT,), [letter(f"k{n}", "\ud800" if n % 3 else "ana")], ()) for n in range(9)]
    results = await asyncio.gather(*calls, return_exceptions=True)
    assert [isinstance(result, LedgerError) for result in results] == [bool(n % 3) for n in range(9)]
    assert results[::3] == [{"k0"}, {"k3"}, {"k6"}]
    assert set(await ledger.incidents()) == {"i0", "i3", "i6"}
    assert (rows(path, "facts"), rows(path, "notifications"), rows(path, "contents")) == (3, 3, 3)


async def test_what_returned_is_seen_by_others(ledger: SqlLedger, path: Path) -> None:
    """When a call returns, another process finds its rows: nothing waits for a later commit."""
    for number in range(1, 4):
        await ledger.record("db", (FACT,), [letter(f"k{number}")], ())
        assert (rows(path, "facts"), rows(path, "notifications")) == (number, number)
        await ledger.begin_attempt(f"k{number}", Channel.SMS, PHONE, T0)
        assert rows(path, "attempts") == number


async def test_more_calls_than_one_transaction_takes(ledger: SqlLedger) -> None:
    """Two thousand calls at once are all written, each once, and each caller gets its own result."""
    keys = [f"k{number}" for number in range(2000)]
    attempts = await asyncio.gather(*(ledger.begin_attempt(key, Channel.SMS, PHONE, T0) for key in keys))
    assert [(attempt.reference, attempt.number) for attempt in attempts] == [(key, 1) for key in keys]
    assert len({attempt.id for attempt in attempts}) == 2000
    again = await asyncio.gather(*(ledger.begin_attempt("k0", Channel.SMS, PHONE, T0) for _ in range(5)))
    assert sorted(attempt.number for attempt in again) == [2, 3, 4, 5, 6]


async def test_calls_of_many_kinds_share_a_transaction(ledger: SqlLedger) -> None:
    """Calls of different kinds that come at once each get the result of their own kind and place."""
    arrival = Arrival(ArrivalKind.SMS, "SM1", PHONE, "ok", T0)
    results = await asyncio.gather(
        ledger.record("db", (FACT,), [letter("a")], ()),
        ledger.claim_notice("disk", T0, timedelta(hours=1)),
        ledger.begin_attempt("x", Channel.SMS, PHONE, T0),
        ledger.record("web", (FACT,), [letter("b")], ()),
        ledger.record_arrival(arrival),
        ledger.claim_notice("disk", T0, timedelta(hours=1)),
        ledger.begin_attempt("y", Channel.SMS, PHONE, T0),
        ledger.record_arrival(arrival),
    )
    first, second = results[2], results[6]
    assert (first.reference, second.reference) == ("x", "y")
    assert results == [{"a"}, True, first, {"b"}, True, False, second, False]


async def test_who_gave_up_in_time_writes_nothing(ledger: SqlLedger) -> None:
    """A call that is cancelled before its transaction has begun leaves no row; those beside it are written."""
    calls = [asyncio.create_task(ledger.record(f"i{n}", (FACT,), (), ())) for n in range(4)]
    await asyncio.sleep(0)
    for call in calls[1:3]:
        call.cancel()
    await asyncio.gather(*calls, return_exceptions=True)
    assert set(await ledger.incidents()) == {"i0", "i3"}


async def test_closing_finishes_what_is_queued(path: Path) -> None:
    """Calls that wait when the ledger is closed are written before it lets go of the file."""
    ledger = SqlLedger(FileStore(open_file(path, "now")))
    calls = [asyncio.create_task(ledger.record(f"i{n}", (FACT,), (), ())) for n in range(1100)]
    await asyncio.sleep(0)
    await ledger.close()
    assert all(call.done() and call.exception() is None for call in calls)
    assert path.with_name("tocsin.db-wal").stat().st_size == 0
    assert rows(path, "incidents") == 1100


async def test_old_configs_keep_no_files(ledger: SqlLedger, path: Path) -> None:
    """The ledger does not grow with every change of the config: only the newest ones keep their files."""
    for number in range(CONFIGS_KEPT + 5):
        await ledger.record_config(f"r{number}", {"tocsin.yaml": b"x" * 100}, T0)
    other = sqlite3.connect(path)
    kept = other.execute("SELECT revision FROM configs WHERE files IS NOT NULL ORDER BY id").fetchall()
    other.close()
    assert [revision for (revision,) in kept] == [f"r{number}" for number in range(5, CONFIGS_KEPT + 5)]
    assert rows(path, "configs") == CONFIGS_KEPT + 5


async def test_equal_words_are_kept_once(ledger: SqlLedger, path: Path) -> None:
    """A thousand readers of the same words cost one copy of them, also in several calls."""
    one = letter("k").content
    for call in range(3):
        letters = [Letter(letter(f"k{call}-{n}").notification, one) for n in range(10)]
        await ledger.record("db", (), letters, ())
    assert (rows(path, "contents"), rows(path, "notifications")) == (1, 30)


async def test_words_of_what_was_decided_before_are_not_kept(ledger: SqlLedger, path: Path) -> None:
    """A letter whose key is known leaves nothing; words that another message has stay."""
    known, others = letter("a"), [Content("two"), Content("three")]
    await ledger.record("db", (), [known], ())
    again = [replace(known, content=others[0]), replace(letter("b"), content=known.content)]
    assert await ledger.record("db", (), again, ()) == {"b"}
    assert not await ledger.record_answers([("db", FACT)], replace(known, content=others[1]))
    assert (rows(path, "contents"), rows(path, "notifications"), rows(path, "facts")) == (1, 2, 0)


async def test_half_a_character_keeps_no_sms_out(ledger: SqlLedger) -> None:
    """What a sender wrote is kept whatever it holds: half a surrogate pair becomes a question mark."""
    assert await ledger.record_arrival(Arrival(ArrivalKind.SMS, "SM1", PHONE, "ok \ud83d", T0))
    assert [arrival.body for _, arrival in await ledger.unjudged_arrivals()] == ["ok ?"]


async def test_instants_are_the_same_whatever_their_zone(ledger: SqlLedger) -> None:
    """An instant comes back equal, and sorts by time, from whatever offset it was given in."""
    ahead = datetime.fromisoformat("2026-11-23T20:00:00.000001+10:00")
    await ledger.record("db", (replace(FACT, at=ahead),), [letter("a")], ())
    await ledger.claim_notice("disk", ahead, timedelta(0))
    assert await ledger.noticed_at("disk") == T0 + timedelta(microseconds=1)
    attempt = await ledger.begin_attempt("a", Channel.SMS, PHONE, ahead)
    assert (await ledger.unsettled())[0].attempts == (attempt,)
    assert (await ledger.facts("db"))[0].at == ahead


async def test_a_call_that_fails_takes_nobody_with_it(ledger: SqlLedger) -> None:
    """In a group of calls, one that cannot be written fails alone; the others are written once."""
    good = (ledger.begin_attempt(f"k{number}", Channel.SMS, PHONE, T0) for number in range(5))
    bad = ledger.begin_attempt("bad", Channel.SMS, "\ud800", T0)
    results = await asyncio.gather(*good, bad, return_exceptions=True)
    assert isinstance(results.pop(), LedgerError)
    assert [attempt.number for attempt in results if not isinstance(attempt, BaseException)] == [1] * 5
    assert (await ledger.begin_attempt("bad", Channel.SMS, PHONE, T0)).number == 1


async def test_of_an_end_and_a_settlement_each_counts_by_itself(ledger: SqlLedger) -> None:
    """An end that cannot be written is told, and what is settled with it is written all the same; also the other way
    round.
    """
    await ledger.record("db", (), [letter("a"), letter("b")], ())
    begun = await ledger.begin_attempt("b", Channel.SMS, PHONE, T0)
    with pytest.raises(LedgerError):
        await ledger.end_and_settle([(replace(begun, id="\ud800"), Accepted(), T0)], [("a", "accepted", T0)])
    with pytest.raises(LedgerError):
        await ledger.end_and_settle([(begun, Accepted("SM1"), T0)], [("\ud800", "accepted", T0)])
    (left,) = await ledger.unsettled()
    assert left.notification.key == "b"
    assert [attempt.outcome for attempt in left.attempts] == [Accepted("SM1")]


async def test_who_gives_up_an_end_and_a_settlement_in_time_writes_neither(ledger: SqlLedger) -> None:
    """Cancelled before their transaction has begun, both stay unwritten: the try has no end, its letter is not settled."""
    await ledger.record("db", (), [letter("a")], ())
    begun = await ledger.begin_attempt("a", Channel.SMS, PHONE, T0)
    under_way, goes_on = threading.Event(), threading.Event()

    def holds_up(_connection: object, calls: Sequence[object]) -> list[None]:
        under_way.set()
        assert goes_on.wait(20)
        return [None] * len(calls)

    before = asyncio.create_task(ledger.store._writer.commit(holds_up, None))
    await asyncio.to_thread(under_way.wait, 20)
    ending = asyncio.create_task(ledger.end_and_settle([(begun, Accepted(), T0)], [("a", "accepted", T0)]))
    await asyncio.sleep(0)
    ending.cancel()
    with pytest.raises(asyncio.CancelledError):
        await ending
    goes_on.set()
    await before
    (left,) = await ledger.unsettled()
    assert [attempt.outcome for attempt in left.attempts] == [None]


async def test_a_bundle_is_begun_whole_or_not_at_all(ledger: SqlLedger) -> None:
    """Rule 47: one page that cannot be written leaves no attempt of the others, and no bundle."""
    await ledger.record("db", (), [letter("a"), letter("b")], ())
    with pytest.raises(LedgerError):
        await ledger.begin_bundle(Bundle("b1", Content("x")), ("a", "\ud800", "b"), Channel.SMS, PHONE, T0, {})
    assert [known.attempts for known in await ledger.unsettled()] == [(), ()]
    assert await ledger.bundle("b1") is None
    begun = await ledger.begin_bundle(Bundle("b1", Content("x")), ("a", "b"), Channel.SMS, PHONE, T0, {})
    assert [(attempt.reference, attempt.number) for attempt in begun] == [("a", 1), ("b", 1)]


async def test_our_own_mistake_is_ours_and_passes(ledger: SqlLedger) -> None:
    """A fault of the program reaches its caller as it is, and the writer goes on."""

    def wrong(_connection: object, _arguments: object) -> list[None]:
        raise AssertionError("a mistake")

    with pytest.raises(AssertionError, match="a mistake"):
        await ledger.store._writer.commit(wrong, None)
    assert (await ledger.begin_attempt("k", Channel.SMS, PHONE, T0)).number == 1


async def test_who_gives_up_waiting_harms_nobody(ledger: SqlLedger) -> None:
    """A cancelled call neither breaks its group nor hangs the next one."""
    calls = [asyncio.create_task(ledger.begin_attempt(f"k{number}", Channel.SMS, PHONE, T0)) for number in range(8)]
    await asyncio.sleep(0)
    calls[0].cancel()
    calls[5].cancel()
    results = await asyncio.gather(*calls, return_exceptions=True)
    assert sum(isinstance(result, asyncio.CancelledError) for result in results) == 2
    assert (await ledger.begin_attempt("k9", Channel.SMS, PHONE, T0)).number == 1


async def test_of_many_at_once_those_that_are_known_are_told_apart(ledger: SqlLedger, path: Path) -> None:
    """Where some of a transaction's rows are known, each new one is there once, and each caller hears its own."""
    came = [Arrival(ArrivalKind.SMS, f"SM{n}", "ana", f"words {n}", T0) for n in range(9)]
    assert await asyncio.gather(*map(ledger.record_arrival, came[::3])) == [True] * 3
    again = [replace(arrival, body="otherwise") for arrival in came]
    assert await asyncio.gather(*map(ledger.record_arrival, again)) == [bool(n % 3) for n in range(9)]
    bodies = [arrival.body for _, arrival in await ledger.unjudged_arrivals() if isinstance(arrival, Arrival)]
    assert sorted(bodies) == sorted([*(f"words {n}" for n in range(0, 9, 3)), *["otherwise"] * 6])
    assert rows(path, "arrivals") == 9


async def test_a_transaction_wakes_the_loop_once(ledger: SqlLedger, monkeypatch: pytest.MonkeyPatch) -> None:
    """However many wait for a transaction, they are woken together."""
    loop, woken = asyncio.get_running_loop(), list[object]()
    wake = loop.call_soon_threadsafe
    monkeypatch.setattr(loop, "call_soon_threadsafe", lambda *of, **how: (woken.append(of), wake(*of, **how))[1])
    await asyncio.gather(*(ledger.begin_attempt(f"k{n}", Channel.SMS, PHONE, T0) for n in range(16)))
    assert len(woken) == 1


async def test_who_writes_keeps_more_of_the_file_in_memory_than_who_reads(ledger: SqlLedger) -> None:
    """What readers hold is held for good, by each of them; a storm writes the same places again and again."""

    def kept(connection: Connection, calls: Sequence[None] = ()) -> list[int]:
        return [connection.exec_driver_sql("PRAGMA cache_size").scalar_one()] * max(1, len(calls))

    asked = await asyncio.gather(*(ledger.store.read(kept) for _ in range(4)))
    assert asked == [[-READING_KB]] * 4
    assert await ledger.store.commit(kept, None) == -WRITING_KB


async def test_a_connection_that_was_closed_costs_no_write(ledger: SqlLedger, path: Path) -> None:
    """P2: the writer goes on with another one, and nobody who waits hears of it; nothing is written twice."""
    assert await ledger.record("db", (FACT,), [letter("a")], ()) == {"a"}
    closed = ledger.store._writer._connection.connection.dbapi_connection
    await asyncio.to_thread(closed.close)
    calls = [ledger.record(f"i{number}", (FACT,), [letter(f"k{number}")], ()) for number in range(3)]
    assert await asyncio.gather(*calls) == [{"k0"}, {"k1"}, {"k2"}]
    assert ledger.store.trouble == ""
    assert rows(path, "notifications") == 4
    assert rows(path, "facts") == 4
