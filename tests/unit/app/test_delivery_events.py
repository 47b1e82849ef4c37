"""What the sender and receipts tell the others: what became of a page, of its address, of its provider, and of nothing."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

import pytest
from tocsin.app.delivery.receipts import UNKNOWN
from tocsin.app.delivery.refusals.refusal_row import Try
from tocsin.app.state.incident_state import NOTHING_DECIDED, ChannelDelivered, Decision
from tocsin.domain.arrival import Arrival, ArrivalKind
from tocsin.domain.delivery import (
    Accepted,
    Attempt,
    Bundle,
    Content,
    Deferred,
    Fate,
    Fault,
    Receipt,
    Refused,
    Uncertain,
)
from tocsin.domain.facts import Closed, PageLost
from tocsin.domain.notification import NOBODY, Kind, Notification, Reason
from tocsin.domain.operator_notice import Trouble
from tocsin.domain.people import Channel

from tests.builders.active_config import settings
from tests.builders.daemon_parts import DaemonParts, letter
from tests.fakes.clock import StillClock
from tests.unit.app.test_sender import failed_events, live, page

SMS, EMAIL = Channel.SMS, Channel.EMAIL
ANA = "+14155550101"
ACCOUNTS = ["AC" + str(number) * 32 for number in range(3)]


def delivered_events(parts: DaemonParts) -> list[ChannelDelivered]:
    """What was found to be delivered after all."""
    return [event for event in parts.incidents.state("pay").events if isinstance(event, ChannelDelivered)]


async def lose_a_page(parts: DaemonParts) -> None:
    """An earlier page of ana's reached nobody."""
    at = parts.clock.now()
    parts.incidents.state("pay").note([PageLost(at, "ana", at)])


def notice(parts: DaemonParts, via: Channel) -> Notification:
    """A notice to an operator."""
    now = parts.clock.now()
    return Notification(f"-/{via}", NOBODY, 0, Kind.OPERATOR, Reason.TROUBLE, now, "olga", via)


@pytest.mark.parametrize("fate", [Fate(Receipt.UNDELIVERED, code="30003"), None])
def test_an_undelivered_page_says_that_it_may_be_tried_again(fate: Fate | None) -> None:
    """Rule 66: also after a restart, which knows that it was not delivered and no more why."""

    async def story(parts: DaemonParts) -> None:
        if fate:
            await parts.enqueue(page(parts))
            await asyncio.sleep(0.5)
            attempt = parts.ledger.pages.attempts[0]
            parts.sender.on_receipt(attempt, fate)
            return
        wanted, now = page(parts), parts.clock.now()
        attempt = Attempt("1", wanted.key, 1, SMS, ANA, now, Accepted("M1"), now, receipt=Receipt.UNDELIVERED)
        parts.sender.enqueue([replace(letter(wanted), attempts=(attempt,))])

    (event,) = failed_events(live(story))
    assert (event.undelivered, event.again, event.refused) == (True, True, False)


def test_an_undelivered_page_is_told_though_it_went_elsewhere_before() -> None:
    """Rule 66: it made no headway for 25 s, was found at the provider, and was then not delivered."""

    async def story(parts: DaemonParts) -> None:
        parts.sms.next(Deferred("busy"), times=4)
        await parts.enqueue(page(parts))
        await asyncio.sleep(60)
        attempt = parts.ledger.pages.attempts[-1]
        assert attempt.outcome == Accepted("M1")
        parts.sender.on_receipt(attempt, Fate(Receipt.UNDELIVERED, code="30007", fault=Fault.PROVIDER))

    assert [(event.undelivered, event.again) for event in failed_events(live(story))] == [(False, False), (True, False)]


def test_a_refusal_says_which_address() -> None:
    """Rule 65: that of the try."""

    async def story(parts: DaemonParts) -> None:
        parts.sms.next(Refused("no such number", "21211"))
        await parts.enqueue(page(parts))

    assert [(event.refused, event.address) for event in failed_events(live(story))] == [(True, ANA)]


