"""Which stakeholder groups hear now, and why (rules 5, 21 to 23, 56); and the reminders of Communications: before an
update is due (rule 24), while a group waits for a text for outsiders (rule 56), when an ETA has passed (rule 57). Every
group has its own clock: its last send, and the instant from which its slowing spans count.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from tocsin.domain.facts import EtaReminded, FirstWordDropped, FirstWordHeld, Reminded, Updated, UpdateHeld
from tocsin.domain.history import GroupHistory
from tocsin.domain.notification import Kind, Reason, Why
from tocsin.domain.people import StakeholderGroup
from tocsin.domain.policy import COMMUNICATIONS
from tocsin.planning.audience import Audience, Concern, Readers, groups_concerned
from tocsin.planning.cadence.first_word import first_word, reminder_at
from tocsin.planning.cadence.spans import cadence_start, next_due, next_due_of
from tocsin.planning.draft import LATE, Draft
from tocsin.planning.history.versions import CHANGES_HELD_FOR
from tocsin.planning.reach import STOPPED, first_channel, holder_of


@dataclass(slots=True)
class _Reminder:
    """What a reminder of one instant is about: groups whose update is due at `due_at`, and groups that `wait` for a
    text for outsiders.
    """

    rule: str
    due_at: datetime | None = None
    groups: list[str] = field(default_factory=list)
    waiting: list[str] = field(default_factory=list)


_Reminders = dict[datetime, _Reminder]
"""The reminders due now, by their instant."""


def send_updates(draft: Draft) -> None:
    """Decide about every group: its first update, a change, its last word, or what its cadence says."""
    concerns = groups_concerned(draft.incident, draft.policy, draft.severity)
    if concerns or draft.history.groups or draft.history.held_groups:
        _tell_groups(draft, concerns)
    _remind_of_passed_eta(draft)


def _tell_groups(draft: Draft, concerns: Sequence[Concern]) -> None:
    """The updates to groups that are concerned or were, and the reminders about them."""
    groups = [concern.group for concern in concerns]
    concerned = {group.id for group in groups}
    dropped = [name for name in draft.history.groups if name not in concerned]
    leaving = [draft.policy.stakeholders[name] for name in dropped if name in draft.policy.stakeholders]
    audience = Audience(groups, draft.policy, draft.history)
    reminders: _Reminders = {}
    for concern in concerns:
        _decide(draft, concern, audience, reminders)
    hearing = [group for group in groups if group.id not in draft.history.held_groups]
    audience = Audience(hearing, draft.policy, draft.history, leaving)
    for name in dropped:
        _send_last_word(draft, name, audience)
    for name in [name for name in draft.history.held_groups if name not in concerned]:
        _drop_before_first_word(draft, name)
    for at, reminder in sorted(reminders.items()):
        _remind(draft, at, reminder)


def _decide(draft: Draft, concern: Concern, audience: Audience, reminders: _Reminders) -> None:
    """Decide about one group that is concerned. A change that is held comes before whatever the cadence says."""
    known = draft.history.groups.get(concern.group.id)
    if known is None:
        at = _first_word_at(draft, concern, reminders)
        if at is not None:
            _send(draft, concern, Reason.DECLARED, at, audience)
        return
    if known.held_since is not None:
        _send_firing_while_held(draft, concern, known, audience)
        at = _change_leaves_at(draft, known.held_since)
        if at is not None:
            _send(draft, concern, Reason.CHANGED, at, audience)
        return
    due = next_due_of(known, concern.cadence, draft.history)
    if due is None:
        return
    if due <= draft.now:
        _send(draft, concern, Reason.DUE, draft.instant(due), audience)
        return
    draft.look_at(due)
    _note_reminder(draft, concern, known, due, reminders)


def _first_word_at(draft: Draft, concern: Concern, reminders: _Reminders) -> datetime | None:
    """The instant of a group's first update; None while it waits for it (rule 56). Only external groups ever wait."""
    group, held = concern.group, draft.history.held_groups.get(concern.group.id)
    since = held.since if held else draft.instant(_joined_at(draft))
    if not group.external:
        return since
    word = first_word(draft.history, group, concern.cadence, since)
    if word.leaves_at is not None and word.leaves_at <= draft.now:
        # what lets it go may be that severity or config changed
        return draft.instant(max(word.leaves_at, draft.changed_at) if held else word.leaves_at)
    if held is None:
        draft.record(FirstWordHeld(since, group.id))
        draft.suppress(Kind.UPDATE, Why.WAITS, since, group.id, f"for {word.waits_for}", group.place or concern.rule)
    if word.leaves_at is not None:
        draft.look_at(word.leaves_at)
    at = reminder_at(draft.history, concern.cadence, word, draft.changed_at, draft.now)
    if at is not None and at <= draft.now:
        reminders.setdefault(at, _Reminder(concern.rule)).waiting.append(group.id)
    elif at is not None:
        draft.look_at(at)
    return None


