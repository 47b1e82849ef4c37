"""One incident, and all of them, as the ledger knows them, for those who read about them in a browser.

Decides which incidents insiders are shown in the list, and what is said of an incident's file; who asks is not known
here. What outsiders look up is listed by `public/listing`.
"""

import asyncio
import re
from collections.abc import Sequence
from concurrent.futures import Executor
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from tocsin.app.incidents.asked_roles import asked_roles
from tocsin.app.incidents.histories import histories_of, tell_of
from tocsin.app.incidents.waiting_pages import PageLimits, with_room
from tocsin.domain.delivery import Record
from tocsin.domain.facts import Fact, Seen
from tocsin.domain.history import History
from tocsin.domain.incident import Incident
from tocsin.domain.operator_notice import Trouble
from tocsin.domain.policy import Policy
from tocsin.domain.problem import Problem
from tocsin.formats.incident.read import read_incident
from tocsin.planning.current_state import current_state
from tocsin.ports.ledger.reading import IncidentRecords, KeptFiles, LedgerReader
from tocsin.ports.ledger.trouble import UnreadableError
from tocsin.text.cleaning import clean, one_line, shown
from tocsin.wording.report.chart import Tone
from tocsin.wording.report.chart_lanes import severity_tone
from tocsin.wording.report.internal_view import InternalView, internal_view, promises
from tocsin.wording.report.public.view import PublicView, public_view
from tocsin.wording.report.timeline import steps_of

RECENT = timedelta(days=7)
"""How long a resolved incident is listed."""
OPEN_MOST = 200
"""The most open incidents that are listed, the worst first."""
RESOLVED_MOST = 50
"""The most resolved ones."""


@dataclass(frozen=True, slots=True)
class FileTrouble:
    """Operators were told of a file's trouble, a vanished or unreadable one, and no version of it came since."""

    headline: str
    told_at: datetime


@dataclass(frozen=True, slots=True)
class IncidentViews:
    """An incident, for insiders and for outsiders (None where there is nothing for them). While it is open: the
    `problems` of the version that counts, and what is the `trouble` with its file since.
    """

    internal: InternalView
    public: PublicView | None
    problems: tuple[Problem, ...] = ()
    troubles: tuple[FileTrouble, ...] = ()


@dataclass(frozen=True, slots=True)
class IncidentRow:
    """A line of the list: `nobody` are the titles of roles that nobody has accepted, `paged` the ids of whoever was
    paged for one.
    """

    incident: Incident
    title: str
    tag: str
    tone: Tone
    since: datetime
    resolved_at: datetime | None
    holders: tuple[str, ...]
    nobody: tuple[str, ...]
    next_update_at: datetime | None
    paged: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class IncidentList:
    """Open incidents, the worst first and then the oldest; resolved ones, the newest first. `more` open ones are not
    listed; `going` are the ids of all that are open.
    """

    open: tuple[IncidentRow, ...]
    resolved: tuple[IncidentRow, ...]
    more: int
    going: frozenset[str] = frozenset()


async def views(
    incident: str,
    ledger: LedgerReader,
    policy: Policy,
    limits: PageLimits,
    now: datetime,
    threads: Executor | None = None,
    zone: str = "UTC",
) -> IncidentViews | None:
    """One incident, worked out in one of the `threads`; None when the ledger knows none of that name. Insiders read its
    times in `zone`. Raises LedgerError.
    """
    facts = await ledger.facts(incident)
    records = await with_room(await ledger.records(incident), ledger, policy, limits, now) if facts else ()
    loop = asyncio.get_running_loop()
    both_views = await loop.run_in_executor(threads, _views, incident, facts, records, policy, now, zone)
    if both_views is None or both_views.internal.resolved_at is not None:
        return both_views
    try:
        kept = await ledger.file(incident)
    except UnreadableError:
        kept = None
    if kept is None:
        return both_views
    problems = await loop.run_in_executor(threads, _problems, kept.name, kept.data, policy)
    seen_at = max(fact.at for fact in facts if isinstance(fact, Seen))
    return replace(both_views, problems=problems, troubles=await _troubles(kept.name, ledger, seen_at))


