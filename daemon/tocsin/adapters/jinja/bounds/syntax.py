"""How much of Jinja's language there is, and where it pays.

A template is looked at as a tree, before any of it is carried out or even compiled: what is not in the tables here is
refused, and so is what is too large or nested so deep that Jinja or Python would break at it. Then the budget is
written into it: whatever can be done again and again (loops, macros, blocks, whole files) pays for its parts each time,
and what Jinja would have Python do without asking anybody (loops, comparisons, `~`, slices) asks the sandbox.
"""

from collections.abc import Iterable
from typing import Any

from jinja2 import Environment, TemplateSyntaxError, nodes
from jinja2.visitor import NodeTransformer

from tocsin.adapters.jinja.bounds.budget import BITS_MOST
from tocsin.adapters.jinja.bounds.sentences import sentence_fault

PARTS_MOST = 2_000
"""Parts (names, operators, tags, texts …) that one template may have; the largest shipped one has some 600."""
BLOCKS_MOST = 16
"""How deep blocks may be nested: Python breaks at 20 loops."""
NESTED_MOST = 60
"""How deep expressions may be nested."""
COPYING = 50
"""Parts for which what copies all names in sight counts."""

SPENT, TURNS, JOINED, COMPARED, SLICED, KEY = (
    "what is carried out", "turns of a loop", "joined texts", "a comparison", "a slice", "a key",
)  # fmt: skip
"""Filters of ours, by names that no template can write."""

_BLOCKS = (
    nodes.For, nodes.If, nodes.Macro, nodes.CallBlock, nodes.FilterBlock, nodes.With, nodes.Block, nodes.AssignBlock,
    nodes.ScopedEvalContextModifier, nodes.Scope,
)  # fmt: skip
_OTHERS = (
    nodes.Template, nodes.Output, nodes.TemplateData, nodes.Extends, nodes.Include, nodes.Import, nodes.FromImport,
    nodes.Assign, nodes.Name, nodes.Const, nodes.Tuple, nodes.List, nodes.Dict, nodes.Pair, nodes.Keyword,
    nodes.CondExpr, nodes.Filter, nodes.Test, nodes.Call, nodes.Getitem, nodes.Getattr, nodes.Slice, nodes.Concat,
    nodes.Compare, nodes.Operand, nodes.BinExpr, nodes.UnaryExpr,
)  # fmt: skip
_COPYING = (nodes.Include, nodes.Import, nodes.FromImport, nodes.CallBlock, nodes.Block)

INSTEAD = {
    "attr": "write x.name or x['name']",
    "batch": "write a loop",
    "center": "write the blanks",
    "dictsort": "write x | sort",
    "filesizeformat": "write the number",
    "forceescape": "write | e",
    "format": "write a ~ b",
    "groupby": "write a loop",
    "indent": "write the blanks",
    "items": "write x.items()",
    "pprint": "write what of it is meant",
    "random": "write x | first",
    "round": "write x | int",
    "slice": "write x[:3]",
    "striptags": "no text of an incident has tags that count; leave it out",
    "sum": "write a loop",
    "tojson": "write the text",
    "urlencode": "write the text",
    "urlize": "write <a href>",
    "wordwrap": "write x | truncate(80)",
    "xmlattr": "write the attributes",
}
"""What to write instead of Jinja's filters that are not there."""


def check_tree(tree: nodes.Template, filters: Iterable[str], tests: Iterable[str], name: str | None) -> int:
    """How many parts a template has. Raises TemplateSyntaxError where something is not for these templates."""
    count = 0
    waiting: list[tuple[nodes.Node, int, int]] = [(tree, 0, 0)]
    while waiting:
        node, blocks, nested = waiting.pop()
        count += 1
        inside = (blocks + 1, 0) if isinstance(node, _BLOCKS) else (blocks, nested + 1)
        if why := _why_not(node, inside, count) or _no_such(node, filters, tests) or sentence_fault(node):
            raise TemplateSyntaxError(why, node.lineno, name)
        waiting += [(child, *inside) for child in node.iter_child_nodes()]
    return count


def _why_not(node: nodes.Node, depths: tuple[int, int], count: int) -> str:
    """Why a part is not for these templates, if it is not."""
    if not isinstance(node, (*_BLOCKS, *_OTHERS)):
        return f"{type(node).__name__} is not for these templates"
    if isinstance(node, nodes.For) and node.recursive:
        return "recursive loops are not for these templates"
    if depths[0] > BLOCKS_MOST:
        return f"over {BLOCKS_MOST} blocks stand in each other; write fewer, or macros"
    if depths[1] > NESTED_MOST:
        return "the expression is nested too deep; write it in parts, with set"
    if count > PARTS_MOST:
        return f"the template has over {PARTS_MOST:,} tags, names and operators; write less, or several files"
    if isinstance(node, nodes.Const) and isinstance(node.value, int) and node.value.bit_length() > BITS_MOST:
        return "the number is too large"
    return ""


