"""A commit of which no answer comes back: it is looked up, and nobody hears that nothing was written when it was, or that
something was when it was not; what is written is written once (P9, rule 52).
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from datetime import UTC, datetime
from typing import TypeVar

import pytest
from tocsin.adapters.ledger.ledger import SqlLedger
from tocsin.adapters.ledger.postgresql import server_database
from tocsin.adapters.ledger.postgresql.address import ServerAddress
from tocsin.adapters.ledger.postgresql.opening import open_server
from tocsin.adapters.ledger.postgresql.server import ServerStore
from tocsin.adapters.ledger.postgresql.server_database import ServerDatabase
from tocsin.domain.arrival import Arrival, ArrivalKind
from tocsin.domain.facts import Answer, Answered
from tocsin.domain.people import Channel
from tocsin.ports.leadership import FencedError
from tocsin.ports.ledger.trouble import LedgerError

from tests.builders.postgres_ledger import make_engine, make_tables, take_lead
from tests.fakes.postgres import OWNER, PASSWORD, Database, Server
from tests.fakes.proxy import Proxy

T = TypeVar("T")
T0 = datetime(2026, 11, 23, 10, tzinfo=UTC)
ANSWER = Answered(T0, "ana", Answer.OK)
OTHER = Answered(T0, "bo", Answer.OK)


@pytest.fixture
def base(postgres_server: Server) -> Iterator[Database]:
    with postgres_server.database(make_tables) as database:
        yield database


@pytest.fixture
def way(postgres_server: Server) -> Iterator[Proxy]:
    with Proxy("127.0.0.1", postgres_server.port) as proxy:
        yield proxy


@pytest.fixture
async def store(base: Database, way: Proxy, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[ServerStore]:
    """A leader's, by way of the proxy, which waits less long than a daemon does."""
    monkeypatch.setattr("tocsin.adapters.ledger.postgresql.opening.WRITES_WITHIN", 1.0)
    url = f"postgresql://{OWNER}@127.0.0.1:{way.port}/{base.name}?connect_timeout=2"
    store = ServerStore(open_server(ServerAddress(url, PASSWORD)))
    await store.lead(await take_lead(base.url()))
    yield store
    way.heal()
    await store.close()


@pytest.fixture
def ledger(store: ServerStore) -> SqlLedger:
    return SqlLedger(store)


def answers(base: Database) -> list[str]:
    """Who answered, as the ledger has it."""
    rows = base.run("SELECT body::json->>'person' FROM facts WHERE kind = 'Answered' ORDER BY sequence")
    return [person for (person,) in rows]


async def until(holds: Callable[[], object]) -> None:
    """Wait until something is so, a minute at most: what hangs ends then."""
    async with asyncio.timeout(60):
        while not holds():  # noqa: ASYNC110 - the server tells nobody
            await asyncio.sleep(0.01)


async def soon(call: Callable[[], Awaitable[T]]) -> T:
    """What a call gives once the server is found again: one that was slow to refuse is not asked again at once."""
    async with asyncio.timeout(10):
        while True:
            try:
                return await call()
            except FencedError:
                raise
            except LedgerError:
                await asyncio.sleep(0.1)


async def test_cut_before_it_got_through(ledger: SqlLedger, base: Database, way: Proxy) -> None:
    """The group is written again, once, and whoever waits hears that it is."""
    await ledger.record("web", [ANSWER], (), ())
    way.cut_before("COMMIT")
    await ledger.record("db", [OTHER], (), ())
    assert way.opened > 1
    assert sorted(answers(base)) == ["ana", "bo"]


async def test_cut_after_it_got_through(ledger: SqlLedger, base: Database, way: Proxy) -> None:
    """The group is found where it is, and not written again; each call of it has its own result."""
    await ledger.record("web", [ANSWER], (), ())
    way.hold("COMMIT")
    calls = asyncio.gather(
        ledger.record("db", [OTHER], (), ()),
        ledger.begin_attempt("db/1", Channel.SMS, "+14155550101", T0),
        ledger.record_arrival(Arrival(ArrivalKind.SMS, "SM1", "+14155550101", "ok", T0)),
    )
    await until(lambda: way.held and len(answers(base)) == 2)
    way.cut()
    way.heal()
    _, attempt, is_new = await calls
    assert (attempt.number, is_new) == (1, True)
    assert sorted(answers(base)) == ["ana", "bo"]
    assert base.run("SELECT id, number FROM attempts") == [(attempt.id, 1)]


