"""Answers by link on the whole way: from the inbox to the plan, also when nobody was there to read them (rule 62)."""

from collections import Counter
from datetime import timedelta
from typing import Any

import pytest
from tocsin.app.reply_options import signed_links
from tocsin.domain.arrival import AnswerEntry
from tocsin.domain.facts import Answer

from tests.builders.active_config import settings
from tests.builders.policies import paging_policy
from tests.simulation.test_delivery import FILE, simulate
from tests.simulation.world import World

KEY = "a key of more than sixteen"
AWAY = timedelta(minutes=10)


def linked(story: Any) -> World:
    """A story in a world with signed links."""

    async def told(world: World) -> None:
        world.policy = paging_policy()
        world.settings = settings(web={"signing_key": [KEY]}, public_url="https://tocsin.example.com")
        await story(world)

    return simulate(told)


def press(world: World, person: str, answer: Answer = Answer.OK, episode: int = 1, *, short: bool = True) -> None:
    """Somebody presses the button of their link."""
    long = signed_links.answer([KEY], "pay", person, episode).rpartition("/")[2]
    signature = signed_links.token(KEY, "pay", episode, person) if short else long
    ref = f"press{world.clock.now():%H%M%S%f}{person}"
    world.inbox.put(AnswerEntry(ref, "pay", episode, person, answer, signature), world.clock.now())


def test_flips_by_link_wake_others_three_times_only() -> None:
    """S2, whatever way they come: `ok` and `pass` in turn by one link that was passed on. Operators hear, the incident
    asks on, and an `ok` that stands counts.
    """

    async def story(world: World) -> None:
        await world.start()
        world.folder.write("pay.yaml", FILE)
        await world.wait(30)
        for number in range(40):
            press(world, "ana", Answer.PASS if number % 2 else Answer.OK)
            await world.wait(1.6)
        await world.wait(20)
        press(world, "ana")
        await world.wait(90)
        assert world.daemon.incidents.history("pay").holder("technical_lead") == "ana"

    world = linked(story)
    woken = Counter(a.message.person for a in world.arrived if a.message.kind in {"page", "stand_down"})
    assert all(woken[person] <= 10 for person in woken if person != "ana"), woken
    told = [a for a in world.arrived if "handed back 3 times" in a.message.content.text]
    assert {a.message.person for a in told} <= {"olga"}
    assert told


@pytest.mark.parametrize("short", [True, False])
def test_a_press_ends_the_paging(short: bool) -> None:
    """The next level is not asked; a pass of the holder asks it at once. By a short link as by a long one, of messages
    from before.
    """

    async def story(world: World) -> None:
        await world.start()
        world.folder.write("pay.yaml", FILE)
        await world.wait(30)
        assert {(link.incident, link.person) for link in world.disk.links.values() if link.person} == {
            ("pay", "ana"),
            ("pay", "chen"),
        }
        press(world, "ana", short=short)
        await world.wait(900)
        assert not world.pages("bo")
        press(world, "ana", Answer.PASS)
        await world.wait(20)
        assert world.pages("bo")

    linked(story)


@pytest.mark.parametrize("kill", [True, False])
def test_a_press_while_nobody_reads_it(kill: bool) -> None:
    """It counts at the start, before a step that was due meanwhile, whether the daemon was stopped or killed."""

    async def story(world: World) -> None:
        await world.start()
        world.folder.write("pay.yaml", FILE)
        await world.wait(30)
        await (world.kill() if kill else world.stop())
        press(world, "ana")
        await world.wait(AWAY.total_seconds())
        await world.start()
        await world.wait(900)
        assert not world.pages("bo")
        assert world.inbox.files == {}

    linked(story)


def test_a_press_while_the_ledgers_disk_is_full() -> None:
    """It lies there until it can be written down, and counts then."""

    async def story(world: World) -> None:
        await world.start()
        world.folder.write("pay.yaml", FILE)
        await world.wait(30)
        world.disk.full = True
        press(world, "ana")
        await world.wait(60)
        assert len(world.inbox.files) == 1
        world.disk.full = False
        await world.wait(900)
        assert not world.pages("bo")
        assert world.inbox.files == {}

    linked(story)


def test_a_press_for_an_earlier_episode() -> None:
    """W6: reopened, a link of before takes nothing, and a new one does."""

    async def story(world: World) -> None:
        await world.start()
        for status in ("investigating", "resolved", "investigating"):
            world.folder.write("pay.yaml", f"{FILE}status: {status}\n")
            await world.wait(30)
        press(world, "ana")
        await world.wait(20)
        assert not [fact for fact in world.disk.facts["pay"] if type(fact).__name__ == "Answered"]
        press(world, "ana", episode=2)
        await world.wait(20)
        assert [fact.person for fact in world.disk.facts["pay"] if type(fact).__name__ == "Answered"] == ["ana"]
        assert [result for _, result in world.disk.arrivals] == ["refused", "acted"]

    linked(story)
