"""What `tocsin diff` does not play to its end, or not at all, shows the same as a play of everything."""

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from functools import reduce

from hypothesis import given, settings
from hypothesis import strategies as st
from tocsin.app.configuration.policy_parts import PolicyParts
from tocsin.app.diff.comparison import Change, compare
from tocsin.app.diff.plays import Plays, spans_of_pages
from tocsin.app.diff.scenarios import Scenario, ScenarioMoment, spans_of
from tocsin.app.simulation.play import play_within
from tocsin.domain.notification import Kind
from tocsin.domain.people import Channel, ReachEntry
from tocsin.domain.policy import Cadence, Level, PagePolicy, Policy, Severity, Span, Stream, Who

from tests.builders.examples import some
from tests.builders.instants import T0
from tests.property.test_policy_parts import edits
from tests.unit.app.test_policy_parts import entry, rich_policy

MINUTE = timedelta(minutes=1)
Edit = Callable[[Policy], Policy]

minutes = st.sampled_from((1, 2, 3, 4, 5, 6, 7, 30)).map(lambda number: number * MINUTE)
vias = st.sampled_from([(Channel.SMS, Channel.EMAIL), (Channel.EMAIL, Channel.SMS), (Channel.EMAIL,)])
role_lists = st.sampled_from([("technical_lead", "incident_commander"), ("technical_lead",), ()])
hours = st.sampled_from(["always", "always", "always", "office"])
pages = st.none() | st.builds(PagePolicy, role_lists, vias, minutes, st.integers(1, 3), hours)
spans = st.lists(st.builds(Span, minutes, minutes), max_size=1)
paces = st.builds(lambda slowing, last: Cadence((*slowing, Span(last))), spans, minutes) | st.just(Cadence())
streams = st.lists(
    st.builds(Stream, st.sampled_from([("execs",), ("public",), ("owners", "execs")]), paces),
    max_size=2,
    unique_by=lambda stream: "public" in stream.to,
).map(tuple)
severities = st.builds(
    lambda page, updates, before: lambda policy: _with(policy, page, updates, before),
    pages,
    streams,
    st.none() | minutes,
)
reach = st.builds(
    lambda who, first, waits: entry(
        "people", who, reach=(ReachEntry(first), *(ReachEntry(via, after) for via, after in waits))
    ),
    st.sampled_from(["ana", "bo", "olga", "kim"]),
    st.sampled_from(Channel),
    st.lists(st.tuples(st.sampled_from(Channel), minutes), max_size=2),
)
last_resorts = st.lists(st.sampled_from(["ana", "olga", "kim", "bo"]), max_size=2, unique=True).map(
    lambda people: lambda policy: replace(policy, last_resort=tuple(people))
)
chain = st.lists(st.sampled_from(["ana", "bo", "olga", "kim"]), max_size=4).map(
    lambda people: entry("roles", "technical_lead", chain=tuple(Level((Who(who),)) for who in people))
)
more_edits = st.lists(st.one_of(severities, reach, last_resorts, chain, edits.map(lambda few: few[0])), max_size=4)


def _with(policy: Policy, page: PagePolicy | None, updates: tuple[Stream, ...], before: timedelta | None) -> Policy:
    sev1 = replace(policy.severities["sev1"], page=page, updates=updates, remind_before=before)
    return replace(policy, severities=policy.severities | {"sev1": sev1})


def edited(policy: Policy, changes: list[Edit]) -> Policy:
    """The policy after these edits."""
    return reduce(lambda known, edit: edit(known), changes, policy)


def situation(*services: str) -> Scenario:
    """A fixed one."""
    data = json.dumps({"title": "Something fails", "severity": "sev1", "services": list(services)}).encode()
    return Scenario("sev1", "sev1", services, ScenarioMoment("noon", T0), "situation.yaml", data)


def moved_in_whole(old: Policy, new: Policy, after: Policy, scenario: Scenario) -> tuple[Change, ...]:
    """What a full play of both sides shows."""
    span, played = spans_of((old, new), scenario)
    sides = (play_within(policy, scenario.data, scenario.file, T0, played, ()) for policy in (old, after))
    return compare(*sides, span)


@settings(max_examples=some(400), deadline=None)
@given(
    start=more_edits,
    change=more_edits,
    other=more_edits,
    services=st.sampled_from([(), ("database",), ("shop", "database")]),
)
def test_the_same_moves_as_in_a_play_of_everything(
    start: list[Edit], change: list[Edit], other: list[Edit], services: tuple[str, ...]
) -> None:
    """Between any two configs, and with what a trial puts in the place of the new one, in the same order."""
    always = entry("severities", "sev1", page=replace(rich_policy().severities["sev1"].page, hours="always"))  # type: ignore[type-var]  # it pages
    old = edited(always(rich_policy()), start)
    new, trial = edited(old, change), edited(old, other)
    plays, scenario = Plays(PolicyParts(old), PolicyParts(new)), situation(*services)
    for after in (new, trial, new):
        assert plays.moved(PolicyParts(after), scenario) == moved_in_whole(old, new, after, scenario)


def test_pages_are_played_until_they_repeat_themselves() -> None:
    """Not for the four hours after which the slower of two cadences has shown its pace."""
    page = PagePolicy(("technical_lead",), (Channel.EMAIL,), 5 * MINUTE, rounds=2)
    slow = (Stream(("execs",), Cadence((Span(120 * MINUTE),))),)
    policy = _with(rich_policy(), page, slow, None)
    sides = [PolicyParts(policy), PolicyParts(_with(policy, replace(page, acknowledge_within=6 * MINUTE), slow, None))]
    whole = spans_of([side.policy for side in sides], situation())
    assert whole[0] == 240 * MINUTE
    last_resort = 2 * 2 * 6 * MINUTE
    assert spans_of_pages(sides, situation(), whole) == (last_resort + 12 * MINUTE, last_resort + 18 * MINUTE)
    waits = PolicyParts(entry("people", "ana", reach=(ReachEntry(Channel.EMAIL, 9 * MINUTE),))(policy))
    assert spans_of_pages([*sides, waits], situation(), whole)[0] == (2 * 2 * 5 + 9 + 12) * MINUTE


def test_pages_that_wait_for_opening_hours_are_played_to_the_end() -> None:
    """For then nothing repeats itself."""
    page = PagePolicy(("technical_lead",), (Channel.EMAIL,), 5 * MINUTE, hours="office")
    sides = [PolicyParts(_with(rich_policy(), page, (), None))] * 2
    assert spans_of_pages(sides, situation(), (90 * MINUTE, 95 * MINUTE)) == (90 * MINUTE, 95 * MINUTE)


def test_of_a_severity_only_what_is_played_counts() -> None:
    """Pages do not ask how often a group hears, nor updates how long a page waits."""
    policy = rich_policy()
    sev1: Severity = policy.severities["sev1"]
    assert sev1.page is not None
    patient = entry("severities", "sev1", page=replace(sev1.page, acknowledge_within=9 * MINUTE))(policy)
    quiet = entry("severities", "sev1", updates=sev1.updates[:1])(policy)
    alone = entry("services", "database", stakeholders=())(policy)

    def parts(each: Policy, kind: Kind) -> object:
        return PolicyParts(each).of("sev1", ("database",), kind)

    assert [parts(each, Kind.PAGE) == parts(policy, Kind.PAGE) for each in (patient, quiet, alone)] == [
        False,
        True,
        True,
    ]
    assert [parts(each, Kind.UPDATE) == parts(policy, Kind.UPDATE) for each in (patient, quiet, alone)] == [
        True,
        False,
        False,
    ]
