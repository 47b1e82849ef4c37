"""A forged sender who accepts and passes on in turn, on virtual time: what it costs, and whom it wakes (attack S2)."""

from collections import Counter
from datetime import timedelta
from typing import Any

from tests.builders.policies import paging_policy
from tests.simulation.test_answers import simulate
from tests.simulation.test_delivery import FILE
from tests.simulation.world import World


def sent(world: World, after: timedelta = timedelta(0)) -> Counter[tuple[str, str, str]]:
    """What left since then: kind, channel, person."""
    begin = world.began_at + after
    return Counter((a.message.kind, a.message.via.value, a.message.person) for a in world.arrived if a.at >= begin)


def test_twenty_flips_wake_nobody_twenty_times() -> None:
    """20 in were 41 SMS and 11 mails to three people. Now others are woken for the first three take-backs alone, the
    incident asks on, and the one who was forged takes it in the end.
    """

    async def story(world: World) -> None:
        world.policy = paging_policy()
        await world.start()
        world.folder.write("pay.yaml", FILE)
        await world.wait(30)
        for number in range(20):
            world.says("ana", "pass" if number % 2 else "ok")
            await world.wait(1.6)
        await world.wait(20)
        world.says("ana", "ok")
        await world.wait(70)

    world = simulate(story)
    left = sent(world, timedelta(seconds=25))
    others = {key: count for key, count in left.items() if key[2] not in {"ana", "olga"}}
    assert sum(count for (kind, via, _), count in left.items() if via == "sms") <= 25
    assert sum(count for (kind, via, _), count in left.items() if via == "email") <= 6
    assert all(count <= 4 for count in others.values())
    assert world.answers_to("ana")[-1].startswith("You are technical_lead")


def test_a_flood_is_answered_twenty_times() -> None:
    """80 `status` in two minutes, across a kill: 20 answers, and one word to the operators."""

    async def story(world: World) -> None:
        world.policy = paging_policy()
        await world.start()
        world.folder.write("pay.yaml", FILE)
        await world.wait(30)
        for number in range(80):
            world.says("ana", "status")
            await world.wait(1.5)
            if number == 30:
                await world.kill()
                await world.start()
        await world.wait(90)

    world = simulate(story)
    assert len(world.answers_to("ana")) == 20
    told: Any = [a for a in world.arrived if "flood of answers" in a.message.content.subject + a.message.content.text]
    assert {a.message.person for a in told} <= set(world.policy.people)
    assert 1 <= len(told) <= 2
