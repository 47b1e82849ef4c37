"""What `tocsin diff` does not play would have shown nothing: equal parts of two policies mean equal pages and updates."""

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from functools import reduce

from hypothesis import given, settings
from hypothesis import strategies as st
from tocsin.app.configuration.policy_parts import PolicyParts
from tocsin.app.diff.comparison import Change, compare
from tocsin.app.simulation.play import play_within
from tocsin.domain.people import Channel, ReachEntry
from tocsin.domain.policy import Level, Policy, Who

from tests.builders.examples import some
from tests.builders.instants import T0
from tests.unit.app.test_policy_parts import entry, rich_policy

SPAN = timedelta(hours=3)
PEOPLE = sorted(rich_policy().people)
EMAILS = ("eve@example.com", "EVE@example.com", "status@lists.example.com", "other@example.org", "")
PHONES = ("+14155550101", "+14155550199", "+4915112345678", "")
WHOS = (Who("ana"), Who("kim"), Who("team", "on_call"), Who("team", "next"), Who("feed", "on_call"))

chains = st.lists(st.sampled_from(WHOS), max_size=3).map(lambda whos: tuple(Level((who,)) for who in whos))
people = st.builds(
    lambda who, changes: entry("people", who, **changes),
    st.sampled_from(PEOPLE),
    st.fixed_dictionaries(
        {},
        optional={
            "email": st.sampled_from(EMAILS),
            "phone": st.sampled_from(PHONES),
            "name": st.just("Somebody Else"),
            "timezone": st.just("Asia/Tokyo"),
            "reach": st.just((ReachEntry(Channel.EMAIL), ReachEntry(Channel.SMS, timedelta(minutes=3)))),
        },
    ),
)
roles = st.builds(
    lambda role, chain: entry("roles", role, chain=chain),
    st.sampled_from(["technical_lead", "incident_commander"]),
    chains,
)
services = st.builds(
    lambda service, chain, named: entry(
        "services", service, roles=(("technical_lead", chain),) if chain else (), responders=named
    ),
    st.sampled_from(["database", "shop"]),
    chains,
    st.lists(st.sampled_from(WHOS), max_size=1).map(tuple),
)
groups = st.builds(
    lambda group, emails: entry("stakeholders", group, emails=emails),
    st.sampled_from(["owners", "public"]),
    st.lists(st.sampled_from(EMAILS[:-1]), max_size=2, unique_by=str.casefold).map(tuple),
)
others = st.sampled_from(
    [entry("rotations", "team", overrides=()), lambda policy: replace(policy, last_resort=("ana", "olga"))]
)
edits = st.lists(st.one_of(people, people, roles, services, groups, others), min_size=1, max_size=3)


def moved(before: Policy, after: Policy, affected: tuple[str, ...]) -> tuple[Change, ...]:
    """What a full play of both sides shows."""
    data = json.dumps({"title": "Something fails", "severity": "sev1", "services": list(affected)}).encode()
    played = (play_within(policy, data, "situation.yaml", T0, SPAN, ()) for policy in (before, after))
    return compare(*played, SPAN)


@settings(max_examples=some(120), deadline=None)
@given(start=edits, change=edits, affected=st.sampled_from([(), ("database",), ("shop",), ("shop", "database")]))
def test_whatever_need_not_be_played_shows_nothing(
    start: list[Callable[[Policy], Policy]], change: list[Callable[[Policy], Policy]], affected: tuple[str, ...]
) -> None:
    """Whatever two configs are edited to, an incident is left out only if all of its messages stay."""
    before = reduce(lambda policy, edit: edit(policy), start, rich_policy())
    after = reduce(lambda policy, edit: edit(policy), change, before)
    old, new = PolicyParts(before), PolicyParts(after)
    if old.of("sev1", affected) == new.of("sev1", affected) or old.everything() == new.everything():
        assert moved(before, after, affected) == ()