async def told_late(parts: DaemonParts, body: str) -> None:
    """A page was settled, and then the provider says this of it."""
    wanted = page(parts)
    await parts.ledger.record("pay", (), [letter(wanted)], ())
    attempt = await parts.ledger.begin_attempt(wanted.key, SMS, ANA, parts.clock.now())
    await parts.ledger.end_attempt(attempt, Accepted("SM1"), parts.clock.now())
    arrival = Arrival(ArrivalKind.RECEIPT, f"SM1:{body}", str(attempt.id), body, parts.clock.now())
    await parts.receipts.judge(arrival)


@pytest.mark.parametrize(
    ("body", "event"),
    [
        ("undelivered 30003", (False, ANA, True, True)),
        ("undelivered 30007", (False, ANA, True, False)),
        ("failed 30006", (True, ANA, False, False)),
    ],
)
def test_a_late_receipt_of_a_settled_page_is_told(body: str, event: tuple[bool, str, bool, bool]) -> None:
    """Rules 65, 66: with the address, and whether trying again may help."""

    async def story(parts: DaemonParts) -> None:
        await told_late(parts, body)

    (failed,) = failed_events(live(story))
    assert (failed.refused, failed.address, failed.undelivered, failed.again) == event


@pytest.mark.parametrize(
    ("account", "provider", "counts"),
    [
        *((1, "", True), (1, "main", True), (2, "s2", True), (None, "s2", True), (0, "gone", True)),
        *((2, "", False), (2, "main", False), (1, "s2", False)),
    ],
)
async def test_a_receipt_counts_for_the_account_that_the_try_went_to(
    account: int | None, provider: str, counts: bool
) -> None:
    """Rule 42: whoever has the secret of one account says nothing of another one's messages."""
    one, two = ({"transport": "twilio", "sender": f"+1500555000{n}", "account_sid": ACCOUNTS[n]} for n in (1, 2))
    parts = DaemonParts(StillClock(), in_force=settings(sms=one | {"fallbacks": {"s2": two}}))
    await parts.ledger.record("pay", (), [letter(wanted := page(parts))], ())
    attempt = await parts.ledger.begin_attempt(wanted.key, SMS, ANA, parts.clock.now(), provider=provider)
    await parts.ledger.end_attempt(attempt, Accepted("SM1"), parts.clock.now())
    ref = "SM1:undelivered" if account is None else f"{ACCOUNTS[account]}/SM1:undelivered"
    arrival = Arrival(ArrivalKind.RECEIPT, ref, str(attempt.id), "undelivered 30005", parts.clock.now())
    assert await parts.receipts.judge(arrival) == ("refused" if counts else UNKNOWN)
    assert bool(parts.notices.take()) == counts


@pytest.mark.parametrize(("body", "refused"), [("undelivered 30003", False), ("failed 30006", True)])
def test_a_receipt_of_a_bundle_holds_for_all_in_it(body: str, refused: bool) -> None:
    """What the provider says of the one message is said of each page that left in it, by whichever attempt it
    names them; of the provider's health it is told once.
    """

    async def story(parts: DaemonParts) -> None:
        pages = [replace(page(parts), key=key) for key in ("a", "b", "c")]
        await parts.ledger.record("pay", (), [letter(wanted) for wanted in pages], ())
        bundle, now = Bundle("b1", Content("3 pages")), parts.clock.now()
        for attempt in (begun := await parts.ledger.begin_bundle(bundle, ("a", "b", "c"), SMS, ANA, now, {})):
            await parts.ledger.end_attempt(attempt, Accepted("SM1"), now)
        healthy = parts.sender.judge_fate

        async def judge(tries: Sequence[Try], fate: Fate) -> Fate:
            noted.append(fate)
            return await healthy(tries, fate)

        parts.sender.judge_fate = judge  # type: ignore[method-assign]
        arrival = Arrival(ArrivalKind.RECEIPT, f"SM1:{body}", str(begun[1].id), body, now)
        assert await parts.receipts.judge(arrival) == ("refused" if refused else "undelivered")
        receipts = {attempt.reference: attempt.receipt for attempt in parts.ledger.pages.attempts}
        assert receipts == dict.fromkeys("abc", Receipt.UNDELIVERED)

    noted: list[Fate] = []
    events = failed_events(live(story))
    assert sorted(event.page.key for event in events) == ["a", "b", "c"]
    assert {(event.refused, event.undelivered) for event in events} == {(refused, not refused)}
    assert len(noted) == 1


