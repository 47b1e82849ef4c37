"""How an incident stands at an instant: who holds each role that is needed, when the next update is promised (rules
23, 26), and who is paged next if nobody answers. It looks; it decides nothing and sends nothing.
"""

from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache

from tocsin.domain.facts import Fact, StepFired
from tocsin.domain.history import History
from tocsin.domain.incident import Incident
from tocsin.domain.notification import Kind, Reason
from tocsin.domain.plan import AfterPages, Plan
from tocsin.domain.policy import Policy
from tocsin.planning.audience import groups_concerned, readers_of
from tocsin.planning.cadence.first_word import FirstWord, first_word
from tocsin.planning.cadence.spans import next_due_of
from tocsin.planning.draft import Draft
from tocsin.planning.escalation import PageRequest, window_after
from tocsin.planning.needed_roles import open_and_drop_roles, reopen_lost_roles
from tocsin.planning.paging import due_pages, page_for_unreadable_file, send_due_pages
from tocsin.planning.reach import holder_of

LOOKS_MOST = 16
"""Looks ahead for the next page of a role."""
PASSES_MOST = 20
MOMENTS_KEPT = 32
"""Moments of which the pages are kept for the other pages of the same look."""
ASKING_NOBODY_ANEW = frozenset({Reason.REACH, Reason.STILL_THERE})
"""Pages that ask nobody anew."""


@dataclass(frozen=True, slots=True)
class RoleHolder:
    """A role that is needed: its holder's id (rule 26), and since when they have accepted it."""

    role: str
    person: str | None
    accepted_at: datetime | None


@dataclass(frozen=True, slots=True)
class CurrentState:
    """The roles needed, in the severity's order, then others assigned; the earliest promised update; and the groups
    that wait for their first word (rule 56), which nobody has promised them.
    """

    roles: tuple[RoleHolder, ...]
    next_update_at: datetime | None
    first_words: tuple[FirstWord, ...] = ()


@dataclass(frozen=True, slots=True)
class NextPages:
    """Whom the plan pages next for a role, and when; `last_resort`: nobody of a chain is left, or the file cannot be
    read.
    """

    at: datetime
    people: tuple[str, ...]
    last_resort: bool


def current_state(incident: Incident, policy: Policy, history: History, now: datetime) -> CurrentState:
    """How the incident stands. Until a plan was made for it, its roles are those that the severity and the file ask
    for, and nobody was promised anything. A file that cannot be read needs no roles (rule 32).
    """
    draft = Draft(incident, policy, history, now)
    roles = draft.roles if draft.page and not incident.unreadable else ()
    if history.assessed is not None:
        needed = [name for name, role in history.roles.items() if role.needed]
        roles = (*(name for name in roles if name in needed), *(name for name in needed if name not in roles))
    holders = tuple(_role_holder(draft, role) for role in roles if role)
    return CurrentState(holders, promised_update_at(incident, policy, history), first_words(incident, policy, history))


def after_pages(incident: Incident, policy: Policy, history: History, at: datetime) -> History:
    """The history once the pages due at that instant are decided; the same if they have been. `history` may be from
    before them. One in which no version was seen has nothing ahead.
    """
    if history.seen_at is None:
        return history
    return _pages(_Moment(incident, policy, history, max(at, history.seen_at))).history


def next_pages(
    incident: Incident, policy: Policy, history: History, roles: tuple[str, ...], at: datetime
) -> NextPages | None:
    """Whom the plan pages next for any of these roles (none: for the file that cannot be read), if nothing happens
    until then; None if nobody. `history` is from after the pages of that instant.
    """
    return pages_ahead(incident, policy, history, roles, at)[1]


def pages_ahead(
    incident: Incident,
    policy: Policy,
    history: History,
    roles: tuple[str, ...],
    at: datetime,
    after: AfterPages | None = None,
) -> tuple[History, NextPages | None]:
    """What `after_pages` gives, and what `next_pages` tells of that, for the price of one. `after` is what the plan of
    that page has found of it.
    """
    if history.seen_at is None:
        return history, None
    instant = max(at, history.seen_at)
    if after is not None and after.at == instant:
        return after.history, _asked_next(incident, policy, after, roles)
    planned = _pages(_Moment(incident, policy, history, instant))
    return planned.history, _asked_next(incident, policy, planned, roles)


def _asked_next(
    incident: Incident, policy: Policy, planned: Plan | AfterPages, roles: tuple[str, ...]
) -> NextPages | None:
    """Whom the plan pages next, once it has come to rest."""
    for _look in range(LOOKS_MOST):
        if planned.next_look is None:
            return None
        moment = _Moment(incident, policy, planned.history, planned.next_look)
        if coming := _by_ladders(moment, roles):
            return coming
        planned = _pages(moment)
        pages = [
            due.notification
            for due in planned.due
            if due.notification.kind is Kind.PAGE
            and due.notification.reason not in ASKING_NOBODY_ANEW
            and (incident.unreadable or set(due.notification.roles).intersection(roles))
        ]
        if pages:
            last_resort = all(page.reason is Reason.LAST_RESORT for page in pages)
            return NextPages(pages[0].at, tuple(dict.fromkeys(page.to for page in pages)), last_resort)
    return None


