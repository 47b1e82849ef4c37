"""What is wrong with a folder of templates: each is parsed, and rendered with samples of its kind.

Decides which templates must be left out so that the others can be used.
"""

from collections.abc import Callable, Mapping
from pathlib import Path

from tocsin.adapters.jinja import sources
from tocsin.adapters.jinja.renderer import JinjaRenderer
from tocsin.ports.renderer import TemplateFault, TemplateFiles, TemplateVerdict

ROUNDS_MOST = 3
"""How often what is left is tried again without what others need; then all are left out."""


def judge_templates(texts: Mapping[str, str], begins: Callable[[str], None]) -> TemplateVerdict:
    """Judge templates by their paths in the folder. `begins` hears which one is looked at."""
    faults = _faults(texts, begins)
    left_out: set[str] = set()
    found = faults
    for _ in range(ROUNDS_MOST):
        if not found:
            return TemplateVerdict(faults, frozenset(left_out))
        names = {fault.name for fault in found}
        if not names <= texts.keys():  # a shipped one breaks over what an own one lacks: nobody knows which
            break
        left_out |= names
        found = _faults({name: text for name, text in texts.items() if name not in left_out}, begins)
    return TemplateVerdict(faults, frozenset(texts))


def _faults(texts: Mapping[str, str], begins: Callable[[str], None]) -> tuple[TemplateFault, ...]:
    """The templates that cannot be parsed, and of the others those that break; the shipped ones are good."""
    renderer = JinjaRenderer(sources.shipped_folder(), lambda _broken: None)
    unusable = renderer.unusable(texts, begins)
    left_out = frozenset(fault.name for fault in unusable)
    renderer.use(TemplateFiles(Path(), texts), TemplateVerdict(left_out=left_out))
    if not renderer.has_own:
        return unusable
    breaking = renderer.breaking(begins)
    begins("")
    return (*unusable, *breaking)