def test_a_late_delivery_of_a_lost_page_is_told() -> None:
    """Rule 66: nobody waited for it any more."""

    async def story(parts: DaemonParts) -> None:
        await told_late(parts, "delivered")
        assert delivered_events(parts) == []
        await lose_a_page(parts)
        await told_late(parts, "delivered ")

    assert len(delivered_events(live(story))) == 1


@pytest.mark.parametrize("via", Channel)
def test_a_delivery_is_news_where_a_page_was_lost(via: Channel) -> None:
    """Rule 66: by SMS with its receipt, by email when the relay has it; to nobody else's."""

    async def story(parts: DaemonParts) -> None:
        await lose_a_page(parts)
        await parts.enqueue(page(parts, via), page(parts, via, "chen"))

    (event,) = delivered_events(live(story, 200))
    assert (event.page.to, event.page.via) == ("ana", via)


def test_what_was_found_at_the_provider_was_taken_by_it() -> None:
    """Rule 70: an API that hangs and has the message all the same is waited for again."""

    async def story(parts: DaemonParts) -> None:
        parts.sms._takes = 10.0
        parts.sms.next(Uncertain("no answer within 10 s"))
        await parts.enqueue(page(parts))
        await asyncio.sleep(10.5)
        parts.sms._takes = 0.1
        await asyncio.sleep(5)
        before = len(failed_events(parts))
        await parts.enqueue(replace(page(parts), key="b"))
        await asyncio.sleep(0.5)
        assert len(failed_events(parts)) == before

    live(story)


def test_waiting_for_a_place_is_no_hang() -> None:
    """Rule 70: a try's time runs from when it leaves, not from when it was written down."""

    async def story(parts: DaemonParts) -> None:
        parts.email._takes = 4.0
        parts.email.next(Deferred("busy"), times=100)
        await parts.enqueue(*(replace(page(parts, EMAIL), key=f"a{number}") for number in range(12)))
        await asyncio.sleep(20)
        assert failed_events(parts) == []

    live(story)


def test_what_is_asked_at_last_tells_of_the_provider() -> None:
    """Rule 39: with replies off the receipt is asked for once, after 3 minutes; what it blames is told."""

    async def story(parts: DaemonParts) -> None:
        async def fate(_provider_id: str) -> Fate:
            return Fate(Receipt.UNDELIVERED, code="30034", fault=Fault.PROVIDER)

        parts.sms.fate = fate  # type: ignore[method-assign]  # the provider's word
        await parts.enqueue(page(parts))

    parts = live(story, 200)
    assert [told.trouble for told in parts.notices.take()] == [Trouble.SMS_UNDELIVERED]


def test_a_webhooks_word_tells_of_the_provider() -> None:
    """Rule 39: also about what nobody waits for any more."""

    async def story(parts: DaemonParts) -> None:
        await told_late(parts, "undelivered 30034")

    assert [told.trouble for told in live(story).notices.take()] == [Trouble.SMS_UNDELIVERED]


def test_an_incident_that_is_let_go_reaches_nobody_no_more() -> None:
    """Rule 71: what needs nothing silences no switch."""

    async def story(parts: DaemonParts) -> None:
        parts.incidents.note_unreached("pay", parts.clock.now())
        assert parts.sender.undelivered_since() == parts.clock.now()
        parts.incidents.evict("pay")
        assert parts.sender.undelivered_since() is None

    live(story)


