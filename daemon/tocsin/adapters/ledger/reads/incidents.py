"""What is asked about incidents: what happened in each, and the newest good version of its file."""

import re
from collections import defaultdict
from collections.abc import Collection, Iterator
from contextlib import suppress
from datetime import datetime
from itertools import chain

from sqlalchemy import Connection, func, select

from tocsin.adapters.ledger.reads import Question
from tocsin.adapters.ledger.schema import tables as t
from tocsin.adapters.ledger.schema.codec import read_fact
from tocsin.adapters.ledger.schema.decoding import read_instant
from tocsin.adapters.ledger.schema.incident_rows import (
    all_facts,
    facts_by_incident,
    files_of,
    kept_file,
    versions_of,
)
from tocsin.domain.facts import Answered, Closed, Fact, Gone, Seen
from tocsin.domain.history import IncidentSummary
from tocsin.domain.incident import Incident
from tocsin.ports.ledger.kept_file import KeptFile
from tocsin.ports.ledger.trouble import Unreadable

NAMES_AT_ONCE = 500
"""Incidents that one query asks about."""
DIGESTS_AT_ONCE = 10_000
"""The same, where little is asked of each: whoever takes the lead asks about every file, from far away perhaps."""
ROWS_AT_ONCE = 1000
"""Facts that are fetched together: one by one each costs as much again."""
_IN_ORDER = t.facts.c.incident, t.facts.c.sequence
_END = func.substr(t.facts.c.body, func.length(t.facts.c.body) - 99)
_DIGEST = re.compile(r'"digest": ?"([^"\\]*)"\}$')


def facts(incident: str) -> Question[tuple[Fact, ...]]:
    """All facts of one incident, in the order recorded. Raises UnreadableError."""
    columns = t.facts.c.incident, t.facts.c.id, t.facts.c.kind, t.facts.c.body
    query = select(*columns).where(t.facts.c.incident == incident).order_by(t.facts.c.sequence)

    def read(connection: Connection) -> tuple[Fact, ...]:
        return all_facts(incident, connection.execute(query))

    return read


def newest_versions(names: Collection[str]) -> Question[dict[str, Incident]]:
    """The newest version of each of these incidents that was seen and can be read."""

    def read(connection: Connection) -> dict[str, Incident]:
        versions: dict[str, Incident] = {}
        listed = list(names)
        for start in range(0, len(listed), NAMES_AT_ONCE):
            wanted = t.facts.c.incident.in_(listed[start : start + NAMES_AT_ONCE]), t.facts.c.kind == Seen.__name__
            newest = select(func.max(t.facts.c.id)).where(*wanted).group_by(t.facts.c.incident)
            query = select(t.facts.c.incident, t.facts.c.kind, t.facts.c.body).where(t.facts.c.id.in_(newest))
            versions.update(versions_of(connection.execute(query)))
        return versions

    return read


def version_digests(names: Collection[str], *, newest: bool) -> Question[dict[str, tuple[str, ...]]]:
    """The digests of all versions of each of these incidents, oldest first, those before it was pruned included, and
    none of a file that was never readable, once that is gone (rule 32); `newest`: of the last one alone. A digest
    stands at the end of its version: nothing else of that is fetched.
    """
    listed = sorted(names)

    def read(connection: Connection) -> dict[str, tuple[str, ...]]:
        digests: dict[str, tuple[str, ...]] = {}
        for start in range(0, len(listed), DIGESTS_AT_ONCE):
            some = listed[start : start + DIGESTS_AT_ONCE]
            left = select(t.pruned.c.incident, t.pruned.c.digests).where(t.pruned.c.incident.in_(some))
            digests.update((name, tuple(text.split())) for name, text in connection.execute(left))
            wanted = t.facts.c.incident.in_(some), t.facts.c.kind.in_((Seen.__name__, Gone.__name__))
            query = select(t.facts.c.incident, t.facts.c.kind, _END).where(*wanted).order_by(*_IN_ORDER)
            if newest:
                last = select(func.max(t.facts.c.id)).where(*wanted).group_by(t.facts.c.incident)
                query = select(t.facts.c.incident, t.facts.c.kind, _END).where(t.facts.c.id.in_(last))
            for name, kind, end in connection.execute(query):
                digest = _DIGEST.search(end)
                if kind == Gone.__name__:
                    digests.pop(name, None)
                else:
                    digests[name] = (*digests.get(name, ()), digest[1] if digest else "")
        return {name: known[-1:] if newest else known for name, known in digests.items()}

    return read


