"""git, where it follows an upstream: fetch, compare, and move forward. Must not know what a config is, nor who is told.

Nothing here waits for a person: no prompt for passwords or host keys, no hooks, and each command has a deadline after
which git and everything it started (ssh) is ended. Every fault is a sentence.
"""

import contextlib
import os
import re
import signal
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from pathlib import Path

FETCH_DEADLINE = 60.0
"""Seconds that a fetch may take."""
DEADLINE = 30.0
"""Seconds that any other command may take."""
ENDS_WITHIN = 3.0
"""Seconds that git has to tidy up (its lock files) when it is told to end."""
FETCHED = "refs/tocsin/upstream"
"""What was fetched last. A ref of our own: nobody else's fetch changes it between the look and the step."""
FAILURES = "tocsin-fetch-failures"
"""A file in git's own folder that counts the fetches that failed in a row."""
MANY = 1_000_000
"""The count when it cannot be kept: rather a word too early than none."""
WORDS_LIMIT = 300
"""The most characters of what git says that are told on."""

_OF_A_REPOSITORY = {
    *("GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_OBJECT_DIRECTORY", "GIT_ALTERNATE_OBJECT_DIRECTORIES"),
    *("GIT_COMMON_DIR", "GIT_NAMESPACE", "GIT_PREFIX", "GIT_QUARANTINE_PATH", "GIT_SHALLOW_FILE"),
}
"""Variables of a git hook, which would name another repository than the folder's."""

_SETTINGS = (
    "core.hooksPath=/dev/null",  # hooks of whoever works in the clone are not for the machine
    "core.fsmonitor=false",
    "merge.autoStash=false",
    "gc.autoDetach=false",  # it ends before we do
    "maintenance.autoDetach=false",
)


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
    """The branch's commit, the upstream's, and how they stand; `commits` are those that the branch lacks."""

    head: str
    commit: str
    standing: BranchState
    commits: int = 0


@dataclass(frozen=True, slots=True)
class _Done:
    status: int
    output: str
    said: str


def upstream(folder: Path) -> Upstream | str:
    """What the folder's branch follows, or a sentence that says why it follows nothing."""
    found = _git(folder, ["rev-parse", "--show-toplevel"])
    if found.status:
        return "it is in no git repository" if "not a git repository" in found.said else told(found.said)
    top = Path(found.output)
    branch = _git(top, ["symbolic-ref", "--quiet", "--short", "HEAD"]).output
    if not branch:
        return "no branch is checked out there (detached HEAD); check out the branch that is to be followed"
    remote = _git(top, ["config", "--get", f"branch.{branch}.remote"]).output
    ref = _git(top, ["config", "--get", f"branch.{branch}.merge"]).output
    if not remote or not ref:
        return f"the branch {branch} follows nothing; run: git branch --set-upstream-to=origin/{branch}"
    return Upstream(top, branch, remote, ref)


def fetch(followed: Upstream) -> Fetched | str:
    """Bring the upstream's commits into the object store; neither work tree nor branch is touched. A sentence when
    that fails, now: the next time may go well.
    """
    where = ["--", followed.remote, f"+{followed.ref}:{FETCHED}"]
    quiet = ["fetch", "--quiet", "--no-tags", "--no-recurse-submodules"]
    ssh = _git(followed.top, ["config", "--get", "core.sshCommand"]).output
    done = _git(followed.top, [*quiet, *where], FETCH_DEADLINE, ssh)
    if done.status:
        return told(done.said)
    ids = _git(followed.top, ["rev-parse", "HEAD^{commit}", f"{FETCHED}^{{commit}}"])
    counted = _git(followed.top, ["rev-list", "--left-right", "--count", f"HEAD...{FETCHED}"])
    if ids.status or counted.status:
        return told(ids.said if ids.status else counted.said)
    head, commit = ids.output.split()
    ours, theirs = (int(number) for number in counted.output.split())
    standing = {
        (False, False): BranchState.LEVEL,
        (False, True): BranchState.BEHIND,
        (True, False): BranchState.AHEAD,
        (True, True): BranchState.APART,
    }[bool(ours), bool(theirs)]
    return Fetched(head, commit, standing, theirs)


