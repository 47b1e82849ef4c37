"""Facts and outcomes to JSON and back, tagged with the name of their class.

An older daemon that meets a class it does not know refuses the ledger in one clear sentence; it never guesses.
"""

import json
from functools import cache
from typing import Any, get_args

from pydantic import TypeAdapter

from tocsin.domain.delivery import Outcome
from tocsin.domain.facts import Fact

_FACTS = {fact.__name__ for fact in get_args(Fact)}
_OUTCOMES = {outcome.__name__ for outcome in get_args(Outcome)}
_CLASSES = {of.__name__: of for of in (*get_args(Fact), *get_args(Outcome))}


class UnknownClassError(ValueError):
    """The ledger holds a fact or an outcome that only a newer tocsin knows."""

    def __init__(self, name: str) -> None:
        super().__init__(f'the ledger holds a "{name}", which only a newer tocsin knows; update tocsin')


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
    fact: Fact = _adapter(name).validate_json(body)
    return fact


def write_outcome(outcome: Outcome) -> str:
    """The JSON of an outcome, with its class's name first."""
    name = type(outcome).__name__
    # as ASCII, so that no character of a provider's answer can be in the way
    return json.dumps({"is": name, **_adapter(name).dump_python(outcome, mode="json", exclude_defaults=True)})


def read_outcome(body: str) -> Outcome:
    """An outcome from its JSON. Raises UnknownClassError, or ValueError for a body that does not fit its class."""
    fields = json.loads(body)
    name = fields.pop("is")
    if name not in _OUTCOMES:
        raise UnknownClassError(name)
    outcome: Outcome = _adapter(name).validate_python(fields)
    return outcome


def replace_surrogates(text: str) -> str:
    """The text as UTF-8 can hold it: halves of surrogate pairs become question marks."""
    return text.encode("utf-8", "replace").decode()
