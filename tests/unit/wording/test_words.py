"""The words of all languages: every sentence that is said is in the catalogues' template, and stands there as it is."""

import ast

import pytest

from tests.builders.words import CODE, POT, TEMPLATES, header_of, pot, tables, up_to_date, written

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
