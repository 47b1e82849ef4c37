"""Tally: what the ledger holds, in numbers, for whoever watches from outside. It decides nothing."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

Sums = Mapping[tuple[str, str], int]


@dataclass(frozen=True, slots=True)
class Tally:
    """Numbers of one moment. What waits has the word WAITING for its state, outcome or result."""

    open: Mapping[str, int]
    """Incidents that are not resolved, by the severity of their newest version."""
    notifications: Sums
    """By kind, and how they were settled or that they were held back."""
    tries: Sums
    """By channel and outcome."""
    receipts: Sums
    """What providers said last of tries, by channel and word."""
    duplicates: Mapping[str, int]
    """Tries that may have been second copies, by channel."""
    arrivals: Sums
    """What came in, by kind and what it led to."""
    oldest_page_at: datetime | None
    """When the oldest page was due that is not settled."""


WAITING = "waiting"
