"""What is asked about what came in from outside, and the reply codes."""

from collections.abc import Sequence
from contextlib import suppress
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, RowMapping, and_, func, select

from tocsin.adapters.ledger.reads import Question
from tocsin.adapters.ledger.schema import tables as t
from tocsin.adapters.ledger.schema.codec import read_fact
from tocsin.adapters.ledger.schema.decoding import RowError, decode, read_instant, write_instant
from tocsin.domain.arrival import BY_FILE, HANDED_IN, Arrival, ArrivalKind, Judgement, ReservedCode
from tocsin.domain.facts import Coded
from tocsin.ports.ledger.trouble import Unreadable

ARRIVALS_AT_ONCE = 200
"""The most arrivals that are judged in one go."""


def anything_unjudged(connection: Connection) -> bool:
    """Whether anything at all came in and is not judged yet."""
    return connection.execute(select(t.arrivals.c.id).where(t.unjudged).limit(1)).first() is not None


def unjudged_arrivals(connection: Connection) -> tuple[tuple[int, Arrival | Unreadable], ...]:
    """What came in and is not judged yet, oldest first, each with its row; what goes into files apart."""
    return _unjudged(connection, t.arrivals.c.kind.not_in([kind.value for kind in BY_FILE | HANDED_IN]))


def unjudged_hand_ins(under_way: Sequence[int]) -> Question[tuple[tuple[int, Arrival | Unreadable], ...]]:
    """What other machines handed in, oldest first, without these rows."""
    handed_in = t.arrivals.c.kind.in_([kind.value for kind in HANDED_IN])
    return lambda connection: _unjudged(connection, and_(handed_in, t.arrivals.c.id.not_in(under_way)))


def unjudged_alerts(connection: Connection) -> tuple[tuple[int, Arrival | Unreadable], ...]:
    """The alerts among it."""
    return _unjudged(connection, t.arrivals.c.kind == ArrivalKind.ALERT.value)


def unjudged_acts(connection: Connection) -> tuple[tuple[int, Arrival | Unreadable], ...]:
    """Declarations, then edits, of each person one after the other."""
    arrivals = t.arrivals.c
    turn = func.row_number().over(partition_by=(arrivals.kind, arrivals.who), order_by=arrivals.id)
    acts = arrivals.kind.in_([ArrivalKind.EDIT.value, ArrivalKind.DECLARE.value])
    return _unjudged(connection, acts, arrivals.kind != ArrivalKind.DECLARE.value, turn)


def _unjudged(
    connection: Connection, kinds: ColumnElement[bool], *order: ColumnElement[Any]
) -> tuple[tuple[int, Arrival | Unreadable], ...]:
    query = select(t.arrivals).where(t.unjudged, kinds).order_by(*order, t.arrivals.c.id).limit(ARRIVALS_AT_ONCE)
    arrivals: list[tuple[int, Arrival | Unreadable]] = []
    for row in connection.execute(query).mappings():
        try:
            arrivals.append((row["id"], decode("arrivals", row["id"], _arrival, row)))
        except RowError as fault:
            arrivals.append((row["id"], Unreadable("", str(fault))))
    return tuple(arrivals)


def _arrival(row: RowMapping) -> Arrival:
    return Arrival(ArrivalKind(row["kind"]), row["ref"], row["who"], row["body"], read_instant(row["at"]))


def outcome(kind: ArrivalKind, ref: str) -> Question[Judgement | None]:
    """What became of an arrival; None: it is not judged yet, or unknown."""
    arrivals = t.arrivals.c
    query = select(arrivals.result, arrivals.words).where(
        arrivals.kind == kind.value, arrivals.ref == ref, arrivals.result.is_not(None)
    )

    def read(connection: Connection) -> Judgement | None:
        judged = connection.execute(query).one_or_none()
        return Judgement(judged.result, judged.words or "") if judged else None

    return read


def has_arrived(kind: ArrivalKind, ref: str) -> Question[bool]:
    """Whether an arrival is there, judged or not."""
    query = select(t.arrivals.c.id).where(t.arrivals.c.kind == kind.value, t.arrivals.c.ref == ref)
    return lambda connection: connection.execute(query).first() is not None


def newest_results(kind: ArrivalKind, who: str, most: int) -> Question[tuple[str, ...]]:
    """What the newest judged arrivals of somebody led to, newest first."""
    arrivals = t.arrivals.c
    query = select(arrivals.result).where(
        arrivals.kind == kind.value, arrivals.who == who, arrivals.result.is_not(None)
    )
    newest = query.order_by(arrivals.id.desc()).limit(most)
    return lambda connection: tuple(connection.execute(newest).scalars())


def results_since(kind: ArrivalKind, who: str, since: datetime) -> Question[tuple[tuple[datetime, str], ...]]:
    """When each judged arrival of somebody came in after an instant, and what it led to, oldest first."""
    arrivals = t.arrivals.c
    query = select(arrivals.at, arrivals.result).where(
        arrivals.kind == kind.value,
        arrivals.who == who,
        arrivals.result.is_not(None),
        arrivals.at > write_instant(since),
    )

    def read(connection: Connection) -> tuple[tuple[datetime, str], ...]:
        results = []
        for at, result in connection.execute(query.order_by(arrivals.at, arrivals.id)):
            with suppress(ValueError):  # a row whose instant cannot be read counts for nothing
                results.append((read_instant(at), result))
        return tuple(results)

    return read


def last_arrival_at(kind: ArrivalKind) -> Question[datetime | None]:
    """When the newest of a kind came in."""
    query = select(t.arrivals.c.at).where(t.arrivals.c.kind == kind.value).order_by(t.arrivals.c.at.desc())
    query = query.execution_options(stream_results=True)  # the first that can be read is wanted, not all

    def read(connection: Connection) -> datetime | None:
        with connection.execute(query) as instants:
            for (at,) in instants:
                with suppress(ValueError):
                    return read_instant(at)
        return None

    return read


def reserved_codes(since: datetime) -> Question[tuple[ReservedCode, ...]]:
    """The reply codes of incidents that are open or were closed after an instant, in the order given."""
    closing = t.facts.alias("closing")
    closed_at = (
        select(func.max(closing.c.at))
        .where(
            closing.c.incident == t.facts.c.incident,
            closing.c.sequence > t.facts.c.sequence,
            closing.c.kind == "Closed",
        )
        .scalar_subquery()
    )
    query = select(t.facts.c.incident, t.facts.c.body, closed_at).where(t.coded).order_by(t.facts.c.id)

    def read(connection: Connection) -> tuple[ReservedCode, ...]:
        reserved = []
        for incident, body, closed in connection.execute(query):
            with suppress(ValueError):  # a code that cannot be read reserves nothing
                at, coded = read_instant(closed) if closed else None, read_fact("Coded", body)
                assert isinstance(coded, Coded)
                if at is None or at > since:
                    reserved.append(ReservedCode(incident, coded, at))
        return tuple(reserved)

    return read
