"""The questions that the ledger is asked. Each runs in one transaction, so that it sees one moment."""

import json
import os
import zlib
from collections.abc import Callable, Iterator
from datetime import datetime
from itertools import groupby
from typing import TypeVar

from sqlalchemy import Connection, RowMapping, func, or_, select

from tocsin.adapters.ledger import tables as t
from tocsin.adapters.ledger.codec import read_fact
from tocsin.adapters.ledger.rows import attempt_of, notification_of, suppression_of
from tocsin.adapters.ledger.tables import HELD, read_instant
from tocsin.domain.arrival import Arrival, ArrivalKind, ReservedCode
from tocsin.domain.delivery import Accepted, Attempt, Content, Letter, Receipt, Record, Refused
from tocsin.domain.facts import Answered, Coded, Fact
from tocsin.domain.notification import Notification
from tocsin.ports.ledger import Report

ARRIVALS_AT_ONCE = 200
"""The most arrivals that are judged in one go."""

T = TypeVar("T")
Question = Callable[[Connection], T]

_WORDS = (t.contents.c.subject, t.contents.c.text, t.contents.c.html)
_SAME_CONTENT = t.contents.c.digest == t.notifications.c.content
_ATTEMPTS = (
    select(t.attempts).join(t.notifications, t.notifications.c.key == t.attempts.c.key).order_by(t.attempts.c.id)
)


def facts(incident: str) -> Question[tuple[Fact, ...]]:
    """All facts of one incident, in the order recorded."""
    query = select(t.facts.c.kind, t.facts.c.body).where(t.facts.c.incident == incident).order_by(t.facts.c.id)
    return lambda connection: tuple(read_fact(*row) for row in connection.execute(query))


def records(incident: str) -> Question[tuple[Record, ...]]:
    """Everything decided for an incident, to be sent or held back, in the order decided."""
    return lambda connection: tuple(_records(connection, incident))


def _records(connection: Connection, incident: str) -> Iterator[Record]:
    of_incident = t.notifications.c.incident == incident
    attempts: dict[str, list[Attempt]] = {}
    for row in connection.execute(_ATTEMPTS.where(of_incident)).mappings():
        attempts.setdefault(row["key"], []).append(attempt_of(row))
    query = select(t.notifications, *_WORDS).outerjoin(t.contents, _SAME_CONTENT)
    contents: dict[str, Content] = {}
    for row in connection.execute(query.where(of_incident).order_by(t.notifications.c.id)).mappings():
        if row["state"] == HELD:
            yield Record(suppression_of(row))
            continue
        tries = tuple(attempts.get(row["key"], ()))
        yield Record(
            decided=notification_of(row),
            content=_content(row, contents),
            attempts=tries,
            receipt=_last_receipt(tries),
            state=row["state"],
            settled_at=read_instant(row["settled_at"]) if row["settled_at"] else None,
        )


def _last_receipt(attempts: tuple[Attempt, ...]) -> Receipt | None:
    """What the provider said of the newest attempt that it spoke of."""
    return next((attempt.receipt for attempt in reversed(attempts) if attempt.receipt), None)


def _content(row: RowMapping, contents: dict[str, Content]) -> Content:
    """The words of a row; equal ones are in memory once."""
    digest: str = row["content"]
    if digest not in contents:
        contents[digest] = Content(row["text"], row["subject"], row["html"])
    return contents[digest]


def unfinished(connection: Connection) -> dict[str, tuple[Fact, ...]]:
    """The facts of every incident that may still need something, by its id."""
    query = (
        select(t.facts.c.incident, t.facts.c.kind, t.facts.c.body)
        .join(t.incidents, t.incidents.c.id == t.facts.c.incident)
        .where(t.incidents.c.finished.is_(False))
        .order_by(t.facts.c.incident, t.facts.c.id)
    )
    by_incident = groupby(connection.execute(query), key=lambda row: row[0])
    return {incident: tuple(read_fact(kind, body) for _, kind, body in rows) for incident, rows in by_incident}


