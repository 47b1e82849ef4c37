"""What the transactions of a writer begin with (rule 52): the bounds of each, and the term that a leader's holds.

The term is read FOR SHARE, so that a takeover, which changes it, waits for the commit that is under way, and whatever
comes after that finds another term. Nothing here is remembered by the session: poolers give each transaction another.
"""

from datetime import timedelta

from sqlalchemy import Connection, delete, func, select
from sqlalchemy.dialects.postgresql import insert

from tocsin.adapters.ledger.schema import tables as t
from tocsin.ports.leadership import FencedError, Term

IDLE_MS = 3000
"""Milliseconds for which a transaction may stand still: a process that is stopped inside one keeps nobody waiting."""
LOCK_MS = 1000
"""Milliseconds for which it waits for a lock."""

FORGOTTEN = timedelta(days=1)
"""How long after its last group a writer is forgotten: nobody asks any more whether that came through."""

_HELD = select(t.term.c.epoch, t.term.c.id).with_for_update(read=True)
_GROUP = insert(t.writers)
_LAST_GROUP = _GROUP.on_conflict_do_update(
    index_elements=[t.writers.c.node],
    set_={"last_group": _GROUP.excluded.last_group, "wrote_at": func.clock_timestamp()},
)
_KEEPS_GROUP = _GROUP.on_conflict_do_update(
    index_elements=[t.writers.c.node], set_={"wrote_at": func.clock_timestamp()}
)


def bound(connection: Connection, lock_ms: int = LOCK_MS) -> None:
    """Bound what this transaction may wait for; never how long its COMMIT takes."""
    idle = func.set_config("idle_in_transaction_session_timeout", str(IDLE_MS), True)
    lock = func.set_config("lock_timeout", str(lock_ms), True)
    connection.execute(select(idle, lock))


def hold_term(connection: Connection, term: Term) -> None:
    """Hold the term until this transaction ends. Raises FencedError when another one is in the ledger."""
    epoch, id_ = connection.execute(_HELD).one()
    if Term(epoch, id_) != term:
        raise FencedError(f"this machine does not lead any more (term {term.epoch}; the ledger has term {epoch})")


def note_group(connection: Connection, node: str, group: int) -> int:
    """Write down in its own transaction that this process wrote the group of this number; which was there before, 0:
    none. It stands as the statement found it: the database has gone back in time if it is not the one last written.
    """
    row = {"node": node, "last_group": group, "wrote_at": func.clock_timestamp()}
    before = select(t.writers.c.last_group).where(t.writers.c.node == node).scalar_subquery()
    last: int | None = connection.execute(_LAST_GROUP.values(row).returning(before)).scalar_one()
    return last or 0


def read_group(connection: Connection, node: str) -> int:
    """The number of the last group of this process that is in the ledger; 0: none. It waits for one whose transaction
    has not ended yet, the first one too: hence it writes.
    """
    row = {"node": node, "last_group": 0, "wrote_at": func.clock_timestamp()}
    found = _KEEPS_GROUP.values(row).returning(t.writers.c.last_group)
    last: int = connection.execute(found).scalar_one()
    return last


def read_generation(connection: Connection, node: str) -> tuple[int, str, int]:
    """The term's epoch and id, and the number of the last group of this process, 0: none. It waits for nobody."""
    last = select(t.writers.c.last_group).where(t.writers.c.node == node).scalar_subquery()
    epoch, term, group = connection.execute(select(t.term.c.epoch, t.term.c.id, last)).one()
    return epoch, term, group or 0


def forget_writers(connection: Connection) -> None:
    """Leave nothing of processes that have written nothing for long."""
    connection.execute(delete(t.writers).where(t.writers.c.wrote_at < func.clock_timestamp() - FORGOTTEN))
