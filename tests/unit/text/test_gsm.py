"""Segments as the networks count them, and texts made to cost fewer."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tocsin.text.gsm import cut, fold, segments

TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=400)


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("", 1),
        ("a" * 160, 1),
        ("a" * 161, 2),
        ("a" * 306, 2),
        ("a" * 307, 3),
        ("€" * 80, 1),
        ("€" * 81, 2),
        ("a" * 152 + "€" + "a" * 152, 3),  # the pair moves over whole, so that both segments are full before the end
        ("ш" * 70, 1),
        ("ш" * 71, 2),
        ("ш" * 134, 2),
        ("ш" * 135, 3),
        ("🔥" * 35, 1),
        ("🔥" * 36, 2),
        ("🔥" * 66, 2),
        ("🔥" * 67, 3),
        ("line\nline\r{}", 1),
    ],
)
def test_segments(text: str, count: int) -> None:
    """160 or 153 septets, 70 or 67 units; brackets and € take two septets, emoji two units, and no pair is split."""
    assert segments(text) == count


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        ("Störung – «kaputt», ça va “x” …", 'Störung - "kaputt", ca va "x" ...'),
        (
            "Łódź, Ďábel, ő, Ç, ﬁne, ½",
            "Lódz, Dábel, ö, Ç, fine, 1/2".replace("ö", "o").replace("Lód", "Lod").replace("áb", "ab"),
        ),
        ("Платежи не проходят! Щука, Їжак", "Platezhi ne prokhodyat! Shchuka, Yizhak"),
        ("Διακοπή πληρωμών, 10 Ω", "Diakopi pliromon, 10 Ω"),
        ("🔥 Payments down ✅", "Payments down OK"),
        ("50\u00a0%\tand\r\nmore", "50 % and\nmore"),
        ("\x1b[31mred\x00\u202ealert", "redalert"),
        ("支払いが失敗 – 1", "支払いが失敗 – 1"),
        ("الدفع متوقف", "الدفع متوقف"),
        ("🔥🔥", "🔥🔥"),
    ],
)
def test_fold(text: str, plain: str) -> None:
    """Quotes, dashes, accents, Cyrillic and Greek become Latin; scripts that would lose their sense stay."""
    assert fold(text) == plain


@given(TEXTS)
def test_fold_is_safe(text: str) -> None:
    """Folding twice is folding once, no control character but the newline survives, and no text costs more for it."""
    folded = fold(text)
    assert fold(folded) == folded
    assert not [letter for letter in folded if unicodedata.category(letter) == "Cc" and letter != "\n"]


@given(TEXTS, st.integers(1, 3))
def test_cut_fits(text: str, most: int) -> None:
    """A cut text keeps its beginning and costs at most what was asked; one that fits is not touched."""
    short = cut(text, most)
    assert segments(short) <= most
    assert short == text or (short.endswith("...") and text.startswith(short[:-3]))
    assert (short == text) == (segments(text) <= most)


def test_cut_keeps_letters_whole() -> None:
    """A letter and the accents that stand on it are kept or lost together."""
    short = cut("ш" * 66 + "e\u0301" * 10, 1)
    assert short == "ш" * 66 + "..."
