"""Storms on virtual time (rules 45 to 48): many incidents at once, kills in the midst of them, providers that refuse."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from tocsin.domain.delivery import Accepted, Refused
from tocsin.domain.notification import Kind
from tocsin.domain.people import Channel
from tocsin.domain.policy import Policy
from tocsin.formats.settings.limits import AddressLimits, EmailLimits, SmsLimits
from tocsin.planning.history.fold import fold_facts

from tests.builders.policies import paging_policy
from tests.simulation.seeds import seeds
from tests.simulation.test_delivery import simulate
from tests.simulation.world import Arrival, Faults, World

SMS, EMAIL = Channel.SMS, Channel.EMAIL
MINUTE = timedelta(minutes=1)


def graded(via: tuple[Channel, ...] = (SMS,), within: timedelta = timedelta(hours=1)) -> Policy:
    """Ana and chen are paged for each of three severities, and nobody else for an hour."""
    policy = paging_policy(via)
    worst = policy.severities["sev1"]
    assert worst.page is not None
    page = replace(worst.page, acknowledge_within=within)
    names = ("sev1", "sev2", "sev3")
    severities = {name: replace(worst, name=name, page=page, updates=()) for name in names}
    return replace(policy, severities=severities)


def file(number: int, severity: str = "sev3", more: str = "") -> str:
    """An incident's file."""
    return f"title: Thing {number} breaks\nseverity: {severity}\n{more}"


def declare(world: World, numbers: Iterable[int], severity: str = "sev3", more: str = "") -> None:
    """So many incidents at one instant."""
    for number in numbers:
        world.folder.write(f"i{number:04}.yaml", file(number, severity, more))


def told(arrivals: Iterable[Arrival]) -> Counter[str]:
    """How often each incident was told of."""
    return Counter(name for each in arrivals for name in each.message.incidents or (each.message.incident,))


def within(arrivals: Iterable[Arrival], span: timedelta) -> int:
    """The most messages that came in any such span."""
    times: list[datetime] = [each.at for each in arrivals]
    return max(sum(at <= other < at + span for other in times) for at in times)


def attempts(world: World, person: str = "ana", via: Channel = SMS) -> list[Any]:
    """What the ledger has of tries to page somebody."""
    return [
        attempt
        for key, tries in world.disk.attempts.items()
        for attempt in tries
        if attempt.via is via and world.disk.letters[key].notification.to == person
    ]


def test_fifty_incidents_are_four_messages_in_three_minutes() -> None:
    """Rules 45 and 47: three at once and alone, the other forty-seven in one message two minutes later; none is lost, and
    each page's row has its attempt with the provider's one name for the message.
    """

    async def story(world: World) -> None:
        world.policy = graded()
        await world.start()
        declare(world, range(50))
        await world.wait(310)

    world = simulate(story)
    ana = world.pages("ana")
    start = ana[0].at
    assert [round((each.at - start) / MINUTE) for each in ana] == [0, 0, 0, 2]
    assert told(ana) == dict.fromkeys((f"i{number:04}" for number in range(50)), 1)
    assert [len(each.message.incidents) for each in ana] == [0, 0, 0, 47]
    assert ana[3].message.content.text.startswith("47 pages")
    rows = attempts(world)
    assert len(rows) == 50
    bundled = [row for row in rows if row.bundle]
    assert len(bundled) == 47
    assert len({(row.bundle, row.outcome) for row in bundled}) == 1
    assert isinstance(bundled[0].outcome, Accepted)
    assert world.disk.bundles[bundled[0].bundle].content == ana[3].message.content
    assert {world.disk.states[row.reference] for row in rows} == {"accepted"}


def test_a_thousand_incidents_flood_nobody() -> None:
    """Rules 45 to 47: at most 4 SMS in 3 minutes and 10 in any 10, and everybody hears of all of them. By email the
    first ten come alone.
    """

    async def story(world: World) -> None:
        world.policy = graded((SMS, EMAIL))
        await world.start()
        for second in range(60):
            declare(world, range(second * 16, second * 16 + 16), ("sev3", "sev2")[second % 2])
            await world.wait(1)
        await world.wait(15 * 60)

    world = simulate(story)
    for person in ("ana", "chen"):
        by_sms = [each for each in world.pages(person) if each.message.via is SMS]
        by_email = [each for each in world.pages(person) if each.message.via is EMAIL]
        assert len(told(by_sms)) == len(told(by_email)) == 960
        assert set(told(by_sms).values()) == set(told(by_email).values()) == {1}
        assert sum(each.at < by_sms[0].at + 3 * MINUTE for each in by_sms) <= 5
        assert within(by_sms, 10 * MINUTE) <= 10
        assert within(by_email, MINUTE) <= 12


