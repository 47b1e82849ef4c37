"""The table of `planning/delivery/retry.py`, row by row (rules 35 to 40)."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tocsin.domain.delivery import NOT_LEADING, Accepted, Attempt, Deferred, Fault, Outcome, Receipt, Refused, Uncertain
from tocsin.domain.notification import Kind
from tocsin.domain.people import Channel
from tocsin.planning.delivery.retry import (
    MOST_COPIES,
    LookUp,
    Settled,
    TryAgain,
    after_look_up,
    after_send,
    headway_by,
    next_channel_at,
)

T0 = datetime(2026, 11, 23, 10, tzinfo=UTC)
BUSY, LOST = Deferred("451 try later"), Uncertain("the reply did not come")
WRONG_PASSWORD = Deferred("535 no", fault=Fault.PROVIDER)


def seconds(count: float) -> timedelta:
    return timedelta(seconds=count)


def tries(*outcomes: Outcome, via: Channel = Channel.SMS) -> tuple[Attempt, ...]:
    """Tries that all began at T0 and ended a second later."""
    return tuple(
        Attempt(str(number), "key", number, via, "+14155550101", T0, outcome, T0 + seconds(1))
        for number, outcome in enumerate(outcomes, 1)
    )


@pytest.mark.parametrize("kind", Kind)
@pytest.mark.parametrize("via", Channel)
def test_a_final_answer_ends_it(kind: Kind, via: Channel) -> None:
    """Accepted and refused are never tried again, whatever was before."""
    assert after_send(kind, via, tries(LOST, Accepted()), T0, 0) == Settled("accepted")
    assert after_send(kind, via, tries(BUSY, Refused("550")), T0, 1) == Settled("refused")


@pytest.mark.parametrize(
    ("kind", "waits"),
    [
        (Kind.PAGE, [2, 5, 10, 20, 30, 60, 60, 60]),
        (Kind.UPDATE, [30, 60, 120, 240, 480, 900, 900]),
        (Kind.CLOSING, [30, 60, 120, 240, 480, 900, 900]),
    ],
)
def test_waits_grow(kind: Kind, waits: list[int]) -> None:
    """Rule 35: pages wait 2, 5, 10, 20, 30 s, then a minute; all else 30 s doubling to 15 min; jitter adds up to 20 %."""
    for count, wait in enumerate(waits, 1):
        failed = tries(*[BUSY] * count)
        assert after_send(kind, Channel.EMAIL, failed, T0, 0) == TryAgain(T0 + seconds(wait))
        assert after_send(kind, Channel.EMAIL, failed, T0, 1) == TryAgain(T0 + seconds(wait * 1.2))


@pytest.mark.parametrize("kind", Kind)
def test_what_this_machine_did_not_send_is_sent_at_once(kind: Kind) -> None:
    """Rules 35, 53: no provider failed it, so that nothing is waited for, nor any wait grows; who may have a copy all
    the same is remembered.
    """
    late = T0 + seconds(60)
    assert after_send(kind, Channel.EMAIL, tries(BUSY, NOT_LEADING), late, 1) == TryAgain(late)
    assert after_send(kind, Channel.EMAIL, tries(LOST, NOT_LEADING), late, 1) == TryAgain(late, LOST.detail)
    once = after_send(kind, Channel.EMAIL, tries(BUSY), T0, 0)
    assert after_send(kind, Channel.EMAIL, tries(NOT_LEADING, NOT_LEADING, BUSY), T0, 0) == once


def test_a_longer_retry_after_wins() -> None:
    """The provider's own wish lengthens a wait and never shortens it (rule 35)."""
    for wish, wait in ((1, 2), (17, 17)):
        asked = tries(Deferred("429", retry_after=seconds(wish)))
        assert after_send(Kind.PAGE, Channel.SMS, asked, T0, 0) == TryAgain(T0 + seconds(wait))


