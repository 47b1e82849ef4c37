"""The history of an incident from its facts, one at a time. The same facts always give the same history.

It knows what happened, not what should: no policy comes in here. Versions of the file are compared in `versions`, what
people answered is applied in `answers`; what the plan decided is noted down here.
"""

from collections.abc import Iterable, Iterator
from datetime import datetime

from tocsin.domain import facts as f
from tocsin.domain.history import (
    NO_ROLE,
    NOBODY,
    FiredStep,
    GroupHistory,
    Handover,
    HeldGroup,
    History,
    PendingStandDowns,
    ResponderBatch,
    RoleHistory,
    WaitingPage,
)
from tocsin.domain.notification import Reason
from tocsin.domain.people import Channel
from tocsin.domain.policy import RESPONDER
from tocsin.planning.history.answers import apply_dated_ok, apply_pass, last_asked_at
from tocsin.planning.history.fast_replace import replace
from tocsin.planning.history.reached import reached_with, with_first_pages, with_page_elsewhere, with_reached
from tocsin.planning.history.subjects import note_subjects, with_taken_back
from tocsin.planning.history.versions import apply_version


class HistoryError(Exception):
    """Facts that do not fit together: in a ledger that was edited, or restored in part (rule 63)."""


def fold_facts(facts: Iterable[f.Fact], history: History | None = None) -> History:
    """The history after all these facts, in their order. Raises HistoryError."""
    history = history or History()
    for after in fold_each(facts, history):
        history = after
    return history


def fold_each(facts: Iterable[f.Fact], history: History) -> Iterator[History]:
    """The history after each of these facts. Raises HistoryError."""
    for number, fact in enumerate(facts, 1):
        try:
            history = apply_fact(history, fact)
        except (AssertionError, LookupError, TypeError, ValueError) as fault:
            raise HistoryError(f"fact {number}, {type(fact).__name__}, does not fit those before it") from fault
        yield history


def apply_fact(history: History, fact: f.Fact) -> History:
    """The history after one more fact."""
    return note_subjects(_apply(history, fact), fact)


def _apply(history: History, fact: f.Fact) -> History:
    match fact:
        case f.Seen():
            return apply_version(history, fact)
        case f.Answered() | f.Coded() | f.Noted() | f.ClockMoved():
            return _apply_answer(history, fact)
        case f.ChannelRefused() | f.RefusalTakenBack():
            return _apply_refusal(history, fact)
        case f.PageLost():
            return _apply_page_lost(history, fact)
        case f.Assessed():
            return _apply_assessment(history, fact)
        case f.Gone() | f.Closed() | f.VerifyAsked() | f.ReviewAsked():
            return _apply_ending(history, fact)
        case f.UpdateHeld() | f.Updated() | f.Reminded():
            return _apply_update(history, fact)
        case f.FirstWordHeld() | f.FirstWordDropped() | f.EtaReminded():
            return _apply_wait(history, fact)
        case f.Paged() | f.ReachSettled():
            return _apply_page(history, fact)
        case f.RespondersAsked():
            return _apply_responders(history, fact)
        case f.StoodDown():
            return _apply_stand_down(history, fact)
        case _:
            return _apply_to_role(history, fact)


def _apply_answer(history: History, fact: f.Answered | f.Coded | f.Noted | f.ClockMoved) -> History:
    """An answer; a note only tells that somebody acted. A code, a clock that was put right (and the facts before with
    it), and an answer before anything was seen, as 0.3 recorded some, change nothing that the plan asks about.
    """
    if isinstance(fact, f.Noted):
        return replace(history, acted=history.acted or history.resolved_at is None)
    if not isinstance(fact, f.Answered) or history.incident is None:
        return history
    if fact.answer is f.Answer.OK:
        return apply_dated_ok(history, fact.person, fact.at, max(fact.at, last_asked_at(history, fact.person, fact.at)))
    return apply_pass(history, fact.person, fact.at, asked_only=fact.asked_only)


_RoleFact = (
    f.RoleOpened | f.RoleDropped | f.RoleAccepted | f.StepFired | f.HandoverAsked | f.StillThereAsked | f.RoleSettled
)


