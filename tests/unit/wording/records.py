"""A record as the ledger gives it, of a message whose words do not matter."""

from tocsin.domain.delivery import Attempt, Receipt, Record
from tocsin.domain.notification import Notification


def record(
    notification: Notification,
    attempts: tuple[Attempt, ...] = (),
    receipt: Receipt | None = None,
    state: str = "pending",
) -> Record:
    """What was decided, its tries, what the provider said of it last, and how it was settled."""
    return Record(notification, None, attempts, receipt, state)
