"""Links: only we can make them, and each opens one thing for one person."""

import re
from collections.abc import Callable
from urllib.parse import unquote

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st
from tocsin.app.reply_options import signed_links

KEYS = ("a key of more than sixteen", "the key before that one")
IDS = st.from_regex(r"[A-Za-z0-9][A-Za-z0-9._-]{0,40}", fullmatch=True)
ANYTHING = st.text(max_size=40)
PURPOSES: dict[str, Callable[..., str]] = {
    "answer": signed_links.answer,
    "unsubscribe": signed_links.unsubscribe,
}
ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"


def opened(path: str, keys: tuple[str, ...] = KEYS) -> bool:
    """Whether a path is one of ours, as the site reads it."""
    _, purpose, *parts, signature = path.split("/")
    return signed_links.verified(keys, signature, purpose, *map(unquote, parts))


@given(IDS, ANYTHING)
@example("card", "support+eu/de@example.com")
@example("card", "ünï@bücher.example")
@example("card", "{x}%2F?#@example.com")
def test_what_we_sign_is_ours(incident: str, reader: str) -> None:
    """Whatever a reader's name is made of, the path opens, and holds nothing but characters of a path."""
    for made in PURPOSES.values():
        path = made(KEYS, incident, reader)
        assert opened(path)
        assert re.fullmatch(r"[A-Za-z0-9/._~@%+-]+", path.replace("'", ""))
        assert path.count("/") == 4


@given(
    st.tuples(IDS, ANYTHING, st.sampled_from(sorted(PURPOSES))),
    st.tuples(IDS, ANYTHING, st.sampled_from(sorted(PURPOSES))),
)
def test_a_signature_is_for_one_thing(one: tuple[str, str, str], other: tuple[str, str, str]) -> None:
    """The signature of one incident, person and purpose opens no other."""
    assume(one != other)
    signature = PURPOSES[one[2]](KEYS, one[0], one[1]).rpartition("/")[2]
    assert not signed_links.verified(KEYS, signature, other[2], other[0], other[1])


@given(ANYTHING, ANYTHING)
def test_parts_do_not_run_into_each_other(one: str, other: str) -> None:
    """No two lists of parts are one text: moving a letter, or a part, over a border makes another signature."""
    signature = signed_links.answer(KEYS, one, other).rpartition("/")[2]
    for parts in ((one + other,), (one + other, ""), ("", one + other), (one, other, ""), (other, one)):
        if parts != (one, other):
            assert not signed_links.verified(KEYS, signature, "answer", *parts)
    assert not signed_links.verified(KEYS, signature, "incidents", one, other)
    assert not signed_links.verified(KEYS, signature, "oncall", one, other)


@given(st.text(max_size=60))
@example("")
@example("A" * 22)
@example("é" * 22)
@example("\udcff" * 22)
def test_no_guess_is_right(guess: str) -> None:
    """No text but the signature itself is taken, in whatever script, and none breaks the judge."""
    good = signed_links.answer(KEYS, "card", "ana").rpartition("/")[2]
    assume(guess != good)
    assert not signed_links.verified(KEYS, guess, "answer", "card", "ana")


def test_every_flip_and_every_cut_is_refused() -> None:
    """Each of the signature's characters changed to every other one, each prefix, each suffix, other case, padding."""
    good = signed_links.answer(KEYS, "card", "ana").rpartition("/")[2]
    assert len(good) == 22
    wrong = {good[:at] + letter + good[at + 1 :] for at in range(22) for letter in ALPHABET} - {good}
    wrong |= {good[:at] for at in range(22)} | {good[at:] for at in range(1, 22)}
    wrong |= {good.swapcase(), good + "=", good + "==", good + "A", " " + good, good + "\n", good + good}
    assert len(wrong) > 1400
    assert not [each for each in wrong if signed_links.verified(KEYS, each, "answer", "card", "ana")]


@pytest.mark.parametrize(
    ("signs", "verify", "opens"),
    [
        (["new"], ["new"], True),
        (["old"], ["new", "old"], True),
        (["new", "old"], ["newer", "new"], True),
        (["old"], ["new"], False),
        (["new", "old"], ["old"], False),
        (["new"], [], False),
    ],
)
def test_keys_are_rotated(signs: list[str], verify: list[str], opens: bool) -> None:
    """The first key signs, every key opens; a key that is gone takes its links along."""
    signature = signed_links.answer(signs, "card", "ana").rpartition("/")[2]
    assert signed_links.verified(verify, signature, "answer", "card", "ana") is opens
