"""The config as it is on disk, judged while the command imports what it needs next: the process that judges is ready
before everything is imported.

Apart from what that is, so that it can be asked first.
"""

import importlib
import os
import re
from collections.abc import Sequence
from contextlib import suppress
from datetime import datetime
from enum import Enum
from functools import partial
from pathlib import Path

from tocsin.adapters.files.rights import is_file
from tocsin.adapters.files.safe_open import read_regular
from tocsin.app.configuration.judge import load
from tocsin.app.configuration.load import Configuration
from tocsin.cli.judging import bounded_child
from tocsin.cli.options import fail, folder_of, utc_now, warn_of
from tocsin.domain.policy import Policy
from tocsin.domain.problem import Problem, ProblemLevel
from tocsin.formats.config.file_names import SETTINGS
from tocsin.formats.settings.settings import DEFAULT_LEDGER, Settings
from tocsin.text.decoding import FILE_LIMIT


class Asked(Enum):
    """What a command asks a ledger: of one in a file no more need be opened than that."""

    ALL = "all"
    INCIDENTS = "incidents"
    ADDRESSES = "addresses"


_NAMED = re.compile(rb"^ledger: *sqlite:///([^\s#?]+)", re.MULTILINE)
"""How settings that name a ledger in a file nearly always do so."""
_OPENED_BY = {
    Asked.ALL: ("tocsin.adapters.ledger.sqlite.opening", "tocsin.adapters.ledger.ledger"),
    Asked.INCIDENTS: ("tocsin.adapters.ledger.sqlite.reading.incidents",),
    Asked.ADDRESSES: ("tocsin.adapters.ledger.sqlite.reading.addresses",),
}
"""What opens a ledger in a file."""


def judged_config(folder: Path, *needed: str, patience: float | None = None, asked: Asked = Asked.ALL) -> Configuration:
    """The config in a folder as of now; `patience` as in `judge_config`. Meanwhile the modules `needed` are imported,
    and what opens its ledger for what will be `asked`.
    """
    work = bounded_child()
    work.meanwhile(partial(_import_next, folder, needed, asked))
    return load(work, folder, utc_now(), os.environ, patience)


def _import_next(folder: Path, needed: Sequence[str], asked: Asked) -> None:
    for module in needed:
        importlib.import_module(module)
    expect_ledger(folder, asked)


def expect_ledger(folder: Path, asked: Asked = Asked.ALL) -> None:
    """Import what opens a ledger in a file (as `open_ledger` does), if this config folder seems to name one that is
    there. It is for a moment in which there is nothing to do but wait: a wrong guess costs time alone, for whoever
    opens the ledger goes by the config that counts.
    """
    with suppress(OSError):
        named = _NAMED.search(read_regular(folder / SETTINGS, FILE_LIMIT, follow=True))
        place = os.fsdecode(named[1]) if named else DEFAULT_LEDGER.file
        if place and is_file(folder / place):
            for needed in _OPENED_BY[asked]:
                importlib.import_module(needed)


class OpenedConfig:
    """A config that is good: the policy and the settings, and what `check` warns of."""

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