def test_a_worse_page_is_out_at_once_in_the_midst_of_it() -> None:
    """Rule 46: a SEV1 goes at once and alone while fifty milder ones wait, twice in ten minutes; the third one waits."""

    async def story(world: World) -> None:
        world.policy = graded()
        await world.start()
        declare(world, range(50))
        await world.wait(20)
        declare(world, [100], "sev2")
        await world.wait(20)
        declare(world, [101, 102], "sev1")
        await world.wait(30)

    world = simulate(story)
    first = world.pages("ana")[0].at
    times = {name: each.at - first for each in world.pages("ana")[3:] for name in [each.message.incident]}
    assert times.keys() == {"i0100", "i0101"} or times.keys() == {"i0100", "i0102"}
    assert all(took < timedelta(seconds=42) for took in times.values())


def test_a_page_that_becomes_worse_waits_no_longer() -> None:
    """Rule 46: the severity of an incident whose page waits is raised; the page leaves within seconds."""

    async def story(world: World) -> None:
        world.policy = graded()
        await world.start()
        declare(world, range(10))
        await world.wait(20)
        declare(world, [9], "sev1")
        await world.wait(10)

    world = simulate(story)
    alone = [each.message.incident for each in world.pages("ana")]
    assert len(alone) == 4
    assert alone.count("i0009") == 1


@pytest.mark.parametrize("killed", [False, True])
def test_a_page_that_became_worse_says_so(killed: bool) -> None:
    """Rule 46: it leaves alone in words that are true by now, which are what its row was sent as and is looked up by; a
    kill in the midst of it takes it up as the same message, and it is no storm's (rules 40, 45).
    """

    async def story(world: World) -> None:
        world.policy = graded()
        await world.start()
        declare(world, range(10))
        await world.wait(20)
        declare(world, [9], "sev1")
        while killed and not world.disk.bundles:
            await world.wait(0.001)
        if killed:
            await world.kill()
            await world.start()
        await world.wait(60)

    world = simulate(story)
    [raised] = [each.message for each in world.pages("ana") if each.message.incident == "i0009"]
    assert raised.content.text.startswith("made anew: sev1 Thing 9 breaks")
    assert raised.incidents == ()
    rows = [row for row in attempts(world) if world.disk.letters[row.reference].notification.incident == "i0009"]
    assert {row.bundle for row in rows} == {raised.reference}
    row = rows[-1]
    assert isinstance(row.outcome, Accepted)
    assert world.disk.bundles[row.bundle].content == raised.content


@pytest.mark.parametrize(
    ("fault", "says"),
    [(Faults(down=frozenset({EMAIL})), "made anew: sev3 DRILL Thing 1"), (Faults(lost=1.0), "page declared Thing 1")],
)
def test_a_page_that_was_tried_says_what_is_true_at_the_next_try(fault: Faults, says: str) -> None:
    """Rule 28: while its provider turns a page down its incident becomes a drill. One that may have left stays the same
    message (rule 40).
    """

    async def story(world: World) -> None:
        world.policy = graded((EMAIL,))
        await world.start()
        world.providers[EMAIL].faults = fault
        declare(world, [1])
        await world.wait(15)
        declare(world, [1], more="drill: true\n")
        await world.wait(10)
        world.providers[EMAIL].faults = Faults()
        await world.wait(90)

    world = simulate(story)
    told = [each.message for each in world.pages("ana") if each.message.via is EMAIL]
    assert told[-1].content.text.startswith(says)
    assert len({message.reference for message in told}) == 1


