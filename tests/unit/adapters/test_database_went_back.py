"""A database that went back in time: one that was put back, or a copy that lagged behind and took its place. What this
machine remembers of the last hour is handed in, once, and nothing is decided on what the ledger does not hold (P9).
"""

import asyncio
import time
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import Connection, text
from tocsin.adapters.ledger.journal.journal import Journal
from tocsin.adapters.ledger.ledger import SqlLedger
from tocsin.adapters.ledger.postgresql import fence, server
from tocsin.adapters.ledger.postgresql.address import ServerAddress
from tocsin.adapters.ledger.postgresql.lease import PostgresLeadership
from tocsin.adapters.ledger.postgresql.opening import open_server
from tocsin.adapters.ledger.postgresql.server import Regained, ServerStore
from tocsin.adapters.ledger.repetitions import OLDER_COPY, REPEATED_WITHIN
from tocsin.adapters.server_clock import ServerClock
from tocsin.app.hand_ins.feed import waiting
from tocsin.app.hand_ins.from_memory.left_here import LeftFromMemory
from tocsin.app.hand_ins.hand_in import MachineNotice, arrival_of
from tocsin.app.hand_ins.journal import JournalHandIn
from tocsin.app.leadership.alone import Alone
from tocsin.app.leadership.this_node import ThisNode
from tocsin.app.wiring.server import LedgerOnServer
from tocsin.app.wiring.without_ledger import LedgerInMemory
from tocsin.domain.arrival import Arrival, ArrivalKind
from tocsin.domain.delivery import Accepted, Attempt, Bundle, Content, Letter
from tocsin.domain.facts import Answer, Answered
from tocsin.domain.notification import Kind, Notification, Reason
from tocsin.domain.operator_notice import OperatorNotice, Trouble
from tocsin.domain.people import Channel
from tocsin.ports.leadership import FencedError
from tocsin.ports.ledger.trouble import Unreadable

from tests.builders.postgres_ledger import make_engine, make_tables, take_lead
from tests.fakes.postgres import Database, Server

