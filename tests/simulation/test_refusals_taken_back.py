"""Rule 38 on virtual time: a relay that refuses everybody, with nobody else to send by; mended, killed in between, or not."""

from collections import Counter
from dataclasses import replace
from typing import Any

import pytest
from tocsin.domain.delivery import Fault, Refused
from tocsin.domain.facts import ChannelRefused, RefusalTakenBack, StepFired
from tocsin.domain.notification import Kind
from tocsin.domain.people import Channel

from tests.builders.policies import paging_policy
from tests.simulation.test_delivery import FILE, simulate
from tests.simulation.world import Faults, World

PAGED = ("ana", "bo", "chen", "dai", "olga")


async def begin(world: World) -> None:
    """Nobody has a phone, and the relay knows nobody."""
    policy = paging_policy(via=(Channel.EMAIL,))
    people = {name: replace(person, phone="") for name, person in policy.people.items()}
    world.policy = replace(policy, people=people)
    world.faults.refuses = frozenset([*(person.email for person in people.values()), "status@lists.example.com"])
    await world.start()
    world.folder.write("pay.yaml", FILE)


def mend(world: World) -> None:
    """The relay knows everybody."""
    world.faults.refuses = frozenset()


def facts(world: World, kind: type) -> list[Any]:
    """What the ledger holds of a kind."""
    return [fact for fact in world.disk.facts["pay"] if isinstance(fact, kind)]


def pages(world: World) -> Counter[str]:
    """How many pages arrived at each person."""
    return Counter(arrival.message.person for arrival in world.pages())


def asked(world: World) -> dict[str, int]:
    """Everybody whom a step of a ladder asked, once each: which steps fire hangs on whose refusals came first."""
    people = {person for fact in facts(world, StepFired) for person in fact.people}
    assert {"ana", "chen"} <= people <= set(PAGED[:4])
    return dict.fromkeys(people, 1)


def test_a_relay_that_is_mended_gets_every_page_once_more() -> None:
    """Whoever was refused before the third is good again, and each has the page half a minute later."""

    async def story(world: World) -> None:
        await begin(world)
        await world.wait(20)
        assert not world.daemon.incidents.history("pay").refused
        mend(world)
        await world.wait(30)
        assert pages(world) == dict.fromkeys(PAGED, 1)

    world = simulate(story)
    assert len(facts(world, ChannelRefused)) == 2
    assert {fact.reader for fact in facts(world, ChannelRefused)} <= {
        fact.reader for fact in facts(world, RefusalTakenBack)
    }


def test_a_kill_in_between_forgets_nothing() -> None:
    """What was taken back is not refused again by what the next process finds, and goes once more there."""

    async def story(world: World) -> None:
        await begin(world)
        await world.wait(10)
        await world.kill()
        mend(world)
        await world.wait(3)
        await world.start()
        await world.wait(40)
        assert not world.daemon.incidents.history("pay").refused
        assert pages(world) == dict.fromkeys(PAGED, 1)

    world = simulate(story)
    kept = [attempt.outcome for tries in world.disk.attempts.values() for attempt in tries]
    assert not [outcome for outcome in kept if isinstance(outcome, Refused) and outcome.fault is Fault.ADDRESS]


@pytest.mark.parametrize("killed", [False, True])
def test_while_the_other_relay_greylists_a_kill_forgets_nothing(killed: bool) -> None:
    """Rules 38, 49: the one that knows nobody stays the sick one in the next process too; whoever has email only is
    paged by the other as soon as that takes anything, and nobody is told that an address is wrong.
    """

    async def story(world: World) -> None:
        world.add_fallbacks()
        await begin(world)
        main, backup = world.providers[Channel.EMAIL], world.fallbacks[Channel.EMAIL]
        main.faults = Faults(refuses=world.faults.refuses)
        backup.faults = Faults(down=frozenset({Channel.EMAIL}))
        await world.wait(4)
        if killed:
            await world.kill()
            await world.start()
        backup.faults = Faults()
        await world.wait(45)
        assert not world.daemon.incidents.history("pay").refused
        assert pages(world) == asked(world)

    world = simulate(story)
    assert not [key for key in world.disk.notices if "address-refused" in key]
    tries = [attempt for tries in world.disk.attempts.values() for attempt in tries]
    assert not [one for one in tries if isinstance(one.outcome, Refused) and one.outcome.fault is Fault.ADDRESS]


def test_the_first_word_of_readers_leaves_by_the_other_relay() -> None:
    """Rule 38: an update that the relay which knows nobody refused first is with its readers all the same, once."""

    async def story(world: World) -> None:
        world.add_fallbacks()
        await begin(world)
        world.providers[Channel.EMAIL].faults = Faults(refuses=world.faults.refuses)
        await world.wait(20)

    world = simulate(story)
    words = [each.message for each in world.arrived if each.message.kind == "update"]
    assert Counter(each.address for each in words) == {"status@lists.example.com": 1, "eve@example.com": 1}
    assert pages(world) == asked(world)


def test_a_relay_that_stays_so_is_not_asked_without_end() -> None:
    """Each page is tried once, and once more; the last resort is asked again each window."""

    async def story(world: World) -> None:
        await begin(world)
        await world.wait(660)
        assert not world.daemon.incidents.history("pay").refused

    world = simulate(story)
    tried = {
        key: tries
        for key, tries in world.disk.attempts.items()
        if world.disk.letters[key].notification.kind is Kind.PAGE
    }
    assert {len(tries) for tries in tried.values()} == {1}
    each = Counter(world.disk.letters[key].notification.to for key in tried)
    assert {name: each[name] for name in PAGED[:4]} == dict.fromkeys(PAGED[:4], 2)
    asked = [fact for fact in facts(world, StepFired) if fact.round is None and fact.people == ("olga",)]
    assert each["olga"] <= 2 * len(asked)


def test_with_a_fallback_every_page_is_there_within_seconds() -> None:
    """Rule 38: those that were refused before the third go to the fallback at once, and operators are not told to call
    anybody whose page is there.
    """

    async def story(world: World) -> None:
        world.add_fallbacks()
        world.providers[Channel.EMAIL].faults = world.faults
        await begin(world)
        await world.wait(8)
        assert {"ana", "chen"} <= set(pages(world))
        assert set(pages(world).values()) == {1}

    world = simulate(story)
    words = [arrival.message.content.text for arrival in world.arrived if arrival.message.kind == "operator"]
    assert words
    assert not [text for text in words if "reached nobody" in text]


def test_a_kill_forgets_no_provider_that_refuses_wrongly() -> None:
    """Rules 38, 49: the fallback greylists, the daemon is killed and started; the pages do not go back to the relay that
    knows nobody, and nobody's address is refused.
    """

    async def story(world: World) -> None:
        world.add_fallbacks()
        world.providers[Channel.EMAIL].faults = world.faults
        world.fallbacks[Channel.EMAIL].faults = Faults(down=frozenset({Channel.EMAIL}))
        await begin(world)
        await world.wait(4)
        await world.kill()
        await world.start()
        world.fallbacks[Channel.EMAIL].faults = Faults()
        await world.wait(40)
        assert not world.daemon.incidents.history("pay").refused
        assert {"ana", "chen"} <= set(pages(world))

    world = simulate(story)
    kept = [attempt.outcome for tries in world.disk.attempts.values() for attempt in tries]
    assert not [outcome for outcome in kept if isinstance(outcome, Refused) and outcome.fault is Fault.ADDRESS]
