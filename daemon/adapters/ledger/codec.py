"""Codec: facts and outcomes to JSON and back, tagged with the name of their class.

An older daemon that meets a class it does not know refuses the ledger in one clear sentence; it never guesses.
"""

import json
from functools import cache
from typing import Any, get_args

from pydantic import TypeAdapter

from daemon.domain.delivery import Outcome
from daemon.domain.facts import Fact


class UnknownFact(ValueError):  # noqa: N818 - the word of the field
    """The ledger holds a fact that only a newer tocsin knows."""


_CLASSES = {each.__name__: each for each in (*get_args(Fact), *get_args(Outcome))}
_FACTS = frozenset(each.__name__ for each in get_args(Fact))


@cache
def _adapter(kind: str) -> TypeAdapter[Any]:
    """Made when first needed: making them all takes longer than most commands run."""
    return TypeAdapter(_CLASSES[kind])


def fact_body(fact: Fact) -> str:
    """A fact as the ledger keeps it."""
    body: bytes = _adapter(type(fact).__name__).dump_json(fact, exclude_defaults=True)
    return body.decode()


def read_fact(kind: str, body: str) -> Fact:
    """A fact as it came out of the ledger."""
    if kind not in _FACTS:
        raise UnknownFact(f'the ledger holds a "{kind}", which only a newer tocsin knows; update tocsin')
    fact: Fact = _adapter(kind).validate_json(body)
    return fact


def outcome_body(outcome: Outcome) -> str:
    """How a try ended, as the ledger keeps it."""
    kind = type(outcome).__name__
    return json.dumps({"is": kind, **_adapter(kind).dump_python(outcome, mode="json", exclude_defaults=True)})


def read_outcome(body: str) -> Outcome:
    """How a try ended, as it came out of the ledger."""
    fields = json.loads(body)
    outcome: Outcome = _adapter(fields.pop("is")).validate_python(fields)
    return outcome
