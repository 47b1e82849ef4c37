"""The page that a bare `ok` answers where the last one that a number got left from memory: that one named no code, it
asked for an `ok` (R54).
"""

from collections.abc import Iterable
from datetime import datetime

from tocsin.app.delivery.parcels.attempt_log import UNWRITTEN
from tocsin.domain.delivery import Accepted, Attempt, Uncertain
from tocsin.domain.notification import Kind, Notification


def page_meant(tries: Iterable[tuple[Notification, Attempt]], number: str, until: datetime) -> Notification | None:
    """The newest page that a provider may have taken for a number not after `until`; None: it left by the ledger, or
    together with others.
    """
    taken = [
        (page, attempt)
        for page, attempt in tries
        if (page.kind, attempt.address) == (Kind.PAGE, number) and attempt.started_at <= until
        if attempt.outcome is None or isinstance(attempt.outcome, (Accepted, Uncertain))
    ]
    newest = max((attempt.started_at for _, attempt in taken), default=None)
    last = [(page, attempt) for page, attempt in taken if attempt.started_at == newest]
    if len({page.incident for page, _ in last}) != 1 or any(
        attempt.possible_duplicate != UNWRITTEN for _, attempt in last
    ):
        return None
    return last[0][0]
