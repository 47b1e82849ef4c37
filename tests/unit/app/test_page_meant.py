"""Which page a bare `ok` answers that names no code (R54)."""

import random
from datetime import UTC, datetime, timedelta

from tocsin.app.delivery.parcels.attempt_log import UNWRITTEN
from tocsin.app.replies.from_memory.page_meant import page_meant
from tocsin.app.reply_options.codes import Codes
from tocsin.domain.delivery import Accepted, Attempt
from tocsin.domain.notification import Kind, Notification, Reason
from tocsin.domain.people import Channel

AT, NUMBER = datetime(2026, 11, 23, 10, tzinfo=UTC), "+14155550101"


def test_a_page_that_comes_again_names_no_code_without_the_ledger() -> None:
    """R54: a leader's second page of an incident had its code; one of a machine that cannot see the ledger has none."""
    codes, tries = Codes(random.Random(1)), []
    for minutes, incident in enumerate(("pay", "db", "pay")):
        at = AT + timedelta(minutes=minutes)
        codes.give(incident, "ana", NUMBER, at)
        key = f"{incident} {minutes}"
        page = Notification(key, incident, 1, Kind.PAGE, Reason.REPEATED, at, "ana", Channel.SMS)
        tries.append((page, Attempt("", key, 1, Channel.SMS, NUMBER, at, Accepted("id"), at, UNWRITTEN)))
    until = AT + timedelta(minutes=5)
    assert not page_meant(tries, codes, NUMBER, until)
    assert page_meant(tries, codes, NUMBER, until, unseen=True) == "pay"
    assert page_meant(tries, codes, NUMBER, AT + timedelta(minutes=1), unseen=True) == "db"
    together = [(page, attempt) for page, attempt in tries if page.incident == "db"]
    together.append((tries[0][0], Attempt("", "pay 0", 2, Channel.SMS, NUMBER, together[0][1].started_at)))
    assert not page_meant(together, codes, NUMBER, until, unseen=True), "it left with another: an ok alone fits none"
