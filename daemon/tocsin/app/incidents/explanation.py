"""Everything behind an incident's messages, at an instant: who holds what, what was sent, what comes next, and what was
held back (P6, `tocsin explain`). Nothing is changed.

Decides what had happened at that instant and which messages belong together.
"""

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import takewhile
from typing import Protocol

from tocsin.adapters.files.incident_writer import IncidentFiles
from tocsin.adapters.files.rights import closed
from tocsin.app.configuration.load import Configuration, counted, digest_of, label_of
from tocsin.app.incidents.histories import tell_of
from tocsin.app.incidents.waiting_pages import PageLimits, with_room
from tocsin.app.simulation.projection import next_messages
from tocsin.app.state.opt_outs import OptOuts
from tocsin.domain.delivery import Record
from tocsin.domain.facts import Fact, RefusalTakenBack, RoleAccepted, Seen, StepFired
from tocsin.domain.history import NO_ROLE, History, RoleHistory
from tocsin.domain.incident import Incident
from tocsin.domain.notification import Kind, Notification, Reason, Suppression, in_one
from tocsin.domain.policy import Policy, Severity
from tocsin.formats.config.file_names import SETTINGS
from tocsin.formats.incident.read import digest, read_incident, unreadable_incident
from tocsin.formats.settings.settings import reply_routes
from tocsin.planning.cadence.first_word import FirstWord
from tocsin.planning.current_state import current_state, first_words
from tocsin.planning.delivery.still_wanted import why_unwanted
from tocsin.planning.draft import Draft
from tocsin.planning.escalation import deciding_service, ladder_levels
from tocsin.ports.ledger.ledger import AddressLedger, ConfigLedger, DeliveryLedger, IncidentLedger
from tocsin.ports.ledger.trouble import UnreadableError
from tocsin.text.times import iso_utc
from tocsin.wording.report.timeline import TimelineStep, acceptances, steps_of

SPAN = timedelta(hours=4)
"""How far what comes next is looked for."""
UNWANTED = ("superseded", "unwanted", "opted_out")
"""States of a letter that was held back after all."""

_KINDS = list(Kind)


class PolicyLedger(ConfigLedger, AddressLedger, Protocol):
    """What the policy in force is known by."""


class ExplainLedger(IncidentLedger, DeliveryLedger, Protocol):
    """What an explanation is made of."""


class UnknownIncidentError(Exception):
    """There is nothing to explain; the text says why."""


@dataclass(frozen=True, slots=True)
class NeededRole:
    """A role that is needed: its history, how many levels its ladder has, and by what its holder accepted it."""

    role: str
    history: RoleHistory
    levels: int
    by: str = ""


@dataclass(frozen=True, slots=True)
class MessageGroup:
    """Messages that were decided as one: a page's channels, a group's readers, all closings. `severity` is the one that
    asked for them, None where the config was another then.
    """

    records: tuple[Record, ...]
    severity: Severity | None

    @property
    def messages(self) -> tuple[Notification, ...]:
        """What was decided."""
        return tuple(record.decided for record in self.records if isinstance(record.decided, Notification))

    @property
    def first(self) -> Notification:
        """One of them: all agree on instant, kind, reason and rule."""
        return self.messages[0]


@dataclass(frozen=True, slots=True)
class Explanation:
    """An incident at an instant. `seen`: the daemon knows it; else its file alone is played. `notes` are sentences
    about its file. `taken_back` are refusals that were the provider's fault. `coming` are the first messages of
    each ladder and stream if nobody answers; `later` how many more are to come by `until`, `ahead` all of them. What
    was held back is suppressed, or `dropped` after it was decided. `first_words` are groups that have heard nothing
    yet, and why. `fired` are the steps of the ladders in this episode.
    """

    at: datetime
    incident: Incident
    history: History
    seen: bool
    roles: tuple[NeededRole, ...]
    sent: tuple[MessageGroup, ...]
    coming: tuple[MessageGroup, ...]
    later: int
    until: datetime
    suppressed: tuple[Suppression, ...]
    dropped: tuple[MessageGroup, ...]
    notes: tuple[str, ...] = ()
    taken_back: tuple[RefusalTakenBack, ...] = ()
    first_words: tuple[FirstWord, ...] = ()
    ahead: tuple[MessageGroup, ...] = ()
    fired: tuple[StepFired, ...] = ()


async def policy_since(configuration: Configuration, ledger: PolicyLedger | None, now: datetime) -> Policy:
    """The policy as it is with those who want nothing more, and the instant since when the daemon has had it; one that
    it has not seen yet counts from now.
    """
    assert configuration.policy is not None
    assert configuration.settings is not None
    policy, routes = configuration.policy, reply_routes(configuration.settings)
    if ledger:
        policy = OptOuts(await ledger.opt_outs()).heeded_by(policy, routes)
    last = await ledger.last_good_config() if ledger else None
    shared = last is not None and SETTINGS not in last.files
    known = last is not None and digest_of(last.files) == digest_of(counted(configuration.files, shared=shared))
    return replace(policy, since=last.since if last and known else now if last else None)


