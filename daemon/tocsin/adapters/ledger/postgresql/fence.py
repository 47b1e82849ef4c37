"""What the transactions of a writer begin with (rule 52): the bounds of each, and the term that a leader's holds.

The term is read FOR SHARE, so that a takeover, which changes it, waits for the commit that is under way, and whatever
comes after that finds another term. Nothing here is remembered by the session: poolers give each transaction another.
"""

from datetime import timedelta

from sqlalchemy import Connection, delete, func, select, text
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
_KEEPS_GROUP = _GROUP.on_conflict_do_update(
    index_elements=[t.writers.c.node], set_={"wrote_at": func.clock_timestamp()}
)

_FIRST = """
WITH bounds AS MATERIALIZED (
    SELECT set_config('idle_in_transaction_session_timeout', :idle, true), set_config('lock_timeout', :lock, true)
), held AS MATERIALIZED (
    SELECT epoch, id FROM bounds, term FOR SHARE OF term
), noted AS (
    INSERT INTO writers (node, last_group, wrote_at) SELECT :node, :group, clock_timestamp() FROM held
    ON CONFLICT (node) DO UPDATE SET last_group = excluded.last_group, wrote_at = excluded.wrote_at
    RETURNING (SELECT last_group FROM writers WHERE node = :node) AS before
)
SELECT held.epoch, held.id, noted.before FROM held, noted
"""
"""All that a group begins with: the way to a server may be long. Each part reads the one before it, so that a lock is
waited for under the bounds, and nothing is noted before the term is held.
"""
_DECIDES = text(_FIRST)
_TELLS = text(_FIRST.replace("epoch, id FROM bounds, term FOR SHARE OF term", "0 AS epoch, '' AS id FROM bounds"))


def bound(connection: Connection, lock_ms: int = LOCK_MS) -> None:
    """Bound what this transaction may wait for; never how long its COMMIT takes."""
    idle = func.set_config("idle_in_transaction_session_timeout", str(IDLE_MS), True)
    lock = func.set_config("lock_timeout", str(lock_ms), True)
    connection.execute(select(idle, lock))


def hold_term(connection: Connection, term: Term) -> None:
    """Hold the term until this transaction ends. Raises FencedError when another one is in the ledger."""
    epoch, id_ = connection.execute(_HELD).one()
    _compare(Term(epoch, id_), term)


def _compare(held: Term, own: Term) -> None:
    if held != own:
        raise FencedError(f"this machine does not lead any more (term {own.epoch}; the ledger has term {held.epoch})")


def begin_transaction(connection: Connection, node: str, group: int, term: Term | None) -> int:
    """The first statement of a writer's transaction: bound what it may wait for, hold the term (None: what it writes is
    evidence), and write down that this process wrote the group of this number. Gives the number that stood there, as
    the statement found it, 0: none; the database has gone back in time if it is not the one last written. Raises
    FencedError when another term is in the ledger.
    """
    values = {"idle": str(IDLE_MS), "lock": str(LOCK_MS), "node": node, "group": group}
    begun = connection.execute(_TELLS if term is None else _DECIDES, values).one()
    if term is not None:
        _compare(Term(begun.epoch, begun.id), term)
    return begun.before or 0


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
