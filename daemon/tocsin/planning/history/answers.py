"""What an `ok` or a `pass` does to the roles (rules 15, 16, 68), and an `ok` to verification (rule 27).

Both are judged by what had happened at their instant; `noticed_at` is when the daemon learned of it, which is when
others can be told.
"""

from datetime import datetime, timedelta

from tocsin.domain.history import Handover, History, PendingStandDowns, RoleHistory
from tocsin.domain.incident import Incident
from tocsin.domain.notification import Reason
from tocsin.planning.history.fast_replace import replace

NOT_MOVED = timedelta(0)


def apply_ok(
    history: History, person: str, at: datetime, noticed_at: datetime, moved: timedelta = NOT_MOVED
) -> History:
    """The history after an acknowledgment: it accepts every role that the person was paged for or is assigned, if
    nobody holds it. One that finds nothing to accept or confirm is noted as ineffective. `moved`: by how much its
    instant was moved with our clock since it was written.
    """
    incident = history.incident
    assert incident is not None
    if history.resolved_at is not None:
        return replace(history, verified=history.verified or _had_been_asked(history.verify_people, person, at, moved))
    roles, effective = dict(history.roles), False
    for name, role in history.roles.items():
        asked = _had_been_asked(role.first_pages, person, at, moved)
        if person == role.holder or asked or incident.assigned(name) == person:
            effective = True
            roles[name] = _accepted(role, incident, person, at, noticed_at)
    accepted = any(role.holder != history.holder(name) for name, role in roles.items())
    first_accepted_at = history.first_accepted_at or (noticed_at if accepted else None)
    acted = history.acted or roles != history.roles
    history = replace(history, roles=roles, first_accepted_at=first_accepted_at, acted=acted)
    if _had_been_asked(history.responders, person, at, moved):
        return replace(history, responders_answered=history.responders_answered | {person}, acted=True)
    if incident.unreadable and effective:
        return replace(history, unreadable_ended=True)
    return (
        history if effective else replace(history, ineffective_acks=(*history.ineffective_acks, (person, noticed_at)))
    )


def apply_dated_ok(
    history: History, person: str, dated: datetime, seen_at: datetime, moved: timedelta = NOT_MOVED
) -> History:
    """The history after an acknowledgment that the file dates so, first seen at `seen_at`. One that accepts nothing at
    its date, but would when it is seen, answers a page from between: it was dated by another clock, and counts from
    when it is seen (rule 68). That all is healthy is only confirmed by its date.
    """
    as_dated = apply_ok(history, person, dated, seen_at, moved)
    if _accepts(history, as_dated):
        return as_dated
    as_seen = apply_ok(history, person, seen_at, seen_at, moved)
    return as_seen if _accepts(history, as_seen) else as_dated


def last_asked_at(history: History, person: str, otherwise: datetime) -> datetime:
    """When the person was last asked for a role for the first time."""
    asked = [history.responders, *(role.first_pages for role in history.roles.values())]
    return max((at for first_pages in asked for name, at in first_pages if name == person), default=otherwise)


def _accepts(before: History, after: History) -> bool:
    """Whether an acknowledgment gave somebody a role, was a responder's, or ended the pages for an unreadable file."""
    given = any(role.holder != before.holder(name) for name, role in after.roles.items())
    answered = after.responders_answered != before.responders_answered
    return given or answered or after.unreadable_ended != before.unreadable_ended


def _had_been_asked(first_pages: tuple[tuple[str, datetime], ...], person: str, at: datetime, moved: timedelta) -> bool:
    """Whether the person had been asked when they answered.

    An instant written by hand to the minute means that minute: "10:04" answers a page of 10:04:30. It is one by the
    clock by which it was written, however that was moved since (rule 60).
    """
    first_page_at = next((first_at for name, first_at in first_pages if name == person), None)
    if first_page_at is None:
        return False
    written, minute = at - moved, (first_page_at - moved).replace(second=0, microsecond=0)
    return first_page_at <= at or (written.second == written.microsecond == 0 and minute <= written)


def _accepted(role: RoleHistory, incident: Incident, person: str, at: datetime, noticed_at: datetime) -> RoleHistory:
    """One role after an acknowledgment of somebody asked or assigned."""
    if role.holder == person:
        return replace(role, answered_at=at, still_asked_at=None)
    handed_over = role.handover is not None and role.handover.person == person
    assigned = incident.assigned(role.role)
    if (role.holder is not None and not handed_over) or (not role.needed and assigned != person):
        return role
    pending = role.restart_at is not None and assigned is not None and assigned != person
    return replace(
        role,
        needed=True,
        holder=person,
        accepted_at=at,
        answered_at=None,
        passed=role.passed - {person},
        asked_anew=role.asked_anew - {person},
        left_out=role.left_out - {person},
        next_now_at=None,
        declined=False,
        restart_at=None,
        handover=Handover(assigned, noticed_at) if pending and assigned else None,
        still_asked_at=None,
        pending_stand_downs=PendingStandDowns(Reason.ACCEPTED, noticed_at, role.holder),
    )


def apply_pass(history: History, person: str, at: datetime, *, asked_only: bool = False) -> History:
    """The history after a `pass`: it declines every role that the person holds or is asked for (rule 16), and the pages
    for a file that cannot be read (rule 32); with `asked_only` nothing that they hold (rule 47).
    """
    incident = history.incident
    assert incident is not None
    if history.resolved_at is not None:
        return history
    roles = dict(history.roles)
    for name, role in history.roles.items():
        if not (asked_only and role.holder == person):
            roles[name] = _declined(role, person, incident.assigned(name) == person, at)
    passed = history.responders_passed
    responds = asked_only and person in history.responders_answered
    if any(name == person for name, _ in history.responders) and not responds:
        passed = passed | {person}
    acted = history.acted or (roles, passed) != (history.roles, history.responders_passed)
    return replace(history, roles=roles, responders_passed=passed, acted=acted)


def _declined(role: RoleHistory, person: str, assigned: bool, at: datetime) -> RoleHistory:
    """One role after a pass. The next step comes at once if the person held the role, or if everybody of the newest
    step has passed (rule 16).
    """
    if not role.wanted:
        return role
    role = replace(role, asked_anew=role.asked_anew - {person}) if role.asked_anew else role
    if role.holder == person:
        return replace(
            role,
            holder=None,
            accepted_at=None,
            answered_at=None,
            passed=role.passed | {person},
            next_now_at=at,
            declined=True,
            handover=None,
            still_asked_at=None,
            pending_stand_downs=None,
        )
    if role.handover is not None and role.handover.person == person:
        return replace(role, handover=None, passed=role.passed | {person})
    if role.holder is not None or not (role.was_paged(person) or assigned):
        return role
    passed, step = role.passed | {person}, role.step
    if step is not None and not step.last_resort and step.people and passed.issuperset(step.people):
        return replace(role, passed=passed, next_now_at=at, declined=True)
    return replace(role, passed=passed)
