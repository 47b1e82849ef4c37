"""House rules 11 and 12: folders one can look over, and names that mean one thing."""

import ast
import re
from collections import Counter, defaultdict

import pytest

from tests.house.code import PACKAGE, ROOT, Module, modules, of_each

FOLDER_MOST = 12
WIDE = {"cli": 44}
"""A folder that may hold more: an index by the commands' names. Three have a second module, imported while their config
is judged.
"""
APP_ROOMS_MOST = 20


def test_a_folder_can_be_looked_over() -> None:
    """Rule 11: at most twelve modules in a folder, and at most twenty rooms in app/."""
    counts = Counter(
        module.path.parent.relative_to(PACKAGE).as_posix() for module in modules() if module.path.name != "__init__.py"
    )
    assert not {folder: count for folder, count in counts.items() if count > WIDE.get(folder, FOLDER_MOST)}
    assert len([path for path in (PACKAGE / "app").iterdir() if (path / "__init__.py").is_file()]) <= APP_ROOMS_MOST


def test_no_class_name_stands_for_two_things() -> None:
    """Rule 12: a class name is used once in the package."""
    homes = defaultdict(list)
    for module in modules():
        for node in module.nodes:
            if isinstance(node, ast.ClassDef):
                homes[node.name].append(module.name)
    assert not {name: places for name, places in homes.items() if len(places) > 1}


@of_each(modules())
def test_exceptions_are_errors(module: Module) -> None:
    """Names: an exception's name ends in Error, and nobody is excused from it."""
    assert "N818" not in module.text
    for node in module.nodes:
        if isinstance(node, ast.ClassDef):
            bases = {ast.unparse(base) for base in node.bases}
            if any(base.endswith(("Exception", "Error")) for base in bases):
                assert node.name.endswith("Error"), f"{module.name}:{node.lineno}: {node.name}"


@pytest.mark.parametrize("page", ["ARCHITECTURE.md", "CONTRIBUTING.md"])
def test_the_map_names_what_is_there(page: str) -> None:
    """A path in the map leads to a file or a folder, of the package or of the repository."""
    text = (ROOT / page).read_text(encoding="utf-8")
    paths = re.findall(r"`([a-z_]+(?:/[a-z_]+)+/?(?:\.[a-z]+)?)`", text)
    assert paths
    lost = [
        path
        for path in paths
        if not any((base / f"{path}{end}").exists() for base in (PACKAGE, ROOT) for end in ("", ".py"))
    ]
    assert not lost, lost
