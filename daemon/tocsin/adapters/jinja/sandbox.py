"""A sandbox whose costs are bounded too: Jinja's own keeps templates from the machine, but not from eating it.

There is a short list of what a template may do, and all of it takes from a budget (`budget`). So a template ends within
milliseconds, with a text or with a fault, and nothing is made, compared or printed before it was weighed.
"""

from collections.abc import Mapping
from io import StringIO
from types import CodeType
from typing import Any

from jinja2 import FunctionLoader, StrictUndefined, Template, TemplateNotFound, TemplateSyntaxError, Undefined, nodes
from jinja2.compiler import generate
from jinja2.exceptions import SecurityError
from jinja2.nodes import EvalContext
from jinja2.parser import Parser
from jinja2.runtime import BlockReference, Context, LoopContext, Macro, markup_join
from jinja2.sandbox import ImmutableSandboxedEnvironment
from jinja2.utils import pass_eval_context

from tocsin.adapters.jinja.bounds import syntax
from tocsin.adapters.jinja.bounds.budget import NODE, SEVERAL, STEPS_MOST, Budget, key, number, size_of
from tocsin.adapters.jinja.bounds.filters import Filters
from tocsin.adapters.jinja.bounds.operations import comparison, method
from tocsin.adapters.jinja.bounds.sentences import Sentences
from tocsin.adapters.jinja.bounds.syntax import Budgeted, check_tree
from tocsin.wording.language.language import ENGLISH, Language

FILE_COSTS = 100
"""Steps that an included file costs, so that files which include each other end soon."""
CALLS_MOST = 50
"""How deep macros may call each other."""
NAME_MOST = 80
"""The longest name of a missing template that is printed."""
PYTHON_MOST = 1024 * 1024
"""Characters of Python that one template may become."""
COMPILING = (RecursionError, MemoryError, SyntaxError, ValueError, OverflowError)
"""What Jinja's parser and compiler raise, or Python's at what they made, beside Jinja's own."""

_REPEATED = ((int, str), (str, int), (int, list), (list, int), (int, tuple), (tuple, int))
_JINJAS = ("_loop_vars", "_block_vars")

Codes = dict[tuple[str | None, str], CodeType | TemplateSyntaxError]
"""Templates by name and text as they were compiled, or why they cannot be."""
_OF_PACKAGE: Codes = {}
"""The templates that come with tocsin, which do not change: compiled once for all renderers of this process."""


def is_html(name: str | None) -> bool:
    """Whether what a template prints is escaped."""
    return name is not None and name.endswith((".html.j2", ".html"))


