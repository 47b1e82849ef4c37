"""Recorded instants put right after the clock was wrong (rules 59, 60), each time in one transaction.

It decides which rows still matter: those of incidents that may need something, whatever waits, what was sent lately
(the room of an address is reckoned from it), and what holds until it is undone. What a fact becomes is decided in
`planning.history.redating`. What cannot be read is left as it is.
"""

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime, timedelta
from functools import cache
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Connection, Select, Table, bindparam, func, or_, select, true, union_all, update

from tocsin.adapters.ledger.schema import tables as t
from tocsin.adapters.ledger.schema.codec import read_fact, write_fact
from tocsin.adapters.ledger.schema.decoding import read_instant, write_instant
from tocsin.adapters.ledger.statements import run_each
from tocsin.adapters.ledger.writes import add_facts
from tocsin.domain.facts import ClockMoved, Fact, Seen
from tocsin.planning.history.redating import moved, not_later

Shift = Callable[[datetime], timedelta]
"""By how much something of that instant is moved."""


class ClockMove(NamedTuple):
    """The clock was put forward by `by` and says `now`."""

    by: timedelta
    now: datetime


class _Rest(NamedTuple):
    """Rows beside the facts: which, by what key they are changed, and their columns that hold instants. `along` is a
    promise: it is moved as far as the first of those.
    """

    table: Table
    key: str
    where: ColumnElement[bool]
    columns: tuple[str, ...]
    along: str = ""


_CHANGE_FACT = update(t.facts).where(t.facts.c.id == bindparam("this"))
_UNFINISHED = select(t.incidents.c.id).where(t.unfinished)
_NEWEST_CONFIG = select(func.max(t.configs.c.id)).scalar_subquery()
_NO_TIME = timedelta(0)
LATELY = timedelta(hours=1)
"""How far back attempts matter that belong to nothing unfinished: limits of a longer span are nobody's."""


def move(connection: Connection, moves: Sequence[ClockMove]) -> list[None]:
    """All that still matters is moved with the clock, and each incident keeps that it was."""
    for clock_move in moves:
        _move(connection, *clock_move)
    return [None] * len(moves)


def bring_back(connection: Connection, instants: Sequence[datetime]) -> list[timedelta]:
    """Nothing that still matters is later than now; how far ahead the latest was."""
    return [_bring_back(connection, now) for now in instants]


def _move(connection: Connection, by: timedelta, now: datetime) -> None:
    facts = [(row, incident, not_later(moved(fact, by), now)) for row, incident, fact in _facts(connection)]
    _change_facts(connection, [(row, fact) for row, _, fact in facts])
    mark = {"kind": ClockMoved.__name__, **_fact_row(ClockMoved(now, by))}
    seen = dict.fromkeys(incident for _, incident, fact in facts if isinstance(fact, Seen))
    add_facts(connection, [{"incident": incident, **mark} for incident in seen])
    for rest in _rests(_UNFINISHED, min(now, now - by) - LATELY):
        _redate(connection, rest, lambda at: min(by, now - at))


def _bring_back(connection: Connection, now: datetime) -> timedelta:
    future = list(_facts(connection, t.facts.c.at > write_instant(now)))
    _change_facts(connection, [(row, not_later(fact, now)) for row, _, fact in future])
    ahead = [fact.at - now for _, _, fact in future]
    incidents = sorted({incident for _, incident, _ in future})
    for rest in _rests(incidents, now):
        ahead += [-moved_by for moved_by in _redate(connection, rest, lambda at: min(_NO_TIME, now - at))]
    return max(ahead, default=_NO_TIME)


def _facts(connection: Connection, *conditions: ColumnElement[bool]) -> Iterator[tuple[int, str, Fact]]:
    """The facts of incidents that may still need something, each with its row and incident."""
    columns = t.facts.c.id, t.facts.c.incident, t.facts.c.kind, t.facts.c.body
    query = select(*columns).where(t.facts.c.incident.in_(_UNFINISHED), *conditions).order_by(t.facts.c.id)
    for row, incident, kind, body in connection.execute(query).all():
        try:
            fact = read_fact(kind, body)
        except ValueError:
            continue
        yield row, incident, fact


def _change_facts(connection: Connection, facts: Sequence[tuple[int, Fact]]) -> None:
    if rows := [{"this": row, **_fact_row(fact)} for row, fact in facts]:
        run_each(connection, _CHANGE_FACT, rows)


def _fact_row(fact: Fact) -> dict[str, str]:
    return {"at": write_instant(fact.at), "body": write_fact(fact)}


def _rests(incidents: Sequence[str] | Select[Any], begun_after: datetime) -> tuple[_Rest, ...]:
    """What is kept of these incidents beside their facts, all that waits, attempts begun after that instant, the
    addresses that opted out, who is signed in, the config in force and what operators were told.
    The attempts come before the notifications by which they are found.
    """
    keys = select(t.notifications.c.key)
    wanted = union_all(keys.where(t.pending), keys.where(t.notifications.c.incident.in_(incidents)))  # an index each
    tried = or_(t.attempts.c.key.in_(wanted), t.attempts.c.started_at > write_instant(begun_after))
    return (
        _Rest(t.attempts, "sequence", tried, ("started_at", "ended_at", "receipt_at")),
        _Rest(t.notifications, "id", t.notifications.c.key.in_(wanted), ("at", "settled_at"), "next_update_at"),
        _Rest(t.arrivals, "id", t.unjudged, ("at",)),
        _Rest(t.opt_outs, "id", true(), ("at",)),
        _Rest(t.sessions, "digest", true(), ("began_at",)),
        _Rest(t.configs, "id", t.configs.c.id == _NEWEST_CONFIG, ("since",)),
        _Rest(t.notices, "cause", true(), ("at",)),
    )


def _redate(connection: Connection, rest: _Rest, shift: Shift) -> list[timedelta]:
    """Move what these rows say; by how much each row that changed was moved."""
    columns = rest.table.c
    query = select(*(columns[name] for name in (rest.key, *rest.columns, *((rest.along,) if rest.along else ()))))
    changes, moved_by = [], []

    @cache
    def redated(text: str) -> tuple[str, timedelta]:
        at = read_instant(text)
        by = shift(at)
        return (write_instant(at + by) if by else text), by

    for row in connection.execute(query.where(rest.where)).mappings().all():
        try:
            changed = {name: row[name] and redated(row[name])[0] for name in rest.columns}
            by = redated(row[rest.columns[0]])[1]
            if rest.along:
                changed[rest.along] = row[rest.along] and write_instant(read_instant(row[rest.along]) + by)
        except (ValueError, TypeError):
            continue
        if any(changed[name] != row[name] for name in changed):
            changes.append({"this": row[rest.key], **changed})
            moved_by.append(by)
    if changes:
        run_each(connection, update(rest.table).where(columns[rest.key] == bindparam("this")), changes)
    return moved_by