async def test_a_replica_that_lacks_it_takes_the_place(ledger: SqlLedger, base: Database, way: Proxy) -> None:
    """What got through to a server that is gone, and not to the one that answers now, is written there."""
    await ledger.record("web", [ANSWER], (), ())
    way.hold("COMMIT")
    writing = asyncio.ensure_future(ledger.record("db", [OTHER], (), ()))
    await until(lambda: way.held and len(answers(base)) == 2)
    base.run("DELETE FROM facts WHERE incident = 'db'")
    base.run("UPDATE writers SET last_group = last_group - 1")
    way.cut()
    way.heal()
    await writing
    assert sorted(answers(base)) == ["ana", "bo"]


async def test_no_answer_at_all(ledger: SqlLedger, base: Database, way: Proxy) -> None:
    """A server that says nothing is hung up on in time, and the commit looked up on another connection."""
    way.hold("COMMIT")
    writing = asyncio.ensure_future(ledger.record("db", [OTHER], (), ()))
    await until(lambda: way.held)
    way.words = ()  # other connections are answered
    await asyncio.wait_for(writing, 5)
    assert answers(base) == ["bo"]


@pytest.mark.parametrize("got_through", [True, False])
async def test_nobody_can_tell_for_a_while(
    store: ServerStore,
    ledger: SqlLedger,
    base: Database,
    way: Proxy,
    monkeypatch: pytest.MonkeyPatch,
    *,
    got_through: bool,
) -> None:
    """Whoever wrote it hears that it is not known to be written. Is it found later after all, nothing more is decided on
    what this process knows: it begins anew. Is it not, it goes on.
    """
    monkeypatch.setattr(server_database, "LOOKED_UP_WITHIN", 0.3)
    monkeypatch.setattr(server_database, "PATIENCE", 0.0)
    await ledger.record("web", [ANSWER], (), ())
    if got_through:
        way.hold("COMMIT")
        writing = asyncio.ensure_future(ledger.record("db", [OTHER], (), ()))
        await until(lambda: way.held and len(answers(base)) == 2)
    else:
        way.hold("INSERT INTO facts")
        writing = asyncio.ensure_future(ledger.record("db", [OTHER], (), ()))
        await until(lambda: way.held)
        way.cut_before("COMMIT")
        way.refuse()  # before it goes on: the writer is back within a millisecond
        way.release()
    way.cut()
    with pytest.raises(LedgerError) as raised:
        await writing
    assert not isinstance(raised.value, FencedError)
    assert store.trouble
    way.heal()
    if got_through:
        assert await soon(lambda: ledger.record_arrival(Arrival(ArrivalKind.SMS, "SM1", "+14155550101", "ok", T0)))
        with pytest.raises(FencedError, match="does not lead"):
            await ledger.record("db", [OTHER], (), ())
        await asyncio.sleep(0)
    else:
        await soon(lambda: ledger.record("db", [OTHER], (), ()))
    assert store.lost.is_set() is got_through
    assert sorted(answers(base)) == ["ana", "bo"]


async def test_the_server_begins_anew(
    store: ServerStore, ledger: SqlLedger, base: Database, postgres_server: Server
) -> None:
    """Between two commits nobody notices: neither who writes nor who reads."""
    await ledger.record("web", [ANSWER], (), ())
    assert await ledger.incidents() == ("web",)
    postgres_server.restart()
    await ledger.record("db", [OTHER], (), ())
    assert set(await ledger.incidents()) == {"db", "web"}
    assert store.trouble == ""