def _no_such(node: nodes.Node, filters: Iterable[str], tests: Iterable[str]) -> str:
    """What to write instead of a filter or test that is not there."""
    if isinstance(node, nodes.Filter) and node.name not in filters:
        instead = INSTEAD.get(node.name, "those there are stand in docs/templates.md")
        return f"there is no filter {node.name[:40]} in these templates; {instead}"
    if isinstance(node, nodes.Test) and node.name not in tests:
        return f"there is no test {node.name[:40]} in these templates; those there are stand in docs/templates.md"
    return ""


Paying = nodes.Template | nodes.Block | nodes.Macro | nodes.CallBlock


class Budgeted(NodeTransformer):
    """Writes the budget into a template that was checked."""

    def __init__(self, environment: Environment) -> None:
        self._environment = environment

    def visit_Template(self, node: nodes.Template) -> nodes.Node:  # noqa: N802 - as in Jinja
        """A file pays each time it is carried out."""
        return self._paying(node, node.body)

    def visit_Block(self, node: nodes.Block) -> nodes.Node:  # noqa: N802 - as in Jinja
        """So does a block."""
        return self._paying(node, node.body)

    def visit_Macro(self, node: nodes.Macro) -> nodes.Node:  # noqa: N802 - as in Jinja
        """So does a macro, the defaults of its arguments included."""
        return self._paying(node, [*node.defaults, *node.body])

    def visit_CallBlock(self, node: nodes.CallBlock) -> nodes.Node:  # noqa: N802 - as in Jinja
        """So does what a macro calls back."""
        return self._paying(node, [*node.defaults, *node.body])

    def visit_For(self, node: nodes.For) -> nodes.Node:  # noqa: N802 - as in Jinja
        """A loop pays for all of its turns before the first one."""
        parts, letters = _costs([*node.body, *([node.test] if node.test else ())])
        self.generic_visit(node)
        node.iter = self._asking(TURNS, node.iter, nodes.Const(parts), nodes.Const(letters))
        return node

    def visit_Concat(self, node: nodes.Concat) -> nodes.Node:  # noqa: N802 - as in Jinja
        """Texts are weighed before they are joined."""
        self.generic_visit(node)
        return self._asking(JOINED, nodes.Tuple(node.nodes, "load", lineno=node.lineno))

    def visit_Compare(self, node: nodes.Compare) -> nodes.Node:  # noqa: N802 - as in Jinja
        """So is what is compared."""
        self.generic_visit(node)
        rest = [part for operand in node.ops for part in (nodes.Const(operand.op), operand.expr)]
        return self._asking(COMPARED, node.expr, *rest)

    def visit_Getitem(self, node: nodes.Getitem) -> nodes.Node:  # noqa: N802 - as in Jinja
        """A slice is a copy, and pays for it."""
        self.generic_visit(node)
        if not isinstance(node.arg, nodes.Slice):
            return node
        bounds = (node.arg.start, node.arg.stop, node.arg.step)
        return self._asking(SLICED, node.node, *(bound or nodes.Const(None) for bound in bounds))

    def visit_Pair(self, node: nodes.Pair) -> nodes.Node:  # noqa: N802 - as in Jinja
        """A key is a text or a number: others can be made so that all of them meet in one place of the mapping."""
        self.generic_visit(node)
        if not isinstance(node.key, nodes.Const):
            node.key = self._asking(KEY, node.key)
        return node

    def _paying(self, node: Paying, repeated: list[nodes.Node]) -> nodes.Node:
        parts, letters = _costs(repeated)
        self.generic_visit(node)
        pays = self._asking(SPENT, nodes.Const(parts, lineno=node.lineno), nodes.Const(letters))
        node.body = [nodes.ExprStmt(pays, lineno=node.lineno), *node.body]
        return node

    def _asking(self, name: str, first: Any, *rest: nodes.Expr) -> nodes.Filter:
        asks = nodes.Filter(first, name, list(rest), [], None, None, lineno=first.lineno)
        asks.set_environment(self._environment)
        return asks


def _costs(several: list[nodes.Node]) -> tuple[int, int]:
    """The parts that are carried out each time these are, and the letters of the template's own that they print. What
    pays for itself is left out.
    """
    parts = letters = 0
    waiting = list(several)
    while waiting:
        node = waiting.pop()
        parts += COPYING if isinstance(node, _COPYING) else 1
        if isinstance(node, nodes.TemplateData):
            letters += len(node.data)
        elif isinstance(node, nodes.For):
            waiting += [node.target, node.iter, *node.else_]
        elif isinstance(node, nodes.CallBlock):
            waiting.append(node.call)
        elif not isinstance(node, nodes.Macro | nodes.Block):
            waiting += node.iter_child_nodes()
    return parts, letters
