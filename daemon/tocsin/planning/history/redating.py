"""Recorded instants in the light of a clock that was wrong (rules 59, 60): moved as one, or none later than now.

What was recorded is moved whole, so that spans stay as they were. What stands in an incident's file is people's own
writing, and is left alone: a version remembers by how much it was moved. It must not know where the records are kept.
"""

from datetime import datetime, timedelta

from tocsin.domain.delivery import Attempt, Letter
from tocsin.domain.facts import Fact, Paged, PageLost, ReachSettled, RefusalTakenBack, Reminded, Seen, Updated
from tocsin.domain.notification import Notification
from tocsin.planning.history.fast_replace import replace


def moved(fact: Fact, by: timedelta) -> Fact:
    """The fact as a clock that differed so would have had it."""
    match fact:
        case Seen():
            return replace(fact, at=fact.at + by, moved=fact.moved + by)
        case Paged():
            waiting = tuple((via, due_at + by) for via, due_at in fact.waiting)
            return replace(fact, at=fact.at + by, waiting=waiting)
        case PageLost():
            again = (fact.again[0], fact.again[1] + by) if fact.again else None
            return replace(fact, at=fact.at + by, page_at=fact.page_at + by, again=again)
        case RefusalTakenBack():
            return replace(fact, at=fact.at + by, again_at=fact.again_at + by if fact.again_at else None)
        case ReachSettled():
            return replace(fact, at=fact.at + by, page_at=fact.page_at + by, due_at=fact.due_at + by)
        case Updated():
            return replace(fact, at=fact.at + by, promised_at=fact.promised_at + by if fact.promised_at else None)
        case Reminded():
            return replace(fact, at=fact.at + by, due_at=fact.due_at + by)
        case _:
            return replace(fact, at=fact.at + by)


def not_later(fact: Fact, now: datetime) -> Fact:
    """The fact, as if it had happened now if it lies in the future. A page that it speaks of is moved as its own fact
    is, so that the two still fit; what is due later stays as far ahead of its fact. What people dated later than that
    counts from then, as at its first sight.
    """
    if fact.at <= now and not isinstance(fact, PageLost | ReachSettled):  # nearly all, and each start asks of every one
        return fact
    clamped = fact if fact.at <= now else moved(fact, now - fact.at)
    match fact, clamped:
        case Seen(), Seen():
            return replace(clamped, moved=fact.moved)
        case PageLost(), PageLost():
            return replace(clamped, page_at=min(fact.page_at, now))
        case ReachSettled(), ReachSettled():
            early = min(timedelta(0), now - fact.page_at)
            return replace(clamped, page_at=fact.page_at + early, due_at=fact.due_at + early)
        case _:
            return clamped


def moved_notification(notification: Notification, by: timedelta) -> Notification:
    """The notification as a clock that differed so would have had it. Its key, which only names it, stays."""
    promised_at = notification.next_update_at
    return replace(notification, at=notification.at + by, next_update_at=promised_at + by if promised_at else None)


def letter_not_later(letter: Letter, now: datetime) -> Letter:
    """The letter and its tries, none of them later than now."""
    notification = letter.notification
    if notification.at > now:
        notification = moved_notification(notification, now - notification.at)
    return replace(
        letter,
        notification=notification,
        attempts=tuple(_attempt_not_later(attempt, now) for attempt in letter.attempts),
    )


def _attempt_not_later(attempt: Attempt, now: datetime) -> Attempt:
    ended_at = min(attempt.ended_at, now) if attempt.ended_at else None
    return replace(attempt, started_at=min(attempt.started_at, now), ended_at=ended_at)
