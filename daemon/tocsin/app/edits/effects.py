"""What an edit, a declaration or an answer would do at once: whom it pages and stands down, which groups hear of it,
what is held back from outsiders. It is the difference between two plans, with it and without (P10), so that no page
promises what the daemon would not do.

Decides nothing, sends nothing. Must not know how it is said (`effect_words`).
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from tocsin.app.simulation.projection import Projection, project
from tocsin.domain.facts import Answer, Answered, Seen
from tocsin.domain.history import History
from tocsin.domain.incident import Incident
from tocsin.domain.notification import Kind
from tocsin.domain.people import Channel
from tocsin.domain.plan import Due
from tocsin.domain.policy import Policy
from tocsin.planning.audience import groups_concerned
from tocsin.planning.cadence.first_word import first_word
from tocsin.planning.current_state import next_pages
from tocsin.planning.history.fast_replace import replace
from tocsin.planning.history.fold import apply_fact
from tocsin.planning.history.versions import CHANGES_HELD_FOR, new_entries

NO_TIME = timedelta(0)


class HeldBack(StrEnum):
    """Why an external group that the incident concerns hears nothing of it now."""

    FIRST_WORD = "first_word"
    NOT_VISIBLE = "not_visible"
    DRILL = "drill"
    NO_READER = "no_reader"
    NEVER_TOLD = "never_told"


@dataclass(frozen=True, slots=True)
class AskedPerson:
    """Somebody who is paged, stood down or asked for something, and as what. `at` is when, None: at once."""

    person: str
    roles: tuple[str, ...] = ()
    at: datetime | None = None


@dataclass(frozen=True, slots=True)
class WithheldGroup:
    """An external group that hears nothing of it now: what it waits for, where it waits, and when it hears next at the
    latest, where that is known. `without_public`: an entry without a text for outsiders is why.
    """

    group: str
    why: HeldBack
    waits_for: str = ""
    next_at: datetime | None = None
    without_public: bool = False


@dataclass(frozen=True, slots=True)
class OutsideMessage:
    """What the readers of an external group get, with the history that its words are made of."""

    group: str
    due: Due


@dataclass(frozen=True, slots=True)
class Effects:
    """What would come of it at once. `groups` hear of it, the external ones among them are `outside`; `messages` are
    what these read, one for each group and channel. `readers` hear that the incident is over, if it `ends` it.
    `verifiers` are asked later whether all is healthy, `reviewers` for the review. `takes_over` has not accepted yet:
    who holds the role keeps it until then. `history` is what it leads to.
    """

    pages: tuple[AskedPerson, ...]
    stood_down: tuple[AskedPerson, ...]
    groups: tuple[str, ...]
    outside: tuple[str, ...]
    messages: tuple[OutsideMessage, ...]
    held: tuple[WithheldGroup, ...]
    ends: bool
    reopens: bool
    readers: int
    verifiers: tuple[AskedPerson, ...]
    reviewers: tuple[AskedPerson, ...]
    takes_over: tuple[AskedPerson, ...]
    history: History

    @property
    def tells_nobody(self) -> bool:
        """Whether nobody at all gets a message because of it."""
        return not (self.pages or self.stood_down or self.groups or self.readers)


def effects(incident: Incident | None, edited: Incident, policy: Policy, history: History, now: datetime) -> Effects:
    """What comes of the version `edited` if it is seen at `now`. `incident` is the version that stands, None where
    there is none yet; `history` is its own.
    """
    known = History() if incident is None else history
    after = known if edited == known.incident else apply_fact(known, Seen(now, edited))
    return _difference(known, after, policy, now)


def answer_effects(history: History, person: str, answer: Answer, policy: Policy, now: datetime) -> Effects:
    """What comes of it if a person answers so at `now`."""
    after = apply_fact(history, Answered(now, person, answer))
    return replace(_difference(history, after, policy, now), held=())


def _difference(before: History, after: History, policy: Policy, now: datetime) -> Effects:
    """The plan after it, without what would have come anyway."""
    assert after.incident is not None
    ends = after.resolved_at is not None and before.resolved_at is None and before.incident is not None
    verify_after = policy.severity(after.incident.severity).verify_after
    span = max(CHANGES_HELD_FOR, (verify_after if ends else None) or NO_TIME)
    anyway = {_identity(due) for due in _planned(before, policy, now, CHANGES_HELD_FOR).due}
    planned = _planned(after, policy, now, span)
    due = [one for one in planned.due if _identity(one) not in anyway]
    ended = [one for one in due if one.notification.kind is Kind.CLOSING]
    groups = _groups_told(due, after if ended else None, policy)
    outside = tuple(name for name in groups if _is_external(name, policy))
    told_now = before.resolved_at is None or after.resolved_at is None
    pages = _people(due, Kind.PAGE)
    return Effects(
        pages=(*pages, *_paged_later(before, planned.history, policy, now)),
        stood_down=_people(due, Kind.STAND_DOWN),
        groups=groups,
        outside=outside,
        messages=tuple(_messages(due, outside, policy)),
        held=tuple(_held(before, planned.history, groups, policy, now)) if told_now else (),
        ends=ends,
        reopens=before.resolved_at is not None and after.resolved_at is None,
        readers=len({one.notification.to for one in ended}),
        verifiers=_people(due, Kind.VERIFY, timed=True),
        reviewers=_people(due, Kind.REVIEW),
        takes_over=_taking_over(planned.history, pages),
        history=planned.history,
    )


def _planned(history: History, policy: Policy, now: datetime, span: timedelta) -> Projection:
    """What falls due within the span if nothing more happens; nothing of an incident that there is not yet."""
    if history.incident is None:
        return Projection((), history)
    return project(history, policy, now, now + span, now + span)


def _identity(due: Due) -> tuple[object, ...]:
    """What two plans agree on where they mean the same message."""
    message = due.notification
    told = due.history.incident if message.kind is Kind.UPDATE else None
    told = replace(told, timeline=()) if told else None  # notes are told to nobody
    return message.kind, message.to, message.via, message.group, message.roles, message.reason, message.at, told


def _people(due: Iterable[Due], kind: Kind, *, timed: bool = False) -> tuple[AskedPerson, ...]:
    """Whom messages of a kind go to, each once, with all roles that they name."""
    roles: dict[str, list[str]] = {}
    first: dict[str, datetime] = {}
    for message in (one.notification for one in due if one.notification.kind is kind):
        roles.setdefault(message.to, []).extend(message.roles)
        first.setdefault(message.to, message.at)
    return tuple(
        AskedPerson(person, tuple(dict.fromkeys(names)), first[person] if timed else None)
        for person, names in roles.items()
    )


def _paged_later(before: History, after: History, policy: Policy, now: datetime) -> list[AskedPerson]:
    """Whom the plan pages first for roles that are asked for only now, where pages wait for their hours."""
    assert after.incident is not None
    if after.resolved_at is not None:
        return []
    newly = [
        name
        for name, role in after.roles.items()
        if role.needed and role.holder is None and role.step is None and not _needs(before, name)
    ]
    coming = next_pages(after.incident, policy, after, tuple(newly), now) if newly else None
    return [AskedPerson(person, tuple(newly), coming.at) for person in coming.people] if coming else []


def _needs(history: History, role: str) -> bool:
    known = history.roles.get(role)
    return known is not None and known.needed


def _taking_over(history: History, pages: Iterable[AskedPerson]) -> tuple[AskedPerson, ...]:
    """Who of those paged is to take a role from somebody who holds it."""
    asked = {person.person for person in pages}
    handed = [(role.handover.person, role.role) for role in history.roles.values() if role.handover and role.holder]
    return tuple(AskedPerson(person, (role,)) for person, role in handed if person in asked)


def _groups_told(due: Iterable[Due], ended: History | None, policy: Policy) -> tuple[str, ...]:
    """The groups that hear of it, each once, insiders first; of the end all that heard of the incident in this
    episode.
    """
    named = [one.notification.group for one in due if one.notification.kind is Kind.UPDATE]
    heard = [name for name, group in ended.groups.items() if group.updates] if ended else []
    told = dict.fromkeys(name for name in (*named, *heard) if name)
    return tuple(sorted(told, key=lambda name: _is_external(name, policy)))


def _is_external(group: str, policy: Policy) -> bool:
    return group in policy.stakeholders and policy.stakeholders[group].external


def _messages(due: Iterable[Due], outside: tuple[str, ...], policy: Policy) -> Iterable[OutsideMessage]:
    """What outsiders read: of each group and channel the first, as its readers share their words. The end names no
    group.
    """
    updates: dict[tuple[str, Channel], Due] = {}
    ends: dict[tuple[str, Channel], Due] = {}
    for one in due:
        message = one.notification
        if message.kind is Kind.UPDATE and message.group in outside:
            updates.setdefault((message.group, message.via), one)
        elif message.kind is Kind.CLOSING and message.external:
            ends[message.to, message.via] = one
    for name in outside:
        group = policy.stakeholders[name]
        for via in Channel:
            if (name, via) in updates:
                yield OutsideMessage(name, updates[name, via])
            readers = (*group.people, *group.emails) if ends else ()
            end = next((ends[reader, via] for reader in readers if (reader, via) in ends), None)
            if end is not None:
                yield OutsideMessage(name, end)


def _held(
    before: History, after: History, groups: tuple[str, ...], policy: Policy, now: datetime
) -> Iterable[WithheldGroup]:
    """The external groups that the incident concerns and that hear nothing of it now, and why. Where nobody is told
    anything, that they see nothing of it is no news.
    """
    incident = after.incident
    assert incident is not None
    added = new_entries(before.incident, incident) if before.incident else incident.updates
    without_public = bool(added) and not any(entry.public for entry in added)
    if before.incident and not (groups or added or after.resolved_at):
        return
    for concern in groups_concerned(replace(incident, drill=False), policy, policy.severity(incident.severity)):
        group, name = concern.group, concern.group.id
        if not group.external or name in groups:
            continue
        waiting, known = after.held_groups.get(name), after.groups.get(name)
        if incident.drill:
            yield WithheldGroup(name, HeldBack.DRILL)
        elif after.resolved_at is not None:
            yield WithheldGroup(name, HeldBack.NEVER_TOLD)
        elif waiting is not None:
            word = first_word(after, group, concern.cadence, waiting.since)
            yield WithheldGroup(name, HeldBack.FIRST_WORD, word.waits_for, word.leaves_at)
        elif known is not None and known.last_at >= now:
            yield WithheldGroup(name, HeldBack.NO_READER)
        elif known is not None:
            yield WithheldGroup(name, HeldBack.NOT_VISIBLE, "", known.promised_at, without_public)
