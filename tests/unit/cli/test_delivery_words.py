"""What became of messages that were decided as one, as `tocsin explain` says it."""

from dataclasses import replace
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
    return Record(page, None, tries(*[LATER] * (number - 1), outcome, via=via), None, state)


def tries(*outcomes: Outcome | None, via: Channel = Channel.SMS, providers: str = "") -> tuple[Attempt, ...]:
    """Attempts that ended so, one after the other; `providers` names that of each."""
    names = providers.split() or [""] * len(outcomes)
    return tuple(
        Attempt(str(number), "k", number, via, "x", NOON, outcome, NOON + timedelta(seconds=1), provider=name)
        for number, (outcome, name) in enumerate(zip(outcomes, names, strict=True), 1)
    )


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
    ("attempts", "words"),
    [
        (tries(Accepted(), providers="main"), "accepted"),
        (tries(LATER, Accepted(), providers="main main"), "accepted at try 2"),
        (tries(Accepted(), providers="spare"), "accepted by spare"),
        (tries(LATER, Accepted(), providers="main spare"), "accepted by spare (main: put off, 451 busy)"),
        (tries(Refused("no"), Accepted(), providers="spare main"), "accepted by main (spare: refused, no)"),
        (
            tries(LATER, Deferred("down"), LATER, Deferred("down"), providers="main spare main spare"),
            "retrying after try 2 (spare: down; main: put off, 451 busy)",
        ),
        (tries(LATER, None, providers="main spare"), "on its way by spare (main: put off, 451 busy)"),
        (tries(LATER, Accepted(), providers="old spare"), "accepted by spare (old: put off, 451 busy)"),
    ],
)
def test_the_provider_is_named_where_there_is_another(attempts: tuple[Attempt, ...], words: str) -> None:
    """P6: by which provider, and what those said that it was tried with before. What went on to the next provider at
    once is the same try; the one provider of a config that has no other is not named.
    """
    page = record().decided
    assert outcome_of(Record(page, None, attempts, None, "pending")) == words


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


@pytest.mark.parametrize(
    ("outcome", "code", "words"),
    [
        (Accepted(), "30003", "accepted, undelivered: the phone is off or out of reach (30003)"),
        (Accepted(), "63038", "accepted, undelivered: the account's messages for the day are used up (63038)"),
        (Accepted(), "39999", "accepted, undelivered: no reason was given (39999)"),
        (Refused("no phone", "30005"), "30005", "refused (30005 no phone), undelivered"),
    ],
)
def test_why_it_was_not_delivered_is_told(outcome: Outcome, code: str, words: str) -> None:
    """P6, rule 39: with the words that operators read; once."""
    page = record(outcome, state="accepted")
    tries = tuple(replace(one, receipt=Receipt.UNDELIVERED, receipt_code=code) for one in page.attempts)
    assert outcome_of(Record(page.decided, None, tries, Receipt.UNDELIVERED, "accepted")) == words


def test_equal_things_are_said_once() -> None:
    """Channels that fared alike are one word; a person's are told apart, many readers' counted."""
    accepted, refused = record(Accepted()), record(Refused("gone"), via=Channel.EMAIL)
    assert outcomes([accepted, accepted]) == "accepted"
    assert outcomes([accepted, refused]) == "sms accepted, email refused (gone)"
    others = [record(Accepted(), to="ana"), record(Accepted(), to="chen"), refused]
    assert outcomes(others) == "2 accepted, 1 refused (gone)"
