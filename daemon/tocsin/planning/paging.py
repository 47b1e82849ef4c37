"""Which pages are due now. Gathers what ladders (rule 6), handovers (rule 9), responders (rule 10) and
`still_there` (rule 19) ask for, and makes one page for each person and instant (rule 12). A file that cannot be read
pages the last resort instead (rule 32).
"""

from datetime import datetime

from tocsin.domain.facts import HandoverAsked, Paged, StepFired, StillThereAsked
from tocsin.domain.history import NO_ROLE, RoleHistory
from tocsin.domain.notification import Kind, Reason, Why
from tocsin.domain.people import Channel
from tocsin.planning.draft import Draft
from tocsin.planning.escalation import (
    PageRequest,
    fire_due_step,
    last_resort_people,
    step_ends_at,
    waits_for_ledger,
    window_after,
)
from tocsin.planning.needed_roles import known_in_order
from tocsin.planning.reach import AT_ONCE, STOPPED, channels_of, page_channels, reachable
from tocsin.planning.responders import page_responders


def send_due_pages(draft: Draft) -> frozenset[tuple[str, Channel]]:
    """Send every page that is due; gives who was paged by which channel just now."""
    paged: set[tuple[str, Channel]] = set()
    for merged in due_pages(draft):
        paged |= _send_page(draft, merged)
    return frozenset(paged)


def due_pages(draft: Draft) -> list[list[PageRequest]]:
    """Every page that is due, each by what asks for it; that it was asked for is recorded, and nothing is sent."""
    requests: list[PageRequest] = []
    for role in known_in_order(draft):
        requests += fire_due_step(draft, role)
        requests += _ask_to_take_over(draft, role)
        requests += _ask_still_there(draft, role)
    requests += page_responders(draft)
    return _by_person_and_instant(requests)


def page_for_unreadable_file(draft: Draft) -> None:
    """Page the last resort by the `via` of `unreadable_severity`, each `acknowledge_within`, without a role, until an
    `ok` or until the file has gone (rule 32); without those who passed, unless nobody would remain (rule 16).
    """
    page, history = draft.page, draft.history
    assert page is not None, "settings make sure that unreadable_severity has a page"
    assert history.started_at is not None
    if history.unreadable_ended:
        return
    role = history.roles.get(NO_ROLE) or RoleHistory(NO_ROLE)
    step = role.step
    at = draft.open_instant(step_ends_at(draft, role, step, page) if step else history.started_at)
    if at is None or waits_for_ledger(draft, role):
        return
    rule = draft.policy.place_of_last_resort()
    people = last_resort_people(draft, without=role.passed)
    draft.record(StepFired(at, NO_ROLE, None, None, people))
    if not people:
        draft.suppress(Kind.PAGE, Why.NO_CHANNEL, at, "", "the last resort reaches nobody", rule)
    for name in people:
        person = draft.person(name)
        assert person is not None
        channels = channels_of(person, page.via, history)
        draft.record(Paged(at, name, (), None, None, Reason.LAST_RESORT, channels))
        for via in channels:
            draft.send(Kind.PAGE, Reason.LAST_RESORT, at, name, via, rule=rule)


def _by_person_and_instant(requests: list[PageRequest]) -> list[list[PageRequest]]:
    """The requests that are one page, in the order of its roles (rule 12)."""
    merged: dict[tuple[str, datetime], list[PageRequest]] = {}
    for request in requests:
        merged.setdefault((request.person, request.at), []).append(request)
    return list(merged.values())


def _send_page(draft: Draft, requests: list[PageRequest]) -> set[tuple[str, Channel]]:
    """One page to one person: now by the channels that go at once, later by those of `reach` that wait (rule 13)."""
    first = requests[0]
    person = draft.person(first.person)
    assert person is not None, "only reachable people are asked"
    roles = tuple(dict.fromkeys(request.role for request in requests))
    channels = page_channels(person, draft.page_via, draft.history)
    at_once = tuple(dict.fromkeys(via for via, wait in channels if wait == AT_ONCE))
    waiting = tuple((via, first.at + wait) for via, wait in channels if wait > AT_ONCE)
    draft.record(Paged(first.at, person.id, roles, first.level, first.round, first.reason, at_once, waiting))
    for via in person.stopped:
        if via in draft.page_via:
            detail = STOPPED.format(via=via.traits.word)
            draft.suppress(Kind.PAGE, Why.OPTED_OUT, first.at, person.id, detail, first.rule)
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
    return {(person.id, via) for via in at_once}


def _ask_to_take_over(draft: Draft, role: RoleHistory) -> list[PageRequest]:
    """The person newly named for an accepted role is paged `rounds` times in all; the holder stays (rule 9)."""
    handover, page = role.handover, draft.page
    if handover is None or role.holder is None or not role.needed or page is None or handover.rounds >= page.rounds:
        return []
    at = draft.open_instant(window_after(draft, handover.asked_at, page) if handover.asked_at else handover.since)
    if at is None:
        return []
    number = handover.rounds + 1
    draft.record(HandoverAsked(at, role.role, handover.person, number))
    rule = draft.place_of(role.role)
    return _if_reachable(draft, PageRequest(handover.person, role.role, at, Reason.ASSIGNED, rule, 0, number))


def _ask_still_there(draft: Draft, role: RoleHistory) -> list[PageRequest]:
    """The holder of a silent incident is asked to confirm, once for each silence (rule 19)."""
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
    return _if_reachable(draft, PageRequest(role.holder, role.role, at, Reason.STILL_THERE, page.place))


def _if_reachable(draft: Draft, request: PageRequest) -> list[PageRequest]:
    """The request if it reaches its person; else nothing, and that is noted."""
    if reachable(draft, request.person):
        return [request]
    detail = f"{request.role}: {request.reason.value}"
    draft.suppress(Kind.PAGE, Why.NO_CHANNEL, request.at, request.person, detail, request.rule)
    return []