def test_a_page_in_words_of_its_own_that_may_have_left_stays_the_same() -> None:
    """Rule 40: a mail that was made anew since it had become a drill, and that the provider did not confirm, is sent
    again as the same message, though its severity changed once more.
    """

    async def story(world: World) -> None:
        world.policy = graded((EMAIL,))
        await world.start()
        world.providers[EMAIL].faults = Faults(down=frozenset({EMAIL}))
        declare(world, [1])
        await world.wait(15)
        declare(world, [1], more="drill: true\n")
        await world.wait(1)
        world.providers[EMAIL].faults = Faults(unheard=1.0)
        while not world.pages("ana"):
            await world.wait(0.5)
        declare(world, [1], "sev2", more="drill: true\n")
        await world.wait(1)
        world.providers[EMAIL].faults = Faults()
        await world.wait(90)

    told = [each.message for each in simulate(story).pages("ana") if each.message.via is EMAIL]
    assert len(told) > 1
    assert {message.content.text for message in told} == {told[0].content.text}
    assert told[0].content.text.startswith("made anew: sev3 DRILL")
    assert len({message.reference for message in told}) == 1


def test_words_of_its_own_that_never_left_are_made_anew() -> None:
    """Rules 40 and 46: what may have left is the bundle of before; words that its provider only put off follow the
    severity.
    """

    async def story(world: World) -> None:
        world.policy = graded((EMAIL,))
        limits = AddressLimits(email=EmailLimits(burst=1, every=timedelta(seconds=30)))
        world.settings = world.settings.model_copy(update={"limits": limits})
        await world.start()
        declare(world, [9])
        await world.wait(3)
        declare(world, [1, 2])
        await world.wait(5)
        world.providers[EMAIL].faults = Faults(unheard=1.0)
        while not any(each.message.incidents for each in world.pages("ana")):
            await world.wait(0.5)
        declare(world, [2], more="status: resolved\n")
        declare(world, [1], "sev2")
        await world.wait(1)
        world.providers[EMAIL].faults = Faults(down=frozenset({EMAIL}))
        await world.wait(45)
        declare(world, [1], "sev1")
        await world.wait(1)
        world.providers[EMAIL].faults = Faults()
        await world.wait(120)

    told = [each.message for each in simulate(story).pages("ana") if each.message.incident == "i0001"]
    assert told[-1].content.text.startswith("made anew: sev1 Thing 1")


def test_what_became_a_drill_leaves_with_no_real_page() -> None:
    """Corner of 47: pages that wait when their incident becomes a drill leave with their like, and take no real room."""

    async def story(world: World) -> None:
        world.policy = graded()
        await world.start()
        declare(world, range(12))
        await world.wait(20)
        left = {each.message.incident for each in world.pages("ana")}
        waiting = [number for number in range(12) if f"i{number:04}" not in left]
        declare(world, waiting[:4], more="drill: true\n")
        await world.wait(240)

    world = simulate(story)
    [*_, first, second] = [each.message for each in world.pages("ana") if each.message.incidents]
    drills = {incident for incident, facts in world.disk.facts.items() if fold_facts(facts).drill_since}
    assert len(drills) == 4
    assert {set(first.incidents) <= drills, set(second.incidents) <= drills} == {True, False}
    assert len(first.incidents) + len(second.incidents) == 9
    assert not set(first.incidents) & set(second.incidents)


def test_what_was_answered_meanwhile_is_not_in_the_bundle() -> None:
    """Rule 47: only what is still wanted then leaves; one that waits alone leaves as itself, nothing takes no room."""

    async def story(world: World) -> None:
        world.policy = graded()
        await world.start()
        declare(world, range(6))
        await world.wait(30)
        known = {each.message.incident for each in world.pages("ana")}
        waiting = [number for number in range(6) if f"i{number:04}" not in known]
        declare(world, waiting[:2], more="status: resolved\n")
        await world.wait(120)

    world = simulate(story)
    last = world.pages("ana")[-1].message
    assert len(world.pages("ana")) == 4
    assert last.incidents == ()
    assert "2 pages" not in last.content.text
    unheard = {key for key in world.disk.states if world.disk.states[key] == "unwanted"}
    assert {world.disk.letters[key].notification.kind for key in unheard} == {Kind.PAGE}
    ended = {incident for incident, facts in world.disk.facts.items() if fold_facts(facts).resolved_at is not None}
    assert len(ended) == 2
    assert {world.disk.letters[key].notification.incident for key in unheard} == ended
    assert not [each for each in world.arrived if each.message.kind == Kind.CLOSING and each.message.person == "ana"]


def test_the_storm_of_one_holds_up_nobody_else() -> None:
    """Rule 45: each address has its own room; the next in the chain is paged alone and at once."""

    async def story(world: World) -> None:
        world.policy = graded(within=5 * MINUTE)
        await world.start()
        declare(world, range(2))
        await world.wait(4 * 60 + 50)
        declare(world, range(10, 13))
        await world.wait(20)

    world = simulate(story)
    assert told(world.pages("bo")) == {"i0000": 1, "i0001": 1}


