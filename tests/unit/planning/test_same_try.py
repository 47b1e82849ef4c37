"""Rule 49: which rows of a message are one try, and whether a failure goes on to the next provider."""

from datetime import UTC, datetime, timedelta

import pytest
from tocsin.domain.delivery import NOT_LEADING, Accepted, Attempt, Deferred, Fault, Outcome, Refused, Uncertain
from tocsin.domain.notification import Kind
from tocsin.domain.people import Channel
from tocsin.planning.delivery import retry, same_try

T0 = datetime(2026, 11, 23, 10, tzinfo=UTC)
BUSY, WRONG = Deferred("421 busy", "421"), Deferred("535 no", "535", Fault.PROVIDER)


def rows(*tries: tuple[str, Outcome]) -> list[Attempt]:
    return [
        Attempt(str(number), "k", number, Channel.EMAIL, "a@example.com", T0, outcome, T0, provider=name)
        for number, (name, outcome) in enumerate(tries, 1)
    ]


@pytest.mark.parametrize(
    ("outcome", "goes_on"),
    [
        (BUSY, True),
        (WRONG, True),
        (Refused("552 too big", "552", Fault.MESSAGE), True),
        (Deferred("552 5.2.2 mailbox full", "552", Fault.ADDRESS), False),
        (Refused("550 5.1.1 no such user", "550"), False),
        (NOT_LEADING, False),
        (Uncertain("lost"), False),
        (Accepted("q"), False),
        (None, False),
    ],
)
def test_only_what_surely_left_nothing_and_is_not_the_address_goes_on(outcome: Outcome | None, goes_on: bool) -> None:
    """Rule 49: an uncertain try is looked up first, a wrong address is wrong everywhere; what a provider takes for spam
    another may carry.
    """
    assert same_try.goes_on(outcome) is goes_on


@pytest.mark.parametrize(
    ("tries", "newest", "count"),
    [
        ([], [], 0),
        ([("", BUSY)], ["main"], 1),
        ([("", BUSY), ("main", BUSY)], ["main"], 2),
        ([("main", BUSY), ("b", WRONG)], ["main", "b"], 1),
        ([("main", BUSY), ("b", WRONG), ("main", BUSY)], ["main"], 2),
        ([("main", BUSY), ("b", WRONG), ("main", BUSY), ("b", BUSY)], ["main", "b"], 2),
        ([("main", Uncertain("lost")), ("b", BUSY)], ["b"], 1),
        ([("main", BUSY), ("main", NOT_LEADING)], ["main"], 1),
        ([("main", NOT_LEADING), ("main", BUSY)], ["main"], 1),
        ([("main", BUSY), ("b", Uncertain("lost"))], ["main", "b"], 1),
    ],
)
def test_the_rows_of_one_try(tries: list[tuple[str, Outcome]], newest: list[str], count: int) -> None:
    """Each provider once, one after the other; an old row names none and means the first. Waits count tries, not rows
    (rules 35, 49).
    """
    attempts = rows(*tries)
    assert [same_try.name(attempt) for attempt in same_try.rows_of_try(attempts)] == newest
    assert same_try.tried(attempts) == set(newest)
    assert same_try.tries(attempts) == count


def test_who_refused_the_message_is_known_for_good() -> None:
    """Rule 37: this very message is not tried there again."""
    attempts = rows(("main", Refused("spam", "554", Fault.MESSAGE)), ("b", BUSY), ("b", BUSY))
    assert same_try.refused_by(attempts) == {"main"}


@pytest.mark.parametrize(
    ("tries", "wait"),
    [
        ([("main", BUSY), ("b", BUSY)], 2),
        ([("main", BUSY), ("b", BUSY), ("main", BUSY), ("b", BUSY)], 5),
        ([("main", BUSY), ("b", WRONG)], 2),
        ([("main", WRONG), ("b", WRONG)], 10),
        ([("main", WRONG), ("b", Deferred("429", "429", retry_after=timedelta(seconds=7)))], 7),
    ],
)
def test_a_page_waits_for_the_provider_that_may_soonest_do_better(
    tries: list[tuple[str, Outcome]], wait: float
) -> None:
    """Rule 35 counts tries, whatever number of providers each went to."""
    move = retry.after_send(Kind.PAGE, Channel.EMAIL, rows(*tries), T0, 0.0)
    assert move == retry.TryAgain(T0 + timedelta(seconds=wait))
