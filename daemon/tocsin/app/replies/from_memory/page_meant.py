"""The page that a bare `ok` answers where the last one that a number got left from memory: that one named no code, it
asked for an `ok` (R54).
"""

from collections.abc import Iterable
from datetime import datetime

from tocsin.app.delivery.parcels.attempt_log import UNWRITTEN
from tocsin.app.reply_options.codes import Codes
from tocsin.domain.delivery import Accepted, Attempt, Uncertain
from tocsin.domain.notification import Kind, Notification


def page_meant(
    tries: Iterable[tuple[Notification, Attempt]], codes: Codes, number: str, until: datetime, *, unseen: bool = False
) -> str:
    """The incident of the newest page that a provider may have taken for a number not after `until`; empty: it left by
    the ledger, with a code, or together with others. `unseen`: none of them could name a code.
    """
    taken = [
        (page, attempt)
        for page, attempt in tries
        if (page.kind, attempt.address) == (Kind.PAGE, number) and attempt.started_at <= until
        if attempt.outcome is None or isinstance(attempt.outcome, (Accepted, Uncertain))
    ]
    newest = max((attempt.started_at for _, attempt in taken), default=None)
    last = [(page, attempt) for page, attempt in taken if attempt.started_at == newest]
    if len({page.incident for page, _ in last}) != 1:
        return ""
    page = last[0][0]
    without_code = all(attempt.possible_duplicate == UNWRITTEN for _, attempt in last) and codes.is_new_with(
        page, number
    )
    return page.incident if unseen or without_code else ""
