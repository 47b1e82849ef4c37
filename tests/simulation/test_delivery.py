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
    assert all("A page reached nobody" in notice.content.text for notice in notices)
    assert all("ana cannot be reached by" in notice.content.text for notice in notices if notice.via is Channel.EMAIL)
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
        waited = 0.0
        fields: dict[str, Any] = {}
        for after, edit in edits.items():
            moment = after - 0.001  # what is due at this second is due with the answer there (rule 1)
            await world.wait(moment - waited)
            waited, fields = moment, fields | edit
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


def test_a_drill_with_sick_providers_tells_no_outsider() -> None:
    """P9 and rule 28: neither at the declaration nor by a change, a due update, a retry or a restart, nor at the end."""

    async def story(world: World) -> None:
        await world.start()
        world.faults.deferred = world.faults.lost = 0.3
        world.folder.write("pay.yaml", FILE + "drill: true\n")
        await world.wait(400)
        change = 'updates: [{at: 2026-11-23T10:05:00Z, text: Internal, public: "We are on it."}]\n'
        world.folder.write("pay.yaml", FILE + "drill: true\nstatus: identified\n" + change)
        await world.wait(2 * 3600)
        await world.kill()
        await world.start()
        await world.wait(3600)
        world.folder.write("pay.yaml", FILE + "drill: true\nstatus: resolved\n" + change)
        await world.wait(3600)

    world = simulate(story)
    assert {"page", "update", "closing"} <= {arrival.message.kind for arrival in world.arrived}
    assert "status@lists.example.com" not in {arrival.message.address for arrival in world.arrived}
    assert not [letter for letter in world.disk.letters.values() if letter.notification.external]


def test_an_answer_while_the_daemon_was_down_stops_what_it_left() -> None:
    """What the process before did not finish goes on only after every incident has had its first look: the answer that
    came meanwhile counts first.
    """

    async def story(world: World) -> None:
        world.faults.down = frozenset(Channel)
        await world.start()
        world.folder.write("pay.yaml", FILE)
        await world.wait(10)
        await world.kill()
        world.faults.down = frozenset()
        world.folder.write("pay.yaml", FILE + "acknowledged: [ana, chen]\n")
        await world.start()
        await world.wait(600)

    assert simulate(story).pages() == []


def test_a_clean_stop_leaves_what_waits_for_the_next_start() -> None:
    """SIGTERM ends what is under way, begins nothing new, closes the connections; the next start goes on with the rest."""
    arrived: list[int] = []

    async def story(world: World) -> None:
        world.faults.down = frozenset({Channel.EMAIL})
        await world.start()
        world.folder.write("pay.yaml", FILE)
        await world.wait(5)
        await world.stop()
        arrived.append(len(world.arrived))
        world.faults.down = frozenset()
        await world.wait(600)
        arrived.append(len(world.arrived))
        await world.start()
        await world.wait(120)

    world = simulate(story)
    assert arrived[0] == arrived[1]
    assert {arrival.message.address for arrival in world.arrived} >= {"status@lists.example.com", "eve@example.com"}
    assert all(provider.closed for provider in world.providers.values())


def test_a_file_mended_before_its_message_left_is_not_told() -> None:
    """Rule 39: a complaint is true when it arrives; the first leaves at once, the second waits its minute."""

    async def story(world: World) -> None:
        await world.start()
        world.folder.write("pay.yaml", FILE + "eta: noon\n")
        await world.wait(5)
        for text in (FILE + "eta: soon\n", FILE):
            world.folder.write("db.yaml", text)
            await world.wait(20)
        await world.wait(60)

    world = simulate(story)
    notices = [each.message.content.text for each in world.arrived if each.message.kind == "operator"]
    assert len(notices) == 1
    assert "pay.yaml" in notices[0]


def test_what_operators_have_not_heard_at_a_stop_is_told_all_the_same() -> None:
    """A page was lost a moment before the daemon was stopped: nobody would meet that again."""

    async def story(world: World) -> None:
        world.faults.refuses = frozenset({"+14155550101", "ana@example.com"})
        await world.start()
        world.folder.write("pay.yaml", FILE)
        await world.wait(1)
        await world.stop()
        await world.wait(60)
        await world.start()
        await world.wait(30)

    world = simulate(story)
    notices = [each.message.content.text for each in world.arrived if each.message.kind == "operator"]
    assert len(notices) == 2
    assert all("A page reached nobody" in text for text in notices)


