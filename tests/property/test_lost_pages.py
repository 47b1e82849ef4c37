"""The laws of the plan when pages reach nobody and people leave the config: nobody who cannot answer is waited for."""

import random
from collections import Counter
from dataclasses import replace
from datetime import datetime, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st
from tocsin.domain.facts import ChannelRefused, Fact, PageLost, RefusalTakenBack, Seen
from tocsin.domain.history import History
from tocsin.domain.incident import Incident
from tocsin.domain.notification import Kind
from tocsin.domain.policy import Policy
from tocsin.planning.history.fold import fold_facts
from tocsin.planning.plan import plan

from tests.builders.examples import some
from tests.property.test_plan_laws import MANY, Walk, full_worlds
from tests.timelines.stage import START, policy_of
from tests.timelines.worlds import LAST_RESORT, PEOPLE, World


def unlucky(world: World, dice: random.Random, minutes: int = 45) -> Walk:
    """A world in which nobody answers, every other page is lost, some channels are refused, some of these by mistake, and people leave the config
    and come back.
    """
    policy = world.policy(policy_of(""))
    incident = Incident("trouble", "Trouble", world.severity, services=("shop",), roles=tuple(world.assigned.items()))
    walked = Walk(policy, History(), [], [])
    walked.happen(Seen(START, incident))
    coming: list[Fact] = []
    now, end = START, START + timedelta(minutes=minutes)
    while now <= end:
        for fact in [fact for fact in coming if fact.at <= now]:
            coming.remove(fact)
            walked.happen(fact)
        if dice.random() < 0.1:
            walked.policy = some_left(policy, dice, now)
        ahead = walked.look(now)
        holds(walked)
        coming += misfortunes(walked, dice, now)
        now = min([ahead or end + timedelta(days=1), *(fact.at for fact in coming)])
    return walked


def some_left(policy: Policy, dice: random.Random, now: datetime) -> Policy:
    """The config as of now, with some of its people gone from it; the last resort stays."""
    gone = dice.sample(PEOPLE, dice.randint(0, 3))
    people = {name: person for name, person in policy.people.items() if name not in gone}
    return replace(policy, people=people, since=now, revision=f"r{now:%H%M%S%f}")


def misfortunes(walked: Walk, dice: random.Random, now: datetime) -> list[Fact]:
    """What becomes of the pages that are due now, some seconds later."""
    found: list[Fact] = []
    pages = {
        due.notification.to: due.notification for due in walked.plans[-1][2].due if due.notification.kind is Kind.PAGE
    }
    for name, page in pages.items():
        at = now + timedelta(seconds=dice.randint(1, 20))
        again = (page.via, at + timedelta(seconds=30)) if dice.random() < 0.5 else None
        if dice.random() < 0.5:
            found.append(PageLost(at, name, page.at, again=again))
        if again and dice.random() < 0.3:
            found.append(PageLost(at + timedelta(seconds=40), name, page.at, page.via, delivered=True))
        if dice.random() < 0.1 and name not in LAST_RESORT:
            address = walked.policy.people[name].address(page.via)
            found.append(ChannelRefused(at, name, page.via, address))
            if dice.random() < 0.5:
                again_at = at + timedelta(seconds=40) if dice.random() < 0.5 else None
                taken_back = at + timedelta(seconds=dice.randint(0, 10))
                found.append(RefusalTakenBack(taken_back, name, page.via, address, again_at))
    return found


def holds(walked: Walk) -> None:
    """Planning again finds nothing; there is a next look; every role that is open waits for somebody who can answer."""
    now, _, made = walked.plans[-1]
    assert made.history.incident is not None
    again = plan(made.history.incident, walked.policy, made.history, now)
    assert (again.due, again.facts) == ((), ())
    assert made.next_look is not None
    for role in made.history.roles.values():
        step = role.step
        if role.needed and role.holder is None and step is not None:
            assert step.people or step.last_resort, role
            assert not step.people or any(name in walked.policy.people for name in step.people), role


@settings(MANY, max_examples=some(20))
@given(full_worlds, st.integers(0, 1_000_000))
def test_nobody_who_cannot_answer_is_waited_for(world: World, seed: int) -> None:
    """Rules 38, 66, 67: a step whose pages are lost, or whose people are gone, is passed or fires anew at that instant; no
    message is told twice for it.
    """
    walked = unlucky(replace(world, steps=()), random.Random(seed))
    assert fold_facts(walked.facts) == walked.history
    keys = Counter(notification.key for notification in walked.said())
    assert not [key for key, count in keys.items() if count > 1]
