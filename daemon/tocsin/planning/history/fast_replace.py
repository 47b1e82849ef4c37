"""Frozen values with some fields changed, quickly.

`dataclasses.replace` goes through `__init__`, and setting the slots of a frozen value one call each costs almost as
much; a history has sixty fields, a plan makes some ten new ones, and policy tests make millions. It decides nothing.
"""

from collections.abc import Callable
from dataclasses import fields
from functools import cache
from typing import Any, TypeVar

Value = TypeVar("Value")


def replace(value: Value, **changes: object) -> Value:
    """The same slotted dataclass with these fields changed; `value` stays as it is. An unknown field is an
    AttributeError. Only for classes whose `__init__` does nothing but store fields.
    """
    kind = type(value)
    new = _copier(kind)(value)  # type: ignore[arg-type]  # mypy takes the values' __hash__ for the class's
    for name, changed in changes.items():
        setattr(new, name, changed)
    new.__class__ = kind
    whole: Value = new
    return whole


@cache
def _copier(kind: type[Any]) -> Callable[[Any], Any]:
    """How a value is copied into one that may be written still: of a class that has the same slots and nothing else, so
    that the copy can become one of `kind`. It is written out field by field, as dataclasses write `__init__`.
    """
    names = [field.name for field in fields(kind)]
    known = {"Unfrozen": type(f"Unfrozen{kind.__name__}", (), {"__slots__": tuple(names)})}
    lines = ["def copied(value):", "new = Unfrozen()", *(f"new.{name} = value.{name}" for name in names), "return new"]
    exec("\n ".join(lines), known)  # noqa: S102 - the names are those of our own fields
    copied: Callable[[Any], Any] = known["copied"]
    return copied
