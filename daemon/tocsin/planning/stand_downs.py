"""Stand-downs: who is told that they are no longer needed for a role (rules 9, 17, 18 and the corner of 17)."""

from datetime import datetime

from tocsin.domain.facts import RoleSettled, StoodDown
from tocsin.domain.history import History, PendingStandDowns, RoleHistory
from tocsin.domain.notification import Kind, Reason, Why
from tocsin.planning.draft import Draft
from tocsin.planning.needed_roles import known_in_order
from tocsin.planning.reach import first_channel


def send_stand_downs(draft: Draft) -> None:
    """Settle every role accepted or dropped since the last plan. Pages of this instant have been decided before:
    they count as asking.
    """
    told: dict[tuple[str, Reason, datetime], list[str]] = {}
    settled: list[str] = []
    for role in known_in_order(draft):
        settling = role.pending_stand_downs
        if settling is None:
            continue
        settled.append(role.role)
        for person, reason in _in_vain(draft, role, settling):
            told.setdefault((person, reason, settling.at), []).append(role.role)
    for (person, reason, at), roles in told.items():
        _tell(draft, person, reason, at, tuple(roles))
    for name in settled:
        draft.record(RoleSettled(draft.now, name))


def _in_vain(draft: Draft, role: RoleHistory, settling: PendingStandDowns) -> list[tuple[str, Reason]]:
    """Who was paged for the role in vain, or held it before, each with the reason they are told."""
    accepted = settling.reason is Reason.ACCEPTED
    if accepted and role.holder is None:
        return []
    people: list[tuple[str, Reason]] = []
    if accepted and settling.former is not None:
        people.append((settling.former, Reason.HANDOVER))
    asked = [name for name, _ in role.first_pages]
    if not accepted and settling.former is not None:
        asked.append(settling.former)
    for name in dict.fromkeys(asked):
        if name in (role.holder, settling.former if accepted else None) or name in role.passed | role.stood_down:
            continue
        if _wanted_elsewhere(draft.history, name, role.role):
            detail = f"{role.role}: holds or is asked for another role"
            draft.hold(Kind.STAND_DOWN, Why.ASKED_ELSEWHERE, settling.at, name, detail, draft.place_of(role.role))
        else:
            people.append((name, settling.reason))
    return people


def _wanted_elsewhere(history: History, person: str, but: str) -> bool:
    """Whether the person holds or is being asked for another role; responder counts, from the page until a pass."""
    if any(name == person for name, _ in history.responders) and person not in history.responders_passed:
        return True
    return any(_wanted(role, person) for role in history.roles.values() if role.role != but)


def _wanted(role: RoleHistory, person: str) -> bool:
    if not role.needed:
        return False
    if role.holder is None:
        return role.was_paged(person) and person not in role.passed | role.left_out | role.stood_down
    asked_to_take_over = role.handover is not None and role.handover.person == person and role.handover.rounds > 0
    return role.holder == person or asked_to_take_over


def _tell(draft: Draft, name: str, reason: Reason, at: datetime, roles: tuple[str, ...]) -> None:
    person, rule = draft.person(name), draft.place_of(roles[0])
    via = first_channel(person, draft) if person else None
    instant = draft.instant(at)
    draft.record(StoodDown(instant, name, roles, reason, via))
    if via is None:
        why = Why.NO_CHANNEL if person else Why.LEFT_CONFIG
        draft.hold(Kind.STAND_DOWN, why, instant, name, ", ".join(roles), rule)
    else:
        draft.send(Kind.STAND_DOWN, reason, instant, name, via, rule=rule, roles=roles)