def _drop_before_first_word(draft: Draft, name: str) -> None:
    """A group that waited is no longer concerned, and never heard of it: so it needs no last word."""
    at = draft.instant(_joined_at(draft))
    draft.record(FirstWordDropped(at, name))
    detail = "no longer concerned before its first update"
    draft.suppress(Kind.UPDATE, Why.NEVER_TOLD, at, name, detail, draft.severity.place)


def _joined_at(draft: Draft) -> datetime:
    """When a group that was never told became concerned: at the start, or with the newest version or config."""
    history, since = draft.history, draft.policy.since
    assert history.started_at is not None
    assert history.seen_at is not None
    if not (history.groups or history.held_groups) and history.seen_at == history.started_at:
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
    known = draft.history.groups.get(group.id) or draft.history.held_groups.get(group.id)
    last_at = max(at, draft.now) if concern.cadence.cron else at
    promised_at = next_due(concern.cadence, last_at, cadence_start(draft.history, known.since if known else at))
    draft.record(Updated(at, group.id, reason, group.external, readers, promised_at))
    _send_to_readers(draft, group, reason, at, readers, concern.rule, promised_at)


def _send_last_word(draft: Draft, name: str, audience: Audience) -> None:
    """A group no longer concerned hears that once, 2 s after the change like every change (rule 22); outsiders also
    that it was an exercise (rule 28).
    """
    known, group = draft.history.groups[name], draft.policy.stakeholders.get(name)
    held_since = known.held_since
    if held_since is None:
        held_since = draft.instant(_joined_at(draft))
        draft.record(UpdateHeld(held_since, name))
    at = _change_leaves_at(draft, held_since)
    if at is None:
        return
    rule = draft.severity.place
    if group is None:
        draft.record(Updated(at, name, Reason.SEVERITY_LOWERED, known.external, ()))
        draft.suppress(Kind.UPDATE, Why.LEFT_CONFIG, at, name, "the last word", rule)
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
        reminder = reminders.setdefault(at, _Reminder(concern.rule))
        reminder.rule, reminder.due_at = concern.rule if not reminder.groups else reminder.rule, due
        reminder.groups.append(concern.group.id)


def _reminder_at(draft: Draft, concern: Concern, known: GroupHistory, due: datetime) -> datetime | None:
    """When Communications is reminded of an interval's next update; None where the rule asks for no reminder."""
    before = draft.severity.remind_before
    if before is None or not concern.cadence.spans or due - known.last_at < 2 * before or known.reminded_for == due:
        return None
    return due - before


def _remind(draft: Draft, at: datetime, reminder: _Reminder) -> None:
    """One reminder of all updates due at one instant, and of all groups that wait then."""
    if reminder.due_at is not None:
        draft.record(Reminded(at, tuple(reminder.groups), reminder.due_at))
    if reminder.waiting:
        draft.record(Reminded(at, tuple(reminder.waiting), at))
    _send_reminder(draft, Reason.UPDATE_DUE, at, reminder.rule, reminder.due_at)


def _remind_of_passed_eta(draft: Draft) -> None:
    """One reminder at the instant of an ETA, unless it had passed when it was first seen (rule 57)."""
    history, eta = draft.history, draft.incident.eta
    assert history.eta_since is not None
    if eta is None or eta <= history.eta_since or history.eta_passed_for == eta:
        return
    if eta > draft.now:
        draft.look_at(eta)
        return
    draft.record(EtaReminded(eta, eta))
    _send_reminder(draft, Reason.ETA_PASSED, eta, draft.severity.place, None)


def _send_reminder(draft: Draft, reason: Reason, at: datetime, rule: str, due_at: datetime | None) -> None:
    """A reminder to the Communications holder, by their first channel; a late one is dropped (rules 4, 24)."""
    person = holder_of(draft, COMMUNICATIONS)
    via = first_channel(person, draft) if person else None
    if person is None or via is None:
        draft.suppress(Kind.REMINDER, Why.NO_CHANNEL, at, "", "nobody holds Communications", rule)
    elif draft.now - at > LATE:
        detail = "the reminder came due while nobody could send it"
        draft.suppress(Kind.REMINDER, Why.LATE, at, person.id, detail, rule)
    else:
        draft.send(Kind.REMINDER, reason, at, person.id, via, rule=rule, next_update_at=due_at)