def test_a_refusal_of_the_bundle_holds_for_all() -> None:
    """Rule 47: each incident hears that the number is refused, and goes by email; nothing is tried there again."""

    async def story(world: World) -> None:
        world.policy = graded()
        await world.start()
        declare(world, range(10))
        await world.wait(60)
        world.faults.refuses = frozenset({"+14155550101"})
        await world.wait(90)

    world = simulate(story)
    refused = [row for row in attempts(world) if isinstance(row.outcome, Refused)]
    assert len(refused) == 7
    assert len({row.bundle for row in refused}) == 1
    by_email = [each for each in world.pages("ana") if each.message.via is EMAIL]
    assert set(told(by_email)) == {world.disk.letters[row.reference].notification.incident for row in refused}


def test_a_kill_while_pages_wait_loses_nothing_and_doubles_nothing() -> None:
    """Rule 45 after a start: what waits waits on, and room is reckoned from what was sent before."""

    async def story(world: World) -> None:
        world.policy = graded()
        await world.start()
        declare(world, range(30))
        await world.wait(30)
        await world.kill()
        await world.start()
        await world.wait(70)
        assert len(world.pages("ana")) == 3, "the room was used up by the process before"
        await world.wait(60)

    world = simulate(story)
    assert set(told(world.pages("ana")).values()) == {1}
    assert len(told(world.pages("ana"))) == 30
    assert len(world.pages("ana")) == 4


def test_what_waited_leaves_as_one_after_a_start() -> None:
    """Rule 47: room has come while nobody ran, for two messages; all that had waited leaves as one, which takes one."""

    async def story(world: World) -> None:
        world.policy = graded()
        await world.start()
        declare(world, range(30))
        await world.wait(30)
        await world.kill()
        await world.wait(4 * 60)
        await world.start()
        await world.wait(10)
        declare(world, [100])
        await world.wait(10)

    world = simulate(story)
    assert [len(told([each])) for each in world.pages("ana")] == [1, 1, 1, 27, 1]
    assert set(told(world.pages("ana")).values()) == {1}


def test_what_had_room_leaves_alone_after_a_start() -> None:
    """Rule 45: pages that were decided in the last moment before a kill have waited for nothing."""

    async def story(world: World) -> None:
        world.policy = graded()
        await world.start()
        await world.wait(1)
        declare(world, range(2))
        while len(world.disk.letters) < 4:
            await world.wait(0.0005)
        tried = {row.reference for row in attempts(world)}
        await world.kill()
        assert len(tried) < 2
        await world.start()
        await world.wait(60)

    world = simulate(story)
    alone = [each.message for each in world.pages("ana")]
    assert sorted(told(world.pages("ana"))) == ["i0000", "i0001"]
    assert not [message for message in alone if message.incidents]


def test_a_kill_in_the_midst_of_a_bundle_takes_it_up_as_the_same() -> None:
    """Rules 40 and 47: what may have left is looked up by the words that it was sent with, and is not sent again."""

    async def story(world: World) -> None:
        world.policy = graded()
        await world.start()
        declare(world, range(30))
        await world.wait(119)
        while not world.disk.bundles:
            await world.wait(0.005)
        while not any(each.message.incidents and each.message.person == "ana" for each in world.arrived):
            await world.wait(0.005)
        await world.kill()
        await world.start()
        await world.wait(240)

    world = simulate(story)
    ana = world.pages("ana")
    assert set(told(ana).values()) == {1}
    assert len(told(ana)) == 30
    bundled = [row for row in attempts(world) if row.bundle]
    assert len({row.bundle for row in bundled}) == 1
    assert {type(row.outcome) for row in bundled} == {Accepted}


def test_a_bundle_of_unknown_fate_goes_again_marked_and_without_what_was_answered() -> None:
    """Rules 40 and 47: the second copy bears its cause on each row, and those answered meanwhile have dropped out."""

    async def story(world: World) -> None:
        world.policy = graded()
        await world.start()
        declare(world, range(10))
        await world.wait(60)
        world.faults.lost = 1.0
        await world.wait(62)
        waiting = {world.disk.letters[row.reference].notification.incident for row in attempts(world) if row.bundle}
        numbers = sorted(int(name[1:]) for name in waiting)
        declare(world, numbers[:3], more="acknowledged: [ana, chen]\n")
        world.faults.lost = 0.0
        await world.wait(60)

    world = simulate(story)
    last = [each for each in world.pages("ana") if each.message.incidents][-1].message
    assert len(last.incidents) == 4
    again = [row for row in attempts(world) if row.bundle and row.number == 2]
    assert len(again) == 4
    assert {row.possible_duplicate for row in again} == {"the connection broke"}
    assert len({row.bundle for row in attempts(world) if row.bundle}) == 2


