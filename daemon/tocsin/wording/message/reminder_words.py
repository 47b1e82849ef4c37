"""What a reminder to Communications says (rules 24, 56, 57): whose update is due, who has heard nothing yet, and the
very sentence that readers get if nobody writes another.
"""

from collections.abc import Iterator
from datetime import datetime

from tocsin.domain.history import GroupHistory, History
from tocsin.domain.notification import Kind, Notification, Reason
from tocsin.domain.people import FirstUpdate
from tocsin.domain.policy import Policy
from tocsin.wording.language.language import Language
from tocsin.wording.message.update_words import GroupView, changes, expected, group_view, lead, standing


def groups_due(notification: Notification, history: History, policy: Policy) -> tuple[str, ...]:
    """The titles of the groups whose update a reminder speaks of: those that were promised it by then."""
    due_at = notification.next_update_at
    if notification.kind is not Kind.REMINDER or due_at is None:
        return ()
    return tuple(policy.stakeholders[known.group].title for known in _due(history, policy, due_at))


def groups_unheard(notification: Notification, history: History, policy: Policy) -> tuple[str, ...]:
    """The titles of the groups that have heard nothing yet, because they wait for a public text (rule 56)."""
    if notification.kind is not Kind.REMINDER or notification.reason is not Reason.UPDATE_DUE or history.public_at:
        return ()
    if history.incident and history.incident.never_read:  # a text would not let them hear: see `blocked`
        return ()
    held = (policy.stakeholders[name] for name in history.held_groups if name in policy.stakeholders)
    return tuple(group.title for group in held if group.first is FirstUpdate.PUBLIC)


def blocked(notification: Notification, history: History, policy: Policy, language: Language) -> str:
    """That outsiders hear nothing, whatever is written, while title or severity were never read (rule 56)."""
    unread = history.incident.never_read if history.incident else ()
    held = [policy.stakeholders[name].title for name in history.held_groups if name in policy.stakeholders]
    if notification.kind is not Kind.REMINDER or not unread or not held:
        return ""
    groups = language.listed(held)
    if unread == ("title",):
        return language.say("{groups} hear nothing until the file's title can be read.", groups=groups)
    if unread == ("severity",):
        return language.say("{groups} hear nothing until the file's severity can be read.", groups=groups)
    return language.say("{groups} hear nothing until the file's title and severity can be read.", groups=groups)


def otherwise(notification: Notification, history: History, policy: Policy, zone: str, language: Language) -> str:
    """What readers get to read if nothing is written; of several groups the first one's. Times are in the zone of who
    is reminded. Empty where nobody is told anything then.
    """
    incident, due_at = history.incident, notification.next_update_at
    if notification.kind is not Kind.REMINDER or incident is None:
        return ""
    if notification.reason is Reason.ETA_PASSED:
        return expected(GroupView(incident, incident, False, zone, notification.at, language))
    if due_at is None:
        return ""
    for known in _due(history, policy, due_at):
        view = group_view(
            incident, history, known.group, external=known.external, zone=zone, now=due_at, language=language
        )
        sentence = lead(view, changes(view, policy), reopened=False)
        if sentence:
            return sentence
    return standing(incident.status, incident.status, language)


def _due(history: History, policy: Policy, due_at: datetime) -> Iterator[GroupHistory]:
    """The groups whose next update is due then. What was promised counts; where that is not written down, their cadence
    does.
    """
    if history.incident is None:
        return
    streams = policy.severity(history.incident.severity).updates
    named = {group: stream.cadence for stream in reversed(streams) for group in stream.to}
    for name, known in history.groups.items():
        cadence = named.get(name) or (streams[0].cadence if streams else None)
        spans = cadence.spans if cadence else ()
        promised = (known.promised_at,) if known.promised_at else (known.last_at + span.every for span in spans)
        if name in policy.stakeholders and due_at in promised:
            yield known
