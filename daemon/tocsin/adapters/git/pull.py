"""Following an upstream by git: fetch, compare, and move forward. Every fault is a sentence for people.

Must not know what a config is, nor who hears of it.
"""

import contextlib
from dataclasses import dataclass
from enum import Enum
from pathlib import Path

from tocsin.adapters.files.whole_file import write_whole
from tocsin.adapters.git import command
from tocsin.adapters.git.command import Done

FETCHED = "refs/tocsin/upstream"
"""What was fetched last. A ref of our own: nobody else's fetch changes it between the look and the step."""
FAILURES = "tocsin-fetch-failures"
"""A file in git's own folder that counts the fetches that failed in a row."""
MANY = 1_000_000
"""The count when it cannot be kept: rather a word too early than none."""


class BranchState(Enum):
    """How the branch stands to its upstream."""

    LEVEL = "level"
    BEHIND = "behind"
    AHEAD = "ahead"
    APART = "apart"


@dataclass(frozen=True, slots=True)
class Upstream:
    """What a checked-out branch follows: the `remote`, and the `ref` there. `name` is how people call it."""

    top: Path
    branch: str
    remote: str
    ref: str

    @property
    def name(self) -> str:
        """As in `origin/main`."""
        return f"{self.remote}/{self.ref.removeprefix('refs/heads/')}"


@dataclass(frozen=True, slots=True)
class Fetched:
    """The branch's commit, the upstream's, and how they stand; `commits` counts those that the branch lacks."""

    head: str
    commit: str
    state: BranchState
    commits: int = 0


def upstream(folder: Path) -> Upstream | str:
    """What the folder's branch follows, or a sentence that says why it follows nothing."""
    inside = _git(folder, "rev-parse", "--show-toplevel")
    if inside.status:
        absent = "it is in no git repository" if "not a git repository" in inside.errors else ""
        return absent or inside.distrust or inside.complaint
    top = Path(inside.line)
    branch = _git(top, "symbolic-ref", "--quiet", "--short", "HEAD").line
    if not branch:
        return "no branch is checked out there (detached HEAD); check out the branch that is to be followed"
    remote = _git(top, "config", "--get", f"branch.{branch}.remote").line
    ref = _git(top, "config", "--get", f"branch.{branch}.merge").line
    if not remote or not ref:
        return f"the branch {branch} follows nothing; run: git branch --set-upstream-to=origin/{branch}"
    return Upstream(top, branch, remote, ref)


def fetch(followed: Upstream) -> Fetched | str:
    """Bring the upstream's commits into the object store; neither work tree nor branch is touched. A sentence when
    that fails, now: the next time may go well.
    """
    top = followed.top
    options = ["--quiet", "--no-tags", "--no-recurse-submodules", "--upload-pack=git-upload-pack"]
    if command.config(top, r"^gc\.recentobjectshook$", own=True):
        options.append("--no-auto-maintenance")
    refs = ("--", followed.remote, f"+{followed.ref}:{FETCHED}")
    ssh = [value for _, value in command.config(top, r"^core\.sshcommand$")][-1:]
    helpers = (("credential.helper", ""), *command.config(top, r"^credential\..*helper$"))  # "" forgets those before
    fetching = ("fetch", *options, *refs)
    done = command.run(top, fetching, command.FETCH_DEADLINE, ssh="".join(ssh), settings=helpers)
    if done.status:
        return done.complaint
    commits = _git(followed.top, "rev-parse", "HEAD^{commit}", f"{FETCHED}^{{commit}}")
    counts = _git(followed.top, "rev-list", "--left-right", "--count", f"HEAD...{FETCHED}")
    if commits.status or counts.status:
        return commits.complaint if commits.status else counts.complaint
    head, commit = commits.line.split()
    ours, theirs = (int(number) for number in counts.line.split())
    state = {
        (False, False): BranchState.LEVEL,
        (False, True): BranchState.BEHIND,
        (True, False): BranchState.AHEAD,
        (True, True): BranchState.APART,
    }[bool(ours), bool(theirs)]
    return Fetched(head, commit, state, theirs)


def forward(followed: Upstream, commit: str) -> str:
    """Move the branch and the work tree forward to a commit; empty, or why nothing was moved: git looks at everything
    that it would overwrite before it touches anything.
    """
    named = command.config(followed.top, r"^filter\..*\.(clean|smudge|process|required)$", own=True)
    none = [(name, "false" if name.endswith(".required") else "") for name, _ in named]
    merging = ("merge", "--ff-only", "--no-verify-signatures", "--no-autostash", "--quiet", commit)
    done = command.run(followed.top, merging, command.STEP_DEADLINE, settings=none)
    if not done.status:
        return ""
    in_the_way = [line.strip() for line in done.errors.splitlines() if line.startswith("\t")]
    if in_the_way:
        more = f" (and {len(in_the_way) - 5} more)" if len(in_the_way) > 5 else ""
        return f"local changes would be overwritten: {', '.join(in_the_way[:5])}{more}; commit, move or discard them"
    return done.complaint


def failures(followed: Upstream, failed: bool) -> int:
    """How many fetches have failed in a row, with this one."""
    counter = followed.top / _git(followed.top, "rev-parse", "--git-path", FAILURES).line
    try:
        if not failed:
            counter.unlink(missing_ok=True)
            return 0
        count = int(counter.read_text()) + 1 if counter.exists() else 1
        write_whole(counter, str(count).encode(), 0o600)
    except (OSError, ValueError):
        with contextlib.suppress(OSError):
            counter.unlink(missing_ok=True)
        return MANY
    return count


def _git(folder: Path, *arguments: str) -> Done:
    return command.run(folder, arguments, command.STEP_DEADLINE)
