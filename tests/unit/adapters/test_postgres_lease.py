"""Term and lease on a real server, with real concurrency: who waits for whom, and what an old leader can still do."""

import asyncio
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from sqlalchemy import Connection, text
from sqlalchemy.exc import OperationalError
from tocsin.adapters.ledger.postgresql import fence, lease
from tocsin.adapters.ledger.postgresql.fence import begin_transaction, bound, hold_term
from tocsin.adapters.ledger.postgresql.lease import PostgresLeadership
from tocsin.ports.leadership import FencedError, MayNotLeadError, Node, NodeState, Term
from tocsin.ports.ledger.trouble import LedgerError

from tests.builders.postgres_ledger import make_engine, make_tables
from tests.fakes.postgres import Database, Server
from tests.fakes.proxy import Proxy

T0 = datetime(2026, 11, 23, 10, tzinfo=UTC)
ANA = Node("6b1f0a0e-0000-4000-8000-00000000000a", "ana-host", "/srv/incidents", NodeState.STANDING_BY, T0)
BO = replace(ANA, id="6b1f0a0e-0000-4000-8000-00000000000b", name="bo-host")
STOPS_INSIDE = """
import sys, time
from tests.builders.postgres_ledger import make_engine
from tocsin.adapters.ledger.postgresql.fence import bound, hold_term
from tocsin.ports.leadership import Term
with make_engine(sys.argv[1]).begin() as connection:
    bound(connection)
    hold_term(connection, Term(int(sys.argv[2]), sys.argv[3]))
    print("inside", flush=True)
    time.sleep(60)
"""


@pytest.fixture
def place(postgres_server: Server) -> Iterator[Database]:
    with postgres_server.database(make_tables) as database:
        yield database


@pytest.fixture
async def one(place: Database) -> AsyncIterator[PostgresLeadership]:
    leadership = PostgresLeadership(make_engine(place.url()))
    yield leadership
    await leadership.close()


@pytest.fixture
async def other(place: Database) -> AsyncIterator[PostgresLeadership]:
    leadership = PostgresLeadership(make_engine(place.url()))
    yield leadership
    await leadership.close()


async def lead(leadership: PostgresLeadership, node: Node = ANA) -> Term:
    term = await leadership.take(await leadership.look(), node)
    assert term
    return term


@contextmanager
def transaction(database: Database, work: Callable[[Connection], object]) -> Iterator[threading.Thread]:
    """Work in a transaction of another thread, which has begun it when the block begins and committed when it ends."""
    begun = threading.Event()

    def run() -> None:
        engine = make_engine(database.url())
        with engine.begin() as connection:
            bound(connection)
            work(connection)
            begun.set()
            connection.execute(text("SELECT 1"))
        engine.dispose()

    thread = threading.Thread(target=run)
    thread.start()
    yield thread
    thread.join()


def held_for(seconds: float, term: Term, locked: threading.Event) -> Callable[[Connection], object]:
    """A group of the writer that holds the term and takes so long."""

    def work(connection: Connection) -> None:
        hold_term(connection, term)
        locked.set()
        connection.execute(text(f"SELECT pg_sleep({seconds})"))

    return work


@pytest.mark.parametrize("seconds", [0.3, pytest.param(4.0, marks=pytest.mark.attack)])
async def test_a_takeover_waits_for_the_commit_under_way(
    place: Database, one: PostgresLeadership, other: PostgresLeadership, seconds: float
) -> None:
    """A takeover waits until the leader's transaction has ended; a renewal waits for nothing."""
    term, locked = await lead(one), threading.Event()
    view = await other.look()
    with transaction(place, held_for(seconds, term, locked)) as commit:
        assert await asyncio.to_thread(locked.wait, 10)
        began = time.monotonic()
        assert await other.take(view, BO)
        assert time.monotonic() - began > seconds / 2
        commit.join(0.5)
        assert not commit.is_alive()
    third = await lead(one)
    locked.clear()
    with transaction(place, held_for(seconds, third, locked)) as commit:
        assert await asyncio.to_thread(locked.wait, 10)
        await one.renew(third, ANA)
        assert commit.is_alive()


