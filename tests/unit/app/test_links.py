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


TOKEN = st.from_regex(r"[0-9A-Za-z]{16}", fullmatch=True)


@given(IDS, st.integers(1, 999_999), ANYTHING)
@example("card", 1, "ünï@bücher.example")
def test_a_token_is_short_and_opens_what_it_is_for(incident: str, episode: int, person: str) -> None:
    """P8 TOKEN: 16 letters that any SMS carries and no program breaks a link at; behind the host 19 characters."""
    token = signed_links.token(KEYS[0], incident, episode, person)
    assert re.fullmatch(r"[0-9A-Za-z]{16}", token)
    assert len(signed_links.SHORT + token) <= 20
    assert signed_links.answer_is_signed(KEYS, token, incident, person, episode)
    assert signed_links.answer_is_signed(KEYS[::-1], token, incident, person, episode)
    assert not signed_links.answer_is_signed(("another key altogether",), token, incident, person, episode)
    assert not signed_links.answer_is_signed((), token, incident, person, episode)


@given(st.tuples(IDS, st.integers(1, 99), ANYTHING), st.tuples(IDS, st.integers(1, 99), ANYTHING))
@example(("a", 1, "1b"), ("a1", 1, "b"))
@example(("a", 11, "b"), ("a", 1, "1b"))
def test_a_token_is_for_one_thing(one: tuple[str, int, str], other: tuple[str, int, str]) -> None:
    """Another incident, episode or person, or the same letters cut elsewhere: another token, and none opens another."""
    assume(one != other)
    token = signed_links.token(KEYS[0], *one)
    assert token != signed_links.token(KEYS[0], *other)
    incident, episode, person = other
    assert not signed_links.answer_is_signed(KEYS, token, incident, person, episode)


@given(TOKEN)
def test_no_guessed_token_is_right(guess: str) -> None:
    """Nor in another case, cut or doubled; and it is no signature of anything else that we sign."""
    good = signed_links.token(KEYS[0], "card", 1, "ana")
    for wrong in (guess, good.swapcase(), good[:-1], good[1:], good + good, good + "\n", good + "é", "", good.lower()):
        if wrong != good:
            assert not signed_links.answer_is_signed(KEYS, wrong, "card", "ana", 1)
    assert not signed_links.verified(KEYS, good, "answer", "card", "ana")
    assert not signed_links.verified(KEYS, good, "unsubscribe", "card", "ana")


def test_ten_thousand_tokens_are_all_different() -> None:
    """Letters of every kind in every place: nothing of the number is wasted, and no two people share a link."""
    tokens = [signed_links.token(KEYS[0], f"incident-{number}", 1, "ana") for number in range(10_000)]
    assert len(set(tokens)) == 10_000
    assert len({token.lower() for token in tokens}) == 10_000
    for place in range(16):
        assert len({token[place] for token in tokens}) >= 60


def test_the_ledger_keeps_no_token() -> None:
    """What it keeps is not the token and does not lead to it."""
    token = signed_links.token(KEYS[0], "card", 1, "ana")
    assert re.fullmatch(r"[0-9a-f]{64}", signed_links.token_digest(token))
    assert token.lower() not in signed_links.token_digest(token)
    assert signed_links.token_digest("\udcff")
