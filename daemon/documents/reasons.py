"""Reasons in words: why a page comes to this person now. A first page needs none: the incident says it all."""

from daemon.documents.changes import way
from daemon.domain.history import History
from daemon.domain.incident import Incident
from daemon.domain.notification import Notification, Reason
from daemon.domain.policy import Policy

WHY = {
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


def why(each: Notification, incident: Incident, history: History, policy: Policy) -> str:
    """A sentence, or nothing. `history` is from before the decision."""
    if incident.unreadable:
        return ""
    if each.reason is Reason.ASSIGNED:
        holders = (policy.people.get(history.holder(role) or "") for role in each.roles)
        names = [person.name for person in holders if person and person.id != each.to]
        return f"You were assigned; {names[0]} has it until you accept." if names else WHY[each.reason]
    before = history.assessed.severity if history.assessed else ""
    if each.reason is Reason.SEVERITY_RAISED and before and before != incident.severity:
        return f"Severity {way(before, incident.severity, tuple(policy.severities))}."
    return WHY.get(each.reason, "")
