"""Whether a notification that was decided should still leave, by which address, and whether its words still hold (asked
before every try).

It decides from the newest history and policy only. It must not know about tries, queues or providers.
"""

from datetime import datetime, timedelta

from tocsin.domain.history import History, RoleHistory
from tocsin.domain.notification import OUTSIDE_PLAN, SIGN_IN_CODE_LASTS, Kind, Notification, Reason, Why
from tocsin.domain.policy import RESPONDER, Policy

WORTH_FOR = {
    Kind.OPERATOR: timedelta(hours=1),
    Kind.ANSWER: timedelta(minutes=10),
    Kind.SIGN_IN: SIGN_IN_CODE_LASTS,
}
"""How long what is outside the plan is worth sending; an answer says what is true now."""


def current_address(notification: Notification, policy: Policy) -> str:
    """Where it goes by the current config, as it is written there now; empty when the reader left it or has no such
    channel any more (rule 8), or wants nothing more there (rule 51).
    """
    if opted_out(notification, policy):
        return ""
    person = policy.people.get(notification.to)
    if person is not None:
        return person.address(notification.via)
    return policy.plain_address(notification.to)


def opted_out(notification: Notification, policy: Policy) -> bool:
    """Whether its reader wants nothing more there: the number answered STOP, the plain address was unsubscribed."""
    person = policy.people.get(notification.to)
    if person is not None:
        return notification.via in person.stopped
    return notification.external and policy.unsubscribed(notification.to)


def why_unwanted(notification: Notification, history: History) -> Why | None:
    """Why it should not leave any more, or None while it should."""
    kind = notification.kind
    if kind is Kind.CLOSING:
        return Why.SUPERSEDED if _hears_on(notification, history) else None
    if kind in OUTSIDE_PLAN:
        return None
    if notification.episode != history.episode:
        return Why.NO_LONGER_WANTED
    if kind in (Kind.VERIFY, Kind.REVIEW):
        return _why_unasked(notification, history)
    if history.resolved_at is not None:
        return Why.RESOLVED
    if kind is Kind.UPDATE and _is_superseded(notification, history):
        return Why.SUPERSEDED
    if notification.reason is Reason.UPDATE_DUE and not _is_still_due(notification, history):
        return Why.SUPERSEDED
    if notification.reason is Reason.ETA_PASSED and history.incident and history.incident.eta != notification.at:
        return Why.NO_LONGER_WANTED
    if kind is Kind.PAGE and not _still_asks(notification, history):
        return Why.NO_LONGER_WANTED
    if kind is Kind.STAND_DOWN and _stands_up_again(notification, history):
        return Why.NO_LONGER_WANTED
    return None


def says_otherwise(page: Notification, history: History) -> bool:
    """Whether a page was decided before its incident got the severity that it has, became a drill, or was first read
    whole: its words are not true any more (rules 28, 31, 46).
    """
    since = history.severity_changed_at, history.drill_since, history.read_at
    return any(at is not None and page.at < at for at in since)


def why_not_now(notification: Notification, history: History, now: datetime) -> Why | None:
    """Why it should not leave now: it is unwanted, or about something of the moment and too late."""
    worth_for = WORTH_FOR.get(notification.kind)
    if worth_for is not None and now - notification.at > worth_for:
        return Why.LATE
    return why_unwanted(notification, history)


def _hears_on(closing: Notification, history: History) -> bool:
    """Whether its reader heard there that the incident is open again: it is not over then, or is by another closing.
    Who would hear nothing of that one, since no page of the new episode has left for them, hears this.
    """
    return closing.episode < history.episode and closing.via in history.channels_heard(closing.to)


def _why_unasked(question: Notification, history: History) -> Why | None:
    """Whether all is healthy, and the review, are asked for until somebody has answered; one that was asked for again
    while it waited leaves once (rule 4).
    """
    done, newest = history.verified, history.verify_asked_at
    if question.kind is Kind.REVIEW:
        done, newest = history.incident is not None and bool(history.incident.review), history.review_asked_at
    if done or history.resolved_at is None:
        return Why.NO_LONGER_WANTED
    return Why.SUPERSEDED if newest and question.at < newest else None


def _is_superseded(update: Notification, history: History) -> bool:
    """Whether the group has a newer update than this one; a group no longer concerned has had its last word."""
    assert update.group is not None
    group = history.groups.get(update.group)
    if group is None:
        return update.reason is not Reason.SEVERITY_LOWERED
    return group.last_at > update.at


def _is_still_due(reminder: Notification, history: History) -> bool:
    """Whether a group that it was about has heard nothing since, or still waits for its first word (rule 24)."""
    due_at = reminder.next_update_at
    return any(group.reminded_for == due_at for group in history.groups.values() if due_at) or any(
        group.reminded_for == reminder.at for group in history.held_groups.values()
    )


def _still_asks(page: Notification, history: History) -> bool:
    """Whether a page still asks for an answer that has not come. One of a drill that has become real does not."""
    if history.in_earnest_at is not None and page.at < history.in_earnest_at:
        return False
    if not page.roles:
        declined = any(page.to in role.declining for role in history.roles.values())
        return not history.unreadable_ended and not declined
    for name in page.roles:
        if name == RESPONDER:
            if page.to not in history.responders_answered | history.responders_passed:
                return True
        elif (role := history.roles.get(name)) is not None and _role_still_asks(role, page.to):
            return True
    return False


def _stands_up_again(stand_down: Notification, history: History) -> bool:
    """Whether its reader has been asked anew since for one of its roles, or has it now: they would take themselves for
    free (rule 17).
    """
    roles = filter(None, (history.roles.get(name) for name in stand_down.roles))
    return any(role.holder == stand_down.to or stand_down.to not in role.stood_down for role in roles)


def _role_still_asks(role: RoleHistory, person: str) -> bool:
    """Nobody has accepted; or the holder is asked whether they are still there; or a handover waits for this person."""
    if not role.needed or person in role.declining:
        return False
    if role.holder is None:
        return True
    if role.holder == person:
        return role.still_asked_at is not None
    return role.handover is not None and role.handover.person == person