def test_a_providers_fault_is_tried_slowly() -> None:
    """A wrong password is tried as rule 35 says, but never within 10 s: no storm of logins; and the page goes elsewhere
    at once (rule 38).
    """
    for count, wait in enumerate([10, 10, 10, 20, 30, 60, 60], 1):
        failed = tries(*[WRONG_PASSWORD] * count)
        assert after_send(Kind.PAGE, Channel.EMAIL, failed, T0, 0) == TryAgain(T0 + seconds(wait))
    failed = tries(WRONG_PASSWORD)
    assert next_channel_at(T0, failed) == T0 + seconds(1)


@pytest.mark.parametrize("kind", [Kind.PAGE, Kind.CLOSING, Kind.UPDATE])
def test_an_uncertain_sms_is_looked_up_before_a_second_copy(kind: Kind) -> None:
    """The list is asked at 1, 3, 7 and 15 s; only when it lacks the message each time, a marked copy leaves."""
    lost = tries(LOST)
    ended_at = T0 + seconds(1)
    move = after_send(kind, Channel.SMS, lost, ended_at, 0)
    for wait in (1, 3, 7, 15):
        assert move == LookUp(ended_at + seconds(wait))
        move = after_look_up(kind, Channel.SMS, lost, BUSY, move.at)
    assert move == TryAgain(ended_at + seconds(15), LOST.detail)


def test_found_is_accepted() -> None:
    """A message that the provider has is never sent again."""
    assert after_look_up(Kind.PAGE, Channel.SMS, tries(LOST), Accepted("SM1"), T0) == Settled("accepted")


@pytest.mark.parametrize("via", Channel)
def test_what_cannot_be_looked_up(via: Channel) -> None:
    """Where nobody can say, the message leaves again; an update only once more, because the next one repeats it."""
    lost, late = tries(LOST, via=via), T0 + seconds(31)
    assert after_look_up(Kind.PAGE, via, lost, LOST, late) == TryAgain(late, LOST.detail)
    assert after_look_up(Kind.CLOSING, via, lost, LOST, late) == TryAgain(late, LOST.detail)
    assert after_look_up(Kind.UPDATE, via, lost, LOST, late) == TryAgain(late, LOST.detail)
    twice = tries(LOST, LOST, via=via)
    assert after_look_up(Kind.UPDATE, via, twice, LOST, late) == Settled("uncertain")
    assert after_look_up(Kind.CLOSING, via, twice, LOST, late) == TryAgain(late, LOST.detail)


def test_an_uncertain_email_waits_30_seconds() -> None:
    """Not the 2 s, 5 s schedule (rule 40)."""
    move = after_send(Kind.PAGE, Channel.EMAIL, tries(LOST, via=Channel.EMAIL), T0 + seconds(1), 1)
    assert move == LookUp(T0 + seconds(31))


@pytest.mark.parametrize("kind", [Kind.PAGE, Kind.UPDATE, Kind.CLOSING])
def test_what_may_still_be_answered_for_is_waited_for(kind: Kind) -> None:
    """Rule 70: while the relay has the mail in hand no further copy leaves, however many did before."""
    late = T0 + seconds(31)
    for copies in (1, 2, MOST_COPIES):
        lost = tries(*[LOST] * copies, via=Channel.EMAIL)
        assert after_look_up(kind, Channel.EMAIL, lost, Uncertain("not yet", pending=True), late) == LookUp(
            late + seconds(30)
        )


def test_a_page_that_is_out_by_no_other_way_waits_for_no_late_answer() -> None:
    """Rules 40, 70: it is sent again after 30 s; after five copies what may still be answered for is not given up."""
    late, answer = T0 + seconds(31), Uncertain("not yet", pending=True)
    lost = tries(LOST, via=Channel.EMAIL)
    again = after_look_up(Kind.PAGE, Channel.EMAIL, lost, answer, late, may_wait=False)
    assert again == TryAgain(late, LOST.detail)
    many = tries(*[LOST] * MOST_COPIES, via=Channel.EMAIL)
    move = after_look_up(Kind.PAGE, Channel.EMAIL, many, answer, T0 + seconds(60), may_wait=False)
    assert move == LookUp(T0 + seconds(90))