async def test_a_server_that_crashes_under_way(ledger: SqlLedger, base: Database, postgres_server: Server) -> None:
    """What was said to be written is there, and all of it once, however often the server goes down."""
    written: list[str] = []

    async def write(name: str) -> None:
        await ledger.record(name, [ANSWER], (), ())
        written.append(name)

    names = [f"i{number}" for number in range(400)]
    for crash in range(2):
        calls = [asyncio.ensure_future(write(name)) for name in names[crash::2]]
        for call in calls[20:60]:
            await call
        postgres_server.stop_immediate()
        postgres_server.start()
        await asyncio.gather(*calls, return_exceptions=True)
    rows = base.run("SELECT incident, count(*) FROM facts GROUP BY incident")
    assert all(count == 1 for _, count in rows)
    assert set(written) <= {incident for incident, _ in rows}
    assert len(written) == len(names)


async def test_evidence_is_written_whoever_leads(store: ServerStore, ledger: SqlLedger, base: Database) -> None:
    """Under another term nothing is decided any more, also of what shares a transaction with evidence; that is."""
    attempt = await ledger.begin_attempt("db/1", Channel.SMS, "+14155550101", T0)
    await take_lead(base.url(), "bo-host")
    decided, is_new, _ = await asyncio.gather(
        ledger.record("db", [ANSWER], (), ()),
        ledger.record_arrival(Arrival(ArrivalKind.SMS, "SM1", "+14155550101", "ok", T0)),
        ledger.opt_in(Channel.SMS, "+14155550101"),
        return_exceptions=True,
    )
    assert isinstance(decided, FencedError)
    assert is_new is True
    assert store.lost.is_set()
    assert answers(base) == []
    store.follow()
    with pytest.raises(FencedError, match="does not lead"):
        await ledger.begin_attempt("db/1", Channel.SMS, "+14155550101", T0)
    assert base.run("SELECT id FROM attempts") == [(attempt.id,)]


async def test_a_server_that_only_reads_for_a_while(
    store: ServerStore, ledger: SqlLedger, base: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing is written, and that is said; once it takes writes again, all is well."""
    monkeypatch.setattr(server_database, "PATIENCE", 0.3)
    await ledger.record("web", [ANSWER], (), ())
    base.run(f"ALTER DATABASE {base.name} SET default_transaction_read_only = on")
    base.run(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s AND pid <> pg_backend_pid()",
        base.name,
    )
    with pytest.raises(LedgerError, match="read-only"):
        await ledger.record("db", [OTHER], (), ())
    assert "read-only" in store.trouble
    base.server.run(f"ALTER DATABASE {base.name} RESET default_transaction_read_only")
    await soon(lambda: ledger.record("db", [OTHER], (), ()))
    assert store.trouble == ""


async def test_a_commit_takes_as_long_as_it_takes(store: ServerStore, ledger: SqlLedger, base: Database) -> None:
    """No bound on statements, of a role's or of ours, ends a COMMIT: what became of it nobody would know."""
    base.run(
        "CREATE FUNCTION slow() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN PERFORM pg_sleep(0.4); RETURN NULL; END';"
        "CREATE CONSTRAINT TRIGGER slow AFTER INSERT ON facts DEFERRABLE INITIALLY DEFERRED FOR EACH ROW "
        "EXECUTE FUNCTION slow();"
        f"ALTER DATABASE {base.name} SET statement_timeout = 200"
    )
    base.run(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s AND pid <> pg_backend_pid()",
        base.name,
    )
    await ledger.record("db", [OTHER], (), ())
    assert store.trouble == ""
    assert answers(base) == ["bo"]


async def test_a_group_that_was_begun_under_a_former_term(base: Database) -> None:
    """A group that hung while this process lost the lead, and took it again, is not written under the new term: another
    machine may have decided meanwhile. What is evidence is.
    """
    doubts: list[str] = []
    database = ServerDatabase(engine := make_engine(base.url()), lambda: doubts.append("lost"))
    database.lead(await take_lead(base.url()))
    database.begin_group()
    database.lead(await take_lead(base.url()))
    with engine.begin() as connection, pytest.raises(FencedError):
        database.before_group(connection, 1, evidence=False)
    with engine.begin() as connection:
        database.before_group(connection, 2, evidence=True)
    database.begin_group()
    with engine.begin() as connection:
        database.before_group(connection, 3, evidence=False)
    engine.dispose()
    assert not doubts
