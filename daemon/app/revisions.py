"""Two configs side by side: each out of a git revision or from the work tree, loaded and ready to be compared.

Decides what of a revision is read, and how a revision that cannot be used is told: one line each. Must not know what is
compared.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from daemon.adapters import config_files, git
from daemon.app.configuration import Configuration, label_of, load, read_tree
from daemon.app.inputs import Inputs
from daemon.app.settings import Settings
from daemon.documents import declared
from daemon.documents.cleaning import one_line, shown
from daemon.documents.declared import Declared
from daemon.documents.scalars import closest
from daemon.documents.source import CALENDAR_LIMIT, FILE_LIMIT, TOP, problem, under
from daemon.domain.policy import Policy
from daemon.domain.problem import Problem, ProblemLevel

WORK_TREE = "work tree"
TESTS = "tests"


@dataclass(frozen=True, slots=True)
class Side:
    """One of the two configs. `name` is what the user called it; `held` is its revision, None for the work tree."""

    name: str
    revision: str
    policy: Policy
    settings: Settings
    inputs: Inputs
    declared: Declared
    warnings: tuple[Problem, ...]
    held: git.Revision | None


def open_side(folder: Path, name: str | None, at: datetime, environ: Mapping[str, str]) -> Side | str:
    """The config of a revision, or of the work tree without a `name`; or one line that says why it cannot be used."""
    if name is None:
        return _side(WORK_TREE, load(folder, at, environ), folder, None)
    held = git.revision(folder, name)
    if isinstance(held, git.NoRevision):
        return f"{shown(name)}: {label_of(folder)}: {held.why}{closest(name, held.known)}{_two(name)}"
    files, trouble = git.files(held, _limit)
    label = label_of(folder)
    problems = [
        problem(under(label, shown(path)), TOP, "unreadable-file", why) for path, why in trouble.items() if _open(path)
    ]
    found = read_tree(files, folder, at, environ, problems=problems, revision=held.commit[:12])
    return _side(name, found, folder, held)


def _side(name: str, found: Configuration, folder: Path, held: git.Revision | None) -> Side | str:
    if found.policy is None or found.settings is None:
        errors: Sequence[Problem] = found.errors or found.problems
        more = f" (and {len(errors) - 1} more)" if len(errors) > 1 else ""
        return one_line(f"{shown(name)}: its config does not load: {errors[0]}{more}")
    return Side(
        name,
        found.revision,
        found.policy,
        found.settings,
        Inputs(found.policy),
        declared.read(found.files, label_of(folder)),
        tuple(each for each in found.problems if each.level is ProblemLevel.WARNING),
        held,
    )


def _limit(path: str) -> int:
    """The most bytes of a file of the config folder; 0 for what is none of it, as on disk."""
    if not path.endswith(config_files.WANTED) or path.startswith(f"{TESTS}/") or not _open(path):
        return 0
    return CALENDAR_LIMIT if path.endswith(".ics") else FILE_LIMIT


def _open(path: str) -> bool:
    return not any(part.startswith(".") for part in path.split("/"))


def _two(name: str) -> str:
    """Help for who writes a range."""
    old, dots, new = name.partition("..")
    return f"; write two revisions: tocsin diff {shown(old)} {shown(new.lstrip('.'))}" if dots and old and new else ""
