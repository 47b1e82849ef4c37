"""Reads: the questions that the ledger is asked. Each runs in one transaction, so that it sees one moment."""

import json
import os
import zlib
from collections.abc import Callable, Iterator
from datetime import datetime
from itertools import groupby

from sqlalchemy import Connection, RowMapping, func, or_, select

from tocsin.adapters.ledger import tables as t
from tocsin.adapters.ledger.codec import read_fact
from tocsin.adapters.ledger.rows import attempt_of, held_of, notification_of
from tocsin.adapters.ledger.tables import HELD, read_instant
from tocsin.domain.arrival import Arrival, Arrives, Reserved
from tocsin.domain.delivery import Accepted, Attempt, Content, Letter, Receipt, Record, Refused
from tocsin.domain.facts import Answered, Coded, Fact
from tocsin.domain.notification import Notification
from tocsin.ports.ledger import Report

ARRIVALS_AT_ONCE = 200
"""The most arrivals that are judged in one go."""

_LETTERS = select(t.notifications, t.contents.c.subject, t.contents.c.text, t.contents.c.html).join(
    t.contents, t.contents.c.digest == t.notifications.c.content
)
_TRIES = select(t.attempts).join(t.notifications, t.notifications.c.key == t.attempts.c.key).order_by(t.attempts.c.id)


def facts(incident: str) -> Callable[[Connection], tuple[Fact, ...]]:
    """All facts of one incident, in the order recorded."""
    query = select(t.facts.c.kind, t.facts.c.body).where(t.facts.c.incident == incident).order_by(t.facts.c.id)
    return lambda connection: tuple(read_fact(*row) for row in connection.execute(query))


def unfinished(connection: Connection) -> dict[str, tuple[Fact, ...]]:
    """The facts of every incident that may still need something, by its id."""
    query = (
        select(t.facts.c.incident, t.facts.c.kind, t.facts.c.body)
        .join(t.incidents, t.incidents.c.id == t.facts.c.incident)
        .where(t.incidents.c.finished.is_(False))
        .order_by(t.facts.c.incident, t.facts.c.id)
    )
    rows = groupby(connection.execute(query), key=lambda row: row[0])
    return {name: tuple(read_fact(kind, body) for _, kind, body in each) for name, each in rows}


def incidents(connection: Connection) -> tuple[str, ...]:
    """The ids of all incidents ever seen."""
    return tuple(connection.execute(select(t.incidents.c.id)).scalars())


def last_closed(most: int) -> Callable[[Connection], tuple[tuple[str, datetime], ...]]:
    """The incidents that were closed last, the newest first. One that was closed often counts once: so somewhat more
    closings than are asked for are looked at.
    """
    closings = select(t.facts.c.incident, t.facts.c.at).where(t.facts.c.kind == "Closed")
    newest = closings.order_by(t.facts.c.id.desc()).limit(2 * most)

    def read(connection: Connection) -> tuple[tuple[str, datetime], ...]:
        found: dict[str, datetime] = {}
        for incident, at in connection.execute(newest):
            found.setdefault(incident, read_instant(at))
        return tuple(found.items())[:most]

    return read


def files(connection: Connection) -> dict[str, tuple[str, str]]:
    """For every incident the name of its file and the digest of its newest good version."""
    query = select(t.incidents.c.id, t.incidents.c.file, t.incidents.c.digest)
    return {row[0]: (os.fsdecode(row[1]), row[2]) for row in connection.execute(query)}


def file(incident: str) -> Callable[[Connection], tuple[str, bytes] | None]:
    """The name and the bytes of the newest good version of an incident's file."""
    query = select(t.incidents.c.file, t.incidents.c.data).where(t.incidents.c.id == incident)

    def read(connection: Connection) -> tuple[str, bytes] | None:
        row = connection.execute(query).first()
        return (os.fsdecode(row[0]), zlib.decompress(row[1])) if row is not None and row[1] is not None else None

    return read


def answers_since(last: int) -> Callable[[Connection], tuple[tuple[int, str, Answered], ...]]:
    """Answers recorded after a row: (row, incident, answer), in order."""
    query = (
        select(t.facts.c.id, t.facts.c.incident, t.facts.c.kind, t.facts.c.body)
        .where(t.answers, t.facts.c.id > last)
        .order_by(t.facts.c.id)
    )

    def read(connection: Connection) -> tuple[tuple[int, str, Answered], ...]:
        found = ((row[0], row[1], read_fact(row[2], row[3])) for row in connection.execute(query))
        return tuple((number, name, fact) for number, name, fact in found if isinstance(fact, Answered))

    return read


def reports_since(last: int) -> Callable[[Connection], tuple[Report, ...]]:
    """Words for the operators after a row, in order."""
    query = select(t.reports).where(t.reports.c.id > last).order_by(t.reports.c.id)

    def read(connection: Connection) -> tuple[Report, ...]:
        rows = connection.execute(query).mappings()
        return tuple(Report(row["id"], read_instant(row["at"]), row["cause"], row["text"]) for row in rows)

    return read


def unjudged_arrivals(connection: Connection) -> tuple[tuple[int, Arrival], ...]:
    """What came in and is not judged yet, oldest first, each with its row."""
    query = select(t.arrivals).where(t.unjudged).order_by(t.arrivals.c.id).limit(ARRIVALS_AT_ONCE)
    return tuple((row["id"], _arrival(row)) for row in connection.execute(query).mappings())


def _arrival(row: RowMapping) -> Arrival:
    return Arrival(Arrives(row["kind"]), row["ref"], row["who"], row["body"], read_instant(row["at"]))


