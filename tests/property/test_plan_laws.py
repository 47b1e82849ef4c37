"""The laws of the plan, for random worlds: what must hold whatever the config, the incident and the answers."""

from collections import Counter
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from tocsin.domain.facts import Answer, Answered, ChannelRefused, Fact, Seen
from tocsin.domain.history import History
from tocsin.domain.incident import Acknowledgment, Incident, Status, UpdateEntry
from tocsin.domain.notification import Kind, Notification
from tocsin.domain.people import Channel
from tocsin.domain.plan import Plan
from tocsin.domain.policy import Policy
from tocsin.planning import current_state
from tocsin.planning.current_state import pages_ahead
from tocsin.planning.delivery.still_wanted import why_unwanted
from tocsin.planning.history.fold import apply_fact, fold_facts
from tocsin.planning.history.redating import moved, moved_notification
from tocsin.planning.plan import plan

from tests.builders.examples import some
from tests.builders.simulations import simulated
from tests.timelines.oracle import Oracle
from tests.timelines.stage import START, line_of, policy_of
from tests.timelines.worlds import Sev, World, worlds

ROW = ("minute", "kind", "reason", "to", "via", "roles", "group", "level", "round")
MANY = settings(max_examples=some(50), deadline=None, suppress_health_check=[HealthCheck.too_slow])


