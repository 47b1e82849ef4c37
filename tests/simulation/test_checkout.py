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
    over. One that is edited further is reopened.
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
    (_, told), (_, over) = operators(world)
    assert "No resolved incident is held any more" in over
    assert "of 20 resolved incidents went back to older contents" in told
    assert "pay0, pay1, pay10" in told


@pytest.mark.parametrize("pause", [20, 600])
@pytest.mark.parametrize("restarts", ["", "while they are back", "while it is held"])
def test_a_second_checkout_within_the_hour_is_told(pause: int, restarts: str) -> None:
    """Rule 69: the files were put back and go back once more: the operators are asked anew, not after an hour of quiet;
    also if the daemon was restarted between. A hold that goes on over a restart is told once.
    """

    async def story(world: World) -> None:
        await declared_and_resolved(world)
        write(world, "")
        await world.wait(pause)
        write(world, "status: resolved\n")
        await world.wait(pause)
        if restarts == "while they are back":
            await world.wait(60)
            await world.kill()
            await world.start()
            await world.wait(10)
        write(world, "")
        await world.wait(300)
        if restarts == "while it is held":
            await world.kill()
            await world.start()
            await world.wait(300)

    told = [text for _, text in operators(simulate(story))]
    assert ["is it meant" in text for text in told if "held any more" not in text] == [True, True]
    assert "is it meant" in told[-1]


def test_what_was_put_back_while_the_daemon_was_stopped_is_over() -> None:
    """Rule 69: at the start the operators hear that nothing is held; the next checkout is told."""

    async def story(world: World) -> None:
        await declared_and_resolved(world)
        write(world, "")
        await world.wait(100)
        await world.kill()
        write(world, "status: resolved\n")
        await world.start()
        await world.wait(100)
        await world.kill()
        write(world, "")
        await world.start()
        await world.wait(100)

    told = [text for _, text in operators(simulate(story))]
    assert ["is it meant" in text for text in told] == [True, False, True]
    assert "No resolved incident is held any more" in told[1]
