"""Seeded faults: uncertain sends, dead providers, full disks, kills at any moment. Nothing is lost, nothing is silent.

The checks read what truly arrived and what the disk says; they share no code with the planner.
"""

import itertools
from collections import Counter
from datetime import datetime, timedelta

import pytest
from tocsin.domain.delivery import Uncertain
from tocsin.domain.facts import Seen
from tocsin.domain.notification import Kind, Notification, Reason
from tocsin.domain.people import Channel

from tests.builders.policies import BOTH, WITHIN, paging_policy
from tests.fakes.loop import VirtualClock, run_virtually
from tests.simulation.seeds import seeds
from tests.simulation.world import World

FILE = "title: Card payments fail\nseverity: sev1\n"
BOUND = timedelta(seconds=75)
"""How long after its decision a page may take to reach somebody: its own retries, the next channel, a restart."""


class Story:
    """A random hour and a half: declare, maybe acknowledge, update, resolve; with faults and kills all along."""

    def __init__(self, world: World) -> None:
        self.world, self.dice = world, world.dice
        self.down: list[tuple[datetime, datetime]] = []
        self.full: list[tuple[datetime, datetime]] = []
        self.acked_at: datetime | None = None
        self.resolved_at: datetime | None = None
        self.declared_at = world.clock.now()

    async def tell(self) -> None:
        """Tell it to its end, then let everything come to rest in good weather."""
        world, dice = self.world, self.dice
        faults = world.faults
        faults.deferred, faults.lost, faults.unheard = (dice.choice([0, 0.05, 0.2]) for _ in range(3))
        faults.undelivered = dice.choice([0, 0.2])
        match dice.choice(["off", "poll", "webhook"]):
            case "poll":
                world.ask_for_receipts()
            case "webhook":
                world.tell_by_webhook()
        await world.start()
        await world.wait(dice.uniform(0, 3))
        self.declared_at = world.clock.now()
        text = FILE
        world.folder.write("pay.yaml", text)
        ack_after, resolve_after = dice.uniform(0, 1800), dice.uniform(1900, 5400)
        start = world.clock.now()
        while (elapsed := (world.clock.now() - start).total_seconds()) < resolve_after:
            if self.acked_at is None and elapsed > ack_after and dice.random() < 0.8:
                text += "acknowledged: [ana, bo, chen, dai, olga]\n"
                self.acked_at = world.clock.now()
                world.folder.write("pay.yaml", text)
            await self._something(dice.random())
        world.folder.write("pay.yaml", text + "status: resolved\n")
        self.resolved_at = world.clock.now()
        await self._something(0.0)
        faults.deferred = faults.lost = faults.unheard = faults.undelivered = 0
        faults.down = faults.broken = frozenset()
        world.disk.full = False
        await world.wait(3 * 3600)

    async def _something(self, roll: float) -> None:
        """A kill, an outage, a full disk, or just time."""
        world, dice = self.world, self.dice
        if roll < 0.35:
            begin = world.clock.now()
            await world.kill()
            await world.wait(dice.choice([0.01, 1, 20]))
            await world.start()
            self.down.append((begin, world.clock.now() + timedelta(seconds=5)))
        elif roll < 0.5:
            world.faults.down = frozenset({dice.choice(list(Channel))})
            await world.wait(dice.uniform(10, 120))
            world.faults.down = frozenset()
        elif roll < 0.6:
            begin, world.disk.full = world.clock.now(), True
            await world.wait(dice.uniform(1, 60))
            if dice.random() < 0.3:
                await world.kill()
                await world.start()
            world.disk.full = False
            self.full.append((begin, world.clock.now()))
        await world.wait(dice.choice([0.003, 0.05, 0.3, 5, 120, 400]))


def tell(seed: int) -> Story:
    async def main(clock: VirtualClock) -> Story:
        told = Story(World(clock, paging_policy(BOTH), seed))
        await told.tell()
        return told

    story: Story = run_virtually(main)
    return story


@pytest.mark.parametrize("seed", seeds(40, 3))
def test_whatever_happens(seed: int) -> None:
    """All invariants, for one seed."""
    story = tell(seed)
    everything_is_settled(story)
    pages_reach_somebody_in_time(story)
    copies_are_marked(story)
    the_ladder_never_sleeps(story)
    closings_are_exactly_one(story)
    nothing_unwanted_arrives(story)