def test_the_second_order_to_stop_does_not_wait() -> None:
    """The first waits for what is under way, up to 30 s; the second ends it now."""
    took: list[float] = []

    async def story(world: World) -> None:
        world.providers[Channel.SMS].takes = world.providers[Channel.EMAIL].takes = 300.0
        await world.start()
        world.folder.write("pay.yaml", FILE)
        await world.wait(5)
        start = world.clock.now()
        world.orders.stop.set()
        await world.wait(3)
        world.orders.stop_now.set()
        await world.ended()
        took.append((world.clock.now() - start).total_seconds())

    simulate(story)
    assert took == [3.0]


def test_a_stop_waits_half_a_minute_at_most() -> None:
    """A provider that hangs does not keep the daemon."""
    took: list[float] = []

    async def story(world: World) -> None:
        world.providers[Channel.SMS].takes = world.providers[Channel.EMAIL].takes = 300.0
        await world.start()
        world.folder.write("pay.yaml", FILE)
        await world.wait(5)
        start = world.clock.now()
        await world.stop()
        took.append((world.clock.now() - start).total_seconds())

    simulate(story)
    assert took == [30.0]


def test_the_service_manager_hears_of_a_stop_before_the_drain() -> None:
    """A drain of many seconds is a daemon that stops, not one that hangs."""
    said: list[list[str]] = []

    async def story(world: World) -> None:
        world.providers[Channel.SMS].takes = world.providers[Channel.EMAIL].takes = 10.0
        await world.start()
        world.folder.write("pay.yaml", FILE)
        await world.wait(5)
        world.orders.stop.set()
        await world.wait(1)
        said.append(list(world.manager.said))
        await world.ended()

    assert simulate(story).manager.said == said[0]
    assert said[0][-1] == "stopping"


def test_a_part_that_dies_takes_the_daemon_along() -> None:
    """No part dies unnoticed: the service manager starts everything again."""

    class Mortal:
        async def run(self) -> None:
            return

    async def story(world: World) -> None:
        world.further_parts = (Mortal(),)
        await world.start()
        with pytest.raises(ExceptionGroup):
            await world.ended()

    simulate(story)


def test_the_service_manager_hears_how_it_goes() -> None:
    """Ready names the folder; stopping at the end."""

    async def story(world: World) -> None:
        await world.start()
        await world.wait(1)
        await world.stop()

    said = simulate(story).manager.said
    assert said[0].startswith("ready: watching ")
    assert said[-1] == "stopping"


def test_ready_does_not_wait_for_the_folder() -> None:
    """Rule 62: it may hang for ever."""

    async def story(world: World) -> None:
        world.folder.hang()
        await world.start()
        await world.wait(0.1)

    assert simulate(story).manager.said[0].startswith("ready: ")


def test_what_is_open_goes_on_after_a_kill_though_no_file_changes() -> None:
    """Every incident of the ledger is looked at when the daemon starts: its ladder goes on."""

    async def story(world: World) -> None:
        await world.start()
        world.folder.write("pay.yaml", FILE)
        await world.wait(10)
        await world.kill()
        await world.start()
        await world.wait(400)

    assert [when for when, _ in seconds_of(simulate(story), "bo")] == [300, 300]


def test_a_finished_incident_that_reopens_after_a_restart_is_the_same_incident() -> None:
    """A new episode of it: pages say so, and its history is the whole one."""

    async def story(world: World) -> None:
        await world.start()
        world.folder.write("pay.yaml", FILE)
        await world.wait(60)
        world.folder.write("pay.yaml", FILE + "status: resolved\n")
        await world.wait(3600)
        await world.kill()
        facts = len(world.disk.facts["pay"])
        await world.start()
        await world.wait(60)
        assert len(world.disk.facts["pay"]) == facts, "its file says nothing new"
        world.folder.write("pay.yaml", FILE + "summary: Again.\n")
        await world.wait(60)

    world = simulate(story)
    episodes = [(each.message.episode, each.message.content.text.split()[1]) for each in world.pages("ana")]
    assert episodes == [(1, "declared")] * 2 + [(2, "reopened")] * 2
