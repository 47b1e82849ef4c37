"""Closed incidents go from the ledger, on virtual time: by `keep`, by order, and never in a page's way (P7)."""

import asyncio
from datetime import timedelta

import pytest
from tocsin.app.engine import pruner
from tocsin.domain.arrival import Arrival as CameIn
from tocsin.domain.arrival import ArrivalKind, PruneEntry
from tocsin.domain.people import Channel
from tocsin.formats.inbox.entries import write_entry

from tests.fakes.upkeep import DiskUpkeep
from tests.simulation.test_delivery import FILE, simulate
from tests.simulation.test_folder import operators
from tests.simulation.world import World

HOUR = timedelta(minutes=20)
"""What stands for an hour here, and for a day: virtual time goes second by second."""
RESOLVED = FILE + "status: resolved\n"


@pytest.fixture(autouse=True)
def hours_for_days(monkeypatch: pytest.MonkeyPatch) -> None:
    """A daemon's day is long."""
    monkeypatch.setattr(pruner, "KEEPS_AT_LEAST", HOUR)
    monkeypatch.setattr(pruner, "EVERY", HOUR)


async def declared_and_resolved(world: World) -> None:
    await world.start()
    world.folder.write("pay.yaml", FILE)
    await world.wait(30)
    world.folder.write("pay.yaml", RESOLVED)
    await world.wait(600)


def order(world: World, hours: float, ref: str = "prune00001") -> None:
    """What `tocsin prune` leaves, once the daemon has let it in."""
    entry = PruneEntry(ref, world.clock.now() - hours * HOUR)
    body = write_entry(entry).decode()
    world.disk.arrivals.append((CameIn(ArrivalKind.PRUNE, entry.ref, "", body, world.clock.now()), None))


def paged(world: World) -> int:
    return len(world.pages())


def test_what_is_kept_long_enough_goes_once_a_day() -> None:
    """Not before `keep` is over since the last thing that happened; an open incident never."""

    async def story(world: World) -> None:
        world.settings = world.settings.model_copy(update={"keep": 3 * HOUR})
        await declared_and_resolved(world)
        world.folder.write("open.yaml", FILE.replace("Card", "Bank"))
        await world.wait(2 * HOUR.total_seconds())
        assert set(world.disk.facts) == {"pay", "open"}
        await world.wait(3 * HOUR.total_seconds())
        assert set(world.disk.facts) == {"open"}
        (left,) = world.disk.pruned.values()
        assert len(left.digests) == 2
        assert not [key for key in world.disk.letters if key.startswith("pay/")]

    simulate(story)


@pytest.mark.parametrize("restarts", [False, True])
def test_an_old_file_of_a_pruned_incident_pages_nobody(restarts: bool) -> None:
    """Neither the newest version nor an older one that is not resolved, while the daemon runs and at a start; the
    operators hear of the latter, since somebody may wait for pages. A new text is a new incident.
    """
    counts: list[int] = []

    async def story(world: World) -> None:
        await declared_and_resolved(world)
        await world.wait(1.5 * HOUR.total_seconds())
        order(world, 1.2)
        await world.wait(600)
        assert set(world.disk.pruned) == {"pay"}
        assert "pay" not in world.disk.facts
        counts.append(paged(world))
        if restarts:
            await world.kill()
        world.folder.write("pay.yaml", FILE)
        if restarts:
            await world.start()
        await world.wait(600)
        counts.append(paged(world))
        world.folder.write("pay.yaml", RESOLVED)
        await world.wait(60)
        assert "pay" not in world.disk.facts
        world.folder.write("pay.yaml", FILE + "impact: It is on again.\n")
        await world.wait(60)
        counts.append(paged(world))

    world = simulate(story)
    before, stale, anew = counts
    assert before == stale < anew
    (told,) = [text for _, text in operators(world) if "pay.yaml" in text]
    assert "old version of an incident that was closed long ago and pruned" in told


def test_an_order_is_followed_and_answered() -> None:
    """Its end is a number of incidents; what was closed in the last week (here: hour) stays, whatever the order says."""

    async def story(world: World) -> None:
        await declared_and_resolved(world)
        order(world, 0)
        await world.wait(60)
        assert (set(world.disk.facts), world.disk.words["prune00001"].words) == ({"pay"}, "0")
        await world.wait(1.5 * HOUR.total_seconds())
        order(world, 0, "prune00002")
        await world.wait(60)
        assert (set(world.disk.facts), world.disk.words["prune00002"].words) == (set(), "1")

    simulate(story)


def test_nothing_goes_while_a_page_waits() -> None:
    """A provider that takes nothing holds up the pruning, not the other way round."""

    async def story(world: World) -> None:
        await declared_and_resolved(world)
        await world.wait(1.5 * HOUR.total_seconds())
        world.faults.down = frozenset(Channel)
        world.folder.write("open.yaml", FILE.replace("Card", "Bank"))
        await world.wait(5)
        order(world, 1.2)
        await world.wait(600)
        assert "pay" in world.disk.facts
        world.faults.down = frozenset()
        await world.wait(600)
        assert "pay" not in world.disk.facts

    simulate(story)


def test_a_file_that_changes_at_that_very_moment_is_a_new_incident(monkeypatch: pytest.MonkeyPatch) -> None:
    """While an incident goes nobody looks at it: half of it would be in memory, and half of it nowhere. Then it is paged
    at once, by the whole of what is left.
    """
    prune = DiskUpkeep.prune_incident

    async def prune_slowly(upkeep: DiskUpkeep, incident: str) -> bool:
        await asyncio.sleep(5)
        return await prune(upkeep, incident)

    monkeypatch.setattr(DiskUpkeep, "prune_incident", prune_slowly)
    counts: list[int] = []

    async def story(world: World) -> None:
        await declared_and_resolved(world)
        await world.wait(1.5 * HOUR.total_seconds())
        order(world, 1.2)
        await world.wait(3)
        counts.append(paged(world))
        world.folder.write("pay.yaml", FILE + "impact: It is on again.\n")
        await world.wait(1)
        assert paged(world) == counts[0]
        await world.wait(10)
        counts.append(paged(world))
        assert set(world.disk.pruned) == set(world.disk.facts) == {"pay"}
        await world.kill()
        await world.start()
        await world.wait(60)
        counts.append(paged(world))

    simulate(story)
    before, anew, restarted = counts
    assert before < anew == restarted
