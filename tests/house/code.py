"""Reads the package's own source for the rules of the house: modules, their floors, imports and definitions."""

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = ROOT / "daemon"

FLOORS = {"domain": 0, "planning": 1, "documents": 1, "ports": 2, "adapters": 3, "app": 4, "web": 5, "cli": 6}


@dataclass(frozen=True)
class Module:
    """One source file of the package."""

    path: Path

    @property
    def name(self) -> str:
        """Its path below the package, as people say it."""
        return self.path.relative_to(PACKAGE).as_posix()

    @property
    def room(self) -> str:
        """The folder (or single file) of the package it belongs to."""
        return self.path.relative_to(PACKAGE).parts[0].removesuffix(".py")

    @cached_property
    def text(self) -> str:
        """The source."""
        return self.path.read_text(encoding="utf-8")

    @cached_property
    def tree(self) -> ast.Module:
        """The source, parsed."""
        return ast.parse(self.text)

    def imports(self) -> Iterator[tuple[str, ast.AST]]:
        """Every dotted name imported, `from a import b` as `a.b`, with its node."""
        for node in ast.walk(self.tree):
            if isinstance(node, ast.Import):
                for alias in node.names:
                    yield alias.name, node
            elif isinstance(node, ast.ImportFrom):
                assert node.level == 0, f"{self.name}: relative import"
                for alias in node.names:
                    yield f"{node.module}.{alias.name}", node

    def libraries(self) -> set[str]:
        """The top-level packages imported."""
        return {name.split(".")[0] for name, _ in self.imports()}


def modules(*rooms: str) -> list[Module]:
    """Every module of the package, or of some of its rooms."""
    found = [Module(path) for path in sorted(PACKAGE.rglob("*.py")) if "shipped" not in path.parts]
    return [module for module in found if not rooms or module.room in rooms]
