"""How far a machine's own clock is from the database's, by which all that share a ledger go (R60)."""

from datetime import datetime, timedelta

TOLD_FROM = timedelta(seconds=2)
"""From what difference on people hear of it."""


def ahead_at_least(asked: datetime, told: datetime, answered: datetime) -> timedelta:
    """How far a machine's clock is surely ahead (behind: less than nothing) of another that was asked what time it is:
    what it `told` was true at some instant between, whenever that was.
    """
    return asked - told if told < asked else min(answered - told, timedelta(0))


def differs(ahead: timedelta) -> bool:
    """Whether people hear of it."""
    return abs(ahead) > TOLD_FROM
