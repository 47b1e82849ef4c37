"""The leadership port: PostgreSQL and the fake in memory give the same answers to the same calls (P9, rule 52)."""

from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import ExitStack
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from tocsin.adapters.ledger.postgresql.lease import PostgresLeadership
from tocsin.ports.leadership import FencedError, LeadershipLedger, LeaseView, Node, NodeState, NodeTakenError, Term

from tests.builders.postgres_ledger import make_engine, make_tables
from tests.fakes.clock import StillClock
from tests.fakes.leadership import MemoryLeadership, SharedLeadership
from tests.fakes.postgres import Server, postgres

T0 = datetime(2026, 11, 23, 10, tzinfo=UTC)
ANA = Node(
    "6b1f0a0e-0000-4000-8000-00000000000a", "ana-host", "/srv/incidents", NodeState.STANDING_BY, T0, None, "0.5.0", "r1",
    "0009", "k1", providers_ok=True,
)  # fmt: skip
BO = replace(ANA, id="6b1f0a0e-0000-4000-8000-00000000000b", name="bo-host", providers_ok=False)


class Machines:
    """Ways to one and the same database, which was just made."""

    def __init__(self, connect: Callable[[], LeadershipLedger]) -> None:
        self._connect = connect
        self.connected: list[LeadershipLedger] = []

    def connect(self) -> LeadershipLedger:
        self.connected.append(self._connect())
        return self.connected[-1]


@pytest.fixture(scope="module")
def postgres_15() -> Iterator[Server]:
    with postgres(15) as server:
        yield server


@pytest.fixture(params=["memory", "postgresql", pytest.param("postgresql-15", marks=pytest.mark.attack)])
async def machines(request: pytest.FixtureRequest) -> AsyncIterator[Machines]:
    with ExitStack() as ends:
        machines = Machines(_connect(request, ends))
        yield machines
        for machine in machines.connected:
            await machine.close()


def _connect(request: pytest.FixtureRequest, ends: ExitStack) -> Callable[[], LeadershipLedger]:
    if request.param == "memory":
        shared = SharedLeadership(StillClock(T0))
        return lambda: MemoryLeadership(shared)
    fixture = "postgres_server" if request.param == "postgresql" else "postgres_15"
    server: Server = request.getfixturevalue(fixture)
    url = ends.enter_context(server.database(make_tables)).url()
    return lambda: PostgresLeadership(make_engine(url))


async def test_a_new_ledger_is_led_by_nobody(machines: Machines) -> None:
    """Every machine sees the same first term, free to take, and the same installation."""
    one, other = machines.connect(), machines.connect()
    view = await one.look()
    assert view == await other.look()
    assert (view.term.epoch, view.node, view.count) == (0, "", 0)
    assert await one.installation() == await other.installation() != ""
    assert await one.nodes() == ()


async def test_of_two_that_take_at_once_one_wins(machines: Machines) -> None:
    """Compare-and-set: who took by a view that is not true any more has nothing; the term is new, epoch and id."""
    one, other = machines.connect(), machines.connect()
    view = await one.look()
    term = await one.take(view, ANA)
    assert term is not None
    assert await other.take(view, BO) is None
    assert (term.epoch, term.id == view.term.id) == (1, False)
    assert await other.look() == replace(view, term=term, node=ANA.id, count=1)


@pytest.mark.parametrize(
    "changes",
    [
        lambda view: replace(view, count=view.count - 1),
        lambda view: replace(view, term=Term(view.term.epoch, "00000000-0000-4000-8000-000000000000")),
        lambda view: replace(view, term=Term(view.term.epoch - 1, view.term.id)),
        lambda view: replace(view, node=""),
    ],
    ids=["count", "id", "epoch", "node"],
)
async def test_what_is_taken_is_what_was_seen(machines: Machines, changes: Callable[[LeaseView], LeaseView]) -> None:
    """R52: the epoch and the UUID are both compared, and so are the count and who has the lease."""
    one, other = machines.connect(), machines.connect()
    assert await one.take(await one.look(), ANA)
    view = await other.look()
    assert await other.take(changes(view), BO) is None
    assert await other.look() == view
    assert await other.take(view, BO)


