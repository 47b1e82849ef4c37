"""A provider that refuses one address after the other is at fault itself (rule 38): the row, and what is taken back."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from tocsin.app.delivery.refusals.refusal_row import RefusalRow, Try
from tocsin.app.engine.next_channel import choose_next_channel, send_elsewhere, take_back
from tocsin.app.state.incident_state import ChannelFailed, IncidentState, RefusalWithdrawn
from tocsin.domain.arrival import Arrival, ArrivalKind
from tocsin.domain.delivery import Accepted, Attempt, Deferred, Fault, Refused
from tocsin.domain.facts import ChannelRefused, Paged, PageLost, RefusalTakenBack
from tocsin.domain.notification import NOBODY, Kind, Notification, Reason
from tocsin.domain.operator_notice import Trouble
from tocsin.domain.people import Channel
from tocsin.planning.plan import plan

from tests.builders.daemon_parts import PAY, DaemonParts, letter, page_to
from tests.builders.instants import T0
from tests.builders.policies import paging_policy
from tests.unit.app.test_next_channel import paged
from tests.unit.app.test_sender import live

SMS, EMAIL = Channel.SMS, Channel.EMAIL
MINUTE = timedelta(minutes=1)
UNKNOWN = Refused("550 5.1.1 no such user", "550")
BUSY = Deferred("421 busy", "421")


def refusal(address: str, at: datetime = T0) -> Try:
    """A try at an address."""
    page = page_to(address, at, EMAIL)
    return Attempt("1", page.key, 1, EMAIL, address, at, UNKNOWN, at), page


def add(row: RefusalRow, address: str, at: datetime = T0) -> list[str] | None:
    """Whose refusals are taken back."""
    wrong = row.add(address, at, [refusal(address, at)])
    return None if wrong is None else [attempt.address for attempt, _ in wrong]


def test_the_third_address_in_a_row_takes_two_back() -> None:
    """Rule 38: three different ones; the same one again and again says nothing of the others."""
    row = RefusalRow(15 * MINUTE)
    assert [add(row, address) for address in ("a", "a", "b", "a")] == [None] * 4
    assert not row.blames_provider
    assert add(row, "c") == ["a", "a", "b", "a"]
    assert row.blames_provider
    assert add(row, "d") == []
    assert add(row, "a") == []


def test_whatever_is_taken_ends_the_row() -> None:
    """Rule 38: in a row."""
    row = RefusalRow(15 * MINUTE)
    assert [add(row, "a"), add(row, "b")] == [None, None]
    row.end("x")
    assert [add(row, "c"), add(row, "d")] == [None, None]
    assert add(row, "e") == ["c", "d"]


def test_three_within_a_quarter_of_an_hour() -> None:
    """Rule 38: what is older does not count; where no span is given, all does."""
    for within, wrong in ((15 * MINUTE, None), (None, ["a", "b"])):
        row = RefusalRow(within)
        add(row, "a")
        add(row, "b", T0 + 10 * MINUTE)
        assert add(row, "c", T0 + 15 * MINUTE + timedelta(seconds=1)) == wrong


def test_refused_again_after_something_was_taken_it_stays_refused() -> None:
    """The corner to rule 38: no provider that knows none of three mistyped addresses is asked again and again."""
    row = RefusalRow(15 * MINUTE)
    for address in ("a", "b", "c"):
        add(row, address)
    row.end("x")
    assert [add(row, address) for address in ("a", "b", "c")] == [None] * 3
    assert not row.blames_provider
    assert [add(row, address) for address in ("d", "e")] == [None, None]
    assert add(row, "f") == ["d", "e"]


def test_an_address_that_took_something_is_like_any_other_again() -> None:
    """Rule 38: it was mended; once it is refused anew that counts."""
    row = RefusalRow(15 * MINUTE)
    for address in ("a", "b", "c"):
        add(row, address)
    row.end("a")
    assert [add(row, "a"), add(row, "d")] == [None, None]
    assert add(row, "e") == ["a", "d"]


def by_email(parts: DaemonParts, *names: str) -> list[Notification]:
    """A page by email to each of these people."""
    return [page_to(name, parts.clock.now(), EMAIL) for name in names]


def withdrawn(parts: DaemonParts) -> list[str]:
    """Whose refusals the incident hears to be wrong."""
    events = parts.incidents.state("pay").events
    return [event.notification.to for event in events if isinstance(event, RefusalWithdrawn)]


def marked(parts: DaemonParts) -> list[str]:
    """Whose address the incident is to mark as refused."""
    return [
        event.page.to
        for event in parts.incidents.state("pay").events
        if isinstance(event, ChannelFailed)
        if event.refused
    ]


def told(parts: DaemonParts) -> list[Trouble]:
    """What waits to be told to operators."""
    return [notice.trouble for notice in parts.notices.take()]


async def refuse_three(parts: DaemonParts) -> list[Notification]:
    """The relay knows nobody."""
    for _ in range(3):
        parts.email.next(UNKNOWN)
    pages = by_email(parts, "ana", "bo", "olga")
    for wanted in pages:
        await parts.enqueue(wanted)
        await asyncio.sleep(0.1)
    return pages


def test_three_people_refused_in_a_row_are_good_again() -> None:
    """Rule 38: one notice about the provider instead of three about addresses, and no try is kept as one that refused
    the address: neither `check` nor the next process takes it for that.
    """

    async def story(parts: DaemonParts) -> None:
        pages = await refuse_three(parts)
        outcomes = [parts.attempts_of(wanted)[0].outcome for wanted in pages]
        assert outcomes == [replace(UNKNOWN, fault=Fault.MESSAGE)] * 3
        assert [parts.state_of(wanted) for wanted in pages] == ["refused"] * 3
        assert await parts.ledger.refusals() == ()
        (notice,) = parts.notices.take()
        assert notice.trouble is Trouble.PROVIDER_REFUSES
        assert "email.host" in notice.text
        assert "550 5.1.1 no such user" in notice.text

    parts = live(story)
    assert marked(parts) == ["ana", "bo"]
    assert withdrawn(parts) == ["ana", "bo", "olga"]


def test_two_of_them_stay_refused() -> None:
    """Rule 37: two mistyped addresses are just that; a mail that is taken between ends the row."""

    async def story(parts: DaemonParts) -> None:
        for outcome in (UNKNOWN, UNKNOWN, Accepted("q1"), UNKNOWN):
            parts.email.next(outcome)
        for number, wanted in enumerate(by_email(parts, "ana", "bo", "olga", "ana")):
            await parts.enqueue(replace(wanted, key=f"{wanted.key}/{number}"))
            await asyncio.sleep(0.1)
        assert told(parts) == [Trouble.ADDRESS_REFUSED, Trouble.ADDRESS_REFUSED]

    parts = live(story)
    assert withdrawn(parts) == []
    assert marked(parts) == ["ana", "bo", "ana"]


def test_while_it_refuses_everybody_nobody_more_is_marked() -> None:
    """Rule 38: a fourth address is not marked either, and of whoever was told of before nothing more is said."""

    async def story(parts: DaemonParts) -> None:
        await refuse_three(parts)
        told(parts)
        parts.email.next(UNKNOWN)
        await parts.enqueue(*by_email(parts, "chen"))
        await asyncio.sleep(0.1)
        assert told(parts) == []

    assert marked(live(story)) == ["ana", "bo"]


def test_what_the_ledger_cannot_take_is_given_later() -> None:
    """Rules 38, 71: the refusals that were written down are put right once it can be written."""

    async def story(parts: DaemonParts) -> None:
        for _ in range(3):
            parts.email.next(UNKNOWN)
        pages = by_email(parts, "ana", "bo", "olga")
        for wanted in pages[:2]:
            await parts.enqueue(wanted)
            await asyncio.sleep(0.1)
        parts.ledger.trouble = "disk full"
        await parts.enqueue(pages[2], recorded=False)
        await asyncio.sleep(0.1)
        parts.ledger.trouble = ""
        assert len(await parts.ledger.refusals()) == 2
        await parts.enqueue(replace(pages[0], key="later"))
        await asyncio.sleep(0.1)
        assert await parts.ledger.refusals() == ()

    live(story)


async def sms_undelivered(parts: DaemonParts, codes: Sequence[str]) -> None:
    """Settled SMS to different people, of which the provider says one after the other that they were not delivered."""
    for number, code in enumerate(codes):
        wanted = page_to(("ana", "bo", "olga", "chen")[number], parts.clock.now())
        await parts.ledger.record("pay", (), [letter(wanted)], ())
        attempt = await parts.ledger.begin_attempt(wanted.key, SMS, f"+1415555010{number}", parts.clock.now())
        await parts.ledger.end_attempt(attempt, Accepted(f"SM{number}"), parts.clock.now())
        body = f"undelivered {code}"
        await parts.receipts.judge(
            Arrival(ArrivalKind.RECEIPT, f"SM{number}:{body}", str(attempt.id), body, parts.clock.now())
        )


def test_three_numbers_that_are_not_reached_take_back_the_one_that_was_refused() -> None:
    """Rule 38: 30005 is about a number, but not when the two after it are not reached either."""

    async def story(parts: DaemonParts) -> None:
        await sms_undelivered(parts, ["30005", "30003", "30006", "30005"])
        assert [one.receipt_code for one in parts.ledger.pages.attempts] == ["30005", "30003", "30006", "30005"]
        assert [notice.trouble for notice in parts.notices.take()] == [Trouble.SMS_UNDELIVERED]
        assert await parts.ledger.refusals() == ()

    parts = live(story)
    assert marked(parts) == ["ana"]
    assert withdrawn(parts) == ["ana", "olga", "chen"]


def test_three_numbers_that_said_stop_are_no_fault_of_the_provider() -> None:
    """Rule 38: each is its owner's word, as an answer and as a receipt."""

    async def story(parts: DaemonParts) -> None:
        parts.sms.next(Refused("Unsubscribed", "21610"), times=3)
        for wanted in (page_to(name, parts.clock.now()) for name in ("ana", "bo", "olga")):
            await parts.enqueue(wanted)
            await asyncio.sleep(0.1)
        await sms_undelivered(parts, ["21610"] * 3)
        assert set(told(parts)).isdisjoint({Trouble.PROVIDER_REFUSES, Trouble.SMS_UNDELIVERED})

    parts = live(story)
    assert withdrawn(parts) == []
    health = parts.providers.of(SMS)["main"].health
    assert not health.unwell
    assert not health.refuses_wrongly


