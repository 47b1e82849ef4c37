"""What is wrong with a folder of templates: each is parsed, and rendered with samples of its kind.

Decides which templates must be left out so that the others can be used.
"""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from jinja2 import Environment, TemplateSyntaxError, nodes

from tocsin.adapters.jinja import sources
from tocsin.adapters.jinja.renderer import JinjaRenderer
from tocsin.ports.renderer import MissingWords, TemplateFault, TemplateFiles, TemplateVerdict

ROUNDS_MOST = 3
"""How often what is left is tried again without what others need; then all are left out."""

SUFFIX = ".j2"
TAKE_OVER = "which the templates of this version take from it; take that over from the shipped file of the same name"


def judge_templates(
    texts: Mapping[str, str], begins: Callable[[str], None], in_use: Sequence[str] = ()
) -> TemplateVerdict:
    """Judge templates by their paths in the folder, in the languages `in_use` too. `begins` hears which one is looked
    at.
    """
    faults, missing = _faults(texts, begins, in_use)
    left_out: set[str] = set()
    found = faults
    for _ in range(ROUNDS_MOST):
        if not found:
            return TemplateVerdict(faults, frozenset(left_out), missing=missing)
        names = {fault.name for fault in found}
        if not names <= texts.keys():  # a shipped one breaks over what an own one lacks: nobody knows which
            break
        left_out |= names
        found, _ = _faults({name: text for name, text in texts.items() if name not in left_out}, begins, in_use)
    return TemplateVerdict(faults, frozenset(texts))


def _faults(
    texts: Mapping[str, str], begins: Callable[[str], None], in_use: Sequence[str]
) -> tuple[tuple[TemplateFault, ...], tuple[MissingWords, ...]]:
    """The templates that cannot be parsed, and of the others those that break; the shipped ones are good. And what the
    languages in use say in English.
    """
    renderer = JinjaRenderer(sources.shipped_folder(), lambda _broken: None)
    unusable = renderer.unusable(texts, begins)
    left_out = frozenset(fault.name for fault in unusable)
    renderer.use(TemplateFiles(Path(), texts), TemplateVerdict(left_out=left_out))
    if not renderer.has_own:
        return unusable, ()
    breaking = _at_home(renderer.breaking(begins, in_use), texts)
    begins("")
    return (*unusable, *breaking), renderer.missing(in_use)


def _at_home(faults: Sequence[TemplateFault], texts: Mapping[str, str]) -> tuple[TemplateFault, ...]:
    """The faults, each at a template of the folder. A shipped one breaks where it takes from one of the folder what
    that has not: a part that was taken over from an older version.
    """
    lost = {} if all(fault.name in texts for fault in faults) else lacking(texts, _shipped())
    if not lost:
        return tuple(faults)
    here = [fault for fault in faults if fault.name in texts]
    here += [TemplateFault(name, 1, f"it lacks {', '.join(names)}, {TAKE_OVER}") for name, names in lost.items()]
    return tuple(here)


def _shipped() -> Mapping[str, str]:
    return sources.read(sources.shipped_folder()).texts


def trees_of(texts: Mapping[str, str]) -> dict[str, nodes.Template]:
    """The templates that can be read, as trees."""
    environment, trees = Environment(), {}  # noqa: S701 - nothing is rendered
    for name, text in texts.items():
        if name.endswith(SUFFIX):
            try:
                trees[name] = environment.parse(text)
            except (TemplateSyntaxError, RecursionError, ValueError, OverflowError):  # that is told elsewhere
                continue
    return trees


def lacking(own: Mapping[str, str], shipped: Mapping[str, str]) -> dict[str, tuple[str, ...]]:
    """What templates of the reader's `own` no longer have of what others, shipped ones too, import from them: a part
    that was taken over from an older version has not what the new ones use.
    """
    trees = trees_of({**shipped, **own})
    wanted: dict[str, set[str]] = {}
    for tree in trees.values():
        for node in tree.find_all(nodes.FromImport):
            if isinstance(node.template, nodes.Const) and node.template.value in own:
                names = (name if isinstance(name, str) else name[0] for name in node.names)
                wanted.setdefault(node.template.value, set()).update(names)
    lost = {name: tuple(sorted(names - _exported(trees[name]))) for name, names in wanted.items() if name in trees}
    return {name: names for name, names in lost.items() if names}


def _exported(tree: nodes.Template) -> frozenset[str]:
    """What others can import of a template: what it gives a name."""
    given = [node.name for node in tree.find_all(nodes.Name) if node.ctx == "store"]
    macros = [node.name for node in tree.find_all(nodes.Macro)]
    imported = [node.target for node in tree.find_all(nodes.Import)]
    taken = [
        name if isinstance(name, str) else name[1] for node in tree.find_all(nodes.FromImport) for name in node.names
    ]
    return frozenset((*given, *macros, *imported, *taken))
