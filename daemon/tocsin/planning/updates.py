"""Which stakeholder groups hear now, and why (rules 5, 21 to 23); and the reminder before an update is due
(rule 24). Every group has its own clock: its last send, and the instant from which its slowing spans count.
"""

from datetime import datetime, timedelta

from tocsin.domain.facts import Reminded, Updated, UpdateHeld
from tocsin.domain.history import GroupHistory, History
from tocsin.domain.notification import Kind, Reason, Why
from tocsin.domain.people import StakeholderGroup
from tocsin.domain.policy import COMMUNICATIONS, Cadence
from tocsin.planning.audience import Audience, Concern, Readers, groups_concerned
from tocsin.planning.draft import LATE, Draft
from tocsin.planning.history.versions import CHANGES_HELD_FOR
from tocsin.planning.on_call.handoffs import next_firing
from tocsin.planning.reach import STOPPED, first_channel, holder_of

_Reminders = dict[datetime, list[tuple[Concern, datetime]]]
"""The reminders due now: by their instant, the groups and when the update of each is due."""


def send_updates(draft: Draft) -> None:
    """Decide about every group: its first update, a change, its last word, or what its cadence says."""
    concerns = groups_concerned(draft.incident, draft.policy, draft.severity)
    groups = [concern.group for concern in concerns]
    concerned = {group.id for group in groups}
    dropped = [name for name in draft.history.groups if name not in concerned]
    leaving = [draft.policy.stakeholders[name] for name in dropped if name in draft.policy.stakeholders]
    audience = Audience(groups, draft.policy, draft.history, leaving)
    reminders: _Reminders = {}
    for concern in concerns:
        _decide(draft, concern, audience, reminders)
    for name in dropped:
        _send_last_word(draft, name, audience)
    for at, updates in sorted(reminders.items()):
        _remind(draft, at, updates)


def cadence_start(history: History, since: datetime) -> datetime:
    """From when a group's slowing spans count: the latest of the declaration or reopening, the last change of severity,
    and `since`, when the group became concerned (rule 23).
    """
    assert history.started_at is not None
    assert history.severity_changed_at is not None
    return max(history.started_at, history.severity_changed_at, since)


def span_at(cadence: Cadence, elapsed: timedelta) -> timedelta | None:
    """The interval in force that long after the spans began; an instant on the border belongs to the next span, and
    the last span goes on for ever. None for a cron or an empty cadence.
    """
    begins = timedelta(0)
    for span in cadence.spans:
        if span.lasts is None or elapsed < begins + span.lasts:
            return span.every
        begins += span.lasts
    return cadence.spans[-1].every if cadence.spans else None


def next_due(cadence: Cadence, last_at: datetime, started_at: datetime) -> datetime | None:
    """When the update after the one of `last_at` is due; None when only changes are told.

    An interval counts from the last send, whatever its reason; a cron fires on the wall clock, whatever was sent.
    """
    if cadence.cron:
        return next_firing(cadence.cron, cadence.timezone, last_at)
    span = _span_after(cadence, last_at, started_at)
    return last_at + span if span is not None else None


def _span_after(cadence: Cadence, last_at: datetime, started_at: datetime) -> timedelta | None:
    """The interval in force at the last send."""
    return span_at(cadence, last_at - started_at)


def _decide(draft: Draft, concern: Concern, audience: Audience, reminders: _Reminders) -> None:
    """Decide about one group that is concerned. A change that is held comes before whatever the cadence says."""
    known = draft.history.groups.get(concern.group.id)
    if known is None:
        _send(draft, concern, Reason.DECLARED, draft.instant(_joined_at(draft)), audience)
        return
    if known.held_since is not None:
        _send_firing_while_held(draft, concern, known, audience)
        at = _change_leaves_at(draft, known.held_since)
        if at is not None:
            _send(draft, concern, Reason.CHANGED, at, audience)
        return
    due = next_due(concern.cadence, known.last_at, cadence_start(draft.history, known.since))
    if due is None:
        return
    if due <= draft.now:
        _send(draft, concern, Reason.DUE, draft.instant(due), audience)
        return
    draft.look_at(due)
    _note_reminder(draft, concern, known, due, reminders)


def _joined_at(draft: Draft) -> datetime:
    """When a group that was never told became concerned: at the start, or with the newest version or config."""
    history, since = draft.history, draft.policy.since
    assert history.started_at is not None
    assert history.seen_at is not None
    if not history.groups and history.seen_at == history.started_at:
        return history.started_at
    return max(history.seen_at, since) if since else history.seen_at


def _change_leaves_at(draft: Draft, held_since: datetime) -> datetime | None:
    """The instant of the update for a change first seen then: the change's own, though it leaves 2 s later (rule 5);
    now if that is found late (rule 4). None until then.
    """
    leaves_at = held_since + CHANGES_HELD_FOR
    if leaves_at > draft.now:
        draft.look_at(leaves_at)
        return None
    return held_since if draft.now - leaves_at <= LATE else draft.now