def _apply_to_role(history: History, fact: _RoleFact) -> History:
    """Note what happened to one role's ladder."""
    if isinstance(fact, f.RoleAccepted) and fact.role == RESPONDER:
        answered = history.responders_answered | {fact.person}
        return replace(
            history,
            responders_answered=answered,
            responders=with_first_pages(history.responders, [fact.person], fact.at),
            acted=True,
        )
    role = history.roles.get(fact.role) or RoleHistory(fact.role)
    match fact:
        case f.RoleOpened():
            role = _open(role, fact)
        case f.RoleDropped():
            role = replace(
                RoleHistory(role.role, opened=role.opened, first_pages=role.first_pages, passed=role.passed),
                stood_down=role.stood_down,
                pending_stand_downs=PendingStandDowns(Reason.SEVERITY_LOWERED, fact.at, role.holder),
            )
        case f.RoleAccepted():
            role = replace(role, holder=fact.person, accepted_at=fact.at)
            first_accepted_at = history.first_accepted_at or fact.at
            history = replace(history, first_accepted_at=first_accepted_at, acted=True)
        case f.StepFired():
            role = replace(
                role,
                asked_anew=role.asked_anew | role.passed.intersection(fact.people) if role.passed else NOBODY,
                step=FiredStep(fact.at, fact.round, fact.level, fact.people),
                next_now_at=None,
                declined=role.declined and not fact.people,
                first_pages=with_first_pages(role.first_pages, fact.people, fact.at),
                stood_down=role.stood_down.difference(fact.people) if role.stood_down else role.stood_down,
            )
        case f.HandoverAsked():
            since = role.handover.since if role.handover else fact.at
            role = replace(
                role,
                handover=Handover(fact.person, since, fact.round, fact.at),
                first_pages=with_first_pages(role.first_pages, [fact.person], fact.at),
                stood_down=role.stood_down - {fact.person},
            )
        case f.StillThereAsked():
            first_pages = with_first_pages(role.first_pages, [fact.person], fact.at)
            stood_down = role.stood_down - {fact.person}
            role = replace(role, still_asked_at=fact.at, first_pages=first_pages, stood_down=stood_down)
        case f.RoleSettled():
            role = replace(role, pending_stand_downs=None)
    return _with_role(history, role)


def _open(role: RoleHistory, fact: f.RoleOpened) -> RoleHistory:
    """A ladder begins: nobody holds the role any more; who was asked or passed in this episode is still known."""
    return replace(
        role,
        needed=True,
        opened=role.opened + 1,
        opened_at=fact.at,
        reason=fact.reason,
        service=fact.service,
        first=fact.first,
        step=None,
        left_out=role.left_out | {fact.without} if fact.without else role.left_out,
        holder=None,
        accepted_at=None,
        answered_at=None,
        next_now_at=None,
        declined=False,
        restart_at=None,
        handover=None,
        still_asked_at=None,
        pending_stand_downs=None,
    )


def _apply_ending(history: History, fact: f.Gone | f.Closed | f.VerifyAsked | f.ReviewAsked) -> History:
    """Note how the incident comes to its end."""
    match fact:
        case f.Gone():
            return replace(history, unreadable_ended=True, gone=True)
        case f.Closed():
            by_sms_after_all = history.closed and set(fact.people) < set(history.closed_by_mail)
            owed = history.closing_owed if by_sms_after_all else ()  # others still hear the end (P5)
            return replace(history, closed=True, closed_by_mail=fact.people, closing_owed=owed)
        case f.VerifyAsked():
            people = with_first_pages(history.verify_people, fact.people, fact.at)
            return replace(history, verify_asked=fact.number, verify_people=people, verify_asked_at=fact.at)
        case f.ReviewAsked():
            return replace(history, review_asked=fact.number + 1, review_asked_at=fact.at)


def _apply_refusal(history: History, fact: f.ChannelRefused | f.RefusalTakenBack) -> History:
    """A reader's channel was refused, or is good again: then the newest page, which did not arrive there, waits to go
    there once more.
    """
    refusal = (fact.reader, fact.via, fact.address)
    if isinstance(fact, f.ChannelRefused):
        return replace(history, refused=history.refused | {refusal})
    history = replace(history, refused=history.refused - {refusal})
    page = history.newest_pages.get(fact.reader)
    if page is None or fact.again_at is None:
        return history
    entry = frozenset({(fact.reader, page.at, fact.via)})
    waiting = (*history.waiting, replace(page, waiting=((fact.via, fact.again_at),)))
    undelivered, once_more = history.undelivered | entry, history.once_more | entry
    return replace(history, undelivered=undelivered, once_more=once_more, waiting=waiting)