@pytest.mark.parametrize("decides", [True, False])
async def test_what_a_group_begins_with_is_bounded_by_itself(
    place: Database, one: PostgresLeadership, monkeypatch: pytest.MonkeyPatch, decides: bool
) -> None:
    """One statement sets the bounds and waits under them: for the term, and for the process's own row. It gives the
    number that was there, and holds the term from then on.
    """
    monkeypatch.setattr(fence, "LOCK_MS", 300)
    term = await lead(one) if decides else None
    engine = make_engine(place.url())
    with engine.begin() as connection:
        assert begin_transaction(connection, "this", 7, term) == 0
        locks = "SELECT count(*) FROM pg_locks WHERE relation = 'term'::regclass AND mode = 'RowShareLock'"
        assert connection.execute(text(locks)).scalar_one() == decides
        assert connection.execute(text("SHOW idle_in_transaction_session_timeout")).scalar_one() == "3s"
    with engine.begin() as other:
        other.execute(text("SELECT 1 FROM term FOR UPDATE" if decides else "SELECT 1 FROM writers FOR UPDATE"))
        began = time.monotonic()
        with engine.connect() as connection, pytest.raises(OperationalError, match="lock timeout"):
            begin_transaction(connection, "this", 8, term)
        assert 0.2 < time.monotonic() - began < 2
    with engine.begin() as connection:
        assert begin_transaction(connection, "this", 9, term) == 7
        if decides:
            with pytest.raises(FencedError, match=r"does not lead any more \(term 0; the ledger has term 1\)"):
                begin_transaction(connection, "this", 10, Term(0, "former"))
    engine.dispose()


async def test_who_waits_for_the_term_finds_the_one_that_came(place: Database, one: PostgresLeadership) -> None:
    """Rule 52: a group that began while another machine took the lead is not written."""
    term, engine = await lead(one), make_engine(place.url())

    def begin() -> int:
        with engine.begin() as connection:
            return begin_transaction(connection, "this", 1, term)

    with engine.begin() as taking:
        taking.execute(text("UPDATE term SET epoch = epoch + 1, id = 'other'"))
        beginning = asyncio.create_task(asyncio.to_thread(begin))
        await asyncio.sleep(0.3)
        assert not beginning.done()
    with pytest.raises(FencedError, match=r"\(term 1; the ledger has term 2\)"):
        await beginning
    assert place.run("SELECT count(*) FROM writers") == [(0,)]
    engine.dispose()