def test_a_page_refused_by_mistake_goes_once_more() -> None:
    """The corner to rule 38: the channel is good again, the newest page goes there in half a minute, and says that an
    earlier one did not arrive.
    """
    policy = paging_policy(via=(EMAIL,))
    state, pages = paged(policy)
    facts, _ = choose_next_channel(state, ChannelFailed(pages["ana"], refused=True, address="ana@x"), policy, T0)
    state.note(facts)
    assert state.history.refuses("ana", EMAIL, "ana@x")
    again_at = T0 + timedelta(seconds=30)
    event = RefusalWithdrawn(pages["ana"], "ana@x")
    facts = take_back(state, event, T0)
    assert facts == (RefusalTakenBack(T0, "ana", EMAIL, "ana@x", again_at),)
    state.note(facts)
    assert not state.history.refuses("ana", EMAIL, "ana@x")
    assert take_back(state, event, T0) == ()
    planned = plan(PAY, policy, state.history, again_at)
    again = [due.notification for due in planned.due if (due.notification.to, due.notification.via) == ("ana", EMAIL)]
    assert [(page.kind, page.reason) for page in again] == [(Kind.PAGE, Reason.REACH)]
    state.note(planned.facts, planned.history)
    later = plan(PAY, policy, state.history, again_at + MINUTE)
    assert not [due for due in later.due if due.notification.to == "ana"]


