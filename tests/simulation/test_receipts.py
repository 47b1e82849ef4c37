"""Receipts on virtual time: by webhook, by asking, early, late and in any order; what they lead to, and how soon."""

import itertools
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from tocsin.domain.arrival import Arrival, ArrivalKind
from tocsin.domain.delivery import Accepted, Attempt, Fate, Receipt, Refused
from tocsin.domain.people import Channel

from tests.builders.active_config import polled
from tests.builders.policies import paging_policy
from tests.simulation.test_delivery import FILE, seconds_of, simulate
from tests.simulation.world import World

SMS = (Channel.SMS,)


def tries_of(world: World, person: str) -> list[Attempt]:
    """The tries of everything that went to a person."""
    found = [
        world.disk.attempts.get(key, []) for key, each in world.disk.letters.items() if each.notification.to == person
    ]
    return list(itertools.chain(*found))


async def told(world: World, attempt: Attempt, state: str, code: str = "", sid: str = "") -> str:
    """The provider's webhook about a try, as the web side leaves it for the daemon."""
    known = attempt.outcome.provider_id if isinstance(attempt.outcome, Accepted) else "id?"
    ref, body = f"{sid or known}:{state}", f"{state} {code}".strip()
    arrival = Arrival(ArrivalKind.RECEIPT, ref, str(attempt.id), body, world.clock.now())
    result: str = await world.receipts.judge(arrival)
    return result


async def paged(world: World, via: tuple[Channel, ...] = SMS) -> Attempt:
    """A page has gone to ana by SMS, and the provider says nothing of it; the try."""
    world.policy = paging_policy(via=via)
    world.providers[Channel.SMS].says = Fate(Receipt.SENT)
    await world.start()
    world.folder.write("pay.yaml", FILE)
    await world.wait(2)
    return next(each for each in tries_of(world, "ana") if each.via is Channel.SMS)


@pytest.mark.parametrize("state", ["undelivered", "failed"])
def test_undelivered_goes_by_the_next_channel_at_once(state: str) -> None:
    """Not after 3 minutes; and only once, however often it is told."""

    async def story(world: World) -> None:
        attempt = await paged(world)
        await world.wait(28)
        assert await told(world, attempt, state, "30003") == "undelivered"
        await told(world, attempt, state, "30003")
        await world.wait(200)
        await told(world, attempt, state, "30003")
        await world.wait(10)

    world = simulate(story)
    assert seconds_of(world, "ana") == [(0, "sms"), (30, "email")]
    assert tries_of(world, "ana")[0].receipt is Receipt.UNDELIVERED


def test_delivered_is_the_end_of_it() -> None:
    """A page that was delivered goes by no other channel, and nobody is asked about it."""

    async def story(world: World) -> None:
        attempt = await paged(world)
        assert await told(world, attempt, "delivered") == "delivered"
        await world.wait(280)

    world = simulate(story)
    assert seconds_of(world, "ana") == [(0, "sms")]
    ours = [each.outcome.provider_id for each in tries_of(world, "ana") if isinstance(each.outcome, Accepted)]
    assert not {name for _, name in world.providers[Channel.SMS].asked} & set(ours)


@pytest.mark.parametrize("order", [*itertools.permutations(["queued", "sent", "delivered"])])
def test_states_only_move_forward(order: tuple[str, ...]) -> None:
    """In whatever order callbacks come: delivered is delivered."""

    async def story(world: World) -> None:
        attempt = await paged(world)
        for state in order:
            await told(world, attempt, state)
        await world.wait(280)

    world = simulate(story)
    assert seconds_of(world, "ana") == [(0, "sms")]
    assert tries_of(world, "ana")[0].receipt is Receipt.DELIVERED


@pytest.mark.parametrize("every", [None, timedelta(seconds=10)])
def test_silence_for_three_minutes(every: timedelta | None) -> None:
    """No callback, and the provider still says "sent" when asked: by the next channel after 3 minutes."""

    async def story(world: World) -> None:
        if every:
            world.ask_for_receipts()
        await paged(world)
        await world.wait(200)

    world = simulate(story)
    assert seconds_of(world, "ana") == [(0, "sms"), (180, "email")]
    outcome = tries_of(world, "ana")[0].outcome
    assert isinstance(outcome, Accepted)
    times = [at for at, name in world.providers[Channel.SMS].asked if name == outcome.provider_id]
    assert len(times) == (1 if every is None else 18 + 1)