def _apply_page_lost(history: History, fact: f.PageLost) -> History:
    """A page did not arrive by one channel, or reached nobody, or did so after all."""
    page = (fact.person, fact.page_at)
    if fact.delivered:
        roles = {name: _found_again(role, fact) for name, role in history.roles.items()}
        return replace(history, roles=roles, lost=history.lost - {page})
    if fact.via is not None:
        entry = frozenset({(*page, fact.via)})
        for_good = history.undelivered_for_good | (entry if fact.for_good else frozenset())
        return replace(history, undelivered=history.undelivered | entry, undelivered_for_good=for_good)
    roles = {name: _lost(role, fact) for name, role in history.roles.items()}
    history = replace(history, roles=roles, lost=history.lost | {page})
    newest = history.newest_pages.get(fact.person)
    if fact.again is not None and newest is not None and newest.at == fact.page_at:
        history = replace(history, waiting=(*history.waiting, replace(newest, waiting=(fact.again,))))
    return history


def _lost(role: RoleHistory, fact: f.PageLost) -> RoleHistory:
    """A role after a page that reached nobody: the next step comes at once if everybody else of this one has passed, or
    if there was nobody else (rules 14, 16, 66).
    """
    step = role.step
    if role.holder is not None or step is None or step.at != fact.page_at or fact.person not in step.people:
        return role
    others = tuple(person for person in step.people if person != fact.person)
    role = replace(role, step=replace(step, people=others, lost=(*step.lost, fact.person)))
    if step.last_resort or not role.passed.issuperset(others):
        return role
    return replace(role, next_now_at=fact.at, declined=role.declined or bool(others))


def _found_again(role: RoleHistory, fact: f.PageLost) -> RoleHistory:
    """A role after a page that reached nobody was delivered after all: its step reached that person (rule 66)."""
    step = role.step
    if step is None or step.at != fact.page_at or fact.person not in step.lost:
        return role
    lost = tuple(person for person in step.lost if person != fact.person)
    return replace(role, step=replace(step, people=(*step.people, fact.person), lost=lost))


def _apply_assessment(history: History, fact: f.Assessed) -> History:
    """What is needed was settled. Responders rest while nobody is paged and start anew after that (rule 18)."""
    before, paging = history.assessed, dict[str, object]()
    if not fact.via:
        paging = {"paging_at": None, "batches": (), "responders_answered": NOBODY}
    elif history.paging_at is None:
        assert history.incident is not None
        reason = history.reason if before is None else Reason.SEVERITY_RAISED
        paging = {"paging_at": fact.at, "paging_reason": reason, "paging_services": history.incident.services}
    return replace(history, assessed=fact, first_sight=(), paged_via=fact.via or history.paged_via, **paging)


def _apply_update(history: History, fact: f.UpdateHeld | f.Updated | f.Reminded) -> History:
    """Note that a group heard, will hear of a change, or that Communications was reminded of its update."""
    groups, held = dict(history.groups), history.held_groups
    if isinstance(fact, f.UpdateHeld):
        groups[fact.group] = replace(groups[fact.group], held_since=fact.at)
    elif isinstance(fact, f.Reminded):
        for name in fact.groups:
            if name in held:
                held = {**held, name: replace(held[name], reminded_for=fact.due_at)}
            else:
                groups[name] = replace(groups[name], reminded_for=fact.due_at)
    elif fact.reason is Reason.SEVERITY_LOWERED:
        groups.pop(fact.group, None)
        if fact.readers and history.incident:
            history = replace(history, left_groups={**history.left_groups, fact.group: history.incident})
    else:
        assert history.incident is not None
        known = groups.get(fact.group)
        changes: tuple[datetime | None, datetime | None] = (None, None)
        if known and fact.reason is Reason.DUE:
            changes = (known.held_since, known.held_next)
        elif known and fact.reason is Reason.CHANGED:
            changes = (known.held_next, None)
        waited = held.get(fact.group)
        held = {name: group for name, group in held.items() if name != fact.group} if waited else held
        groups[fact.group] = GroupHistory(
            fact.group,
            external=fact.external,
            since=known.since if known else waited.since if waited else fact.at,
            last_at=max(known.last_at, fact.at) if known else fact.at,
            told_version=history.incident,
            held_since=changes[0],
            held_next=changes[1],
            promised_at=fact.promised_at,
            updates=known.updates + 1 if known else 1,
        )
    reached = history.reached
    if isinstance(fact, f.Updated):
        reached = reached_with(reached, fact.readers, fact.external, told=True)
        history = with_taken_back(history, fact)
    return replace(history, groups=groups, held_groups=held, reached=reached)


