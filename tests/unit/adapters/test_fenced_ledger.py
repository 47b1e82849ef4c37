"""Two machines with one ledger on a real server: what a former leader can still write, and what it cannot (rule 52)."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from datetime import UTC, datetime, timedelta

import pytest
from tocsin.adapters.ledger.ledger import SqlLedger
from tocsin.adapters.ledger.postgresql.address import ServerAddress
from tocsin.adapters.ledger.postgresql.opening import open_server
from tocsin.adapters.ledger.postgresql.server import ServerStore
from tocsin.domain.arrival import Arrival, ArrivalKind, OptOut
from tocsin.domain.delivery import Accepted, Attempt, Bundle, Content, Letter, Receipt, Uncertain
from tocsin.domain.facts import Answer, Answered, Seen
from tocsin.domain.incident import Incident, Status
from tocsin.domain.notification import Kind, Notification, Reason
from tocsin.domain.people import Channel, Session
from tocsin.ports.leadership import FencedError

from tests.builders.postgres_ledger import make_tables, open_leading, take_lead
from tests.fakes.postgres import Database, Server

T0 = datetime(2026, 11, 23, 10, tzinfo=UTC)
DB = Incident("db", "Database down", "sev1", Status.IDENTIFIED)
ANA = "+14155550101"


def letter(key: str) -> Letter:
    page = Notification(key, "db", 1, Kind.PAGE, Reason.DECLARED, T0, "ana", Channel.SMS, rule="s:3", revision="r1")
    return Letter(page, Content("Database down"))


DECISIONS: dict[str, Callable[[SqlLedger], Awaitable[object]]] = {
    "record": lambda ledger: ledger.record("db", [Seen(T0, DB, "d2")], [letter("late")], ()),
    "finish": lambda ledger: ledger.finish("db"),
    "keep_file": lambda ledger: ledger.keep_file("db", "db.yaml", "d2", b"late"),
    "begin_attempt": lambda ledger: ledger.begin_attempt("a", Channel.SMS, ANA, T0),
    "begin_bundle": lambda ledger: ledger.begin_bundle(
        Bundle("b1", Content("2 pages")), ["a"], Channel.SMS, ANA, T0, {}
    ),
    "settle": lambda ledger: ledger.settle("a", "accepted", T0),
    "end_and_settle": lambda ledger: ledger.end_and_settle([], [("a", "accepted", T0)]),
    "settle_unreadable": lambda ledger: ledger.settle_unreadable("db", T0),
    "record_result": lambda ledger: ledger.record_result(1, "late"),
    "record_answers": lambda ledger: ledger.record_answers(
        [("db", Answered(T0, "ana", Answer.OK, Channel.SMS))], letter("late")
    ),
    "opt_out": lambda ledger: ledger.opt_out(OptOut(Channel.SMS, ANA, T0, "late")),
    "opt_in": lambda ledger: ledger.opt_in(Channel.SMS, ANA),
    "begin_session": lambda ledger: ledger.begin_session(Session("late", "ana", T0)),
    "end_sessions": lambda ledger: ledger.end_sessions(["here"]),
    "record_config": lambda ledger: ledger.record_config("late", {}, T0),
    "claim_notice": lambda ledger: ledger.claim_notice("late", T0, timedelta(hours=1)),
    "move_clock": lambda ledger: ledger.move_clock(timedelta(hours=1), T0),
    "bring_back": lambda ledger: ledger.bring_back(T0 - timedelta(days=1)),
}
"""Everything that only a leader may write."""


@pytest.fixture
def place(postgres_server: Server) -> Iterator[Database]:
    with postgres_server.database(make_tables) as database:
        yield database


@pytest.fixture
async def store(place: Database) -> AsyncIterator[ServerStore]:
    """What leads first."""
    store = await open_leading(place.url())
    yield store
    await store.close()


@pytest.fixture
async def former(store: ServerStore) -> SqlLedger:
    ledger = SqlLedger(store)
    await ledger.record("db", [Seen(T0, DB, "d1")], [letter("a")], ())
    await ledger.begin_session(Session("here", "ana", T0))
    await ledger.record_arrival(Arrival(ArrivalKind.SMS, "SM0", ANA, "ok A1", T0))
    return ledger


@pytest.fixture
async def leader(former: SqlLedger, place: Database) -> AsyncIterator[SqlLedger]:
    """Who has taken over from `former`."""
    store = await open_leading(place.url())
    yield SqlLedger(store)
    await store.close()


def rows(place: Database) -> list[tuple[object, ...]]:
    """All that is in the ledger, but for what each process notes of its own writing."""
    names = place.run("SELECT tablename FROM pg_tables WHERE schemaname = 'public' AND tablename <> 'writers'")
    every = " UNION ALL ".join(f"SELECT '{name}', row_to_json(t)::text FROM {name} AS t" for (name,) in names)
    return sorted(place.run(every), key=repr)


async def test_a_former_leader_decides_nothing(
    place: Database, store: ServerStore, former: SqlLedger, leader: SqlLedger
) -> None:
    """Each kind of decision is refused, again and again, and leaves no trace; the process hears that it leads no more."""
    before = rows(place)
    assert not store.lost.is_set()
    for decide in (*DECISIONS.values(), *DECISIONS.values()):
        with pytest.raises(FencedError):
            await decide(former)
    assert rows(place) == before
    assert store.lost.is_set()


async def test_a_leader_decides_all_of_it(place: Database, leader: SqlLedger) -> None:
    """The test above can fail: with the term in the ledger each of these is written."""
    for decide in DECISIONS.values():
        await decide(leader)


async def test_evidence_is_taken_from_anybody(former: SqlLedger, leader: SqlLedger, place: Database) -> None:
    """How a try ended, its receipt and what came in are recorded by a former leader, and by who never led: once, and only
    forward, whoever reports them.
    """
    attempt = await leader.begin_attempt("a", Channel.SMS, ANA, T0)
    never = ServerStore(open_server(ServerAddress(place.url())))
    arrival = Arrival(ArrivalKind.SMS, "SM9", ANA, "ok A1", T0)
    reporters = (former, SqlLedger(never), leader)
    news = [await ledger.record_arrival(arrival) for ledger in reporters]
    assert news == [True, False, False]
    await former.end_attempt(attempt, Accepted("SM1"), T0)
    await leader.end_attempt(attempt, Uncertain("of a try without an end nothing is known"), T0)
    await reporters[1].record_receipt(attempt, Receipt.DELIVERED, T0)
    await former.record_receipt(attempt, Receipt.SENT, T0)
    ((known, _),) = await leader.find_attempt(attempt.id)
    assert (known.outcome, known.receipt) == (Accepted("SM1"), Receipt.DELIVERED)
    await never.close()


async def test_evidence_is_written_though_decisions_beside_it_are_refused(former: SqlLedger, leader: SqlLedger) -> None:
    """Calls that come together share a transaction; of a former leader's only the decisions come to nothing."""
    attempt = await leader.begin_attempt("a", Channel.SMS, ANA, T0)
    outcomes = await asyncio.gather(
        former.settle("a", "accepted", T0),
        former.end_attempt(attempt, Accepted("SM1"), T0),
        former.record_receipt(attempt, Receipt.SENT, T0),
        former.keep_file("db", "db.yaml", "d2", b"late"),
        return_exceptions=True,
    )
    assert [type(outcome) for outcome in outcomes] == [FencedError, type(None), type(None), FencedError]
    ((known, _),) = await leader.find_attempt(attempt.id)
    assert (known.outcome, known.receipt) == (Accepted("SM1"), Receipt.SENT)
    assert await leader.files() == {"db": ("", "")}


