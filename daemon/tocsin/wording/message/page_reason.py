"""Why a page comes to this person now, in a sentence. A first page needs none: the incident says it all."""

from tocsin.domain.history import History
from tocsin.domain.incident import Incident
from tocsin.domain.notification import Notification, Reason
from tocsin.domain.policy import Policy
from tocsin.wording.message.update_words import severity_change

SENTENCES = {
    Reason.ESCALATED: "Nobody has accepted yet.",
    Reason.REPEATED: "Still nobody has accepted.",
    Reason.LAST_RESORT: "Nobody else answered: you are the last resort.",
    Reason.ASSIGNED: "You were assigned.",
    Reason.SEVERITY_RAISED: "The severity changed.",
    Reason.REOPENED: "It is open again.",
    Reason.DECLINED: "Somebody passed it on.",
    Reason.REACH: "You have not answered yet.",
    Reason.STILL_THERE: "Are you still on it? Please confirm.",
}


def page_reason(notification: Notification, incident: Incident, history: History, policy: Policy) -> str:
    """A sentence, or nothing. `history` is from before the decision."""
    if incident.unreadable:
        return ""
    if notification.reason is Reason.ASSIGNED:
        holders = (policy.people.get(history.holder(role) or "") for role in notification.roles)
        names = [person.name for person in holders if person and person.id != notification.to]
        return f"You were assigned; {names[0]} has it until you accept." if names else SENTENCES[notification.reason]
    if notification.reason is Reason.REACH:
        return _reach_reason(notification, history)
    before = history.assessed.severity if history.assessed else ""
    if notification.reason is Reason.SEVERITY_RAISED and before and before != incident.severity:
        return f"Severity {severity_change(before, incident.severity, policy)}."
    return SENTENCES.get(notification.reason, "")


def _reach_reason(notification: Notification, history: History) -> str:
    """Why an earlier page goes by this channel: it reached nobody, did not arrive here, or was not answered."""
    to, via = notification.to, notification.via
    if any(person == to for person, _ in history.lost):
        return "An earlier page did not reach you."
    undelivered = any((person, channel) == (to, via) for person, _, channel in history.undelivered)
    if undelivered or any((reader, channel) == (to, via) for reader, channel, _ in history.refused):
        return f"An earlier page by {via.traits.word} did not reach you."
    return SENTENCES[Reason.REACH]