def summaries(names: Collection[str]) -> Question[dict[str, IncidentSummary]]:
    """What each of these is known by: of those whose newest version can be read."""

    def read(connection: Connection) -> dict[str, IncidentSummary]:
        listed, known = list(names), dict[str, IncidentSummary]()
        for start in range(0, len(listed), NAMES_AT_ONCE):
            known.update(_summaries(connection, listed[start : start + NAMES_AT_ONCE]))
        return known

    return read


def _summaries(connection: Connection, names: Collection[str]) -> Iterator[tuple[str, IncidentSummary]]:
    wanted, columns = t.facts.c.incident.in_(names), (t.facts.c.incident, t.facts.c.kind, t.facts.c.body)
    kinds = t.facts.c.kind.in_((Seen.__name__, Closed.__name__))
    newest = select(func.max(t.facts.c.id)).where(wanted, kinds).group_by(t.facts.c.incident, t.facts.c.kind)
    seen, closed_at, answered = dict[str, Seen](), dict[str, datetime](), defaultdict[str, set[str]](set)
    for query in (t.facts.c.id.in_(newest), wanted & (t.facts.c.kind == Answered.__name__)):
        for name, kind, body in connection.execute(select(*columns).where(query)):
            with suppress(ValueError):
                match read_fact(kind, body):
                    case Seen() as version:
                        seen[name] = version
                    case Closed(at=at):
                        closed_at[name] = at
                    case Answered(person=person):
                        answered[name].add(person)
    for name, version in seen.items():
        yield name, IncidentSummary(version.incident, version.at, closed_at.get(name), frozenset(answered[name]))


def unfinished(connection: Connection) -> dict[str, tuple[Fact, ...] | Unreadable]:
    """The facts of every incident that may still need something, by its id."""
    of_unfinished = t.facts.c.incident.in_(
        select(t.incidents.c.id).where(t.unfinished)
    )  # joined, SQLite goes through all
    query = select(t.facts.c.incident, t.facts.c.id, t.facts.c.kind, t.facts.c.body).where(of_unfinished)
    query = query.order_by(*_IN_ORDER)
    return facts_by_incident(chain.from_iterable(connection.execute(query).partitions(ROWS_AT_ONCE)))


def incidents(connection: Connection) -> tuple[str, ...]:
    """The ids of all incidents ever seen."""
    return tuple(connection.execute(select(t.incidents.c.id)).scalars())


def last_closed(most: int) -> Question[tuple[tuple[str, datetime], ...]]:
    """The incidents that were closed last, the newest first, each once with the instant."""
    known = select(t.incidents.c.id).where(t.incidents.c.id == t.facts.c.incident).exists()  # what was put aside is not
    closings = select(t.facts.c.incident, t.facts.c.at).where(t.facts.c.kind == "Closed", known)
    closings = closings.order_by(t.facts.c.id.desc()).execution_options(stream_results=True)

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
    return files_of(connection.execute(query))


def file(incident: str) -> Question[KeptFile | None]:
    """The newest good version of an incident's file."""
    columns = t.incidents.c.file, t.incidents.c.data, t.incidents.c.digest
    query = select(*columns).where(t.incidents.c.id == incident)

    return lambda connection: kept_file(incident, connection.execute(query).first())