async def explain(
    id_: str,
    policy: Policy,
    ledger: ExplainLedger | None,
    files: IncidentFiles,
    at: datetime | None,
    now: datetime,
    limits: PageLimits | None = None,
) -> Explanation:
    """An incident as it stands now, or as it stood `at` an instant. With `limits` pages that wait for room are told,
    now. Raises UnknownIncidentError, LedgerError.
    """
    try:
        steps = tell_of(id_, await ledger.facts(id_), steps_of) if ledger else []
    except UnreadableError as fault:
        note = f"in the ledger {fault.unreadable.why}; this is what the file says"
        return replace(_of_file(id_, policy, files, at or now), notes=(note,))
    if not steps:
        if ledger and (pruned := await ledger.pruned(id_)):
            left = "all that is left of it is this date (tocsin prune)"
            raise UnknownIncidentError(f"{id_} was closed on {iso_utc(pruned.closed_at)} and pruned; {left}")
        return _of_file(id_, policy, files, at or now)
    assert ledger is not None
    began = steps[0].fact.at
    if at is not None and at < began:
        raise UnknownIncidentError(f"the daemon had not seen {id_} then; it first saw it at {iso_utc(began)}")
    records: Sequence[Record] = await ledger.records(id_)
    notes: tuple[str, ...] = ()
    if at is None:
        at = max(now, *(step.fact.at for step in steps))
        last_seen = (await ledger.files()).get(id_, ("", ""))
        newest = steps[-1].after.incident
        notes = _notes(last_seen, files, over=newest is not None and newest.resolved)
        records = await with_room(records, ledger, policy, limits, now) if limits else records
    else:
        steps = _until(steps, at)
        records = [_as_of(record, at) for record in records if record.decided.at <= at]
        policy = policy if policy.since is None or policy.since <= at else replace(policy, since=None)
    return _explained(steps, records, policy, at, notes)


def _of_file(id_: str, policy: Policy, files: IncidentFiles, at: datetime) -> Explanation:
    """What a file that the daemon has not seen would bring about, if it were first seen now."""
    name = files.find(id_)
    data = files.read(name) if name else None
    if name is None or data is None:
        raise UnknownIncidentError("")
    reading = read_incident(data, name, policy, None, label_of(files.folder / name))
    incident = reading.incident or unreadable_incident(name, reading.first_lines, policy, id_)
    notes = tuple(map(str, reading.problems))
    return replace(_explained(steps_of([Seen(at, incident)]), (), policy, at, notes), seen=False)


def _explained(
    steps: Sequence[TimelineStep], records: Sequence[Record], policy: Policy, at: datetime, notes: tuple[str, ...]
) -> Explanation:
    history = steps[-1].after
    assert history.incident is not None
    records = [_as_wanted(record, history) for record in records]
    facts = [step.fact for step in steps]
    severities = [(fact.at, fact.incident.severity) for fact in facts if isinstance(fact, Seen)]
    sent, dropped = [], []
    for group in group_records(records, policy, severities):
        wanted = tuple(record for record in group.records if record.state not in UNWANTED or record.attempts)
        if wanted:
            sent.append(replace(group, records=wanted))
        if len(wanted) < len(group.records):
            dropped.append(replace(group, records=tuple(record for record in group.records if record not in wanted)))
    messages = next_messages(history, policy, at, SPAN)
    coming = group_records([Record(message, state="ahead") for message in messages], policy, severities)
    first = _first_of_each(coming)
    return Explanation(
        at,
        history.incident,
        history,
        True,
        _needed_roles(steps, policy, at),
        tuple(sent),
        tuple(first),
        len(messages) - sum(len(group.records) for group in first),
        max([at + SPAN, *(message.at for message in messages)]),
        tuple(record.decided for record in records if isinstance(record.decided, Suppression)),
        tuple(dropped),
        notes,
        tuple(fact for fact in facts if isinstance(fact, RefusalTakenBack)),
        first_words(history.incident, policy, history),
        tuple(coming),
        tuple(
            step.fact for step in steps if isinstance(step.fact, StepFired) and step.after.episode == history.episode
        ),
    )


def _as_wanted(record: Record, history: History) -> Record:
    """A page that was never tried and that nobody wants any more will not leave, whatever it waits for."""
    page = record.decided
    untried = record.state == "pending" and not record.attempts and isinstance(page, Notification)
    if untried and page.kind is Kind.PAGE and isinstance(page, Notification) and why_unwanted(page, history):
        return replace(record, state="unwanted", room_at=None)
    return record


