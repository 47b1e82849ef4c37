"""A folder that hangs, on virtual time: at a start and while the daemon runs (rule 62)."""

from dataclasses import replace
from typing import Any

import pytest
from tocsin.domain.policy import Level, Role, Who
from tocsin.ports.folder import MarkTrouble

from tests.simulation.test_delivery import FILE, simulate
from tests.simulation.world import World

ANSWERED = FILE + "acknowledged: [ana, chen]\n"


def operators(world: World) -> list[tuple[float, str]]:
    """What operators read by email, with the seconds since the world began."""
    return [
        ((each.at - world.began_at).total_seconds(), each.message.content.text)
        for each in world.arrived
        if each.message.kind == "operator" and each.message.via == "email"
    ]


async def declared_and_killed(world: World, seconds: float) -> None:
    """An incident was declared, its first pages went out, and the daemon was down for a while."""
    await world.start()
    world.folder.write("pay.yaml", FILE)
    await world.wait(10)
    await world.kill()
    await world.wait(seconds)


def paged_after(world: World, since: Any) -> list[tuple[str, float]]:
    """Who was paged by email after an instant, and how many seconds after."""
    return [
        (each.message.person, round((each.at - since).total_seconds(), 1))
        for each in world.pages()
        if each.at >= since and each.message.via == "email"
    ]


def test_a_folder_that_hangs_at_a_start_holds_up_no_ladder() -> None:
    """Rule 62: ready at once; a step found late waits 5 s for the folder and then fires, the next ones follow; the
    watchdog is fed all along.
    """
    started: list[Any] = []

    async def story(world: World) -> None:
        await declared_and_killed(world, 600)
        world.folder.hang()
        started.append(world.clock.now())
        await world.start()
        await world.wait(1)
        assert world.manager.said[-1].startswith("ready: ")
        await world.wait(310)

    world = simulate(story)
    paged = paged_after(world, started[0])
    assert {person for person, after in paged if 5 <= after < 6} == {"bo", "dai"}
    assert {person for person, after in paged if after > 300} == {"olga"}
    assert world.manager.beats > 60


@pytest.mark.parametrize(("answers_after", "paged"), [(3.0, False), (8.0, True)])
def test_an_answer_written_meanwhile_stops_a_late_step(answers_after: float, paged: bool) -> None:
    """Rule 62: late steps wait up to 5 s for the first reading of the folder; what it brings stops them, later no more."""
    started: list[Any] = []

    async def story(world: World) -> None:
        await declared_and_killed(world, 600)
        world.folder.write("pay.yaml", ANSWERED)
        world.folder.hang()
        started.append(world.clock.now())
        await world.start()
        await world.wait(answers_after)
        world.folder.answer()
        await world.wait(30)

    assert bool(paged_after(simulate(story), started[0])) is paged


def test_a_healthy_folder_is_not_waited_for() -> None:
    """A late step fires at once when the folder answers at once."""
    started: list[Any] = []

    async def story(world: World) -> None:
        await declared_and_killed(world, 600)
        started.append(world.clock.now())
        await world.start()
        await world.wait(2)

    assert {person for person, _ in paged_after(simulate(story), started[0])} == {"bo", "dai"}


def test_decided_pages_do_not_wait_for_the_folder() -> None:
    """Rule 62: pages that the process before recorded and could not send leave within a second."""
    started: list[Any] = []

    async def story(world: World) -> None:
        await world.start()
        world.folder.write("pay.yaml", FILE)
        while not world.disk.letters:
            await world.wait(0.0001)
        await world.kill()
        assert not world.disk.attempts
        world.folder.hang()
        started.append(world.clock.now())
        await world.start()
        await world.wait(2)

    assert {person for person, after in paged_after(simulate(story), started[0]) if after < 1} == {"ana", "chen"}


def test_first_pages_do_not_wait_for_the_folder() -> None:
    """Rule 62: a role that the config asks for since the stop is paged at once."""
    started: list[Any] = []

    async def story(world: World) -> None:
        await declared_and_killed(world, 600)
        page = world.policy.severities["sev1"].page
        assert page is not None
        page = replace(page, roles=(*page.roles, "scribe"))
        severities = {"sev1": replace(world.policy.severities["sev1"], page=page)}
        roles = {**world.policy.roles, "scribe": Role("scribe", "Scribe", chain=(Level((Who("eve"),)),))}
        world.policy = replace(world.policy, severities=severities, roles=roles, revision="r2")
        world.folder.hang()
        started.append(world.clock.now())
        await world.start()
        await world.wait(20)

    paged = paged_after(simulate(story), started[0])
    assert {person for person, after in paged if after < 1} >= {"eve"}


