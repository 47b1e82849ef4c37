"""The questions that the ledger is asked. Each runs in one transaction, so that it sees one moment.

Rows are read one by one: one that cannot be read takes only its own incident out of an answer (rule 63).
"""

import json
import os
import zlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from datetime import datetime
from itertools import groupby
from typing import Any, TypeVar

from sqlalchemy import Connection, RowMapping, func, or_, select

from tocsin.adapters.ledger import tables as t
from tocsin.adapters.ledger.codec import read_fact, replace_surrogates
from tocsin.adapters.ledger.rows import RowError, attempt_of, decode, notification_of, suppression_of
from tocsin.adapters.ledger.tables import HELD, read_instant
from tocsin.domain.arrival import Arrival, ArrivalKind, ReservedCode
from tocsin.domain.delivery import Accepted, Attempt, Content, Letter, Receipt, Record, Refused
from tocsin.domain.facts import Answered, Closed, Coded, Fact, Paged, RoleOpened, Seen, StepFired
from tocsin.domain.notification import Notification
from tocsin.ports.ledger import Report, Unreadable, UnreadableError

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
    """All facts of one incident, in the order recorded. Raises UnreadableError."""
    columns = t.facts.c.incident, t.facts.c.id, t.facts.c.kind, t.facts.c.body
    query = select(*columns).where(t.facts.c.incident == incident).order_by(t.facts.c.id)

    def read(connection: Connection) -> tuple[Fact, ...]:
        facts = _facts(incident, connection.execute(query))
        if isinstance(facts, Unreadable):
            raise UnreadableError(facts)
        return facts

    return read


def _facts(incident: str, rows: Iterable[Sequence[Any]]) -> tuple[Fact, ...] | Unreadable:
    """The facts of an incident's rows; else the first row that cannot be read, and whether the others say that the
    incident was over.
    """
    facts: list[Fact] = []
    why, ended = "", False
    for _, row, kind, body in rows:
        try:
            fact = decode("facts", row, read_fact, kind, body)
        except RowError as fault:
            why, ended = why or str(fault), ended or kind == Closed.__name__
            continue
        facts.append(fact)
        if isinstance(fact, Seen):
            ended = fact.incident.resolved
        elif isinstance(fact, Closed):
            ended = True
        elif isinstance(fact, (RoleOpened, StepFired, Paged)):
            ended = False  # of an episode whose version cannot be read
    return Unreadable(incident, why, ended) if why else tuple(facts)


def records(incident: str) -> Question[tuple[Record, ...]]:
    """Everything decided for an incident that can be read, to be sent or held back, in the order decided."""
    return lambda connection: tuple(_records(connection, incident))


def _records(connection: Connection, incident: str) -> Iterator[Record]:
    of_incident = t.notifications.c.incident == incident
    attempts: dict[str, list[Attempt]] = {}
    for row in connection.execute(_ATTEMPTS.where(of_incident)).mappings():
        with suppress(RowError):
            attempts.setdefault(row["key"], []).append(_attempt(row))
    query = select(t.notifications, *_WORDS).outerjoin(t.contents, _SAME_CONTENT)
    contents: dict[str, Content] = {}
    for row in connection.execute(query.where(of_incident).order_by(t.notifications.c.id)).mappings():
        with suppress(RowError):
            tries = tuple(attempts.get(row["key"], ()))
            yield decode("notifications", row["id"], _record, row, tries, contents)


def _record(row: RowMapping, attempts: tuple[Attempt, ...], contents: dict[str, Content]) -> Record:
    if row["state"] == HELD:
        return Record(suppression_of(row))
    return Record(
        decided=notification_of(row),
        content=_content(row, contents),
        attempts=attempts,
        receipt=_last_receipt(attempts),
        state=row["state"],
        settled_at=read_instant(row["settled_at"]) if row["settled_at"] else None,
    )


def _attempt(row: RowMapping) -> Attempt:
    return decode("attempts", row["id"], attempt_of, row)


def _last_receipt(attempts: tuple[Attempt, ...]) -> Receipt | None:
    """What the provider said of the newest attempt that it spoke of."""
    return next((attempt.receipt for attempt in reversed(attempts) if attempt.receipt), None)


