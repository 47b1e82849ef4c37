"""Whatever tells somebody to use a command names one that there is: docs, help, messages, pages, in every language."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import click
import pytest
from tocsin.cli import COMMANDS, tocsin

from tests.house.code import PACKAGE, ROOT

PAGES = sorted([*(ROOT / "docs").glob("*.md"), *ROOT.glob("*.md")])
TEXTS = sorted(
    path for path in [*(ROOT / "templates").rglob("*"), *PACKAGE.rglob("*")] if path.suffix in {".j2", ".po"}
)
_FENCE = re.compile(r"^ *```.*?^ *```", re.MULTILINE | re.DOTALL)
_CALL = re.compile(r"(?:^|[;|&(] *|(?<=\$ )|= *)tocsin ([a-z][a-z-]*)(?![\w-])([^;|&)#\n]*)", re.MULTILINE)
_TOLD = re.compile(
    r"(?:`|\(|\b(?:use|or|with|run|see) |code\">|code>)tocsin ([a-z][a-z-]*)(?=$|[)`'\"<:,.;]|\\n| [A-Z{\"\[]| --)"
)
_OPTION = re.compile(r"(?<![\w-])--[a-z][a-z-]*")
PROSE = {"command", "config", "incident", "policy"}
"""Words behind the name that are no commands: of titles and of names of groups of them."""


def called(text: str) -> Iterator[tuple[str, list[str]]]:
    """The commands that stand as code in Markdown, each with its options."""
    fenced = "\n".join(_FENCE.findall(text))
    for code in [*re.findall(r"`([^`\n]+)`", _FENCE.sub("", text)), *fenced.split("\n")]:
        for call in _CALL.finditer(code.strip().removeprefix("$ ")):
            yield call[1], _OPTION.findall(call[2])


def unknown(command: str, options: list[str]) -> str:
    """What is wrong with a call; nothing if there is such a command with these options."""
    if command not in COMMANDS:
        return f"tocsin {command}"
    group = tocsin
    assert isinstance(group, click.Group)
    known = group.get_command(click.Context(group), command)
    assert known is not None
    there = {name for parameter in known.params for name in (*parameter.opts, *parameter.secondary_opts)} | {"--help"}
    return "".join(f"tocsin {command} {option} " for option in options if option not in there)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_a_page_names_commands_that_there_are(page: Path) -> None:
    """Each in code, with options that it has. The changelog tells of what was."""
    text = page.read_text(encoding="utf-8")
    wrong = [problem for command, options in called(text) if (problem := unknown(command, options))]
    assert not wrong or page.name == "CHANGELOG.md", wrong


def test_every_command_stands_in_the_list_of_commands() -> None:
    """`docs/commands.md` and the table of `docs/behaviour.md` leave none out."""
    for page in ("commands.md", "behaviour.md"):
        named = {command for command, _ in called((ROOT / "docs" / page).read_text(encoding="utf-8"))}
        assert not set(COMMANDS) - named, page


@pytest.mark.parametrize("command", COMMANDS)
def test_examples_of_help_are_calls_that_would_do(command: str) -> None:
    """Every command has examples; they name commands and options that there are."""
    group = tocsin
    assert isinstance(group, click.Group)
    known = group.get_command(click.Context(group), command)
    assert known is not None
    assert known.help is not None
    lines = [line.strip() for line in known.help.partition("Example")[2].split("\n")]
    calls = [(call[1], _OPTION.findall(call[2])) for line in lines for call in _CALL.finditer(line)]
    assert calls or command in {"run", "web"}
    assert not [problem for name, options in calls if (problem := unknown(name, options))]


def told() -> Iterator[tuple[str, str]]:
    """Where people are told of a command, and which: in templates, pages, catalogues, and texts of the program."""
    for path in TEXTS:
        for call in _TOLD.finditer(path.read_text(encoding="utf-8")):
            yield path.name, call[1]
    for path in sorted(PACKAGE.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                for call in _TOLD.finditer(node.value):
                    yield f"{path.name}:{node.lineno}", call[1]


def test_messages_name_commands_that_there_are() -> None:
    """A command that was renamed would send somebody nowhere at three in the morning."""
    places = list(told())
    assert len(places) > 50
    assert not [(place, name) for place, name in places if name not in COMMANDS.keys() | PROSE]
