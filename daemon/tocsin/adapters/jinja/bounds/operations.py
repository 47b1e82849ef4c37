"""What comparing, and the methods of texts, lists and mappings, cost; and that they are paid for first."""

import operator
from typing import Any

from jinja2.exceptions import SecurityError

from tocsin.adapters.jinja.bounds.budget import ITEM, SCALAR, Budget, key

METHODS = frozenset({
    "capitalize", "casefold", "count", "endswith", "find", "get", "index", "isalpha", "isdigit", "items", "keys",
    "lower", "lstrip", "partition", "removeprefix", "removesuffix", "rfind", "rpartition", "rstrip", "split",
    "splitlines", "startswith", "strip", "title", "upper", "values",
})  # fmt: skip
"""The methods of texts, lists and mappings that a template may call."""

_COMPARISONS = {
    "eq": operator.eq, "ne": operator.ne, "gt": operator.gt, "gteq": operator.ge, "lt": operator.lt,
    "lteq": operator.le,
}  # fmt: skip
_BLANKS = "".join(letter for letter in map(chr, range(0x3001)) if letter.isspace())
_PER_LETTER = 8
"""Letters that are sought, at once, at the price of one more look at the text: finding compares many at a time."""
_SOUGHT_MOST = 1_000


def comparison(budget: Budget, name: str, left: Any, right: Any) -> bool:
    """Whether a comparison holds, by Jinja's name of it."""
    if name in ("in", "notin"):
        return _inside(budget, left, right) is (name == "in")
    if not (isinstance(left, SCALAR) and isinstance(right, SCALAR)):
        budget.weigh(left, right)
    elif isinstance(left, str) and isinstance(right, str):
        budget.look(min(len(left), len(right)))
    return bool(_COMPARISONS[name](left, right))


def _inside(budget: Budget, item: Any, several: Any) -> bool:
    if isinstance(several, dict):
        key(item)
    elif isinstance(several, str) and isinstance(item, str):
        seek(budget, several, item)
    else:
        budget.weigh(item, several)
    return item in several


def seek(budget: Budget, text: str, *sought: Any) -> None:
    """Pay for finding something in a text."""
    letters = budget.weigh(*sought)
    budget.look(len(text) * (1 + min(letters, _SOUGHT_MOST) // _PER_LETTER))


def method(budget: Budget, owner: Any, name: str, args: list[Any]) -> None:
    """Pay for a method of a text, list or mapping. Raises SecurityError for one that is not there."""
    if name not in METHODS:
        raise SecurityError(f"the method {name[:40]} is not for templates")
    if not isinstance(owner, str):
        budget.weigh(*args)
        if isinstance(owner, dict):
            budget.look(ITEM * len(owner))
        else:
            budget.weigh(owner)
        return
    seek(budget, owner, *args)
    budget.make(len(owner) + ITEM * _pieces(owner, name, args))


def _pieces(text: str, name: str, args: list[Any]) -> int:
    """How many pieces a method makes of a text, at most."""
    if name not in ("split", "splitlines"):
        return 1
    marks = args[:1] if name == "split" and args and isinstance(args[0], str) and args[0] else _BLANKS
    return 1 + sum(text.count(mark) for mark in marks)
