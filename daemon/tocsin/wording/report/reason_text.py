"""Why a message is sent or held back, and which setting makes it come when it does, for people who ask why they were
woken.

Decides words only, from the message's own reason and the settings that were in force; must not know what became of it.
"""

from dataclasses import dataclass

from tocsin.domain.notification import Kind, Notification, Reason, Suppression, Why
from tocsin.domain.policy import RESPONDER, PagePolicy, Policy, Severity
from tocsin.planning.cadence.first_word import FirstWord
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
    Reason.REACH: "reach: page as {roles} not answered or not delivered",
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
    Kind.VERIFY: "verify due: is the system healthy?",
    Kind.REVIEW: "review due: the review is not marked as done",
    Kind.OPERATOR: "trouble with the daemon itself",
    Kind.ANSWER: "reply: the answer to their own SMS",
    Kind.SIGN_IN: "sign in: somebody asked for a code in their name",
}
_REMINDERS = {
    Reason.UPDATE_DUE: "update due: nothing new was written for its readers",
    Reason.ETA_PASSED: "ETA passed: the incident is still open, and there is no new one",
}
_WHY = {
    Why.NOBODY_ON_CALL: "it reached nobody",
    Why.ASKED_BEFORE: "everybody there was asked before",
    Why.NO_CHANNEL: "no channel leads to them",
    Why.NO_LONGER_WANTED: "no longer wanted: it was answered, or is needed no more",
    Why.ASKED_ELSEWHERE: "still needed",
    Why.SUPERSEDED: "a newer one took its place",
    Why.LATE: "it came too late to be of use",
    Why.RESOLVED: "the incident was resolved",
    Why.LEFT_CONFIG: "they have left the config",
    Why.DRILL: "a drill goes without it",
    Why.TOLD_ALREADY: "they were told already",
    Why.OPTED_OUT: "they want nothing there",
    Why.WAITS: "their first update waits",
    Why.NEVER_TOLD: "they never heard of it",
    Why.NOBODY_ACTED: "it was over before anybody answered or wrote anything",
}


@dataclass(frozen=True, slots=True)
class Setting:
    """A setting with its value, as the config writes it: `acknowledge_within 5m`. `place` is the file and line of what
    it belongs to, where that is not the rule of the message itself.
    """

    text: str
    place: str = ""


def reason_text(notification: Notification, policy: Policy, severity: Severity | None) -> str:
    """The reason in words, its step on the ladder, and the setting that makes it come then. Without the severity that
    was in force only what the message itself knows.
    """
    tables = {Kind.PAGE: _PAGES, Kind.STAND_DOWN: _STAND_DOWNS, Kind.UPDATE: _UPDATES, Kind.REMINDER: _REMINDERS}
    kind = notification.kind
    reason = tables[kind][notification.reason] if kind in tables else _OTHERS[kind]
    if kind is Kind.PAGE and not notification.roles:
        reason = "last resort: the incident file cannot be read"
    text = reason.format(roles=", ".join(map(policy.role_title, notification.roles)))
    setting = timing(notification, severity)
    facts = [_position(notification), setting.text if setting else ""]
    known = ", ".join(fact for fact in facts if fact)
    return f"{text} ({known})" if known else text


def timing(notification: Notification, severity: Severity | None) -> Setting | None:
    """The setting that makes a message come when it does. `severity` is the one that was in force; None where nobody
    knows it, or where no setting decides.
    """
    if severity is None:
        return None
    if notification.kind is Kind.PAGE:
        return _page_timing(notification.reason, severity.page) if severity.page else None
    if notification.kind is Kind.UPDATE:
        return _cadence(notification, severity) if notification.reason is Reason.DUE else None
    if notification.kind is Kind.REMINDER and notification.next_update_at is None:
        return None
    spans = {
        Kind.REMINDER: ("remind_before", severity.remind_before),
        Kind.VERIFY: ("verify_after", severity.verify_after),
        Kind.REVIEW: ("remind_every", severity.review.remind_every if severity.review else None),
    }
    name, span = spans.get(notification.kind, ("", None))
    return Setting(f"{name} {brief(span)}") if span else None


def suppression_text(suppression: Suppression) -> str:
    """Why a message was not sent, in words."""
    why, detail = suppression.why, suppression.detail
    if why in (Why.NOBODY_ON_CALL, Why.ASKED_BEFORE) and detail:
        return detail
    return f"{_WHY[why]} ({detail})" if detail else _WHY[why]


def waiting_text(word: FirstWord, latest: str) -> str:
    """What a group waits for before it hears for the first time (rule 56); `latest` is when it hears at the latest, in
    words, empty where it never does by itself.
    """
    return f"waits for {word.waits_for}{f'; at the latest {latest}' if latest else ''}"


def _position(notification: Notification) -> str:
    """Where on the ladder it stands."""
    if notification.level is None or notification.round is None:
        return ""
    responding = notification.roles == (RESPONDER,)
    return f"round {notification.round}" if responding else f"level {notification.level}, round {notification.round}"


def _page_timing(reason: Reason, page: PagePolicy) -> Setting | None:
    if reason in (Reason.ESCALATED, Reason.REPEATED, Reason.LAST_RESORT):
        return Setting(f"acknowledge_within {brief(page.acknowledge_within)}", page.place)
    if reason is Reason.STILL_THERE and page.still_there_after:
        return Setting(f"still_there_after {brief(page.still_there_after)}", page.place)
    return None


def _cadence(notification: Notification, severity: Severity) -> Setting | None:
    """The cadence of the group's stream; a service's groups have that of the first."""
    streams = [stream for stream in severity.updates if notification.group in stream.to] or severity.updates
    if not streams:
        return None
    cadence = streams[0].cadence
    if cadence.cron:
        return Setting(f'cron "{cadence.cron}" in {cadence.timezone}')
    return Setting(f"every {', then '.join(brief(span.every) for span in cadence.spans)}")