def newest_results(kind: Arrives, who: str, most: int) -> Callable[[Connection], tuple[str, ...]]:
    """What the newest judged arrivals of somebody led to, newest first."""
    this = t.arrivals.c
    query = select(this.result).where(this.kind == kind.value, this.who == who, this.result.is_not(None))
    newest = query.order_by(this.id.desc()).limit(most)
    return lambda connection: tuple(connection.execute(newest).scalars())


def last_arrival_at(kind: Arrives) -> Callable[[Connection], datetime | None]:
    """When the newest of a kind came in."""
    query = select(func.max(t.arrivals.c.at)).where(t.arrivals.c.kind == kind.value)

    def read(connection: Connection) -> datetime | None:
        at = connection.execute(query).scalar()
        return read_instant(at) if at else None

    return read


def reserved_codes(since: datetime) -> Callable[[Connection], tuple[Reserved, ...]]:
    """The reply codes of incidents that are open or were closed after an instant, in the order given."""
    closing = t.facts.alias("closing")
    closed_at = (
        select(func.max(closing.c.at))
        .where(closing.c.incident == t.facts.c.incident, closing.c.id > t.facts.c.id, closing.c.kind == "Closed")
        .scalar_subquery()
    )
    query = select(t.facts.c.incident, t.facts.c.body, closed_at).where(t.coded).order_by(t.facts.c.id)

    def read(connection: Connection) -> tuple[Reserved, ...]:
        found = []
        for incident, body, closed in connection.execute(query):
            at, given = read_instant(closed) if closed else None, read_fact("Coded", body)
            assert isinstance(given, Coded)
            if at is None or at > since:
                found.append(Reserved(incident, given, at))
        return tuple(found)

    return read


def noticed_at(cause: str) -> Callable[[Connection], datetime | None]:
    """When this cause was last told; None: never."""
    query = select(t.notices.c.at).where(t.notices.c.cause == cause)

    def read(connection: Connection) -> datetime | None:
        at = connection.execute(query).scalar()
        return read_instant(at) if at else None

    return read


def last_good_config(connection: Connection) -> tuple[str, datetime, dict[str, bytes]] | None:
    """The config that came into force last: its revision, since when, and its files."""
    row = connection.execute(select(t.configs).order_by(t.configs.c.id.desc()).limit(1)).mappings().first()
    if row is None or row["files"] is None:
        return None
    texts: dict[str, str] = json.loads(zlib.decompress(row["files"]))
    kept = {name: text.encode("latin-1") for name, text in texts.items()}
    return row["revision"], read_instant(row["since"]), kept


def unsettled(connection: Connection) -> tuple[Letter, ...]:
    """Every notification that is not settled, with its tries, oldest first."""
    tries: dict[str, list[Attempt]] = {}
    for row in connection.execute(_TRIES.where(t.pending)).mappings():
        tries.setdefault(row["key"], []).append(attempt_of(row))
    words: dict[str, Content] = {}
    letters = connection.execute(_LETTERS.where(t.pending).order_by(t.notifications.c.id)).mappings()
    return tuple(
        Letter(notification_of(row), _content(row, words), tuple(tries.get(row["key"], ()))) for row in letters
    )


def records(incident: str) -> Callable[[Connection], tuple[Record, ...]]:
    """Everything decided for an incident, sent or held back, in the order decided."""

    def read(connection: Connection) -> tuple[Record, ...]:
        return tuple(_records(connection, incident))

    return read


def _records(connection: Connection, incident: str) -> Iterator[Record]:
    this = t.notifications.c.incident == incident
    tries: dict[str, list[RowMapping]] = {}
    for row in connection.execute(_TRIES.where(this)).mappings():
        tries.setdefault(row["key"], []).append(row)
    query = select(t.notifications, t.contents.c.subject, t.contents.c.text, t.contents.c.html)
    joined = query.outerjoin(t.contents, t.contents.c.digest == t.notifications.c.content)
    words: dict[str, Content] = {}
    for row in connection.execute(joined.where(this).order_by(t.notifications.c.id)).mappings():
        if row["state"] == HELD:
            yield Record(held_of(row))
            continue
        mine = tries.get(row["key"], [])
        yield Record(
            decided=notification_of(row),
            content=_content(row, words),
            attempts=tuple(attempt_of(each) for each in mine),
            receipt=next((Receipt(each["receipt"]) for each in reversed(mine) if each["receipt"]), None),
            state=row["state"],
            settled_at=read_instant(row["settled_at"]) if row["settled_at"] else None,
        )


def _content(row: RowMapping, words: dict[str, Content]) -> Content:
    """The words of a row; equal ones are held once."""
    found = words.get(row["content"])
    if found is None:
        found = words[row["content"]] = Content(row["text"], row["subject"], row["html"])
    return found


def find_attempt(attempt: int) -> Callable[[Connection], tuple[Attempt, Notification] | None]:
    """A try by its id, and what it was a try of."""
    one = select(t.attempts).where(t.attempts.c.id == attempt)

    def read(connection: Connection) -> tuple[Attempt, Notification] | None:
        row = connection.execute(one).mappings().first()
        if row is None:
            return None
        of = connection.execute(select(t.notifications).where(t.notifications.c.key == row["key"])).mappings().one()
        return attempt_of(row), notification_of(of)

    return read


def refusals(connection: Connection) -> tuple[Attempt, ...]:
    """The newest try at each address that was taken or refused for good, where it was refused."""
    this = t.attempts.c
    tells = or_(
        *(this.outcome.startswith(f'{{"is": "{each.__name__}"', autoescape=True) for each in (Accepted, Refused))
    )
    newest = select(func.max(this.id)).where(tells).group_by(this.via, this.address)
    rows = connection.execute(select(t.attempts).where(this.id.in_(newest)).order_by(this.id)).mappings()
    return tuple(attempt for attempt in map(attempt_of, rows) if isinstance(attempt.outcome, Refused))
