"""Which kinds of messages each template speaks for: those it is named after, and those whose templates name it.

Reads templates, never carries them out. Must not know what they say.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import chain

from jinja2 import meta, nodes

from tocsin.adapters.jinja.judging import SUFFIX, trees_of
from tocsin.domain.people import Channel

PARTS = tuple(
    chain.from_iterable(
        (f"{via}.txt",) if via.traits.short else ("subject.txt", f"{via}.txt", f"{via}.html") for via in Channel
    )
)
"""What a message consists of, as the names of its templates end."""


def message_of(name: str) -> tuple[str, str, str]:
    """The language (empty for none), the kind and the part that a name stands for, if it is a message's template."""
    folder, _, file = name.rpartition("/")
    kind, _, part = file.removesuffix(SUFFIX).partition(".")
    return folder, kind, part


@dataclass(frozen=True, slots=True)
class TemplateUse:
    """The kinds of messages that use a template, and the templates that speak in one message with it."""

    kinds: frozenset[str] = frozenset()
    beside: frozenset[str] = frozenset()


def uses_of(trees: Mapping[str, nodes.Template], kinds: frozenset[str]) -> dict[str, TemplateUse]:
    """How each template is used, by those `kinds` of messages that there are. One that is named by words put together
    while it is rendered may be any.
    """
    uses = dict.fromkeys(trees, TemplateUse())
    for root in trees:
        folder, kind, part = message_of(root)
        if kind not in kinds or part not in PARTS or "/" in folder:
            continue
        together = _together(root, trees)
        for name in together:
            uses[name] = TemplateUse(uses[name].kinds | {kind}, uses[name].beside | together)
    return uses


def kinds_by_file(texts: Mapping[str, str], kinds: frozenset[str]) -> dict[str, frozenset[str]]:
    """The kinds of messages that use each template."""
    return {name: use.kinds for name, use in uses_of(trees_of(texts), kinds).items()}


def _together(root: str, trees: Mapping[str, nodes.Template]) -> frozenset[str]:
    """A template, and all that it names, and they in turn."""
    waiting, together = [root], set[str]()
    while waiting:
        name = waiting.pop()
        if name in trees and name not in together:
            together.add(name)
            waiting += _named_in(trees[name], list(trees))
    return frozenset(together)


def _named_in(tree: nodes.Template, known: list[str]) -> Iterator[str]:
    """The templates that one names."""
    for name in meta.find_referenced_templates(tree):
        if name is None:
            yield from known
        else:
            yield name
