"""The config folder follows its git upstream, one step at a time, never to a config that is refused.

Decides whether what was fetched may be checked out: only forward, only over nothing local, only if its config is good,
read out of git's object store before a file is touched. The daemon notices by itself.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from tocsin.adapters.files.rights import leads_nowhere, ours
from tocsin.adapters.git import pull as git_pull
from tocsin.adapters.git import read as git
from tocsin.adapters.git.pull import BranchState, Fetched, Upstream
from tocsin.app.configuration.judge import NOT_JUDGED
from tocsin.app.configuration.load import label_of
from tocsin.app.configuration.revisions import of_revision, templates_of
from tocsin.app.configuration.template_advice import template_problems
from tocsin.domain.problem import Problem, ProblemLevel
from tocsin.ports.bounded_work import BoundedWork
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


def pull(work: BoundedWork, folder: Path, at: datetime, environ: Mapping[str, str]) -> PullResult:
    """Follow the upstream of the branch that the config folder is in. It blocks, for two minutes at most."""
    if (lost := leads_nowhere(folder)) is not None:
        move = f"if the clone is another user's still, move it to {ours()} (docs/installing.md, From one user to three)"
        return _refused("folder", f"{label_of(folder)} leads to {label_of(lost)}, where {ours()} sees nothing; {move}")
    upstream = git_pull.upstream(folder)
    if isinstance(upstream, str):
        return _refused("upstream", f"{label_of(folder)} follows no upstream: {upstream}")
    fetched = git_pull.fetch(upstream)
    failures = git_pull.failures(upstream, isinstance(fetched, str))
    if isinstance(fetched, str):
        sentence = f"{upstream.name} cannot be fetched: {fetched}"
        if failures < PATIENCE:
            return PullResult((sentence,), good=False)
        return _refused(
            "fetch", f"{sentence}; the config stays as it is, the last {PATIENCE} pulls or more have failed"
        )
    if fetched.state is BranchState.LEVEL:
        return PullResult((f"nothing new: {upstream.branch} is at {_short(fetched.head)}, as {upstream.name} is",))
    if fetched.state is BranchState.AHEAD:
        return PullResult((f"nothing new: {upstream.branch} has commits that {upstream.name} has not",))
    return _step(work, folder, at, environ, upstream, fetched)


def _step(
    work: BoundedWork, folder: Path, at: datetime, environ: Mapping[str, str], upstream: Upstream, fetched: Fetched
) -> PullResult:
    """Step forward to what was fetched, or refuse it."""
    new, stays = f"{_short(fetched.commit)} of {upstream.name}", f"the config stays at {_short(fetched.head)}"
    if fetched.state is BranchState.APART:
        why = (
            f"{upstream.branch} has other commits, so it is no fast-forward; reset or rebase {upstream.branch} by hand"
        )
        return _refused(fetched.commit, f"{new} was refused, {stays}: {why}")
    revision = git.revision(folder, fetched.commit)
    if isinstance(revision, git.NoRevision):
        return _refused(fetched.commit, f"{new} was refused, {stays}: there is no folder {label_of(folder)} in it")
    configuration = of_revision(work, revision, folder, at, environ)
    errors: Sequence[Problem] = ()
    if configuration.policy is None or configuration.settings is None:
        errors = configuration.errors or configuration.problems
    elif templates := templates_of(fetched.commit, configuration.settings.templates):
        found = template_problems(work, templates, configuration.policy)
        errors = [problem for problem in found if problem.level is ProblemLevel.ERROR]
    if any(error.code == NOT_JUDGED for error in errors):  # the next pull may well do it
        return PullResult((f"{new} is not pulled yet: {errors[0].message}",), good=False)
    if errors:
        more = f" (and {len(errors) - 1} more)" if len(errors) > 1 else ""
        refusal = _refused(fetched.commit, one_line(f"{new} was refused, {stays}: {errors[0]}{more}"))
        first = f"{new} was refused, {stays}; its config has problems:"
        return PullResult((first, *map(str, errors)), refusal.good, refusal.word, refusal.cause)
    if why := git_pull.forward(upstream, fetched.commit):
        return _refused(fetched.commit, f"{new} was refused, {stays}: {why}")
    count = f"{fetched.commits} commit{'s' * (fetched.commits > 1)}"
    return PullResult((f"pulled {count}: {upstream.branch} is now at {new}, before at {_short(fetched.head)}",))


def _refused(cause: str, sentence: str) -> PullResult:
    return PullResult((sentence,), good=False, word=f"tocsin pull: {sentence}", cause=f"pull:{cause}")


def _short(commit: str) -> str:
    return commit[:ABBREVIATED]
