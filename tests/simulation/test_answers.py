"""STOP, START and answers to everything, on virtual time: with pages in the queue, under way, and across kills."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from tocsin.domain.arrival import OptOut
from tocsin.domain.delivery import Deferred, Message, Outcome, Refused
from tocsin.domain.facts import ChannelRefused
from tocsin.domain.people import Channel
from tocsin.formats.settings.settings import RepliesBy

from tests.builders.active_config import polled
from tests.builders.policies import paging_policy
from tests.simulation.test_delivery import FILE, seconds_of
from tests.simulation.test_delivery import simulate as simulated
from tests.simulation.world import World

SMS = (Channel.SMS,)


def simulate(story: Any) -> World:
    """A story in a world where answers by SMS come in."""

    async def answered(world: World) -> None:
        world.settings = polled()
        await story(world)

    return simulated(answered)


def kinds(world: World, person: str) -> list[tuple[str, str]]:
    """What reached a person, in order, and how."""
    return [(each.message.kind, each.message.via.value) for each in world.arrived if each.message.person == person]


def test_stop_moves_a_page_within_two_seconds() -> None:
    """Rule 51: by email at once; operators hear within 5 s; nothing goes by SMS any more, the end neither."""

    async def story(world: World) -> None:
        world.policy = paging_policy(via=SMS)
        await world.start()
        world.folder.write("pay.yaml", FILE)
        await world.wait(30)
        world.says("ana", "STOP")
        await world.wait(10)
        world.folder.write("pay.yaml", FILE + "status: resolved\n")
        await world.wait(10)

    world = simulate(story)
    (_, first), (moved, then) = seconds_of(world, "ana")
    assert (first, then) == ("sms", "email")
    assert moved <= 32
    assert kinds(world, "ana") == [("page", "sms"), ("page", "email"), ("closing", "email")]
    told = [each for each in world.arrived if "Ana answered STOP" in each.message.content.subject]
    assert told
    assert told[0].at - world.arrived[0].at < timedelta(seconds=36)


@pytest.mark.parametrize("downtime", [0, 3, 100])
@pytest.mark.parametrize("after", [0.3, 1.05, 1.4, 3])
def test_stop_across_a_kill(downtime: int, after: float) -> None:
    """Killed before it is judged, while it is, and right after it: the page goes by email once, and nothing by SMS."""

    async def story(world: World) -> None:
        world.policy = paging_policy(via=SMS)
        await world.start()
        world.folder.write("pay.yaml", FILE)
        await world.wait(30)
        world.says("ana", "STOP")
        await world.wait(after)
        await world.kill()
        await world.wait(downtime)
        await world.start()
        await world.wait(10)
        world.folder.write("db.yaml", FILE)
        await world.wait(10)

    world = simulate(story)
    by_incident = [(each.message.incident, each.message.via.value) for each in world.pages("ana")]
    assert by_incident == [("pay", "sms"), ("pay", "email"), ("db", "email")]


def test_what_waits_for_the_provider_does_not_leave() -> None:
    """A page that was decided and not taken yet is settled as not wanted there, and goes by email once."""

    async def story(world: World) -> None:
        world.policy = paging_policy(via=SMS)
        world.faults.down = frozenset(SMS)
        await world.start()
        world.folder.write("pay.yaml", FILE)
        await world.wait(10)
        world.says("ana", "STOP")
        await world.wait(2)
        world.faults.down = frozenset()
        await world.wait(120)

    world = simulate(story)
    assert [via for _, via in seconds_of(world, "ana")] == ["email"]
    (state,) = [state for key, state in world.disk.states.items() if "/page/" in key and key.endswith("/ana/sms")]
    assert state == "opted_out"


def test_the_provider_says_that_a_number_said_stop() -> None:
    """Rule 51: 21610 counts as STOP: this page by email at once, later ones never by SMS, until START; the refusal does
    not outlive it in the open incident.
    """

    async def story(world: World) -> None:
        world.policy = paging_policy(via=SMS)
        provider: Any = world.providers[Channel.SMS]
        sends = provider.send

        async def refuses(message: Message) -> Outcome:
            stopped = message.person == "bo" and message.kind == "page"
            return Refused("Attempt to send to unsubscribed recipient", "21610") if stopped else await sends(message)

        provider.send = refuses
        await world.start()
        world.folder.write("pay.yaml", FILE)
        await world.wait(330)
        assert [via for _, via in seconds_of(world, "bo")] == ["email"]
        assert world.disk.opt_outs[Channel.SMS, "+14155550102"].ref.startswith("21610")
        provider.send = sends
        world.folder.write("db.yaml", FILE)
        await world.wait(330)
        world.says("bo", "START")
        await world.wait(2)
        world.folder.write("pay.yaml", FILE + "status: resolved\n")
        await world.wait(2)

    world = simulate(story)
    assert kinds(world, "bo")[:2] == [("page", "email"), ("page", "email")]
    assert sorted(kinds(world, "bo")[2:]) == [("closing", "email"), ("closing", "sms")]
    assert not [fact for facts in world.disk.facts.values() for fact in facts if isinstance(fact, ChannelRefused)]
    told = [
        each.message.content.text for each in world.arrived if each.message.content.subject.endswith("answered STOP")
    ]
    assert "which answered STOP, says the provider, and pages go by email" in told[0]


def test_nobody_left_is_passed_at_once_and_start_makes_it_good() -> None:
    """Whoever has only a phone and says STOP is waited for by nobody; once START came their pages go by SMS again."""

    async def story(world: World) -> None:
        policy = paging_policy(via=SMS)
        people = {**policy.people, "ana": replace(policy.people["ana"], email="")}
        world.policy = replace(policy, people=people)
        await world.start()
        world.folder.write("pay.yaml", FILE)
        await world.wait(30)
        world.says("ana", "STOP")
        await world.wait(10)
        assert seconds_of(world, "bo")[0][0] <= 33
        world.says("ana", "START")
        await world.wait(5)
        world.folder.write("db.yaml", FILE)
        await world.wait(70)

    world = simulate(story)
    assert [each.message.incident for each in world.pages("ana")] == ["pay", "db"]
    assert any("Ana takes SMS again" in each.message.content.subject for each in world.arrived)


def test_ok_all_in_a_storm() -> None:
    """Fifty incidents: one answer takes those whose pages had left, within seconds, and says what is still coming."""

    async def story(world: World) -> None:
        world.policy = paging_policy(via=SMS)
        await world.start()
        for number in range(50):
            world.folder.write(f"i{number}.yaml", FILE)
        await world.wait(600)
        world.says("ana", "ok all")
        await world.wait(5)

    world = simulate(story)
    (answer,) = world.answers_to("ana")
    assert answer.startswith("You accepted 50: 50 SEV1. Worst: SEV1 Card payments fail")
    assert {fact.person for _, fact in world.disk.answers} == {"ana"}
    assert len(world.disk.answers) == 50


def test_ok_all_takes_only_what_had_left() -> None:
    """Pages that no provider took stay asked, and are paged on."""

    async def story(world: World) -> None:
        world.policy = paging_policy(via=SMS)
        await world.start()
        world.folder.write("pay.yaml", FILE)
        await world.wait(30)
        provider: Any = world.providers[Channel.SMS]
        sends = provider.send

        async def busy(message: Message) -> Outcome:
            return Deferred("busy") if message.incident == "db" else await sends(message)

        provider.send = busy
        world.policy = paging_policy(via=SMS)
        world.folder.write("db.yaml", FILE)
        await world.wait(3)
        world.says("ana", "ok all")
        await world.wait(3)
        provider.send = sends
        await world.wait(60)

    world = simulate(story)
    (answer,) = world.answers_to("ana")
    assert answer.startswith("You accepted 1: SEV1 Card payments fail")
    assert "1 more, just sent or on its way, still asks you." in answer
    assert [incident for incident, _ in world.disk.answers] == ["pay"]
    assert "db" in [each.message.incident for each in world.pages("ana")]


def test_ok_all_while_a_bundle_waits() -> None:
    """Rule 47: the first pages leave alone and are answered; what waits for room stays asked, leaves as one message,
    and is answered by the next `ok all`.
    """

    async def story(world: World) -> None:
        world.policy = paging_policy(via=SMS)
        await world.start()
        for number in range(10):
            world.folder.write(f"i{number}.yaml", FILE)
        await world.wait(30)
        world.says("ana", "ok all")
        await world.wait(5)
        assert len(world.disk.answers) == 3
        await world.wait(150)
        world.says("ana", "ok all")
        await world.wait(5)

    world = simulate(story)
    first, second = world.answers_to("ana")
    assert first.startswith("You accepted 3: 3 SEV1. Worst: SEV1 Card payments fail")
    assert first.endswith("7 more, just sent or on their way, still ask you.")
    assert second.startswith("You accepted 7: 7 SEV1. Worst: SEV1 Card payments fail")
    assert len(world.disk.answers) == 10


def test_stop_while_a_bundle_waits() -> None:
    """What waits for room at a number that says STOP goes by email, each page once, and nothing by SMS."""

    async def story(world: World) -> None:
        world.policy = paging_policy(via=SMS)
        await world.start()
        for number in range(10):
            world.folder.write(f"i{number}.yaml", FILE)
        await world.wait(30)
        world.says("ana", "STOP")
        await world.wait(240)

    world = simulate(story)
    texts = [each for each in world.pages("ana") if each.message.via is Channel.SMS]
    assert len(texts) == 3
    letters = world.disk.letters.values()
    mailed = [letter.notification for letter in letters if letter.notification.key.endswith("/ana/email")]
    pages = [page for page in mailed if page.kind == "page"]
    assert sorted(page.incident for page in pages) == sorted(f"i{number}" for number in range(10))
    tried = {key for key, tries in world.disk.attempts.items() if tries}
    assert {page.key for page in pages} <= tried
    waited = [state for key, state in world.disk.states.items() if "/page/" in key and key.endswith("/ana/sms")]
    assert sorted(waited) == ["accepted"] * 3 + ["opted_out"] * 7


def test_where_no_start_could_come_in() -> None:
    """Without answers by SMS 21610 is a refusal of this episode, and a STOP of before is not heeded: the provider knows."""

    async def story(world: World) -> None:
        world.policy = paging_policy(via=SMS)
        world.disk.opt_outs[Channel.SMS, "+14155550101"] = OptOut(Channel.SMS, "+14155550101", world.began_at, "SM0")
        provider: Any = world.providers[Channel.SMS]
        sends = provider.send

        async def refuses(message: Message) -> Outcome:
            stopped = message.person == "chen" and message.kind == "page"
            return Refused("Attempt to send to unsubscribed recipient", "21610") if stopped else await sends(message)

        provider.send = refuses
        await world.start()
        world.folder.write("pay.yaml", FILE)
        await world.wait(30)

    world = simulated(story)
    assert kinds(world, "ana") == [("page", "sms")]
    assert [via for _, via in seconds_of(world, "chen")] == ["email"]
    assert list(world.disk.opt_outs) == [(Channel.SMS, "+14155550101")]
    refused = [fact for facts in world.disk.facts.values() for fact in facts if isinstance(fact, ChannelRefused)]
    assert [fact.reader for fact in refused] == ["chen"]


@pytest.mark.parametrize("said", ["ok", "pass", "status"])
def test_a_page_from_when_no_answers_were_taken(said: str) -> None:
    """Its SMS names no code; once answers are taken a bare word is about it, as the only one that is theirs. Never are
    they told that nothing is open, neither before a restart nor after one.
    """

    async def story(world: World) -> None:
        world.settings = polled().model_copy(
            update={"replies": polled().replies.model_copy(update={"by": RepliesBy.OFF})}
        )
        world.policy = paging_policy(via=SMS)
        await world.start()
        world.folder.write("pay.yaml", FILE)
        await world.wait(20)
        await world.kill()
        world.settings = polled()
        await world.start()
        world.says("ana", said)
        await world.wait(30)
        world.says("ana", "status")
        await world.wait(30)

    world = simulated(story)
    first, then = world.answers_to("ana")
    about = {"ok": "You are technical_lead of ", "pass": "Noted: you pass on technical_lead of ", "status": "SEV1 "}
    assert first.startswith(about[said])
    assert then.startswith("SEV1 ")
    assert ("technical_lead: Ana" in then) == (said == "ok")
    assert bool(world.pages("bo")) == (said == "pass")