def everything_is_settled(story: Story) -> None:
    """In good weather every letter comes to an end."""
    disk = story.world.disk
    assert set(disk.states) == set(disk.letters)


def pages_reach_somebody_in_time(story: Story) -> None:
    """Each page that stayed wanted reached its person by one channel or the other within its bound."""
    disk, world = story.world.disk, story.world
    end = min(each for each in (story.acked_at, story.resolved_at) if each)
    for key, letter in disk.letters.items():
        page = letter.notification
        if page.kind is not Kind.PAGE:
            continue
        since = disk.recorded_at[key]
        until = since + BOUND + sum((b - a for a, b in story.down if b > since and a < since + BOUND), timedelta())
        if until >= end:
            continue
        got = [each.at for each in world.pages(page.to) if page.at <= each.at <= until]
        assert got, f"{key} reached nobody by {until}"


def copies_are_marked(story: Story) -> None:
    """A second copy of a message has a try that says why it may be one; of those that left while the disk was full,
    one for each process may be unknown to it.
    """
    known = [each for each in story.world.arrived if not any(a <= each.at <= b for a, b in story.full)]
    copies = Counter(each.message.reference for each in known)
    for key, count in copies.items():
        if count > 1 and key in story.world.disk.attempts:
            tries = story.world.disk.attempts[key]
            marked = sum(bool(attempt.possible_duplicate) for attempt in tries)
            assert count <= 1 + marked + sum(isinstance(attempt.outcome, Uncertain) for attempt in tries), key
            assert marked, key


def the_ladder_never_sleeps(story: Story) -> None:
    """Until somebody answers, somebody is paged at least each five minutes."""
    end = min(each for each in (story.acked_at, story.resolved_at) if each)
    times = [story.declared_at, *(each.at for each in story.world.pages() if each.at < end), end]
    slack = WITHIN + BOUND
    for before, after in itertools.pairwise(times):
        down = sum((b - a for a, b in story.down if b > before and a < after), timedelta())
        assert after - before <= slack + down, f"nobody was paged from {before} to {after}"


def closings_are_exactly_one(story: Story) -> None:
    """One closing letter for each channel that reached somebody, and it arrived."""
    disk, world = story.world.disk, story.world
    letters: list[Notification] = [letter.notification for letter in disk.letters.values()]
    closings = Counter((each.to, each.via) for each in letters if each.kind is Kind.CLOSING)
    assert set(closings.values()) <= {1}
    heard = {
        (each.message.person, each.message.via)
        for each in world.arrived
        if each.message.kind in (Kind.PAGE, Kind.UPDATE, Kind.STAND_DOWN) and each.message.reference in disk.letters
    }
    assert heard <= set(closings)
    arrived = {(each.message.person, each.message.via) for each in world.arrived if each.message.kind == Kind.CLOSING}
    assert arrived == set(closings)
    assert all(each.reason is not Reason.TROUBLE for each in letters if each.kind is Kind.PAGE)


UNDER_WAY = timedelta(seconds=1)
"""How long what was under way may still take to arrive."""


def nothing_unwanted_arrives(story: Story) -> None:
    """After everybody's answer no page, after the resolution only its closing, and never anybody whom the config does
    not know: neither a retry, nor another channel, nor a restart brings what nobody wants any more.
    """
    versions = [fact for fact in story.world.disk.facts["pay"] if isinstance(fact, Seen)]
    answered_at = next((seen.at for seen in versions if seen.incident.acknowledged), None)
    resolved_at = next(seen.at for seen in versions if seen.incident.resolved)
    for arrival in story.world.arrived:
        kind = Kind(arrival.message.kind)
        if answered_at is not None and arrival.at > answered_at + UNDER_WAY:
            assert kind is not Kind.PAGE, f"{arrival.message.reference} at {arrival.at}, answered at {answered_at}"
        if arrival.at > resolved_at + UNDER_WAY:
            assert kind in (Kind.CLOSING, Kind.OPERATOR), f"{arrival.message.reference} after the resolution"
        assert arrival.message.address in KNOWN, arrival.message.address


KNOWN = {
    *(person.address(via) for person in paging_policy(BOTH).people.values() for via in Channel),
    *(email for group in paging_policy(BOTH).stakeholders.values() for email in group.emails),
}
