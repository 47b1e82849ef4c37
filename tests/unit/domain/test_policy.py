"""What a policy calls roles, people, groups and services, how it ranks severities, and how its chains read."""

from dataclasses import replace

import pytest
from tocsin.domain.incident import Incident
from tocsin.domain.people import StakeholderGroup
from tocsin.domain.policy import RESPONDER, Level, Role, Service, Who

from tests.builders.policies import small_policy

POLICY = replace(
    small_policy(),
    roles={"technical_lead": Role("technical_lead", "Technical Lead")},
    services={"checkout": Service("checkout", "Checkout"), "search": Service("search", "Search")},
    stakeholders={"customers": StakeholderGroup("customers", "Our customers")},
    unreadable_severity="sev2",
)


@pytest.mark.parametrize(("name", "rank"), [("sev1", 0), ("sev2", 1), ("Minor", 2)])
def test_the_worst_severity_ranks_first(name: str, rank: int) -> None:
    """Severities rank in the order of the config, the worst as 0."""
    assert POLICY.severity_rank(name) == rank


@pytest.mark.parametrize("declared_by", ["Alertmanager", "alertmanager", "ALERTMANAGER"])
def test_what_a_person_declared_ranks_before_what_alerts_did(declared_by: str) -> None:
    """Rule 46: of one severity a person's incident comes first; a worse severity comes before it whoever declared it."""
    person = Incident("p", "It", "sev2", declared_by="carol")
    severities = ("sev1", "sev2", "Minor")
    worse, alerts, milder = (replace(person, declared_by=declared_by, severity=severity) for severity in severities)
    ranks = [POLICY.incident_rank(incident) for incident in (worse, person, alerts, milder)]
    assert ranks == sorted(set(ranks))
    assert ranks[-1] < POLICY.mildest_rank


def test_an_unknown_severity_ranks_as_that_of_unreadable_files() -> None:
    """A severity that the config does not have is as bad as `unreadable_severity` (rule 8)."""
    assert POLICY.severity("sev9").name == "sev2"
    assert POLICY.severity_rank("sev9") == 1


def test_roles_are_named_by_title() -> None:
    """A role has its title; one that the config does not have, and "responder", keep their id."""
    names = [POLICY.role_title(role) for role in ("technical_lead", "scribe", RESPONDER)]
    assert names == ["Technical Lead", "scribe", "responder"]


def test_people_are_named_by_name() -> None:
    """Somebody in the config has a name; an address or somebody who left is what was given; nobody is nothing."""
    names = [POLICY.person_name(person) for person in ("bo", "ops@example.com", "", None)]
    assert names == ["Bo Berg", "ops@example.com", "", ""]


def test_groups_are_named_by_title() -> None:
    """A stakeholder group has its title; one that the config does not have keeps its id."""
    assert [POLICY.group_title(group) for group in ("customers", "partners")] == ["Our customers", "partners"]


def test_services_that_left_the_config_are_not_named() -> None:
    """Services have their titles, in the order given; those that the config does not have are left out."""
    assert POLICY.service_titles(("search", "mail", "checkout")) == ("Search", "Checkout")


def test_a_service_may_have_its_own_chain() -> None:
    """A service replaces the chains of the roles that it names; the others stay the role's own."""
    chain = (Level((Who("bo"), Who("database", "on_call"))),)
    service = Service("checkout", "Checkout", roles=(("technical_lead", chain),))
    assert service.chain("technical_lead") == chain
    assert service.chain("scribe") is None


def test_a_chain_reads_as_it_is_written() -> None:
    """A person stands by name, a rotation with the part that is meant."""
    assert [str(who) for who in (Who("bo"), Who("database", "next"))] == ["bo", "database.next"]


def test_the_last_resort_has_a_place() -> None:
    """Its own line where the settings have one, else their file."""
    assert replace(POLICY, places={"last_resort": "tocsin.yaml:4"}).place_of_last_resort() == "tocsin.yaml:4"
    assert replace(POLICY, places={"operators": "tocsin.yaml:3"}).place_of_last_resort() == "tocsin.yaml"


def test_a_plain_address_is_found_as_it_is_written_now() -> None:
    """Whatever its case was, and whichever group has it, the first one first; a policy made of another knows its own."""
    groups = {
        "customers": StakeholderGroup("customers", "Customers", emails=("All@example.com",), external=True),
        "staff": StakeholderGroup("staff", "Staff", emails=("all@Example.com", "bo@example.com")),
    }
    policy = replace(POLICY, stakeholders=groups)
    written = [policy.plain_address(name) for name in ("ALL@EXAMPLE.COM", "Bo@example.com", "ceo@example.com", "")]
    assert written == ["All@example.com", "bo@example.com", "", ""]
    assert policy.is_insider("all@example.com")
    moved = replace(policy, stakeholders={"customers": groups["customers"]})
    assert [moved.plain_address("bo@example.com"), moved.is_insider("all@example.com")] == ["", False]
    assert policy == replace(POLICY, stakeholders=groups), "what was looked up is no part of what it is"


def test_readers_are_named_also_without_their_group() -> None:
    """A plain address has the title of its group, also in a closing, which names none; a stranger has nothing."""
    groups = {"customers": StakeholderGroup("customers", "Our customers", emails=("All@example.com",))}
    policy = replace(POLICY, stakeholders=groups)
    assert [policy.reader_name("all@example.com", group) for group in ("customers", None)] == ["Our customers"] * 2
    assert policy.reader_name("ceo@example.com", None) == ""
    assert policy.reader_name("bo", None) == policy.people["bo"].name
