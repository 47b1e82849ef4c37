"""What waits to be judged is asked for again once something may have come, and not before."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import event
from tocsin.adapters.ledger.ledger import SqlLedger
from tocsin.adapters.ledger.sqlite.keeping import FileStore
from tocsin.adapters.ledger.sqlite.ledger_file import connect
from tocsin.adapters.ledger.sqlite.lock import Lock
from tocsin.adapters.ledger.sqlite.opening import open_file
from tocsin.domain.arrival import Arrival, ArrivalKind
from tocsin.ports.ledger.trouble import LedgerError

T0 = datetime(2026, 11, 23, 10, tzinfo=UTC)
SMS = Arrival(ArrivalKind.SMS, "SM1", "+14155550101", "ok", T0)


@pytest.fixture
async def ledger(tmp_path: Path) -> AsyncIterator[SqlLedger]:
    """A daemon's, which has the lock of the file."""
    path = tmp_path / "tocsin.db"
    lock = Lock(path)
    ledger = SqlLedger(FileStore(open_file(path, "now"), lock))
    yield ledger
    await ledger.close()
    lock.release()


@contextmanager
def questions(ledger: SqlLedger) -> Iterator[list[str]]:
    """The statements about what came in that the database is asked meanwhile."""
    assert isinstance(ledger.store, FileStore)
    engine, asked = ledger.store._database.engine, list[str]()

    def note(_connection: object, _cursor: object, statement: str, *_rest: object) -> None:
        if statement.startswith("SELECT") and "arrivals" in statement:
            asked.append(statement)

    event.listen(engine, "before_cursor_execute", note)
    try:
        yield asked
    finally:
        event.remove(engine, "before_cursor_execute", note)


async def ask_all(ledger: SqlLedger) -> list[str]:
    """What each of the three who judge is given."""
    found = [await ledger.unjudged_arrivals(), await ledger.unjudged_alerts(), await ledger.unjudged_acts()]
    return [row.ref for rows in found for _, row in rows if isinstance(row, Arrival)]


async def test_nothing_is_asked_again_while_nothing_was_written(ledger: SqlLedger) -> None:
    """Where nothing waits the database hears one question for all who judge, however often and how many at once ask."""
    for _ in range(3):
        with questions(ledger) as asked:
            assert await asyncio.gather(*(ask_all(ledger) for _ in range(20))) == [[]] * 20
        assert len(asked) == 1
        await ledger.claim_notice("disk", T0, timedelta(0))


async def test_what_waits_for_one_is_no_answer_to_the_others(ledger: SqlLedger) -> None:
    """While something waits each question is asked by itself: what is held back for one judge hides nothing from another."""
    await ledger.record_arrival(SMS)
    assert not await ledger.unjudged_alerts()
    await ledger.record_arrival(Arrival(ArrivalKind.ALERT, "a1", "checkout", "", T0))
    assert sorted(await ask_all(ledger)) == ["SM1", "a1"]


async def test_who_gives_up_asking_keeps_nobody_from_it(ledger: SqlLedger) -> None:
    """Somebody is stopped while the database answers: the others get their answers."""
    await ledger.record_arrival(SMS)
    stopped = asyncio.create_task(ledger.unjudged_alerts())
    await asyncio.sleep(0)
    stopped.cancel()
    assert await ask_all(ledger) == ["SM1"]


async def test_what_was_recorded_is_found_by_the_next_question(ledger: SqlLedger) -> None:
    """As soon as its recorder hears that it is there; and what waits is asked for each time, until it is judged."""
    for number, kind in enumerate((ArrivalKind.SMS, ArrivalKind.ALERT, ArrivalKind.EDIT, ArrivalKind.DECLARE)):
        assert not await ask_all(ledger)
        await ledger.record_arrival(Arrival(kind, f"a{number}", "ana", "", T0))
        assert await ask_all(ledger) == [f"a{number}"] == await ask_all(ledger)
        (row,) = [
            row
            for rows in (
                await ledger.unjudged_arrivals(),
                await ledger.unjudged_alerts(),
                await ledger.unjudged_acts(),
            )
            for row, _ in rows
        ]
        await ledger.record_result(row, "done")
    assert not await ask_all(ledger)


async def test_what_is_written_while_it_is_asked_is_found(ledger: SqlLedger) -> None:
    """A question that saw the ledger as it was just before does not hide what came with it."""
    for number in range(50):
        recording = asyncio.create_task(ledger.record_arrival(Arrival(ArrivalKind.SMS, f"a{number}", "ana", "", T0)))
        await ledger.unjudged_arrivals()
        await recording
        ((row, _),) = await ledger.unjudged_arrivals()
        await ledger.record_result(row, "done")