async def listing(
    ledger: IncidentRecords, policy: Policy, now: datetime, threads: Executor | None = None
) -> IncidentList:
    """The list, worked out in one of the `threads`. Raises LedgerError."""
    loop = asyncio.get_running_loop()
    recorded = await ledger.unfinished()
    ended = [name for name, at in await ledger.last_closed(RESOLVED_MOST) if now - at < RECENT]
    for name in ended:
        if name not in recorded:
            with suppress(UnreadableError):
                recorded[name] = await ledger.facts(name)
    histories, _ = await loop.run_in_executor(threads, histories_of, recorded)
    going = [(name, history) for name, history in histories.items() if _goes_on(history)]
    going.sort(key=lambda entry: (_rank(entry[1], policy), entry[1].started_at or now, entry[0]))
    over = [(name, histories[name]) for name in ended if name in histories and histories[name].resolved_at]
    rows = {}
    for name, history in (*going[:OPEN_MOST], *over):
        rows[name] = await loop.run_in_executor(threads, _row, history, policy, now)
    open_rows = tuple(rows[name] for name, _ in going[:OPEN_MOST])
    more, ids = max(len(going) - OPEN_MOST, 0), frozenset(name for name, _ in going)
    return IncidentList(open_rows, tuple(rows[name] for name, _ in over), more, ids)


def _problems(name: str, data: bytes, policy: Policy) -> tuple[Problem, ...]:
    """What is wrong with the newest good version, as `tocsin check` tells it."""
    return tuple(read_incident(data, name, policy, None, shown(name)).problems)


async def _troubles(name: str, ledger: KeptFiles, seen_at: datetime) -> tuple[FileTrouble, ...]:
    """What operators were told of the file since that version was seen: nothing says whether it still is so, but no
    newer version has come.
    """
    named = re.compile(rf"[/ :]{re.escape(shown(name))}(?:$|[:,]| and )")
    troubles = []
    for trouble in (Trouble.FILE_UNREADABLE, Trouble.FILE_VANISHED):
        for cause, told_at in sorted((await ledger.noticed(trouble)).items()):
            if told_at >= seen_at and named.search(cause):
                troubles.append(FileTrouble(trouble.headline.format(about=shown(name)), told_at))
    return tuple(troubles)


def _views(
    name: str, facts: Sequence[Fact], records: Sequence[Record], policy: Policy, now: datetime, zone: str
) -> IncidentViews | None:
    steps = tell_of(name, facts, steps_of)
    if not steps:
        return None
    history = steps[-1].after
    assert history.incident is not None
    state = current_state(history.incident, policy, history, now)
    coming = {role: asked.coming for role, asked in asked_roles(history, policy, now).items() if asked.coming}
    internal = internal_view(steps, records, state, coming, policy, now, zone)
    return IncidentViews(internal, public_view(steps, promises(records), policy))


def _row(history: History, policy: Policy, now: datetime) -> IncidentRow:
    incident = history.incident
    assert incident is not None
    assert history.started_at is not None
    state = current_state(incident, policy, history, now)
    return IncidentRow(
        incident=incident,
        title=one_line(clean(incident.title)) or "Untitled incident",
        tag=policy.severity(incident.severity).name.upper(),
        tone=severity_tone(incident.severity, policy),
        since=history.began_at or history.started_at,
        resolved_at=history.resolved_at,
        holders=tuple(dict.fromkeys(policy.person_name(role.person) for role in state.roles if role.accepted_at)),
        nobody=tuple(policy.role_title(role.role) for role in state.roles if not role.accepted_at),
        next_update_at=state.next_update_at,
        paged=tuple(dict.fromkeys(name for role in history.roles.values() for name, _ in role.first_pages)),
    )


def _goes_on(history: History) -> bool:
    return history.incident is not None and history.resolved_at is None and not history.unreadable_ended


def _rank(history: History, policy: Policy) -> int:
    assert history.incident is not None
    return policy.incident_rank(history.incident)