def _send_firing_while_held(draft: Draft, concern: Concern, known: GroupHistory, audience: Audience) -> None:
    """The update of a cron that fires while a change is held: other sends move no firing (rule 23)."""
    assert known.held_since is not None
    if concern.cadence.cron:
        due = next_due(concern.cadence, max(known.last_at, known.held_since), known.since)
        assert due is not None
        if due > draft.now:
            draft.look_at(due)
        elif draft.instant(due) != _change_leaves_at(draft, known.held_since):
            _send(draft, concern, Reason.DUE, draft.instant(due), audience)


def _send(draft: Draft, concern: Concern, reason: Reason, at: datetime, audience: Audience) -> None:
    """One update to a group, with the promise when the next one comes."""
    group = concern.group
    readers = audience.of(group.id)
    known = draft.history.groups.get(group.id)
    last_at = max(at, draft.now) if concern.cadence.cron else at
    promised_at = next_due(concern.cadence, last_at, cadence_start(draft.history, known.since if known else at))
    draft.record(Updated(at, group.id, reason, group.external, readers))
    _send_to_readers(draft, group, reason, at, readers, concern.rule, promised_at)


def _send_last_word(draft: Draft, name: str, audience: Audience) -> None:
    """A group no longer concerned hears that once, 2 s after the change like every change (rule 22)."""
    known, group = draft.history.groups[name], draft.policy.stakeholders.get(name)
    held_since = known.held_since
    if held_since is None:
        held_since = draft.instant(_joined_at(draft))
        draft.record(UpdateHeld(held_since, name))
    at = _change_leaves_at(draft, held_since)
    if at is None:
        return
    rule = draft.severity.place
    if group is None or (group.external and draft.incident.drill):
        draft.record(Updated(at, name, Reason.SEVERITY_LOWERED, known.external, ()))
        why = Why.DRILL if group else Why.LEFT_CONFIG
        draft.suppress(Kind.UPDATE, why, at, name, "the last word", rule)
        return
    readers = audience.of(name)
    draft.record(Updated(at, name, Reason.SEVERITY_LOWERED, group.external, readers))
    _send_to_readers(draft, group, Reason.SEVERITY_LOWERED, at, readers, rule, None)


def _send_to_readers(
    draft: Draft,
    group: StakeholderGroup,
    reason: Reason,
    at: datetime,
    readers: Readers,
    rule: str,
    promised_at: datetime | None,
) -> None:
    """The update's messages; that nobody reads it is noted."""
    for reader, via in readers:
        draft.send(
            Kind.UPDATE,
            reason,
            at,
            reader,
            via,
            rule=rule,
            group=group.id,
            external=group.external,
            next_update_at=promised_at,
        )
    if not readers:
        draft.suppress(Kind.UPDATE, Why.NO_CHANNEL, at, group.id, "nobody of the group reads it here", rule)
    if group.unsubscribed:
        detail = f"unsubscribed: {', '.join(group.unsubscribed)}"
        draft.suppress(Kind.UPDATE, Why.OPTED_OUT, at, group.id, detail, rule)
    for name in group.people:
        person = draft.person(name)
        for via in person.stopped if person else ():
            if via in group.via:
                draft.suppress(Kind.UPDATE, Why.OPTED_OUT, at, name, STOPPED.format(via=via.traits.word), rule)


def _note_reminder(draft: Draft, concern: Concern, known: GroupHistory, due: datetime, reminders: _Reminders) -> None:
    """Note the reminder of an interval's next update if it is due now; else look again then."""
    at = _reminder_at(draft, concern, known, due)
    if at is None:
        return
    if at > draft.now:
        draft.look_at(at)
    else:
        reminders.setdefault(at, []).append((concern, due))


def _reminder_at(draft: Draft, concern: Concern, known: GroupHistory, due: datetime) -> datetime | None:
    """When Communications is reminded of an interval's next update; None where the rule asks for no reminder."""
    before = draft.severity.remind_before
    span = _span_after(concern.cadence, known.last_at, cadence_start(draft.history, known.since))
    if before is None or span is None or span < 2 * before or known.reminded_for == due:
        return None
    return due - before


def _remind(draft: Draft, at: datetime, updates: list[tuple[Concern, datetime]]) -> None:
    """One reminder for all updates due at one instant, by the holder's first channel; a late one is dropped."""
    groups = tuple(concern.group.id for concern, _ in updates)
    concern, due = updates[0]
    draft.record(Reminded(at, groups, due))
    person = holder_of(draft, COMMUNICATIONS)
    via = first_channel(person, draft) if person else None
    if person is None or via is None:
        draft.suppress(Kind.REMINDER, Why.NO_CHANNEL, at, "", "nobody holds Communications", concern.rule)
    elif draft.now - at > LATE:
        detail = "the reminder came due while nobody could send it"
        draft.suppress(Kind.REMINDER, Why.LATE, at, person.id, detail, concern.rule)
    else:
        draft.send(Kind.REMINDER, Reason.UPDATE_DUE, at, person.id, via, rule=concern.rule, next_update_at=due)
