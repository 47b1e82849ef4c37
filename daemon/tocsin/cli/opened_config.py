"""The config as it is on disk, for commands that need no ledger: one that is refused ends them."""

import os
from datetime import datetime
from pathlib import Path

from tocsin.app.configuration.judge import load
from tocsin.cli.judging import bounded_child
from tocsin.cli.options import fail, folder_of, warn_of
from tocsin.domain.policy import Policy
from tocsin.domain.problem import Problem, ProblemLevel
from tocsin.formats.settings.settings import Settings


class OpenedConfig:
    """A config that loaded: the policy and the settings, and what `check` warns of."""

    def __init__(self, policy: Policy, settings: Settings, warnings: tuple[Problem, ...]) -> None:
        self.policy = policy
        self.settings = settings
        self.warnings = warnings


def open_policy(config: Path | None, at: datetime) -> OpenedConfig:
    """The config as it is on disk, around an instant. A refused one is told, problem by problem, and ends with 1."""
    loaded = load(bounded_child(), folder_of(config), at, os.environ)
    if loaded.policy is None or loaded.settings is None:
        fail(loaded.problems)
    warn_of(loaded.errors)
    warnings = tuple(problem for problem in loaded.problems if problem.level is ProblemLevel.WARNING)
    return OpenedConfig(loaded.policy, loaded.settings, warnings)
