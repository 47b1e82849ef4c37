"""One person is taken out of texts and values: where a person is meant, where others wrote of them, what they wrote.

Three rules, by what a value is (P7). A field that holds people names them by id, name or address, in any case. A text
of others has them where a full name stands with its capitals, an address, or `@id`: an id or a name of one word may be
any word. What an entry says that bears their name is theirs. Every other field stays as it is.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from tocsin.ports.ledger.upkeep import ERASED, Erasure
from tocsin.text import gsm

WRITERS = frozenset({"by", "person", "reader"})
"""Fields that say whose an entry is."""
OWN = frozenset({"text", "public", "number", "address"})
"""Fields that hold what is theirs in an entry that is: words, and where they are reached."""
PEOPLE = frozenset({"by", "person", "people", "reader", "first", "without", "declared_by", "verified_by"})
"""Fields that hold people, by themselves or in a list."""
PAIRED = {"readers": 0, "roles": 1}
"""Fields that hold pairs, of which one is a person."""
TEXTS = frozenset(
    {"title", "public_title", "summary", "impact", "resolution", "public_resolution", "review", "bridge", "links"}
    | {"text", "public", "detail"}
)
"""Fields that hold what people, or providers, wrote."""
SHORTEST = 12
"""Characters of something written from which on it is looked for in messages to others."""
DOTS = ("…", "...")
"""What a text that was shortened ends with."""
_ESCAPED = {"'": "(?:'|&#39;|&#x27;)", "&": "&(?:amp;)?"}
"""Letters that stand otherwise in HTML."""
_BETWEEN_DIGITS = r"[ ()./\u00a0-]*"


@dataclass(frozen=True)
class Forgotten:
    """Who is forgotten; `name` stands for them. `written` is what they wrote, as it may stand in messages to others."""

    erasure: Erasure
    name: str = f"somebody ({ERASED})"
    written: Sequence[str] = ()

    @cached_property
    def _all_names(self) -> frozenset[str]:
        return frozenset(word.casefold() for word in (self.erasure.person, *self.erasure.words, *self.erasure.names))

    @cached_property
    def _in_texts(self) -> re.Pattern[str]:
        words = sorted(filter(str.strip, self.erasure.words), key=len, reverse=True)
        by_id = rf"(?<![\w@.])@{re.escape(self.erasure.person)}(?![\w@-]|\.\w)"
        return re.compile("|".join([*map(_pattern, words), by_id]))

    def is_theirs(self, value: object) -> bool:
        """Whether a field that holds a person, or an address, names them."""
        return isinstance(value, str) and value.casefold() in self._all_names

    def text(self, text: str) -> str:
        """A text of somebody else, without them."""
        return self._in_texts.sub(self.name, text)

    def message(self, text: str) -> str:
        """What was written to others, without them and what they wrote, also where it was shortened."""
        for written in self._written_forms:
            text = _without(text, written)
        return self.text(text)

    @cached_property
    def _written_forms(self) -> Sequence[str]:
        """Longest first, since one may begin as another does."""
        forms = {form for text in self.written for form in (text, gsm.fold(text))}
        return sorted((" ".join(form.split()) for form in forms), key=len, reverse=True)

    def names(self, text: str) -> bool:
        """Whether a text names them."""
        return bool(self._in_texts.search(text))

    def fields(self, values: dict[str, Any]) -> dict[str, Any]:
        """An entry without them; of one of theirs nothing but that it was."""
        theirs = any(self.is_theirs(values.get(key)) for key in WRITERS)
        return {
            key: ERASED if theirs and key in OWN and value else self._field(key, value) for key, value in values.items()
        }

    def _field(self, key: str, value: Any) -> Any:
        if isinstance(value, dict):
            return self.fields(value)
        if isinstance(value, list):
            if key in PAIRED:
                return [self._pair(PAIRED[key], one) for one in value]
            return [self._field(key, one) for one in value]
        if not isinstance(value, str):
            return value
        if key in PEOPLE and self.is_theirs(value):
            return self.name
        if key not in PEOPLE | TEXTS:
            return value
        if value not in self._known_values:
            self._known_values[value] = self.text(value)
        return self._known_values[value]

    @cached_property
    def _known_values(self) -> dict[str, str]:
        """What became of values: every version of a file has those of the one before."""
        return {}

    def _pair(self, place: int, pair: Any) -> Any:
        if not isinstance(pair, list):
            return pair
        return [self.name if at == place and self.is_theirs(one) else one for at, one in enumerate(pair)]

    def entries_of(self, values: dict[str, Any]) -> Iterator[str]:
        """What they wrote in an entry, or in those below it, that may stand in messages."""
        theirs = any(self.is_theirs(values.get(key)) for key in WRITERS)
        for key, value in values.items():
            if theirs and key in OWN & TEXTS and isinstance(value, str) and len(value) >= SHORTEST:
                yield value
            for one in value if isinstance(value, list) else [value]:
                if isinstance(one, dict):
                    yield from self.entries_of(one)


def _pattern(word: str) -> str:
    """How a name or an address is looked for."""
    if "@" in word:
        return rf"(?<![\w.+@-])(?i:{re.escape(word)})(?![\w@-]|\.\w)"
    if re.fullmatch(r"\+\d+", word):
        return rf"(?<!\w)\+{_BETWEEN_DIGITS}{_BETWEEN_DIGITS.join(word[1:])}(?!\d)"
    letters = r"\s+".join("".join(map(_letter, part)) for part in word.split())
    return rf"(?<!\w){letters}(?!\w)"


def _letter(letter: str) -> str:
    """A capital is one; any other letter may be."""
    capital = letter.upper()
    if letter.islower() and len(capital) == 1:
        return f"[{letter}{capital}]"
    return _ESCAPED.get(letter) or re.escape(letter)


def _without(text: str, written: str) -> str:
    """A text without what was written, wherever its lines break, whole or as far as it was not cut."""
    begin = _as_lines_break(written[:SHORTEST])
    if begin.search(text) is None:
        return text
    text = _as_lines_break(written).sub(ERASED, text)
    if not any(dots in text for dots in DOTS):
        return text
    parts, at = list[str](), 0
    for found in begin.finditer(text):
        end = _end(text, found.start(), written)
        if end is not None and found.start() >= at:
            parts += [text[at : found.start()], ERASED]
            at = end
    return "".join([*parts, text[at:]])


def _as_lines_break(written: str) -> re.Pattern[str]:
    return re.compile(r"\s+".join(map(re.escape, written.split())))


def _end(text: str, start: int, written: str) -> int | None:
    """Where the dots begin that cut short what begins there; None: it was not cut, or is something else."""
    at = start
    for letter in written:
        if letter == " " and text[at : at + 1].isspace():
            while text[at : at + 1].isspace():
                at += 1
        elif text[at : at + 1] == letter:
            at += 1
        else:
            break
    return at if text.startswith(DOTS, at) else None
