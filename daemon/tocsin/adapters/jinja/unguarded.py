"""The templates that come with tocsin, while nobody has changed them: they are part of the program and tested with it,
so that nothing has to be asked while they are rendered. All others run in the `sandbox`, and so do these where they
take anything from one that is not as it was shipped, or where the words are more than a message has as a rule.

They say the same in both, letter for letter.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import CodeType
from typing import Any

from jinja2 import Environment, FunctionLoader, StrictUndefined, Template, nodes
from jinja2.compiler import CodeGenerator, Frame, MacroRef
from jinja2.filters import FILTERS
from jinja2.meta import find_referenced_templates
from jinja2.runtime import Context, Macro

from tocsin.adapters.jinja.bounds.budget import ITEM
from tocsin.adapters.jinja.bounds.sentences import COUNT, SAY, SAYING
from tocsin.adapters.jinja.faults import FAULTS
from tocsin.adapters.jinja.sandbox import is_html
from tocsin.wording.language.language import ENGLISH, Language
from tocsin.wording.language.placeholders import filled

SAID = {SAY: "said", COUNT: "said_of_so_many"}
"""Who says the sentences of templates."""
LIGHT_MOST = 16 * 1024
"""Words of so many characters, an item of a list among them as `ITEM`, are rendered without a budget: the shipped
templates print each a few times at most.
"""

_MARKED = re.compile("[&<>\"']")
"""What HTML has to have escaped."""
_ESCAPE: Callable[[object], str] = FILTERS["escape"]
_SAFE: type[str] = type(FILTERS["safe"](""))
"""Jinja's kind of a text that is escaped already."""


@dataclass(frozen=True, slots=True)
class _Compiled:
    """A template as Python code, and those that it takes from; None among these: one that is named while it is
    rendered.
    """

    code: CodeType
    takes_from: frozenset[str | None]


_COMPILED: dict[tuple[str, str], _Compiled] = {}
"""The shipped templates by name and text, which do not change: compiled once for all renderers of this process."""


class _Macro(Macro):
    """A macro that is called at once with all its arguments in their order, as most are."""

    def __init__(
        self, environment: Environment, func: Callable[..., str], name: str, arguments: Any, *more: bool
    ) -> None:
        super().__init__(environment, func, name, arguments, *more)
        takes_others = self.catch_kwargs or self.catch_varargs or self.caller
        self.made, self.takes = func, None if takes_others else len(arguments)


class _Context(Context):
    """A context that does not look whether what is called wants to have it: nothing that these templates call does."""

    def call(__self, __obj: Any, *args: Any, **kwargs: Any) -> Any:  # noqa: N805 - as in Jinja
        """Call a macro, a block, a sentence or a method of a text."""
        kwargs.pop("_block_vars", None)
        kwargs.pop("_loop_vars", None)
        if not isinstance(__obj, Macro):
            return __obj(*args, **kwargs)
        if type(__obj) is _Macro and __obj.takes == len(args) and not kwargs:
            text = __obj.made(*args)
            return _SAFE(text) if __self.eval_ctx.autoescape else text
        return __obj(__self.eval_ctx, *args, **kwargs)


class _Code(CodeGenerator):
    """Python code that takes no detours: a page says some thirty sentences, calls twenty macros and prints sixty times,
    most of what it prints being plain or escaped already.
    """

    def visit_Call(self, node: nodes.Call, frame: Frame, forward_caller: bool = False) -> None:  # noqa: N802 - as in Jinja
        """A call: of a sentence without the context, which it does not need; of others without the variables around it,
        which are for what wants a context.
        """
        if forward_caller:
            super().visit_Call(node, frame, forward_caller=forward_caller)
            return
        if isinstance(node.node, nodes.Name) and node.node.name in SAYING:
            self.write(f"environment.{SAID[node.node.name]}(context")
        else:
            self.write("context.call(")
            self.visit(node.node, frame)
        self.signature(node, frame)
        self.write(")")

    def macro_def(self, macro_ref: MacroRef, frame: Frame) -> None:
        """A macro, made by the environment."""
        self.write("environment.")
        super().macro_def(macro_ref, frame)

    def _output_child_pre(self, node: nodes.Expr, frame: Frame, finalize: Any) -> None:
        """What stands before a value that is printed: in HTML it is escaped, by the environment."""
        if frame.eval_ctx.autoescape and not frame.eval_ctx.volatile:
            self.write("environment.")
        super()._output_child_pre(node, frame, finalize)


