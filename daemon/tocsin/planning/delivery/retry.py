"""What is done next with a message, from how its tries ended (rules 35 to 40).

It decides when to try again, when to ask the provider, when to stop, and when a page goes by another channel as well.
It must not know how anything is sent. The sender interprets three values and nothing else:

    Settled(state)                     nothing more is tried
    TryAgain(at, possible_duplicate)   send once more at `at`, the same message with the same reference
    LookUp(at)                         ask the transport's `find` at `at`, then ask `after_look_up` here

    how it ended       page                                          anything else
    accepted           Settled("accepted"); by another channel too   Settled("accepted")
                       if it was not delivered (`receipts`)
    refused: address   Settled("refused"), elsewhere at once         Settled("refused")
    or this message
    deferred           TryAgain: 2, 5, 10, 20, 30 s, each minute;    TryAgain: 30 s doubling to 15 min
                       elsewhere 25 s after the page's instant
    not sent: this     TryAgain at once, by whoever leads            the same
    machine leads not
    provider's fault   as deferred, but never within 10 s;           as deferred
                       elsewhere at once
    uncertain (SMS)    LookUp at 1, 3, 7, 15 s; absent: TryAgain     the same
    uncertain (email)  LookUp at 30 s; a relay cannot say:           the same, but an update only once more: nothing
                       TryAgain; it may still answer, and may be     is lost (P2), and the next update comes anyway
                       waited for: LookUp each 30 s (rule 70)

Waits run from the end of the last try, longer by up to 20 % (`jitter`, from 0 to 1, is the share of them taken); a
longer Retry-After wins. Of a message at most `MOST_COPIES` leave that may each have arrived.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from tocsin.domain.delivery import (
    NOT_LEADING,
    Accepted,
    Attempt,
    Deferred,
    Fault,
    Outcome,
    Receipt,
    Refused,
    Uncertain,
)
from tocsin.domain.notification import Kind
from tocsin.domain.people import Channel
from tocsin.planning.delivery import same_try

PAGE_WAITS = tuple(timedelta(seconds=seconds) for seconds in (2, 5, 10, 20, 30, 60))
"""Waits after the first, second, … failed try of a page; the last one repeats."""
SLOW_WAITS = tuple(timedelta(seconds=seconds) for seconds in (30, 60, 120, 240, 480, 900))
"""The same for everything else."""
PROVIDER_WAIT = timedelta(seconds=10)
"""At least so long between tries of a page while only somebody's action can help (rule 38): no storm of logins."""
JITTER = 0.2
"""How much longer a wait may get, as a share of it (rule 35)."""
NEXT_CHANNEL_AFTER = timedelta(seconds=25)
"""A page that makes no headway goes by another channel this long after its instant, tried or not: within 30 s (rules
37, 70).
"""
FIRST_TRY_TAKES = timedelta(seconds=5)
"""What the first try of a page gets that is found so late that the next channel would come before it."""
PENDING_WAIT = timedelta(seconds=30)
"""Between look-ups of a message that the provider has in hand and may still answer for."""
MOST_COPIES = 5
"""Copies of one message that may each have arrived, before no more are made."""
UPDATE_COPIES = 2
"""The same for an update: the next one repeats what it said."""


@dataclass(frozen=True, slots=True)
class Settled:
    """Nothing more is tried: "accepted", "refused", or "uncertain" (it may have left, and is not repeated)."""

    state: str


@dataclass(frozen=True, slots=True)
class TryAgain:
    """Send once more. `possible_duplicate` is why an earlier copy may have left; empty when none can have."""

    at: datetime
    possible_duplicate: str = ""


@dataclass(frozen=True, slots=True)
class LookUp:
    """Ask the provider whether it has the message."""

    at: datetime


NextMove = Settled | TryAgain | LookUp


def after_send(kind: Kind, via: Channel, attempts: Sequence[Attempt], now: datetime, jitter: float) -> NextMove:
    """What follows these tries of one notification on one channel; the outcome of the newest is known."""
    match deciding_attempt(attempts).outcome:
        case Accepted():
            return Settled("accepted")
        case not_sent if not_sent == NOT_LEADING:
            return TryAgain(now, _possible_duplicate(attempts))
        case Refused():
            return Settled("refused")
        case Deferred():
            ended_at = min(_last(attempts).ended_at or now, now)  # also one of the process before
            return TryAgain(ended_at + _wait(kind, attempts, jitter), _possible_duplicate(attempts))
        case _:
            return LookUp(_next_look_up(via, attempts, now) or now)


