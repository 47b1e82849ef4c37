"""Every name that a template may use stands in the manual, for the kinds of messages that have it."""

import re
from typing import Any

import pytest
from tocsin.adapters.jinja import sources
from tocsin.adapters.jinja.advice.template_advice import advise
from tocsin.adapters.jinja.advice.vocabulary import PLANNED, SECTIONS, names_of
from tocsin.adapters.jinja.sources import shipped_folder
from tocsin.wording.answer.answer_wording import AnswerWording
from tocsin.wording.message.bundle import BundleWording
from tocsin.wording.message.wording import Wording
from tocsin.wording.operator.notice import OperatorWording
from tocsin.wording.operator.send_test import SendTestWording

from tests.house.code import ROOT

MANUAL = (ROOT / "docs" / "templates.md").read_text(encoding="utf-8")
SHIPPED = sources.read(shipped_folder()).texts
WORDS = {
    Wording: PLANNED,
    BundleWording: {"bundle"},
    OperatorWording: {"operator"},
    AnswerWording: {"answer"},
    SendTestWording: {"test"},
}
"""The classes of words, and the kinds of messages that are made of each."""
WHERE = "daemon/tocsin/adapters/jinja/advice/vocabulary.py"


def tables() -> dict[str, list[str]]:
    """The names in each table of the manual, by its heading."""
    part = MANUAL.partition("\n## Names\n")[2].partition("\n## ")[0]
    headed = [text.partition("\n") for text in part.split("\n### ")[1:]]
    rows = {
        heading: [line.split("|")[1] for line in text.splitlines() if line[:3] == "| `"] for heading, _, text in headed
    }
    return {heading: re.findall(r"`(\w+)`", " ".join(first)) for heading, first in rows.items()}


@pytest.mark.parametrize("words", WORDS, ids=lambda words: words.__name__)
def test_every_name_stands_in_a_section(words: type[Any]) -> None:
    """Whoever adds a name says which kinds of messages have it: so `check` knows, and the manual."""
    names, there = names_of(WORDS[words]), set(words.__slots__)
    new, gone = (", ".join(sorted(some)) for some in (there - names, names - there))
    assert not new, (
        f"{words.__name__} has new names ({new}): write each into {WHERE}, in the section of the kinds of messages that "
        "fill it (make one if there is none), and into the table of the same heading (###) in docs/templates.md"
    )
    assert not gone, f"{words.__name__} has no {gone} any more: take it out of {WHERE} and of docs/templates.md"


@pytest.mark.parametrize("section", SECTIONS, ids=lambda section: section.heading)
def test_the_manual_lists_every_name_of_every_kind(section: Any) -> None:
    """`docs/templates.md` has a table for each section, with just its names."""
    listed = tables().get(section.heading, [])
    assert listed or not section.names, (
        f'docs/templates.md has no table below "### {section.heading}", which {WHERE} has'
    )
    lacking, strange = section.names - set(listed), set(listed) - section.names
    assert not lacking, f'write {lacking} into the table below "### {section.heading}" of docs/templates.md'
    assert not strange, (
        f'"### {section.heading}" of docs/templates.md has {strange}: write it into {WHERE}, or out of it'
    )
    assert len(listed) == len(set(listed))


def test_the_manual_has_no_other_table() -> None:
    """A heading that is renamed in one place is renamed in both."""
    assert list(tables()) == [section.heading for section in SECTIONS]


def test_of_the_shipped_templates_all_is_meant() -> None:
    """No shipped file lies idle, and none uses a name that its kind of message does not have."""
    changed = {name: text + " " for name, text in SHIPPED.items() if name.endswith(".j2")}
    assert [str(advice) for advice in advise(changed, SHIPPED, ["en"])] == [], f"is it in the right section of {WHERE}?"
    assert advise(SHIPPED, SHIPPED, []) == ()