def group_records(
    records: Iterable[Record], policy: Policy, severities: Sequence[tuple[datetime, str]] = ()
) -> list[MessageGroup]:
    """Messages in time order, those that were decided as one together. `severities` are the incident's, since when."""
    sent = ((record, record.decided) for record in records if isinstance(record.decided, Notification))
    standing: list[tuple[datetime, str]] = []
    for since, name in severities:  # a clock may have been put back: then the later ones count
        while standing and standing[-1][0] >= since:
            standing.pop()
        standing.append((since, name))
    groups = []
    for pairs in in_one(sent, lambda pair: pair[1]):
        first = pairs[0][1]
        place = bisect_right(standing, first.at, key=lambda severity: severity[0])
        name = standing[place - 1][1] if place else ""
        severity = policy.severity(name) if first.revision == policy.revision else None
        groups.append(MessageGroup(tuple(record for record, _ in pairs), severity))
    return sorted(groups, key=lambda group: (group.first.at, _KINDS.index(group.first.kind)))


def _first_of_each(coming: Sequence[MessageGroup]) -> list[MessageGroup]:
    """What comes next on each ladder and to each group."""
    begins: dict[tuple[object, ...], datetime] = {}
    firsts = []
    for group in coming:
        message = group.first
        if message.reason in (Reason.REACH, Reason.STILL_THERE):
            streams: list[tuple[object, ...]] = [(message.reason, message.to)]
        else:
            streams = [(message.kind, message.group, role) for role in message.roles or ("",)]
        for stream in streams:
            begins.setdefault(stream, message.at)
        if any(begins[stream] == message.at for stream in streams):
            firsts.append(group)
    return firsts


def _needed_roles(steps: Sequence[TimelineStep], policy: Policy, at: datetime) -> tuple[NeededRole, ...]:
    """The roles needed, in the severity's order; of a file that cannot be read what stands for them (rule 32)."""
    history = steps[-1].after
    assert history.incident is not None
    by: dict[str, str] = {}
    for step in steps:
        for acceptance in acceptances([step]):
            by[acceptance.role] = _by(step.fact)
    draft = Draft(history.incident, policy, history, at)
    needed = [
        NeededRole(state.role, role, len(ladder_levels(draft, role)), by.get(state.role, ""))
        for state in current_state(history.incident, policy, history, at).roles
        for role in [history.roles.get(state.role) or _not_begun(draft, state.role)]
    ]
    unread = history.roles.get(NO_ROLE) if history.incident.unreadable else None
    return (*needed, NeededRole(NO_ROLE, unread, 0)) if unread else tuple(needed)


def _not_begun(draft: Draft, role: str) -> RoleHistory:
    """A role whose ladder has not begun, as it will begin."""
    return RoleHistory(role, service=deciding_service(draft, role), first=draft.incident.assigned(role))


def _by(fact: Fact) -> str:
    """By what somebody accepted a role."""
    if isinstance(fact, Seen):
        return "in the incident file"
    return "named in the file from the start" if isinstance(fact, RoleAccepted) else "by answering the page"


def _until(steps: Sequence[TimelineStep], at: datetime) -> list[TimelineStep]:
    """What was known then: everything recorded before the first fact of a later instant."""
    return list(takewhile(lambda step: step.fact.at <= at, steps))


def _as_of(record: Record, at: datetime) -> Record:
    """What had become of a message then. When a receipt came is not kept, so it is not told."""
    attempts = tuple(
        attempt if attempt.ended_at and attempt.ended_at <= at else replace(attempt, outcome=None, ended_at=None)
        for attempt in record.attempts
        if attempt.started_at <= at
    )
    settled = record.settled_at is not None and record.settled_at <= at
    together = record.bundled_with if attempts and attempts[-1].bundle else ()
    then = replace(record, attempts=attempts, receipt=None, bundled_with=together)
    if settled or isinstance(record.decided, Suppression):
        return then
    return replace(then, state="pending", settled_at=None)


def _notes(last_seen: tuple[str, str], files: IncidentFiles, *, over: bool) -> tuple[str, ...]:
    """How the file differs from what the daemon has seen of it. Where there is none it may never have been on this
    machine (P9).
    """
    name, seen = last_seen
    data = files.read(name) if name else None
    if name and (why := closed(files.folder / name)):
        return (f"{label_of(files.folder / name)} {why}",)
    if name and data is None:
        sequel = "this is what the ledger has" if over else "the incident goes on as it last was"
        return (f"there is no {label_of(files.folder / name)}; {sequel}",)
    if data is not None and seen and digest(data) != seen:
        return (f"{label_of(files.folder / name)} says something else than what the daemon went by last",)
    return ()
