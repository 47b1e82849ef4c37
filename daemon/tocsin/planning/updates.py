"""Updates: which stakeholder groups hear now, and why; and the reminder before an update is due (rules 5, 21 to 24)."""

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
from tocsin.planning.reach import first_channel, holder_of


def send_updates(draft: Draft) -> None:
    """Decide about every group: its first update, a change, its last word, or what its cadence says."""
    concerns = groups_concerned(draft.incident, draft.policy, draft.severity)
    left = [name for name in draft.history.groups if name not in {each.group.id for each in concerns}]
    groups = [each.group for each in concerns]
    leaving = [draft.policy.stakeholders[name] for name in left if name in draft.policy.stakeholders]
    audience = Audience(groups, draft.policy, draft.history, leaving)
    reminders: dict[datetime, list[tuple[Concern, datetime]]] = {}
    for concern in concerns:
        _update(draft, concern, audience, reminders)
    for name in left:
        _last_word(draft, name, audience)
    for at, due in sorted(reminders.items()):
        _remind(draft, at, due)


def cadence_start(history: History, since: datetime) -> datetime:
    """From when a group's slowing cadence counts: the latest of declaration or reopening, the last severity change,
    and the group becoming concerned (corner [23]).
    """
    assert history.started_at is not None
    assert history.severity_changed_at is not None
    return max(history.started_at, history.severity_changed_at, since)


def _update(
    draft: Draft, concern: Concern, audience: Audience, reminders: dict[datetime, list[tuple[Concern, datetime]]]
) -> None:
    """Decide about one group that is concerned. A change that is held comes before whatever the cadence says."""
    known = draft.history.groups.get(concern.group.id)
    if known is None:
        _send(draft, concern, Reason.DECLARED, draft.instant(_joined_at(draft)), audience)
        return
    if known.held_since is not None:
        _cron_while_held(draft, concern, known, audience)
        at = _leaves(draft, known.held_since)
        if at is not None:
            _send(draft, concern, Reason.CHANGED, at, audience)
        return
    due = next_due(concern.cadence, known.last_at, cadence_start(draft.history, known.since))
    if due is None:
        return
    if due <= draft.now:
        _send(draft, concern, Reason.DUE, draft.instant(due), audience)
        return
    draft.look(due)
    _note_reminder(draft, concern, known, due, reminders)


def _leaves(draft: Draft, held_since: datetime) -> datetime | None:
    """The instant of an update for a change first seen then: the change's own, 2 s later (rule 5). None until then."""
    leaves_at = held_since + CHANGES_HELD_FOR
    if leaves_at > draft.now:
        draft.look(leaves_at)
        return None
    return held_since if draft.now - leaves_at <= LATE else draft.now


def _joined_at(draft: Draft) -> datetime:
    """When a group told for the first time became concerned: at the start, or with the newest version or config."""
    history, since = draft.history, draft.policy.since
    assert history.started_at is not None
    assert history.seen_at is not None
    if not history.groups and history.seen_at == history.started_at:
        return history.started_at
    return max(history.seen_at, since) if since else history.seen_at


def _cron_while_held(draft: Draft, concern: Concern, known: GroupHistory, audience: Audience) -> None:
    """Firings stand (rule 23), also while a change is held."""
    assert known.held_since is not None
    if concern.cadence.cron:
        due = next_due(concern.cadence, max(known.last_at, known.held_since), known.since)
        assert due is not None
        if due > draft.now:
            draft.look(due)
        elif draft.instant(due) != _leaves(draft, known.held_since):
            _send(draft, concern, Reason.DUE, draft.instant(due), audience)


def _send(draft: Draft, concern: Concern, reason: Reason, at: datetime, audience: Audience) -> None:
    """One update to a group, with the promise when the next one comes."""
    group = concern.group
    who = audience.of(group.id)
    known = draft.history.groups.get(group.id)
    after = max(at, draft.now) if concern.cadence.cron else at
    promised = next_due(concern.cadence, after, cadence_start(draft.history, known.since if known else at))
    draft.record(Updated(at, group.id, reason, group.external, who))
    _to_readers(draft, group, reason, at, who, concern.rule, promised)