def incidents(connection: Connection) -> tuple[str, ...]:
    """The ids of all incidents ever seen."""
    return tuple(connection.execute(select(t.incidents.c.id)).scalars())


def last_closed(most: int) -> Question[tuple[tuple[str, datetime], ...]]:
    """The incidents that were closed last, the newest first, each once with the instant."""
    closings = select(t.facts.c.incident, t.facts.c.at).where(t.facts.c.kind == "Closed").order_by(t.facts.c.id.desc())

    def read(connection: Connection) -> tuple[tuple[str, datetime], ...]:
        closed_at: dict[str, datetime] = {}
        with connection.execute(closings) as rows:  # read no further than needed: one incident may have many closings
            for incident, at in rows:
                if len(closed_at) == most:
                    break
                closed_at.setdefault(incident, read_instant(at))
        return tuple(closed_at.items())

    return read


def files(connection: Connection) -> dict[str, tuple[str, str]]:
    """For every incident the name of its file and the digest of its newest good version."""
    query = select(t.incidents.c.id, t.incidents.c.file, t.incidents.c.digest)
    return {incident: (os.fsdecode(name), digest) for incident, name, digest in connection.execute(query)}


def file(incident: str) -> Question[tuple[str, bytes] | None]:
    """The name and the bytes of the newest good version of an incident's file."""
    query = select(t.incidents.c.file, t.incidents.c.data).where(t.incidents.c.id == incident)

    def read(connection: Connection) -> tuple[str, bytes] | None:
        row = connection.execute(query).first()
        return (os.fsdecode(row[0]), zlib.decompress(row[1])) if row is not None and row[1] is not None else None

    return read


def find_attempt(attempt: int) -> Question[tuple[Attempt, Notification] | None]:
    """An attempt by its id, and the notification it was for."""
    query = select(t.attempts).where(t.attempts.c.id == attempt)

    def read(connection: Connection) -> tuple[Attempt, Notification] | None:
        row = connection.execute(query).mappings().first()
        if row is None:
            return None
        of_attempt = select(t.notifications).where(t.notifications.c.key == row["key"])
        return attempt_of(row), notification_of(connection.execute(of_attempt).mappings().one())

    return read


def unsettled(connection: Connection) -> tuple[Letter, ...]:
    """Every letter that is not settled, with its attempts, oldest first."""
    attempts: dict[str, list[Attempt]] = {}
    for row in connection.execute(_ATTEMPTS.where(t.pending)).mappings():
        attempts.setdefault(row["key"], []).append(attempt_of(row))
    query = select(t.notifications, *_WORDS).join(t.contents, _SAME_CONTENT).where(t.pending)
    contents: dict[str, Content] = {}
    return tuple(
        Letter(notification_of(row), _content(row, contents), tuple(attempts.get(row["key"], ())))
        for row in connection.execute(query.order_by(t.notifications.c.id)).mappings()
    )


def refusals(connection: Connection) -> tuple[Attempt, ...]:
    """The newest attempt at each address that was taken or refused for good, where it was refused."""
    attempts = t.attempts.c
    final = or_(
        *(
            attempts.outcome.startswith(f'{{"is": "{outcome.__name__}"', autoescape=True)
            for outcome in (Accepted, Refused)
        )
    )
    newest = select(func.max(attempts.id)).where(final).group_by(attempts.via, attempts.address)
    rows = connection.execute(select(t.attempts).where(attempts.id.in_(newest)).order_by(attempts.id)).mappings()
    return tuple(attempt for attempt in map(attempt_of, rows) if isinstance(attempt.outcome, Refused))


def unjudged_arrivals(connection: Connection) -> tuple[tuple[int, Arrival], ...]:
    """What came in and is not judged yet, oldest first, each with its row."""
    query = select(t.arrivals).where(t.unjudged).order_by(t.arrivals.c.id).limit(ARRIVALS_AT_ONCE)
    return tuple((row["id"], _arrival(row)) for row in connection.execute(query).mappings())


