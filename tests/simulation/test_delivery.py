"""The app floor on virtual time: single faults, one scenario each."""

from datetime import timedelta
from typing import Any

import pytest
from tocsin.domain.people import Channel

from tests.fakes.loop import VirtualClock, run_virtually
from tests.simulation.policies import policy
from tests.simulation.world import World

FILE = "title: Card payments fail\nseverity: sev1\n"


def simulate(story: Any, **changes: Any) -> World:
    """Run a story `async (world) -> None` in a fresh world."""

    async def main(clock: VirtualClock) -> World:
        world = World(clock, policy(), **changes)
        await story(world)
        return world

    world: World = run_virtually(main)
    return world


def seconds_of(world: World, person: str) -> list[tuple[int, str]]:
    """When pages reached a person, in whole seconds since the start, and how."""
    start = world.arrived[0].at.replace(microsecond=0)
    return [(int((each.at - start).total_seconds()), each.message.via.value) for each in world.pages(person)]


def test_a_new_file_pages_and_tells_at_once() -> None:
    """Level 0 of each role hears by both channels within a second, each group gets its first update."""

    async def story(world: World) -> None:
        await world.start()
        world.folder.write("pay.yaml", FILE)
        await world.wait(2)
        await world.stop()

    world = simulate(story)
    assert {(each.message.person, each.message.via) for each in world.pages()} == {
        (person, via) for person in ("ana", "chen") for via in Channel
    }
    updates = {each.message.address for each in world.arrived if each.message.kind == "update"}
    assert updates == {"eve@example.com", "+14155550105", "status@lists.example.com"}
    assert set(world.disk.states.values()) <= {"accepted"}


def test_an_answer_stops_the_ladder_and_silence_climbs_it() -> None:
    """Chen answers and dai is never paged; ana does not, so bo is paged after 5 minutes and olga each 5 after that."""

    async def story(world: World) -> None:
        await world.start()
        world.folder.write("pay.yaml", FILE)
        await world.wait(60)
        world.folder.write("pay.yaml", FILE + "acknowledged: [chen]\n")
        await world.wait(20 * 60)

    world = simulate(story)
    assert not world.pages("dai")
    assert [when for when, _ in seconds_of(world, "bo")] == [300, 300]
    assert [when // 60 for when, _ in seconds_of(world, "olga")] == [10, 10, 15, 15, 20, 20]


def test_a_refused_channel_goes_by_the_other_at_once() -> None:
    """With only SMS asked for, a number that is refused for good sends the page by email within a second."""

    async def story(world: World) -> None:
        world.policy = policy(via=(Channel.SMS,))
        world.faults.refuses = frozenset({"+14155550101"})
        await world.start()
        world.folder.write("pay.yaml", FILE)
        await world.wait(5)

    world = simulate(story)
    assert seconds_of(world, "ana") == [(0, "email")]


def test_a_page_that_nobody_can_get_passes_its_step_and_is_told() -> None:
    """All channels of ana refused: bo is paged at once, and the operator hears of both, and that the page reached
    nobody.
    """

    async def story(world: World) -> None:
        world.faults.refuses = frozenset({"+14155550101", "ana@example.com"})
        await world.start()
        world.folder.write("pay.yaml", FILE)
        await world.wait(20)

    world = simulate(story)
    assert not world.pages("ana")
    assert [when for when, _ in seconds_of(world, "bo")] == [0, 0]
    notices = [each.message for each in world.arrived if each.message.kind == "operator"]
    assert {notice.via for notice in notices} == set(Channel)
    assert all("ana cannot be reached by" in notice.content.text for notice in notices)
    assert all("reached nobody" in notice.content.text for notice in notices if notice.via is Channel.EMAIL)
    letters = [world.disk.letters[notice.reference].notification for notice in notices]
    assert {letter.rule for letter in letters} == {"tocsin.yaml"}


@pytest.mark.parametrize("fault", ["down", "broken"])
def test_a_dead_provider_sends_pages_elsewhere_within_30_seconds(fault: str) -> None:
    """SMS is away: pages by SMS only go by email within 30 s (at once for bad credentials), and come by SMS later."""

    async def story(world: World) -> None:
        world.policy = policy(via=(Channel.SMS,))
        setattr(world.faults, fault, frozenset({Channel.SMS}))
        await world.start()
        world.folder.write("pay.yaml", FILE)
        await world.wait(200)
        setattr(world.faults, fault, frozenset())
        await world.wait(90)

    world = simulate(story)
    emails = [each for each in world.pages("ana") if each.message.via is Channel.EMAIL]
    assert len(emails) == 1
    assert emails[0].at - world.disk.recorded_at[world.pages("chen")[0].message.reference] < timedelta(seconds=30)
    assert len([each for each in world.pages("ana") if each.message.via is Channel.SMS]) == 1
    notices = [each.message for each in world.arrived if each.message.kind == "operator"]
    assert any("SMS provider" in notice.content.text for notice in notices)


def test_an_sms_without_receipt_goes_by_email_too() -> None:
    """A page that the provider accepted but did not deliver goes by the other channel after 3 minutes."""

    async def story(world: World) -> None:
        world.policy = policy(via=(Channel.SMS,))
        world.faults.undelivered = 1.0
        await world.start()
        world.folder.write("pay.yaml", FILE)
        await world.wait(200)

    world = simulate(story)
    assert seconds_of(world, "ana") == [(0, "sms"), (180, "email")]


def test_resolved_closes_once_for_everybody_who_heard() -> None:
    """Exactly one closing message on each channel that reached somebody, then silence."""

    async def story(world: World) -> None:
        await world.start()
        world.folder.write("pay.yaml", FILE)
        await world.wait(400)
        world.folder.write("pay.yaml", FILE + "status: resolved\n")
        await world.wait(7200)

    world = simulate(story)
    closings = [(each.message.address, each.message.via) for each in world.arrived if each.message.kind == "closing"]
    others = {(each.message.address, each.message.via) for each in world.arrived if each.message.kind != "closing"}
    assert sorted(closings) == sorted(others)
    assert world.arrived[-1].message.kind == "closing"


def test_a_full_disk_pages_from_memory() -> None:
    """While the ledger cannot be written pages leave all the same, once each and marked; updates wait for it."""

    async def story(world: World) -> None:
        await world.start()
        world.disk.full = True
        world.folder.write("pay.yaml", FILE)
        await world.wait(30)
        assert len(world.pages("ana")) == 2
        assert not [each for each in world.arrived if each.message.kind == "update"]
        world.disk.full = False
        await world.wait(200)

    world = simulate(story)
    assert len(world.pages("ana")) == 2
    marks = {attempt.possible_duplicate for tries in world.disk.attempts.values() for attempt in tries}
    assert "the ledger could not be written" in marks
    assert [each for each in world.arrived if each.message.kind == "update"]
    assert set(world.disk.states) == set(world.disk.letters)


def test_the_watchdog_is_fed_while_all_goes_well() -> None:
    """A healthy pass every five seconds."""

    async def story(world: World) -> None:
        await world.start()
        await world.wait(600)

    assert simulate(story).manager.beats >= 115
