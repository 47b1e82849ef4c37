"""What goes with a closed incident, as questions and as writes.

Rows are looked for by questions, beside the writer; a write takes them by their keys, so that it is short however
large the ledger is. Every write asks first whether the incident is still finished. A kill may come between any two: the
facts of an incident go last and all together, for whoever reads it anew folds all of them.
"""

import json
import re
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import Connection, case, delete, exists, func, select, true

from tocsin.adapters.ledger.reads import Question
from tocsin.adapters.ledger.schema import tables as t
from tocsin.adapters.ledger.schema.decoding import read_instant, write_instant
from tocsin.adapters.ledger.schema.tolerant import tolerant_insert
from tocsin.domain.arrival import ArrivalKind
from tocsin.domain.facts import Closed, Seen
from tocsin.domain.notification import NOBODY
from tocsin.ports.ledger.upkeep import FinishedIncidents, PrunedIncident

_DIGEST = re.compile(r'"digest":"([^"\\]+)"\}\Z')
"""How the digest of a version ends its fact: it is not read for it whole."""
ASIDE = " (put aside "
"""What follows an incident's id in the name of facts that were put aside (rule 63)."""


class MessageRows(NamedTuple):
    """Messages of one incident: their rows, and the digests of their words."""

    incident: str
    keys: Sequence[str]
    contents: Sequence[str]


class IncidentRows(NamedTuple):
    """An incident without messages, and what is to be left of it. `facts` is how many there were."""

    incident: str
    facts: int
    closed_at: str
    digests: Sequence[str]


class OutdatedRows(NamedTuple):
    """Rows that belong to no incident that is there."""

    arrivals: Sequence[int]
    notices: Sequence[str]
    facts: Sequence[str]


def finished_before(before: datetime, after: str, most: int) -> Question[FinishedIncidents]:
    """The finished ones among so many incidents with ids behind `after` to which nothing has happened since then."""
    ids = t.incidents.c.id
    some = select(ids, t.incidents.c.finished).where(ids > after).order_by(ids).limit(most)
    instant = write_instant(before)

    def read(connection: Connection) -> FinishedIncidents:
        rows = connection.execute(some).all()
        names = [id_ for id_, finished in rows if finished]
        facts = t.facts.c
        old = select(facts.incident).where(facts.incident.in_(names)).group_by(facts.incident)
        quiet = connection.execute(old.having(func.max(facts.at) < instant)).scalars().all()
        attempts, sent = t.attempts.c, t.notifications.c
        lately = select(sent.incident).join_from(t.notifications, t.attempts, attempts.key == sent.key).distinct()
        busy = set(connection.execute(lately.where(sent.incident.in_(quiet), attempts.started_at >= instant)).scalars())
        busy.update(connection.execute(select(sent.incident).where(t.pending, sent.incident.in_(quiet))).scalars())
        return FinishedIncidents(
            sorted(id_ for id_ in quiet if id_ not in busy), rows[-1][0] if len(rows) == most else None
        )

    return read


def messages(incident: str, before: datetime | None, most: int) -> Question[MessageRows]:
    """The first messages of an incident; of those about none, the settled ones from before an instant."""
    rows = t.notifications.c
    query = select(rows.key, rows.content).where(rows.incident == incident).order_by(rows.id).limit(most)
    if before is not None:
        query = query.where(rows.settled_at < write_instant(before))

    def read(connection: Connection) -> MessageRows:
        found = connection.execute(query).all()
        return MessageRows(incident, [key for key, _ in found], list({digest for _, digest in found if digest}))

    return read


def prune_messages(connection: Connection, calls: Sequence[MessageRows]) -> list[int]:
    """They go, with all that belongs to them; how many of each call."""
    return [_prune_messages(connection, rows) if is_finished(connection, rows.incident) else 0 for rows in calls]


def is_finished(connection: Connection, incident: str) -> bool:
    """Whether nothing can become due for it; so it is with messages about none."""
    finished = select(t.incidents.c.finished).where(t.incidents.c.id == incident)
    return incident == NOBODY or bool(connection.execute(finished).scalar())


def _prune_messages(connection: Connection, rows: MessageRows) -> int:
    keys = sorted(rows.keys)
    of_keys = t.attempts.c.key.in_(keys)
    tries = connection.execute(select(t.attempts.c.id, t.attempts.c.bundle).where(of_keys)).all()
    receipts = t.arrivals.c.kind == ArrivalKind.RECEIPT.value, t.arrivals.c.who.in_([id_ for id_, _ in tries])
    connection.execute(delete(t.arrivals).where(*receipts))
    connection.execute(delete(t.attempts).where(of_keys))
    number = connection.execute(delete(t.notifications).where(t.notifications.c.key.in_(keys))).rowcount
    contents = {*rows.contents, *_drop_bundles(connection, {bundle for _, bundle in tries if bundle})}
    drop_unused(connection, contents)
    return number


def _drop_bundles(connection: Connection, ids: Iterable[str]) -> Sequence[str]:
    """Bundles of which no page is left go; the digests of their words."""
    of_none = t.bundles.c.id.in_(sorted(ids)), ~exists().where(t.attempts.c.bundle == t.bundles.c.id, t.bundled)
    contents = connection.execute(select(t.bundles.c.content).where(*of_none)).scalars().all()
    connection.execute(delete(t.bundles).where(*of_none))
    return contents


def drop_unused(connection: Connection, digests: Iterable[str]) -> None:
    """Words that no message has any more go."""
    digest = t.contents.c.digest
    of_none = ~exists().where(t.notifications.c.content == digest), ~exists().where(t.bundles.c.content == digest)
    connection.execute(delete(t.contents).where(digest.in_(sorted(digests)), *of_none))


