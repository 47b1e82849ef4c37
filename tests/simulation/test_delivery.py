"""The app floor on virtual time: single faults, one scenario each."""

from collections import Counter
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from tocsin.app.simulation.play import play
from tocsin.domain.notification import Notification
from tocsin.domain.people import Channel, ReachEntry
from tocsin.formats.policy_test.script import ScriptStep

from tests.builders.policies import paging_policy
from tests.fakes.loop import VirtualClock, run_virtually
from tests.simulation.world import World

FILE = "title: Card payments fail\nseverity: sev1\n"


def simulate(story: Any, **changes: Any) -> World:
    """Run a story `async (world) -> None` in a fresh world."""

    async def main(clock: VirtualClock) -> World:
        world = World(clock, paging_policy(), **changes)
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
    """With only SMS asked for, a number that is refused for good sends the page by email within a second (rule 36)."""

    async def story(world: World) -> None:
        world.policy = paging_policy(via=(Channel.SMS,))
        world.faults.refuses = frozenset({"+14155550101"})
        await world.start()
        world.folder.write("pay.yaml", FILE)
        await world.wait(5)

    world = simulate(story)
    assert seconds_of(world, "ana") == [(0, "email")]


def test_the_next_channel_does_not_wait_for_its_after() -> None:
    """Rule 36: with the SMS refused the email of `reach` goes at once, not after its 3 minutes, and not again then."""

    async def story(world: World) -> None:
        ana = world.policy.people["ana"]
        reach = (ReachEntry(Channel.SMS), ReachEntry(Channel.EMAIL, timedelta(minutes=3)))
        world.policy = replace(world.policy, people={**world.policy.people, "ana": replace(ana, reach=reach)})
        world.faults.refuses = frozenset({"+14155550101"})
        await world.start()
        world.folder.write("pay.yaml", FILE)
        await world.wait(240)

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
    """SMS is away: pages by SMS go by email within 30 s (at once for bad credentials), and come by SMS later (rule 37)."""

    async def story(world: World) -> None:
        world.policy = paging_policy(via=(Channel.SMS,))
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
        world.policy = paging_policy(via=(Channel.SMS,))
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
    """Rule 44: while the ledger cannot be written pages leave all the same, once each and marked; updates wait for it."""

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


def test_memory_makes_two_copies_at_most() -> None:
    """Rule 44: no relay confirms a mail and none can be written down; two copies of a page leave, and no third."""

    async def story(world: World) -> None:
        await world.start()
        world.disk.full = True
        world.faults.unheard = 1.0
        world.folder.write("pay.yaml", FILE)
        await world.wait(280)

    world = simulate(story)
    mails = [each.message for each in world.pages() if each.message.via is Channel.EMAIL]
    assert set(Counter(mail.reference for mail in mails).values()) == {2}


def test_what_simulate_prints_is_what_the_daemon_sends() -> None:
    """P10: two hours with an answer, a change and the resolution; the same messages, for the same reasons, then."""
    edits: dict[int, dict[str, Any]] = {
        420: {"acknowledged": ["ana"]},
        2000: {"status": "identified"},
        6000: {"acknowledged": ["ana", "chen"]},
        7000: {"status": "resolved"},
    }

    async def story(world: World) -> None:
        await world.start()
        world.folder.write("pay.yaml", FILE)
        waited = 0
        fields: dict[str, Any] = {}
        for after, edit in edits.items():
            await world.wait(after - waited)
            waited, fields = after, fields | edit
            lines = (f"{name}: {str(value).replace(chr(39), '')}" for name, value in fields.items())
            world.folder.write("pay.yaml", FILE + "\n".join(lines) + "\n")
        await world.wait(200)

    def told(each: Notification) -> tuple[Any, ...]:
        named = (each.kind, each.reason, each.to, each.via, each.roles, each.level, each.round, each.group)
        return (round((each.at - start).total_seconds()), *map(str, named))

    world = simulate(story)
    sent = [letter.notification for letter in world.disk.letters.values()]
    start = min(each.at for each in sent)
    steps = [ScriptStep(timedelta(seconds=after), fields=fields) for after, fields in edits.items()]
    played = play(world.policy, FILE.encode(), "pay.yaml", start, timedelta(seconds=7200), steps)
    assert len(sent) > 60
    assert sorted(map(told, sent)) == sorted(told(said.notification) for said in played.messages)


def test_the_watchdog_is_fed_while_all_goes_well() -> None:
    """A healthy pass every five seconds."""

    async def story(world: World) -> None:
        await world.start()
        await world.wait(600)

    assert simulate(story).manager.beats >= 115