def test_asking_finds_out_within_ten_seconds() -> None:
    """With polling, an undelivered page goes elsewhere when it is first asked for; a delivered one is asked once."""

    async def story(world: World) -> None:
        world.ask_for_receipts()
        await paged(world)
        world.providers[Channel.SMS].says = Fate(Receipt.UNDELIVERED)
        await world.wait(100)

    world = simulate(story)
    (_, first), (when, second) = seconds_of(world, "ana")
    assert (first, second) == ("sms", "email")
    assert when <= 10
    asked = [name for _, name in world.providers[Channel.SMS].asked]
    assert len(asked) == len(set(asked)) == 2


def test_an_answered_page_is_asked_for_no_more() -> None:
    """Whoever answered has read it."""

    async def story(world: World) -> None:
        world.ask_for_receipts()
        await paged(world)
        world.folder.write("pay.yaml", FILE + "acknowledged: [ana, chen]\n")
        await world.wait(250)

    world = simulate(story)
    assert len(world.providers[Channel.SMS].asked) == 0
    assert seconds_of(world, "ana") == [(0, "sms")]


@pytest.mark.parametrize(("state", "then"), [("delivered", []), ("failed", [(0, "email")])])
def test_a_callback_before_the_answer(state: str, then: list[tuple[int, str]]) -> None:
    """It comes while the request is still under way: it is kept until that has ended."""

    async def story(world: World) -> None:
        world.policy = paging_policy(via=SMS)
        await world.start()
        world.folder.write("pay.yaml", FILE)
        while not tries_of(world, "ana"):
            await world.wait(0.001)
        attempt = tries_of(world, "ana")[0]
        assert attempt.outcome is None
        await told(world, attempt, state, sid="id1")
        await world.wait(250)

    world = simulate(story)
    assert seconds_of(world, "ana") == [(0, "sms"), *then]
    assert isinstance(tries_of(world, "ana")[0].outcome, Accepted)


def test_a_callback_says_that_an_uncertain_try_left() -> None:
    """The answer got lost, and the provider speaks of the message: there is no second copy, and nobody looks it up."""

    async def story(world: World) -> None:
        world.policy = paging_policy(via=SMS)
        world.faults.unheard = 1.0
        await world.start()
        world.folder.write("pay.yaml", FILE)
        await world.wait(0.9)
        world.faults.unheard = 0.0
        for person in ("ana", "chen"):
            assert await told(world, tries_of(world, person)[0], "delivered", sid="SM1") == "delivered"
        await world.wait(250)

    world = simulate(story)
    assert seconds_of(world, "ana") == [(0, "sms")]
    (attempt,) = tries_of(world, "ana")
    assert attempt.outcome == Accepted("SM1")


def test_a_callback_while_the_daemon_was_down() -> None:
    """Killed in the middle of a send; the webhook tells at the next start that it arrived: no second copy."""

    async def story(world: World) -> None:
        world.policy = paging_policy(via=SMS)
        await world.start()
        world.folder.write("pay.yaml", FILE)
        while not tries_of(world, "ana"):
            await world.wait(0.001)
        await world.wait(0.21)
        await world.kill()
        await world.start()
        for person in ("ana", "chen"):
            await told(world, tries_of(world, person)[0], "delivered", sid="id?")
        await world.wait(250)

    world = simulate(story)
    assert [via for _, via in seconds_of(world, "ana")] == ["sms"]


def test_a_receipt_of_the_process_before() -> None:
    """What was told before a kill still counts after it: the page goes elsewhere, or stays where it arrived."""

    async def story(world: World) -> None:
        attempt = await paged(world)
        chen = tries_of(world, "chen")[0]
        await world.stop()
        for each, receipt in ((attempt, Receipt.UNDELIVERED), (chen, Receipt.DELIVERED)):
            world.disk.attempts[each.reference][0] = replace(each, receipt=receipt)
        world.providers[Channel.SMS].says = Fate(Receipt.UNKNOWN)
        await world.start()
        await world.wait(250)

    world = simulate(story)
    assert [via for _, via in seconds_of(world, "ana")] == ["sms", "email"]
    assert [via for _, via in seconds_of(world, "chen")] == ["sms"]


def test_a_page_of_long_ago_is_asked_for_after_a_restart() -> None:
    """The daemon was down when the 3 minutes ended: the provider is asked once before anything more leaves."""

    async def story(world: World) -> None:
        await paged(world)
        await world.kill()
        await world.wait(240)
        world.providers[Channel.SMS].says = Fate(Receipt.DELIVERED)
        await world.start()
        await world.wait(30)

    assert [via for _, via in seconds_of(simulate(story), "ana")] == ["sms"]


