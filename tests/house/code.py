"""Reads the package's own source for the rules of the house: modules, their floors, imports and definitions."""

import ast
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = ROOT / "daemon" / "tocsin"
NAME = PACKAGE.name


@dataclass(frozen=True)
class Module:
    """One source file of the package."""

    path: Path

    @property
    def name(self) -> str:
        """Its path below the package, as people say it."""
        return self.path.relative_to(PACKAGE).as_posix()

    @property
    def dotted(self) -> str:
        """Its name below the package, as imports say it; a folder's own file has the folder's."""
        return self.name.removesuffix(".py").removesuffix("/__init__").replace("/", ".")

    @property
    def room(self) -> str:
        """The folder of the package it belongs to, or its own name where it lies beside the folders."""
        return self.dotted.split(".")[0]

    @cached_property
    def text(self) -> str:
        """The source."""
        return self.path.read_text(encoding="utf-8")

    @cached_property
    def tree(self) -> ast.Module:
        """The source, parsed."""
        return ast.parse(self.text)

    @cached_property
    def nodes(self) -> tuple[ast.AST, ...]:
        """All that stands in it."""
        return tuple(ast.walk(self.tree))

    def imports(self) -> Iterator[tuple[str, ast.AST]]:
        """Every dotted name imported, `from a import b` as `a.b`, with its node."""
        for node in self.nodes:
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


@cache
def _every() -> tuple[Module, ...]:
    """Every module, read and parsed once for all tests."""
    return tuple(Module(path) for path in sorted(PACKAGE.rglob("*.py")) if "shipped" not in path.parts)


def modules(*rooms: str) -> list[Module]:
    """Every module of the package, or of some of its rooms."""
    return [module for module in _every() if not rooms or module.room in rooms]


def of_each(listed: Sequence[Module]) -> Callable[[Callable[[Module], None]], Callable[[], None]]:
    """A test that every one of these modules must pass, in one go; those that do not are named together."""

    def decorate(test: Callable[[Module], None]) -> Callable[[], None]:
        def test_of_all() -> None:
            faults = []
            for module in listed:
                try:
                    test(module)
                except AssertionError as fault:
                    faults.append(f"{module.name}: {fault}")
            assert listed
            assert not faults, "\n".join(faults)

        test_of_all.__name__, test_of_all.__doc__, test_of_all.__module__ = test.__name__, test.__doc__, test.__module__
        return test_of_all

    return decorate


@cache
def arrows() -> dict[str, set[str]]:
    """Which modules of the package each one imports, by dotted names below the package."""
    known = {module.dotted for module in modules()}
    targets: dict[str, set[str]] = {}
    for module in modules():
        targets[module.dotted] = set()
        for name, _ in module.imports():
            parts = name.split(".")
            if parts[0] != NAME:
                continue
            ends = (".".join(parts[1:end]) for end in range(len(parts), 1, -1))
            target = next((end for end in ends if end in known), None)
            if target is not None and target != module.dotted:
                targets[module.dotted].add(target)
    return targets
