"""The words of all languages: every sentence that is said is in the catalogues' template, and stands there as it is."""

import ast
import re

import pytest
from tocsin.text.gsm import fold, segments
from tocsin.wording.language.catalogue import read_catalogue

from tests.builders.words import CODE, POT, TEMPLATES, header_of, pot, sentences, tables, up_to_date, written

SHIPPED = sorted(path.parent.name for path in TEMPLATES.glob("*/messages.po"))
SAID_FROM_TABLES = {"wording/operator/", "wording/message/page_words.py"}
"""Where code says what stands in a table that `make words` knows."""


def test_every_sentence_is_in_the_template() -> None:
    """`make words` was run since a sentence was last changed."""
    assert POT.read_text() == pot()


@pytest.mark.parametrize("code", SHIPPED)
def test_catalogues_are_as_make_words_writes_them(code: str) -> None:
    """With the sentences of today."""
    text = (TEMPLATES / code / "messages.po").read_text()
    assert written(up_to_date(text, code), header_of(code)) == text


@pytest.mark.parametrize("code", SHIPPED)
def test_catalogues_are_sound(code: str) -> None:
    """Each translation has the names of its sentence and begins and ends as that does; every form of a count is there;
    and all of it can go by SMS in the letters that cost least.
    """
    text = (TEMPLATES / code / "messages.po").read_text()
    words, faults = read_catalogue(text, code)
    assert faults == ()
    assert "fuzzy" not in text
    assert "#~" not in text
    wrong = []
    for sentence, translation in words.items():
        for form in translation.forms:
            bare = fold(re.sub(r"\{\w+\}", "x", form))
            if (form.strip() != form) or (form[-1] in ".?!:") != (sentence[-1] in ".?!:"):
                wrong.append(form)
            if any(segments(letter * 71) > 1 for letter in set(bare)):
                wrong.append(bare)
            if set(re.findall(r"`[^`]+`", form)) != set(re.findall(r"`[^`]+`", sentence)):  # what is typed stays
                wrong.append(form)
    assert not wrong
    assert {len(translation.forms) for translation in words.values()} == {1, 2}


@pytest.mark.parametrize("code", SHIPPED)
def test_shipped_languages_are_complete(code: str) -> None:
    """Whoever reads one of them reads no sentence in English."""
    words, _ = read_catalogue((TEMPLATES / code / "messages.po").read_text(), code)
    said = {text if isinstance(text, str) else text[0] for _, text in sentences()}
    assert sorted(said - set(words)) == []


def test_sentences_stand_in_the_code_as_they_are() -> None:
    """Whoever says a sentence writes it there: only so is it found."""
    wrong = []
    for path in sorted(CODE.rglob("*.py")):
        text = path.read_text()
        name = path.relative_to(CODE).as_posix()
        if "tocsin.wording.language" not in text or any(name.startswith(place) for place in SAID_FROM_TABLES):
            continue
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "say":
                first = node.args[0] if node.args else None
                if not (isinstance(first, ast.Constant) and isinstance(first.value, str)):
                    wrong.append(f"{name}:{node.lineno}")
    assert not wrong
    assert list(tables())


NAMED_BY = {
    "page": "Page",
    "stand down": "Stand down",
    "update": "Next update by {time}.",
    "incident": "The incident is resolved.",
    "severity": "The severity changed.",
    "on call": "You get this because the on-call plan names you.",
    "responder": "responder",
    "last resort": "the last resort ({people})",
    "bridge": "Meet",
    "runbook": "Runbook",
    "review": "Please finish the post-incident review.",
    "drill": "DRILL: this is an exercise.",
    "ledger": "The ledger was damaged",
}
"""Sentences in which the terms of the translators' list stand."""


@pytest.mark.parametrize("code", SHIPPED)
def test_terms_are_those_of_the_translators_list(code: str) -> None:
    """docs/templates.md, "Words for translators": the same word for the same thing."""
    part = (TEMPLATES.parent / "docs" / "templates.md").read_text().partition("### Words for translators")[2]
    rows = [[cell.strip() for cell in line.split("|")[1:-1]] for line in part.splitlines() if line.startswith("| ")]
    column = rows[0].index(code)
    terms = {row[0]: row[column] for row in rows[1:] if row[0] in NAMED_BY}
    assert terms.keys() == NAMED_BY.keys()
    words, _faults = read_catalogue((TEMPLATES / code / "messages.po").read_text(), code)
    said = {term: words[sentence].forms[0] for term, sentence in NAMED_BY.items()}
    assert not {term: text for term, text in said.items() if terms[term].casefold() not in text.casefold()}


@pytest.mark.parametrize("code", SHIPPED)
def test_a_time_that_may_have_a_day_follows_no_word_for_the_hour(code: str) -> None:
    """`um Di., 24. Nov., 03:11` and `à mar. 24 nov., 03:11` are no German and no French."""
    words, _faults = read_catalogue((TEMPLATES / code / "messages.po").read_text(), code)
    forms = [form for translation in words.values() for form in translation.forms]
    assert not [form for form in forms if re.search(r"\b(um|à|a las|las|às|as) \{time\}", form)]


def test_a_role_that_is_asked_for_is_not_one_that_is_held() -> None:
    """In no language do both read alike."""
    for code in SHIPPED:
        words, _faults = read_catalogue((TEMPLATES / code / "messages.po").read_text(), code)
        asked, held = (words[text].forms[0] for text in ("You are asked to be {role}.", "You are {role}."))
        assert held.partition("{")[0].split()[0] != asked.partition("{")[0].split()[0], code