def test_copies_are_limited() -> None:
    """A relay that never answers does not get copies for ever."""
    lost = tries(*[LOST] * MOST_COPIES, via=Channel.EMAIL)
    assert after_look_up(Kind.PAGE, Channel.EMAIL, lost, LOST, T0 + seconds(60)) == Settled("uncertain")


def test_when_a_page_goes_elsewhere() -> None:
    """At once when refused, within 30 s of the first try's start without headway, not at all when taken (rule 37)."""
    assert next_channel_at(T0, tries(Refused("550"))) == T0 + seconds(1)
    assert next_channel_at(T0, tries(BUSY, BUSY)) == next_channel_at(T0, tries(LOST)) == T0 + seconds(25)
    assert next_channel_at(T0, tries(BUSY, Accepted())) is None


@pytest.mark.parametrize(("late", "gets"), [(0, 25), (10, 15), (20, 5), (25, 5), (3600, 5)])
def test_the_next_channel_is_counted_from_the_pages_instant(late: int, gets: int) -> None:
    """Rule 70: whatever held it up; one that is found late gets five seconds for its first try."""
    now = T0 + seconds(late)
    assert headway_by(T0, now) == now + seconds(gets)


OUTCOMES = st.sampled_from([BUSY, WRONG_PASSWORD, LOST, Refused("550"), Accepted()])


@given(st.sampled_from(Kind), st.sampled_from(Channel), st.lists(OUTCOMES, min_size=1, max_size=9), st.floats(0, 1))
def test_a_second_copy_is_always_marked(kind: Kind, via: Channel, outcomes: list[Outcome], jitter: float) -> None:
    """P3: whatever happened, a copy after one that may have left says so, any other does not; no move is in the past."""
    done = tries(*outcomes, via=via)
    for move in (
        after_send(kind, via, done, T0, jitter),
        *([after_look_up(kind, via, done, BUSY, T0 + seconds(60))] if done[-1].outcome is LOST else []),
    ):
        assert isinstance(move, Settled) or move.at >= T0
        if isinstance(move, TryAgain):
            assert bool(move.possible_duplicate) == (LOST in outcomes)


def at(second: float, outcome: Outcome | None, number: int = 1, ended: float | None = None) -> Attempt:
    """A try that began that many seconds after T0."""
    ended_at = None if outcome is None else T0 + seconds(second + 1 if ended is None else ended)
    return Attempt(str(number), "key", number, Channel.SMS, "+14155550101", T0 + seconds(second), outcome, ended_at)


@pytest.mark.parametrize(
    ("kind", "fault", "wait"),
    [
        (Kind.PAGE, Fault.PROVIDER, 10),
        (Kind.PAGE, Fault.ADDRESS, 2),
        (Kind.PAGE, Fault.PASSING, 2),
        (Kind.UPDATE, Fault.PROVIDER, 30),
        (Kind.CLOSING, Fault.PROVIDER, 30),
    ],
)
def test_only_pages_wait_longer_at_first_for_a_change_of_settings(kind: Kind, fault: Fault, wait: int) -> None:
    """Rule 38: a page whose provider is at fault is tried again after 10 s; all else as usual."""
    failed = tries(Deferred("no", fault=fault))
    assert after_send(kind, Channel.EMAIL, failed, T0, 0) == TryAgain(T0 + seconds(wait))


def test_waits_are_spans_between_tries_across_a_restart_too() -> None:
    """Rule 35: they run from the end of the last try, whoever made it; one that is over is none."""
    failed = [at(0, BUSY), at(3, WRONG_PASSWORD, 2, ended=4)]
    for now, wait in ((4, 14), (9, 14), (14, 14), (90, 14)):
        assert after_send(Kind.PAGE, Channel.EMAIL, failed, T0 + seconds(now), 0) == TryAgain(T0 + seconds(wait))


