"""Tallies: the ledger's numbers, cheap however large it is.

Rows that change no more are added up once and remembered; each question then counts the newest alone. It must not know
what the numbers are for.
"""

from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from threading import Lock
from typing import Any

from sqlalchemy import ColumnElement, Connection, Table, and_, func, literal_column, or_, select

from tocsin.adapters.ledger import tables as t
from tocsin.adapters.ledger.tables import PENDING, read_instant, written
from tocsin.domain.notification import Kind
from tocsin.ports.tally import WAITING, Tally

_OUTCOME = func.json_extract(t.attempts.c.outcome, literal_column("'$.is'"))
_SEVERITY = func.json_extract(t.facts.c.body, literal_column("'$.incident.severity'"))
_STATUS = func.json_extract(t.facts.c.body, literal_column("'$.incident.status'"))
_DOUBTFUL = t.attempts.c.possible_duplicate != literal_column("''")


class Tallies:
    """Counts one ledger's rows."""

    def __init__(self) -> None:
        self._one_at_a_time = Lock()
        sent, tries, came = t.notifications.c, t.attempts.c, t.arrivals.c
        self._notifications = _Section(t.notifications, [sent.kind, sent.state], t.pending, sent.at)
        words = [tries.via, func.lower(_OUTCOME), tries.receipt, _DOUBTFUL]
        self._tries = _Section(t.attempts, words, tries.outcome.is_(None), tries.started_at)
        self._arrivals = _Section(t.arrivals, [came.kind, came.result], t.unjudged, came.at)

    def count(self, connection: Connection, settled_before: datetime) -> Tally:
        """The numbers now. Rows begun before that instant that wait for nothing change no more."""
        with self._one_at_a_time:
            notifications = self._notifications.count(connection, settled_before)
            tries = self._tries.count(connection, settled_before)
            arrivals = self._arrivals.count(connection, settled_before)
        oldest = select(func.min(t.notifications.c.at)).where(t.pending, t.notifications.c.kind == Kind.PAGE.value)
        at = connection.execute(oldest).scalar()
        outcomes, receipts, duplicates = Counter[tuple[str, str]](), Counter[tuple[str, str]](), Counter[str]()
        for (via, outcome, receipt, doubtful), number in tries.items():
            outcomes[via, outcome or WAITING] += number
            duplicates[via] += number if doubtful else 0
            if receipt:
                receipts[via, receipt] += number
        return Tally(
            open={row[0]: row[1] for row in connection.execute(_open())},
            notifications={(kind, WAITING if state == PENDING else state): number
                           for (kind, state), number in notifications.items()},
            tries=dict(outcomes),
            receipts=dict(receipts),
            duplicates={via: number for via, number in duplicates.items() if number},
            arrivals={(kind, result or WAITING): number for (kind, result), number in arrivals.items()},
            oldest_page_at=read_instant(at) if at else None,
        )  # fmt: skip


def _open() -> Any:
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
        lively = or_(self._waits, self._begun_at >= written(settled_before))
        after = self._id > self._counted
        first = connection.execute(select(func.min(self._id)).where(after, lively)).scalar()
        newest = connection.execute(select(func.max(self._id))).scalar() or 0
        last = newest if first is None else first - 1
        if last > self._counted:
            self._sums += self._added_up(connection, and_(after, self._id <= last))
            self._counted = last
        return self._sums + self._added_up(connection, self._id > self._counted)

    def _added_up(self, connection: Connection, these: ColumnElement[bool]) -> Counter[tuple[Any, ...]]:
        rows = connection.execute(select(func.count(), *self._groups).where(these).group_by(*self._groups))
        return Counter({tuple(row[1:]): row[0] for row in rows})
