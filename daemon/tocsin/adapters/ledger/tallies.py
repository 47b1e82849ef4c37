"""The ledger's numbers, cheap however large it is.

Rows that change no more are added up once and remembered; each question then counts the newest alone. Must not know
what the numbers are for.
"""

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import suppress
from datetime import datetime
from threading import Lock
from typing import Any, NamedTuple, get_args

from sqlalchemy import ColumnElement, Connection, Select, Table, and_, case, func, literal_column, null, or_, select

from tocsin.adapters.ledger.reads.addresses import outcome_is, outcome_is_of
from tocsin.adapters.ledger.schema import tables as t
from tocsin.adapters.ledger.schema.decoding import read_instant, write_instant
from tocsin.adapters.ledger.schema.tables import PENDING
from tocsin.domain.delivery import Deferred, Fault, Outcome, Uncertain
from tocsin.domain.notification import Kind
from tocsin.domain.people import MAIN
from tocsin.ports.ledger.tally import MESSAGE_REFUSED, WAITING, ProviderTally, Tally

_OUTCOME = case(
    (outcome_is_of(Fault.MESSAGE), literal_column(f"'{MESSAGE_REFUSED}'")),
    *((outcome_is(of), literal_column(f"'{of.__name__.lower()}'")) for of in get_args(Outcome)),
)
_DOUBTFUL = t.attempts.c.possible_duplicate != literal_column("''")
_PROVIDER = func.coalesce(func.nullif(t.attempts.c.provider, literal_column("''")), literal_column(f"'{MAIN}'"))

ROWS_AT_ONCE = 500
"""Versions that one query asks for."""


