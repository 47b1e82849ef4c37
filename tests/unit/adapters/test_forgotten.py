"""A person is taken out of texts and values, and nothing else with them (P7)."""

import dataclasses
import json
from typing import Any, get_args

import pytest
from tocsin.adapters.ledger.removal.forgotten import OWN, PAIRED, PEOPLE, TEXTS, WRITERS, Forgotten
from tocsin.domain.delivery import Outcome
from tocsin.domain.facts import Fact
from tocsin.domain.incident import Acknowledgment, Incident, TimelineNote, UpdateEntry
from tocsin.ports.ledger.upkeep import Erasure

GONE = "somebody (erased)"
ERIKA = Forgotten(Erasure("erika", ("Erika Mustermann", "erika@work.example", "+4915112345678")))
WILL = Forgotten(Erasure("will", ("will@work.example",), ("Will",)))
WROTE = "The disk of the primary is full, I'm on it – call me."


@pytest.mark.parametrize(
    ("text", "without"),
    [
        ("ask Erika Mustermann.", f"ask {GONE}."),
        ("ERIKA MUSTERMANN and Erika  Mustermann's", f"{GONE} and {GONE}'s"),
        ("2026-11-26T10:00 Erika Mustermann was called", f"2026-11-26T10:00 {GONE} was called"),
        ("erika mustermann", "erika mustermann"),
        ("Erika", "Erika"),
        ("erika fails over", "erika fails over"),
        ("see @erika, or @erika-2 or x@erika", f"see {GONE}, or @erika-2 or x@erika"),
        ("Erika Mustermanns", "Erika Mustermanns"),
        ("<Erika@Work.Example>: no such user.", f"<{GONE}>: no such user."),
        ("to erika@work.example.", f"to {GONE}."),
        ("anerika@work.example erika@work.example.org", "anerika@work.example erika@work.example.org"),
        ("tel +49 151 1234-5678, +49 (151) 12345678", f"tel {GONE}, {GONE}"),
        ("+49151123456789", "+49151123456789"),
    ],
)
def test_a_text_of_others(text: str, without: str) -> None:
    """A full name with its capitals, an address, `@id`: never half a word, a first name or an id alone."""
    assert ERIKA.text(text) == without
    assert ERIKA.names(text) == (text != without)


def test_an_id_or_a_name_of_one_word_may_be_any_word() -> None:
    """It is theirs where a person is meant; a service or a role of that name is not, nor is what others wrote."""
    entry = {
        "by": "ana",
        "text": "We will fail over now. Will it take long? Ask will@work.example or @will",
        "services": ["will"],
        "roles": [["will", "will"], ["scribe", "Will"]],
        "group": "will",
        "people": ["will", "ana"],
        "readers": [["will", "sms"], ["ana", "email"]],
        "acknowledged": [{"by": "Will"}],
        "declared_by": "will@work.example (will)",
    }
    assert WILL.fields(entry) == {
        "by": "ana",
        "text": f"We will fail over now. Will it take long? Ask {GONE} or {GONE}",
        "services": ["will"],
        "roles": [["will", GONE], ["scribe", GONE]],
        "group": "will",
        "people": [GONE, "ana"],
        "readers": [[GONE, "sms"], ["ana", "email"]],
        "acknowledged": [{"by": GONE}],
        "declared_by": f"{GONE} (will)",
    }
    paged = {"person": "ana", "roles": ["will"], "reason": "declared"}
    assert WILL.fields(paged) == paged


def test_a_word_that_was_said_is_looked_for_everywhere() -> None:
    """As a whole, and with its capitals."""
    said = Forgotten(Erasure("will", ("Will", "wb")))
    assert said.text("Will will do, WILL said; wb, WB, web") == f"{GONE} will do, {GONE} said; {GONE}, {GONE}, web"


def test_of_what_they_wrote_nothing_is_left() -> None:
    """Not where they are reached either, whatever number it was then."""
    entries = {
        "updates": [{"by": "Erika Mustermann", "text": "yes", "public": "", "at": "x"}, {"by": "bo", "text": "no"}]
    }
    assert ERIKA.fields(entries) == {
        "updates": [{"by": GONE, "text": "erased", "public": "", "at": "x"}, {"by": "bo", "text": "no"}]
    }
    assert ERIKA.fields({"person": "erika", "number": "+1415", "code": "K7"}) == {
        "person": GONE,
        "number": "erased",
        "code": "K7",
    }
    assert ERIKA.fields({"reader": "erika", "via": "sms", "address": "+1415"})["address"] == "erased"


@pytest.mark.parametrize(
    ("message", "without"),
    [
        (f"Bo: {WROTE} Next at ten.", "Bo: erased Next at ten."),
        ("The disk of the\n  primary is full,\n  I'm on it – call me.", "erased"),
        ("Now: The disk of the primary is… more", "Now: erased… more"),
        ("Now: The disk of...", "Now: erased..."),
        ("The disk of the primary is full, I'm on it - call me.", "erased"),
        ("The disk of the replica is full", "The disk of the replica is full"),
        ("The disk…", "The disk…"),
    ],
)
def test_what_they_wrote_in_a_message_to_others(message: str, without: str) -> None:
    """Wherever its lines break, in letters of an SMS, and as far as it goes where it was cut short."""
    forgotten = dataclasses.replace(ERIKA, written=(WROTE,))
    assert forgotten.message(message) == without


def test_a_name_in_html() -> None:
    """Its apostrophe is written otherwise there."""
    forgotten = Forgotten(Erasure("pat", ("Pat O'Brien",)))
    assert forgotten.text("<b>Pat O&#39;Brien</b> Pat O&#x27;Brien Pat O'Brien") == f"<b>{GONE}</b> {GONE} {GONE}"


NO_PERSON = """
    acknowledged again again_at alerts answer asked_only at channels code declared_at delivered digest drill due_at
    episode eta external fault for_good group groups id incident kind level moved never_read odd_name page_at pending
    promised_at provider_id reason recipient ref retry_after reviewed_drill revision role round sent service services
    severity started_at status stopped timeline unreadable updates via waiting
"""
KEPT = frozenset(NO_PERSON.split())
"""Fields that hold no person and no text, and those that hold entries."""


@pytest.mark.parametrize(
    "of",
    [*get_args(Fact), *get_args(Outcome), Incident, UpdateEntry, TimelineNote, Acknowledgment],
    ids=lambda of: of.__name__,
)
def test_each_field_is_of_one_sort(of: Any) -> None:
    """Whoever adds a field to what the ledger keeps says here whether a person may stand in it."""
    known = WRITERS | OWN | PEOPLE | TEXTS | PAIRED.keys() | KEPT
    names = {field.name for field in dataclasses.fields(of)} - {"by" if of.__name__ == "ClockMoved" else ""}
    assert names <= known, names - known


def test_the_sorts_do_not_overlap() -> None:
    """What is kept is in no other."""
    assert not KEPT & (WRITERS | OWN | PEOPLE | TEXTS | PAIRED.keys())
    assert (
        json.dumps(ERIKA.fields({"number": 3, "by": 7.5, "people": None})) == '{"number": 3, "by": 7.5, "people": null}'
    )
