"""Incidents found again by words, as far back as the ledger goes: those that are open, the worst first, then those that
are over, the newest first.

Decides what of an incident is looked through. What each is known by is kept in memory, and asked of the ledger again
only once its file has changed.
"""

import asyncio
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from tocsin.app.incidents.incident_views import IncidentList, IncidentRow
from tocsin.domain.history import IncidentSummary
from tocsin.domain.incident import Incident
from tocsin.domain.policy import Policy
from tocsin.ports.ledger.reading import KeptFiles
from tocsin.text.cleaning import clean, one_line

PAGE = 50
"""Incidents on one page."""
WORDS_MOST = 10
"""Words that are looked for."""


class Show(StrEnum):
    """Which incidents are asked for."""

    ALL = "all"
    OPEN = "open"
    CLOSED = "closed"


@dataclass(frozen=True, slots=True)
class IncidentQuery:
    """What somebody looks for: all of these words; which page, from 1 on."""

    words: tuple[str, ...] = ()
    show: Show = Show.ALL
    page: int = 1


@dataclass(frozen=True, slots=True)
class KnownIncident:
    """An incident by its newest version, and by what it is found. `resolved_at`: None while it is open; `ended`: it was
    never readable, and its file is gone.
    """

    incident: Incident
    title: str
    tag: str
    resolved_at: datetime | None
    ended: bool
    text: str


@dataclass(frozen=True, slots=True)
class FoundIncidents:
    """What was found: `open` as the list shows them, and of the `others`, open beyond those and then closed, one page
    out of `pages`; how many there are of each sort.
    """

    open: tuple[IncidentRow, ...]
    others: tuple[KnownIncident, ...]
    open_count: int
    closed_count: int
    page: int
    pages: int


class KnownIncidents:
    """What each incident of the ledger is known by, kept for as long as its file says the same."""

    def __init__(self) -> None:
        self._summaries: dict[str, tuple[str, IncidentSummary]] = {}

    async def look(
        self, ledger: KeptFiles, going: frozenset[str], policy: Policy, threads: Executor | None = None
    ) -> tuple[KnownIncident, ...]:
        """All of them, those that are over the newest first; `going` are the ids of those that are open. Raises
        LedgerError.
        """
        digests = {name: digest for name, (_, digest) in (await ledger.files()).items()}
        known = {name: entry for name, entry in self._summaries.items() if digests.get(name) == entry[0]}
        asked = [name for name in digests if name not in known or name in going or not known[name][1].closed_at]
        for name, summary in (await ledger.summaries(asked)).items():
            known[name] = digests[name], summary
        self._summaries = known
        summaries = {name: summary for name, (_, summary) in known.items()}
        return await asyncio.get_running_loop().run_in_executor(threads, _known, summaries, going, policy)


def words_of(text: str) -> tuple[str, ...]:
    """The words that somebody typed, whatever their case and accents."""
    return tuple(dict.fromkeys(_folded(text).split()))[:WORDS_MOST]


def find(
    query: IncidentQuery, incidents: IncidentList, known: Sequence[KnownIncident], policy: Policy
) -> FoundIncidents:
    """What the query finds."""
    texts = {entry.incident.id: entry.text for entry in known}
    wants_open, wants_closed = query.show is not Show.CLOSED, query.show is not Show.OPEN
    rows = tuple(row for row in incidents.open if wants_open and _matches(query, _row_text(row, texts, policy)))
    listed = {row.incident.id for row in incidents.open}
    found = [entry for entry in known if entry.incident.id not in listed and _matches(query, entry.text)]
    still_open = [entry for entry in found if wants_open and _is_open(entry)]
    closed = [entry for entry in found if wants_closed and not _is_open(entry)]
    pages = max(-(-(len(still_open) + len(closed)) // PAGE), 1)
    page = min(max(query.page, 1), pages)
    return FoundIncidents(
        open=rows if page == 1 else (),
        others=tuple([*still_open, *closed][(page - 1) * PAGE : page * PAGE]),
        open_count=len(rows) + len(still_open),
        closed_count=len(closed),
        page=page,
        pages=pages,
    )


def _known(
    summaries: Mapping[str, IncidentSummary], going: frozenset[str], policy: Policy
) -> tuple[KnownIncident, ...]:
    entries = [(_ended_at(summary), _of(summary, policy, goes_on=name in going)) for name, summary in summaries.items()]
    entries.sort(key=lambda entry: (entry[0], entry[1].incident.id), reverse=True)
    return tuple(entry for _, entry in entries)


def _of(summary: IncidentSummary, policy: Policy, *, goes_on: bool) -> KnownIncident:
    incident = summary.incident
    return KnownIncident(
        incident=incident,
        title=one_line(clean(incident.title)) or "Untitled incident",
        tag=policy.severity(incident.severity).name.upper(),
        resolved_at=None if goes_on else _ended_at(summary),
        ended=incident.unreadable and not goes_on,
        text=_text(incident, summary.answered, policy),
    )


def _ended_at(summary: IncidentSummary) -> datetime:
    return summary.closed_at or summary.seen_at


def _is_open(entry: KnownIncident) -> bool:
    return entry.resolved_at is None


def _matches(query: IncidentQuery, text: str) -> bool:
    return all(word in text for word in query.words)


def _row_text(row: IncidentRow, texts: Mapping[str, str], policy: Policy) -> str:
    """By what an open one is found: also by whoever was paged for a role."""
    text = texts.get(row.incident.id) or _text(row.incident, (), policy)
    paged = [word for person in row.paged for word in (person, policy.person_name(person))]
    return f"{text} {_folded(' '.join((*row.holders, *paged)))}"


def _text(incident: Incident, answered: Iterable[str], policy: Policy) -> str:
    """By what an incident is found: id, titles, severity, status, services, and the people in it, by id and name."""
    severity = policy.severity(incident.severity)
    people = [person for _, person in incident.roles]
    people += [acknowledgment.by for acknowledgment in incident.acknowledged]
    people += [update.by for update in incident.updates] + [note.by for note in incident.timeline]
    people += [incident.declared_by, incident.verified_by, *answered]
    parts = [
        incident.id,
        incident.title,
        incident.public_title,
        incident.severity,
        severity.name,
        severity.title,
        incident.status.value,
        *incident.services,
        *policy.service_titles(incident.services),
        "drill" if incident.drill else "",
        *(word for person in dict.fromkeys(people) for word in (person, policy.person_name(person))),
    ]
    return _folded(" ".join(filter(None, parts)))


def _folded(text: str) -> str:
    """Without case and accents."""
    plain = unicodedata.normalize("NFKD", text.casefold())
    return "".join(letter for letter in plain if not unicodedata.combining(letter))
