"""What an incident depends on: `tocsin diff` plays it only when some of that changed, so nothing may be missing."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, time, timedelta

import pytest
from tocsin.app.configuration.policy_parts import PolicyParts
from tocsin.domain.people import FirstUpdate, StakeholderGroup
from tocsin.domain.policy import Level, Policy, Service, Severity, Who
from tocsin.domain.rotation import CalendarEvent, Hours, Override, Rotation, Shift, Window

from tests.builders.instants import T0
from tests.builders.policies import paging_policy

DAY = timedelta(days=1)
SHIFT = Shift(("ana", "bo"), "0 9 * * 1", "Europe/Berlin", datetime(2026, 11, 23, 9))
ROTATION = Rotation("team", (SHIFT,), (Override("fay", T0, T0 + DAY, instead_of="gus"),))
CALENDAR = Rotation("feed", calendar="feed.ics", events=(CalendarEvent("hal", T0, T0 + DAY),))
DATABASE = Service(
    "database",
    "Database",
    roles=(("technical_lead", (Level((Who("ida"), Who("team", "on_call"))),)),),
    responders=(Who("jo"), Who("feed", "on_call")),
    stakeholders=("owners",),
)


def rich_policy() -> Policy:
    """A policy in which every kind of entry matters to an incident of sev1 with the service `database`."""
    base = paging_policy()
    sev1, somebody = base.severities["sev1"], base.people["ana"]
    assert sev1.page is not None
    names = ("fay", "gus", "hal", "ida", "jo", "kim")
    return replace(
        base,
        severities={"sev1": replace(sev1, page=replace(sev1.page, hours="office")), "sev2": Severity("sev2", "Minor")},
        people=base.people | {name: replace(somebody, id=name, name=name.title()) for name in names},
        rotations={"team": ROTATION, "feed": CALENDAR},
        services={"database": DATABASE, "shop": Service("shop", "Shop")},
        stakeholders=base.stakeholders | {"owners": StakeholderGroup("owners", "Owners", people=("kim",))},
        hours={"office": Hours("Europe/Berlin", (Window(frozenset(range(5)), time(9), time(17)),))},
    )


def person(name: str) -> Callable[[Policy], Policy]:
    """Somebody has no number any more."""
    return entry("people", name, phone="")


def entry(section: str, name: str, /, **changes: object) -> Callable[[Policy], Policy]:
    """An entry of the config says something else."""

    def change(policy: Policy) -> Policy:
        entries = getattr(policy, section)
        return replace(policy, **{section: entries | {name: replace(entries[name], **changes)}})

    return change


MATTERS = {
    **{f"the number of {name}": person(name) for name in (
        "ana", "bo", "chen", "dai", "eve", "olga", "fay", "gus", "hal", "ida", "jo", "kim",
    )},
    "the severity": entry("severities", "sev1", verify_after=DAY),
    "a role's chain": entry("roles", "incident_commander", chain=()),
    "the opening hours": entry("hours", "office", timezone="UTC"),
    "a rotation of a service's chain": entry("rotations", "team", overrides=()),
    "a rotation of responders": entry("rotations", "feed", events=()),
    "the service": entry("services", "database", responders=()),
    "a group of the severity": entry("stakeholders", "public", external=False),
    "a group of the service": entry("stakeholders", "owners", people=("kim", "eve")),
    "when a group hears at first": entry("stakeholders", "public", first=FirstUpdate.ACCEPTED),
    "how the end is told": entry("severities", "sev1", closing_by_email=True),
    "whose mailbox it is": entry("people", "eve", email="chen@example.com"),
    "who has the same mailbox": entry("stakeholders", "owners", emails=("Eve@example.com",)),
    "the last resort": lambda policy: replace(policy, last_resort=("ana",)),
}  # fmt: skip
IS_WORDS = {
    "a severity's title": entry("severities", "sev1", title="Worst", meaning="All is down"),
    "a role's duties": entry("roles", "technical_lead", title="Lead", duties="Fixes it", place="roles.yaml:9"),
    "somebody's language": entry("people", "ana", language="de", place="people.yaml:7"),
    "somebody's addresses": entry("people", "bo", phone="+14155550199", email="bo.berg@example.org"),
    "somebody's name and clock": entry("people", "ana", name="Ana S.", timezone="Asia/Tokyo"),
    "a service's links": entry("services", "database", runbook="https://x", links=(("a", "https://y"),), bridge="z"),
    "who writes": lambda policy: replace(policy, organisation="Acme", reply_to="help@example.com", bridge="#war"),
    "a line's place": entry("rotations", "team", place="rotations.yaml:3"),
}
IS_ELSEWHERE = {
    "another severity": entry("severities", "sev2", verify_after=DAY),
    "another service": entry("services", "shop", responders=(Who("ana"),)),
    "the chain that the service replaces": entry("roles", "technical_lead", chain=()),
}


@pytest.mark.parametrize("what", MATTERS)
def test_whatever_may_move_a_message_counts(what: str) -> None:
    """A change of any entry that the incident reaches, over rotations, services and groups, makes it play."""
    before, after = PolicyParts(rich_policy()), PolicyParts(MATTERS[what](rich_policy()))
    assert before.of("sev1", ("database",)) != after.of("sev1", ("database",))
    assert before.everything() != after.everything()


@pytest.mark.parametrize("what", IS_WORDS)
def test_words_and_places_move_nothing(what: str) -> None:
    """Titles, duties, languages and the lines on which they stand change what is read, not who hears it when."""
    before, after = PolicyParts(rich_policy()), PolicyParts(IS_WORDS[what](rich_policy()))
    assert before.of("sev1", ("database",)) == after.of("sev1", ("database",))
    assert before.everything() == after.everything()


@pytest.mark.parametrize("what", IS_ELSEWHERE)
def test_another_severity_or_service_moves_nothing_here(what: str) -> None:
    """It moves something for incidents of its own only."""
    before, after = PolicyParts(rich_policy()), PolicyParts(IS_ELSEWHERE[what](rich_policy()))
    assert before.of("sev1", ("database",)) == after.of("sev1", ("database",))
    assert before.everything() != after.everything()


def test_what_an_unreadable_file_counts_as_is_a_part_of_everything() -> None:
    """Any incident's file may become unreadable."""
    before, after = rich_policy(), replace(rich_policy(), unreadable_severity="sev2")
    assert PolicyParts(before).everything() != PolicyParts(after).everything()


@pytest.mark.parametrize(
    "change", [{"roles": DATABASE.roles}, {"responders": (Who("ana"),)}, {"stakeholders": ("owners",)}]
)
def test_a_service_that_adds_anything_is_not_plain(change: dict[str, object]) -> None:
    """Only a service that changes nothing for an incident, or that is not known, is as none."""
    policy = rich_policy()
    assert PolicyParts(policy).plain("shop")
    assert PolicyParts(policy).plain("nowhere")
    assert not PolicyParts(entry("services", "shop", **change)(policy)).plain("shop")