async def test_ends_are_written_though_what_they_lead_to_is_refused(
    former: SqlLedger, leader: SqlLedger, store: ServerStore
) -> None:
    """How a try ended and that nothing more follows are one write; of a former leader's the end alone counts."""
    attempt = await leader.begin_attempt("a", Channel.SMS, ANA, T0)
    with pytest.raises(FencedError):
        await former.end_and_settle([(attempt, Accepted("SM1"), T0)], [("a", "accepted", T0)])
    ((known, _),) = await leader.find_attempt(attempt.id)
    assert known.outcome == Accepted("SM1")
    assert [one.notification.key for one in await leader.unsettled()] == ["a"]
    assert store.lost.is_set()


async def test_who_never_led_decides_nothing(former: SqlLedger, place: Database) -> None:
    """A standby that is asked to decide refuses by itself; and one whose term was taken before it began to lead."""
    store = ServerStore(open_server(ServerAddress(place.url())))
    with pytest.raises(FencedError):
        await SqlLedger(store).finish("db")
    term = await take_lead(place.url(), "bo-host")
    await take_lead(place.url(), "chen-host")
    with pytest.raises(FencedError):
        await store.lead(term)
    await store.close()


async def test_a_process_leads_again_under_a_term_of_its_own(
    place: Database, store: ServerStore, former: SqlLedger, leader: SqlLedger
) -> None:
    """It goes back to standing by without a restart, and what it could not write then it can now."""
    with pytest.raises(FencedError):
        await former.finish("db")
    store.follow()
    await store.lead(await take_lead(place.url()))
    await former.finish("db")
    with pytest.raises(FencedError):
        await leader.finish("db")
    assert not store.lost.is_set()


def test_every_write_is_tried_here() -> None:
    """A write that is new in the ledger is named here as a decision, or is evidence."""
    evidence = {"end_attempt", "record_receipt", "record_arrival"}
    writes = {
        name
        for name, method in vars(SqlLedger).items()
        if asyncio.iscoroutinefunction(method) and {"_commit", "_commit_all"} & set(method.__code__.co_names)
    }
    assert writes == set(DECISIONS) | evidence


def test_an_attempt_is_known_by_what_its_process_named_it() -> None:
    """R52: evidence finds its attempt whoever counts rows."""
    assert Attempt.__annotations__["id"] is str
