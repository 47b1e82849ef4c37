"""Whom an event of a calendar names (product.md section 3, "Calendar rotations").

A summary counts before an attendee. A text names a person by id, full name or email, in any case; a full name or email
also inside a longer text. Must not know iCalendar, nor when anybody is on call.
"""

import re
import unicodedata
from collections.abc import Iterable, Mapping

from daemon.domain.people import Person

_PART_OF_ADDRESS = r"[\w.+-]"


class Names:
    """Who a text means, from the people of the config."""

    def __init__(self, people: Mapping[str, Person]) -> None:
        self._exact: dict[str, str] = {}
        for words in (
            [(person.id, person) for person in people.values()],
            [(person.name, person) for person in people.values()],
            [(person.email, person) for person in people.values()],
        ):
            for word, person in words:
                if word:
                    self._exact.setdefault(_folded(word), person.id)
        self._inside = [(_inside(word), person.id) for person in people.values() for word in _long(person)]

    def of(self, texts: Iterable[str]) -> str | None:
        """The person whom the first text that names anybody names."""
        for text in texts:
            folded = _folded(text)
            person = self._exact.get(folded) or self._found_in(folded)
            if person:
                return person
        return None

    def _found_in(self, text: str) -> str | None:
        """The person whose name stands first in a longer text; of two at one place the longer name."""
        matches = [(match, person) for pattern, person in self._inside if (match := pattern.search(text))]
        return min(matches, key=lambda found: (found[0].start(), -found[0].end()))[1] if matches else None


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
