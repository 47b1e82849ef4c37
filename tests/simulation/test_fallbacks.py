"""Rules 49 and 50 on virtual time: two providers a channel, of which any one, then both, are sick in every way. Nobody is
marked, pages are on time, nothing leaves twice untagged.
"""

from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest
from tocsin.domain.delivery import Refused
from tocsin.domain.facts import ChannelRefused
from tocsin.domain.people import Channel

from tests.builders.active_config import settings
from tests.builders.policies import paging_policy
from tests.simulation.seeds import seeds
from tests.simulation.test_delivery import FILE, simulate
from tests.simulation.world import Faults, Provider, World


def denies(provider: Provider, via: Channel) -> None:
    provider.faults = Faults(broken=frozenset({via}))


def is_busy(provider: Provider, via: Channel) -> None:
    provider.faults = Faults(down=frozenset({via}))


def hangs(provider: Provider, via: Channel) -> None:
    """Until its deadline: before a mail's bytes nothing has left, of an SMS nobody knows."""
    provider.takes = 10.0
    provider.faults = Faults(down=frozenset({via})) if via is Channel.EMAIL else Faults(lost=1.0)


def loses(provider: Provider, via: Channel) -> None:
    provider.faults = Faults(lost=1.0)


def takes_and_says_nothing(provider: Provider, via: Channel) -> None:
    provider.faults = Faults(unheard=1.0)


def is_well(provider: Provider, via: Channel) -> None:
    provider.takes, provider.faults = 0.0, Faults()


WIDE = {via: {"burst": 1000, "every": "1s"} for via in ("sms", "email")}
"""Room for every page: how they wait for room is another story."""
Sickness = Callable[[Provider, Channel], None]
SICK: dict[Sickness, float] = {denies: 2, is_busy: 2, hangs: 30, loses: 32, takes_and_says_nothing: 3}
"""Each with the seconds within which a page is out all the same, by whichever channel."""


def run(via: Channel, stages: list[tuple[Sickness, Sickness]], seed: int = 0, *, kills: bool = False) -> World:
    """An incident each 20 s, paged by one channel to people who have both; every two minutes the next stage: how the
    first provider is, and how the fallback.
    """

    async def story(world: World) -> None:
        world.policy = paging_policy(via=(via,))
        world.add_fallbacks()
        world.settings = settings(limits=WIDE)
        await world.start()
        for number, (first, second) in enumerate(stages):
            first(world.providers[via], via)
            second(world.fallbacks[via], via)
            for part in range(6):
                world.folder.write(f"pay{number}-{part}.yaml", FILE)
                await world.wait(world.dice.uniform(0, 20) if kills else 20)
                if kills:
                    await world.kill()
                    await world.wait(1)
                    await world.start()
        is_well(world.providers[via], via)
        is_well(world.fallbacks[via], via)
        await world.wait(120)

    return simulate(story, seed=seed)


def nobody_is_marked(world: World) -> None:
    assert not [fact for facts in world.disk.facts.values() for fact in facts if isinstance(fact, ChannelRefused)]
    attempts = [attempt for tries in world.disk.attempts.values() for attempt in tries]
    assert not [attempt for attempt in attempts if isinstance(attempt.outcome, Refused)]


def copies_are_tagged(world: World) -> None:
    """Each further copy that arrived is a try with its cause."""
    for reference, copies in Counter(each.message.reference for each in world.arrived).items():
        tagged = sum(bool(attempt.possible_duplicate) for attempt in world.disk.attempts.get(reference, ()))
        assert copies <= 1 + tagged, reference


def lateness(world: World) -> list[float]:
    """Seconds from each first page's decision until the person had it, by whichever channel: two an incident."""
    first: dict[tuple[str, str], float] = {}
    for page in (*world.pages("ana"), *world.pages("chen")):
        key = (page.message.incident, page.message.person)
        first.setdefault(key, (page.at - page.message.at).total_seconds())
    return list(first.values())


