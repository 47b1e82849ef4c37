"""How tries ended, to JSON and back, as `codec` does with facts; apart, so that who reads these waits for no more."""

import json
from functools import cache
from typing import Any, get_args

from pydantic import TypeAdapter, ValidationError

from tocsin.adapters.ledger.schema.codec import UnknownClassError, brief
from tocsin.domain.delivery import Outcome

_OUTCOMES = {outcome.__name__: outcome for outcome in get_args(Outcome)}


@cache
def _adapter(name: str) -> TypeAdapter[Any]:
    """Made when first needed."""
    return TypeAdapter(_OUTCOMES[name])


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
        raise ValueError(brief(fault)) from None
    return outcome
