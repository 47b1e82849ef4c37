"""What a try is in the light of its provider's words, in whatever order they come."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tocsin.domain.delivery import Accepted, Attempt, Deferred, Fate, Outcome, Receipt, Refused, Uncertain
from tocsin.domain.notification import Kind
from tocsin.domain.people import Channel
from tocsin.planning.delivery.receipts import apply_receipt, receipt_awaited_until
from tocsin.planning.delivery.retry import Settled, after_send, deciding_attempt, next_channel_at

T0 = datetime(2026, 11, 23, 10, tzinfo=UTC)
LATER = T0 + timedelta(seconds=40)
LANDLINE = Refused("a landline", "30006")
OUTCOMES: list[Outcome | None] = [None, Accepted("SM1"), Deferred("busy"), Refused("no", "21211"), Uncertain("lost")]
FATES = [*(Fate(receipt, None, "SM1") for receipt in Receipt), Fate(Receipt.UNDELIVERED, LANDLINE, "SM1")]


def tried(outcome: Outcome | None, number: int = 1) -> Attempt:
    return Attempt(str(number), "key", number, Channel.SMS, "+14155550101", T0, outcome, T0 if outcome else None)


@pytest.mark.parametrize("outcome", OUTCOMES)
@pytest.mark.parametrize("fate", FATES)
def test_one_word(outcome: Outcome | None, fate: Fate) -> None:
    """What the provider speaks of was accepted; a number refused for good was refused; nothing said changes nothing."""
    found = apply_receipt(tried(outcome), fate, LATER)
    assert found.receipt is fate.receipt
    if fate.receipt is Receipt.UNKNOWN or isinstance(outcome, Refused):
        assert found.outcome == outcome
    elif fate.refused:
        assert found.outcome == LANDLINE
        assert found.ended_at == LATER
    else:
        assert found.outcome == Accepted("SM1")


@given(st.sampled_from(OUTCOMES), st.lists(st.sampled_from(FATES), max_size=6))
def test_order_and_repeats_do_not_matter(outcome: Outcome | None, fates: list[Fate]) -> None:
    """The furthest word counts, however often and in whatever order words come; hearing them again changes nothing."""
    ends = []
    for order in (fates, sorted(fates, key=lambda each: each.receipt.rank), fates[::-1], fates * 2):
        attempt = tried(outcome)
        for fate in order:
            attempt = apply_receipt(attempt, fate, LATER)
        ends.append(replace(attempt, ended_at=None))
    assert all(end == ends[0] for end in ends)


@pytest.mark.parametrize("receipt", Receipt)
def test_how_long_a_page_waits(receipt: Receipt) -> None:
    """Three minutes from its acceptance, unless it is known how it ended (rule 34)."""
    attempt = replace(tried(Accepted("SM1")), receipt=receipt)
    assert receipt_awaited_until(attempt) == (None if receipt.final else T0 + timedelta(minutes=3))
    assert next_channel_at(T0, [attempt]) == (T0 if receipt is Receipt.UNDELIVERED else None)


def test_an_accepted_try_stands_for_the_message() -> None:
    """A first copy that turns out accepted ends all further tries, whatever became of those."""
    first = apply_receipt(tried(Uncertain("lost")), Fate(Receipt.SENT, None, "SM1"), LATER)
    tries = [first, tried(Deferred("busy"), 2)]
    assert deciding_attempt(tries) == first
    assert after_send(Kind.PAGE, Channel.SMS, tries, LATER, 0) == Settled("accepted")
    assert next_channel_at(T0, tries) is None


def test_the_wait_counts_from_the_acceptance() -> None:
    """Rule 34: 3 minutes from when the provider took it, or from the beginning of a try whose end is not known."""
    attempt = replace(tried(Accepted("SM1")), ended_at=LATER)
    assert receipt_awaited_until(attempt) == LATER + timedelta(minutes=3)
    assert receipt_awaited_until(replace(attempt, ended_at=None)) == T0 + timedelta(minutes=3)


@pytest.mark.parametrize(
    ("first", "second", "stands"),
    [
        (Receipt.UNKNOWN, Receipt.QUEUED, Receipt.QUEUED),
        (Receipt.QUEUED, Receipt.SENT, Receipt.SENT),
        (Receipt.SENT, Receipt.DELIVERED, Receipt.DELIVERED),
        (Receipt.SENT, Receipt.UNDELIVERED, Receipt.UNDELIVERED),
        (Receipt.DELIVERED, Receipt.SENT, Receipt.DELIVERED),
        (Receipt.DELIVERED, Receipt.UNKNOWN, Receipt.DELIVERED),
        (Receipt.DELIVERED, Receipt.UNDELIVERED, Receipt.UNDELIVERED),
        (Receipt.UNDELIVERED, Receipt.DELIVERED, Receipt.UNDELIVERED),
    ],
)
def test_receipts_only_move_forward(first: Receipt, second: Receipt, stands: Receipt) -> None:
    """Each word is further along than the one before; of two last words the bad one stands, so that a page goes on."""
    attempt = apply_receipt(tried(Accepted("SM1")), Fate(first, None, "SM1"), LATER)
    assert apply_receipt(attempt, Fate(second, None, "SM1"), LATER).receipt is stands


def test_a_refusal_keeps_when_it_was_known() -> None:
    """A try that was refused already keeps its outcome and its end, whatever the provider repeats."""
    refused = tried(Refused("no", "21211"))
    found = apply_receipt(refused, Fate(Receipt.UNDELIVERED, LANDLINE, "SM1"), LATER)
    assert (found.outcome, found.ended_at) == (refused.outcome, refused.ended_at)
    accepted = tried(Accepted("SM1"))
    assert apply_receipt(accepted, Fate(Receipt.DELIVERED, None, "SM2"), LATER) == replace(
        accepted, receipt=Receipt.DELIVERED
    )
