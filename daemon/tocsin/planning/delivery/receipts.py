"""What a try is once the provider has said what became of its message, and how long a page waits for its receipt (rules
34, 37, 42).

Decides from one try. Must not know how the provider's word came in, nor how it is asked.
"""

from dataclasses import replace
from datetime import datetime, timedelta

from tocsin.domain.delivery import Accepted, Attempt, Fate, Receipt, Refused

RECEIPT_WITHIN = timedelta(minutes=3)
"""A page accepted by a provider that gives receipts goes by another channel after this long without one (rule 34)."""
ASKED_AT_MOST_LATE = timedelta(seconds=15)
"""How late a provider is still asked a last time, when other questions were in the way: a page waits no longer."""


def apply_receipt(attempt: Attempt, fate: Fate, now: datetime) -> Attempt:
    """The try in the light of what the provider said of it. Receipts only move forward; a try of unknown fate that the
    provider speaks of was accepted, and a number refused for good was never reached.
    """
    receipt = max(attempt.receipt or Receipt.UNKNOWN, fate.receipt, key=lambda known: known.rank)
    if fate.refused is not None and not isinstance(attempt.outcome, Refused):
        return replace(attempt, receipt=receipt, outcome=fate.refused, ended_at=now)
    if receipt is not Receipt.UNKNOWN and not isinstance(attempt.outcome, (Accepted, Refused)):
        return replace(attempt, receipt=receipt, outcome=Accepted(fate.provider_id), ended_at=now)
    return replace(attempt, receipt=receipt)


def receipt_awaited_until(accepted: Attempt) -> datetime | None:
    """Until when a page that was accepted so waits for its receipt; None when that is there."""
    if accepted.receipt is not None and accepted.receipt.final:
        return None
    return (accepted.ended_at or accepted.started_at) + RECEIPT_WITHIN
