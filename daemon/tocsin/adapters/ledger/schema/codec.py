"""Facts and outcomes to JSON and back, tagged with the name of their class.

What does not fit its class, or is of one that only a newer tocsin knows, is a ValueError that says so in a few words;
nothing is guessed.
"""

import json
from dataclasses import replace
from functools import cache
from typing import Any, get_args

from pydantic import TypeAdapter, ValidationError

from tocsin.domain.delivery import Outcome
from tocsin.domain.facts import Fact, Seen
from tocsin.domain.incident import UpdateEntry

_FACTS = {fact.__name__ for fact in get_args(Fact)}
_OUTCOMES = {outcome.__name__ for outcome in get_args(Outcome)}
_CLASSES = {of.__name__: of for of in (*get_args(Fact), *get_args(Outcome), UpdateEntry)}
_UPDATES = '"updates":['
"""Where the entries of a version begin. It stands in no text: there quotes are escaped."""
_DECODER = json.JSONDecoder()


class UnknownClassError(ValueError):
    """The ledger holds a fact or an outcome that only a newer tocsin knows."""

    def __init__(self, name: str) -> None:
        super().__init__(f'"{name}" is a word that only a newer tocsin knows')


@cache
def _adapter(name: str) -> TypeAdapter[Any]:
    """Made when first needed: making them all takes longer than most commands run."""
    return TypeAdapter(_CLASSES[name])


def write_fact(fact: Fact) -> str:
    """The JSON of a fact, without its class's name."""
    adapter = _adapter(type(fact).__name__)
    try:
        body: bytes = adapter.dump_json(fact, exclude_defaults=True)
    except ValueError:  # half a surrogate pair in a text: it is no character, and must not keep a fact out
        fields = adapter.dump_python(fact, mode="json", exclude_defaults=True)
        return replace_surrogates(json.dumps(fields, ensure_ascii=False))
    return body.decode()


def read_fact(name: str, body: str) -> Fact:
    """A fact of the class with this name. Raises UnknownClassError, or ValueError for a body that does not fit it."""
    if name not in _FACTS:
        raise UnknownClassError(name)
    try:
        fact: Fact = _adapter(name).validate_json(body)
    except ValidationError as fault:
        raise ValueError(_brief(fault)) from None
    if fact.at.tzinfo is None:
        raise ValueError("at: it has no offset")
    return fact


class FactReader:
    """Reads the facts of one incident, in their order.

    Each version holds all `updates` that people ever wrote, so that reading each one whole would cost the square of
    their number, in time and in memory: what a version has in common with the one before is taken from there.
    """

    def __init__(self) -> None:
        self._text = ""
        self._updates: tuple[UpdateEntry, ...] = ()

    def read(self, name: str, body: str) -> Fact:
        """As `read_fact` does."""
        if name != Seen.__name__ or body.count(_UPDATES) != 1:
            return read_fact(name, body)
        begin = body.index(_UPDATES) + len(_UPDATES)
        fresh = self._further_entries(body, begin)
        if fresh is None:
            fact = read_fact(name, body)
            assert isinstance(fact, Seen)
            entries, ends = fact.incident.updates, _array_end(body, begin)
        else:
            written, ends = fresh
            fact = read_fact(name, body[:begin] + body[ends:])
            assert isinstance(fact, Seen)
            entries = self._updates + tuple(_read_entry(entry) for entry in written)
            fact = replace(fact, incident=replace(fact.incident, updates=entries))
        self._text, self._updates = (body[begin:ends], entries) if entries else ("", ())
        return fact

    def _further_entries(self, body: str, begin: int) -> tuple[list[Any], int] | None:
        """What a list of entries, which begins there, has behind those that are known, and where it ends; None where
        it does not begin with them.
        """
        known_to = begin + len(self._text)
        if not self._text or not body.startswith(self._text, begin):
            return None
        if body.startswith("]", known_to):
            return [], known_to
        if not body.startswith(",", known_to):
            return None
        rest = "[" + body[known_to + 1 :]
        try:
            entries, length = _DECODER.raw_decode(rest)
        except (ValueError, RecursionError):
            return None
        return entries, known_to + length - 1


def _array_end(body: str, begin: int) -> int:
    """Where a list of good JSON ends whose first entry begins there."""
    return begin + _DECODER.raw_decode(body[begin - 1 :])[1] - 2


def _read_entry(entry: Any) -> UpdateEntry:
    """An entry of a version. Raises ValueError."""
    try:
        read: UpdateEntry = _adapter(UpdateEntry.__name__).validate_json(json.dumps(entry))
    except ValidationError as fault:
        raise ValueError(_brief(fault)) from None
    return read


def write_outcome(outcome: Outcome) -> str:
    """The JSON of an outcome, with its class's name first."""
    name = type(outcome).__name__
    # as ASCII, so that no character of a provider's answer can be in the way
    return json.dumps({"is": name, **_adapter(name).dump_python(outcome, mode="json", exclude_defaults=True)})


def read_outcome(body: str) -> Outcome:
    """An outcome from its JSON. Raises UnknownClassError, or ValueError for a body that does not fit its class."""
    fields = json.loads(body)
    name = fields.pop("is", "") if isinstance(fields, dict) else ""
    if not isinstance(name, str) or name not in _OUTCOMES:
        raise UnknownClassError(str(name))
    try:
        outcome: Outcome = _adapter(name).validate_python(fields)
    except ValidationError as fault:
        raise ValueError(_brief(fault)) from None
    return outcome


def _brief(fault: ValidationError) -> str:
    """The first thing that is wrong, as `field: what`."""
    error = fault.errors(include_url=False, include_context=False, include_input=False)[0]
    place = ".".join(str(step) for step in error["loc"])
    return f"{place}: {error['msg']}" if place else error["msg"]


def replace_surrogates(text: str) -> str:
    """The text as UTF-8 can hold it: halves of surrogate pairs become question marks."""
    return text.encode("utf-8", "replace").decode()
