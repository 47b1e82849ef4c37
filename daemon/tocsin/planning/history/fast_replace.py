"""Frozen values with some fields changed, quickly.

`dataclasses.replace` goes through `__init__` and costs four times as much; a plan makes some ten new values, and policy
tests make millions. It decides nothing.
"""

from collections.abc import Callable
from dataclasses import fields
from functools import cache
from operator import attrgetter
from typing import Any, TypeVar

Value = TypeVar("Value")


def replace(value: Value, **changes: object) -> Value:
    """The same slotted frozen dataclass with these fields changed; `value` stays as it is. An unknown field is a
    KeyError. Only for classes whose `__init__` does nothing but store fields, two at least.
    """
    read, write = _slots(type(value))  # type: ignore[arg-type]  # mypy takes the values' __hash__ for the class's
    new: Value = object.__new__(type(value))
    for write_field, old in zip(write.values(), read(value), strict=True):
        write_field(new, old)
    for name, changed in changes.items():
        write[name](new, changed)
    return new


@cache
def _slots(kind: type[Any]) -> tuple[Callable[[Any], tuple[Any, ...]], dict[str, Callable[[Any, Any], None]]]:
    """How all fields of a class are read at once, and how each is written, past the frozen `__setattr__`."""
    names = [field.name for field in fields(kind)]
    return attrgetter(*names), {name: getattr(kind, name).__set__ for name in names}
