"""The web side's HTML, by Jinja2. Its templates are part of the program; nobody edits them at run time."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined


class JinjaPages:
    """The templates of one folder, `NAME.html.j2`."""

    def __init__(self, folder: Path) -> None:
        self._environment = Environment(
            loader=FileSystemLoader(folder),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )

    def render(self, name: str, values: Mapping[str, Any]) -> str:
        """The page. Values are data: they are escaped."""
        return self._environment.get_template(f"{name}.html.j2").render(**values)
