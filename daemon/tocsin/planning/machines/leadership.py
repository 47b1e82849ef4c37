"""Who leads and for how long: rules 52 and 53, and section 9, as arithmetic on one's own clock.

All seconds are those of the machine's CLOCK_BOOTTIME, which runs on while it sleeps. No clock is compared with another
machine's: that they run at the same rate is all that is asked of them. Why two never hold at once: a leader counts from
before its renewal began, so from before the count was raised; a standby counts from when it had seen that count, so
from after; and what it waits for is longer than what the leader goes on for. In between nobody raised the count, for
the take compares it.
"""

from collections.abc import Hashable, Iterable
from dataclasses import dataclass

RENEWS_EVERY = 3.0
"""Seconds between two renewals of the lease."""
LEASE = 10.0
"""Seconds for which a lease lasts: so long a standby must see one and the same count before it takes the lead."""
MARGIN = 2.0
"""Seconds of the lease that must be left when a first byte leaves."""
LOOKS_EVERY = 1.0
"""Seconds between two looks of a standby."""
UNBROKEN = 5.0
"""Seconds between two looks beyond which a standby has not gone on seeing: it was stopped, or the database was away, so
perhaps for the leader too. It begins to count anew.
"""
TRIED_IN_VAIN = 10.0
"""Seconds for which a process without a lease must have tried to reach the database before it sends from memory."""
WITHOUT = 30.0
"""Seconds in vain after which a machine that stands by pages what is newly declared in its own folder (rule 54)."""
TRIED_LATELY = 10.0
"""Seconds since the last of these tries ended after which it has not gone on trying."""
STOOD_STILL = 2.0
"""Seconds without a turn of its loop after which a process counts its tries anew: it was stopped, or asleep."""
STEPS_WAIT = 120.0
"""Seconds from when the database went away for which the later steps of ladders wait for it."""
HEALTHY = 10.0
"""The age in seconds of its last healthy pass up to which a leader renews its lease."""
REPORTS_EVERY = 3.0
"""Seconds between two words of a standby."""
REPLACED_AFTER = 10.0
"""Seconds after its last word from which a process of the same name and folder takes a node's place (R43)."""
SILENT = 30.0
"""Seconds since its last word after which a node is called silent, and after which its providers do not count."""
MISSED = 300.0
"""Seconds since its last word after which operators hear of a node that did not stop cleanly."""
STARTS_WITHIN = 60.0
"""Seconds for which a leader is taken for healthy while it begins. One that takes longer leaves the lead to others."""
MIGRATES_WITHIN = 3600.0
"""Seconds for which a leader may be at bringing an older ledger up to date: a table may hold years."""
UNDELIVERED = 60.0
"""Seconds for which a page must have been undelivered on every channel before a leader gives the lead back."""
GIVES_BACK_EVERY = 600.0
"""Seconds between two times that a leader does so."""


@dataclass(frozen=True, slots=True)
class Sighting:
    """What a standby has seen without a break: the lease (term, node and count), and since when and until when."""

    lease: Hashable
    since: float
    until: float


def sight(before: Sighting | None, lease: Hashable, at: float) -> Sighting:
    """What has been seen, now that a look gave this. `at` is the instant *after* its answer came: the count was raised
    before that for sure.
    """
    if before is None or before.lease != lease or not 0 <= at - before.until <= UNBROKEN:
        return Sighting(lease, at, at)
    return Sighting(lease, before.since, at)


def may_take(sighting: Sighting, *, free: bool) -> bool:
    """Whether a standby may take the lead. `free`: the lease was given back by another, nobody had it yet, or it names
    this very process, which does not lead: the answer to its take was lost. Who gave it back itself, since its pages
    reach nobody, waits as though another had it.
    """
    return free or sighting.until - sighting.since >= LEASE


def holds(renewal_began: float | None, now: float) -> bool:
    """Whether a first byte may leave (rule 53). `renewal_began` is the instant *before* the last renewal that was
    answered was sent, or the take; None: the lease was not taken, is lost, or is being given back.
    """
    return renewal_began is not None and 0 <= now - renewal_began <= LEASE - MARGIN


@dataclass(frozen=True, slots=True)
class InVain:
    """Tries to reach the database that all failed: when the first began, and when the newest ended."""

    since: float
    until: float


def lets_from_memory(
    in_vain: InVain | None, turned_at: float, now: float, *, away_since: float | None, step: bool
) -> bool:
    """Whether a process without a lease may send what it alone knows (R54). `turned_at`: its loop's newest turn.
    `in_vain`: None: it has not tried since the database answered, or since it stood still. `away_since`: when it last
    answered; None: it leads no more. `step`: a later step of a ladder, which waits for longer.
    """
    if in_vain is None or away_since is None or not 0 <= now - turned_at <= STOOD_STILL:
        return False
    if step and now - away_since < STEPS_WAIT:
        return False
    return now - in_vain.since >= TRIED_IN_VAIN and now - in_vain.until <= TRIED_LATELY


def renews(healthy_at: float, now: float) -> bool:
    """Whether a leader whose last healthy pass was then still renews its lease."""
    return now - healthy_at < HEALTHY


def gives_back(
    undelivered_since: float | None, gave_back_at: float | None, reached: Iterable[float], now: float
) -> bool:
    """Whether a leader gives the lead back because its pages reach nobody. `undelivered_since`: since when a page has
    been undelivered on every channel, its waiting for room taken off; None: none is. `gave_back_at`: when it last did
    so; None: never. `reached`: for each standby that said last that it reaches a provider, how many seconds ago.
    """
    if undelivered_since is None or now - undelivered_since < UNDELIVERED:
        return False
    if gave_back_at is not None and now - gave_back_at < GIVES_BACK_EVERY:
        return False
    return any(age <= SILENT for age in reached)
