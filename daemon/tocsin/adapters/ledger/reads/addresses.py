"""What is asked about addresses: which were refused, which want nothing more, which proved to work, and what was sent
to each lately.
"""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from datetime import datetime

from sqlalchemy import ColumnElement, Connection, func, literal_column, or_, select, union_all

from tocsin.adapters.ledger.reads import Question
from tocsin.adapters.ledger.schema import tables as t
from tocsin.adapters.ledger.schema.address_rows import newest_proofs, opt_outs_of, readable_attempts, refusals_of
from tocsin.adapters.ledger.schema.decoding import RowError, write_instant
from tocsin.adapters.ledger.schema.rows import read_notification
from tocsin.domain.arrival import ArrivalKind, OptOut
from tocsin.domain.delivery import Accepted, Attempt, Fault, Outcome, Proof, ProvedBy, Receipt, Refused, Uncertain
from tocsin.domain.notification import Kind, Notification
from tocsin.domain.people import Channel

KEYS_AT_ONCE = 500
"""Keys that one query asks about."""


def outcome_is(*outcomes: type[Outcome]) -> ColumnElement[bool]:
    """Attempts that ended so."""
    return or_(*(_outcome_like(f'{{"is": "{of.__name__}"%') for of in outcomes))


def outcome_is_of(fault: Fault) -> ColumnElement[bool]:
    """Attempts that ended by such a fault. In the words of a detail no quotation mark stands bare."""
    return _outcome_like(f'%"fault": "{fault}"%')


def _outcome_like(pattern: str) -> ColumnElement[bool]:
    """A literal, so that a query may have it twice."""
    return t.attempts.c.outcome.like(literal_column(f"'{pattern}'"))


def refusals(connection: Connection) -> tuple[Attempt, ...]:
    """The newest attempt at each address that was taken or refused for good, where it was refused. A message that was
    refused says nothing of its address.
    """
    attempts = t.attempts.c
    newest = (
        select(func.max(attempts.sequence))
        .where(outcome_is(Accepted, Refused), ~outcome_is_of(Fault.MESSAGE))
        .group_by(attempts.via, attempts.address)
    )
    rows = connection.execute(
        select(t.attempts).where(attempts.sequence.in_(newest)).order_by(attempts.sequence)
    ).mappings()
    return refusals_of(rows)


def sent_pages(since: datetime, person: str = "") -> Question[tuple[tuple[Notification, Attempt], ...]]:
    """Every attempt at a page begun since then, and of unfinished incidents the first at each episode and address; to
    one person, if somebody is named.
    """
    attempts, notifications = t.attempts.c, t.notifications.c
    of_pages = t.attempts.join(t.notifications, notifications.key == attempts.key)
    is_page = notifications.kind == Kind.PAGE.value
    if person:
        is_page &= notifications.to == person
    lately = select(attempts.sequence).select_from(of_pages).where(is_page, attempts.started_at >= write_instant(since))
    first = (
        select(func.min(attempts.sequence))
        .select_from(of_pages)
        .where(is_page, notifications.incident.in_(select(t.incidents.c.id).where(t.unfinished)))
        .group_by(notifications.incident, notifications.episode, attempts.via, attempts.address)
    )
    query = select(t.attempts).where(attempts.sequence.in_(union_all(lately, first))).order_by(attempts.sequence)

    def read(connection: Connection) -> tuple[tuple[Notification, Attempt], ...]:
        sent = list(readable_attempts(connection.execute(query).mappings()))
        pages = _pages(connection, list({attempt.reference for attempt in sent}))
        return tuple((pages[attempt.reference], attempt) for attempt in sent if attempt.reference in pages)

    return read


def _pages(connection: Connection, keys: Sequence[str]) -> dict[str, Notification]:
    """The notifications of these keys that can be read."""
    pages = {}
    for start in range(0, len(keys), KEYS_AT_ONCE):
        query = select(t.notifications).where(t.notifications.c.key.in_(keys[start : start + KEYS_AT_ONCE]))
        for row in connection.execute(query).mappings():
            with suppress(RowError):
                pages[row["key"]] = read_notification(row)
    return pages


def pages_handed_over(person: str, until: datetime, *, begun: bool) -> Question[frozenset[tuple[str, int]]]:
    """The unfinished incidents, with the episode, of which a provider took a page to somebody by then. When one took it
    is when its attempt ended: what was under way may not have been read. With `begun` its beginning counts.
    """
    attempts, notifications = t.attempts.c, t.notifications.c
    query = (
        select(notifications.incident, notifications.episode)
        .distinct()
        .select_from(t.notifications.join(t.attempts, attempts.key == notifications.key))
        .where(
            notifications.incident.in_(select(t.incidents.c.id).where(t.unfinished)),
            notifications.kind == Kind.PAGE.value,
            notifications.to == person,
            (attempts.started_at if begun else attempts.ended_at) <= write_instant(until),
            outcome_is(Accepted, Uncertain),
        )
    )
    return lambda connection: frozenset((incident, episode) for incident, episode in connection.execute(query))


def opt_outs(connection: Connection) -> tuple[OptOut, ...]:
    """Every address that wants nothing more and can be read, in the order they said so."""
    rows = connection.execute(select(t.opt_outs).order_by(t.opt_outs.c.id)).mappings()
    return opt_outs_of(rows)


def proofs(connection: Connection) -> Mapping[tuple[Channel, str], Proof]:
    """When each address last proved to work, and by what."""
    attempts, arrivals = t.attempts.c, t.arrivals.c
    delivered = (
        select(attempts.address, func.max(attempts.receipt_at))
        .where(attempts.via == Channel.SMS.value, attempts.receipt == Receipt.DELIVERED.value)
        .group_by(attempts.address)
    )
    accepted = (
        select(attempts.address, func.max(attempts.ended_at))
        .where(attempts.via == Channel.EMAIL.value, outcome_is(Accepted))
        .group_by(attempts.address)
    )
    came_in = (
        select(arrivals.who, func.max(arrivals.at)).where(arrivals.kind == ArrivalKind.SMS.value).group_by(arrivals.who)
    )
    return newest_proofs(
        (via, by, connection.execute(query))
        for query, via, by in (
            (delivered, Channel.SMS, ProvedBy.RECEIPT),
            (came_in, Channel.SMS, ProvedBy.ANSWER),
            (accepted, Channel.EMAIL, ProvedBy.ACCEPTED),
        )
    )