def after_look_up(
    kind: Kind, via: Channel, attempts: Sequence[Attempt], answer: Outcome, now: datetime, *, may_wait: bool = True
) -> NextMove:
    """What follows a look-up after an uncertain try. `answer` is that of the transport's `find`; `may_wait`: a late
    answer may be waited for instead of another copy (rule 70).
    """
    pending = isinstance(answer, Uncertain) and answer.pending
    if isinstance(answer, Accepted):
        return Settled("accepted")
    if pending and may_wait:
        return LookUp(now + PENDING_WAIT)
    look_up_at = _next_look_up(via, attempts, now)
    if look_up_at is not None:
        return LookUp(look_up_at)
    copies = sum(isinstance(attempt.outcome, Uncertain) for attempt in attempts)
    most = UPDATE_COPIES if kind is Kind.UPDATE and not isinstance(answer, Deferred) else MOST_COPIES
    if copies >= most:
        return LookUp(now + PENDING_WAIT) if pending else Settled("uncertain")
    return TryAgain(now, _possible_duplicate(attempts))


def deciding_attempt(attempts: Sequence[Attempt]) -> Attempt:
    """The try that tells how the message stands: one that was accepted (as may turn out late), else the newest. What
    one provider refuses for its own sake stands as another one left it that failed it in the same try: that one may
    take it yet (rule 49).
    """
    last = _last(attempts)
    if len(attempts) == 1:
        return last
    telling = [attempt for attempt in attempts if isinstance(attempt.outcome, Accepted)]
    if not telling and isinstance(last.outcome, Refused) and last.outcome.fault is Fault.MESSAGE:
        failed = reversed(same_try.rows_of_try(attempts))
        telling = [attempt for attempt in failed if isinstance(attempt.outcome, Deferred)]
    return telling[0] if telling else last


def next_channel_at(at: datetime, attempts: Sequence[Attempt]) -> datetime | None:
    """When the page of that instant goes by its next channel too, given its tries on this one; None: no reason to. An
    instant in the past means at once.
    """
    last = deciding_attempt(attempts)
    match last.outcome:
        case Accepted() if last.receipt is Receipt.UNDELIVERED:
            return last.ended_at or last.started_at
        case None | Accepted():
            return None
        case Refused() | Deferred(fault=Fault.PROVIDER | Fault.ADDRESS):
            return last.ended_at or last.started_at
        case _:
            return at + NEXT_CHANNEL_AFTER


def headway_by(at: datetime, now: datetime) -> datetime:
    """By when a page of that instant that is to be sent from now on must have been taken by its channel (rule 70)."""
    return max(at + NEXT_CHANNEL_AFTER, now + FIRST_TRY_TAKES)


def _wait(kind: Kind, attempts: Sequence[Attempt], jitter: float) -> timedelta:
    """How long to wait after a try that went to one provider or, one after the other, to several: as long as the one of
    them that may soonest do better.
    """
    waits = PAGE_WAITS if kind is Kind.PAGE else SLOW_WAITS
    usual = waits[min(same_try.tries(attempts), len(waits)) - 1]
    of_try = []
    for attempt in same_try.rows_of_try(attempts):
        if isinstance(deferred := attempt.outcome, Deferred):
            at_fault = kind is Kind.PAGE and deferred.fault is Fault.PROVIDER
            wait = max(usual, PROVIDER_WAIT) if at_fault else usual
            of_try.append(max(wait * (1 + JITTER * jitter), deferred.retry_after or timedelta(0)))
    return min(of_try)


def _next_look_up(via: Channel, attempts: Sequence[Attempt], now: datetime) -> datetime | None:
    """The first instant after `now` at which this uncertain try is looked up; None when all have passed."""
    last = _last(attempts)
    since = last.ended_at or last.started_at
    return next((since + wait for wait in via.traits.look_ups if since + wait > now), None)


def _possible_duplicate(attempts: Sequence[Attempt]) -> str:
    """Why an earlier copy may have left; empty when none can have."""
    return next(
        (attempt.outcome.detail for attempt in reversed(attempts) if isinstance(attempt.outcome, Uncertain)), ""
    )


def _last(attempts: Sequence[Attempt]) -> Attempt:
    assert attempts, "a message that was never tried has no outcome"
    return attempts[-1]
