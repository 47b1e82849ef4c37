"""The grammar of answers: what counts, and above all what does not."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from daemon.documents.reply import Reply, Verb, read

OKS = ["ok", "OK", "Ok", "ack", "Ack", "a", "A", "yes", "YES", "ｏｋ", "𝐨𝐤", " ok ", "ok.", "ok!", "'ok'", '"ok"', "«ok»", "„ok“", "“ok”",
       "‘ok’", "「ok」", "(ok)", "o\u200bk", "\u202aok\u202c", "\u2067ok\u2069", "\ufeffok", "ok\u00a0", "\u3000ok", "ok\ufe0f", "\tok", "ok\r\n",
       "\n\nok", "ok\nSent from my phone", "ok…"]  # fmt: skip
CODED = ["ok K7", "K7", "k7", "k7 ok", "ok k7", "okk7", "OK, K7", "ok: k7", "ok #k7", "#K7", "ack k7", "yes K7", "a k7", "'ok' k7", "ok 'k7'",
         "ok - k7", "ok\u00a0K7", "ｏｋ　Ｋ７", "ok K７", "ok K٧", "ok K७", "ok K⁷", "K7.", "K7!", "\u200fK7\u200f", "ok\u2003k7", "ok K7\nthanks",
         "\u212a7", "K7 yes", "k7 a"]  # fmt: skip
PASSES = ["pass", "PASS", "no", "No.", "pass k7", "k7 pass", "no K7", "K7 no", "passK7"]
UNCLEAR = ["", " ", "?", "👍", "okay", "ok ok", "ok thanks", "ok, on it", "k", "kk", "o k", "0k", "оk", "ок", "οk", "ok K", "ok 7", "ok 7K", "ok K777", "K 7",
           "K7K8", "ok K7 K8", "nok7", "not ok", "nok", "aok", "acknowledge", "yess", "yes please", "nope", "no way", "да", "是", "はい", "نعم", "हाँ",
           "ja", "oui", "sí", "ok-k", "ok\u0336", "ök", "ack!k", "Please ok K7", "I said ok", "> ok", "ok К7", "ok Κ7", "ok k７７７", "A1B2", "passport",
           "note", "note ", "notes: x", "a note", "statusk7", "status?k", "\x00", "\ud800", "ok\ud800", "K7 note", "yesno"]  # fmt: skip


@pytest.mark.parametrize("text", OKS)
def test_a_bare_ok(text: str) -> None:
    """Case, quotes, blanks, widths and marks that nobody sees don't matter."""
    assert read(text) == Reply(Verb.OK)


@pytest.mark.parametrize("text", CODED)
def test_an_ok_with_its_code(text: str) -> None:
    """The code before or after, or alone; digits of any script."""
    assert read(text) == Reply(Verb.OK, "K7")


@pytest.mark.parametrize("text", PASSES)
def test_a_pass(text: str) -> None:
    """With or without its code."""
    assert read(text).verb is Verb.PASS
    assert read(text).code in ("", "K7")


@pytest.mark.parametrize("text", UNCLEAR)
def test_anything_else_is_not_taken_for_an_answer(text: str) -> None:
    """Letters that only look alike, words around it, half a code, other languages."""
    assert read(text) == Reply(Verb.UNCLEAR)


@pytest.mark.parametrize(
    "text", ["help", "STOP", "Stop.", "unsubscribe", "START", "cancel", "end", "quit", "info", "'stop'"]
)
def test_the_carrier_s_words_are_left_to_it(text: str) -> None:
    """They are answered by the carrier, or change a subscription."""
    assert read(text) == Reply(Verb.CARRIER)


@pytest.mark.parametrize(
    ("text", "code", "said", "whole"),
    [
        ("note disk is full", "", "disk is full", "disk is full"),
        ("NOTE: Größe 数据 हिन्दी", "", "Größe 数据 हिन्दी", "Größe 数据 हिन्दी"),
        ("note K7 disk is full", "K7", "disk is full", "K7 disk is full"),
        ("k7 note disk is full", "K7", "disk is full", "disk is full"),
        ("note two\nlines\x07", "", "two lines", "two lines"),
        ("note ok K7", "", "ok K7", "ok K7"),
        ("note " + "x" * 5000, "", "x" * 1000, "x" * 1000),
    ],
)
def test_a_note_keeps_its_words(text: str, code: str, said: str, whole: str) -> None:
    """Cleaned, on one line, bounded; its first word may be a code, or not."""
    assert read(text) == Reply(Verb.NOTE, code, said, whole)


@given(st.text())
def test_whatever_is_written_is_read(text: str) -> None:
    """It never raises, and a code is a letter and one or two digits of ASCII."""
    found = read(text)
    assert found.code == "" or (
        found.code[0] in "ABCDEFGHIJKLMNOPQRSTUVWXYZ" and found.code[1:].isdecimal() and found.code.isascii()
    )


@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=6))
def test_only_exact_words_act(text: str) -> None:
    """Whatever acts is, in plain letters, one of the words or a code."""
    if read(text).verb in (Verb.OK, Verb.PASS, Verb.STATUS):
        plain = unicodedata.normalize("NFKC", text).casefold()
        assert any(
            word in "".join(plain.split()) or read(text).code for word in ("ok", "a", "yes", "no", "pass", "status")
        )