def incident(id_: str) -> Question[IncidentRows | None]:
    """What is to be left of an incident; None: there are no facts of it."""
    facts = t.facts.c
    closed_at = func.coalesce(func.max(case((facts.kind == Closed.__name__, facts.at))), func.max(facts.at))
    whole = select(func.count(), closed_at).where(facts.incident == id_)
    versions = select(facts.body).where(facts.incident == id_, facts.kind == Seen.__name__).order_by(facts.sequence)

    def read(connection: Connection) -> IncidentRows | None:
        number, closed = connection.execute(whole).one()
        if not number:
            return None
        digests = [digest for (body,) in connection.execute(versions) if (digest := digest_in(body))]
        by_last_place = list(dict.fromkeys(reversed(digests)))[::-1]
        return IncidentRows(id_, number, closed, by_last_place)

    return read


def digest_in(version: str) -> str:
    """The digest that a version's fact holds; empty: none that can be read."""
    if match := _DIGEST.search(version, max(0, len(version) - 200)):
        return match[1]
    try:
        fields = json.loads(version)
    except ValueError:
        return ""
    digest = fields.get("digest", "") if isinstance(fields, dict) else ""
    return digest if isinstance(digest, str) else ""


def prune_incident(connection: Connection, calls: Sequence[IncidentRows]) -> list[bool]:
    """They go, if nothing has happened since they were looked at."""
    return [_prune_incident(connection, rows) for rows in calls]


def _prune_incident(connection: Connection, rows: IncidentRows) -> bool:
    id_ = rows.incident
    left = select(true()).where(exists().where(t.notifications.c.incident == id_))
    facts = select(func.count()).where(t.facts.c.incident == id_)
    if not is_finished(connection, id_) or connection.execute(left).scalar():
        return False
    if connection.execute(facts).scalar() != rows.facts:
        return False
    before = connection.execute(select(t.pruned.c.digests).where(t.pruned.c.incident == id_)).scalar() or ""
    digests = [*(digest for digest in before.split() if digest not in rows.digests), *rows.digests]
    row = tolerant_insert(t.pruned)
    changed = {name: row.excluded[name] for name in ("closed_at", "digests")}
    values = {"incident": id_, "closed_at": rows.closed_at, "digests": " ".join(digests)}
    connection.execute(row.on_conflict_do_update(index_elements=["incident"], set_=changed), values)
    connection.execute(delete(t.facts).where(t.facts.c.incident == id_))
    connection.execute(delete(t.answer_links).where(t.answer_links.c.incident == id_))
    connection.execute(delete(t.incidents).where(t.incidents.c.id == id_))
    return True


def outdated(before: datetime, most: int) -> Question[OutdatedRows]:
    """Judged arrivals from before an instant, so many; notices about pruned incidents; facts put aside of those."""
    instant, arrivals = write_instant(before), t.arrivals.c
    old = select(arrivals.id).where(arrivals.result.is_not(None), arrivals.at < instant).order_by(arrivals.id)
    told = select(t.notices.c.cause).where(t.notices.c.at < instant)
    aside = select(t.facts.c.incident).where(t.facts.c.incident.contains(ASIDE, autoescape=True)).distinct()

    def read(connection: Connection) -> OutdatedRows:
        rows = connection.execute(old.limit(most)).scalars().all()
        causes = connection.execute(told).scalars().all()
        names = connection.execute(aside).scalars().all()
        parts = {part for cause in causes for part in cause.split(":")} | {name.partition(ASIDE)[0] for name in names}
        gone = _pruned_among(connection, parts)
        notices = [cause for cause in causes if not gone.isdisjoint(cause.split(":"))]
        facts = [name for name in names if name.partition(ASIDE)[0] in gone]
        return OutdatedRows(rows, notices[:most], facts[:1])

    return read


def _pruned_among(connection: Connection, names: Iterable[str]) -> set[str]:
    """Those of the names that are of pruned incidents which were not declared anew."""
    gone, listed = set[str](), sorted(names)
    there = exists().where(t.incidents.c.id == t.pruned.c.incident)
    for start in range(0, len(listed), 500):
        some = t.pruned.c.incident.in_(listed[start : start + 500])
        gone.update(connection.execute(select(t.pruned.c.incident).where(some, ~there)).scalars())
    return gone


def prune_outdated(connection: Connection, calls: Sequence[OutdatedRows]) -> list[int]:
    """They go; how many of each call."""
    numbers = []
    for rows in calls:
        number = 0
        for column, values in (
            (t.arrivals.c.id, rows.arrivals),
            (t.notices.c.cause, rows.notices),
            (t.facts.c.incident, rows.facts),
        ):
            if values:
                number += connection.execute(delete(column.table).where(column.in_(sorted(values)))).rowcount
        numbers.append(number)
    return numbers


def pruned(incident: str) -> Question[PrunedIncident | None]:
    """What is left of a pruned incident; None: it was never pruned."""
    query = select(t.pruned.c.closed_at, t.pruned.c.digests).where(t.pruned.c.incident == incident)

    def read(connection: Connection) -> PrunedIncident | None:
        row = connection.execute(query).one_or_none()
        return PrunedIncident(read_instant(row[0]), tuple(row[1].split())) if row else None

    return read


def pruned_digests(connection: Connection) -> dict[str, str]:
    """The digest of the newest version of each pruned incident."""
    rows = connection.execute(select(t.pruned.c.incident, t.pruned.c.digests))
    return {incident: digests.rpartition(" ")[2] for incident, digests in rows}
