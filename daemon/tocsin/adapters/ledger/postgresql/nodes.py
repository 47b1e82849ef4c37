"""Each machine's own row, fenced by no term: what it says of itself, and when it did by the database's clock."""

from datetime import UTC, datetime, timedelta

from sqlalchemy import Connection, delete, func, or_, select, text
from sqlalchemy.dialects.postgresql import insert

from tocsin.adapters.ledger.schema import tables as t
from tocsin.planning.machines.leadership import REPLACED_AFTER
from tocsin.ports.leadership import Machines, Node, NodeState

FORGOTTEN = timedelta(days=1), timedelta(days=7)
"""How long after its last word a machine is forgotten that stopped cleanly, and one that did not."""

_c = t.nodes.c
_ago = func.clock_timestamp
_ROW = insert(t.nodes)
_WORD = _ROW.on_conflict_do_update(
    index_elements=[_c.name, _c.folder],
    set_={column.name: _ROW.excluded[column.name] for column in _c if not column.primary_key},
    where=or_(_c.id == _ROW.excluded.id, _c.stopped, _c.last_word < _ago() - timedelta(seconds=REPLACED_AFTER)),
)
_NODES = select(t.nodes).order_by(_c.name, _c.folder)
_LEAD = select(t.term.c.epoch, t.lease.c.node, t.lease.c.renewed_at, func.clock_timestamp()).where(
    t.lease.c.one == t.term.c.one
)
_OLDEST_TRANSACTION = text(
    "SELECT CASE WHEN pg_has_role(current_user, 'pg_read_all_stats', 'USAGE') THEN least(clock_timestamp(), "
    "(SELECT min(prepared) FROM pg_prepared_xacts WHERE database = current_database()), "
    "(SELECT min(xact_start) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid() "
    "AND (backend_xmin IS NOT NULL OR backend_xid IS NOT NULL) AND backend_type <> 'autovacuum worker')) END"
)
_FORGET = delete(t.nodes).where(
    or_(_c.stopped & (_c.last_word < _ago() - FORGOTTEN[0]), _c.last_word < _ago() - FORGOTTEN[1])
)


def write_node(connection: Connection, node: Node) -> datetime | None:
    """Report a machine; the database's clock. None, and nothing is written: another process that lives has its name and
    folder.
    """
    row = {
        "name": node.name, "folder": node.folder, "id": node.id, "state": node.state.value, "since": node.since,
        "last_word": func.clock_timestamp(), "version": node.version, "config": node.config, "schema": node.schema,
        "key": node.key, "providers_ok": node.providers_ok, "stopped": node.stopped,
    }  # fmt: skip
    at: datetime | None = connection.execute(_WORD.values(row).returning(_c.last_word)).scalar()
    return at and at.astimezone(UTC)


def read_nodes(connection: Connection) -> tuple[Node, ...]:
    """Every machine, by name. A state that only a newer program knows is read as standing by."""
    states = {state.value: state for state in NodeState}
    return tuple(
        Node(
            row.id,
            row.name,
            row.folder,
            states.get(row.state, NodeState.STANDING_BY),
            row.since.astimezone(UTC),
            row.last_word.astimezone(UTC),
            row.version,
            row.config,
            row.schema,
            row.key,
            providers_ok=row.providers_ok,
            stopped=row.stopped,
        )
        for row in connection.execute(_NODES)
    )


def read_machines(connection: Connection) -> Machines:
    """All machines, and who leads."""
    epoch, leader, renewed_at, now = connection.execute(_LEAD).one()
    renewed_at = renewed_at and renewed_at.astimezone(UTC)
    oldest: datetime | None = connection.execute(_OLDEST_TRANSACTION).scalar()
    since = oldest and oldest.astimezone(UTC)
    id_: str = connection.execute(select(t.installation.c.id)).scalar_one()
    return Machines(epoch, leader, renewed_at, now.astimezone(UTC), read_nodes(connection), since, id_)


def forget_nodes(connection: Connection) -> None:
    """Leave nothing of machines that have been gone for days."""
    connection.execute(_FORGET)