def _escaped(value: Any) -> str:
    """A value as HTML prints it, as Jinja's `escape` has it."""
    kind = type(value)
    return value if kind is _SAFE or (kind is str and not _MARKED.search(value)) else _ESCAPE(value)


class Unguarded(Environment):
    """An environment for the `shipped` templates, by their paths. One message at a time."""

    code_generator_class = _Code
    context_class = _Context
    Macro = _Macro
    escape = staticmethod(_escaped)

    def __init__(self, shipped: Mapping[str, str]) -> None:
        super().__init__(
            loader=FunctionLoader(lambda name: (shipped[name], name, lambda: True) if name in shipped else None),
            undefined=StrictUndefined,
            autoescape=is_html,
            trim_blocks=True,
            lstrip_blocks=True,
            cache_size=-1,
            auto_reload=False,
        )
        self._shipped = shipped
        self._loaded: dict[Any, Template] = {}
        self._language = ENGLISH
        self.globals = {}

    def has(self, name: str, texts: Mapping[str, str]) -> bool:
        """Whether a template, and all that it takes from, is in these texts as it was shipped; it is compiled then."""
        known: set[str] = set()
        waiting: list[str | None] = [name]
        while waiting:
            taken = waiting.pop()
            if taken is None or taken not in self._shipped or texts.get(taken) != self._shipped[taken]:
                return False
            if taken not in known:
                known.add(taken)
                waiting += self._compiled(taken).takes_from
        return True

    def text(self, name: str, words: Mapping[str, Any], language: Language) -> str:
        """What a template makes of the words."""
        self._language = language
        template = self.get_template(name)
        try:
            return "".join(template.root_render_func(template.new_context(dict(words), shared=True)))
        except FAULTS:
            self.handle_exception()

    def make_globals(self, _more: Any) -> dict[str, Any]:
        """What all these templates know besides their words: nothing."""
        return {}

    def get_template(self, name: Any, parent: str | None = None, globals: Any = None) -> Template:  # noqa: A002 - as in Jinja
        """A template, loaded once: none of them changes."""
        known = self._loaded.get(name)
        if known is None:
            known = self._loaded[name] = super().get_template(name, parent, globals)
        return known

    def compile(self, source: Any, name: Any = None, *args: Any, **kwargs: Any) -> Any:
        """A template as Python code, that of before where it was compiled before."""
        if self._shipped.get(name) == source:
            return self._compiled(name).code
        return super().compile(source, name, *args, **kwargs)

    def _compiled(self, name: str) -> _Compiled:
        text = self._shipped[name]
        known = _COMPILED.get((name, text))
        if known is None:
            tree = self.parse(text, name, name)
            takes_from = frozenset(find_referenced_templates(tree))
            known = _COMPILED[name, text] = _Compiled(super().compile(tree, name, name), takes_from)
        return known

    def said(self, _context: Context, text: str, **fields: object) -> str:
        """A sentence in the reader's language, its names filled in."""
        return filled(self._language.sentence(text), fields)

    def said_of_so_many(self, _context: Context, one: str, many: str, number: int, **fields: object) -> str:
        """What is said of so many."""
        return self._language.count(one, many, number, **fields)


def is_light(words: Mapping[str, Any]) -> bool:
    """Whether words, by the names of templates, are no more than a message has as a rule."""
    left = LIGHT_MOST
    waiting: list[Any] = [words.values()]
    while waiting and left >= 0:
        for value in waiting.pop():
            if type(value) is str:
                left -= len(value)
            elif value:
                inside = value.values() if isinstance(value, Mapping) else value
                waiting.append(inside if isinstance(value, tuple | list | Mapping) else _fields(value))
                left -= ITEM * len(waiting[-1])
    return left >= 0


def _fields(value: object) -> list[Any]:
    """The fields of one of our words; a number has none."""
    return [getattr(value, name) for name in getattr(type(value), "__slots__", ())]