@pytest.mark.parametrize("outcome", [Deferred("later"), Refused("no", "550")])
def test_a_notice_that_never_left_is_not_forgotten(outcome: Deferred | Refused) -> None:
    """Rule 71: neither when it is too late for it, nor when every operator's address is refused."""

    async def story(parts: DaemonParts) -> None:
        parts.sms.next(outcome, times=500)
        parts.email.next(outcome, times=500)
        await parts.enqueue(notice(parts, SMS), notice(parts, EMAIL))
        began = parts.clock.now()
        await asyncio.sleep(2 * 3600)
        assert not parts.sender.open
        assert parts.sender.undelivered_since() == began

    live(story)


def test_a_page_that_was_taken_before_a_restart_is_not_undelivered() -> None:
    """Rule 71: it waits for its receipt only, or for one channel of several."""

    async def story(parts: DaemonParts) -> None:
        parts.sms.set_receipt("M1", Receipt.SENT)
        wanted, now = page(parts), parts.clock.now()
        attempt = Attempt("1", wanted.key, 1, SMS, ANA, now, Accepted("M1"), now, receipt=Receipt.SENT)
        parts.sender.enqueue([replace(letter(wanted), attempts=(attempt,))])
        assert parts.sender.undelivered_since() is None
        told = notice(parts, SMS)
        failed = replace(attempt, reference=told.key, outcome=Deferred("busy"), receipt=None)
        parts.sender.enqueue([replace(letter(told), attempts=(failed,), out=True)])
        assert parts.sender.undelivered_since() is None
        untried = replace(page(parts), at=now - timedelta(minutes=5), key="untried")
        parts.sender.enqueue([letter(untried)])
        assert parts.sender.undelivered_since() == untried.at

    live(story)


@pytest.mark.parametrize("kind", [Kind.PAGE, Kind.UPDATE, Kind.CLOSING])
def test_a_message_refused_for_its_own_sake(kind: Kind) -> None:
    """Rule 37: it is not tried again there, and its address is not marked; a page did not arrive there, and goes
    elsewhere, as an end may (rule 58); operators hear what to mend, of what is no page by email only.
    """
    too_big = Refused("552 5.3.4 too big", "552", Fault.MESSAGE)

    async def story(parts: DaemonParts) -> None:
        parts.email.next(too_big)
        wanted = replace(page(parts), key="big", via=EMAIL, kind=kind, group="execs" if kind is Kind.UPDATE else None)
        await parts.enqueue(wanted)
        await asyncio.sleep(120)
        assert [attempt.outcome for attempt in parts.attempts_of(wanted)] == [too_big]
        assert parts.state_of(wanted) == ("" if kind is Kind.CLOSING else "refused")  # nobody looks at the incident
        assert await parts.ledger.refusals() == ()
        (notice,) = parts.notices.take()
        assert (notice.trouble, notice.minor) == (Trouble.MESSAGE_REFUSED, kind is not Kind.PAGE)
        assert "shorten" in notice.text
        assert "its address stays good" in notice.text

    events = [event for event in failed_events(live(story)) if event.page.key == "big"]
    outcomes = [(event.refused, event.undelivered, event.again) for event in events]
    assert outcomes == ([] if kind is Kind.UPDATE else [(False, True, False)])


def test_a_refused_end_is_settled_once_its_incident_has_looked() -> None:
    """P5, rule 58: what follows from the refusal is on disk by then. How the try ended is written down at once."""
    too_big = Refused("552 5.3.4 too big", "552", Fault.MESSAGE)

    async def story(parts: DaemonParts) -> None:
        parts.email.next(too_big)
        end = replace(page(parts), key="end", via=EMAIL, kind=Kind.CLOSING)
        await parts.enqueue(end)
        await asyncio.sleep(60)
        assert [attempt.outcome for attempt in parts.attempts_of(end)] == [too_big]
        state = parts.incidents.state("pay")
        assert [event.page.key for event in failed_events(parts)] == ["end"]
        state.unwritten, state.events = Decision((Closed(parts.clock.now()),)), []
        await asyncio.sleep(60)
        assert parts.state_of(end) == ""
        assert parts.incidents.has_unsettled("pay")
        state.unwritten = NOTHING_DECIDED
        await asyncio.sleep(3)
        assert parts.state_of(end) == "refused"
        assert not parts.incidents.has_unsettled("pay")

    assert not failed_events(live(story))
