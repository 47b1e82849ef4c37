"""Rule 71 on virtual time: the dead man's switch speaks for pages and notices that do not leave."""

from typing import Any

from tocsin.domain.delivery import Fate, Receipt
from tocsin.domain.people import Channel

from tests.builders.active_config import settings
from tests.simulation.test_delivery import FILE, simulate
from tests.simulation.world import World


async def pinged(world: World, seconds: float) -> int:
    """How often the switch is pinged in a span."""
    before = world.manager.pings
    await world.wait(seconds)
    return world.manager.pings - before


def beating(**faults: Any) -> World:
    """A story of an incident with a heartbeat each 10 s: how often it beats in three minutes each, before the incident,
    after it began, and after the providers are well.
    """
    beats: list[int] = []

    async def story(world: World) -> None:
        world.settings = settings(heartbeat={"url": "https://switch.example.com", "every": "10s"})
        await world.start()
        beats.append(await pinged(world, 180))
        for name, value in faults.items():
            setattr(world.faults, name, value)
        world.folder.write("pay.yaml", FILE)
        beats.append(await pinged(world, 180))
        for name in faults:
            setattr(world.faults, name, frozenset())
        await world.wait(70)
        beats.append(await pinged(world, 180))

    world = simulate(story)
    world.beats = beats  # type: ignore[attr-defined]
    return world


def test_it_is_withheld_while_nothing_leaves() -> None:
    """D13: no relay and no SMS: it beats for the first minute only, and again once pages leave."""
    world: Any = beating(broken=frozenset(Channel))
    before, during, after = world.beats
    assert before >= 17
    assert during <= 7
    assert after >= 17


def test_one_dead_provider_does_not_stop_it() -> None:
    """Everybody has a page by the other channel."""
    world: Any = beating(broken=frozenset({Channel.EMAIL}))
    assert min(world.beats) >= 17


def test_it_is_withheld_while_the_last_resort_is_not_reached() -> None:
    """Rules 66, 71: a carrier drops every SMS and the relay knows no mailbox: nobody at all has heard of the incident."""
    beats: list[int] = []

    async def story(world: World) -> None:
        heartbeat = {"url": "https://switch.example.com", "every": "10s"}
        world.settings = settings(heartbeat=heartbeat, replies={"by": "poll", "every": "10s"})
        world.providers[Channel.SMS].says = Fate(Receipt.UNDELIVERED, code="30008")
        world.faults.refuses = frozenset(f"{name}@example.com" for name in ("ana", "bo", "chen", "dai", "olga"))
        await world.start()
        world.folder.write("pay.yaml", FILE)
        await world.wait(180)
        beats.append(await pinged(world, 120))
        world.folder.write("pay.yaml", FILE + "acknowledged: [ana, chen]\n")
        await world.wait(70)
        beats.append(await pinged(world, 100))

    simulate(story)
    assert beats[0] == 0
    assert beats[1] >= 9


def test_it_is_withheld_at_once_while_a_notice_cannot_leave() -> None:
    """Rule 71: the minute is for pages. A notice is tried by all its channels in vain: nobody but the switch tells."""
    beats: list[int] = []

    async def story(world: World) -> None:
        world.settings = settings(heartbeat={"url": "https://switch.example.com", "every": "10s"})
        await world.start()
        await world.wait(60)
        world.faults.down = frozenset(Channel)
        world.folder.write("pay.yaml", f"{FILE}status: resolved\neta: noon\n")
        await world.wait(10)
        beats.append(await pinged(world, 40))
        world.faults.down = frozenset()
        await world.wait(70)
        beats.append(await pinged(world, 100))

    simulate(story)
    assert beats[0] == 0
    assert beats[1] >= 9
