"""What the ledger holds, in numbers, for whoever watches the daemon from outside."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

Sums = Mapping[tuple[str, ...], int]

WAITING = "waiting"
"""The state, outcome or result of what has none yet."""
MESSAGE_REFUSED = "message_refused"
"""The outcome of what was refused for the message's own sake, and not its address's."""


@dataclass(frozen=True, slots=True)
class ProviderTally:
    """How a provider does: when it last took a message (None: never), and how many tries failed since then, of those
    that may still change: deferred ones and those of uncertain fate.
    """

    taken_at: datetime | None
    failures: int


@dataclass(frozen=True, slots=True)
class Tally:
    """Numbers of one moment."""

    open: Mapping[str, int]
    """Incidents that are not resolved, by the severity of their newest version."""
    notifications: Sums
    """By kind, and how they were settled or that they were held back."""
    attempts: Sums
    """Attempts, by channel, provider and outcome."""
    providers: Mapping[tuple[str, str], ProviderTally]
    """Every provider that was tried, by channel and name."""
    receipts: Sums
    """What providers said last of attempts, by channel and word."""
    duplicates: Mapping[str, int]
    """Attempts that may have been second copies, by channel."""
    arrivals: Sums
    """What came in, by kind and what it led to."""
    bundles: int
    """Messages that stood for several pages."""
    bundled: Mapping[str, int]
    """Attempts at pages that left in such a message, by channel."""
    waiting_pages: Mapping[str, int]
    """Pages that are not settled and were not tried yet, by channel."""
    opt_outs: Mapping[str, int]
    """Addresses that want nothing more, by channel."""
    oldest_page_at: datetime | None
    """When the oldest page was due that is not settled."""
