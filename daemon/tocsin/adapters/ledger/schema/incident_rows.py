"""Rows about incidents as values, whichever way they were asked for. One that cannot be read takes only its own
incident out of an answer (rule 63).
"""

import os
import zlib
from collections.abc import Iterable, Sequence
from contextlib import suppress
from itertools import groupby
from operator import itemgetter
from typing import Any

from tocsin.adapters.ledger.schema.codec import read_fact
from tocsin.adapters.ledger.schema.decoding import RowError, decode
from tocsin.adapters.ledger.schema.fact_reader import FactReader
from tocsin.domain.facts import Closed, Fact, Paged, RoleOpened, Seen, StepFired
from tocsin.domain.incident import Incident
from tocsin.ports.ledger.kept_file import KeptFile
from tocsin.ports.ledger.trouble import Unreadable, UnreadableError

Rows = Iterable[Sequence[Any]]


def all_facts(incident: str, rows: Rows) -> tuple[Fact, ...]:
    """The facts of an incident's rows (incident, id, kind, body). Raises UnreadableError."""
    facts = _facts(incident, rows)
    if isinstance(facts, Unreadable):
        raise UnreadableError(facts)
    return facts


def facts_by_incident(rows: Rows) -> dict[str, tuple[Fact, ...] | Unreadable]:
    """The facts of each incident, of whose rows each stands beside the next."""
    return {incident: _facts(incident, own) for incident, own in groupby(rows, key=itemgetter(0))}


def _facts(incident: str, rows: Iterable[Sequence[Any]]) -> tuple[Fact, ...] | Unreadable:
    """The facts of an incident's rows; else the first row that cannot be read, and whether the others say that the
    incident was over.
    """
    facts: list[Fact] = []
    read = FactReader().read
    why, ended = "", False
    for _, row, kind, body in rows:
        try:
            fact = decode("facts", row, read, kind, body)
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


def versions_of(rows: Rows) -> dict[str, Incident]:
    """The version of each incident (incident, kind, body) that can be read."""
    versions = {}
    for name, kind, body in rows:
        with suppress(ValueError):
            seen = read_fact(kind, body)
            assert isinstance(seen, Seen)
            versions[name] = seen.incident
    return versions


def files_of(rows: Rows) -> dict[str, tuple[str, str]]:
    """The name of each incident's file and the digest of its newest good version (incident, file, digest)."""
    return {incident: (os.fsdecode(name), digest) for incident, name, digest in rows}


def kept_file(incident: str, row: Sequence[Any] | None) -> KeptFile | None:
    """The newest good version of an incident's file (file, data, digest). Raises UnreadableError."""
    if row is None or row[1] is None:
        return None
    try:
        return KeptFile(os.fsdecode(row[0]), zlib.decompress(row[1]), row[2])
    except (TypeError, zlib.error):
        raise UnreadableError(Unreadable(incident, "the last good version of its file cannot be read")) from None