def _arrival(row: RowMapping) -> Arrival:
    return Arrival(ArrivalKind(row["kind"]), row["ref"], row["who"], row["body"], read_instant(row["at"]))


def newest_results(kind: ArrivalKind, who: str, most: int) -> Question[tuple[str, ...]]:
    """What the newest judged arrivals of somebody led to, newest first."""
    arrivals = t.arrivals.c
    query = select(arrivals.result).where(
        arrivals.kind == kind.value, arrivals.who == who, arrivals.result.is_not(None)
    )
    newest = query.order_by(arrivals.id.desc()).limit(most)
    return lambda connection: tuple(connection.execute(newest).scalars())


def last_arrival_at(kind: ArrivalKind) -> Question[datetime | None]:
    """When the newest of a kind came in."""
    query = select(func.max(t.arrivals.c.at)).where(t.arrivals.c.kind == kind.value)

    def read(connection: Connection) -> datetime | None:
        at = connection.execute(query).scalar()
        return read_instant(at) if at else None

    return read


def reserved_codes(since: datetime) -> Question[tuple[ReservedCode, ...]]:
    """The reply codes of incidents that are open or were closed after an instant, in the order given."""
    closing = t.facts.alias("closing")
    closed_at = (
        select(func.max(closing.c.at))
        .where(closing.c.incident == t.facts.c.incident, closing.c.id > t.facts.c.id, closing.c.kind == "Closed")
        .scalar_subquery()
    )
    query = select(t.facts.c.incident, t.facts.c.body, closed_at).where(t.coded).order_by(t.facts.c.id)

    def read(connection: Connection) -> tuple[ReservedCode, ...]:
        reserved = []
        for incident, body, closed in connection.execute(query):
            at, coded = read_instant(closed) if closed else None, read_fact("Coded", body)
            assert isinstance(coded, Coded)
            if at is None or at > since:
                reserved.append(ReservedCode(incident, coded, at))
        return tuple(reserved)

    return read


def last_good_config(connection: Connection) -> tuple[str, datetime, dict[str, bytes]] | None:
    """The config that came into force last: its revision, since when, and its files."""
    row = connection.execute(select(t.configs).order_by(t.configs.c.id.desc()).limit(1)).mappings().first()
    if row is None or row["files"] is None:
        return None
    texts: dict[str, str] = json.loads(zlib.decompress(row["files"]))
    return row["revision"], read_instant(row["since"]), {name: text.encode("latin-1") for name, text in texts.items()}


def noticed_at(cause: str) -> Question[datetime | None]:
    """When this cause was last told; None: never."""
    query = select(t.notices.c.at).where(t.notices.c.cause == cause)

    def read(connection: Connection) -> datetime | None:
        at = connection.execute(query).scalar()
        return read_instant(at) if at else None

    return read


def answers_since(last: int) -> Question[tuple[tuple[int, str, Answered], ...]]:
    """Answers recorded after a row: (row, incident, answer), in order."""
    query = (
        select(t.facts.c.id, t.facts.c.incident, t.facts.c.kind, t.facts.c.body)
        .where(t.answers, t.facts.c.id > last)
        .order_by(t.facts.c.id)
    )

    def read(connection: Connection) -> tuple[tuple[int, str, Answered], ...]:
        answers = []
        for row, incident, kind, body in connection.execute(query):
            answer = read_fact(kind, body)
            assert isinstance(answer, Answered)
            answers.append((row, incident, answer))
        return tuple(answers)

    return read


def reports_since(last: int) -> Question[tuple[Report, ...]]:
    """Reports for the operators after a row, in order."""
    query = select(t.reports).where(t.reports.c.id > last).order_by(t.reports.c.id)

    def read(connection: Connection) -> tuple[Report, ...]:
        rows = connection.execute(query).mappings()
        return tuple(Report(row["id"], read_instant(row["at"]), row["cause"], row["text"]) for row in rows)

    return read
