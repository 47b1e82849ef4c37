"""What a reminder to Communications says (rule 24): whose update is due, and the very sentence that its
readers get if nobody writes another.
"""

from collections.abc import Iterator
from datetime import datetime

from tocsin.domain.history import GroupHistory, History
from tocsin.domain.notification import Kind, Notification, Reason
from tocsin.domain.policy import Policy
from tocsin.wording.language.language import Language
from tocsin.wording.message.update_words import GroupView, changes, expected, group_view, lead, standing


def groups_due(notification: Notification, history: History, policy: Policy) -> tuple[str, ...]:
    """The groups whose update a reminder speaks of: those whose interval since their last update ends then."""
    due_at = notification.next_update_at
    if notification.reason is Reason.ETA_PASSED or notification.kind is not Kind.REMINDER or due_at is None:
        return ()
    return tuple(name for name, _ in _due(history, policy, due_at))


def otherwise(notification: Notification, history: History, policy: Policy, zone: str, language: Language) -> str:
    """What readers get to read if nothing is written, in the reader's own zone; of several groups the first one's."""
    incident = history.incident
    if notification.kind is not Kind.REMINDER or incident is None:
        return ""
    due_at = notification.next_update_at or notification.at
    told = [known for _, known in _due(history, policy, due_at)]
    if notification.reason is Reason.ETA_PASSED:
        return expected(GroupView(incident, incident, False, zone, notification.at, language))
    for known in told:
        view = group_view(
            incident, history, known.group, external=known.external, zone=zone, now=due_at, language=language
        )
        sentence = lead(view, changes(view, policy), reopened=False)
        if sentence:
            return sentence
    return standing(incident.status, incident.status, language)


def _due(history: History, policy: Policy, due_at: datetime) -> Iterator[tuple[str, GroupHistory]]:
    if history.incident is None:
        return
    streams = policy.severity(history.incident.severity).updates
    named = {group: stream.cadence for stream in reversed(streams) for group in stream.to}
    for name, known in history.groups.items():
        cadence = named.get(name) or (streams[0].cadence if streams else None)
        spans = cadence.spans if cadence else ()
        if name in policy.stakeholders and any(known.last_at + step.every == due_at for step in spans):
            yield name, known
