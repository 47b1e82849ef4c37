"""Two processes that write at the same moment: neither undoes, doubles or waits in a circle for what the other does."""

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import Connection, Engine, select
from tocsin.adapters.ledger import writes
from tocsin.adapters.ledger.schema import tables as t
from tocsin.adapters.ledger.schema.decoding import write_instant
from tocsin.adapters.ledger.schema.rows import content_row, digest_of, notification_row
from tocsin.adapters.ledger.writes import NoticeClaim, RecordEntry
from tocsin.domain.delivery import Content, Receipt, numbered_attempt
from tocsin.domain.notification import Kind, Notification, Reason
from tocsin.domain.people import Channel

from tests.builders.postgres_ledger import make_engine, make_tables
from tests.fakes.postgres import Server

T0 = datetime(2026, 11, 23, 10, tzinfo=UTC)
HOUR = timedelta(hours=1)
Deed = Callable[[Connection], Any]


@pytest.fixture
def engine(postgres_server: Server) -> Iterator[Engine]:
    with postgres_server.database(make_tables) as database:
        engine = make_engine(database.url(), options="-c lock_timeout=5s")
        yield engine
        engine.dispose()


def one_in_the_other(engine: Engine, first: Deed, second: Deed) -> tuple[Any, Any]:
    """What two deeds give, of which the second begins while the first is done and not committed, and waits for that."""
    with ThreadPoolExecutor(1) as thread, engine.connect() as connection:
        with connection.begin():
            given = first(connection)
            waiting = thread.submit(in_transaction, engine, second)
            await_a_wait(engine, waiting)
        return given, waiting.result(10)


def in_transaction(engine: Engine, deed: Deed) -> Any:
    with engine.begin() as connection:
        return deed(connection)


def await_a_wait(engine: Engine, waiting: "Future[Any]") -> None:
    """Until somebody waits for a lock."""
    for _ in range(500):
        with engine.connect() as connection:
            if connection.exec_driver_sql("SELECT count(*) FROM pg_locks WHERE NOT granted").scalar():
                return
        assert not waiting.done(), waiting.result()
        threading.Event().wait(0.01)
    raise AssertionError("nobody waits")


def entry(*keys: str, text: str = "words", incident: str = "db") -> RecordEntry:
    """Letters to record."""
    content = Content(text)
    digest = digest_of(content)
    letters = [Notification(key, incident, 1, Kind.PAGE, Reason.DECLARED, T0, "ana", Channel.SMS) for key in keys]
    return RecordEntry(
        incident, (), {digest: content_row(digest, content)}, [notification_row(letter, digest) for letter in letters]
    )


def begin(*numbers: int) -> Deed:
    """Attempts of these numbers."""
    rows = [
        {
            "id": numbered_attempt(number),
            "key": "k",
            "via": "sms",
            "address": "+14155550101",
            "started_at": write_instant(T0),
            "possible_duplicate": "",
            "provider": "",
            "bundle": "",
        }
        for number in numbers
    ]
    return lambda connection: writes.begin_attempt(connection, rows)


def receipt(number: int, receipt: Receipt) -> dict[str, Any]:
    """What the provider says of an attempt."""
    at = write_instant(T0)
    names = {"this": numbered_attempt(number), "rank": receipt.rank, "receipt": receipt.value}
    return {**names, "receipt_at": at, "receipt_code": ""}


def test_a_key_is_new_to_one_of_two(engine: Engine) -> None:
    """Who comes second hears that it is known, and its own new ones are recorded all the same; the first words stand."""
    first, second = one_in_the_other(
        engine,
        lambda connection: writes.record(connection, [entry("a", "b")]),
        lambda connection: writes.record(connection, [entry("c", "b", text="other"), entry("d", "a", text="other")]),
    )
    assert (first, second) == ([{"a", "b"}], [{"c"}, {"d"}])
    with engine.connect() as connection:
        words = select(t.notifications.c.key, t.contents.c.text).join(
            t.contents, t.contents.c.digest == t.notifications.c.content
        )
        texts = dict(map(tuple, connection.execute(words)))
    assert texts == {"a": "words", "b": "words", "c": "other", "d": "other"}


def test_a_notice_is_claimed_by_one_of_two(engine: Engine) -> None:
    """Both ask at once whether operators may hear of a cause: one may."""
    claim = NoticeClaim("disk", T0, HOUR)
    claims = one_in_the_other(engine, *[lambda connection: writes.claim_notice(connection, [claim])] * 2)
    assert claims == ([True], [False])
    later = NoticeClaim("disk", T0 + HOUR, HOUR)
    assert in_transaction(engine, lambda connection: writes.claim_notice(connection, [later, claim])) == [True, True]


def test_a_receipt_never_goes_back(engine: Engine) -> None:
    """One process hears that it was delivered while another records that it was sent: delivered it stays."""
    in_transaction(engine, begin(1))
    one_in_the_other(
        engine,
        lambda connection: writes.record_receipt(connection, [receipt(1, Receipt.DELIVERED)]),
        lambda connection: writes.record_receipt(connection, [receipt(1, Receipt.SENT)]),
    )
    with engine.connect() as connection:
        assert connection.execute(select(t.attempts.c.receipt)).scalars().all() == ["delivered"]


def test_ends_and_receipts_wait_for_each_other_in_no_circle(engine: Engine) -> None:
    """Two processes write about the same attempts, in other orders: both get through."""
    numbers = list(range(1, 200))
    in_transaction(engine, begin(*numbers))
    at = write_instant(T0)

    def report(order: list[int]) -> None:
        ends = [{"this": numbered_attempt(number), "certainty": 1, "outcome": "{}", "ended_at": at} for number in order]
        in_transaction(engine, lambda connection: writes.end_attempt(connection, ends))

    with ThreadPoolExecutor(4) as threads:
        for _ in range(3):
            reports = [threads.submit(report, order) for order in (numbers, numbers[::-1]) * 2]
            for done in reports:
                done.result(30)


def test_two_that_take_themselves_for_the_leader_cannot_both_go_on(engine: Engine) -> None:
    """The facts of an incident count on: were the term not looked at, one of two would fail, and not both be kept."""
    fact = {"incident": "db", "at": write_instant(T0), "kind": "Closed", "body": "{}"}
    with pytest.raises(Exception, match="facts_of_incident"):
        one_in_the_other(engine, *[lambda connection: writes.add_facts(connection, [fact])] * 2)
    with engine.connect() as connection:
        assert connection.execute(select(t.facts.c.sequence)).scalars().all() == [1]