class Tallies:
    """Counts one ledger's rows. May be asked from several threads."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._severities = _OpenSeverities()
        notifications, attempts, arrivals = t.notifications.c, t.attempts.c, t.arrivals.c
        self._notifications = _Section(
            t.notifications, [notifications.kind, notifications.state], t.pending, notifications.at
        )
        groups = [attempts.via, _PROVIDER, _OUTCOME, attempts.receipt, _DOUBTFUL, t.bundled]
        waits = attempts.outcome.is_(None)
        self._attempts = _Section(t.attempts, groups, waits, attempts.started_at, attempts.ended_at)
        self._arrivals = _Section(t.arrivals, [arrivals.kind, arrivals.result], t.unjudged, arrivals.at)

    def count(self, connection: Connection, settled_before: datetime) -> Tally:
        """The numbers now. Rows begun before that instant that wait for nothing change no more."""
        with self._lock:
            notifications = self._notifications.count(connection, settled_before)
            attempts = self._attempts.count(connection, settled_before)
            arrivals = self._arrivals.count(connection, settled_before)
            severities = self._severities.count(connection)
        oldest = select(func.min(t.notifications.c.at)).where(t.pending, t.notifications.c.kind == Kind.PAGE.value)
        at = connection.execute(oldest).scalar()
        outcomes, receipts = Counter[tuple[str, ...]](), Counter[tuple[str, ...]]()
        duplicates, bundled = Counter[str](), Counter[str]()
        for (via, provider, outcome, receipt, doubtful, in_bundle), (number, _) in attempts.items():
            outcomes[via, provider, outcome or WAITING] += number
            duplicates[via] += number if doubtful else 0
            bundled[via] += number if in_bundle else 0
            if receipt:
                receipts[via, receipt] += number
        return Tally(
            open=severities,
            notifications={(kind, WAITING if state == PENDING else state): number
                           for (kind, state), (number, _) in notifications.items()},
            attempts=dict(outcomes),
            providers=_providers(connection, attempts, settled_before),
            receipts=dict(receipts),
            duplicates={via: number for via, number in duplicates.items() if number},
            arrivals={(kind, result or WAITING): number for (kind, result), (number, _) in arrivals.items()},
            bundles=connection.execute(select(func.count()).select_from(t.bundles)).scalar_one(),
            bundled={via: number for via, number in bundled.items() if number},
            waiting_pages=_by_channel(connection, _untried_pages()),
            opt_outs=_by_channel(connection, select(t.opt_outs.c.via, func.count()).group_by(t.opt_outs.c.via)),
            oldest_page_at=read_instant(at) if at else None,
        )  # fmt: skip


def _providers(
    connection: Connection, attempts: Mapping[tuple[Any, ...], "_Sum"], failed_since: datetime
) -> dict[tuple[str, str], ProviderTally]:
    """How each provider does: when it took something last, and what failed after that, begun since that instant."""
    taken_at: dict[tuple[str, str], str] = {}
    for (via, provider, outcome, *_), (_, newest) in attempts.items():
        taken = newest if outcome == "accepted" and newest else ""
        taken_at[via, provider] = max(taken_at.get((via, provider), ""), taken)
    columns = t.attempts.c.via, _PROVIDER, t.attempts.c.ended_at
    lately = t.attempts.c.started_at >= write_instant(failed_since)
    failures = Counter(
        (via, provider)
        for via, provider, ended_at in connection.execute(
            select(*columns).where(lately, outcome_is(Deferred, Uncertain))
        )
        if ended_at > taken_at.get((via, provider), "")
    )
    return {
        provider: ProviderTally(read_instant(at) if at else None, failures[provider])
        for provider, at in taken_at.items()
    }


def _untried_pages() -> Any:
    """Pages that wait for their first try, by channel."""
    tried = select(t.attempts.c.id).where(t.attempts.c.key == t.notifications.c.key).exists()
    pages = t.pending, t.notifications.c.kind == Kind.PAGE.value, ~tried
    return select(t.notifications.c.via, func.count()).where(*pages).group_by(t.notifications.c.via)


def _by_channel(connection: Connection, numbers: Any) -> dict[str, int]:
    return {row[0]: row[1] for row in connection.execute(numbers)}


class _OpenSeverities:
    """Open incidents by the severity of their newest version. A version is read once: it does not change."""

    def __init__(self) -> None:
        self._known: dict[int, str | None] = {}

    def count(self, connection: Connection) -> Counter[str]:
        """How many there are of each severity; what cannot be read has none."""
        newest = list(connection.execute(_newest_versions()).scalars())
        known = {row: self._known[row] for row in newest if row in self._known}
        unknown = [row for row in newest if row not in known]
        for start in range(0, len(unknown), ROWS_AT_ONCE):
            bodies = select(t.facts.c.id, t.facts.c.body).where(t.facts.c.id.in_(unknown[start : start + ROWS_AT_ONCE]))
            known.update((row, _open_severity(body)) for row, body in connection.execute(bodies))
        self._known = known
        return Counter(severity for severity in known.values() if severity is not None)


def _newest_versions() -> Select[Any]:
    """The facts in which unfinished incidents were seen last."""
    later = t.facts.alias("later")
    newest = select(func.max(later.c.sequence)).where(later.c.incident == t.incidents.c.id, later.c.kind == "Seen")
    same = (t.facts.c.incident == t.incidents.c.id) & (t.facts.c.sequence == newest.scalar_subquery())
    return select(t.facts.c.id).select_from(t.incidents).join(t.facts, same).where(t.unfinished)


def _open_severity(body: Any) -> str | None:
    """The severity of a version; None: it says that it is resolved."""
    with suppress(ValueError, TypeError, KeyError):
        incident = json.loads(body)["incident"]
        return None if incident.get("status") == "resolved" else str(incident["severity"])
    return ""


class _Sum(NamedTuple):
    """How many rows of a group there are, and the newest instant of theirs."""

    number: int = 0
    newest: str | None = None


class _Section:
    """The rows of one table, grouped. `waits` and `begun_at` say which rows may still change; `newest` is the column
    whose newest instant is wanted of each group.
    """

    def __init__(
        self,
        table: Table,
        groups: Sequence[ColumnElement[Any]],
        waits: ColumnElement[bool],
        begun_at: Any,
        newest: ColumnElement[Any] | None = None,
    ) -> None:
        (self._id,) = table.primary_key
        self._groups = groups
        self._newest = null() if newest is None else func.max(newest)
        self._waits, self._begun_at = waits, begun_at
        self._counted, self._sums = 0, dict[tuple[Any, ...], _Sum]()

    def count(self, connection: Connection, settled_before: datetime) -> Mapping[tuple[Any, ...], _Sum]:
        """How many rows there are of each group."""
        changing = or_(self._waits, self._begun_at >= write_instant(settled_before))
        after = self._id > self._counted
        first = connection.execute(select(func.min(self._id)).where(after, changing)).scalar()
        newest = connection.execute(select(func.max(self._id))).scalar() or 0
        last = newest if first is None else first - 1
        if last > self._counted:
            self._sums = _added(self._sums, self._sum_groups(connection, and_(after, self._id <= last)))
            self._counted = last
        return _added(self._sums, self._sum_groups(connection, self._id > self._counted))

    def _sum_groups(self, connection: Connection, condition: ColumnElement[bool]) -> dict[tuple[Any, ...], _Sum]:
        sums = select(func.count(), self._newest, *self._groups).where(condition).group_by(*self._groups)
        return {tuple(row[2:]): _Sum(row[0], row[1]) for row in connection.execute(sums)}


def _added(sums: Mapping[tuple[Any, ...], _Sum], more: Mapping[tuple[Any, ...], _Sum]) -> dict[tuple[Any, ...], _Sum]:
    together = dict(sums)
    for group, (number, newest) in more.items():
        known = together.get(group, _Sum())
        together[group] = _Sum(known.number + number, max(filter(None, (known.newest, newest)), default=None))
    return together