def _to_readers(
    draft: Draft,
    group: StakeholderGroup,
    reason: Reason,
    at: datetime,
    who: Readers,
    rule: str,
    promised: datetime | None,
) -> None:
    for reader, via in who:
        draft.send(
            Kind.UPDATE,
            reason,
            at,
            reader,
            via,
            rule=rule,
            group=group.id,
            external=group.external,
            next_update_at=promised,
        )
    if not who:
        draft.hold(Kind.UPDATE, Why.NO_CHANNEL, at, group.id, "nobody of the group reads it here", rule)


def _last_word(draft: Draft, name: str, audience: Audience) -> None:
    """A group no longer concerned hears that once, 2 s after the change like every change (rule 22)."""
    known, group = draft.history.groups[name], draft.policy.stakeholders.get(name)
    held_since = known.held_since
    if held_since is None:
        held_since = draft.instant(_joined_at(draft))
        draft.record(UpdateHeld(held_since, name))
    at = _leaves(draft, held_since)
    if at is None:
        return
    if group is None or (group.external and draft.incident.drill):
        draft.record(Updated(at, name, Reason.SEVERITY_LOWERED, known.external, ()))
        why = Why.DRILL if group else Why.LEFT_CONFIG
        draft.hold(Kind.UPDATE, why, at, name, "the last word", draft.severity.place)
        return
    draft.record(Updated(at, name, Reason.SEVERITY_LOWERED, group.external, audience.of(name)))
    _to_readers(draft, group, Reason.SEVERITY_LOWERED, at, audience.of(name), draft.severity.place, None)


def _reminder_at(draft: Draft, concern: Concern, known: GroupHistory, due: datetime) -> datetime | None:
    """When Communications is reminded of an interval's next update; None where the rule asks for no reminder."""
    before = draft.severity.remind_before
    span = span_at(concern.cadence, max(known.last_at - cadence_start(draft.history, known.since), timedelta(0)))
    if before is None or span is None or span < 2 * before or known.reminded_for == due:
        return None
    return due - before


def _note_reminder(
    draft: Draft,
    concern: Concern,
    known: GroupHistory,
    due: datetime,
    reminders: dict[datetime, list[tuple[Concern, datetime]]],
) -> None:
    at = _reminder_at(draft, concern, known, due)
    if at is None:
        return
    if at > draft.now:
        draft.look(at)
    else:
        reminders.setdefault(at, []).append((concern, due))


def _remind(draft: Draft, at: datetime, due: list[tuple[Concern, datetime]]) -> None:
    """One reminder for all updates due at one instant, by the holder's first channel; a late one is dropped."""
    groups = tuple(concern.group.id for concern, _ in due)
    rule = due[0][0].rule
    draft.record(Reminded(at, groups, due[0][1]))
    person = holder_of(draft, COMMUNICATIONS)
    via = first_channel(person, draft) if person else None
    if person is None or via is None:
        draft.hold(Kind.REMINDER, Why.NO_CHANNEL, at, "", "nobody holds Communications", rule)
    elif draft.now - at > LATE:
        draft.hold(Kind.REMINDER, Why.LATE, at, person.id, "the reminder came due while nobody could send it", rule)
    else:
        draft.send(Kind.REMINDER, Reason.UPDATE_DUE, at, person.id, via, rule=rule, next_update_at=due[0][1])


def span_at(cadence: Cadence, elapsed: timedelta) -> timedelta | None:
    """The interval in force that long after the cadence began; an instant on the border belongs to the next span,
    and the last span goes on for ever. None for a cron or an empty cadence.
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
    span = span_at(cadence, max(last_at - started_at, timedelta(0)))
    return last_at + span if span is not None else None