async def test_a_transaction_that_the_server_lets_stand_still_holds_up_no_takeover(
    place: Database, one: PostgresLeadership, other: PostgresLeadership, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A machine that lost its power inside one: after psycopg's pipeline the server's timer for that may rest. Others'
    transactions are left alone, and those that go on.
    """
    term = await lead(one)
    monkeypatch.setattr(lease, "IDLE_MS", 300)
    engine = make_engine(place.url())
    with engine.connect() as writing, engine.connect() as reading:
        hold_term(writing, term)
        reading.execute(text("SELECT count(*) FROM term"))
        await asyncio.sleep(0.5)
        began = time.monotonic()
        assert await other.take(await other.look(), BO)
        assert time.monotonic() - began < 2
        reading.execute(text("SELECT count(*) FROM term"))
        with pytest.raises(OperationalError, match="terminating connection"):
            hold_term(writing, term)
        writing.invalidate()
    engine.dispose()


async def test_who_renewed_while_it_was_taken_still_leads(
    place: Database, one: PostgresLeadership, other: PostgresLeadership
) -> None:
    """A take that waited for the leader's commit finds that it has renewed meanwhile, and changes nothing at all."""
    term, locked = await lead(one), threading.Event()
    view = await other.look()
    with transaction(place, held_for(0.4, term, locked)):
        assert await asyncio.to_thread(locked.wait, 10)
        taking = asyncio.create_task(other.take(view, BO))
        await asyncio.sleep(0.1)
        await one.renew(term, ANA)
        assert await taking is None
    assert await other.look() == replace(view, count=view.count + 1)


async def test_a_takeover_comes_through_a_busy_writer(
    place: Database, one: PostgresLeadership, other: PostgresLeadership
) -> None:
    """A writer that begins one transaction after the other does not keep the lead for ever; it ends fenced."""
    term = await lead(one)
    fenced: list[FencedError] = []
    busy = threading.Event()

    def write() -> None:
        groups = 0
        with make_engine(place.url()).connect() as connection:
            while True:
                try:
                    with connection.begin():
                        bound(connection)
                        hold_term(connection, term)
                        _write(connection)
                except FencedError as fault:
                    fenced.append(fault)
                    return
                groups += 1
                if groups == 20:
                    busy.set()

    thread = threading.Thread(target=write)
    thread.start()
    assert await asyncio.to_thread(busy.wait, 30)
    assert await other.take(await other.look(), BO)
    await asyncio.to_thread(thread.join, 5)
    assert fenced
    assert f"term {term.epoch + 1}" in str(fenced[0])


@pytest.mark.parametrize("rounds", [3, pytest.param(50, marks=pytest.mark.attack)])
async def test_of_many_that_take_at_once_one_wins(place: Database, rounds: int) -> None:
    """Five machines see the same free lease and take it in the same instant; each time one has it, and it alone."""
    nodes = [replace(ANA, id=f"6b1f0a0e-0000-4000-8000-{number:012}", name=f"m{number}") for number in range(5)]
    fleet = [PostgresLeadership(make_engine(place.url())) for _ in nodes]
    for epoch in range(1, rounds + 1):
        views = await asyncio.gather(*(machine.look() for machine in fleet))
        assert len(set(views)) == 1
        terms = await asyncio.gather(
            *(machine.take(view, node) for machine, view, node in zip(fleet, views, nodes, strict=True))
        )
        won = [(node.id, term) for node, term in zip(nodes, terms, strict=True) if term]
        assert len(won) == 1
        view = await fleet[0].look()
        assert (view.node, view.term, view.term.epoch) == (*won[0], epoch)
    for machine in fleet:
        await machine.close()


async def test_a_transaction_that_stands_still_loses_the_term(
    place: Database, one: PostgresLeadership, other: PostgresLeadership, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The server ends it, so that a stopped leader does not hold up who takes over; what it wrote is not there."""
    monkeypatch.setattr(fence, "IDLE_MS", 300)
    term = await lead(one)
    engine = make_engine(place.url())
    with engine.connect() as stopped, stopped.begin() as transaction:
        bound(stopped)
        hold_term(stopped, term)
        _write(stopped)
        began = time.monotonic()
        assert await other.take(await other.look(), BO)
        assert time.monotonic() - began < 1.5
        stopped.invalidate()
        transaction.rollback()
    assert place.run("SELECT id FROM installation") != [("written",)]


@pytest.mark.attack
async def test_a_leader_stopped_inside_a_transaction_holds_nobody_up(
    place: Database, one: PostgresLeadership, other: PostgresLeadership
) -> None:
    """SIGSTOP between the term and the commit: another machine leads within 5 s."""
    term = await lead(one)
    command = [sys.executable, "-c", STOPS_INSIDE, place.url(), str(term.epoch), term.id]
    leader = await asyncio.to_thread(subprocess.Popen, command, stdout=subprocess.PIPE)
    assert leader.stdout is not None
    try:
        assert await asyncio.to_thread(leader.stdout.readline) == b"inside\n"
        os.kill(leader.pid, signal.SIGSTOP)
        began = time.monotonic()
        assert await other.take(await other.look(), BO)
        assert time.monotonic() - began < 5
    finally:
        leader.kill()
        leader.wait()
        leader.stdout.close()


async def test_a_newer_ledger_is_led_by_a_newer_program(place: Database, one: PostgresLeadership) -> None:
    """P9: who is older than the schema asks for stands by, and says what to do."""
    place.run("UPDATE term SET leads_from = '0042'")
    view = await one.look()
    with pytest.raises(MayNotLeadError, match=r"schema 0042 or newer.*update tocsin on ana-host"):
        await one.take(view, ANA)
    newer = PostgresLeadership(make_engine(place.url()), "0042")
    assert await newer.take(view, BO)
    await newer.close()


async def test_nobody_takes_by_a_view_that_may_be_outdated(
    place: Database, one: PostgresLeadership, other: PostgresLeadership
) -> None:
    """A ledger that was brought to a newer schema after the look is not taken by that look."""
    view = await other.look()
    place.run("UPDATE term SET leads_from = '0042'")
    assert await other.take(view, BO) is None
    assert (await one.look()).term == view.term


async def test_a_process_that_said_nothing_is_followed(place: Database, one: PostgresLeadership) -> None:
    """After a kill the next process takes the row once its predecessor has said nothing for 10 s."""
    await one.report(ANA)
    place.run("UPDATE nodes SET last_word = clock_timestamp() - interval '10.5 s'")
    await one.report(replace(ANA, id=BO.id))
    assert [node.id for node in await one.nodes()] == [BO.id]


async def test_machines_that_are_gone_are_forgotten(
    place: Database, one: PostgresLeadership, other: PostgresLeadership
) -> None:
    """At the next takeover: a day after a clean stop, a week after the last word of one that ended otherwise."""
    ages = {"a": (True, "25 h"), "b": (True, "23 h"), "c": (False, "8 days"), "d": (False, "6 days")}
    for name, (stopped, age) in ages.items():
        await one.report(replace(ANA, name=name, stopped=stopped))
        place.run(f"UPDATE nodes SET last_word = clock_timestamp() - interval '{age}' WHERE name = '{name}'")
    await lead(other)
    assert [node.name for node in await one.nodes()] == ["b", "d"]


async def test_a_state_of_a_newer_program_is_no_fault(place: Database, one: PostgresLeadership) -> None:
    """During a rolling upgrade an older machine reads what a newer one says of itself."""
    await one.report(ANA)
    place.run("UPDATE nodes SET state = 'resting'")
    assert [node.state for node in await one.nodes()] == [NodeState.STANDING_BY]


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Deadlines short enough for a test."""
    monkeypatch.setattr(lease, "ANSWERS_WITHIN", 0.4)
    monkeypatch.setattr(lease, "TAKES_WITHIN", 0.6)


@pytest.fixture
def way(place: Database) -> Iterator[Proxy]:
    with Proxy("127.0.0.1", place.server.port) as proxy:
        yield proxy


@pytest.fixture
async def far(place: Database, way: Proxy) -> AsyncIterator[PostgresLeadership]:
    """A machine whose way to the database can be cut."""
    url = place.url().replace(f":{place.server.port}/", f":{way.port}/")
    leadership = PostgresLeadership(make_engine(url, connect_timeout="2", sslmode="disable", gssencmode="disable"))
    yield leadership
    await leadership.close()


@pytest.mark.parametrize("cut", [Proxy.cut, Proxy.silence, pytest.param(Proxy.deafen, marks=pytest.mark.attack)])
@pytest.mark.usefixtures("quick")
async def test_every_call_ends_in_time(far: PostgresLeadership, way: Proxy, cut: Callable[[Proxy], None]) -> None:
    """A connection that was cut, or on which nothing comes back: each call says so within its deadline, and the next one
    that can goes through.
    """
    term = await lead(far)
    cut(way)
    for call in (far.look, lambda: far.renew(term, ANA), far.nodes, lambda: far.report(ANA)):
        began = time.monotonic()
        with pytest.raises(LedgerError):
            await call()
        assert time.monotonic() - began < 1
    way.heal()
    await _until_it_answers(far)
    assert await far.renew(term, ANA)


@pytest.mark.usefixtures("quick")
async def test_a_take_whose_answer_was_lost_is_found_by_the_next_look(
    far: PostgresLeadership, way: Proxy, other: PostgresLeadership
) -> None:
    """What is not known is asked: the lease names the process that took it, and it takes again."""
    view = await far.look()
    way.hold("UPDATE lease", "COMMIT")
    with pytest.raises(LedgerError, match="did not answer within"):
        await far.take(view, ANA)
    way.heal()
    await _until_it_answers(far)
    seen = await far.look()
    assert (seen.node, seen.term.epoch) == (ANA.id, 1)
    assert await other.look() == seen
    assert await far.take(seen, ANA)


@pytest.mark.attack
@pytest.mark.usefixtures("quick")
async def test_a_host_that_does_not_answer_is_passed_over(place: Database, way: Proxy) -> None:
    """Of several hosts one is gone without a word: the calls end in time, and a later one has the other host."""
    way.silence()
    hosts = f"127.0.0.1:{way.port},127.0.0.1:{place.server.port}/"
    url = place.url().replace(f"127.0.0.1:{place.server.port}/", hosts)
    leadership = PostgresLeadership(make_engine(url, connect_timeout="2"))
    began = time.monotonic()
    with pytest.raises(LedgerError, match="did not answer within"):
        await leadership.look()
    assert time.monotonic() - began < 1
    await _until_it_answers(leadership)
    assert time.monotonic() - began < 4
    await leadership.close()


@pytest.mark.usefixtures("quick")
async def test_a_server_that_was_stopped_is_noticed(place: Database, one: PostgresLeadership) -> None:
    """Its kernel goes on acknowledging, so only a deadline of one's own finds out."""
    await one.look()
    backends = [pid for (pid,) in place.run("SELECT pid FROM pg_stat_activity WHERE datname = current_database()")]
    for pid in backends:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGSTOP)
    try:
        began = time.monotonic()
        with pytest.raises(LedgerError, match="did not answer within"):
            await one.look()
        assert time.monotonic() - began < 1
        assert await one.look()
    finally:
        for pid in backends:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGCONT)


async def test_an_end_waits_for_nothing(far: PostgresLeadership, way: Proxy) -> None:
    """Closing while a call hangs, or while a connection is being made, takes no time."""
    await far.look()
    way.silence()
    hanging = asyncio.create_task(far.look())
    await asyncio.sleep(0.05)
    began = time.monotonic()
    await far.close()
    assert time.monotonic() - began < 0.2
    with pytest.raises(LedgerError):
        await hanging


def _write(connection: Connection) -> None:
    connection.execute(text("UPDATE installation SET id = 'written'"))


async def _until_it_answers(leadership: PostgresLeadership) -> None:
    """Look until a look goes through."""
    for _ in range(20):
        try:
            await leadership.look()
        except LedgerError:
            await asyncio.sleep(0.05)
        else:
            return
    pytest.fail("the database never answered again")
