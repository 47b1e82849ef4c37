"""Whom an incident would page, role by role: nobody who would be woken is missing."""

from dataclasses import replace
from datetime import timedelta

from tocsin.domain.facts import Seen
from tocsin.domain.incident import Incident
from tocsin.domain.notification import Kind
from tocsin.domain.policy import Policy
from tocsin.planning.history.fold import fold_facts
from tocsin.planning.on_call.role_chains import NamedPeople, of_person, on_call_by_role
from tocsin.planning.plan import plan

from tests.builders.instants import T0
from tests.builders.policies import shipped_policy

SUNDAY = T0 + timedelta(days=6, hours=8)


def woken(policy: Policy, severity: str, service: str = "") -> set[str]:
    """Whom the plan itself pages at once for a new incident."""
    incident = Incident("new", "New", severity, services=(service,) if service else ())
    history = fold_facts([Seen(T0, incident, "d")])
    planned = plan(incident, policy, history, T0)
    return {due.notification.to for due in planned.due if due.notification.kind is Kind.PAGE}


def test_what_is_shown_is_what_the_plan_does() -> None:
    """For each severity of the shipped config the first pages are the plan's own, chains of plain people included."""
    policy = shipped_policy()
    by_role = on_call_by_role(policy, T0)
    assert [first.severity.name for first in by_role.severities] == ["sev1", "sev2", "sev3"]
    for first in by_role.severities:
        assert {person for _, people in first.first for person in people} == woken(policy, first.severity.name)
    of_website = next(chain for role in by_role.roles for chain in role.chains if chain.services == ("website",))
    assert set(of_website.levels[0].people) <= woken(policy, "sev3", "website")
    responders = {person for entry in by_role.responders for name in entry.names for person in name.people}
    assert responders | {"dee", "eli"} <= woken(policy, "sev1", "checkout")


def test_each_name_says_who_comes_next() -> None:
    """A rotation until its handoff and who has it then; a person for good; of a rotation's members nothing changes."""
    by_role = on_call_by_role(shipped_policy(), T0)
    commander, _, communications, _ = (role.chains[0].levels for role in by_role.roles)
    handoff = T0.replace(day=30, hour=8)
    assert commander[0].names == (NamedPeople("commanders.on_call", ("bo",), handoff, ("fay",)),)
    assert commander[1].names == (NamedPeople("commanders.next", ("fay",), handoff, ("ana",)),)
    assert commander[2].names == (NamedPeople("commanders.everyone", ("ana", "bo", "fay")),)
    assert communications[0].names == (NamedPeople("dee", ("dee",)),)


def test_a_severity_with_hours_waits_for_them() -> None:
    """Declared on a Sunday evening, SEV3 pages on Monday morning, and whoever has the turn then."""
    by_role = on_call_by_role(shipped_policy(), SUNDAY)
    first = by_role.severities[2]
    assert first.opens_at == SUNDAY.replace(day=30, hour=8, minute=0)
    policy = shipped_policy()
    later = on_call_by_role(policy, first.opens_at).severities[2]
    assert first.first == later.first


def test_who_would_be_woken_and_as_what() -> None:
    """Somebody in a chain of plain people is in it, with the first level that names them; a role that no severity pages
    wakes nobody.
    """
    policy = shipped_policy()
    by_role = on_call_by_role(policy, T0)
    assert [(chain.role, level) for chain, level in of_person(by_role, "dee")] == [("communications", 1), ("scribe", 2)]
    assert [(chain.role, chain.services, level) for chain, level in of_person(by_role, "bo")] == [
        ("incident_commander", (), 1),
        ("technical_lead", (), 3),
        ("technical_lead", ("website",), 1),
    ]
    quiet = replace(policy, severities={name: replace(each, page=None) for name, each in policy.severities.items()})
    assert list(of_person(on_call_by_role(quiet, T0), "dee")) == []
