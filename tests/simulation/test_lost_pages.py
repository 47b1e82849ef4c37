"""Rule 66 on virtual time: SMS that are reported undelivered, the ladder that goes on at once, and the second try."""

from dataclasses import replace

from tocsin.domain.delivery import Accepted, Attempt, Fate, Receipt
from tocsin.domain.notification import Reason
from tocsin.domain.people import Channel

from tests.builders.policies import paging_policy
from tests.simulation.test_delivery import FILE, seconds_of, simulate
from tests.simulation.test_receipts import told, tries_of
from tests.simulation.world import World


async def by_phone_only(world: World) -> Attempt:
    """Ana has only a phone; her page has left and the provider says nothing of it yet."""
    policy = paging_policy(via=(Channel.SMS,))
    ana = replace(policy.people["ana"], email="")
    world.policy = replace(policy, people={**policy.people, "ana": ana})
    world.providers[Channel.SMS].says = Fate(Receipt.SENT)
    await world.start()
    world.folder.write("pay.yaml", FILE)
    await world.wait(2)
    return tries_of(world, "ana")[0]


def notices(world: World) -> str:
    """What the operator read by email."""
    read = [each.message for each in world.arrived if each.message.kind == "operator"]
    return "\n".join(message.content.text for message in read if message.via is Channel.EMAIL)


def test_undelivered_on_the_last_channel_passes_the_step_at_once() -> None:
    """Rule 66, D10: bo is paged when it is known; ana once more 30 s later; the operators read of it."""

    async def story(world: World) -> None:
        attempt = await by_phone_only(world)
        await world.wait(8)
        assert await told(world, attempt, "undelivered", "30003") == "undelivered"
        await world.wait(60)

    world = simulate(story)
    assert seconds_of(world, "ana") == [(0, "sms"), (40, "sms")]
    assert seconds_of(world, "bo") == [(10, "sms")]
    assert "the page to ana of" in notices(world)
    assert "the SMS was not delivered; it is tried once more by SMS in 30 s" in notices(world)


def test_what_the_provider_filters_is_not_sent_again() -> None:
    """Rule 66: 30007 is about our messages; a second one would be filtered as well. The step is passed all the same."""

    async def story(world: World) -> None:
        attempt = await by_phone_only(world)
        await told(world, attempt, "undelivered", "30007")
        await world.wait(60)

    world = simulate(story)
    assert seconds_of(world, "ana") == [(0, "sms")]
    assert seconds_of(world, "bo") == [(2, "sms")]


def test_the_second_try_is_the_last_and_survives_a_kill() -> None:
    """Rule 66: a restart in between; the second one is undelivered too, and there is no third."""

    async def story(world: World) -> None:
        attempt = await by_phone_only(world)
        await told(world, attempt, "undelivered", "30008")
        await world.wait(5)
        await world.kill()
        await world.wait(5)
        await world.start()
        await world.wait(30)
        second = tries_of(world, "ana")[-1]
        assert second.reference != attempt.reference
        await told(world, second, "undelivered", "30008")
        await world.wait(200)

    assert seconds_of(simulate(story), "ana") == [(0, "sms"), (32, "sms")]


def test_a_second_try_that_is_delivered_reaches_that_person() -> None:
    """Rule 66: it is noted, so that `explain` and the story of the incident say so; ana's ok then accepts."""

    async def story(world: World) -> None:
        attempt = await by_phone_only(world)
        await told(world, attempt, "undelivered", "30003")
        await world.wait(32)
        second = tries_of(world, "ana")[-1]
        assert isinstance(second.outcome, Accepted)
        await told(world, second, "delivered")
        await world.wait(1)
        assert not world.daemon.incidents.history("pay").lost
        world.folder.write("pay.yaml", FILE + "acknowledged: [ana]\n")
        await world.wait(1)
        assert world.daemon.incidents.history("pay").holder("technical_lead") == "ana"

    world = simulate(story)
    second = [letter.notification for letter in world.disk.letters.values() if letter.notification.to == "ana"][1]
    assert second.reason is Reason.REACH


def test_a_page_that_arrives_by_one_of_two_channels_is_not_told_as_lost() -> None:
    """Rule 66: the SMS is not delivered, the email is there: nobody else is asked before the window is over."""

    async def story(world: World) -> None:
        world.providers[Channel.SMS].says = Fate(Receipt.SENT)
        await world.start()
        world.folder.write("pay.yaml", FILE)
        await world.wait(2)
        attempt = next(each for each in tries_of(world, "ana") if each.via is Channel.SMS)
        await told(world, attempt, "undelivered", "30003")
        await world.wait(60)

    world = simulate(story)
    assert seconds_of(world, "bo") == []
    assert "reached nobody" not in notices(world)
    assert [via for _, via in seconds_of(world, "ana")].count("sms") == 1
