"""The renderer as the daemon would use it, for commands that show messages. It decides which templates count."""

from collections.abc import Callable
from pathlib import Path

from tocsin.adapters.jinja.renderer import JinjaRenderer
from tocsin.adapters.jinja.sources import shipped_folder
from tocsin.domain.problem import Problem


def shipped_renderer(templates: Path, tell: Callable[[Problem], None] = lambda _broken: None) -> JinjaRenderer:
    """The words of messages as the daemon would write them: a folder's templates over the shipped ones."""
    renderer = JinjaRenderer(shipped_folder(), tell)
    for problem in renderer.load(templates):
        tell(problem)
    return renderer
