"""Which roles an incident needs now, and whose ladder begins, begins anew or ends (rules 8, 9, 15, 18, 19)."""

from datetime import datetime

from tocsin.domain.facts import Assessed, RoleAccepted, RoleDropped, RoleOpened
from tocsin.domain.history import History, RoleHistory
from tocsin.domain.notification import Reason
from tocsin.domain.policy import RESPONDER, Policy
from tocsin.planning.draft import Draft
from tocsin.planning.escalation import deciding_service, people_at_level_zero, people_named
from tocsin.planning.on_call.hours import open_time_after


def open_and_drop_roles(draft: Draft) -> None:
    """Open and drop roles so that they are those the severity asks for, and those the file assigns besides. Done again
    when the severity or the config's revision is another one; between, only for names written in the file.
    """
    before = draft.history.assessed
    up_to_date = before is not None and (before.severity, before.revision) == (
        draft.severity.name,
        draft.policy.revision,
    )
    needed = draft.roles
    at = _needs_changed_at(draft)
    if before is not None and not up_to_date:
        for name, role in draft.history.roles.items():
            if role.needed and name not in needed:
                draft.record(RoleDropped(at, name))
    for name in needed:
        _open_if_needed(draft, name, at, up_to_date)
    if not up_to_date:
        _accept_at_first_sight(draft, at)
        via = draft.page.via if draft.page else ()
        draft.record(Assessed(at, draft.severity.name, draft.policy.revision, via))


def first_page_is_due(history: History, policy: Policy) -> bool:
    """Whether an open incident needs a role for which nobody was asked yet (rule 62)."""
    known = history.incident
    page = policy.severity(known.severity).page if known and history.resolved_at is None else None
    if page is None:
        return False
    roles = (history.roles.get(name) for name in page.roles)
    return history.assessed is None or any(role is None or not role.needed or role.step is None for role in roles)


def known_in_order(draft: Draft) -> list[RoleHistory]:
    """The roles that were ever needed, in the order in which a message lists them."""
    order = (*draft.roles, *draft.history.roles)
    return [draft.history.roles[name] for name in dict.fromkeys(order) if name in draft.history.roles]


def reopen_lost_roles(draft: Draft) -> None:
    """A holder who left the config, or did not answer whether they are still there, loses the role: its ladder
    starts anew (rules 8, 19).
    """
    page = draft.page
    for role in tuple(draft.history.roles.values()):
        if not role.needed or role.holder is None:
            continue
        if role.holder not in draft.policy.people:
            _open(draft, role.role, draft.changed_at, Reason.ESCALATED)
        elif role.still_asked_at is not None and page is not None:
            expires_at = open_time_after(draft.hours, role.still_asked_at, page.acknowledge_within)
            if expires_at <= draft.now:
                _open(draft, role.role, expires_at, Reason.ESCALATED, without=role.holder)
            else:
                draft.look_at(expires_at)


def _needs_changed_at(draft: Draft) -> datetime:
    """The instant at which what is needed changed: the episode's start, the end of a drill that became real, or the
    severity's or config's change.
    """
    history, before = draft.history, draft.history.assessed
    assert history.started_at is not None
    if before is None:
        return draft.instant(history.in_earnest_at or history.started_at)
    return draft.instant(draft.changed_at)


def _open_if_needed(draft: Draft, name: str, at: datetime, up_to_date: bool) -> None:
    """Begin the ladder of a role newly needed, or begin it anew for a name written on it since."""
    role = draft.history.roles.get(name) or RoleHistory(name)
    before = draft.history.assessed
    if role.needed:
        begins_to_page = before is not None and not before.via and draft.page is not None
        if role.holder is None and begins_to_page and role.step is None and not up_to_date:
            _open(draft, name, at, Reason.SEVERITY_RAISED)
        elif role.holder is None and role.restart_at is not None:
            _open(draft, name, role.restart_at, Reason.ASSIGNED)
        return
    extra = draft.page is None or name not in draft.page.roles
    assigned_now = role.restart_at is not None and role.restart_at == draft.history.seen_at
    if draft.history.assessed is None:
        _open(draft, name, at, draft.history.reason)
    elif up_to_date or (extra and assigned_now):
        _open(draft, name, role.restart_at or at, Reason.ASSIGNED)
    else:
        _open(draft, name, at, Reason.SEVERITY_RAISED)


def _open(draft: Draft, name: str, at: datetime, reason: Reason, without: str | None = None) -> None:
    first = draft.incident.assigned(name)
    draft.record(RoleOpened(draft.instant(at), name, reason, deciding_service(draft, name), first, without))


def _accept_at_first_sight(draft: Draft, at: datetime) -> None:
    """Who stands under `acknowledged` in the episode's first version accepts, without a page, the roles whose level 0
    names them, and answers for `responder` too (rule 15).
    """
    services = (draft.policy.services.get(name) for name in draft.incident.services)
    responders = people_named(draft, [who for service in services if service for who in service.responders], at)
    for person in draft.history.first_sight:
        for role in tuple(draft.history.roles.values()):
            if role.needed and role.holder is None and person in people_at_level_zero(draft, role, at):
                draft.record(RoleAccepted(at, role.role, person))
        if person in responders:
            draft.record(RoleAccepted(at, RESPONDER, person))
