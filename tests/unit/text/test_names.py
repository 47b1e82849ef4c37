"""What people write for a severity, status, service, role or person, and what they are told when nothing is so called."""

from dataclasses import replace

import pytest
from tocsin.domain.incident import Status
from tocsin.text.names import (
    LISTED_LIMIT,
    person_named,
    quotable,
    role_named,
    service_named,
    severity_named,
    status_named,
)

from tests.builders.policies import small_policy

POLICY = small_policy()
ANA = POLICY.people["ana"]


def with_people(*people):
    return small_policy(people={person.id: person for person in people})


@pytest.mark.parametrize("written", ["ana", "ANA", "Ana  Souza", "ana souza", ANA.email.upper()])
def test_a_person_is_named_by_id_full_name_or_email_in_any_case(written):
    """Blanks within a name count once."""
    assert person_named(written, POLICY) == "ana"


def test_an_id_counts_before_the_names_of_others():
    """Whoever is called as another's id is not meant by it."""
    assert person_named("ana", with_people(ANA, replace(ANA, id="x", name="ana", email="x@example.com"))) == "ana"


def test_a_name_of_two_people_is_nobody_s():
    """Both are offered, neither is guessed."""
    twins = with_people(ANA, replace(ANA, id="ana2", email="ana2@example.com"))
    with pytest.raises(ValueError, match="may be ana or ana2; write the id"):
        person_named("Ana Souza", twins)


def test_a_blank_names_nobody_even_where_somebody_has_no_email():
    """An empty address is not a name."""
    with pytest.raises(ValueError, match="unknown person"):
        person_named(" ", with_people(replace(ANA, email="")))


def test_a_severity_is_named_in_any_case_the_exact_one_first():
    """Of two that differ in case only the exact one counts, and no other writing of them."""
    sev1 = POLICY.severities["sev1"]
    both = small_policy(severities={"sev1": sev1, "SEV1": replace(sev1, name="SEV1")})
    assert severity_named("MINOR", POLICY) == "Minor"
    assert (severity_named("sev1", both), severity_named("SEV1", both)) == ("sev1", "SEV1")
    with pytest.raises(ValueError, match="unknown severity"):
        severity_named("Sev1", both)


def test_a_status_is_named_in_any_case():
    """And no other word is one."""
    assert status_named("Resolved") is Status.RESOLVED
    with pytest.raises(ValueError, match='did you mean "resolved"'):
        status_named("resolvd")


def test_roles_and_services_are_named_as_the_config_writes_them():
    """Another case is a problem that offers the right one."""
    assert role_named("scribe", POLICY) == "scribe"
    assert service_named("checkout", POLICY) == "checkout"
    with pytest.raises(ValueError, match='did you mean "scribe"'):
        role_named("Scribe", POLICY)
    with pytest.raises(ValueError, match='did you mean "checkout"'):
        service_named("Checkout", POLICY)


@pytest.mark.parametrize("count", [LISTED_LIMIT, LISTED_LIMIT + 1])
def test_a_few_choices_are_listed_and_many_are_not(count):
    """Where nothing is alike, up to eight names are offered."""
    people = [replace(ANA, id=f"p{number}", name="", email="") for number in range(count)]
    with pytest.raises(ValueError, match="unknown person") as fault:
        person_named("zzz", with_people(*people))
    assert ("write one of p0, p1" in str(fault.value)) is (count == LISTED_LIMIT)


def test_what_is_quoted_is_clean_and_short():
    """A wrong value may be anything."""
    assert quotable("a\n\x1b[31mb") == "a b"
    assert len(quotable("x" * 500)) == 80