def test_a_newer_page_of_an_incident_that_waits_is_one_line_with_it() -> None:
    """Corner of 47: two pages of one incident that wait together are told once; both rows have their attempt."""

    async def story(world: World) -> None:
        world.policy = graded(within=MINUTE)
        policy = world.policy
        chain = replace(policy.roles["technical_lead"], chain=policy.roles["technical_lead"].chain[:1] * 2)
        world.policy = replace(policy, roles={"technical_lead": chain})
        await world.start()
        declare(world, range(6))
        await world.wait(125)

    world = simulate(story)
    bundles = [each.message for each in world.pages("ana") if each.message.incidents]
    assert [len(message.incidents) for message in bundles] == [6]
    assert bundles[0].content.text.startswith("6 pages")
    rows = [row for row in attempts(world) if row.bundle]
    assert Counter(world.disk.letters[row.reference].notification.incident for row in rows).total() == 9


def test_nobody_waits_behind_what_was_answered() -> None:
    """Rule 45: a later page of an incident whose first one went alone goes at once, if all that waits there is over."""

    async def story(world: World) -> None:
        world.policy = graded(within=MINUTE)
        policy = world.policy
        chain = replace(policy.roles["technical_lead"], chain=policy.roles["technical_lead"].chain[:1] * 2)
        world.policy = replace(policy, roles={"technical_lead": chain})
        await world.start()
        declare(world, range(4))
        await world.wait(30)
        (waits,) = {f"i{number:04}" for number in range(4)} - {page.message.incident for page in world.pages("ana")}
        declare(world, [int(waits[1:])], more="status: resolved\n")
        await world.wait(40)

    world = simulate(story)
    assert len(world.pages("ana")) == 6
    assert not [page for page in world.pages("ana") if page.message.incidents]


def test_drills_and_real_pages_share_nothing() -> None:
    """Corner of 47: a drill of twenty incidents takes no room from the real ones, nor a place in their message."""

    async def story(world: World) -> None:
        world.policy = graded()
        await world.start()
        declare(world, range(20), more="drill: true\n")
        await world.wait(30)
        declare(world, range(100, 120))
        await world.wait(180)

    world = simulate(story)
    bundles = [each.message.incidents for each in world.pages("ana") if each.message.incidents]
    assert sorted(len(names) for names in bundles) == [17, 17]
    assert all(len({int(name[1:]) < 100 for name in names}) == 1 for names in bundles)
    assert len(world.pages("ana")) == 8


def test_pages_from_memory_keep_to_the_room_and_are_written_down() -> None:
    """Rules 44 and 45: while the ledger cannot be written pages leave in the same way, and are recorded when it can."""

    async def story(world: World) -> None:
        world.policy = graded()
        await world.start()
        world.disk.full = True
        declare(world, range(20))
        await world.wait(150)
        assert len(world.pages("ana")) == 4
        world.disk.full = False
        await world.wait(200)

    world = simulate(story)
    assert set(told(world.pages("ana")).values()) == {1}
    rows = attempts(world)
    assert len(rows) == 20
    assert {row.possible_duplicate for row in rows} == {"the ledger could not be written"}
    assert len({row.bundle for row in rows if row.bundle}) == 1


def test_the_end_is_told_once_to_whoever_had_a_bundle() -> None:
    """Rules 25 and 47: each page of a bundle counts as reached, and each incident's end is told."""

    async def story(world: World) -> None:
        world.policy = graded()
        await world.start()
        declare(world, range(8))
        await world.wait(130)
        declare(world, range(8), more="status: resolved\n")
        await world.wait(30)

    world = simulate(story)
    ends = [each.message.incident for each in world.arrived if each.message.kind == Kind.CLOSING]
    assert Counter(ends) == dict.fromkeys((f"i{number:04}" for number in range(8)), 2)