async def test_what_its_recorder_gave_up_is_found(ledger: SqlLedger) -> None:
    """Who does not wait for the end of a transaction that is on its way has written all the same."""
    assert not await ask_all(ledger)
    recording = asyncio.create_task(ledger.record_arrival(SMS))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    recording.cancel()
    await ledger.claim_notice("disk", T0, timedelta(0))
    assert await ask_all(ledger) == ["SM1"]


async def test_a_healthy_pass_has_all_asked_anew(ledger: SqlLedger, tmp_path: Path) -> None:
    """What somebody else put into the file by hand is found at the latest when the daemon notes that it is healthy."""
    assert not await ask_all(ledger)
    with closing(connect(f"file:{tmp_path / 'tocsin.db'}")) as other:
        other.execute(
            "INSERT INTO arrivals (kind, ref, who, at, body) VALUES ('sms', 'SM1', 'ana', '2026-11-23T10:00:00Z', '')"
        )
    await ledger.claim_notice("a healthy pass", T0, timedelta(0))
    assert await ask_all(ledger) == ["SM1"]


async def test_a_ledger_that_cannot_be_asked_is_asked_again(ledger: SqlLedger) -> None:
    """An error is no answer."""
    assert isinstance(ledger.store, FileStore)
    engine = ledger.store._database.engine
    await ledger.claim_notice("disk", T0, timedelta(0))

    def refuse(*_: object) -> None:
        raise OSError("disk I/O error")

    event.listen(engine, "before_cursor_execute", refuse)
    try:
        for _ in range(2):
            with pytest.raises(LedgerError):
                await ledger.unjudged_arrivals()
    finally:
        event.remove(engine, "before_cursor_execute", refuse)
    with questions(ledger) as asked:
        assert not await ledger.unjudged_arrivals()
    assert len(asked) == 1


async def waits(ledger: SqlLedger) -> bool:
    """Whether who waits for news still does after a moment."""
    waiting = asyncio.create_task(ledger.news(60))
    await asyncio.sleep(0.05)
    waiting.cancel()
    return not waiting.done() or waiting.cancelled()


async def test_who_waits_for_news_sleeps_until_something_is_written(ledger: SqlLedger) -> None:
    """And hears of it without a question; at the latest after as long as was wished."""
    assert not await ask_all(ledger)
    assert await waits(ledger)
    waiting = asyncio.create_task(ledger.news(60))
    await asyncio.sleep(0.05)
    assert not waiting.done()
    await ledger.record_arrival(SMS)
    await asyncio.wait_for(waiting, 10)
    assert await ask_all(ledger) == ["SM1"]
    await ledger.record_result(1, "done")
    assert not await ask_all(ledger)
    await asyncio.wait_for(ledger.news(0.05), 10)


async def test_what_is_written_before_anybody_waits_is_news(ledger: SqlLedger) -> None:
    """Between the question and the waiting, or while the question is asked: nobody sleeps over it."""
    assert not await ask_all(ledger)
    await ledger.claim_notice("disk", T0, timedelta(0))
    assert not await waits(ledger)
    for number in range(20):
        recording = asyncio.create_task(ledger.record_arrival(Arrival(ArrivalKind.SMS, f"a{number}", "ana", "", T0)))
        found = await ask_all(ledger)
        await recording
        assert found or not await waits(ledger)
        ((row, _),) = await ledger.unjudged_arrivals()
        await ledger.record_result(row, "done")
        await ask_all(ledger)


async def test_nobody_sleeps_while_something_waits_to_be_judged(ledger: SqlLedger) -> None:
    """Who holds it back looks at it again by his own clock; also what lay there before the first question."""
    await ledger.record_arrival(SMS)
    assert await ask_all(ledger) == ["SM1"]
    assert not await waits(ledger)
    assert not await waits(ledger)


async def test_who_was_never_asked_lets_nobody_sleep(ledger: SqlLedger) -> None:
    """An alert that was left from before is found although the others, who asked first, found nothing."""
    await ledger.record_arrival(Arrival(ArrivalKind.ALERT, "a1", "checkout", "", T0))
    assert not await waits(ledger)
    assert not await ledger.unjudged_arrivals()
    assert not await waits(ledger)


async def test_who_does_not_write_alone_asks_each_time(tmp_path: Path) -> None:
    """Who reads a file beside its daemon finds what that has recorded, though nothing was written here; and never sleeps."""
    path = tmp_path / "tocsin.db"
    lock = Lock(path)
    daemon, beside = SqlLedger(FileStore(open_file(path, "now"), lock)), SqlLedger(FileStore(open_file(path, "now")))
    assert not await ask_all(beside)
    await daemon.record_arrival(SMS)
    assert await ask_all(beside) == ["SM1"]
    assert not await waits(beside)
    await beside.close()
    await daemon.close()
    lock.release()
