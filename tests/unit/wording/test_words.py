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
