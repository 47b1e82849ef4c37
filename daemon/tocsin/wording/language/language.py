"""A reader's language: how a sentence is said in it, how things are counted and listed, and which way it is read.

The English sentence itself is the name under which a catalogue has its translation; one that is missing is said in
English. Must not know where catalogues come from.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Literal

from babel.core import Locale, UnknownLocaleError
from babel.lists import format_list
from babel.numbers import format_decimal

from tocsin.wording.language.placeholders import filled

Direction = Literal["ltr", "rtl"]


@dataclass(frozen=True, slots=True)
class Translation:
    """A sentence in another language: its one form, or one for each sort of number that `which` tells apart."""

    forms: tuple[str, ...]
    which: Callable[[int], int] = field(default=lambda _number: 0, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Language:
    """A language by its code (`de`, `pt-BR`), and the sentences that are known in it by the English ones."""

    code: str
    words: Mapping[str, Translation] = field(default_factory=dict, compare=False, repr=False)

    def say(self, text: str, **fields: object) -> str:
        """The sentence in this language, each {name} filled in; in English where it is not known. The sentence stands
        in the code as it is, so that it can be found there for the catalogues.
        """
        return filled(self.sentence(text), fields)

    def count(self, one: str, many: str, number: int, **fields: object) -> str:
        """What is said of so many: `one` of a single thing, `many` of others. Both know {number}."""
        return filled(self.sentence_of(one, many, number), {**fields, "number": self.number(number)})

    def sentence(self, text: str) -> str:
        """The sentence in this language, nothing filled in."""
        known = self.words.get(text)
        return known.forms[0] if known else text

    def sentence_of(self, one: str, many: str, number: int) -> str:
        """The sentence that is said of so many, nothing filled in."""
        known = self.words.get(one)
        if known:
            return known.forms[known.which(number)]
        return one if number == 1 else many

    def listed(self, names: Sequence[str]) -> str:
        """Names as people list them: `a, b and c`."""
        locale = None if self.is_english else locale_of(self.code)
        if locale is None:
            return " and ".join(part for part in (", ".join(names[:-1]), *names[-1:]) if part)
        return format_list(names, locale=locale)

    def number(self, number: int) -> str:
        """A number as people write it: `12,000`."""
        locale = None if self.is_english else locale_of(self.code)
        return f"{number:,}" if locale is None else format_decimal(number, locale=locale)

    @property
    def is_english(self) -> bool:
        """Whether it is English, of whatever country."""
        return is_english(self.code)

    @property
    def direction(self) -> Direction:
        """Which way it is read: from left to right or from right to left."""
        return _direction_of(self.code)


ENGLISH = Language("en")


def is_english(code: str) -> bool:
    """Whether a code is English's, of whatever country."""
    return code.partition("-")[0].lower() == "en"


@lru_cache(maxsize=256)
def locale_of(code: str) -> Locale | None:
    """What is known of how people write in a language: of its country's if it names one, else of the language's; None
    where nothing is known of it.
    """
    for name in (code, *parents(code)):
        try:
            return Locale.parse(name, sep="-")
        except (UnknownLocaleError, ValueError):
            continue
    return None


@lru_cache(maxsize=256)
def _direction_of(code: str) -> Direction:
    locale = locale_of(code)
    return "rtl" if locale and locale.text_direction == "rtl" else "ltr"


def name_of(code: str) -> str:
    """A language as it is called in English: `Brazilian Portuguese`; its code where nobody knows."""
    locale = locale_of(code)
    return (locale.get_display_name("en") if locale else None) or code


def parents(code: str) -> tuple[str, ...]:
    """The languages that one falls back to, the nearest first: `zh-Hant-TW` to `zh-Hant`, then `zh`."""
    parts = code.split("-")
    return tuple("-".join(parts[:length]) for length in range(len(parts) - 1, 0, -1))
