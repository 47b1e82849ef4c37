"""The machine's clock is put forward and back while the daemon runs, and while it does not (rules 59, 60)."""

from datetime import datetime, timedelta
from random import Random

import pytest
from tocsin.domain.facts import ClockMoved
from tocsin.domain.operator_notice import Trouble

from tests.builders.policies import WITHIN, paging_policy
from tests.fakes.loop import VirtualClock, run_virtually
from tests.simulation.world import World

SEEDS = (3, *(pytest.param(seed, marks=pytest.mark.attack) for seed in (11, 12, 24)))
HOUR = timedelta(hours=1)
FILE = "title: Card payments fail\nseverity: sev1\n"
SAME = timedelta(seconds=20)
"""How far one message may be from its like in another telling: the way to a provider, and what is drained at a step."""


async def told(world: World, steps: list[tuple[float, timedelta]]) -> list[tuple[datetime, str, str, str]]:
    """Three hours in which nobody answers for one, and the clock is put somewhere at these seconds: what truly arrived."""
    await world.start()
    world.folder.write("pay.yaml", FILE)
    passed = 0.0
    for at, ahead in steps:
        await world.wait(at - passed)
        world.machine.ahead, passed = ahead, at
    await world.wait(3500 - passed)
    world.folder.write("pay.yaml", FILE + "acknowledged: [ana, chen]\n")
    await world.wait(7200)
    world.folder.write("pay.yaml", FILE + "acknowledged: [ana, chen]\nstatus: resolved\n")
    await world.wait(60)
    await world.stop()
    return [
        (each.at, each.message.kind, each.message.address, each.message.via)
        for each in world.arrived
        if each.message.kind != "operator"
    ]


@pytest.mark.parametrize("seed", SEEDS)
def test_no_step_moves_a_message(seed: int) -> None:
    """Rule 60: whatever the clock does, every message arrives when it would have, once; and the daemon goes by the clock."""
    dice = Random(seed)
    at, steps = 0.0, []
    while (at := at + dice.expovariate(1 / 1500)) < 3400:
        steps.append((at, dice.choice([-1, 1]) * dice.choice([HOUR, timedelta(seconds=70), timedelta(days=400)])))

    async def story(clock: VirtualClock) -> tuple[list[tuple[datetime, str, str, str]], World]:
        world = World(clock, paging_policy(), seed)
        return await told(world, steps), world

    async def plain(clock: VirtualClock) -> list[tuple[datetime, str, str, str]]:
        return await told(World(clock, paging_policy(), seed), [])

    stepped, world = run_virtually(story)
    expected = run_virtually(plain)
    assert sorted(each[1:] for each in stepped) == sorted(each[1:] for each in expected)
    for one, other in zip(_by_what(stepped), _by_what(expected), strict=True):
        assert one[:3] == other[:3]
        assert abs(one[3] - other[3]) < SAME, (one, other, steps)
    assert abs(world.machine.step()) < timedelta(milliseconds=100)
    moves = sum((fact.by for fact in world.disk.facts["pay"] if isinstance(fact, ClockMoved)), timedelta(0))
    assert abs(moves - world.machine.ahead) < timedelta(milliseconds=100)


def _by_what(arrived: list[tuple[datetime, str, str, str]]) -> list[tuple[str, str, str, datetime]]:
    return sorted((kind, address, via, at) for at, kind, address, via in arrived)


@pytest.mark.parametrize("step", [HOUR, -HOUR, timedelta(days=-9000)])
def test_a_step_while_it_is_stopped_silences_nobody(step: timedelta) -> None:
    """Rule 59: the clock is put somewhere while the daemon does not run; the next level is paged within its window."""

    async def story(clock: VirtualClock) -> None:
        world = World(clock, paging_policy())
        await world.start()
        world.folder.write("pay.yaml", FILE)
        await world.wait(60)
        await world.kill()
        world.machine.ahead = step
        await world.start()
        await world.wait(WITHIN.total_seconds() + 5)
        assert world.pages("bo")
        assert world.pages("dai")
        await world.stop()

    run_virtually(story)


def test_a_clock_that_flips_does_not_begin_anew_all_the_time() -> None:
    """Rule 60: the first step is taken over at once, the next ones only once they stand longer; that is told."""

    async def story(clock: VirtualClock) -> None:
        world = World(clock, paging_policy())
        await world.start()
        began = len(world.manager.said)
        for number in range(120):
            world.machine.ahead = HOUR * (number % 2)
            await world.wait(15)
        assert world.manager.said[began:].count("reloading") == 3
        assert any(cause.startswith(Trouble.CLOCK_DIFFERS) for cause in world.disk.notices)
        world.machine.ahead = timedelta(0)
        await world.wait(900)
        assert abs(world.machine.now() - clock.now()) < timedelta(milliseconds=100)
        await world.stop()

    run_virtually(story)


def test_a_step_waits_for_a_ledger_that_cannot_be_written() -> None:
    """Rule 60: what is only in memory is not let go; both are followed when the ledger is back."""

    async def story(clock: VirtualClock) -> None:
        world = World(clock, paging_policy())
        await world.start()
        world.disk.full = True
        world.folder.write("pay.yaml", FILE)
        await world.wait(2)
        world.machine.ahead = HOUR
        await world.wait(30)
        assert world.machine.now() == clock.now()
        assert len(world.pages("ana")) == 2, "by each channel once"
        world.disk.full = False
        await world.wait(200)
        assert abs(world.machine.now() - clock.now() - HOUR) < timedelta(milliseconds=100)
        await world.wait(60)
        assert len(world.pages("ana")) == 2
        await world.stop()

    run_virtually(story)