async def test_each_renewal_raises_the_count(machines: Machines) -> None:
    """A renewal gives the database's clock, which goes on, and leaves term and node as they are."""
    one, other = machines.connect(), machines.connect()
    term = await one.take(await one.look(), ANA)
    assert term
    at = [await one.renew(term, ANA) for _ in range(3)]
    assert at == sorted(at)
    assert all(instant.tzinfo is not None for instant in at)
    view = await other.look()
    assert (view.term, view.node, view.count) == (term, ANA.id, 4)


async def test_an_old_leader_is_fenced(machines: Machines) -> None:
    """Under another term nothing is renewed, and nothing given back; it stays so."""
    one, other = machines.connect(), machines.connect()
    term = await one.take(await one.look(), ANA)
    assert term
    assert await other.take(await other.look(), BO)
    for _ in range(2):
        with pytest.raises(FencedError):
            await one.renew(term, ANA)
    await one.give_back(term)
    assert (await other.look()).node == BO.id


async def test_what_was_given_back_is_free(machines: Machines) -> None:
    """The next one takes it, and a renewal that comes late does not take it back."""
    one, other = machines.connect(), machines.connect()
    term = await one.take(await one.look(), ANA)
    assert term
    await one.give_back(term)
    view = await other.look()
    assert (view.term, view.node) == (term, "")
    with pytest.raises(FencedError):
        await one.renew(term, ANA)
    second = await other.take(view, BO)
    assert second
    assert second.epoch == 2


async def test_the_same_process_may_lead_again(machines: Machines) -> None:
    """A take whose answer was lost is taken again, under a term of its own: the first one's is over."""
    one = machines.connect()
    first = await one.take(await one.look(), ANA)
    second = await one.take(await one.look(), ANA)
    assert first
    assert second
    with pytest.raises(FencedError):
        await one.renew(first, ANA)
    await one.renew(second, ANA)


async def test_nodes_are_what_they_said_last(machines: Machines) -> None:
    """A row for each machine, by name, with the database's instant of its last word; a renewal is a word too."""
    one, other = machines.connect(), machines.connect()
    bo_at = await other.report(BO)
    await one.report(replace(ANA, config="r0"))
    ana_at = await one.report(ANA)
    assert bo_at <= ana_at
    assert [node.last_word for node in await other.nodes()] == [ana_at, bo_at]
    term = await one.take(await one.look(), ANA)
    assert term
    led = replace(ANA, state=NodeState.LEADING, since=T0 + timedelta(hours=1, microseconds=1))
    at = await one.renew(term, led)
    nodes = await other.nodes()
    assert [replace(node, last_word=None) for node in nodes] == [led, BO]
    words = [node.last_word for node in nodes]
    assert words[0] is not None
    assert words[1] is not None
    assert words[1] <= words[0] <= at + timedelta(seconds=1)


async def test_a_second_process_on_one_folder_is_refused(machines: Machines) -> None:
    """R43: at most one row a name and folder while both live; the first one's stays, and another folder is no matter."""
    one, other = machines.connect(), machines.connect()
    await one.report(ANA)
    twin = replace(ANA, id=BO.id)
    with pytest.raises(NodeTakenError, match="ana-host"):
        await other.report(twin)
    assert [node.id for node in await one.nodes()] == [ANA.id]
    await other.report(replace(twin, folder="/srv/other"))
    assert {node.id for node in await one.nodes()} == {ANA.id, BO.id}


async def test_who_stopped_is_followed_at_once(machines: Machines) -> None:
    """A restart waits for nothing after a clean stop, and takes its predecessor's row."""
    one, other = machines.connect(), machines.connect()
    await one.report(replace(ANA, stopped=True))
    await other.report(replace(ANA, id=BO.id))
    assert [(node.id, node.stopped) for node in await one.nodes()] == [(BO.id, False)]


async def test_a_renewal_is_no_matter_of_rows(machines: Machines) -> None:
    """A leader whose row another process has taken leads on: only the term decides."""
    one, other = machines.connect(), machines.connect()
    await other.report(replace(ANA, id=BO.id))
    term = await one.take(await one.look(), ANA)
    assert term
    await one.renew(term, ANA)
    assert [node.id for node in await one.nodes()] == [BO.id]
