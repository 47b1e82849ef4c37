"""Facts to JSON and back, tagged with the name of their class; outcomes do the same in `outcome_codec`.

What does not fit its class, or is of one that only a newer tocsin knows, is a ValueError that says so in a few words;
nothing is guessed.
"""

import json
from collections.abc import Callable
from functools import cache
from typing import Any, TypeVar, get_args

from pydantic import TypeAdapter, ValidationError

from tocsin.domain.facts import Fact
from tocsin.domain.incident import TimelineNote, UpdateEntry

_FACTS = {fact.__name__ for fact in get_args(Fact)}
_CLASSES = {of.__name__: of for of in (*get_args(Fact), UpdateEntry, TimelineNote)}
Entry = TypeVar("Entry", UpdateEntry, TimelineNote)


class UnknownClassError(ValueError):
    """The ledger holds a fact or an outcome that only a newer tocsin knows."""

    def __init__(self, name: str) -> None:
        super().__init__(f'"{name}" is a word that only a newer tocsin knows')


@cache
def _adapter(name: str) -> TypeAdapter[Any]:
    """Made when first needed: making them all takes longer than most commands run."""
    return TypeAdapter(_CLASSES[name])


@cache
def _reader(name: str) -> Callable[[str], Any]:
    """What reads a value of this class: past the adapter, whose own method costs as much again for a short one."""
    reader: Callable[[str], Any] = _adapter(name).validator.validate_json
    return reader


def write_fact(fact: Fact) -> str:
    """The JSON of a fact, without its class's name."""
    adapter = _adapter(type(fact).__name__)
    try:
        body: bytes = adapter.dump_json(fact, exclude_defaults=True)
    except ValueError:  # half a surrogate pair in a text: it is no character, and must not keep a fact out
        fields = adapter.dump_python(fact, mode="json", exclude_defaults=True)
        return replace_non_characters(json.dumps(fields, ensure_ascii=False))
    return body.decode()


def read_fact(name: str, body: str) -> Fact:
    """A fact of the class with this name. Raises UnknownClassError, or ValueError for a body that does not fit it."""
    if name not in _FACTS:
        raise UnknownClassError(name)
    try:
        fact: Fact = _reader(name)(body)
    except ValidationError as fault:
        raise ValueError(brief(fault)) from None
    if fact.at.tzinfo is None:
        raise ValueError("at: it has no offset")
    return fact


def read_entry(kind: type[Entry], body: str) -> Entry:
    """An entry of a list of a version. Raises ValueError."""
    entry: Entry = _adapter(kind.__name__).validate_json(body)
    return entry


def brief(fault: ValidationError) -> str:
    """The first thing that is wrong, as `field: what`."""
    error = fault.errors(include_url=False, include_context=False, include_input=False)[0]
    place = ".".join(str(step) for step in error["loc"])
    return f"{place}: {error['msg']}" if place else error["msg"]


def replace_non_characters(text: str) -> str:
    """The text as every database can hold it: halves of surrogate pairs, and NUL, become question marks."""
    return text.encode("utf-8", "replace").decode().replace("\0", "?")
