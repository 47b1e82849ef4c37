"""A sandbox whose costs are bounded too: Jinja's own keeps templates from the machine, but not from eating it.

A template takes its steps from a budget: each turn of a loop and each call is one, each file it includes some, and
every text it makes counts against a length. Operators, filters and methods that make much of little are not there. So
a template ends within milliseconds, with a text or with a fault.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from jinja2 import FunctionLoader, StrictUndefined, Template, TemplateSyntaxError, nodes
from jinja2.exceptions import SecurityError
from jinja2.runtime import Context
from jinja2.sandbox import ImmutableSandboxedEnvironment
from jinja2.visitor import NodeTransformer

STEPS_MOST = 5_000
"""Turns of loops, calls and includes in one rendering."""
FILE_COSTS = 100
"""Steps that an included file costs, so that files which include each other end soon."""
OUTPUT_MOST = 256 * 1024
"""Characters that one rendering may make, those on the way included."""

FILTERS = frozenset({
    "abs", "attr", "capitalize", "count", "d", "default", "e", "escape", "first", "float", "forceescape", "int",
    "items", "join", "last", "length", "list", "lower", "map", "max", "min", "reject", "rejectattr", "replace",
    "reverse", "safe", "select", "selectattr", "sort", "string", "striptags", "title", "trim", "truncate", "unique",
    "upper", "wordcount",
})  # fmt: skip
METHODS = frozenset({
    "capitalize", "casefold", "count", "endswith", "find", "get", "index", "isalpha", "isdigit", "items", "keys",
    "lower", "lstrip", "partition", "removeprefix", "removesuffix", "rfind", "rpartition", "rstrip", "split",
    "splitlines", "startswith", "strip", "title", "upper", "values",
})  # fmt: skip
"""The methods of texts, lists and mappings that a template may call."""


class Sandbox(ImmutableSandboxedEnvironment):
    """An environment for untrusted cost. One rendering at a time."""

    intercepted_binops = frozenset({"+", "*", "**", "%"})

    def __init__(self, sources: Mapping[str, str]) -> None:
        super().__init__(
            loader=FunctionLoader(lambda name: (sources[name], name, lambda: True) if name in sources else None),
            undefined=StrictUndefined,
            autoescape=lambda name: name is not None and name.endswith((".html.j2", ".html")),
            finalize=self._counted,
            trim_blocks=True,
            lstrip_blocks=True,
            cache_size=-1,
            auto_reload=False,
        )
        self._sources = sources
        self._steps = STEPS_MOST
        self._room = OUTPUT_MOST
        self.filters = {name: known for name, known in self.filters.items() if name in FILTERS}
        self.filters.update({_TURNS: self._turns, _JOINED: self._counted, "replace": self._replace})
        self.globals = {"range": self._range}

    def choose(self, *names: str) -> Template:
        """The first template there is, else the last is said to be missing."""
        self._steps = STEPS_MOST
        return self.get_template(next((name for name in names if name in self._sources), names[-1]))

    def text(self, template: Template, words: Mapping[str, Any], times: int = 1) -> str:
        """What a template makes of the words. It may cost so many `times` what others may."""
        self._steps, self._room = STEPS_MOST * times, OUTPUT_MOST * times
        parts: list[str] = []
        length = 0
        for part in template.generate(words):
            length += len(part)
            if length > OUTPUT_MOST * times:
                raise SecurityError("the text becomes too long")
            parts.append(part)
        return "".join(parts)

    def call_binop(self, context: Context, operator: str, left: Any, right: Any) -> Any:
        """Refuse operations that make much of little."""
        if operator == "**" or (operator == "%" and isinstance(left, str)):
            raise SecurityError(f"the operator {operator} is not for templates")
        sizes = [len(side) if isinstance(side, str | list | tuple) else side for side in (left, right)]
        if operator == "*" and all(isinstance(size, int) for size in sizes) and sizes[0] * sizes[1] > STEPS_MOST:
            raise SecurityError("a product is too large")
        return self._counted(super().call_binop(context, operator, left, right))

    def call(__self, __context: Context, __obj: Any, *args: Any, **kwargs: Any) -> Any:  # noqa: N805 - as in Jinja
        """Call a macro or a harmless method, as one step."""
        __self._step(1)
        owner = getattr(__obj, "__self__", None)
        name = getattr(__obj, "__name__", "")
        if isinstance(owner, str | list | tuple | dict | int | float) and name not in METHODS:
            raise SecurityError(f"the method {name} is not for templates")
        if name in ("format", "format_map"):
            raise SecurityError(f"the method {name} is not for templates")
        return __self._counted(super().call(__context, __obj, *args, **kwargs))

    def _load_template(self, name: str, globals: Any) -> Template:  # noqa: A002 - as in Jinja
        self._step(FILE_COSTS)
        return super()._load_template(name, globals)

    def _generate(
        self, source: nodes.Template, name: str | None, filename: str | None, defer_init: bool = False
    ) -> str:
        """Compile a template whose loops and joined texts take from the budget."""
        return super()._generate(_Budgeted(self, name).visit(source), name, filename, defer_init)

    def _step(self, count: int) -> None:
        self._steps -= count
        if self._steps < 0:
            raise SecurityError("the template takes too many steps")

    def _counted(self, made: Any) -> Any:
        """Count a text; what else there is passes."""
        if isinstance(made, str):
            self._room -= len(made)
            if self._room < 0:
                raise SecurityError("the text becomes too long")
        return made

    def _turns(self, several: Any) -> Any:
        """What a loop goes through, each a step."""
        if isinstance(several, str | list | tuple | dict | range):
            self._step(len(several))
            return several
        return self._one_by_one(several)

    def _one_by_one(self, several: Iterable[Any]) -> Iterator[Any]:
        for item in several:
            self._step(1)
            yield item

    def _range(self, *bounds: int) -> range:
        counted = range(*bounds)
        self._step(len(counted))
        return counted

    def _replace(self, text: str, old: str, new: str) -> str:
        """`replace`, whose result is counted before it is made."""
        if len(text) + (text.count(old)) * len(new) > OUTPUT_MOST:
            raise SecurityError("the text becomes too long")
        return text.replace(old, new)


_TURNS, _JOINED = "turns", "joined"


class _Budgeted(NodeTransformer):
    """Puts the budget into a template's loops and joined texts."""

    def __init__(self, environment: Sandbox, name: str | None) -> None:
        self._environment = environment
        self._name = name

    def visit_For(self, node: nodes.For) -> nodes.Node:  # noqa: N802 - as in Jinja
        """Each turn is a step. Loops that call themselves have no end that can be seen."""
        if node.recursive:
            raise TemplateSyntaxError("recursive loops are not for these templates", node.lineno, self._name)
        self.generic_visit(node)
        node.iter = self._through(node.iter, _TURNS)
        return node

    def visit_Concat(self, node: nodes.Concat) -> nodes.Node:  # noqa: N802 - as in Jinja
        """A text joined by `~` is counted."""
        self.generic_visit(node)
        return self._through(node, _JOINED)

    def _through(self, node: nodes.Node, name: str) -> nodes.Filter:
        made = nodes.Filter(node, name, [], [], None, None, lineno=node.lineno)
        made.set_environment(self._environment)
        return made
