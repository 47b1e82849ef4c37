"""Configs out of a git revision or from the work tree, loaded and ready to be compared.

Decides what of a revision is read, and says in one line why a revision cannot be used.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from pathlib import Path

from tocsin.adapters.files import config_snapshot
from tocsin.adapters.files.safe_open import read_regular
from tocsin.adapters.git import read as git
from tocsin.adapters.jinja import sources
from tocsin.app.configuration.judge import judge_config, load
from tocsin.app.configuration.load import ConfigFiles, Configuration, label_of
from tocsin.app.configuration.policy_parts import PolicyParts
from tocsin.domain.policy import Policy
from tocsin.domain.problem import Problem, ProblemLevel
from tocsin.formats.config.tree import ConfigTree, read_config_tree
from tocsin.formats.settings.layers import WITHOUT_EFFECT
from tocsin.formats.settings.settings import Settings
from tocsin.ports.bounded_work import BoundedWork
from tocsin.ports.renderer import TemplateFiles
from tocsin.text.cleaning import one_line, shown
from tocsin.text.decoding import CALENDAR_LIMIT, FILE_LIMIT, TOP, displayed_path, problem
from tocsin.text.scalars import closest

WORK_TREE = "work tree"
TESTS = "tests"


@dataclass(frozen=True, slots=True)
class ComparedConfig:
    """One of two configs. `name` is what the user called it, `revision` the commit, or what stands for it. `tests`
    are the policy tests' files, by their path in the config folder; `fetch` gives any file beside it by such a path.
    `templates` are the texts of those of one's own, by their path in their folder; None where it is no part of the
    revision.
    """

    name: str
    revision: str
    policy: Policy
    settings: Settings
    parts: PolicyParts
    declared: ConfigTree
    warnings: tuple[Problem, ...]
    tests: Mapping[str, bytes]
    fetch: Callable[[str], bytes | None]
    templates: Mapping[str, str] | None = None


def open_config(
    work: BoundedWork, folder: Path, name: str | None, at: datetime, environ: Mapping[str, str]
) -> ComparedConfig | str:
    """The config of a revision, or of the work tree without a `name`; or one line that says why it cannot be used."""
    if name is None:
        on_disk = load(work, folder, at, environ)
        own = sources.read(on_disk.settings.templates).texts if on_disk.settings else None
        return _refusal(WORK_TREE, on_disk) or _compared(
            WORK_TREE, on_disk, folder, _tests_on_disk(folder), partial(_beside, folder), own
        )
    revision = git.revision(folder, name)
    if isinstance(revision, git.NoRevision):
        return _lack(name, label_of(folder), revision)
    configuration = of_revision(work, revision, folder, at, environ)
    tests, _ = git.files(revision, lambda path: FILE_LIMIT if _is_test(path) else 0)
    read = templates_of(revision.commit, configuration.settings.templates) if configuration.settings else None
    return _refusal(name, configuration) or _compared(
        name, configuration, folder, tests, partial(git.blob, revision), read.texts if read else None
    )


def of_revision(
    work: BoundedWork, revision: git.Revision, folder: Path, at: datetime, environ: Mapping[str, str]
) -> Configuration:
    """The config as it was in a revision, read as from disk. `folder` is where relative paths start."""
    files, troubles = git.files(revision, _limit)
    label = label_of(folder)
    problems = [
        problem(displayed_path(label, shown(path)), TOP, "unreadable-file", why)
        for path, why in troubles.items()
        if not _hidden(path)
    ]
    found = ConfigFiles(files, tuple(problems), revision.commit[:12], was_in_force=True)
    return judge_config(work, found, folder, at, environ)


def templates_of(commit: str, folder: Path) -> TemplateFiles | None:
    """A folder of templates as it was in a commit, empty if it was not there yet; None where it is none of that
    commit's repository.
    """
    revision = git.revision(folder, commit)
    if isinstance(revision, git.NoRevision):
        return TemplateFiles(Path(label_of(folder)), {}) if revision.lack is git.Lack.FOLDER else None
    files, troubles = git.files(revision, lambda path: sources.longest(path) if _is_template(path) else 0)
    return sources.of_revision(
        Path(label_of(folder)), files, {path: why for path, why in troubles.items() if _is_template(path)}
    )


def _refusal(name: str, configuration: Configuration) -> str:
    """One line that says why a config cannot be used; empty when it can."""
    if configuration.policy is not None and configuration.settings is not None:
        return ""
    errors = [error for error in configuration.errors if error.code not in WITHOUT_EFFECT]
    more = f" (and {len(errors) - 1} more)" if len(errors) > 1 else ""
    return one_line(f"{shown(name)}: its config does not load: {errors[0]}{more}")


def _compared(
    name: str,
    configuration: Configuration,
    folder: Path,
    tests: Mapping[str, bytes],
    fetch: Callable[[str], bytes | None],
    templates: Mapping[str, str] | None,
) -> ComparedConfig:
    assert configuration.policy is not None
    assert configuration.settings is not None
    return ComparedConfig(
        name,
        configuration.revision,
        configuration.policy,
        configuration.settings,
        PolicyParts(configuration.policy),
        read_config_tree(configuration.files, label_of(folder)),
        tuple(problem for problem in configuration.problems if problem.level is ProblemLevel.WARNING),
        tests,
        fetch,
        templates,
    )


def _tests_on_disk(folder: Path) -> dict[str, bytes]:
    """The policy tests' files in the work tree."""
    paths = sorted(path for path in (folder / TESTS).rglob("*") if _is_test(path.relative_to(folder).as_posix()))
    files = {path.relative_to(folder).as_posix(): _beside(folder, str(path.relative_to(folder))) for path in paths}
    return {path: data for path, data in files.items() if data is not None}


def _beside(folder: Path, path: str) -> bytes | None:
    """A file by its path relative to the config folder."""
    try:
        return read_regular(folder / path, FILE_LIMIT + 1, follow=True)
    except (OSError, ValueError):
        return None


def _is_test(path: str) -> bool:
    return path.startswith(f"{TESTS}/") and path.endswith((".yaml", ".yml")) and not _hidden(path)


def _is_template(path: str) -> bool:
    return sources.is_template(path) and not _hidden(path)


def _limit(path: str) -> int:
    """The most bytes of a file of the config folder; 0 for what is none of it, as on disk."""
    if not path.endswith(config_snapshot.WANTED) or path.startswith(f"{TESTS}/") or _hidden(path):
        return 0
    return CALENDAR_LIMIT if path.endswith(".ics") else FILE_LIMIT


def _hidden(path: str) -> bool:
    return any(part.startswith(".") for part in path.split("/"))


def _lack(name: str, label: str, lack: git.NoRevision) -> str:
    """One line that says what there is not, and what to write or do instead."""
    if lack.distrust:
        return f"{label} cannot be compared: {lack.distrust}"
    if lack.lack is git.Lack.REPOSITORY:
        return f"{label} is in no git repository (or git is not installed), so there are no revisions to compare"
    if lack.lack is git.Lack.FOLDER:
        return f"{shown(name)}: there is no folder {label} in that revision"
    old, dots, new = name.partition("..")
    if dots and old and new:
        instead = f"; write two revisions: tocsin diff {shown(old)} {shown(new.lstrip('.'))}"
    elif lack.shallow:
        instead = "; this clone is shallow: git fetch --unshallow brings the rest"
    else:
        instead = closest(name, lack.known)
    return f'there is no revision "{shown(name)}"{instead}'
