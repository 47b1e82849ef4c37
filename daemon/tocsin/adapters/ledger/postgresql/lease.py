"""The lead, in two rows (section 9): `term`, which only a takeover changes, and `lease`, which a leader renews.

A transaction of the writer holds the term alone and a renewal the lease alone, so neither waits for the other; a
takeover changes the term and then the lease, so it waits for the commit under way, and finds out last whether the
leader has renewed meanwhile. Each call is one transaction on a connection of its own, with a deadline.
"""

from datetime import UTC, datetime
from uuid import uuid4

from sqlalchemy import Connection, Engine, func, select, text, update

from tocsin.adapters.ledger.postgresql.fence import IDLE_MS, bound, forget_writers
from tocsin.adapters.ledger.postgresql.nodes import forget_nodes, read_nodes, write_node
from tocsin.adapters.ledger.postgresql.own_connection import OwnConnection
from tocsin.adapters.ledger.schema import SCHEMA
from tocsin.adapters.ledger.schema import tables as t
from tocsin.ports.leadership import FencedError, LeaseView, Node, NodeTakenError, Term

ANSWERS_WITHIN = 3.0
"""Seconds for the answer to a call: a renewal that failed so can be made once more before the lease has run out."""
TAKES_WITHIN = 5.0
"""Seconds for a take, which waits for the commit that the former leader has under way."""
TAKE_LOCK_MS = 4500

_VIEW = select(
    t.term.c.epoch, t.term.c.id, t.term.c.leads_from, t.lease.c.node, t.lease.c.count.label("renewals")
).where(t.term.c.one == t.lease.c.one)
_END_STILL = text("""
SELECT pg_terminate_backend(still.pid) FROM pg_stat_activity still
WHERE still.datname = current_database() AND still.usename = current_user AND still.state LIKE 'idle in transaction%'
AND still.state_change < clock_timestamp() - :milliseconds * interval '1 millisecond'
AND EXISTS (
    SELECT FROM pg_locks held WHERE held.pid = still.pid AND held.mode <> 'AccessShareLock'
    AND held.relation IN (to_regclass('term'), to_regclass('lease'))
)
""")
_INSTALLATION = select(t.installation.c.id)


class _RenewedError(Exception):
    """The leader has renewed meanwhile: its term stays, and the transaction comes to nothing."""


class PostgresLeadership:
    """The port LeadershipLedger. `schema` is the newest that this program knows."""

    def __init__(self, engine: Engine, schema: str = SCHEMA) -> None:
        self._own = OwnConnection(engine)
        self._schema = schema

    async def look(self) -> LeaseView:
        """The lease as it stands now."""
        return await self._own.call(ANSWERS_WITHIN, _look)

    async def take(self, view: LeaseView, node: Node) -> Term | None:
        """Begin a new term, if the lease is still just as in this view; None if it is not any more."""
        view.see_that_it_may(self._schema, node.name)
        term = Term(view.term.epoch + 1, str(uuid4()))
        try:
            return await self._own.call(TAKES_WITHIN, lambda connection: _take(connection, view, term, node))
        except _RenewedError:
            return None

    async def renew(self, term: Term, node: Node) -> datetime:
        """Raise the count, and report the node; the database's clock. Raises FencedError."""
        return await self._own.call(ANSWERS_WITHIN, lambda connection: _renew(connection, term, node))

    async def give_back(self, term: Term) -> None:
        """Leave the lead to whoever takes it first."""
        await self._own.call(ANSWERS_WITHIN, lambda connection: _give_back(connection, term))

    async def report(self, node: Node) -> datetime:
        """Write this machine's own row; the database's clock. Raises NodeTakenError."""
        at = await self._own.call(ANSWERS_WITHIN, lambda connection: _report(connection, node))
        if at is None:
            raise NodeTakenError(
                f"another tocsin runs as {node.name} on {node.folder}; end that one, or give one of the two machines "
                f"another name (node: in its tocsin.yaml)"
            )
        return at

    async def nodes(self) -> tuple[Node, ...]:
        """Every machine that ever reported and was not superseded, by name."""
        return await self._own.call(ANSWERS_WITHIN, read_nodes)

    async def installation(self) -> str:
        """The id of this ledger, made with it."""
        return await self._own.call(ANSWERS_WITHIN, _installation)

    async def close(self) -> None:
        """Let go of the connection. What is under way is not waited for."""
        await self._own.close()


def _look(connection: Connection) -> LeaseView:
    row = connection.execute(_VIEW).one()
    return LeaseView(Term(row.epoch, row.id), row.node, row.renewals, row.leads_from)


def _end_still(connection: Connection) -> None:
    """End transactions of ours that hold the lead and have stood still for longer than they may. The server should have
    done so: its timer rests once the driver's pipeline has sent Flush after Sync, as psycopg does at times.
    """
    connection.execute(_END_STILL, {"milliseconds": IDLE_MS})


def _take(connection: Connection, view: LeaseView, term: Term, node: Node) -> Term | None:
    bound(connection, TAKE_LOCK_MS)
    _end_still(connection)
    was_term = (t.term.c.epoch == view.term.epoch) & (t.term.c.id == view.term.id)
    was_lease = (t.lease.c.term == view.term.id) & (t.lease.c.node == view.node) & (t.lease.c.count == view.count)
    begun = update(t.term).where(was_term, t.term.c.leads_from == view.leads_from)
    taken = update(t.lease).where(was_lease)
    lease = {"term": term.id, "node": node.id, "count": view.count + 1, "renewed_at": func.clock_timestamp()}
    if connection.execute(begun.values(epoch=term.epoch, id=term.id)).rowcount != 1:
        return None
    if connection.execute(taken.values(lease)).rowcount != 1:
        raise _RenewedError
    forget_nodes(connection)
    forget_writers(connection)
    return term


def _renew(connection: Connection, term: Term, node: Node) -> datetime:
    bound(connection)
    mine = update(t.lease).where(t.lease.c.term == term.id, t.lease.c.node == node.id)
    renewed = mine.values(count=t.lease.c.count + 1, renewed_at=func.clock_timestamp())
    at: datetime | None = connection.execute(renewed.returning(t.lease.c.renewed_at)).scalar()
    if at is None:
        raise FencedError(f"this machine does not lead any more (term {term.epoch})")
    write_node(connection, node)
    return at.astimezone(UTC)


def _give_back(connection: Connection, term: Term) -> None:
    bound(connection)
    connection.execute(update(t.lease).where(t.lease.c.term == term.id).values(node=""))


def _report(connection: Connection, node: Node) -> datetime | None:
    bound(connection)
    return write_node(connection, node)


def _installation(connection: Connection) -> str:
    id_: str = connection.execute(_INSTALLATION).scalar_one()
    return id_
