"""What the ledger holds, in numbers, for whoever watches the daemon from outside."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

Sums = Mapping[tuple[str, str], int]

WAITING = "waiting"
"""The state, outcome or result of what has none yet."""


@dataclass(frozen=True, slots=True)
class Tally:
    """Numbers of one moment."""

    open: Mapping[str, int]
    """Incidents that are not resolved, by the severity of their newest version."""
    notifications: Sums
    """By kind, and how they were settled or that they were held back."""
    attempts: Sums
    """Attempts, by channel and outcome."""
    receipts: Sums
    """What providers said last of attempts, by channel and word."""
    duplicates: Mapping[str, int]
    """Attempts that may have been second copies, by channel."""
    arrivals: Sums
    """What came in, by kind and what it led to."""
    oldest_page_at: datetime | None
    """When the oldest page was due that is not settled."""