def promised_update_at(incident: Incident, policy: Policy, history: History) -> datetime | None:
    """The earliest instant at which somebody was promised the next update; None when nobody waits for one."""
    if history.resolved_at is not None:
        return None
    concerns = groups_concerned(incident, policy, policy.severity(incident.severity))
    readers = readers_of([concern.group for concern in concerns], policy, history)
    due = (
        next_due_of(known, concern.cadence, history)
        for concern in concerns
        if (known := history.groups.get(concern.group.id)) and readers[concern.group.id]
    )
    return min((at for at in due if at is not None), default=None)


def first_words(incident: Incident, policy: Policy, history: History) -> tuple[FirstWord, ...]:
    """What each group waits for that the plan has found concerned and that has heard nothing yet (rule 56)."""
    if history.resolved_at is not None:
        return ()
    concerns = groups_concerned(incident, policy, policy.severity(incident.severity))
    return tuple(
        first_word(history, concern.group, concern.cadence, held.since)
        for concern in concerns
        if (held := history.held_groups.get(concern.group.id))
    )


def unreached_since(history: History) -> datetime | None:
    """Since when a role has nobody left who could be asked: its last resort reached nobody (rule 66); None while every
    role that is needed has somebody who holds it or is asked for it.
    """
    if history.resolved_at is not None or history.unreadable_ended:
        return None
    unreadable = history.incident is not None and history.incident.unreadable
    steps = (role.step for role in history.roles.values() if (role.needed and role.holder is None) or unreadable)
    return min((step.at for step in steps if step and step.last_resort and not step.people), default=None)


class _Moment:
    """What a plan is made of, the same only if it is the very same: the words of all pages of one look ask for it."""

    __slots__ = ("history", "incident", "now", "policy")

    def __init__(self, incident: Incident, policy: Policy, history: History, now: datetime) -> None:
        self.incident, self.policy, self.history, self.now = incident, policy, history, now

    def __hash__(self) -> int:
        return hash((id(self.history), self.now))

    def __eq__(self, other: object) -> bool:
        assert isinstance(other, _Moment)
        same = self.history is other.history and self.policy is other.policy and self.incident is other.incident
        return same and self.now == other.now


def _by_ladders(moment: _Moment, roles: tuple[str, ...]) -> NextPages | None:
    """Whom ladders alone page at that moment for any of these roles: what `_pages` says of it, without sending and
    folding. None where there may be more to it, or nothing.
    """
    pages = [page for page in _ladder_pages(moment) if any(request.role in roles for request in page)]
    if not pages:
        return None
    last_resort = all(page[0].reason is Reason.LAST_RESORT for page in pages)
    return NextPages(pages[0][0].at, tuple(dict.fromkeys(page[0].person for page in pages)), last_resort)


@lru_cache(MOMENTS_KEPT)
def _ladder_pages(moment: _Moment) -> tuple[list[PageRequest], ...]:
    """The pages of a moment at which only steps of ladders fire, and one pass finds all there is: no step is followed
    by another at once, and no address that was refused can become good by what is sent. None otherwise.
    """
    incident, history = moment.incident, moment.history
    if incident.unreadable or history.resolved_at is not None or history.refused:
        return ()
    draft = Draft(incident, moment.policy, history, moment.now)
    draft.begin_pass()
    reopen_lost_roles(draft)
    open_and_drop_roles(draft)
    pages = due_pages(draft)
    return tuple(pages) if all(_is_last_of_now(draft, fact) for fact in draft.facts) else ()


def _is_last_of_now(draft: Draft, fact: Fact) -> bool:
    """Whether a fact is a step of a ladder that is followed by none at the same moment."""
    return (
        isinstance(fact, StepFired) and draft.page is not None and window_after(draft, fact.at, draft.page) > draft.now
    )


@lru_cache(MOMENTS_KEPT)
def _pages(moment: _Moment) -> Plan:
    """The part of the plan that pages."""
    incident, history = moment.incident, moment.history
    draft = Draft(incident, moment.policy, history, moment.now)
    for _pass in range(PASSES_MOST):
        before = draft.decisions
        draft.begin_pass()
        if incident.unreadable:
            page_for_unreadable_file(draft)
        elif history.resolved_at is None:
            reopen_lost_roles(draft)
            open_and_drop_roles(draft)
            send_due_pages(draft)
        if draft.decisions == before:
            break
    return draft.plan()


def _role_holder(draft: Draft, role: str) -> RoleHolder:
    person, known = holder_of(draft, role), draft.history.roles.get(role)
    accepted = person is not None and known is not None and known.holder == person.id
    return RoleHolder(role, person.id if person else None, known.accepted_at if known and accepted else None)