class Sandbox(ImmutableSandboxedEnvironment):
    """An environment for untrusted cost. One message at a time. `codes` are templates that were compiled before,
    `shipped` the texts of those that come with tocsin.
    """

    intercepted_binops = frozenset({"+", "-", "*", "/", "//", "**", "%"})

    def __init__(
        self, sources: Mapping[str, str], codes: Codes | None = None, shipped: Mapping[str, str] | None = None
    ) -> None:
        super().__init__(
            loader=FunctionLoader(lambda name: (sources[name], name, lambda: True) if name in sources else None),
            undefined=StrictUndefined,
            autoescape=is_html,
            finalize=self._printed,
            trim_blocks=True,
            lstrip_blocks=True,
            cache_size=-1,
            auto_reload=False,
            optimized=False,  # it would work out constants while it compiles, at any cost
        )
        self._sources = sources
        self._codes = {} if codes is None else codes
        self._shipped = shipped or {}
        self._budget = Budget()
        self._calls = 0
        self._sentences = Sentences(self._budget)
        filters = Filters(self, self._budget)
        self.tests = filters.tests()
        self.filters = {
            **filters.table(),
            syntax.SPENT: self._spend,
            syntax.TURNS: self._turns,
            syntax.JOINED: self._joined,
            syntax.COMPARED: self._compared,
            syntax.SLICED: self._sliced,
            syntax.KEY: key,
        }
        self.globals = {"range": self._range, **self._sentences.table()}

    def choose(self, *names: str, times: int = 1, language: Language = ENGLISH) -> Template:
        """The first template there is, else the last is said to be missing. What follows is one message in this
        language, which may cost so many `times` what others may.
        """
        self._sentences.speak(language)
        self._budget.begin_message(times)
        self._budget.begin_text(times)
        return self.get_template(next((name for name in names if name in self._sources), names[-1]))

    def text(self, template: Template, words: Mapping[str, Any], times: int = 1) -> str:
        """What a template makes of the words."""
        self._budget.begin_text(times)
        self._calls = 0
        return template.render(words)

    def call_binop(self, context: Context, operator: str, left: Any, right: Any) -> Any:
        """Reckon with numbers, and put lists or texts together, after paying for them."""
        if isinstance(left, Undefined) or isinstance(right, Undefined):
            return super().call_binop(context, operator, left, right)
        if operator == "**":
            raise SecurityError("the operator ** is not for templates")
        if isinstance(left, int | float) and isinstance(right, int | float):
            return number(super().call_binop(context, operator, left, right))
        if operator == "+" and any(isinstance(left, kind) and isinstance(right, kind) for kind in (str, list, tuple)):
            self._budget.make(size_of(left) + size_of(right))
        elif operator == "*" and any(isinstance(left, one) and isinstance(right, other) for one, other in _REPEATED):
            items, times = (right, left) if isinstance(left, int) else (left, right)
            if len(items) * times > STEPS_MOST:
                raise SecurityError("a product is too large")
            self._budget.make(size_of(items) * max(times, 0))
        else:
            raise TypeError(f"there is no {type(left).__name__} {operator} {type(right).__name__} in these templates")
        return super().call_binop(context, operator, left, right)

    def getitem(self, obj: Any, argument: Any) -> Any:
        """An item by a text or a number."""
        return super().getitem(obj, argument if isinstance(argument, Undefined) else key(argument))

    def call(__self, __context: Context, __obj: Any, *args: Any, **kwargs: Any) -> Any:  # noqa: N805 - as in Jinja
        """Call a macro, a block or a harmless method, as one step."""
        budget = __self._budget
        budget.step(1)
        if isinstance(__obj, Macro | BlockReference):
            return __self._called(__context, __obj, args, kwargs)
        owner, name = getattr(__obj, "__self__", None), getattr(__obj, "__name__", "")
        if isinstance(owner, LoopContext) and name in ("cycle", "changed"):
            budget.weigh(*args)
        elif isinstance(owner, str | list | tuple | dict):
            method(budget, owner, name, [*args, *(kwargs[key] for key in kwargs if key not in _JINJAS)])
        elif not isinstance(__obj, Undefined) and not (
            owner is __self._sentences or (owner is __self and name == "_range")
        ):
            raise SecurityError(f"{type(__obj).__name__} is nothing that templates can call")
        return super().call(__context, __obj, *args, **kwargs)

    def _called(self, context: Context, macro: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """What a macro or block makes, unless macros call each other without an end."""
        if self._calls >= CALLS_MOST:
            raise SecurityError("macros call each other too deep")
        self._calls += 1
        try:
            return context.call(macro, *args, **kwargs)
        finally:
            self._calls -= 1

    def compile(self, source: Any, name: Any = None, filename: Any = None, *args: Any, **kwargs: Any) -> Any:
        """A template as Python code, that of before where it was compiled before. Raises TemplateSyntaxError."""
        codes = _OF_PACKAGE if self._shipped.get(name) == source else self._codes
        known = codes.get((name, source)) if isinstance(source, str) else None
        if isinstance(known, TemplateSyntaxError):
            raise TemplateSyntaxError(known.message or "", known.lineno, known.name, known.filename)
        if known is None:
            try:
                known = codes[name, source] = super().compile(source, name, filename, *args, **kwargs)
            except TemplateSyntaxError as fault:
                codes[name, source] = fault
                raise
            except COMPILING as fault:
                why = f"it cannot be used ({type(fault).__name__}); write it shorter and less nested"
                codes[name, source] = refused = TemplateSyntaxError(why, 1, name, filename)
                raise refused from None
        return known

    def _parse(self, source: str, name: str | None, filename: str | None) -> nodes.Template:
        """The tree of a template, as far as it is for these templates."""
        parser: Parser | None = None
        try:
            parser = Parser(self, source, name, filename)
            tree = parser.parse()
        except COMPILING as fault:
            line = parser.stream.current.lineno if parser else 1
            why = "it is nested too deep" if isinstance(fault, RecursionError) else "a number or text is too large"
            raise TemplateSyntaxError(why, line, name, filename) from None
        check_tree(tree, self.filters, self.tests, name)
        return tree

    def _generate(
        self, source: nodes.Template, name: str | None, filename: str | None, defer_init: bool = False
    ) -> str:
        """Python's text of a template that pays for what it does."""
        stream = _Text()
        tree = Budgeted(self).visit(source)
        generate(tree, self, name, filename, stream, defer_init=defer_init, optimized=False)
        return stream.getvalue()

    def _load_template(self, name: Any, globals: Any) -> Template:  # noqa: A002 - as in Jinja
        self._budget.step(FILE_COSTS)
        if not isinstance(name, str):
            raise TypeError(f"a template is named by a text, not by a {type(name).__name__}")
        if name not in self._sources:
            raise TemplateNotFound(name, self._missing(name))
        return super()._load_template(name, globals)

    def _missing(self, name: str) -> str:
        """What is said of a template that is not there: its name only if that stands in a template, and so is no
        secret.
        """
        quoted = (f"{quote}{name}{quote}" in text for text in self._sources.values() for quote in "'\"")
        if len(name) <= NAME_MOST and name.isprintable() and any(quoted):
            return f"there is no template {name}"
        return "there is no template of the name that is put together here"

    @pass_eval_context
    def _printed(self, _eval_ctx: EvalContext, value: Any) -> str:
        """What is printed of a value, paid for. Jinja escapes it then, where it should. That the context is asked for
        keeps Jinja from printing constants while it compiles.
        """
        return self._budget.text(value)

    def _spend(self, parts: int, letters: int) -> None:
        self._budget.look(parts * NODE)
        self._budget.make(letters)

    def _turns(self, several: Any, parts: int, letters: int) -> Any:
        """What a loop goes through, each turn paid for."""
        if isinstance(several, Undefined):
            return iter(several)
        if not isinstance(several, (str, *SEVERAL)):
            raise TypeError(f"a {type(several).__name__} is no list to go through")
        turns = len(several)
        self._budget.step(turns)
        self._budget.look(turns * parts * NODE)
        self._budget.make(turns * letters)
        return several

    @pass_eval_context
    def _joined(self, eval_ctx: EvalContext, values: tuple[Any, ...]) -> str:
        printed = [self._budget.text(value) for value in values]
        return markup_join(printed) if eval_ctx.autoescape else "".join(printed)

    def _compared(self, left: Any, *rest: Any) -> bool:
        """Whether one or more comparisons in a row hold: an operator and what stands behind it, in turn."""
        for operator, right in zip(rest[::2], rest[1::2], strict=True):
            if not comparison(self._budget, operator, left, right):
                return False
            left = right
        return True

    def _sliced(self, several: Any, *bounds: Any) -> Any:
        if isinstance(several, str | list | tuple | range):
            self._budget.make(size_of(several))
        elif not isinstance(several, Undefined):
            raise TypeError(f"a {type(several).__name__} has no slices")
        return several[slice(*bounds)]

    def _range(self, *bounds: int) -> range:
        counted = range(*bounds)
        self._budget.step(len(counted))
        return counted


class _Text(StringIO):
    """The text of a compiled template, with an end: some templates would write every name into every line."""

    def write(self, text: str) -> int:
        if self.tell() + len(text) > PYTHON_MOST:
            raise MemoryError
        return super().write(text)
