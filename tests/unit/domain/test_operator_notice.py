"""Kinds of trouble: each has a headline, and its section in docs/operators.md, which the message names (rule 39)."""

import re

import pytest
from tocsin.domain.operator_notice import OperatorNotice, Recovery, Trouble, subject_of

from tests.builders.instants import T0
from tests.house.code import ROOT

PARTS = ("What happened", "Meanwhile", "What you do", "Over")


def sections(chapter: int = 0) -> dict[str, str]:
    """The sections of a chapter of the page by their word: what tocsin tells itself, and what is seen from outside."""
    page = (ROOT / "docs" / "operators.md").read_text(encoding="utf-8")
    found = re.split(r"^## (\S+)$", page.split("\n# ")[chapter], flags=re.MULTILINE)[1:]
    return dict(zip(found[::2], found[1::2], strict=True))


def test_each_trouble_has_its_section_and_each_section_its_trouble() -> None:
    """Rule 39: what happened, what tocsin does meanwhile, what to do, and how one sees that it is over."""
    assert sorted(sections()) == sorted(Trouble)


@pytest.mark.parametrize("word", [*sections(), *sections(1)])
def test_a_section_says_everything(word: str) -> None:
    """In the same order, each in words."""
    said = re.findall(r"^- \*\*([^*]+)\*\*: \S", (sections() | sections(1))[word], re.MULTILINE)
    assert said == list(PARTS)


@pytest.mark.parametrize("trouble", [trouble for trouble in Trouble if "{about}" not in trouble.headline])
def test_a_section_begins_with_the_headline_and_ends_with_that_of_the_end(trouble: Trouble) -> None:
    """So that the section is known for the message's, and the end for its end."""
    section = sections()[trouble.value]
    assert section.strip().startswith(f"*{trouble.headline}.*")
    assert ('you are told "' in section) == bool(trouble.recovered)
    assert trouble.recovered in section


@pytest.mark.parametrize("trouble", Trouble)
def test_a_headline_is_short_and_says_it_plainly(trouble: Trouble) -> None:
    """A few words that begin a sentence; what is over has its own; a section is found by its word."""
    for headline in filter(None, (trouble.headline, trouble.recovered)):
        assert len(headline) <= 45
        assert headline[0].isupper() or headline.startswith("{about}")
        assert not headline.endswith(".")
    assert re.fullmatch(r"[a-z]+(-[a-z]+)+", trouble.value)


def test_a_cause_is_the_trouble_what_it_is_about_and_its_aspect() -> None:
    """An end concerns the trouble and what it is about, whatever the aspect."""
    notice = OperatorNotice(Trouble.FILE_FAULTY, "a text", about="pay.yaml", aspect="unknown-key")
    assert (notice.cause, notice.subject) == ("file-faulty:pay.yaml:unknown-key", "file-faulty:pay.yaml")
    assert notice.headline == "Problems in pay.yaml"
    assert OperatorNotice(Trouble.PAGE_LOST, "a text").cause == "page-lost"
    recovery = Recovery(Trouble.INCIDENT_STUCK, "a text", T0, about="pay")
    assert (recovery.subject, recovery.headline) == (
        subject_of(Trouble.INCIDENT_STUCK, "pay"),
        "Incident pay is up to date again",
    )
