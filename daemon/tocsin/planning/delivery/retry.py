"""Retry: how a try ended -> what is done next with that message (product.md section 5, Delivery; rules 35 to 40).

It decides when to try again, when to ask the provider, when to stop, and when a page goes by another channel as well.
It must not know how anything is sent. Whoever delivers interprets three values and nothing else:

    Done(state)                     settle the notification; nothing more is tried
    Again(at, possible_duplicate)   send once more at `at`, the same message with the same reference
    LookUp(at)                      ask the transport's `find` at `at`, then ask `after_look_up` here

    how it ended       page                                         anything else
    accepted           Done("accepted"); elsewhere at once if it    Done("accepted")
                       was not delivered (planning.receipts)
    refused            Done("refused"), elsewhere at once           Done("refused")
    deferred           Again: 2, 5, 10, 20, 30 s, each minute;      Again: 30 s doubling to 15 min
                       elsewhere 25 s after the first try began
    provider's fault   Again each minute, elsewhere at once         as deferred
    uncertain (SMS)    LookUp at 1, 3, 7, 15 s; absent: Again       the same
    uncertain (email)  LookUp at 30 s; a relay cannot say: Again    the same, but an update only once more: nothing
                                                                    is lost (P2), and the next update comes anyway

Waits run from the end of the last try, longer by up to 20 % (`jitter`, from 0 to 1, is the share of them taken); a
longer Retry-After wins. Of a message at most `MOST_COPIES` leave that may each have arrived.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from tocsin.domain.delivery import Accepted, Attempt, Deferred, Fault, Outcome, Receipt, Refused, Uncertain
from tocsin.domain.notification import Kind
from tocsin.domain.people import Channel

PAGE_WAITS = tuple(timedelta(seconds=seconds) for seconds in (2, 5, 10, 20, 30, 60))
"""Waits after the first, second, … failed try of a page; the last one repeats."""
SLOW_WAITS = tuple(timedelta(seconds=seconds) for seconds in (30, 60, 120, 240, 480, 900))
"""The same for everything else."""
PROVIDER_WAIT = timedelta(minutes=1)
"""Between tries of a page while only a config change can help (rule 38): no storm of logins."""
JITTER = 0.2
"""How much longer a wait may get, as a share of it (rule 35)."""
ELSEWHERE_AFTER = timedelta(seconds=25)
"""A page that makes no headway goes by another channel this long after its first try began: within 30 s (rule 37)."""
MOST_COPIES = 5
"""Copies of one message that may each have arrived, before no more are made."""
UPDATE_COPIES = 2
"""The same for an update: the next one repeats what it said."""


@dataclass(frozen=True, slots=True)
class Done:
    """Nothing more is tried: "accepted", "refused", or "uncertain" (it may have left, and is not repeated)."""

    state: str


@dataclass(frozen=True, slots=True)
class Again:
    """Send once more. `possible_duplicate` is why an earlier copy may have left; empty when none can have."""

    at: datetime
    possible_duplicate: str = ""


@dataclass(frozen=True, slots=True)
class LookUp:
    """Ask the provider whether it has the message."""

    at: datetime


Move = Done | Again | LookUp


def after_send(kind: Kind, via: Channel, tries: Sequence[Attempt], now: datetime, jitter: float) -> Move:
    """What follows these tries of one notification on one channel; the outcome of the newest is known."""
    match standing(tries).outcome:
        case Accepted():
            return Done("accepted")
        case Refused():
            return Done("refused")
        case Deferred() as deferred:
            return Again(now + _wait(kind, len(tries), deferred, jitter), _possible_duplicate(tries))
        case _:
            return LookUp(_next_look_up(via, tries, now) or now)


def after_look_up(kind: Kind, via: Channel, tries: Sequence[Attempt], found: Outcome, now: datetime) -> Move:
    """What follows a look-up after an uncertain try. `found` is the answer of the transport's `find`."""
    if isinstance(found, Accepted):
        return Done("accepted")
    look_up_at = _next_look_up(via, tries, now)
    if look_up_at is not None:
        return LookUp(look_up_at)
    copies = sum(isinstance(attempt.outcome, Uncertain) for attempt in tries)
    most = UPDATE_COPIES if kind is Kind.UPDATE and not isinstance(found, Deferred) else MOST_COPIES
    if copies >= most:
        return Done("uncertain")
    return Again(now, _possible_duplicate(tries))


def standing(tries: Sequence[Attempt]) -> Attempt:
    """The try that tells how the message stands: one that was accepted (as may turn out late), else the newest."""
    return next((attempt for attempt in tries if isinstance(attempt.outcome, Accepted)), _last(tries))


def elsewhere_at(tries: Sequence[Attempt]) -> datetime | None:
    """When a page goes by its next channel too, given its tries on this one; None: no reason to. An instant in the
    past means at once.
    """
    last = standing(tries)
    match last.outcome:
        case Accepted() if last.receipt is Receipt.UNDELIVERED:
            return last.ended_at or last.started_at
        case None | Accepted():
            return None
        case Refused() | Deferred(fault=Fault.PROVIDER | Fault.ADDRESS):
            return last.ended_at or last.started_at
        case _:
            return tries[0].started_at + ELSEWHERE_AFTER


def _wait(kind: Kind, failed: int, deferred: Deferred, jitter: float) -> timedelta:
    """How long to wait after the `failed`-th failure in a row."""
    if kind is Kind.PAGE and deferred.fault is Fault.PROVIDER:
        wait = PROVIDER_WAIT
    else:
        waits = PAGE_WAITS if kind is Kind.PAGE else SLOW_WAITS
        wait = waits[min(failed, len(waits)) - 1]
    return max(wait * (1 + JITTER * jitter), deferred.retry_after or timedelta(0))


def _next_look_up(via: Channel, tries: Sequence[Attempt], now: datetime) -> datetime | None:
    """The first instant after `now` at which this uncertain try is looked up; None when all have passed."""
    last = _last(tries)
    since = last.ended_at or last.started_at
    return next((since + wait for wait in via.traits.look_ups if since + wait > now), None)


def _possible_duplicate(tries: Sequence[Attempt]) -> str:
    """Why an earlier copy may have left; empty when none can have."""
    return next((one.outcome.detail for one in reversed(tries) if isinstance(one.outcome, Uncertain)), "")


def _last(tries: Sequence[Attempt]) -> Attempt:
    assert tries, "a message that was never tried has no outcome"
    return tries[-1]
