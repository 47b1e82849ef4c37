"""What a provider says of a message moves forward only, and ends."""

import pytest
from tocsin.domain.delivery import Receipt


def test_receipts_rank_in_the_order_of_a_message_on_its_way() -> None:
    """Each state is farther along than the one before it."""
    ranks = [
        state.rank for state in (Receipt.UNKNOWN, Receipt.QUEUED, Receipt.SENT, Receipt.DELIVERED, Receipt.UNDELIVERED)
    ]
    assert ranks == [0, 1, 2, 3, 4]


@pytest.mark.parametrize("state", Receipt)
def test_only_an_arrival_or_its_failure_is_final(state: Receipt) -> None:
    """After delivered and undelivered nothing more is said; after the others there may be."""
    assert state.final == (state in {Receipt.DELIVERED, Receipt.UNDELIVERED})
