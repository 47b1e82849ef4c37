"""Rule 70 on virtual time: a provider that hangs holds up nobody's page, however many there are."""

from datetime import timedelta

import pytest
from tocsin.domain.people import Channel

from tests.builders.policies import paging_policy
from tests.simulation.test_delivery import FILE, simulate
from tests.simulation.world import World


@pytest.mark.parametrize("hung", Channel)
def test_a_hundred_pages_behind_a_hung_provider_are_out_in_half_a_minute(hung: Channel) -> None:
    """D11: fifty incidents page two people each by a channel that only times out; all are out by the other in 30 s."""

    async def story(world: World) -> None:
        world.policy = paging_policy(via=(hung,))
        world.without_limits()
        world.providers[hung].takes = 10.0
        world.faults.down = frozenset({hung})
        await world.start()
        for number in range(50):
            world.folder.write(f"pay{number}.yaml", FILE)
        await world.wait(60)

    world = simulate(story)
    decided = min(world.disk.recorded_at.values())
    pages = {(page.message.incident, page.message.person): page.at - decided for page in world.pages()}
    assert len(pages) == 100
    assert max(pages.values()) < timedelta(seconds=30)


def test_a_page_while_a_provider_hangs_does_not_wait_for_it() -> None:
    """Rule 70: declared 12 s after the relay began to hang, it is out by SMS at once."""

    async def story(world: World) -> None:
        world.policy = paging_policy(via=(Channel.EMAIL,))
        world.providers[Channel.EMAIL].takes = 10.0
        world.faults.down = frozenset({Channel.EMAIL})
        await world.start()
        world.folder.write("pay.yaml", FILE)
        await world.wait(12)
        world.folder.write("late.yaml", FILE)
        await world.wait(3)

    world = simulate(story)
    assert {page.message.person for page in world.pages() if page.message.incident == "late"} == {"ana", "chen"}
