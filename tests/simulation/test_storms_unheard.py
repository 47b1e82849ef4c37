"""Pages that never left, on virtual time: whoever heard nothing of an incident hears no end of it (rules 17, 25, 45)."""

from collections import Counter
from dataclasses import replace
from datetime import timedelta

import pytest
from tocsin.domain.notification import Kind
from tocsin.domain.people import Channel

from tests.simulation.test_delivery import simulate
from tests.simulation.test_storms import declare, graded, told
from tests.simulation.world import Faults, World

SMS, EMAIL = Channel.SMS, Channel.EMAIL
RESOLVED = "status: resolved\n"


def incidents(world: World, person: str, kind: Kind) -> Counter[str]:
    """The incidents of which somebody got messages of a kind, with how many."""
    return Counter(
        each.message.incident for each in world.arrived if each.message.person == person and each.message.kind == kind
    )


@pytest.mark.parametrize("killed", [False, True])
def test_who_never_heard_of_it_hears_no_end(killed: bool) -> None:
    """Rules 25 and 45: fifty incidents come and go within 20 s; three had left. After a kill the same."""

    async def story(world: World) -> None:
        world.policy = graded()
        await world.start()
        declare(world, range(50))
        await world.wait(20)
        if killed:
            await world.kill()
        declare(world, range(50), more=RESOLVED)
        if killed:
            await world.start()
        await world.wait(300)

    world = simulate(story)
    for person in ("ana", "chen"):
        assert len(told(world.pages(person))) == 3
        assert incidents(world, person, Kind.CLOSING) == told(world.pages(person))
    held = [held for held in world.disk.held.values() if held.kind is Kind.CLOSING]
    assert {held.detail for held in held} == {"they never heard of it: no page had left for them"}
    assert Counter(held.to for held in held) == {"ana": 47, "chen": 47}


def test_the_end_comes_by_what_left() -> None:
    """Rule 25: of two channels the end comes by that which told them of it; by both where both did."""

    async def story(world: World) -> None:
        world.policy = graded((SMS, EMAIL))
        await world.start()
        declare(world, range(15))
        await world.wait(8)
        declare(world, range(15), more=RESOLVED)
        await world.wait(60)

    world = simulate(story)
    for via, most in ((SMS, 3), (EMAIL, 10)):
        pages = [each.message.incident for each in world.pages("ana") if each.message.via is via]
        ends = [each for each in world.arrived if each.message.kind == Kind.CLOSING and each.message.via is via]
        assert len(pages) == most
        assert sorted(each.message.incident for each in ends if each.message.person == "ana") == sorted(pages)


def test_who_never_heard_of_it_is_not_stood_down() -> None:
    """Rule 17: chen accepts what ana's pages still wait for: she hears nothing of it, also not its end; what she had
    been paged for she is stood down from.
    """

    async def story(world: World) -> None:
        world.policy = graded()
        await world.start()
        declare(world, range(8))
        await world.wait(20)
        declare(world, range(8), more="acknowledged: [chen]\n")
        await world.wait(20)
        declare(world, range(8), more="acknowledged: [chen]\n" + RESOLVED)
        await world.wait(60)

    world = simulate(story)
    known = told(world.pages("ana"))
    assert len(known) == 3
    assert incidents(world, "ana", Kind.STAND_DOWN).keys() <= known.keys()
    assert incidents(world, "ana", Kind.CLOSING) == known
    assert len(incidents(world, "chen", Kind.CLOSING)) == 8, "she answered, so she knows of them"


def test_a_stopped_number_brings_no_end_of_what_it_held_back() -> None:
    """Rules 25 and 51: pages that STOP held back for good reached nobody; after START no end of them comes."""

    async def story(world: World) -> None:
        world.policy = graded()
        people = {**world.policy.people, "ana": replace(world.policy.people["ana"], email="")}
        world.policy = replace(world.policy, people=people)
        await world.start()
        declare(world, range(8))
        await world.wait(20)
        silent = {**people, "ana": replace(people["ana"], stopped=(SMS,))}
        world.daemon.config.replace(replace(world.policy, people=silent), world.settings)
        await world.wait(20)
        world.daemon.config.replace(world.policy, world.settings)
        await world.wait(10)
        declare(world, range(8), more=RESOLVED)
        await world.wait(150)

    world = simulate(story)
    assert len(told(world.pages("ana"))) == 3
    assert incidents(world, "ana", Kind.CLOSING) == told(world.pages("ana"))


def test_a_corrected_number_gets_what_waited_at_once_and_in_order() -> None:
    """Rules 45, 47 and 65: what waited for the old number leaves as soon as anything is declared after the correction,
    in room of its own.
    """

    async def story(world: World) -> None:
        world.policy = graded()
        await world.start()
        declare(world, range(8))
        await world.wait(21)
        people = {**world.policy.people, "ana": replace(world.policy.people["ana"], phone="+14155550188")}
        world.daemon.config.replace(replace(world.policy, people=people), world.settings)
        declare(world, [100])
        await world.wait(8)

    world = simulate(story)
    moved = [each.message for each in world.pages("ana") if each.message.address == "+14155550188"]
    assert sorted(len(message.incidents) for message in moved) == [0, 5]
    times = [each.at for each in world.pages("ana") if each.message.address == "+14155550188"]
    assert abs(times[1] - times[0]) < timedelta(seconds=1)


def test_a_page_that_waits_for_room_takes_no_end_back() -> None:
    """P5, rules 25, 45: SMS are down while an incident ends, is opened again and ends. The page of the second episode
    never leaves, so its end is told to nobody; whoever was paged for the first hears the end of that.
    """

    async def story(world: World) -> None:
        world.policy = graded()
        await world.start()
        declare(world, [0])
        await world.wait(5)
        for provider in world.providers.values():
            provider.faults = Faults(down=frozenset({SMS}))
        declare(world, [0], more=RESOLVED)
        await world.wait(1)
        declare(world, range(1, 6))  # the room is used up
        await world.wait(3)
        declare(world, [0], more="status: investigating\n")
        await world.wait(50)
        declare(world, [0], more=RESOLVED)
        await world.wait(5)
        for provider in world.providers.values():
            provider.faults = Faults()
        await world.wait(1200)

    world = simulate(story)
    for person in ("ana", "chen"):
        assert told(world.pages(person))["i0000"] == 1
        assert incidents(world, person, Kind.CLOSING)["i0000"] == 1
