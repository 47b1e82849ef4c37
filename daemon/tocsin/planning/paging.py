"""Paging: which pages are due now. Gathers what every ladder asks for and makes one page per person and instant.

Ladders, responders, handovers and `still_there` ask (rules 6, 9, 10, 19); here people get pages (rules 12, 13).
"""

from datetime import datetime

from tocsin.domain.facts import HandoverAsked, Paged, StepFired, StillThereAsked
from tocsin.domain.history import RoleHistory
from tocsin.domain.notification import Kind, Reason, Why
from tocsin.domain.people import Channel
from tocsin.planning.draft import Draft
from tocsin.planning.escalation import PageRequest, fire_due_step, last_resort_people, window_after
from tocsin.planning.needed_roles import known_in_order
from tocsin.planning.on_call.hours import opening_from
from tocsin.planning.reach import AT_ONCE, channels_of, page_channels, reachable
from tocsin.planning.responders import page_responders


def send_due_pages(draft: Draft) -> frozenset[tuple[str, Channel]]:
    """Send every page that is due; gives who was paged by which channel just now."""
    asks: list[PageRequest] = []
    for role in known_in_order(draft):
        asks += fire_due_step(draft, role)
        asks += _hand_over(draft, role)
        asks += _still_there(draft, role)
    asks += page_responders(draft)
    sent: set[tuple[str, Channel]] = set()
    for each in _together(asks):
        sent |= _page(draft, each)
    return frozenset(sent)


def _together(asks: list[PageRequest]) -> list[list[PageRequest]]:
    """What is asked of one person at one instant, in page order (rule 12)."""
    merged: dict[tuple[str, datetime], list[PageRequest]] = {}
    for ask in asks:
        merged.setdefault((ask.person, ask.at), []).append(ask)
    return list(merged.values())


def _page(draft: Draft, asks: list[PageRequest]) -> set[tuple[str, Channel]]:
    """One page to one person: at once by the first channels, later by those of `reach` that wait."""
    first = asks[0]
    person = draft.person(first.person)
    assert person is not None, "only reachable people are asked"
    roles = tuple(dict.fromkeys(ask.role for ask in asks))
    listed = page_channels(person, draft.page_via, draft.history)
    at_once = tuple(dict.fromkeys(via for via, wait in listed if wait == AT_ONCE))
    waiting = tuple((via, first.at + wait) for via, wait in listed if wait > AT_ONCE)
    draft.record(Paged(first.at, person.id, roles, first.level, first.round, first.reason, at_once, waiting))
    for via in at_once:
        draft.send(
            Kind.PAGE,
            first.reason,
            first.at,
            person.id,
            via,
            rule=first.rule,
            roles=roles,
            level=first.level,
            round=first.round,
        )
    for _, due_at in waiting:
        draft.look(opening_from(draft.hours, due_at))
    return {(person.id, via) for via in at_once}


def _hand_over(draft: Draft, role: RoleHistory) -> list[PageRequest]:
    """The person newly named for an accepted role is asked `rounds` times in all; the holder stays (rule 9)."""
    handover, page = role.handover, draft.page
    if handover is None or role.holder is None or not role.needed or page is None or handover.rounds >= page.rounds:
        return []
    at = draft.open_instant(window_after(draft, handover.asked_at, page) if handover.asked_at else handover.since)
    if at is None:
        return []
    number = handover.rounds + 1
    draft.record(HandoverAsked(at, role.role, handover.person, number))
    rule = draft.place_of(role.role)
    return _asks(draft, [PageRequest(handover.person, role.role, at, Reason.ASSIGNED, rule, 0, number)])


def _still_there(draft: Draft, role: RoleHistory) -> list[PageRequest]:
    """The holder of a silent incident is asked to confirm (rule 19)."""
    page, history = draft.page, draft.history
    if page is None or page.still_there_after is None or role.holder is None or not role.needed:
        return []
    if role.still_asked_at is not None:
        return []
    assert role.accepted_at is not None
    assert history.changed_at is not None
    silent_since = max(role.accepted_at, role.answered_at or role.accepted_at, history.changed_at)
    at = draft.open_instant(silent_since + page.still_there_after)
    if at is None:
        return []
    draft.record(StillThereAsked(at, role.role, role.holder))
    return _asks(draft, [PageRequest(role.holder, role.role, at, Reason.STILL_THERE, page.place)])


def _asks(draft: Draft, asks: list[PageRequest]) -> list[PageRequest]:
    """Those of the asks that reach somebody; the others are noted."""
    for ask in asks:
        if not reachable(draft, ask.person):
            detail = f"{ask.role}: {ask.reason.value}"
            draft.hold(Kind.PAGE, Why.NO_CHANNEL, ask.at, ask.person, detail, ask.rule)
    return [ask for ask in asks if reachable(draft, ask.person)]


NO_ROLE = ""


def page_for_unreadable_file(draft: Draft) -> None:
    """Page the last resort by the channels of `unreadable_severity`, each `acknowledge_within`, without a role."""
    page, history = draft.page, draft.history
    assert page is not None, "settings make sure that unreadable_severity has a page"
    assert history.started_at is not None
    if history.unreadable_ended:
        return
    role = history.roles.get(NO_ROLE) or RoleHistory(NO_ROLE)
    at = draft.open_instant(window_after(draft, role.step.at, page) if role.step else history.started_at)
    if at is None:
        return
    rule = draft.policy.place_of_last_resort()
    people = last_resort_people(draft, frozenset())
    draft.record(StepFired(at, NO_ROLE, None, None, people))
    if not people:
        draft.hold(Kind.PAGE, Why.NO_CHANNEL, at, "", "the last resort reaches nobody", rule)
    for name in people:
        person = draft.person(name)
        assert person is not None
        channels = channels_of(person, page.via, history)
        draft.record(Paged(at, name, (), None, None, Reason.LAST_RESORT, channels))
        for via in channels:
            draft.send(Kind.PAGE, Reason.LAST_RESORT, at, name, via, rule=rule)
