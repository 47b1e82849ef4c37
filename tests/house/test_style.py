"""House rules 10 to 12: small rooms, words of the field, docstrings; and what no repository of ours may hold."""

import ast
import re
import subprocess
import tomllib

import pytest
from tocsin import __version__

from tests.house.code import ROOT, Module, modules, of_each

VAGUE = {"process", "handle", "handler", "manage", "util", "utils", "helper", "helpers", "common"}
LINES_MAX = 400
FUNCTION_MAX = 50


@of_each(modules())
def test_rooms_are_small(module: Module) -> None:
    """Rule 11: no module over 400 lines, no function over 50, each with a docstring that says its job."""
    assert module.text.count("\n") <= LINES_MAX, f"{module.name} is too long"
    assert ast.get_docstring(module.tree), f"{module.name} does not say what it is for"
    for node in module.nodes:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            assert node.end_lineno is not None
            assert node.end_lineno - node.lineno < FUNCTION_MAX, f"{module.name}:{node.lineno}: {node.name} is too long"


def test_most_rooms_fit_a_head() -> None:
    """Rule 11: most modules are under 150 lines."""
    lengths = sorted(module.text.count("\n") for module in modules())
    assert lengths[len(lengths) * 3 // 4] <= 220
    assert lengths[len(lengths) // 2] <= 150


@of_each(modules())
def test_words_of_the_field(module: Module) -> None:
    """The glossary: no vague words in the names of modules, classes and functions."""
    said = {module.path.stem}
    for node in module.nodes:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            said.add(node.name)
    for name in said:
        words = {word.lower() for word in re.findall(r"[A-Z]?[a-z]+", name)}
        assert not words & VAGUE, f"{module.name}: {name}"


def test_tests_say_what_they_hold() -> None:
    """Every test says in one sentence what it holds."""
    silent = []
    for path in sorted((ROOT / "tests").rglob("test_*.py")):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        for node in ast.walk(tree):
            is_test = isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name.startswith("test_")
            if is_test and not ast.get_docstring(node):
                silent.append(f"{path.relative_to(ROOT)}:{node.lineno}")
    assert not silent, silent


def tracked() -> list[str]:
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=False)
    return [name for name in listed.stdout.splitlines() if (ROOT / name).is_file()]


def test_nothing_private_is_kept() -> None:
    """No path of a machine and no index address in the repository; example numbers and addresses are fictional."""
    patterns = re.compile(r"/(?:home|Users)/[a-z]|/root/|files\.pythonhosted|index-url\s*=|--index-url http")
    found = []
    for name in tracked():
        text = (ROOT / name).read_bytes().decode("utf-8", "replace")
        if name.startswith("tests/house/") or name == "Makefile":
            continue
        found += [f"{name}: {match.group()}" for match in patterns.finditer(text)]
    assert not found, found


LOCKS = ("requirements.lock", "requirements-build.lock", "requirements-dev.lock")


def _pins(lock: str) -> dict[str, str]:
    """Each requirement of a lock with its version."""
    text = (ROOT / lock).read_text(encoding="utf-8")
    return dict(re.findall(r"^([a-z0-9][^\s=]*)==(\S+)", text, flags=re.MULTILINE))


@pytest.mark.parametrize("lock", LOCKS)
def test_the_locks_are_hashed(lock: str) -> None:
    """Every requirement of a lock carries hashes, and none an address."""
    text = (ROOT / lock).read_text(encoding="utf-8")
    blocks = re.split(r"\n(?=[a-z0-9])", text)
    assert len(_pins(lock)) == len(blocks)
    assert all("--hash=sha256:" in block for block in blocks)
    assert "://" not in text


def test_the_program_says_the_version_of_its_wheel() -> None:
    """An administrator tells by it whether an upgrade took place."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert project["version"] == __version__


def test_what_runs_is_what_is_tested() -> None:
    """The lock for developing holds those for running and for building, at the same versions; nobody who only runs it
    installs a tool for tests or builds.
    """
    runs, builds, develops = map(_pins, LOCKS)
    assert runs.items() <= develops.items()
    assert builds.items() <= develops.items()
    assert "hatchling" in builds
    assert not {"hatchling", "mypy", "pip-audit", "playwright", "pytest", "ruff", "uv"} & runs.keys()


def test_nothing_is_installed_without_a_hash() -> None:
    """Each pip in the Makefile checks hashes and takes wheels only, but the one that puts our own package there."""
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    assert "WHEELS := --only-binary :all:\n" in makefile
    assert "INSTALL := $(PIP) install --require-hashes $(WHEELS)\n" in makefile
    recipes = [line.strip() for line in makefile.splitlines() if line.startswith("\t")]
    pip = [line for line in recipes if "pip" in line.lower() and "install" in line.lower()]
    assert pip == ["@$(PIP) install --no-deps --no-build-isolation -e ."]
    installs = [line.removeprefix("@$(INSTALL) ") for line in recipes if "$(INSTALL)" in line]
    assert installs == ["-r requirements.lock -r requirements-build.lock", "-r requirements-dev.lock"]
