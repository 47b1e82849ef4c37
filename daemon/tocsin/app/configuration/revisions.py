"""Two configs side by side: each out of a git revision or from the work tree, loaded and ready to be compared.

Decides what of a revision is read, and how a revision that cannot be used is told: one line each. Must not know what is
compared.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from pathlib import Path

from tocsin.adapters.files import config_snapshot
from tocsin.adapters.files.safe_open import read_regular
from tocsin.adapters.git import read as git
from tocsin.app.configuration.load import Configuration, label_of, load, read_tree
from tocsin.app.configuration.policy_parts import PolicyParts
from tocsin.domain.policy import Policy
from tocsin.domain.problem import Problem, ProblemLevel
from tocsin.formats.config.tree import ConfigTree, read_config_tree
from tocsin.formats.settings.layers import UNKNOWN_VARIABLE
from tocsin.formats.settings.settings import Settings
from tocsin.text.cleaning import one_line, shown
from tocsin.text.decoding import CALENDAR_LIMIT, FILE_LIMIT, TOP, displayed_path, problem
from tocsin.text.scalars import closest

WORK_TREE = "work tree"
TESTS = "tests"


@dataclass(frozen=True, slots=True)
class ComparedConfig:
    """One of the two configs. `name` is what the user called it, `revision` the commit, or what stands for it. `tests`
    are the policy tests' files, by their path in the config folder; `fetch` gives any file beside it by such a path.
    """

    name: str
    revision: str
    policy: Policy
    settings: Settings
    inputs: PolicyParts
    declared: ConfigTree
    warnings: tuple[Problem, ...]
    tests: Mapping[str, bytes]
    fetch: Callable[[str], bytes | None]


def open_config(folder: Path, name: str | None, at: datetime, environ: Mapping[str, str]) -> ComparedConfig | str:
    """The config of a revision, or of the work tree without a `name`; or one line that says why it cannot be used."""
    if name is None:
        loaded = load(folder, at, environ)
        return _refused(WORK_TREE, loaded) or _side(
            WORK_TREE, loaded, folder, _on_disk(folder), partial(_beside, folder)
        )
    held = git.revision(folder, name)
    if isinstance(held, git.NoRevision):
        return _lacking(name, label_of(folder), held)
    found = of_revision(held, folder, at, environ)
    tests, _ = git.files(held, lambda path: FILE_LIMIT if _is_test(path) else 0)
    return _refused(name, found) or _side(name, found, folder, tests, partial(git.blob, held))


def of_revision(held: git.Revision, folder: Path, at: datetime, environ: Mapping[str, str]) -> Configuration:
    """The config as it was in a revision, read as from disk. `folder` is where relative paths start."""
    files, trouble = git.files(held, _limit)
    label = label_of(folder)
    problems = [
        problem(displayed_path(label, shown(path)), TOP, "unreadable-file", why)
        for path, why in trouble.items()
        if _open(path)
    ]
    return read_tree(files, folder, at, environ, problems=problems, revision=held.commit[:12])


def _refused(name: str, found: Configuration) -> str:
    """One line that says why a config cannot be used; empty when it can."""
    if found.policy is not None and found.settings is not None:
        return ""
    errors = [each for each in found.errors if each.code != UNKNOWN_VARIABLE]
    more = f" (and {len(errors) - 1} more)" if len(errors) > 1 else ""
    return one_line(f"{shown(name)}: its config does not load: {errors[0]}{more}")


def _side(
    name: str, found: Configuration, folder: Path, tests: Mapping[str, bytes], fetch: Callable[[str], bytes | None]
) -> ComparedConfig:
    assert found.policy is not None
    assert found.settings is not None
    return ComparedConfig(
        name,
        found.revision,
        found.policy,
        found.settings,
        PolicyParts(found.policy),
        read_config_tree(found.files, label_of(folder)),
        tuple(each for each in found.problems if each.level is ProblemLevel.WARNING),
        tests,
        fetch,
    )


def _on_disk(folder: Path) -> dict[str, bytes]:
    """The policy tests' files in the work tree."""
    paths = sorted(path for path in (folder / TESTS).rglob("*") if _is_test(path.relative_to(folder).as_posix()))
    read = {path.relative_to(folder).as_posix(): _beside(folder, str(path.relative_to(folder))) for path in paths}
    return {path: data for path, data in read.items() if data is not None}


def _beside(folder: Path, path: str) -> bytes | None:
    """A file by its path relative to the config folder."""
    try:
        return read_regular(folder / path, FILE_LIMIT + 1, follow=True)
    except (OSError, ValueError):
        return None


def _is_test(path: str) -> bool:
    return path.startswith(f"{TESTS}/") and path.endswith((".yaml", ".yml")) and _open(path)


def _limit(path: str) -> int:
    """The most bytes of a file of the config folder; 0 for what is none of it, as on disk."""
    if not path.endswith(config_snapshot.WANTED) or path.startswith(f"{TESTS}/") or not _open(path):
        return 0
    return CALENDAR_LIMIT if path.endswith(".ics") else FILE_LIMIT


def _open(path: str) -> bool:
    return not any(part.startswith(".") for part in path.split("/"))


def _lacking(name: str, label: str, found: git.NoRevision) -> str:
    """One line that says what there is not, and what to write or do instead."""
    if found.lack is git.Lack.REPOSITORY:
        return f"{label} is in no git repository (or git is not installed), so there are no revisions to compare"
    if found.lack is git.Lack.FOLDER:
        return f"{shown(name)}: there is no folder {label} in that revision"
    old, dots, new = name.partition("..")
    if dots and old and new:
        instead = f"; write two revisions: tocsin diff {shown(old)} {shown(new.lstrip('.'))}"
    elif found.shallow:
        instead = "; this clone is shallow: git fetch --unshallow brings the rest"
    else:
        instead = closest(name, found.known)
    return f'there is no revision "{shown(name)}"{instead}'
