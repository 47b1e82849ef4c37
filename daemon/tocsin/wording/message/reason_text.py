"""Because: why a message is sent or held back, as one plain clause for people who ask why they were woken.

Decides words only, from the message's own reason and the settings that were in force; must not know what became of it.
"""

from tocsin.domain.notification import Kind, Notification, Reason, Suppression, Why
from tocsin.domain.policy import RESPONDER, PagePolicy, Policy, Severity
from tocsin.text.times import brief

_PAGES = {
    Reason.DECLARED: "declared: first page for {roles}",
    Reason.ESCALATED: "escalated: nobody accepted {roles}",
    Reason.REPEATED: "repeated: still nobody accepted {roles}",
    Reason.LAST_RESORT: "last resort: nobody else accepted {roles}",
    Reason.ASSIGNED: "assigned: the incident file names them as {roles}",
    Reason.SEVERITY_RAISED: "severity changed: {roles} is needed since",
    Reason.REOPENED: "reopened: {roles} is needed again",
    Reason.DECLINED: "declined: somebody else passed as {roles}",
    Reason.REACH: "reach: no answer to the earlier page as {roles}",
    Reason.STILL_THERE: "still there: nothing was heard of {roles} for a while, so they are asked to confirm",
}
_STAND_DOWNS = {
    Reason.ACCEPTED: "accepted: somebody else has accepted {roles}",
    Reason.SEVERITY_LOWERED: "severity lowered: {roles} is no longer needed",
    Reason.HANDOVER: "handover: somebody else has taken over {roles}",
}
_UPDATES = {
    Reason.DECLARED: "declared: the group's first update",
    Reason.CHANGED: "changed: there was something new to say",
    Reason.DUE: "due: the cadence says so",
    Reason.SEVERITY_LOWERED: "severity lowered: the last word to a group no longer concerned",
}
_OTHERS = {
    Kind.CLOSING: "resolved: whoever heard of it hears the end",
    Kind.REMINDER: "update due: nothing new was written since the last one",
    Kind.VERIFY: "verify due: is the system healthy?",
    Kind.REVIEW: "review due: the review is not marked as done",
    Kind.OPERATOR: "trouble with the daemon itself",
    Kind.ANSWER: "reply: the answer to their own SMS",
}
_WHY = {
    Why.NOBODY_ON_CALL: "it reached nobody",
    Why.NO_CHANNEL: "no channel leads to them",
    Why.NO_LONGER_WANTED: "no longer wanted: it was answered, or is needed no more",
    Why.ASKED_ELSEWHERE: "still needed",
    Why.SUPERSEDED: "a newer one took its place",
    Why.LATE: "it came too late to be of use",
    Why.RESOLVED: "the incident was resolved",
    Why.LEFT_CONFIG: "they have left the config",
    Why.DRILL: "outsiders hear nothing of a drill",
    Why.TOLD_ALREADY: "they were told already",
}


def because(each: Notification, policy: Policy, severity: Severity | None) -> str:
    """The reason in words, its step on the ladder, and the setting that makes it come then. Without the severity that
    was in force only what the message itself knows.
    """
    tables = {Kind.PAGE: _PAGES, Kind.STAND_DOWN: _STAND_DOWNS, Kind.UPDATE: _UPDATES}
    reason = tables[each.kind][each.reason] if each.kind in tables else _OTHERS[each.kind]
    if each.kind is Kind.PAGE and not each.roles:
        reason = "last resort: the incident file cannot be read"
    said = reason.format(roles=", ".join(map(policy.role_title, each.roles)))
    facts = [_position(each), _setting(each, severity) if severity else ""]
    known = ", ".join(fact for fact in facts if fact)
    return f"{said} ({known})" if known else said


def held_back(each: Suppression) -> str:
    """Why a message was not sent, in words."""
    if each.why is Why.NOBODY_ON_CALL and each.detail:
        return each.detail
    return f"{_WHY[each.why]} ({each.detail})" if each.detail else _WHY[each.why]


def _position(each: Notification) -> str:
    """Where on the ladder it stands."""
    if each.level is None or each.round is None:
        return ""
    responding = each.roles == (RESPONDER,)
    return f"round {each.round}" if responding else f"level {each.level}, round {each.round}"


def _setting(each: Notification, severity: Severity) -> str:
    """The setting that decides when it comes."""
    if each.kind is Kind.PAGE:
        return _of_page(each.reason, severity.page) if severity.page else ""
    if each.kind is Kind.UPDATE:
        return _of_cadence(each, severity) if each.reason is Reason.DUE else ""
    spans = {
        Kind.REMINDER: ("remind_before", severity.remind_before),
        Kind.VERIFY: ("verify_after", severity.verify_after),
        Kind.REVIEW: ("remind_every", severity.review.remind_every if severity.review else None),
    }
    name, span = spans.get(each.kind, ("", None))
    return f"{name} {brief(span)}" if span else ""


def _of_page(reason: Reason, page: PagePolicy) -> str:
    if reason in (Reason.ESCALATED, Reason.REPEATED, Reason.LAST_RESORT):
        return f"acknowledge_within {brief(page.acknowledge_within)}"
    if reason is Reason.STILL_THERE and page.still_there_after:
        return f"still_there_after {brief(page.still_there_after)}"
    return ""


def _of_cadence(each: Notification, severity: Severity) -> str:
    """The cadence of the group's stream; a service's groups have that of the first."""
    streams = [stream for stream in severity.updates if each.group in stream.to] or severity.updates
    if not streams:
        return ""
    cadence = streams[0].cadence
    if cadence.cron:
        return f'cron "{cadence.cron}" in {cadence.timezone}'
    return f"every {', then '.join(brief(span.every) for span in cadence.spans)}"
