"""Who is told that they are not needed for a role any more (rule 17), or have handed it over (rule 9)."""

from datetime import datetime

from tocsin.domain.facts import RoleSettled, StoodDown
from tocsin.domain.history import History, PendingStandDowns, RoleHistory
from tocsin.domain.notification import Kind, Reason, Why
from tocsin.domain.people import Channel, Person
from tocsin.planning.draft import NOTHING_LEFT, Draft
from tocsin.planning.needed_roles import known_in_order
from tocsin.planning.reach import first_channel, open_channels


def send_stand_downs(draft: Draft) -> None:
    """Settle every role accepted or dropped since the last plan. Pages of this instant have been decided before:
    they count as asking.
    """
    if all(role.pending_stand_downs is None for role in draft.history.roles.values()):
        return
    messages: dict[tuple[str, Reason, datetime], list[str]] = {}
    settled: list[str] = []
    for role in known_in_order(draft):
        pending = role.pending_stand_downs
        if pending is None:
            continue
        settled.append(role.role)
        for person, reason in _no_longer_needed(draft, role, pending):
            messages.setdefault((person, reason, pending.at), []).append(role.role)
    for (person, reason, at), roles in messages.items():
        _send(draft, person, reason, at, tuple(roles))
    for name in settled:
        draft.record(RoleSettled(draft.now, name))


def _no_longer_needed(draft: Draft, role: RoleHistory, pending: PendingStandDowns) -> list[tuple[str, Reason]]:
    """Who was paged for the role and is not needed for it now, or held it before; each with the reason they get."""
    accepted = pending.reason is Reason.ACCEPTED
    if accepted and role.holder is None:
        return []
    people: list[tuple[str, Reason]] = []
    if accepted and pending.former is not None:
        people.append((pending.former, Reason.HANDOVER))
    candidates = [name for name, _ in role.first_pages]
    if not accepted and pending.former is not None:
        candidates.append(pending.former)
    spared = role.declining | role.stood_down | {role.holder, pending.former if accepted else None}
    for name in dict.fromkeys(candidates):
        if name in spared or _asked_to_take_over(role, name):
            continue
        if _wanted_elsewhere(draft.history, name):
            detail = f"{role.role}: holds or is asked for another role"
            draft.suppress(Kind.STAND_DOWN, Why.ASKED_ELSEWHERE, pending.at, name, detail, draft.place_of(role.role))
        elif name in draft.history.reached and not draft.history.channels_heard(name):
            rule = draft.place_of(role.role)
            draft.suppress(Kind.STAND_DOWN, Why.NO_LONGER_WANTED, pending.at, name, NOTHING_LEFT, rule)
        else:
            people.append((name, pending.reason))
    return people


def _wanted_elsewhere(history: History, person: str) -> bool:
    """Whether somebody who is not wanted for this role holds another one or is being asked for it; responder counts,
    from the page until a pass.
    """
    if any(name == person for name, _ in history.responders) and person not in history.responders_passed:
        return True
    return any(_wanted_for(role, person) for role in history.roles.values())


def _wanted_for(role: RoleHistory, person: str) -> bool:
    """Whether the person holds the role, is being asked for it, or was paged to take it over."""
    if not role.needed:
        return False
    if role.holder is None:
        return role.was_paged(person) and person not in role.declining | role.left_out | role.stood_down
    return role.holder == person or _asked_to_take_over(role, person)


def _asked_to_take_over(role: RoleHistory, person: str) -> bool:
    return role.handover is not None and role.handover.person == person and role.handover.rounds > 0


def _send(draft: Draft, name: str, reason: Reason, at: datetime, roles: tuple[str, ...]) -> None:
    """One stand-down; that there was no channel for it is noted."""
    person, rule = draft.person(name), draft.place_of(roles[0])
    via = _channel(person, draft) if person else None
    instant = draft.instant(at)
    draft.record(StoodDown(instant, name, roles, reason, via))
    if via is None:
        why = Why.NO_CHANNEL if person else Why.LEFT_CONFIG
        draft.suppress(Kind.STAND_DOWN, why, instant, name, ", ".join(roles), rule)
    else:
        draft.send(Kind.STAND_DOWN, reason, instant, name, via, rule=rule, roles=roles)


def _channel(person: Person, draft: Draft) -> Channel | None:
    """The channel of a stand-down: the first by which their newest page went, which lies before them, whatever the
    severity asks for since; else their first channel.
    """
    page, usable = draft.history.newest_pages.get(person.id), open_channels(person, draft.history)
    paged_by = (via for via in page.channels if via in usable) if page else iter(())
    return next(paged_by, None) or first_channel(person, draft)