def test_waiting_for_room_brings_no_other_channel_and_no_alarm() -> None:
    """Corner of 45: a page that waits has failed nowhere: no next channel, no notice, the heartbeat goes on."""

    async def story(world: World) -> None:
        world.policy = graded()
        await world.start()
        declare(world, range(50))
        await world.wait(118)
        assert world.daemon.sender.undelivered_since() is None

    world = simulate(story)
    assert {each.message.via for each in world.pages()} == {SMS}
    assert not [each for each in world.arrived if each.message.kind == "operator"]


def test_what_waits_for_an_address_that_is_gone_goes_elsewhere() -> None:
    """Rules 8 and 45: the number leaves the config while pages wait for it: they go by email within seconds; a number
    that is corrected has room of its own.
    """

    async def story(world: World) -> None:
        world.policy = graded()
        await world.start()
        declare(world, range(12))
        await world.wait(30)
        config, people = world.daemon.config, world.policy.people
        changed = {
            **people,
            "ana": replace(people["ana"], phone=""),
            "chen": replace(people["chen"], phone="+14155550188"),
        }
        config.replace(replace(world.policy, people=changed), world.settings)
        await world.wait(15)

    world = simulate(story)
    by_email = [each for each in world.pages("ana") if each.message.via is EMAIL]
    by_sms = [each for each in world.pages("ana") if each.message.via is SMS]
    assert set(told(by_email)) | set(told(by_sms)) == {f"i{number:04}" for number in range(12)}
    moved = [each.message for each in world.pages("chen") if each.message.address == "+14155550188"]
    assert [len(message.incidents) for message in moved] == [9]


def test_receipts_of_a_bundle_hold_for_all_by_whatever_way_they_come() -> None:
    """Rule 47: what the provider says of the message is written down for each page; none that arrived goes elsewhere."""

    async def story(world: World) -> None:
        world.policy = graded()
        world.tell_by_webhook()
        await world.start()
        declare(world, range(30))
        await world.wait(400)

    world = simulate(story)
    bundled = [row for row in attempts(world) if row.bundle]
    assert len(bundled) == 27
    assert len({row.receipt for row in bundled}) == 1
    assert {each.message.via for each in world.pages()} == {SMS}


def test_a_bundle_that_was_not_delivered_goes_elsewhere_for_each() -> None:
    """Rules 34 and 47: undelivered is said of one message, and each of its incidents goes by its next channel."""

    async def story(world: World) -> None:
        world.policy = graded()
        world.ask_for_receipts()
        await world.start()
        declare(world, range(10))
        await world.wait(100)
        world.faults.undelivered = 1.0
        await world.wait(60)

    world = simulate(story)
    late = {world.disk.letters[row.reference].notification.incident for row in attempts(world) if row.bundle}
    assert len(late) == 7
    assert set(told(each for each in world.pages("ana") if each.message.via is EMAIL)) == late


def test_new_limits_count_at_once() -> None:
    """Rule 45: a reload that gives more room lets go what waits."""

    async def story(world: World) -> None:
        world.policy = graded()
        await world.start()
        declare(world, range(10))
        await world.wait(20)
        world.without_limits()
        world.daemon.config.replace(world.policy, world.settings)
        await world.wait(10)

    world = simulate(story)
    assert len(told(world.pages("ana"))) == 10


@pytest.mark.parametrize(("before", "after", "left_by"), [(20, 3, 13), (3, 20, 22)])
def test_new_spans_count_from_what_was_sent_before(before: int, after: int, left_by: int) -> None:
    """Rule 45: a reload while pages wait: by a shorter `every` they leave at the next look, not after `burst` of the old
    ones; by a longer one not before it is over.
    """

    def limit(world: World, every: int) -> None:
        limits = AddressLimits(sms=SmsLimits(burst=3, every=timedelta(seconds=every)))
        world.settings = world.settings.model_copy(update={"limits": limits})

    async def story(world: World) -> None:
        world.policy = graded()
        limit(world, before)
        await world.start()
        declare(world, range(10))
        await world.wait(2 if after > before else 6)
        limit(world, after)
        world.daemon.config.replace(world.policy, world.settings)
        await world.wait(60)

    world = simulate(story)
    times = [(arrival.at - world.pages("ana")[0].at).total_seconds() for arrival in world.pages("ana")]
    assert len(times) == 4
    assert left_by - 8 < times[3] < left_by