T0 = datetime(2026, 11, 23, 10, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
ANA = "+14155550101"


@pytest.fixture
def base(postgres_server: Server) -> Iterator[Database]:
    with postgres_server.database(make_tables) as database:
        yield database


class Copy:
    """The database as it was once, which can take its place."""

    def __init__(self, of: Database) -> None:
        self._of = of
        of.server.run(f"DROP DATABASE IF EXISTS {of.name}_copy WITH (FORCE)")
        self._hang_up()
        of.server.run(f"CREATE DATABASE {of.name}_copy TEMPLATE {of.name}")

    def put_back(self) -> None:
        """It is the database now."""
        self._hang_up()
        self._of.server.drop(self._of)
        self._of.server.run(f"ALTER DATABASE {self._of.name}_copy RENAME TO {self._of.name}")

    def _hang_up(self) -> None:
        self._of.server.run(
            "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE datname = %s", self._of.name
        )


@asynccontextmanager
async def opened(base: Database, state: Path, *, leads: bool = True) -> AsyncIterator[tuple[ServerStore, SqlLedger]]:
    """The ledger of a process on the machine with that folder."""
    store = ServerStore(open_server(ServerAddress(base.url())), await Journal.open(state))
    if leads:
        await store.lead(await take_lead(base.url()))
    yield store, SqlLedger(store)
    await store.close()


def key(number: int, incident: str = "db") -> str:
    """As the plan makes them."""
    return f"{incident}/1/page/20261123T10{number:02}00.000000Z/ana/sms"


async def send(ledger: SqlLedger, name: str, at: datetime = T0) -> Attempt:
    """Decide a page and begin an attempt."""
    incident = name.split("/", maxsplit=1)[0]
    notification = Notification(name, incident, 1, Kind.PAGE, Reason.DECLARED, at, "ana", Channel.SMS)
    await ledger.record(incident, [Answered(at, "bo", Answer.OK)], [Letter(notification, Content("x"))], ())
    return await ledger.begin_attempt(name, Channel.SMS, ANA, at, provider="twilio")


def rows(base: Database) -> list[tuple[str, str]]:
    """Every attempt's id and how it ended, in the order of the ids."""
    return base.run("SELECT id, COALESCE(outcome::json->>'is', '') FROM attempts ORDER BY id")


async def test_what_it_lacks_is_handed_in_once(base: Database, tmp_path: Path) -> None:
    """A restart finds an older copy: each try is there again, with what was heard of it, else as uncertain; what is
    decided anew is marked, as often as it may have left.
    """
    async with opened(base, tmp_path) as (store, ledger):
        assert await store.hand_in(T0) == Regained()
        first = await send(ledger, key(0))
        await ledger.end_attempt(first, Accepted("SM0"), T0)
        copy = Copy(base)
        sent = [await send(ledger, key(number), T0 + number * MINUTE) for number in (1, 2)]
        await ledger.end_attempt(sent[0], Accepted("SM1"), T0 + MINUTE)
        again = await ledger.begin_attempt(key(2), Channel.SMS, ANA, T0 + 3 * MINUTE)
    copy.put_back()
    assert rows(base) == [(first.id, "Accepted")]
    now = T0 + 5 * MINUTE
    async with opened(base, tmp_path) as (store, ledger):
        assert await store.hand_in(now) == Regained(2, T0 + MINUTE)
        assert await store.hand_in(now) == Regained()
        await store.recall_repetitions(now)
        ends = [(first.id, "Accepted"), (sent[0].id, "Accepted"), (sent[1].id, "Uncertain"), (again.id, "Uncertain")]
        assert rows(base) == ends
        assert base.run("SELECT number, provider, address FROM attempts WHERE id = %s", again.id) == [(2, "", ANA)]
        assert store.journal is not None
        assert store.journal.knows("db")
        causes = [(await send(ledger, key(number, "db"), now)).possible_duplicate for number in (6, 7, 8)]
        assert causes == [OLDER_COPY, OLDER_COPY, ""]
        assert (await send(ledger, key(6, "web"), now)).possible_duplicate == ""


async def test_what_may_repeat_it_is_marked_for_an_hour(base: Database, tmp_path: Path) -> None:
    """Also of a bundle, whoever handed it in; what the ledger knows to have been decided repeats nothing."""
    async with opened(base, tmp_path) as (_, ledger):
        await send(ledger, key(0))
        copy = Copy(base)
        one, _ = await ledger.begin_bundle(Bundle("b", Content("2 pages")), [key(1), key(2)], Channel.SMS, ANA, T0, {})
    copy.put_back()
    async with opened(base, tmp_path, leads=False) as (store, _):
        assert (await store.hand_in(T0 + MINUTE)).count == 2
    async with opened(base, tmp_path / "other") as (store, ledger):
        await store.recall_repetitions(T0 + MINUTE)
        assert store.repetition(key(3), Channel.SMS, ANA, T0 + MINUTE) == OLDER_COPY
        assert store.repetition(key(3), Channel.SMS, ANA, T0 + MINUTE + REPEATED_WITHIN) == ""
        assert store.repetition(key(4), Channel.SMS, ANA, T0 + MINUTE) == OLDER_COPY
        assert store.repetition(key(5), Channel.SMS, ANA, T0 + MINUTE) == ""
        await send(ledger, key(1))
        tries = [letter.attempts for letter in await ledger.unsettled() if letter.notification.key == key(1)]
        assert [[attempt.bundle for attempt in some] for some in tries] == [["b", ""]], "its words are lost"
        assert len(await ledger.records("db")) == 2
        assert len(await ledger.find_attempt(one.id)) == 1
        assert await ledger.bundle("b") is None


async def test_a_process_that_runs_notices(base: Database, tmp_path: Path) -> None:
    """The first thing that it would decide is refused, evidence beside it is not; it leads again once it has handed in
    what the copy lacks.
    """
    async with opened(base, tmp_path) as (store, ledger):
        await send(ledger, key(0))
        copy = Copy(base)
        lost = await send(ledger, key(1))
        copy.put_back()
        decided, arrived = await asyncio.gather(
            send(ledger, key(2)),
            ledger.record_arrival(Arrival(ArrivalKind.SMS, "SM1", ANA, "ok", T0)),
            return_exceptions=True,
        )
        assert isinstance(decided, FencedError)
        assert "back in time" in str(decided)
        assert arrived is True
        await asyncio.wait_for(store.lost.wait(), 1)
        with pytest.raises(FencedError):
            await ledger.finish("db")
        store.follow()
        assert (await store.hand_in(T0 + MINUTE)).count == 1
        await store.lead(await take_lead(base.url()))
        await ledger.finish("db")
        assert not store.lost.is_set()
        assert lost.id in dict(rows(base))


async def test_it_is_handed_in_before_another_leads(base: Database, tmp_path: Path) -> None:
    """A life that ends since the database went back leaves it whole; also where it does not take that."""
    async with opened(base, tmp_path) as (store, ledger):
        copy = Copy(base)
        lost = await send(ledger, key(0), datetime.now(UTC))
        copy.put_back()
        here = on_server(store, ledger, base)
        async with here.leading():
            await ledger.finish("db")
        assert [id_ for id_, _ in rows(base)] == [lost.id]
        assert base.run("SELECT who, body::json->>'trouble' FROM arrivals") == [("attic", "ledger-older")]
        base.run("ALTER TABLE attempts RENAME TO gone")
        async with here.leading():
            pass
        base.run("ALTER TABLE gone RENAME TO attempts")


async def test_what_is_told_while_a_leader_recalls_is_read_anew(base: Database, tmp_path: Path) -> None:
    """What another machine writes into the ledger once this one has read what may be repeated is none of its life's;
    what stood there before is.
    """
    notices = [MachineNotice("b", OperatorNotice(Trouble.LEDGER_OLDER, text, about="b")) for text in ("one", "two")]
    async with opened(base, tmp_path) as (store, ledger):
        here, read = on_server(store, ledger, base), store.recall_repetitions

        async def slowly(now: datetime) -> None:
            await read(now)
            await ledger.record_arrival(arrival_of(notices[1], T0 - MINUTE))

        await ledger.record_arrival(arrival_of(notices[0], T0))
        store.recall_repetitions = slowly  # type: ignore[method-assign]
        await here.recall()
        texts = {row: arrival.body async for row, arrival in waiting(ledger) if not isinstance(arrival, Unreadable)}
    assert ["one" in texts[row] for row in here.recalled] == [True]
    assert len(texts) == 2


async def test_what_passes_by_itself_ends_no_process(
    base: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """P9: a first look that takes too long at a replica that was just promoted, or a process that was stopped inside a
    transaction: nobody needs to put that right.
    """
    stops = iter([0.3])

    def write(connection: Connection, words: Sequence[str]) -> Sequence[str]:
        time.sleep(next(stops, 0))
        connection.execute(text("SELECT 1"))
        return words

    async with opened(base, tmp_path) as (store, ledger):
        monkeypatch.setattr(server, "READ_MS", 50)
        monkeypatch.setattr(fence, "IDLE_MS", 50)
        here, given = on_server(store, ledger, base), list[str]()
        async with here.leading():
            given.append(await store.commit(write, "written"))
            await store.read(lambda connection: connection.execute(text("SELECT pg_sleep(9)")))
        assert given == ["written"]


def on_server(store: ServerStore, ledger: SqlLedger, base: Database) -> LedgerOnServer:
    """The ledger as a daemon on attic has it."""
    clock, name = ServerClock(), "attic"
    assert store.journal is not None
    handing_in = JournalHandIn(name, clock, ledger, store)
    leadership = PostgresLeadership(make_engine(base.url()))
    this, left = ThisNode(clock, name, "/srv/incidents", "1", "0010"), LeftFromMemory(name, clock, ledger)

    async def without() -> LedgerInMemory:
        raise AssertionError

    return LedgerOnServer(clock, store, ledger, leadership, Alone(), this, store.journal, handing_in, left, without)


async def test_one_that_has_nothing_to_write_notices_as_well(base: Database, tmp_path: Path) -> None:
    """It looks, and writes its number."""
    async with opened(base, tmp_path) as (store, ledger):
        await send(ledger, key(0))
        await store.look(T0)
        assert not store.lost.is_set()
        assert store.journal is not None
        assert store.journal.knows("db")
        copy = Copy(base)
        await store.look(T0)
        copy.put_back()
        with pytest.raises(FencedError):
            await store.look(T0)


async def test_who_stands_by_sees_that_something_may_be_lost(base: Database, tmp_path: Path) -> None:
    """Each loss of its own shows, also behind a write that came since; and whoever takes the lead may have lost more. Its
    own writes, and a row that was tidied away with nothing lost, are no loss for ever.
    """
    arrivals = (Arrival(ArrivalKind.VERSION, f"v{number}", "b", "{}", T0) for number in range(9))
    async with opened(base, tmp_path, leads=False) as (store, ledger):
        await ledger.record_arrival(next(arrivals))
        generations = [await store.generation()]
        await ledger.record_arrival(next(arrivals))
        assert await store.generation() == generations[0]
        for write_again in (False, True, False):
            copy = Copy(base)
            await ledger.record_arrival(next(arrivals))
            copy.put_back()
            if write_again:
                await ledger.record_arrival(next(arrivals))
            generations.append(await store.generation())
            assert await store.generation() == generations[-1]
        await take_lead(base.url())
        generations.append(await store.generation())
    assert len(set(generations)) == len(generations)


async def test_an_end_that_nobody_could_write_down(base: Database, tmp_path: Path) -> None:
    """What the provider said while the database was away is known to the next process."""
    async with opened(base, tmp_path) as (store, ledger):
        attempt = await send(ledger, key(0))
        assert store.journal is not None
        base.run("ALTER TABLE attempts RENAME TO gone")
        with pytest.raises(Exception, match="attempts"):
            await ledger.end_attempt(attempt, Accepted("SM0"), T0)
        base.run("ALTER TABLE gone RENAME TO attempts")
    async with opened(base, tmp_path, leads=False) as (store, _):
        assert await store.hand_in(T0 + MINUTE) == Regained()
        assert rows(base) == [(attempt.id, "Accepted")]


async def test_what_was_pruned_stays_away(base: Database, tmp_path: Path) -> None:
    """And so does what another installation's ledger never had; then the journal forgets it."""
    async with opened(base, tmp_path) as (store, ledger):
        await send(ledger, key(0))
        await send(ledger, key(0, "web"))
        assert store.journal is not None
        ((id_,),) = base.run("SELECT id FROM installation")
        await asyncio.to_thread(store.journal.keep, id_)
    base.run("DELETE FROM attempts")
    base.run("INSERT INTO pruned (incident, closed_at, digests) VALUES ('db', '2026-11-23', '')")
    async with opened(base, tmp_path, leads=False) as (store, _):
        assert (await store.hand_in(T0 + MINUTE)).count == 1
        assert len(rows(base)) == 1
        base.run("DELETE FROM attempts")
        base.run("UPDATE installation SET id = 'elsewhere'")
        assert await store.hand_in(T0 + MINUTE) == Regained()
        assert rows(base) == []
        assert store.journal is not None
        assert store.journal.attempts(T0) == ()


async def test_two_machines_hand_in_what_each_knows(base: Database, tmp_path: Path) -> None:
    """Each its own, at the same moment, also twice: each try is there once."""
    copy = Copy(base)
    for number, machine in enumerate(("one", "two")):
        async with opened(base, tmp_path / machine) as (_, ledger):
            await send(ledger, key(number))
    copy.put_back()
    async with (
        opened(base, tmp_path / "one", leads=False) as (one, _),
        opened(base, tmp_path / "two", leads=False) as (two, _),
        opened(base, tmp_path / "one", leads=False) as (same, _),
    ):
        await asyncio.gather(*(store.hand_in(T0 + MINUTE) for store in (one, two, same)))
    assert [how for _, how in rows(base)] == ["Uncertain", "Uncertain"]