@settings(MANY, max_examples=some(120))
@given(worlds(reopening=True))
def test_it_agrees_with_a_minute_by_minute_brute_force(world: World) -> None:
    """For ladders, answers, refusals, responders, severities, cadences, closing and reopening: exactly the oracle's messages."""
    policy, span = world.policy(policy_of("")), timedelta(minutes=world.minutes)
    document = simulated(policy, world.incident(), START, span, world.script())
    wanted = [_line(dict(zip(ROW, row, strict=True))) for row in Oracle(world).run()]
    said = [_line({**message, "minute": message["after"] // 60}) for message in document["messages"]]
    assert sorted(said) == sorted(wanted)


def _line(message: dict[str, Any]) -> str:
    """A line of a table. The order of the roles in a stand-down is not told by the rules."""
    roles = sorted(message["roles"]) if message["kind"] == "stand_down" else message["roles"]
    return line_of({**message, "after": message["minute"] * 60, "roles": roles})


@dataclass
class Walk:
    """A world walked through the public function, with every plan kept."""

    policy: Policy
    history: History
    plans: list[tuple[datetime, History, Plan]]
    facts: list[Fact]

    def incident(self) -> Incident:
        """The newest version."""
        assert self.history.incident is not None
        return self.history.incident

    def said(self) -> list[Notification]:
        """Everything that was due, in the order of planning."""
        return [due.notification for _, _, made in self.plans for due in made.due]

    def happen(self, fact: Fact) -> None:
        """Something happened."""
        self.facts.append(fact)
        self.history = apply_fact(self.history, fact)

    def look(self, now: datetime) -> datetime | None:
        """Plan, record, and give the next look."""
        made = plan(self.incident(), self.policy, self.history, now)
        self.plans.append((now, self.history, made))
        self.facts += made.facts
        self.history = made.history
        return made.next_look


def walk(world: World, minutes: int | None = None, slow: int | None = None) -> Walk:
    """Follow the planner's next looks and the world's steps to its end. `slow`: who acknowledges writes it into the
    file, and their clock is so many seconds behind.
    """
    policy = world.policy(policy_of(""))
    by = "Alertmanager" if world.by_alerts else "Ana"
    roles = tuple(world.assigned.items())
    incident = Incident("trouble", "Trouble", world.severity, services=("shop",), roles=roles, declared_by=by)
    walked = Walk(policy, History(), [], [])
    walked.happen(Seen(START, incident))
    waiting, end = list(world.steps), START + timedelta(minutes=minutes or world.minutes)
    now: datetime | None = START
    while now is not None and now <= end:
        while waiting and START + timedelta(minutes=waiting[0][0]) <= now:
            for fact in _facts(walked.incident(), waiting.pop(0), now, slow):
                walked.happen(fact)
        ahead = walked.look(now)
        step = START + timedelta(minutes=waiting[0][0]) if waiting else None
        now = min((each for each in (ahead, step) if each), default=None)
    return walked


def _facts(incident: Incident, step: tuple[int, str, str], now: datetime, slow: int | None) -> list[Fact]:
    _, verb, what = step
    match verb:
        case "fail":
            person, via = what.split()
            return [ChannelRefused(now, person, Channel(via))]
        case "ack" if slow is not None:
            entry = Acknowledgment(what, now - timedelta(seconds=slow))
            changed = replace(incident, acknowledged=(*incident.acknowledged, entry))
        case "ack" | "pass":
            return [Answered(now, what, Answer.OK if verb == "ack" else Answer.PASS)]
        case "update" | "public":
            news = UpdateEntry(what, what if verb == "public" else "")
            changed = replace(incident, updates=(*incident.updates, news))
        case "severity":
            changed = replace(incident, severity=what)
        case _:
            changed = replace(incident, status=Status(what))
    return [Seen(now, changed)] if changed != incident else []


full_worlds = worlds().map(lambda world: replace(world, full=True))


@MANY
@given(full_worlds)
def test_same_facts_same_plan(world: World) -> None:
    """The plan is a function of the facts: folded anew and asked again, it is the same, message for message."""
    walked = walk(world)
    for now, history, made in walked.plans:
        assert history.incident is not None
        assert plan(history.incident, walked.policy, history, now) == made
    folded = History()
    for fact in walked.facts:
        folded = apply_fact(folded, fact)
    assert folded == walked.history


@MANY
@given(full_worlds)
def test_planning_again_after_recording_is_empty(world: World) -> None:
    """Once its facts are recorded, a plan at the same instant has nothing due, holds nothing back, and has the same next
    look: so one plan that is at rest is all of a look.
    """
    walked = walk(world)
    for now, history, made in walked.plans:
        recorded = history
        for fact in made.facts:
            recorded = apply_fact(recorded, fact)
        assert recorded == made.history
        assert recorded.incident is not None
        again = plan(recorded.incident, walked.policy, recorded, now)
        assert made.at_rest
        assert (again.due, again.facts, again.suppressed, again.next_look) == ((), (), (), made.next_look)


@MANY
@given(full_worlds)
def test_what_a_plan_decides_the_sender_wants(world: World) -> None:
    """P2, P10: no message is decided that is held back before its first try, as no longer wanted."""
    for _, _, made in walk(world).plans:
        for due in made.due:
            assert why_unwanted(due.notification, made.history) is None, due.notification


@MANY
@given(full_worlds, st.floats(0.001, 0.999))
def test_nothing_falls_due_before_the_next_look(world: World, part: float) -> None:
    """Asked at any instant strictly between a plan and its next look, the planner has nothing due."""
    walked = walk(world)
    for now, _, made in walked.plans:
        assert made.next_look is None or made.next_look > now
        between = now + (made.next_look - now if made.next_look else timedelta(days=30)) * part
        if now < between and (made.next_look is None or between < made.next_look):
            assert made.history.incident is not None
            early = plan(made.history.incident, walked.policy, made.history, between)
            assert (early.due, early.next_look) == ((), made.next_look)


@MANY
@given(full_worlds, st.sampled_from([0, 1, 40, 61, 400]))
def test_what_follows_the_pages_of_a_plan_is_what_deciding_them_alone_gives(world: World, late: int) -> None:
    """However late it is made: their words may take it from the plan instead, and say the same."""
    walked = walk(world)
    for now, history, _ in walked.plans:
        incident = history.incident
        assert incident is not None
        for due in plan(incident, walked.policy, history, now + timedelta(seconds=late)).due:
            page = due.notification
            if page.kind is Kind.PAGE:
                about = (incident, walked.policy, due.history, page.roles, page.at)
                assert pages_ahead(*about, due.after) == pages_ahead(*about)


@MANY
@given(full_worlds)
def test_whom_ladders_page_next_is_whom_the_plan_pages_next(world: World) -> None:
    """What is foretold from the steps of ladders alone is what playing the whole of that moment gives."""
    walked = walk(world)
    for _, _, made in walked.plans:
        for due in made.due:
            page = due.notification
            if page.kind is Kind.PAGE:
                assert due.history.incident is not None
                about = (due.history.incident, walked.policy, due.history, page.roles, page.at, due.after)
                with pytest.MonkeyPatch.context() as without:
                    without.setattr(current_state, "_ladder_pages", lambda _moment: ())
                    played = pages_ahead(*about)
                assert pages_ahead(*about) == played


@MANY
@given(full_worlds)
def test_an_open_incident_is_never_forgotten(world: World) -> None:
    """P1: with roles to be answered for, whoever holds them, an open incident always has a next look."""
    for _, _, made in walk(world).plans:
        assert made.history.incident is not None
        assert made.history.incident.resolved or made.next_look


@MANY
@given(full_worlds)
def test_keys_are_unique(world: World) -> None:
    """Rule 7 of the house: no two messages share a key, whatever happens, and a message goes once per channel."""
    resolved = any(what == "resolved" for _, _, what in world.steps)
    said = walk(world, minutes=6 * 24 * 60 if resolved else 240).said()
    assert not [key for key, count in Counter(each.key for each in said).items() if count > 1]
    once = Counter((each.at, each.kind, each.reason, each.to, each.via) for each in said)
    assert not [each for each, count in once.items() if count > 1]


@MANY
@given(worlds(resolving=True))
def test_resolved_closes_once_per_channel_and_then_is_silent(world: World) -> None:
    """P5: each listener gets one closing on each channel that reached them (if it still can), and then nothing."""
    walked = walk(world, minutes=10 * 24 * 60)
    said = walked.said()
    resolved_at = next(START + timedelta(minutes=at) for at, _, what in world.steps if what == "resolved")
    heard = {(each.to, each.via) for each in said if each.kind in (Kind.PAGE, Kind.STAND_DOWN, Kind.UPDATE)}
    refused = {
        (fact.reader, fact.via) for fact in walked.facts if isinstance(fact, ChannelRefused) and fact.at <= resolved_at
    }
    closing = [(each.to, each.via) for each in said if each.kind is Kind.CLOSING]
    assert len(closing) == len(set(closing))
    assert heard - refused <= set(closing)
    assert not set(closing) & refused
    assert {to for to, _ in closing} <= {to for to, _ in heard}
    assert all(each.at <= resolved_at for each in said)
    assert all(each.kind is Kind.CLOSING for each in said if each.at == resolved_at)
    assert walked.plans[-1][2].next_look is None


@MANY
@given(worlds(resolving=False), st.integers(0, 4))
def test_a_worse_severity_never_pages_fewer_people_or_later(world: World, quicker: int) -> None:
    """A severity with more roles, the same or a shorter window and channels: who is paged at all, is paged no later."""
    mild = world.severities["s1"]
    roles = (*mild.roles, *(role for role in world.severities["s2"].roles if role not in mild.roles))
    worse = Sev(roles, mild.via, max(1, mild.within - quicker), mild.rounds, mild.streams)
    assume((worse.roles, worse.within) != (mild.roles, mild.within))
    calm = replace(world, steps=(), severities={"s1": mild, "s2": mild})
    first, second = (_first_pages(walk(each)) for each in (calm, replace(calm, severities={"s1": worse, "s2": mild})))
    assert first.keys() <= second.keys()
    assert all(second[who] <= at for who, at in first.items())


def _first_pages(walked: Walk) -> dict[str, datetime]:
    """Who was paged, and when first."""
    found: dict[str, datetime] = {}
    for each in walked.said():
        if each.kind is Kind.PAGE:
            found.setdefault(each.to, each.at)
    return found


def _accepted(history: History) -> dict[str, tuple[str | None, datetime | None]]:
    """Who holds each role, and since when."""
    return {name: (role.holder, role.accepted_at) for name, role in history.roles.items()}


SMALL_AND_LARGE = [timedelta(minutes=4), timedelta(hours=1), timedelta(hours=-1), timedelta(days=400, seconds=7)]


@MANY
@given(
    worlds(reopening=True).map(lambda world: replace(world, full=True)),
    st.sampled_from(SMALL_AND_LARGE),
    st.sampled_from([None, 45, 150]),
    st.data(),
)
def test_what_moves_with_the_clock_moves_the_plan_as_one(
    world: World, by: timedelta, slow: int | None, data: st.DataObject
) -> None:
    """Rule 60: all facts and the instant moved alike give the same decisions, moved: no wait is longer or shorter, and
    what people dated in the file accepts what it accepted.
    """
    walked = walk(world, slow=slow)
    known = walked.facts[: data.draw(st.integers(1, len(walked.facts)))]
    now = max(fact.at for fact in known) + timedelta(minutes=data.draw(st.integers(0, 90)))
    before, after = fold_facts(known), fold_facts(moved(fact, by) for fact in known)
    assert before.incident is not None
    assert after.incident is not None
    assert _accepted(after) == {name: (who, at and at + by) for name, (who, at) in _accepted(before).items()}
    assert (after.verified, len(after.ineffective_acks)) == (before.verified, len(before.ineffective_acks))
    made, again = (
        plan(before.incident, walked.policy, before, now),
        plan(after.incident, walked.policy, after, now + by),
    )
    assert tuple(moved(fact, by) for fact in made.facts) == again.facts
    assert [replace(moved_notification(due.notification, by), key="") for due in made.due] == [
        replace(due.notification, key="") for due in again.due
    ]
    assert [one.why for one in made.suppressed] == [one.why for one in again.suppressed]
    assert (made.next_look and made.next_look + by) == again.next_look
