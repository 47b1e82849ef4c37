"""Whom somebody means who types who they are."""

import re
from collections.abc import Iterable

from tocsin.domain.people import Person
from tocsin.text.cleaning import clean, one_line

NUMBER = re.compile(r"\+?[0-9 ().\-/]{6,30}")


def named_person(people: Iterable[Person], typed: str) -> Person | None:
    """The person of that id, name, mailbox or number, however it is written; None where it is nobody's, or that of
    several.
    """
    words = one_line(clean(typed)).strip().casefold()
    number = _number(words)
    meant = {person.id: person for person in people if words and _is_called(person, words, number)}
    by_id = [person for person in meant.values() if person.id.casefold() == words]
    if len(by_id) == 1:
        return by_id[0]
    return next(iter(meant.values())) if len(meant) == 1 else None


def _is_called(person: Person, words: str, number: str) -> bool:
    if words in (person.id.casefold(), one_line(clean(person.name)).casefold()):
        return True
    return (bool(person.email) and words == person.email.casefold()) or (bool(person.phone) and number == person.phone)


def _number(words: str) -> str:
    """A number with its country code, as the config has it, whether `+` or `00` or nothing was typed before it; empty:
    it is none.
    """
    return "+" + re.sub("[^0-9]", "", words).removeprefix("00") if NUMBER.fullmatch(words) else ""
