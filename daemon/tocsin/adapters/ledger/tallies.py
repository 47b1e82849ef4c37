"""The ledger's numbers, cheap however large it is.

Rows that change no more are added up once and remembered; each question then counts the newest alone. Must not know
what the numbers are for.
"""

from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from threading import Lock
from typing import Any

from sqlalchemy import ColumnElement, Connection, Table, and_, case, func, literal_column, or_, select

from tocsin.adapters.ledger.schema import tables as t
from tocsin.adapters.ledger.schema.tables import PENDING, read_instant, write_instant
from tocsin.domain.notification import Kind
from tocsin.ports.tally import WAITING, Tally


def _field(body: Any, path: str) -> Any:
    """A field of a JSON body; NULL where the body is none (rule 63)."""
    return case((func.json_valid(body) == 1, func.json_extract(body, literal_column(f"'{path}'"))))


_OUTCOME = _field(t.attempts.c.outcome, "$.is")
_SEVERITY = _field(t.facts.c.body, "$.incident.severity")
_STATUS = _field(t.facts.c.body, "$.incident.status")
_DOUBTFUL = t.attempts.c.possible_duplicate != literal_column("''")


class Tallies:
    """Counts one ledger's rows. May be asked from several threads."""

    def __init__(self) -> None:
        self._lock = Lock()
        notifications, attempts, arrivals = t.notifications.c, t.attempts.c, t.arrivals.c
        self._notifications = _Section(
            t.notifications, [notifications.kind, notifications.state], t.pending, notifications.at
        )
        groups = [attempts.via, func.lower(_OUTCOME), attempts.receipt, _DOUBTFUL]
        self._attempts = _Section(t.attempts, groups, attempts.outcome.is_(None), attempts.started_at)
        self._arrivals = _Section(t.arrivals, [arrivals.kind, arrivals.result], t.unjudged, arrivals.at)

    def count(self, connection: Connection, settled_before: datetime) -> Tally:
        """The numbers now. Rows begun before that instant that wait for nothing change no more."""
        with self._lock:
            notifications = self._notifications.count(connection, settled_before)
            attempts = self._attempts.count(connection, settled_before)
            arrivals = self._arrivals.count(connection, settled_before)
        oldest = select(func.min(t.notifications.c.at)).where(t.pending, t.notifications.c.kind == Kind.PAGE.value)
        at = connection.execute(oldest).scalar()
        outcomes, receipts, duplicates = Counter[tuple[str, str]](), Counter[tuple[str, str]](), Counter[str]()
        for (via, outcome, receipt, doubtful), number in attempts.items():
            outcomes[via, outcome or WAITING] += number
            duplicates[via] += number if doubtful else 0
            if receipt:
                receipts[via, receipt] += number
        return Tally(
            open={row[0] or "": row[1] for row in connection.execute(_open_by_severity())},
            notifications={(kind, WAITING if state == PENDING else state): number
                           for (kind, state), number in notifications.items()},
            attempts=dict(outcomes),
            receipts=dict(receipts),
            duplicates={via: number for via, number in duplicates.items() if number},
            arrivals={(kind, result or WAITING): number for (kind, result), number in arrivals.items()},
            oldest_page_at=read_instant(at) if at else None,
        )  # fmt: skip


def _open_by_severity() -> Any:
    """Open incidents by the severity of their newest version."""
    later = t.facts.alias("later")
    newest = select(func.max(later.c.id)).where(later.c.incident == t.incidents.c.id, later.c.kind == "Seen")
    return (
        select(_SEVERITY, func.count())
        .select_from(t.incidents)
        .join(t.facts, t.facts.c.id == newest.scalar_subquery())
        .where(t.unfinished, or_(_STATUS.is_(None), _STATUS != "resolved"))
        .group_by(_SEVERITY)
    )


class _Section:
    """The rows of one table, grouped. `waits` and `begun_at` say which rows may still change."""

    def __init__(
        self, table: Table, groups: Sequence[ColumnElement[Any]], waits: ColumnElement[bool], begun_at: Any
    ) -> None:
        self._id = table.c.id
        self._groups = groups
        self._waits, self._begun_at = waits, begun_at
        self._counted, self._sums = 0, Counter[tuple[Any, ...]]()

    def count(self, connection: Connection, settled_before: datetime) -> Counter[tuple[Any, ...]]:
        """How many rows there are of each group."""
        changing = or_(self._waits, self._begun_at >= write_instant(settled_before))
        after = self._id > self._counted
        first = connection.execute(select(func.min(self._id)).where(after, changing)).scalar()
        newest = connection.execute(select(func.max(self._id))).scalar() or 0
        last = newest if first is None else first - 1
        if last > self._counted:
            self._sums += self._count_groups(connection, and_(after, self._id <= last))
            self._counted = last
        return self._sums + self._count_groups(connection, self._id > self._counted)

    def _count_groups(self, connection: Connection, condition: ColumnElement[bool]) -> Counter[tuple[Any, ...]]:
        rows = connection.execute(select(func.count(), *self._groups).where(condition).group_by(*self._groups))
        return Counter({tuple(row[1:]): row[0] for row in rows})