def test_a_number_that_turns_out_refused() -> None:
    """A landline, said the provider after it took the page: by email at once, never again by SMS in this episode, the
    operators hear why, and the try counts as refused.
    """

    async def story(world: World) -> None:
        attempt = await paged(world)
        assert await told(world, attempt, "undelivered", "30006") == "refused"
        await world.wait(20)
        world.folder.write("pay.yaml", FILE + "status: resolved\n")
        await world.wait(20)

    world = simulate(story)
    assert [via for _, via in seconds_of(world, "ana")] == ["sms", "email"]
    closings = [each.message for each in world.arrived if each.message.kind == "closing"]
    assert [each.via for each in closings if each.person == "ana"] == [Channel.EMAIL]
    outcome = tries_of(world, "ana")[0].outcome
    assert isinstance(outcome, Refused)
    assert outcome.code == "30006"
    notices = {each.message.via: each.message.content.text for each in world.arrived if each.message.kind == "operator"}
    assert "ana cannot be reached by SMS any more: the number takes no text messages" in notices[Channel.EMAIL]
    assert "(30006); give a mobile number" in notices[Channel.EMAIL]
    assert "ana's number is refused" in notices[Channel.SMS]


def test_a_number_refused_after_the_page_was_settled() -> None:
    """Four minutes later the episode still learns of it, and the operators too."""

    async def story(world: World) -> None:
        world.settings = polled()
        attempt = await paged(world)
        await world.wait(240)
        assert await told(world, attempt, "undelivered", "21610") == "refused"
        await world.wait(400)

    world = simulate(story)
    assert isinstance(tries_of(world, "ana")[0].outcome, Refused)
    notices = [each.message.content.text for each in world.arrived if each.message.kind == "operator"]
    assert any(
        "have them text START to" in text and "which answered STOP, says the provider" in text for text in notices
    )


def test_operators_hear_of_a_refused_number_once_an_hour() -> None:
    """At once, by both channels; the next pages to it are no news. A list's address is told by email only."""

    async def story(world: World) -> None:
        world.faults.refuses = frozenset({"+14155550103", "status@lists.example.com"})
        await world.start()
        world.folder.write("pay.yaml", FILE)
        await world.wait(16)
        world.folder.write("web.yaml", FILE)
        await world.wait(60)

    world = simulate(story)
    notices = [each.message for each in world.arrived if each.message.kind == "operator"]
    assert [each.via for each in notices].count(Channel.SMS) == 1
    told_of = [each.content.text for each in notices if each.via is Channel.EMAIL]
    assert len(told_of) == 1
    assert "chen cannot be reached by SMS any more" in told_of[0]
    assert "status@lists.example.com cannot be reached by email any more" in told_of[0]


@pytest.mark.parametrize(
    ("who", "ref", "body"),
    [("999", "id1:failed", "failed"), ("x", "id1:failed", "failed"), ("9" * 30, "id1:failed", "failed"),
     ("{id}", "another:failed", "failed"), ("{id}", "id1:warp", "warp"), ("{id}", "", "")],
)  # fmt: skip
def test_what_belongs_to_nothing_of_ours(who: str, ref: str, body: str) -> None:
    """An unknown try, another message's name (the ledger was lost since), an unknown state: nothing happens."""

    async def story(world: World) -> None:
        attempt = await paged(world)
        arrival = Arrival(ArrivalKind.RECEIPT, ref, who.format(id=attempt.id), body, world.clock.now())
        assert await world.receipts.judge(arrival) == "unknown"
        await world.wait(100)

    assert [via for _, via in seconds_of(simulate(story), "ana")] == ["sms"]


def test_a_provider_that_hangs_when_asked_holds_up_nothing() -> None:
    """Two hundred pages wait for receipts that never come: new pages leave at once, and nobody waits for the next
    channel much longer than 3 minutes.
    """

    async def story(world: World) -> None:
        world.ask_for_receipts()
        world.without_limits()
        world.policy = paging_policy(via=SMS)
        provider: Any = world.providers[Channel.SMS]

        async def hangs(_provider_id: str) -> Fate:
            await world.wait(10)
            return Fate(Receipt.UNKNOWN)

        provider.fate = hangs
        await world.start()
        for number in range(100):
            world.folder.write(f"pay{number}.yaml", FILE)
        await world.wait(100)
        world.folder.write("late.yaml", FILE)
        await world.wait(130)

    world = simulate(story)
    late = [each for each in world.pages() if each.message.incident == "late"]
    assert {(each.message.via) for each in late} == {Channel.SMS}
    assert len(late) == 2
    start = world.arrived[0].at
    assert all(each.at - start < timedelta(seconds=105) for each in late)
    emails = [each.at - start for each in world.pages() if each.message.via is Channel.EMAIL]
    assert len(emails) == 200
    assert max(emails) < timedelta(seconds=215)