def copies(world: World) -> list[tuple[str, int, int]]:
    """Of each page how often it truly arrived, and how many of its tries say why they may be a second copy."""
    arrived = Counter(each.message.reference for each in world.pages())
    counted = []
    for key, tries in world.disk.attempts.items():
        if world.disk.letters[key].notification.kind is Kind.PAGE:
            ways = {key, *(attempt.bundle for attempt in tries if attempt.bundle)}
            marked = sum(bool(attempt.possible_duplicate) for attempt in tries)
            counted.append((key, sum(arrived[way] for way in ways), marked))
    return counted


@pytest.mark.parametrize("ends", ["kill", "stop"])
def test_what_left_from_memory_is_noted_once_the_disk_has_room(ends: str) -> None:
    """P3, rule 44: a page by SMS waits minutes for its receipt; the ledger hears within seconds that it left, so that
    the next process sends no copy that is not marked.
    """

    async def story(world: World) -> None:
        world.policy = graded((SMS,))
        await world.start()
        world.disk.full = True
        declare(world, [1])
        await world.wait(10)
        assert len(world.pages("ana")) == 1
        world.disk.full = False
        await world.wait(5)
        await getattr(world, ends)()
        await world.start()
        await world.wait(300)

    for key, arrived, marked in copies(simulate(story)):
        assert arrived <= 1 + marked, (key, arrived, marked)


@pytest.mark.parametrize("seed", seeds(16, 3))
def test_whatever_happens_in_a_storm(seed: int) -> None:
    """Forty incidents in ten minutes, kills, outages and lost answers all along: every page comes to an end, everybody
    heard of every incident, and no copy came that no try is marked for.
    """

    async def story(world: World) -> None:
        world.policy, dice = graded((SMS, EMAIL)), world.dice
        limits = AddressLimits(sms=SmsLimits(burst=2, every=timedelta(seconds=30)), email=EmailLimits(burst=3))
        world.settings = world.settings.model_copy(update={"limits": limits})
        if dice.random() < 0.5:
            world.tell_by_webhook()
        faults = world.faults
        faults.deferred, faults.lost, faults.unheard = (dice.choice([0, 0.1, 0.3]) for _ in range(3))
        await world.start()
        for batch in range(10):
            declare(world, range(batch * 4, batch * 4 + 4), dice.choice(["sev1", "sev2", "sev3"]))
            await world.wait(dice.choice([0.01, 0.5, 20, 60]))
            if dice.random() < 0.5:
                await world.kill()
                await world.wait(dice.choice([0.01, 1, 20]))
                await world.start()
            elif dice.random() < 0.3:
                faults.down = frozenset({dice.choice([SMS, EMAIL])})
                await world.wait(dice.uniform(10, 60))
                faults.down = frozenset()
        faults.deferred = faults.lost = faults.unheard = 0
        await world.wait(20 * 60)

    world = simulate(story, seed=seed)
    assert set(world.disk.states) == set(world.disk.letters)
    for person in ("ana", "chen"):
        assert set(told(world.pages(person))) == {f"i{number:04}" for number in range(40)}
    for key, arrived, marked in copies(world):
        assert arrived <= 1 + marked, key


def test_a_person_waits_behind_no_alert_of_the_same_severity() -> None:
    """Rule 46: in the midst of fifty incidents of the worst severity that alerts declared, the page of one that a person
    declares goes at once and alone; the next person's waits with the others, also over a kill, and is the first of them.
    """

    async def story(world: World) -> None:
        world.policy = graded()
        await world.start()
        declare(world, [50], "sev3", "declared_by: Alertmanager\n")
        await world.wait(5)
        declare(world, [51], "sev2", "declared_by: alertmanager\n")
        declare(world, range(50), "sev1", "declared_by: Alertmanager\n")
        await world.wait(20)
        declare(world, [100], "sev1", "declared_by: carol\n")
        await world.wait(10)
        await world.kill()
        await world.start()
        declare(world, [101], "sev1")
        await world.wait(240)

    world = simulate(story)
    ana = world.pages("ana")
    alone = {each.message.incident: each.at for each in ana if not each.message.incidents}
    assert alone["i0100"] - ana[0].at < timedelta(seconds=30)
    bundles = [each.message for each in ana if each.message.incidents]
    assert "Thing 101 breaks" in bundles[0].content.text
    assert told(ana) == dict.fromkeys((*(f"i{number:04}" for number in range(52)), "i0100", "i0101"), 1)