@pytest.mark.parametrize("sick", SICK)
@pytest.mark.parametrize("via", Channel)
def test_a_sick_first_provider_costs_no_page(via: Channel, sick: Sickness) -> None:
    """Rule 49: the fallback has it at once, or after what rules 40 and 70 give a try whose end nobody knows; once that
    provider counts as sick only one message a minute goes to it.
    """
    world = run(via, [(is_well, is_well), (sick, is_well), (sick, is_well), (is_well, is_well)])
    assert len(lateness(world)) == 48
    assert max(lateness(world)) <= SICK[sick]
    nobody_is_marked(world)
    copies_are_tagged(world)
    tries = [attempt for tries in world.disk.attempts.values() for attempt in tries if attempt.via is via]
    sick_from, sick_to = world.began_at + timedelta(seconds=130), world.began_at + timedelta(seconds=360)
    to_sick = [one for one in tries if one.provider == "main" and sick_from < one.started_at < sick_to]
    if (via, sick) != (Channel.SMS, takes_and_says_nothing):  # that one has them all, says its list a second later
        assert len(to_sick) < 24, "most went to the fallback without asking"
    back = [one for one in tries if one.provider == "main" and one.started_at > sick_to + timedelta(seconds=100)]
    assert back, "it is used again once it is well"


@pytest.mark.parametrize("sick", SICK)
@pytest.mark.parametrize("via", Channel)
def test_a_sick_fallback_is_no_concern_while_the_first_is_well(via: Channel, sick: Sickness) -> None:
    """Rule 49."""
    world = run(via, [(is_well, sick), (is_well, sick)])
    assert max(lateness(world)) <= 2
    assert {attempt.provider for tries in world.disk.attempts.values() for attempt in tries} == {"main"}
    assert not [notice for notice in world.disk.notices if "provider" in notice]


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (denies, denies),
        pytest.param(denies, hangs, marks=pytest.mark.attack),
        (hangs, denies),
        pytest.param(hangs, hangs, marks=pytest.mark.attack),
        pytest.param(is_busy, loses, marks=pytest.mark.attack),
        (loses, loses),
        (takes_and_says_nothing, denies),
    ],
)
@pytest.mark.parametrize("via", Channel)
def test_while_both_are_sick_pages_go_by_the_other_channel(via: Channel, first: Sickness, second: Sickness) -> None:
    """Rules 37, 38, 49, 70: within half a minute; and by the first again once it is well."""
    world = run(via, [(first, second), (first, second), (is_well, second)])
    assert len(lateness(world)) == 36
    assert max(lateness(world)) <= 32
    nobody_is_marked(world)
    copies_are_tagged(world)
    late = max(page.at for page in world.pages())
    assert late - world.began_at < timedelta(seconds=500)


@pytest.mark.parametrize("seed", seeds(4, 1))
@pytest.mark.parametrize("via", Channel)
def test_kills_in_the_midst_of_it_lose_and_double_nothing(via: Channel, seed: int) -> None:
    """Rules 40, 49: whatever was under way is looked up at its own provider; each page reaches its reader."""
    ways: list[Sickness] = [*SICK, is_well]
    stages = [(ways[(seed + 2 * step) % 6], ways[(seed * 5 + step) % 6]) for step in range(5)]
    world = run(via, stages, seed, kills=True)
    assert len(lateness(world)) == 60
    nobody_is_marked(world)
    copies_are_tagged(world)


@pytest.mark.parametrize("via", Channel)
def test_pages_that_wait_for_an_only_provider_leave_when_it_is_well(via: Channel) -> None:
    """Rule 50: of people who have no other channel, as soon as it takes anything again."""

    async def story(world: World) -> None:
        world.policy = paging_policy(via=(via,))
        other = "phone" if via is Channel.EMAIL else "email"
        people = {name: replace(person, **{other: ""}) for name, person in world.policy.people.items()}
        world.policy = replace(world.policy, people=people)
        provider = world.providers[via]
        denies(provider, via)
        world.settings = settings(limits=WIDE)
        await world.start()
        for number in range(20):
            world.folder.write(f"pay{number}.yaml", FILE)
            await world.wait(3)
        is_well(provider, via)
        world.well_at = world.clock.now()  # type: ignore[attr-defined]
        world.folder.write("last.yaml", FILE)
        await world.wait(5)

    world = simulate(story)
    waited = {page.message.incident for page in world.pages()}
    assert len(waited) == 21
    assert max(page.at for page in world.pages()) - world.well_at < timedelta(seconds=5)  # type: ignore[attr-defined]
