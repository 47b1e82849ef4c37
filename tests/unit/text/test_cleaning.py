"""Strangers' texts made safe to show: what goes, what stays, and how a long one ends."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tocsin.text.cleaning import clean, cut, one_line, shown
from tocsin.text.decoding import TOP, UNPRINTABLE, displayed_path, problem
from tocsin.text.markdown import inline


@pytest.mark.parametrize(
    ("text", "cleaned"),
    [
        ("  plain  ", "plain"),
        ("a\tb", "a b"),
        ("\x1b[31mred\x1b[0m and \x1b]0;title\x07more", "red and more"),
        ("one\r\ntwo\rthree\u2028four\x0bfive", "one\ntwo\nthree\nfour\nfive"),
        ("safe\u202eevas\u200b\u2066\ufeff", "safeevas"),
        ("tag\U000e0041 lone\ud800", "tag lone"),
        ("none\ufffe at all\uffff", "none at all"),
        ("[31mkept", "[31mkept"),
        ("שלום, Ω, 支付, 🔥", "שלום, Ω, 支付, 🔥"),
    ],
)
def test_what_could_harm_whoever_shows_it_is_gone(text, cleaned):
    """Escapes, controls, marks that turn or hide text; scripts and emoji stay."""
    assert clean(text) == cleaned


def test_what_remains_of_an_escape_goes_only_where_escapes_were_lost():
    """A file whose control characters were taken out leaves `[31m` behind."""
    assert clean("[31mred[0m", escapes_lost=True) == "red"
    assert clean("see [a] and [31m") == "see [a] and [31m"


@given(st.text(st.characters(), max_size=60))
def test_cleaning_is_safe_and_done_once(text):
    """No control but the newline is left, nothing that a file cannot hold, and a clean text is not changed again."""
    cleaned = clean(text)
    assert not UNPRINTABLE.search(cleaned)
    assert clean(cleaned) == cleaned
    assert not [letter for letter in cleaned if unicodedata.category(letter) in ("Cc", "Cs") and letter != "\n"]


def test_one_line_has_no_line_breaks_and_no_runs_of_blanks():
    """Each stretch of blanks and breaks becomes one blank."""
    assert one_line("a\nb") == "a b"
    assert one_line("a  b") == "a b"
    assert one_line("a b") == "a b"


@pytest.mark.parametrize(
    ("text", "limit", "short"), [("abcde", 5, "abcde"), ("abcdef", 5, "abcd…"), ("abc def", 5, "abc…")]
)
def test_a_cut_text_ends_in_an_ellipsis_within_its_limit(text, limit, short):
    """What fits is left alone; blanks before the ellipsis go."""
    assert cut(text, limit) == short
    assert len(short) <= limit


@pytest.mark.parametrize(
    ("name", "printed"),
    [
        ("a b.yaml", "a b.yaml"),
        ("zürich.yaml", "zürich.yaml"),
        ("a\nb\x1b[2J", "a\\nb\\x1b[2J"),
        ("a\udcffb", "a\\udcffb"),
        ("x\u115f\u2063y", "x\u115f\\u2063y"),
    ],
)
def test_a_file_name_is_shown_with_escapes_for_what_cannot_be_printed(name, printed):
    """Letters stay; line breaks, escapes, lone surrogates and hidden characters are written out."""
    assert shown(name) == printed


def test_a_problem_stands_on_one_clean_line_of_bounded_length():
    """Whatever a file's text that it quotes holds."""
    message = problem("f", TOP, "code", "\x1b[31ma\n  b" + "x" * 1000).message
    assert message.startswith("a bxxx")
    assert len(message) == 400


@pytest.mark.parametrize(("label", "path"), [("config", "config/a.yaml"), ("/etc/t", "/etc/t/a.yaml"), (".", "a.yaml")])
def test_a_file_is_called_by_its_folder_and_path(label, path):
    """The present folder is not named."""
    assert displayed_path(label, "a.yaml") == path


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("a *b* _c_ `d` [e](f) <g> h|i ~j~ $k$", "a \\*b\\* \\_c\\_ \\`d\\` \\[e\\](f) \\<g\\> h\\|i \\~j\\~ \\$k\\$"),
        ("# title", "\\# title"),
        ("- entry", "\\- entry"),
        ("12. entry", "12\\. entry"),
        ("1) entry", "1\\) entry"),
        ("2026-11-23", "2026-11-23"),
        ("a # b", "a # b"),
        ("two\nlines", "two lines"),
    ],
)
def test_a_text_says_nothing_to_markdown(text, written):
    """Marks are plain characters, and a line's start makes no heading, list or rule."""
    assert inline(text) == written