def _content(row: RowMapping, contents: dict[str, Content]) -> Content:
    """The words of a row; equal ones are in memory once."""
    digest: str = row["content"]
    if digest not in contents:
        contents[digest] = Content(*(replace_surrogates(row[part]) for part in ("text", "subject", "html")))
    return contents[digest]


def unfinished(connection: Connection) -> dict[str, tuple[Fact, ...] | Unreadable]:
    """The facts of every incident that may still need something, by its id."""
    query = (
        select(t.facts.c.incident, t.facts.c.id, t.facts.c.kind, t.facts.c.body)
        .join(t.incidents, t.incidents.c.id == t.facts.c.incident)
        .where(t.incidents.c.finished.is_(False))
        .order_by(t.facts.c.incident, t.facts.c.id)
    )
    by_incident = groupby(connection.execute(query), key=lambda row: row[0])
    return {incident: _facts(incident, rows) for incident, rows in by_incident}


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
                with suppress(ValueError):
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
        if row is None or row[1] is None:
            return None
        try:
            return os.fsdecode(row[0]), zlib.decompress(row[1])
        except (TypeError, zlib.error):
            raise UnreadableError(Unreadable(incident, "the last good version of its file cannot be read")) from None

    return read


def find_attempt(attempt: int) -> Question[tuple[Attempt, Notification] | None]:
    """An attempt by its id, and the notification it was for."""
    query = select(t.attempts).where(t.attempts.c.id == attempt)

    def read(connection: Connection) -> tuple[Attempt, Notification] | None:
        row = connection.execute(query).mappings().first()
        if row is None:
            return None
        of_attempt = select(t.notifications).where(t.notifications.c.key == row["key"])
        notification = connection.execute(of_attempt).mappings().first()
        if notification is None:
            return None
        return _attempt(row), decode("notifications", notification["id"], notification_of, notification)

    return read


def attempt_keys(first: int) -> Question[dict[int, str]]:
    """The keys of attempts by their ids, from an id on."""
    query = select(t.attempts.c.id, t.attempts.c.key).where(t.attempts.c.id >= first)
    return lambda connection: {row.id: row.key for row in connection.execute(query)}


def unsettled(connection: Connection) -> tuple[Letter, ...]:
    """Every letter that is not settled and can be read, with its attempts, oldest first."""
    return tuple(letter for _, _, letter in pending_letters(connection) if isinstance(letter, Letter))


def unreadable_letters(connection: Connection) -> tuple[Unreadable, ...]:
    """The incidents with a letter that is not settled and cannot be read, or an attempt of one; each once."""
    faults: dict[str, Unreadable] = {}
    for _, incident, letter in pending_letters(connection):
        if isinstance(letter, RowError):
            faults.setdefault(incident, Unreadable(incident, str(letter)))
    return tuple(faults.values())


def pending_letters(connection: Connection, incident: str = "") -> Iterator[tuple[str, str, Letter | RowError]]:
    """(key, incident, letter) of what is not settled, oldest first; of one incident, if it is named."""
    wanted = t.pending & (t.notifications.c.incident == incident) if incident else t.pending
    attempts: dict[str, list[Attempt]] = {}
    faults: dict[str, RowError] = {}
    for row in connection.execute(_ATTEMPTS.where(wanted)).mappings():
        try:
            attempts.setdefault(row["key"], []).append(_attempt(row))
        except RowError as fault:
            faults[row["key"]] = fault
    query = select(t.notifications, *_WORDS).outerjoin(t.contents, _SAME_CONTENT).where(wanted)
    contents: dict[str, Content] = {}
    for row in connection.execute(query.order_by(t.notifications.c.id)).mappings():
        key = row["key"]
        letter: Letter | RowError | None = faults.get(key)
        if letter is None:
            tries = tuple(attempts.get(key, ()))
            try:
                letter = decode("notifications", row["id"], _letter, row, tries, contents)
            except RowError as fault:
                letter = fault
        yield key, row["incident"], letter


