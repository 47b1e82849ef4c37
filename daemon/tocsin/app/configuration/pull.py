"""Pulling: the config folder follows its git upstream, one step at a time, never to a config that is refused.

Decides whether what was fetched may be checked out: only forward, only over nothing local, only if its config is good,
read out of git's object store before a file is touched. The daemon notices by itself. Must not know who is told.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from tocsin.adapters.git import pull as git_pull
from tocsin.adapters.git import read as git
from tocsin.adapters.git.pull import BranchState, Fetched, Upstream
from tocsin.app.configuration.load import label_of
from tocsin.app.configuration.revisions import of_revision
from tocsin.text.cleaning import one_line

PATIENCE = 3
"""The fetch that fails for this time in a row is told to the operators; networks come and go."""
ABBREVIATED = 12


@dataclass(frozen=True, slots=True)
class PullResult:
    """What became of a pull. `lines` say it, with every problem of a refused config; `good` unless it was refused or
    failed. The operators hear `word` if it is not empty; pulls with one `cause` are one trouble to them.
    """

    lines: tuple[str, ...]
    good: bool = True
    word: str = ""
    cause: str = ""


def pull(folder: Path, at: datetime, environ: Mapping[str, str]) -> PullResult:
    """Follow the upstream of the branch that the config folder is in. It blocks, for two minutes at most."""
    followed = git_pull.upstream(folder)
    if isinstance(followed, str):
        return _refused("upstream", f"{label_of(folder)} follows no upstream: {followed}")
    fetched = git_pull.fetch(followed)
    failures = git_pull.failures(followed, isinstance(fetched, str))
    if isinstance(fetched, str):
        said = f"{followed.name} cannot be fetched: {fetched}"
        if failures < PATIENCE:
            return PullResult((said,), good=False)
        return _refused("fetch", f"{said}; the config stays as it is, the last {PATIENCE} pulls or more have failed")
    if fetched.state is BranchState.LEVEL:
        return PullResult((f"nothing new: {followed.branch} is at {_short(fetched.head)}, as {followed.name} is",))
    if fetched.state is BranchState.AHEAD:
        return PullResult((f"nothing new: {followed.branch} has commits that {followed.name} has not",))
    return _step(folder, at, environ, followed, fetched)


def _step(folder: Path, at: datetime, environ: Mapping[str, str], followed: Upstream, fetched: Fetched) -> PullResult:
    """Step forward to what was fetched, or refuse it."""
    new, stays = f"{_short(fetched.commit)} of {followed.name}", f"the config stays at {_short(fetched.head)}"
    if fetched.state is BranchState.APART:
        why = (
            f"{followed.branch} has other commits, so it is no fast-forward; reset or rebase {followed.branch} by hand"
        )
        return _refused(fetched.commit, f"{new} was refused, {stays}: {why}")
    held = git.revision(folder, fetched.commit)
    if isinstance(held, git.NoRevision):
        return _refused(fetched.commit, f"{new} was refused, {stays}: there is no folder {label_of(folder)} in it")
    found = of_revision(held, folder, at, environ)
    if found.policy is None or found.settings is None:
        errors = found.errors or found.problems
        more = f" (and {len(errors) - 1} more)" if len(errors) > 1 else ""
        refusal = _refused(fetched.commit, one_line(f"{new} was refused, {stays}: {errors[0]}{more}"))
        first = f"{new} was refused, {stays}; its config has problems:"
        return PullResult((first, *map(str, errors)), refusal.good, refusal.word, refusal.cause)
    if why := git_pull.forward(followed, fetched.commit):
        return _refused(fetched.commit, f"{new} was refused, {stays}: {why}")
    count = f"{fetched.commits} commit{'s' * (fetched.commits > 1)}"
    return PullResult((f"pulled {count}: {followed.branch} is now at {new}, before at {_short(fetched.head)}",))


def _refused(cause: str, said: str) -> PullResult:
    return PullResult((said,), good=False, word=f"tocsin pull: {said}", cause=f"pull:{cause}")


def _short(commit: str) -> str:
    return commit[:ABBREVIATED]
