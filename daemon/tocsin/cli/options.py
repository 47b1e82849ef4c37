"""What the commands share: options for config, instants and spans, and how a refused config or input is told."""

import os
import sys
from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any, NoReturn, TypeVar

import click

from tocsin.adapters.bounded_child import BoundedChild
from tocsin.adapters.clock import SystemClock
from tocsin.adapters.files.rights import closed, is_file
from tocsin.domain.policy import Policy
from tocsin.domain.problem import Problem, ProblemLevel
from tocsin.formats.config.read import SETTINGS
from tocsin.formats.settings.settings import Settings
from tocsin.text import scalars

F = TypeVar("F", bound=Callable[..., Any])

config_option = click.option(
    "--config",
    type=click.Path(path_type=Path, readable=False),  # whoever reads it says better why it cannot be read
    help="The config folder. Default: $TOCSIN_CONFIG, else ./config, else /etc/tocsin.",
)


anyway_option = click.option(
    "--anyway",
    is_flag=True,
    help="Don't mind that no daemon watches the folder: git, or something else, carries it to the daemon.",
)
HERE, INSTALLED = Path("config"), Path("/etc/tocsin")
"""Where the config is looked for when nobody says where it is."""


def folder_of(config: Path | None) -> Path:
    """The config folder: --config, else $TOCSIN_CONFIG, else ./config if it holds a tocsin.yaml, else /etc/tocsin where
    there is one; a ./config that may not be looked into is told of. Never raises.
    """
    if named := config or os.environ.get("TOCSIN_CONFIG"):
        return Path(named)
    here = is_file(HERE / SETTINGS) or not os.path.lexists(INSTALLED)
    if not here and (why := closed(HERE / SETTINGS)):
        click.echo(f"{HERE} {why}; {INSTALLED} is used instead", err=True)
    return HERE if here else INSTALLED


def utc_now() -> datetime:
    """Now, in UTC."""
    return SystemClock().now()


class _Scalar(click.ParamType[Any]):
    """An argument in the words of the config: a duration or an instant; a wrong one is wrong usage (exit 2)."""

    def __init__(self, name: str, read: Callable[[str], Any]) -> None:
        self.name = name
        self.read = read

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Read the argument."""
        if not isinstance(value, str):
            return value
        try:
            return self.read(value)
        except ValueError as fault:
            self.fail(str(fault), param, ctx)


def instant_option(*names: str, **settings: Any) -> Callable[[F], F]:
    """An option that takes an instant: ISO 8601 with an offset or Z."""
    return click.option(*names, type=_Scalar("instant", scalars.instant), metavar="T", **settings)


def span_option(*names: str, **settings: Any) -> Callable[[F], F]:
    """An option that takes a duration: 30s, 5m, 1h30m, 2d."""
    return click.option(*names, type=_Scalar("duration", scalars.duration), metavar="SPAN", **settings)


class InputPath(click.Path):
    """An argument that names what is there to be read. What may not be seen is not called absent (exit 1)."""

    def __init__(self, *, dir_okay: bool = True) -> None:
        super().__init__(exists=True, dir_okay=dir_okay, path_type=Path)

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """The path."""
        if why := closed(Path(value)):
            fail([f"{value} {why}"])
        return super().convert(value, param, ctx)


@cache
def bounded_child() -> BoundedChild:
    """Where this process has configs judged, so that none keeps it for ever."""
    return BoundedChild()


def ready_child() -> BoundedChild:
    """The same, made ready while there is one thread and nothing is open: for a process that begins others later."""
    child = bounded_child()
    child.keep_ready()
    return child


class OpenedConfig:
    """A config that loaded: the policy and the settings, and what `check` warns of."""

    def __init__(self, policy: Policy, settings: Settings, warnings: tuple[Problem, ...]) -> None:
        self.policy = policy
        self.settings = settings
        self.warnings = warnings


def open_policy(config: Path | None, at: datetime) -> OpenedConfig:
    """The config as it is on disk, around an instant. A refused one is told, problem by problem, and ends with 1."""
    from tocsin.app.configuration.judge import load

    loaded = load(bounded_child(), folder_of(config), at, os.environ)
    if loaded.policy is None or loaded.settings is None:
        fail(loaded.problems)
    warn_of(loaded.errors)
    warnings = tuple(problem for problem in loaded.problems if problem.level is ProblemLevel.WARNING)
    return OpenedConfig(loaded.policy, loaded.settings, warnings)


def warn_of(errors: Iterable[Problem]) -> None:
    """Tell what is wrong but stops no command beside `check` and a first `run`: unknown variables (rule 43)."""
    for error in errors:
        click.echo(str(replace(error, level=ProblemLevel.WARNING)), err=True)


def fail(problems: Iterable[Problem | str]) -> NoReturn:
    """Say what is wrong on stderr, a line each, and exit with 1."""
    for problem in problems:
        click.echo(str(problem), err=True)
    sys.exit(1)