def _letter(row: RowMapping, attempts: tuple[Attempt, ...], contents: dict[str, Content]) -> Letter:
    return Letter(notification_of(row), _content(row, contents), attempts)


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
    return tuple(attempt for attempt in _readable_attempts(rows) if isinstance(attempt.outcome, Refused))


def _readable_attempts(rows: Iterable[RowMapping]) -> Iterator[Attempt]:
    for row in rows:
        with suppress(RowError):
            yield _attempt(row)


def unjudged_arrivals(connection: Connection) -> tuple[tuple[int, Arrival | Unreadable], ...]:
    """What came in and is not judged yet, oldest first, each with its row."""
    query = select(t.arrivals).where(t.unjudged).order_by(t.arrivals.c.id).limit(ARRIVALS_AT_ONCE)
    arrivals: list[tuple[int, Arrival | Unreadable]] = []
    for row in connection.execute(query).mappings():
        try:
            arrivals.append((row["id"], decode("arrivals", row["id"], _arrival, row)))
        except RowError as fault:
            arrivals.append((row["id"], Unreadable("", str(fault))))
    return tuple(arrivals)


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
    query = select(t.arrivals.c.at).where(t.arrivals.c.kind == kind.value).order_by(t.arrivals.c.at.desc())

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
        .where(closing.c.incident == t.facts.c.incident, closing.c.id > t.facts.c.id, closing.c.kind == "Closed")
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


def last_good_config(connection: Connection) -> tuple[str, datetime, dict[str, bytes]] | None:
    """The config that came into force last and can be read: its revision, since when, and its files."""
    kept = select(t.configs).where(t.configs.c.files.is_not(None)).order_by(t.configs.c.id.desc())
    with connection.execute(kept) as rows:
        for row in rows.mappings():
            with suppress(RowError):
                return decode("configs", row["id"], _config, row)
    return None


def _config(row: RowMapping) -> tuple[str, datetime, dict[str, bytes]]:
    texts: dict[str, str] = json.loads(zlib.decompress(row["files"]))
    files = {name: text.encode("latin-1") for name, text in texts.items()}
    since = read_instant(row["since"])
    if since.tzinfo is None:
        raise ValueError("since: it has no offset")
    return row["revision"], since, files


def noticed_at(cause: str) -> Question[datetime | None]:
    """When this cause was last told; None: never."""
    query = select(t.notices.c.at).where(t.notices.c.cause == cause)

    def read(connection: Connection) -> datetime | None:
        at = connection.execute(query).scalar()
        with suppress(ValueError):
            return read_instant(at) if at else None
        return None

    return read


def last_answer(connection: Connection) -> int:
    """The row of the newest answer; 0: there is none."""
    return connection.execute(select(func.max(t.facts.c.id)).where(t.answers)).scalar() or 0


def answers_since(last: int) -> Question[tuple[tuple[int, str, Answered | Unreadable], ...]]:
    """Answers recorded after a row: (row, incident, answer), in order."""
    query = (
        select(t.facts.c.id, t.facts.c.incident, t.facts.c.kind, t.facts.c.body)
        .where(t.answers, t.facts.c.id > last)
        .order_by(t.facts.c.id)
    )

    def read(connection: Connection) -> tuple[tuple[int, str, Answered | Unreadable], ...]:
        answers: list[tuple[int, str, Answered | Unreadable]] = []
        for row, incident, kind, body in connection.execute(query):
            try:
                answer = decode("facts", row, read_fact, kind, body)
            except RowError as fault:
                answers.append((row, incident, Unreadable(incident, str(fault))))
                continue
            assert isinstance(answer, Answered)
            answers.append((row, incident, answer))
        return tuple(answers)

    return read


def reports_since(last: int) -> Question[tuple[Report, ...]]:
    """Reports for the operators after a row, in order."""
    query = select(t.reports).where(t.reports.c.id > last).order_by(t.reports.c.id)

    def read(connection: Connection) -> tuple[Report, ...]:
        reports = []
        for row in connection.execute(query).mappings():
            with suppress(ValueError):
                reports.append(Report(row["id"], read_instant(row["at"]), row["cause"], row["text"]))
        return tuple(reports)

    return read
