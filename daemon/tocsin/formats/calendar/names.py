"""Whom an event of a calendar names.

A summary counts before an attendee. A text names a person by id, full name or email, in any case; a full name or email
also inside a longer text. Must not know iCalendar, nor when anybody is on call.
"""

import re
import unicodedata
from collections.abc import Iterable, Mapping

from tocsin.domain.people import Person

TEXT_MOST = 1_000
"""The most letters of a summary or attendee that are looked at."""

_PART_OF_ADDRESS = r"[\w.+-]"


class Names:
    """Who a text means, from the people of the config."""

    def __init__(self, people: Mapping[str, Person]) -> None:
        self._exact: list[dict[str, tuple[str, ...]]] = [{}, {}, {}]
        for person in people.values():
            for known, word in zip(self._exact, (person.id, person.name, person.email), strict=True):
                if word:
                    known[_folded(word)] = (*known.get(_folded(word), ()), person.id)
        self._inside = [
            (_folded(word), _inside(word), person.id) for person in people.values() for word in _long(person)
        ]
        self._known: dict[str, tuple[str, ...]] = {}

    def of(self, summary: str, attendees: Iterable[str]) -> tuple[str, ...]:
        """The people whom the summary names, else those whom the attendees name, the first one first."""
        return self._named(summary) or tuple(
            dict.fromkeys(name for attendee in attendees for name in self._named(attendee))
        )

    def _named(self, text: str) -> tuple[str, ...]:
        """Whom a text names; kept, because the same stands in many events."""
        if (named := self._known.get(text)) is None:
            folded = _folded(text[:TEXT_MOST])
            named = next((known[folded] for known in self._exact if folded in known), ()) or self._found_in(folded)
            self._known[text] = named
        return named

    def _found_in(self, text: str) -> tuple[str, ...]:
        """The people whose names stand in a longer text, in its order; a name inside a longer name is none."""
        matches = [
            (match.span(), person)
            for word, pattern, person in self._inside
            if word in text
            for match in pattern.finditer(text)
        ]
        matches.sort(key=lambda match: (match[0][0], -match[0][1]))
        spans = [span for span, _ in matches]
        alone = (
            person
            for (start, end), person in matches
            if not any(other[0] <= start and end <= other[1] and other != (start, end) for other in spans)
        )
        return tuple(dict.fromkeys(alone))


def _long(person: Person) -> Iterable[str]:
    return filter(None, (person.name, person.email))


def _inside(word: str) -> re.Pattern[str]:
    """The word on its own: not the middle of another name, nor of another address."""
    folded = re.escape(_folded(word))
    if "@" in word:
        return re.compile(rf"(?<!{_PART_OF_ADDRESS}){folded}(?!-?\w|\.\w)")
    return re.compile(rf"(?<!\w){folded}(?!\w)")


def _folded(text: str) -> str:
    """The text without what doesn't matter: case, blanks, and how accents are encoded."""
    return " ".join(unicodedata.normalize("NFC", text).split()).casefold()