def test_with_a_stand_in_it_goes_at_once() -> None:
    """Rule 38: the next channel or the fallback at once."""
    state, pages = paged(paging_policy(via=(EMAIL,)))
    state.note([ChannelRefused(T0, "ana", EMAIL, "ana@x")])
    facts = take_back(state, RefusalWithdrawn(pages["ana"], "ana@x", stand_in=True), T0 + MINUTE)
    assert facts == (RefusalTakenBack(T0 + MINUTE, "ana", EMAIL, "ana@x", T0 + MINUTE),)


@pytest.mark.parametrize(("newer", "again"), [((), True), ((SMS,), True), ((EMAIL,), False), ((SMS, EMAIL), False)])
def test_only_the_newest_page_goes_once_more(newer: tuple[Channel, ...], again: bool) -> None:
    """Rule 38: unless a newer one went by that channel itself."""
    policy = paging_policy(via=(EMAIL,))
    state, pages = paged(policy)
    state.note([ChannelRefused(T0, "ana", EMAIL, "ana@x")])
    if newer:
        state.note([Paged(T0 + MINUTE, "ana", ("technical_lead",), 0, 2, Reason.REPEATED, newer)])
    facts = take_back(state, RefusalWithdrawn(pages["ana"], "ana@x"), T0 + MINUTE)
    once_more = RefusalTakenBack(T0 + MINUTE, "ana", EMAIL, "ana@x", T0 + MINUTE + timedelta(seconds=30))
    assert facts == ((once_more,) if again else ())