def forward(followed: Upstream, commit: str) -> str:
    """Move the branch and the work tree forward to a commit; empty, or why nothing was moved: git looks at everything
    that it would overwrite before it touches anything.
    """
    done = _git(followed.top, ["merge", "--ff-only", "--quiet", commit])
    if not done.status:
        return ""
    in_the_way = [line.strip() for line in done.said.splitlines() if line.startswith("\t")]
    if in_the_way:
        more = f" (and {len(in_the_way) - 5} more)" if len(in_the_way) > 5 else ""
        return f"local changes would be overwritten: {', '.join(in_the_way[:5])}{more}; commit, move or discard them"
    return told(done.said)


def failures(followed: Upstream, failed: bool) -> int:
    """How many fetches have failed in a row, with this one."""
    named = _git(followed.top, ["rev-parse", "--git-path", FAILURES]).output
    kept = followed.top / named
    try:
        if not failed:
            kept.unlink(missing_ok=True)
            return 0
        count = int(kept.read_text()) + 1 if kept.exists() else 1
        kept.write_text(str(count))
    except (OSError, ValueError):
        with contextlib.suppress(OSError):
            kept.unlink(missing_ok=True)
        return MANY
    return count


def told(said: str) -> str:
    """What git says, in one line for people: its last complaint, without passwords of addresses."""
    lines = [line.strip() for line in said.splitlines() if line.strip()]
    grave = [line for line in lines if line.startswith(("fatal:", "error:"))]
    first = next((line for line in lines if "Permission denied" in line or "Host key" in line), "")
    line = " ".join(dict.fromkeys(filter(None, (first, (grave or lines or [""])[0]))))
    return re.sub(r"://[^/@\s]*@", "://", line)[:WORDS_LIMIT] or "git failed without a word"


def _git(folder: Path, arguments: Sequence[str], deadline: float = DEADLINE, ssh: str = "") -> _Done:
    """Run one git command in a folder. `ssh` is the command that the repository wants for it."""
    options = [word for setting in _SETTINGS for word in ("-c", setting)]
    try:
        running = subprocess.Popen(  # noqa: S603 - fixed command, no shell
            ["git", *options, "-C", str(folder), *arguments],  # noqa: S607 - the user's own git
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=_environment(ssh),
            start_new_session=True,
        )
    except (OSError, ValueError) as fault:
        return _Done(127, "", f"git cannot be run: {fault}")
    with running:
        try:
            output, said = running.communicate(timeout=deadline)
        except subprocess.TimeoutExpired:
            _end(running)
            return _Done(124, "", f"git {arguments[0]} took over {deadline:g} s and was ended")
    return _Done(running.returncode, os.fsdecode(output).strip(), said.decode("utf-8", "replace"))


def _end(running: "subprocess.Popen[bytes]") -> None:
    """End git and what it started; softly first, so that it takes its lock files away."""
    for number in (signal.SIGTERM, signal.SIGKILL):
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(running.pid, number)
        with contextlib.suppress(subprocess.TimeoutExpired):
            running.communicate(timeout=ENDS_WITHIN)
            return


def _environment(ssh: str) -> dict[str, str]:
    """The process's variables, but for a hook's; nothing asks for a password, a passphrase or a host key."""
    own = {name: value for name, value in os.environ.items() if name not in _OF_A_REPOSITORY}
    own |= {"GIT_TERMINAL_PROMPT": "0", "GCM_INTERACTIVE": "never", "SSH_ASKPASS_REQUIRE": "never", "LC_ALL": "C"}
    if "GIT_SSH" not in own or "GIT_SSH_COMMAND" in own or ssh:
        own["GIT_SSH_COMMAND"] = f"{own.get('GIT_SSH_COMMAND') or ssh or 'ssh'} -o BatchMode=yes -o ConnectTimeout=15"
    return own