def _apply_wait(history: History, fact: f.FirstWordHeld | f.FirstWordDropped | f.EtaReminded) -> History:
    """Note that a group waits for its first word, or does no longer; or that an ETA has passed."""
    if isinstance(fact, f.EtaReminded):
        return replace(history, eta_passed_for=fact.eta)
    held = {name: group for name, group in history.held_groups.items() if name != fact.group}
    if isinstance(fact, f.FirstWordHeld):
        held[fact.group] = HeldGroup(fact.group, fact.at)
    return replace(history, held_groups=held)


def _apply_page(history: History, fact: f.Paged | f.ReachSettled) -> History:
    """Note a page, or that one of its waiting channels went or was dropped."""
    if isinstance(fact, f.Paged) and not _is_step_here(history, fact):
        return with_page_elsewhere(history, fact)
    if isinstance(fact, f.Paged):
        asked = (fact.roles, fact.level, fact.round, fact.reason)
        page = WaitingPage(fact.person, fact.at, *asked, fact.waiting, fact.channels)
        history = replace(
            history,
            waiting=(*history.waiting, page) if fact.waiting else history.waiting,
            newest_pages={**history.newest_pages, fact.person: page},
            refused=_without_corrected(history, fact.person, fact.channels),
        )
        return with_reached(history, [(fact.person, via) for via in fact.channels], external=False)
    settled = [page for page in history.waiting if (page.person, page.at) == (fact.person, fact.page_at)]
    pages = (
        replace(page, waiting=tuple(entry for entry in page.waiting if entry != (fact.via, fact.due_at)))
        if page in settled
        else page
        for page in history.waiting
    )
    roles = dict(history.roles)
    for name in {role for page in settled for role in page.roles if fact.sent and role in roles}:
        if roles[name].holder is None:
            roles[name] = replace(roles[name], stood_down=roles[name].stood_down - {fact.person})
    history = replace(history, roles=roles, waiting=tuple(page for page in pages if page.waiting))
    if not fact.sent:
        return history
    history = replace(history, refused=_without_corrected(history, fact.person, (fact.via,)))
    return with_reached(history, [(fact.person, fact.via)], external=False)


def _is_step_here(history: History, page: f.Paged) -> bool:
    """Whether a page belongs to a step that was decided here: for a role, or for a file that cannot be read."""
    unread = history.roles.get(NO_ROLE)
    return bool(page.roles) or (unread is not None and unread.step is not None and unread.step.at == page.at)


def _without_corrected(
    history: History, person: str, channels: Iterable[Channel]
) -> frozenset[tuple[str, Channel, str]]:
    """What stays refused once a page goes to this person by these channels: an address of theirs that was refused there
    has been corrected, and the page goes to another (rule 65).
    """
    if not history.refused:
        return history.refused
    gone = {(person, via) for via in channels}
    return frozenset(entry for entry in history.refused if entry[:2] not in gone)


def _apply_responders(history: History, fact: f.RespondersAsked) -> History:
    """Note a round of a batch of responders."""
    known = next((batch for batch in history.batches if batch.services == fact.services), None)
    people = tuple(dict.fromkeys((*(known.people if known else ()), *fact.people)))
    batch = ResponderBatch(fact.services, fact.at, fact.round, people, fact.reason, fact.people)
    batches = tuple(batch if other is known else other for other in history.batches)
    return replace(
        history,
        batches=batches if known else (*batches, batch),
        responders=with_first_pages(history.responders, fact.people, fact.at),
    )


def _apply_stand_down(history: History, fact: f.StoodDown) -> History:
    """Note who need not stand by any more."""
    roles = dict(history.roles)
    for name in fact.roles:
        roles[name] = replace(roles[name], stood_down=roles[name].stood_down | {fact.person})
    history = replace(history, roles=roles)
    return with_reached(history, [(fact.person, fact.via)], external=False, told=True) if fact.via else history


def _with_role(history: History, role: RoleHistory) -> History:
    return replace(history, roles={**history.roles, role.role: role})
