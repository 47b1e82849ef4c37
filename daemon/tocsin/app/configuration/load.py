"""A config folder as its disk gives it, and a config that was read of one: the values that all the rest goes by.

What makes one of the other is `read_tree`: a process of its own does that, so nothing of it is imported here. Never
raises.
"""

import hashlib
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from tocsin.adapters.files import config_snapshot
from tocsin.adapters.git import read as git
from tocsin.domain.policy import Policy
from tocsin.domain.problem import Problem, ProblemLevel
from tocsin.formats.config.file_names import SETTINGS
from tocsin.formats.config.fragments import Fragments
from tocsin.formats.settings.ledger_address import LedgerAddress
from tocsin.formats.settings.settings import Settings
from tocsin.text.cleaning import shown
from tocsin.text.decoding import TOP, problem


@dataclass(frozen=True, slots=True)
class Configuration:
    """A config that was read. It can be used when neither `policy` nor `settings` is None, even beside an unknown
    variable (rule 43).

    `own` is what tocsin.yaml and the environment say of this machine, also where the rest is refused; None: that cannot
    be told. `files` are its bytes by path relative to the folder, for the ledger's last good copy; `ledger` is where
    the ledger is to be looked for, whatever else is wrong, and `elsewhere` where next, if there is none (rule 43).
    `declared` knows where what the fragments declare stands. `unread` are those of the problems that are the disk's:
    what could not be read is no bad config (rule 73).
    """

    policy: Policy | None
    settings: Settings | None
    problems: tuple[Problem, ...]
    ledger: LedgerAddress
    files: Mapping[str, bytes] = field(default_factory=dict, repr=False)
    revision: str = ""
    declared: Fragments = field(default_factory=Fragments, repr=False)
    unread: tuple[Problem, ...] = ()
    elsewhere: tuple[LedgerAddress, ...] = ()
    own: Settings | None = None

    @property
    def errors(self) -> tuple[Problem, ...]:
        """The problems that refuse this config, unknown variables included."""
        return tuple(problem for problem in self.problems if problem.level is ProblemLevel.ERROR)


@dataclass(frozen=True, slots=True)
class ConfigFiles:
    """A config folder as its disk gave it: files by path relative to it, what is wrong with them, and the revision. One
    that `was_in_force` is as git or the ledger has it: what tocsin refuses only today does not count.
    """

    files: Mapping[str, bytes]
    problems: tuple[Problem, ...]
    revision: str
    was_in_force: bool = False


def read_files(folder: Path) -> ConfigFiles:
    """What the disk gives of a config folder. It may hang."""
    files, problems = config_snapshot.snapshot(folder, label_of(folder))
    digest = digest_of(files)
    commit = git.commit(folder)
    revision = (commit + digest[:8] if commit.endswith("+") else commit) if commit else f"sha256:{digest[:12]}"
    return ConfigFiles(files, tuple(problems), revision)


def unanswered(folder: Path) -> ConfigFiles:
    """What is read of a folder that does not answer: nothing, and that it does not."""
    label = label_of(folder)
    why = f"the config folder {label} does not answer; see to its disk or server"
    return ConfigFiles({}, (problem(label, TOP, "unreadable-file", why),), "")


def label_of(path: Path) -> str:
    """How users call a path: relative to where they stand if it lies below, else absolute, as from the root itself."""
    try:
        relative = os.path.relpath(path)
    except OSError:  # where they stand is gone
        return shown(str(path))
    whole = str(absolute(path))
    return shown(whole if relative.startswith("..") or whole == f"/{relative}" else relative)


def absolute(path: Path) -> Path:
    """The path from the root, with its links as they are."""
    try:
        return Path(os.path.abspath(path))  # noqa: PTH100 - resolves no links
    except OSError:
        return path


def counted(files: Mapping[str, bytes], *, shared: bool) -> Mapping[str, bytes]:
    """What of a config tells it from others, and is kept: all of it, or where machines share a ledger what they have in
    common: tocsin.yaml is each one's own (P9).
    """
    return {name: data for name, data in files.items() if name != SETTINGS} if shared else files


def digest_of(files: Mapping[str, bytes]) -> str:
    """A digest of all files and their names."""
    digest = hashlib.sha256()
    for name in sorted(files):
        digest.update(f"{name}\0{len(files[name])}\0".encode())
        digest.update(files[name])
    return digest.hexdigest()