def test_operators_hear_of_a_hung_folder_and_of_its_return() -> None:
    """Rule 62: within a minute, since when, and what to do meanwhile; and once when it is well again. What was written
    meanwhile counts then.
    """

    async def story(world: World) -> None:
        await world.start()
        await world.wait(9)
        world.folder.hang()
        world.folder.write("pay.yaml", FILE)  # the file is asked for alone first, for a second
        await world.wait(121)
        assert world.pages() == []
        world.folder.answer()
        await world.wait(30)

    world = simulate(story)
    (hung_at, hung), (well_at, well) = operators(world)
    assert hung_at < 10 + 60
    assert "has not answered since 2026-11-23 10:00:10 UTC" in hung
    assert "ls incidents" in hung
    assert 130 <= well_at < 150
    assert "can be read again" in well
    assert world.pages()


def test_an_unreadable_folder_is_told_since_when() -> None:
    """Rule 62: the same for one that is gone; a flash of it is not told."""

    async def story(world: World) -> None:
        await world.start()
        await world.wait(5)
        world.folder.away = "the incident folder incidents is gone; make it again, or mount it"
        await world.wait(60)
        world.folder.away = ""
        await world.wait(60)
        world.folder.away = "the incident folder incidents is gone; make it again, or mount it"
        await world.wait(9)
        world.folder.away = ""
        await world.wait(60)

    world = simulate(story)
    (gone_at, gone), (_, well) = operators(world)
    assert gone_at < 60
    assert "is gone; make it again" in gone
    assert "can be read again" in well


def test_a_daemon_with_a_hung_folder_ends_when_told_to() -> None:
    """Nothing waits for the folder, the end neither."""

    async def story(world: World) -> None:
        world.folder.hang()
        await world.start()
        await world.wait(1)
        before = world.clock.now()
        await world.stop()
        assert (world.clock.now() - before).total_seconds() < 5

    assert simulate(story).manager.said[-1] == "stopping"


def test_the_folder_is_marked_as_watched_while_all_is_well() -> None:
    """P3: at least each 10 s, from the first reading on; not while it hangs."""

    async def story(world: World) -> None:
        await world.start()
        await world.wait(0.1)
        assert world.folder.renewed == 1
        await world.wait(60)
        assert world.folder.renewed >= 7
        world.folder.hang()
        await world.wait(11)
        before = world.folder.renewed
        await world.wait(60)
        assert world.folder.renewed == before

    simulate(story)


def test_a_folder_that_cannot_be_marked_is_told_once() -> None:
    """Rule 72: no refusal; the reason is told, and not again while it stays the same."""

    async def story(world: World) -> None:
        world.folder.mark_trouble = MarkTrouble("incidents/.tocsin-watched cannot be written (read-only file system)")
        await world.start()
        await world.wait(3 * 3600)

    ((_, told),) = operators(simulate(story))
    assert "read-only file system" in told


@pytest.mark.parametrize("machine", ["", "one"])
def test_a_folder_that_another_daemon_watches(machine: str) -> None:
    """Rule 72: both page, where it has a ledger of its own; machines with one ledger may share a folder (P3)."""

    async def story(world: World) -> None:
        world.machine_name = machine
        world.folder.mark_trouble = MarkTrouble("another tocsin watches the same folder", shared=True)
        await world.start()
        await world.wait(3600)

    told = [text for _, text in operators(simulate(story))]
    assert bool(told) != bool(machine), told


def test_another_folder_in_place_of_a_dead_one() -> None:
    """Rule 62: unmounted by force and mounted anew: what hung hangs for ever, and the daemon sees again all the same."""

    async def story(world: World) -> None:
        await world.start()
        await world.wait(10)
        world.folder.hang()
        await world.wait(100)
        world.folder.replace()
        world.folder.write("pay.yaml", FILE)
        await world.wait(130)
        assert world.pages()
        world.folder.write("db.yaml", FILE)
        await world.wait(1)

    world = simulate(story)
    assert {each.message.incident for each in world.pages()} == {"pay", "db"}
