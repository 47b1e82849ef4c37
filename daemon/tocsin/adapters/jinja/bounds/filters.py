"""The filters and tests of templates: those of Jinja's that texts need, each of which pays before it does anything.

Nothing is lazy here: what Jinja would make bit by bit, whenever it is asked for, is a list at once.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from jinja2 import Environment, Undefined, filters
from jinja2.exceptions import SecurityError
from jinja2.nodes import EvalContext
from jinja2.runtime import Context
from jinja2.tests import TESTS
from jinja2.utils import pass_context, pass_eval_context

from tocsin.adapters.jinja.bounds.budget import ITEM, NODE, SEVERAL, Budget, key, number, unfit
from tocsin.adapters.jinja.bounds.operations import comparison, seek

WORDS = 8
"""What finding the words of a text costs for each letter: every word becomes a text of its own."""
ATTRIBUTE_MOST = 100
"""The longest way to an attribute, such as `worst.title`."""
PLAIN_TESTS = (
    "boolean", "defined", "false", "float", "integer", "iterable", "mapping", "none", "number", "sameas", "sequence",
    "string", "true", "undefined",
)  # fmt: skip
"""Tests that cost nothing, whatever they are asked about."""
COMPARISONS = {
    "==": "eq", "eq": "eq", "equalto": "eq", "!=": "ne", "ne": "ne", ">": "gt", "gt": "gt", "greaterthan": "gt",
    ">=": "gteq", "ge": "gteq", "<": "lt", "lt": "lt", "lessthan": "lt", "<=": "lteq", "le": "lteq", "in": "in",
}  # fmt: skip

Attribute = str | int | None


class Filters:
    """What the filters of one environment do, at the cost of its budget."""

    def __init__(self, environment: Environment, budget: Budget) -> None:
        self._environment = environment
        self._budget = budget
        self._table: dict[str, Callable[..., Any]] = {
            "abs": self._abs,
            "capitalize": self._of_text(filters.do_capitalize),
            "count": len,
            "d": self._default,
            "default": self._default,
            "e": self._of_text(filters.FILTERS["escape"]),
            "escape": self._of_text(filters.FILTERS["escape"]),
            "first": self._first,
            "float": self._float,
            "int": self._int,
            "join": self._join,
            "last": self._last,
            "length": len,
            "list": self._list,
            "lower": self._of_text(filters.do_lower),
            "map": self._map,
            "max": self._max,
            "min": self._min,
            "reject": self._reject,
            "rejectattr": self._rejectattr,
            "replace": self._replace,
            "reverse": self._reverse,
            "safe": self._of_text(filters.do_mark_safe),
            "select": self._select,
            "selectattr": self._selectattr,
            "sort": self._sort,
            "string": budget.text,
            "title": self._of_words(filters.do_title),
            "trim": self._trim,
            "truncate": self._truncate,
            "unique": self._unique,
            "upper": self._of_text(filters.do_upper),
            "wordcount": self._of_words(filters.do_wordcount),
        }

    def table(self) -> dict[str, Callable[..., Any]]:
        """The filters by name."""
        return dict(self._table)

    def tests(self) -> dict[str, Any]:
        """The tests by name."""

        def compared(name: str) -> Callable[[Any, Any], bool]:
            return lambda left, right: comparison(self._budget, name, left, right)

        return {
            **{name: TESTS[name] for name in PLAIN_TESTS},
            **{name: compared(jinjas) for name, jinjas in COMPARISONS.items()},
            "divisibleby": lambda value, by: _number(value) % _number(by) == 0,
            "even": lambda value: _number(value) % 2 == 0,
            "lower": lambda value: self._budget.text(value).islower(),
            "odd": lambda value: _number(value) % 2 == 1,
            "upper": lambda value: self._budget.text(value).isupper(),
        }

    def _items(self, several: Any) -> Sequence[Any]:
        """The items of a list or the letters of a text, paid for."""
        if isinstance(several, (str, *SEVERAL)):
            self._budget.make(ITEM * len(several))
            return list(several)
        raise unfit(several, "list")

    def _of_text(self, made: Callable[[Any], Any]) -> Callable[[Any], Any]:
        return lambda value: made(self._budget.text(value))

    def _of_words(self, made: Callable[[Any], Any]) -> Callable[[Any], Any]:
        def with_words(value: Any) -> Any:
            text = self._budget.text(value)
            self._budget.make(len(text) * WORDS)
            return made(text)

        return with_words

    def _abs(self, value: Any) -> Any:
        return abs(_number(value))

    def _default(self, value: Any, instead: Any = "", boolean: bool = False) -> Any:
        return instead if isinstance(value, Undefined) or (boolean and not value) else value

    def _first(self, several: Any) -> Any:
        return several[0] if isinstance(several, str | list | tuple) and several else self._end(several, 0)

    def _last(self, several: Any) -> Any:
        return several[-1] if isinstance(several, str | list | tuple) and several else self._end(several, -1)

    def _end(self, several: Any, index: int) -> Any:
        items = self._items(several)
        return items[index] if items else self._environment.undefined("there is no such item, the list is empty")

    def _float(self, value: Any, default: float = 0.0) -> float:
        return filters.do_float(value if isinstance(value, int | float) else self._budget.text(value), default)

    def _int(self, value: Any, default: int = 0, base: int = 10) -> Any:
        return number(
            filters.do_int(value if isinstance(value, int | float) else self._budget.text(value), default, base)
        )

    @pass_eval_context
    def _join(self, eval_ctx: EvalContext, several: Any, d: Any = "", attribute: Attribute = None) -> str:
        between, values = self._budget.text(d), self._values(self._items(several), attribute)
        printed = [value if isinstance(value, str) else self._budget.text(value) for value in values]
        self._budget.make(sum(map(len, printed)) + len(between) * len(printed))
        joined: str = filters.sync_do_join(eval_ctx, printed, between)
        return joined

    def _list(self, several: Any) -> list[Any]:
        return list(self._items(several))

    @pass_context
    def _map(self, context: Context, several: Any, *args: Any, **kwargs: Any) -> list[Any]:
        items = self._items(several)
        if not args and "attribute" in kwargs:
            return self._values(items, kwargs["attribute"], kwargs.get("default"))
        name, *rest = args or ("",)
        if not isinstance(name, str) or name not in self._table:
            raise SecurityError("there is no filter of that name in these templates")
        self._budget.look(len(items) * NODE)
        return [self._environment.call_filter(name, item, rest, kwargs, context) for item in items]

    def _max(self, several: Any, case_sensitive: bool = False, attribute: Attribute = None) -> Any:
        return self._most(max, several, case_sensitive, attribute)

    def _min(self, several: Any, case_sensitive: bool = False, attribute: Attribute = None) -> Any:
        return self._most(min, several, case_sensitive, attribute)

    def _most(self, pick: Callable[..., Any], several: Any, case_sensitive: bool, attribute: Attribute) -> Any:
        items = self._items(several)
        keys = self._keys(items, case_sensitive, attribute)
        if not items:
            return self._environment.undefined("there is no such item, the list is empty")
        return items[pick(range(len(items)), key=keys.__getitem__)]

    def _replace(self, value: Any, old: Any, new: Any, count: int = -1) -> str:
        text = self._budget.text(value)
        old, new = self._budget.text(old), self._budget.text(new)
        seek(self._budget, text, old)
        self._budget.make(len(text) + text.count(old) * len(new))
        return text.replace(old, new, -1 if count is None else count)

    def _reverse(self, several: Any) -> Any:
        return self._budget.text(several)[::-1] if isinstance(several, str) else list(self._items(several))[::-1]

    @pass_context
    def _select(self, context: Context, several: Any, *args: Any, **kwargs: Any) -> list[Any]:
        return self._chosen(context, several, None, args, kwargs, True)

    @pass_context
    def _reject(self, context: Context, several: Any, *args: Any, **kwargs: Any) -> list[Any]:
        return self._chosen(context, several, None, args, kwargs, False)

    @pass_context
    def _selectattr(self, context: Context, several: Any, attribute: Any, *args: Any, **kwargs: Any) -> list[Any]:
        return self._chosen(context, several, attribute, args, kwargs, True)

    @pass_context
    def _rejectattr(self, context: Context, several: Any, attribute: Any, *args: Any, **kwargs: Any) -> list[Any]:
        return self._chosen(context, several, attribute, args, kwargs, False)

    def _chosen(
        self,
        context: Context,
        several: Any,
        attribute: Attribute,
        args: Sequence[Any],
        kwargs: Mapping[str, Any],
        wanted: bool,
    ) -> list[Any]:
        """The items that a test finds to be so, or not so."""
        items = self._items(several)
        values = self._values(items, attribute)
        self._budget.look(len(items) * NODE)
        if not args:
            return [item for item, value in zip(items, values, strict=True) if bool(value) is wanted]
        name, *rest = args
        if not isinstance(name, str) or name not in self._environment.tests:
            raise SecurityError("there is no test of that name in these templates")
        call = self._environment.call_test
        return [
            item
            for item, value in zip(items, values, strict=True)
            if bool(call(name, value, rest, dict(kwargs), context)) is wanted
        ]

    def _sort(
        self, several: Any, reverse: bool = False, case_sensitive: bool = False, attribute: Attribute = None
    ) -> list[Any]:
        items = self._items(several)
        names = attribute.split(",") if isinstance(attribute, str) else [attribute]
        columns = [self._keys(items, case_sensitive, name) for name in names[:3]]
        rows = list(zip(*columns, strict=True))
        self._budget.look(sum(map(self._budget.weigh, columns)) * len(items).bit_length())
        return [items[place] for place in sorted(range(len(items)), key=rows.__getitem__, reverse=reverse)]

    def _trim(self, value: Any, chars: str | None = None) -> str:
        text = self._budget.text(value)
        if chars is not None:
            seek(self._budget, text, chars)
        return text.strip(chars)

    def _truncate(
        self, value: Any, length: int = 255, killwords: bool = False, end: str = "...", leeway: int | None = None
    ) -> str:
        text = self._budget.text(value)
        return filters.do_truncate(self._environment, text, length, killwords, self._budget.text(end), leeway)

    def _unique(self, several: Any, case_sensitive: bool = False, attribute: Attribute = None) -> list[Any]:
        items = self._items(several)
        first: dict[Any, Any] = {}
        for item, named in zip(items, self._keys(items, case_sensitive, attribute), strict=True):
            first.setdefault(key(named), item)
        return list(first.values())

    def _values(self, items: Sequence[Any], attribute: Attribute, default: Any = None) -> list[Any]:
        """An attribute of each item, such as `title`, `worst.title` or `0`; the items themselves without one."""
        if attribute is None:
            return list(items)
        if not isinstance(attribute, str | int) or len(str(attribute)) > ATTRIBUTE_MOST:
            raise SecurityError("an attribute is a name of some letters")
        ways = [int(part) if part.isdecimal() else part for part in str(attribute).split(".")]
        self._budget.look(len(items) * len(ways) * NODE)
        values = list(items)
        for way in ways:
            values = [self._environment.getitem(value, way) for value in values]
        return [default if default is not None and isinstance(value, Undefined) else value for value in values]

    def _keys(self, items: Sequence[Any], case_sensitive: bool, attribute: Attribute) -> list[Any]:
        """What items are ordered by: weighed, and in small letters unless the case counts."""
        values = self._values(items, attribute)
        self._budget.make(self._budget.weigh(values))
        return values if case_sensitive else [value.lower() if isinstance(value, str) else value for value in values]


def _number(value: Any) -> Any:
    """A number, and no text: `%` of a text would fill a form."""
    if isinstance(value, int | float):
        return value
    raise unfit(value, "number")
