"""Codec: facts and outcomes to JSON and back, tagged with the name of their class.

An older daemon that meets a class it does not know refuses the ledger in one clear sentence; it never guesses.
"""

import json
from functools import cache
from typing import Any, get_args

from pydantic import TypeAdapter

from tocsin.domain.delivery import Outcome
from tocsin.domain.facts import Fact


class UnknownFactError(ValueError):
    """The ledger holds a fact that only a newer tocsin knows."""


_CLASSES = {each.__name__: each for each in (*get_args(Fact), *get_args(Outcome))}
_FACTS = frozenset(each.__name__ for each in get_args(Fact))


@cache
def _adapter(kind: str) -> TypeAdapter[Any]:
    """Made when first needed: making them all takes longer than most commands run."""
    return TypeAdapter(_CLASSES[kind])


def fact_body(fact: Fact) -> str:
    """A fact as the ledger keeps it."""
    adapter = _adapter(type(fact).__name__)
    try:
        body: bytes = adapter.dump_json(fact, exclude_defaults=True)
    except ValueError:  # half a surrogate pair in a text: it is no character, and must not keep a fact out
        said = json.dumps(adapter.dump_python(fact, mode="json", exclude_defaults=True), ensure_ascii=False)
        return storable(said)
    return body.decode()


def read_fact(kind: str, body: str) -> Fact:
    """A fact as it came out of the ledger."""
    if kind not in _FACTS:
        raise UnknownFactError(f'the ledger holds a "{kind}", which only a newer tocsin knows; update tocsin')
    fact: Fact = _adapter(kind).validate_json(body)
    return fact


def storable(text: str) -> str:
    """The text as UTF-8 can hold it: halves of surrogate pairs become question marks."""
    return text.encode("utf-8", "replace").decode()


def outcome_body(outcome: Outcome) -> str:
    """How a try ended, as the ledger keeps it."""
    kind = type(outcome).__name__
    # as ASCII, so that no character of a provider's answer can be in the way
    return json.dumps({"is": kind, **_adapter(kind).dump_python(outcome, mode="json", exclude_defaults=True)})


def read_outcome(body: str) -> Outcome:
    """How a try ended, as it came out of the ledger."""
    fields = json.loads(body)
    outcome: Outcome = _adapter(fields.pop("is")).validate_python(fields)
    return outcome
