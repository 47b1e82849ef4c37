"""A checkout of an old commit, on virtual time: resolved incidents whose files go back to older contents (rule 69)."""

import pytest

from tests.simulation.test_delivery import FILE, simulate
from tests.simulation.test_folder import operators
from tests.simulation.world import World

NAMES = [f"pay{number}" for number in range(20)]


def write(world: World, end: str) -> None:
    for name in NAMES:
        world.folder.write(f"{name}.yaml", FILE.replace("Card", name) + end)


async def declared_and_resolved(world: World) -> None:
    await world.start()
    write(world, "")
    await world.wait(30)
    write(world, "status: resolved\n")
    await world.wait(3600)


@pytest.mark.parametrize("stopped", [False, True])
def test_a_checkout_pages_nobody_and_asks_the_operators(stopped: bool) -> None:
    """Rule 69: of 20 incidents that are long finished none reopens, while the daemon runs and at a start; put back, it is
    over without a word. One that is edited further is reopened.
    """
    counts: list[int] = []

    async def story(world: World) -> None:
        await declared_and_resolved(world)
        counts.append(len(world.arrived))
        if stopped:
            await world.kill()
        write(world, "")
        if stopped:
            await world.start()
        await world.wait(600)
        world.folder.write("pay3.yaml", FILE.replace("Card", "pay3") + "updates: [{text: It is back.}]\n")
        await world.wait(60)
        world.folder.write("pay3.yaml", FILE.replace("Card", "pay3") + "status: resolved\n")
        await world.wait(60)
        write(world, "status: resolved\n")
        await world.wait(600)

    world = simulate(story)
    later = world.arrived[counts[0] :]
    assert {each.message.incident for each in later if each.message.kind != "operator"} == {"pay3"}
    ((_, told),) = operators(world)
    assert "of 20 resolved incidents went back to older contents" in told
    assert "pay0, pay1, pay10" in told