def test_a_retry_after_is_not_made_longer() -> None:
    """Rule 35: chance lengthens our own wait; what the provider asks for is taken as it is."""
    asked = tries(Deferred("429", retry_after=seconds(30)))
    assert after_send(Kind.PAGE, Channel.SMS, asked, T0, 1) == TryAgain(T0 + seconds(30))


def test_a_try_whose_end_was_never_written_down() -> None:
    """Rule 40: after a restart it is as uncertain as any: looked up, counted from its beginning, and then at once."""
    begun = [at(0, None)]
    assert after_send(Kind.PAGE, Channel.SMS, begun, T0 + seconds(2), 0) == LookUp(T0 + seconds(3))
    late = T0 + seconds(100)
    assert after_send(Kind.PAGE, Channel.SMS, begun, late, 0) == LookUp(late)
    assert next_channel_at(T0, begun) is None


def test_look_ups_count_from_the_newest_try() -> None:
    """Rule 40: each try of unknown fate is looked up at its own 1, 3, 7 and 15 s; one that is due now is over."""
    lost = [at(0, LOST), at(20, LOST, 2, ended=25)]
    moves = [after_send(Kind.PAGE, Channel.SMS, lost, T0 + seconds(now), 0) for now in (25, 26, 39, 40)]
    assert moves == [LookUp(T0 + seconds(second)) for second in (26, 28, 40, 40)]
    assert after_look_up(Kind.PAGE, Channel.SMS, lost, BUSY, T0 + seconds(40)) == TryAgain(
        T0 + seconds(40), LOST.detail
    )


def test_a_copy_says_why_the_last_uncertain_one_may_have_left() -> None:
    """P3: of several tries of unknown fate the newest is named, also after a failure that is known."""
    second = Uncertain("the connection broke")
    for outcomes in ((LOST, second), (LOST, second, BUSY)):
        assert after_send(Kind.PAGE, Channel.SMS, tries(*outcomes, BUSY), T0, 0) == TryAgain(
            T0 + seconds({3: 10, 4: 20}[len(outcomes) + 1]), second.detail
        )


def test_only_copies_that_may_have_arrived_are_counted() -> None:
    """Failures that left nothing behind allow as many tries as it takes; the limit is five for a page, an update has
    two where nobody can say, and five where the provider says that it is not there.
    """
    late = T0 + seconds(60)
    failed = [BUSY] * 9
    assert after_look_up(Kind.PAGE, Channel.SMS, tries(*failed, *[LOST] * 4), LOST, late) == TryAgain(late, LOST.detail)
    assert after_look_up(Kind.PAGE, Channel.SMS, tries(*failed, *[LOST] * 5), LOST, late) == Settled("uncertain")
    assert after_look_up(Kind.UPDATE, Channel.SMS, tries(*failed, LOST), LOST, late) == TryAgain(late, LOST.detail)
    assert after_look_up(Kind.UPDATE, Channel.SMS, tries(LOST, LOST), BUSY, late) == TryAgain(late, LOST.detail)
    assert after_look_up(Kind.UPDATE, Channel.SMS, tries(*[LOST] * 5), BUSY, late) == Settled("uncertain")


def test_elsewhere_counts_from_the_first_try() -> None:
    """Rule 37: within 30 s of the beginning of the first try, however many follow; at once when the newest shows that
    only settings or another address can help.
    """
    assert next_channel_at(T0, [at(0, BUSY), at(3, BUSY, 2), at(9, LOST, 3)]) == T0 + seconds(25)
    for outcome in (WRONG_PASSWORD, Deferred("no TLS", fault=Fault.ADDRESS), Refused("550")):
        assert next_channel_at(T0, [at(0, BUSY), at(3, outcome, 2)]) == T0 + seconds(4)
    undelivered = replace(at(0, Accepted("SM1"), ended=2), receipt=Receipt.UNDELIVERED)
    assert next_channel_at(T0, [undelivered]) == T0 + seconds(2)
    assert next_channel_at(T0, [replace(undelivered, receipt=Receipt.SENT)]) is None
