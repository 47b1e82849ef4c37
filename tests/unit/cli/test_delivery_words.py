"""What became of messages that were decided as one, as `tocsin explain` says it."""

from datetime import UTC, datetime, timedelta

import pytest
from tocsin.cli.output.delivery_words import outcome as outcome_of
from tocsin.cli.output.delivery_words import outcomes
from tocsin.domain.delivery import Accepted, Attempt, Deferred, Outcome, Receipt, Record, Refused, Uncertain
from tocsin.domain.notification import Kind, Notification, Reason
from tocsin.domain.people import Channel

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
LATER = Deferred("busy", "451")


def record(
    outcome: Outcome | None = None, number: int = 1, state: str = "pending", via: Channel = Channel.SMS, to: str = "bo"
) -> Record:
    """A page whose newest try ended so."""
    page = Notification("k", "db", 1, Kind.PAGE, Reason.DECLARED, NOON, to, via)
    attempt = Attempt(1, "k", number, via, "x", NOON, outcome, NOON + timedelta(seconds=1))
    return Record(page, None, (attempt,), None, state)


@pytest.mark.parametrize(
    ("outcome", "number", "state", "words"),
    [
        (Accepted(), 1, "accepted", "accepted"),
        (Accepted(), 2, "accepted", "accepted at try 2"),
        (LATER, 3, "pending", "retrying after try 3 (451 busy)"),
        (LATER, 3, "superseded", "superseded by a newer one (451 busy)"),
        (LATER, 3, "unwanted", "no longer wanted (451 busy)"),
        (LATER, 3, "uncertain", "given up (451 busy)"),
        (Refused("no such number", "21211"), 1, "refused", "refused (21211 no such number)"),
        (Uncertain("cut off"), 1, "pending", "uncertain, being looked into (cut off)"),
        (Uncertain("cut off"), 1, "uncertain", "uncertain (cut off)"),
        (None, 1, "pending", "on its way"),
        (None, 1, "uncertain", "of uncertain fate"),
    ],
)
def test_the_newest_try_tells_how_it_went(outcome: Outcome | None, number: int, state: str, words: str) -> None:
    """Its outcome, and what follows from it while the message is not settled."""
    assert outcome_of(record(outcome, number, state)) == words


@pytest.mark.parametrize(
    ("receipt", "words"),
    [
        (None, "accepted"),
        (Receipt.SENT, "accepted"),
        (Receipt.DELIVERED, "accepted, delivered"),
        (Receipt.UNDELIVERED, "accepted, undelivered"),
    ],
)
def test_only_a_final_receipt_is_told(receipt: Receipt | None, words: str) -> None:
    """What the provider says on the way is not."""
    page = record(Accepted(), state="accepted")
    assert outcome_of(Record(page.decided, None, page.attempts, receipt, "accepted")) == words


def test_equal_things_are_said_once() -> None:
    """Channels that fared alike are one word; a person's are told apart, many readers' counted."""
    accepted, refused = record(Accepted()), record(Refused("gone"), via=Channel.EMAIL)
    assert outcomes([accepted, accepted]) == "accepted"
    assert outcomes([accepted, refused]) == "sms accepted, email refused (gone)"
    others = [record(Accepted(), to="ana"), record(Accepted(), to="chen"), refused]
    assert outcomes(others) == "2 accepted, 1 refused (gone)"