def test_a_passed_step_stays_passed() -> None:
    """The corner to rule 38: who was asked instead is asked; whoever is reached after all counts from then."""
    policy = paging_policy(via=(EMAIL,))
    policy = replace(policy, people={**policy.people, "ana": replace(policy.people["ana"], phone="")})
    state, pages = paged(policy)
    facts, _ = choose_next_channel(
        state, ChannelFailed(pages["ana"], refused=True, address="ana@example.com"), policy, T0
    )
    assert PageLost(T0, "ana", T0) in facts
    state.note(facts)
    state.note(take_back(state, RefusalWithdrawn(pages["ana"], "ana@example.com"), T0))
    assert ("ana", T0) in state.history.lost
    step = state.history.roles["technical_lead"].step
    assert step is not None
    assert "ana" not in step.people


def test_an_update_is_not_sent_again() -> None:
    """Rule 38: the reader's channel is good for what comes."""
    policy = paging_policy()
    state, pages = paged(policy)
    update = replace(pages["ana"], kind=Kind.UPDATE, to="status@example.com", via=EMAIL, group="customers")
    state.note([ChannelRefused(T0, update.to, EMAIL, update.to)])
    facts = take_back(state, RefusalWithdrawn(update, update.to), T0)
    assert facts == (RefusalTakenBack(T0, update.to, EMAIL, update.to),)
    assert take_back(IncidentState(), RefusalWithdrawn(update, update.to), T0) == ()


@pytest.mark.parametrize("kind", [Kind.UPDATE, Kind.CLOSING])
def test_an_update_or_a_closing_leaves_by_the_well_provider(kind: Kind) -> None:
    """Rule 38: once, and only where another provider stands by; a page goes on its own way."""
    word = replace(page_to("ana", T0, EMAIL), key="pay/1/word", kind=kind)
    (again,) = filter(None, [send_elsewhere(RefusalWithdrawn(word, "ana@x", stand_in=True))])
    assert again == replace(word, key=again.key)
    assert again.key != word.key
    assert send_elsewhere(RefusalWithdrawn(word, "ana@x")) is None
    assert send_elsewhere(RefusalWithdrawn(again, "ana@x", stand_in=True)) is None
    assert send_elsewhere(RefusalWithdrawn(page_to("ana", T0, EMAIL), "ana@x", stand_in=True)) is None


def test_notices_and_incidents_that_are_over_are_left_alone() -> None:
    """Rule 38: a refusal ends with its episode, and a notice to operators belongs to no incident."""

    async def story(parts: DaemonParts) -> None:
        parts.incidents.archive(["over"])
        for _ in range(3):
            parts.email.next(UNKNOWN)
        ana, bo, olga = by_email(parts, "ana", "bo", "olga")
        notice = replace(ana, incident=NOBODY, kind=Kind.OPERATOR, reason=Reason.TROUBLE)
        over = replace(bo, incident="over", kind=Kind.CLOSING, reason=Reason.RESOLVED)
        for wanted in (notice, over, olga):
            await parts.enqueue(wanted)
            await asyncio.sleep(0.1)

    parts = live(story)
    assert withdrawn(parts) == ["olga"]
    assert parts.incidents.is_archived("over")


def test_it_goes_once_more_and_only_once() -> None:
    """The corner to rule 38: refused again while the provider takes nothing, it is not marked, and not sent again; the
    next page is.
    """
    policy = paging_policy(via=(EMAIL,))
    state, pages = paged(policy)
    event = RefusalWithdrawn(pages["ana"], "ana@example.com")
    assert take_back(state, event, T0)
    state.note(take_back(state, event, T0))
    again_at = T0 + timedelta(seconds=30)
    planned = plan(PAY, policy, state.history, again_at)
    state.note(planned.facts, planned.history)
    again = next(
        due.notification for due in planned.due if (due.notification.to, due.notification.via) == ("ana", EMAIL)
    )
    assert take_back(state, RefusalWithdrawn(again, "ana@example.com"), again_at) == ()
    state.note([Paged(T0 + MINUTE, "ana", ("technical_lead",), 0, 2, Reason.REPEATED, (EMAIL,))])
    newer = page_to("ana", T0 + MINUTE, EMAIL)
    assert take_back(state, RefusalWithdrawn(newer, "ana@example.com"), T0 + MINUTE)
