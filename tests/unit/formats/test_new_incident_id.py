"""The id of a declared incident: its date, its title in plain words, and a number where that is taken."""

from datetime import UTC, datetime
from itertools import islice

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tocsin.formats.incident.file_name import ID
from tocsin.formats.incident.new_id import SLUG_LIMIT, candidate_ids, slug

AT = datetime(2026, 11, 23, 10, 4, tzinfo=UTC)


def test_candidates_are_numbered_from_two() -> None:
    """The plain one first; a mark stands behind the title, before the number."""
    assert list(islice(candidate_ids("Card payments fail", AT), 3)) == [
        "2026-11-23-card-payments-fail",
        "2026-11-23-card-payments-fail-2",
        "2026-11-23-card-payments-fail-3",
    ]
    assert list(islice(candidate_ids("Down!", AT, "0f"), 2)) == ["2026-11-23-down-0f", "2026-11-23-down-0f-2"]
    assert next(candidate_ids("支付", AT)) == "2026-11-23-incident"
    assert next(candidate_ids("x" * 99, AT, "0f")) == f"2026-11-23-{'x' * (SLUG_LIMIT - 3)}-0f"


@pytest.mark.parametrize(
    ("title", "words"),
    [
        ("Card payments (EU) fail!", "card-payments-eu-fail"),
        ("Störung: Straße, don't panic", "storung-strasse-dont-panic"),
        ("  ", ""),
        ("one " * 15 + "x", "-".join(["one"] * 15)),
        ("a" * 70, "a" * 60),
        ("a" * 30 + " " + "b" * 29, "a" * 30 + "-" + "b" * 29),
        ("a" * 30 + " " + "b" * 30, "a" * 30),
    ],
)
def test_a_title_becomes_plain_words(title: str, words: str) -> None:
    """Accents go, blanks and signs become hyphens; a long title ends with a whole word, where it has one."""
    assert slug(title) == words


@given(st.text(max_size=200), st.text("abc0-9", max_size=8))
def test_every_candidate_is_an_id(title: str, mark: str) -> None:
    """Whatever the title, and no longer for a mark."""
    first, second = islice(candidate_ids(title, AT, mark), 2)
    assert ID.fullmatch(first)
    assert ID.fullmatch(second)
    assert len(first) <= len("2026-11-23-") + SLUG_LIMIT
