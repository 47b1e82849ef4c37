"""One git command, run so that nothing waits for a person and nothing goes on after its deadline.

No prompt for passwords or host keys, no hooks, no variables of a hook that name another repository. When a command
takes too long, git and everything that it started (ssh) is ended. Git's faults are values.
"""

import contextlib
import os
import re
import shlex
import signal
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tocsin.adapters.files.rights import ours, owner
from tocsin.text.cleaning import shown

LOOK_DEADLINE = 5.0
"""Seconds for a look at what the repository knows."""
READ_DEADLINE = 60.0
"""Seconds for reading files out of a revision."""
STEP_DEADLINE = 30.0
"""Seconds for moving a branch and its work tree, and for looks on the way there."""
FETCH_DEADLINE = 60.0
"""Seconds for a fetch."""
ENDS_WITHIN = 3.0
"""Seconds that git has to tidy up (its lock files) when it is told to end."""
COMPLAINT_LIMIT = 300
"""The most characters of what git says that are told on."""

_SETTINGS = (
    "core.hooksPath=/dev/null",  # hooks of whoever works in the clone are not for the machine
    "core.fsmonitor=false",
    "merge.autoStash=false",
    "gc.autoDetach=false",  # it ends before we do
    "maintenance.autoDetach=false",
)
_OF_A_REPOSITORY = {
    *("GIT_DIR", "GIT_WORK_TREE", "GIT_IMPLICIT_WORK_TREE", "GIT_COMMON_DIR", "GIT_INDEX_FILE", "GIT_PREFIX"),
    *("GIT_OBJECT_DIRECTORY", "GIT_ALTERNATE_OBJECT_DIRECTORIES", "GIT_QUARANTINE_PATH", "GIT_NAMESPACE"),
    *("GIT_GRAFT_FILE", "GIT_SHALLOW_FILE", "GIT_REPLACE_REF_BASE", "GIT_NO_REPLACE_OBJECTS"),
    "GIT_INTERNAL_SUPER_PREFIX",
}
"""Variables of a git hook, which would name another repository than the folder's, or change what it holds."""
_ALONE = {
    "GIT_TERMINAL_PROMPT": "0",
    "GCM_INTERACTIVE": "never",
    "SSH_ASKPASS_REQUIRE": "never",
    "GIT_OPTIONAL_LOCKS": "0",
    "LC_ALL": "C",
}


_DISTRUST = re.compile(r"(?:dubious ownership in repository at|unsafe repository \()\s*'([^'\n]+)'")
"""What git says of a repository that belongs to somebody else."""


@dataclass(frozen=True, slots=True)
class Done:
    """How a command ended: git's exit status (124 after the deadline, 127 where it cannot be run), its output, and its
    complaints.
    """

    status: int
    output: bytes
    errors: str

    @property
    def line(self) -> str:
        """The output as text, without the blanks around it."""
        return os.fsdecode(self.output).strip()

    @property
    def complaint(self) -> str:
        """What git said, in one line for people: its first complaint, without passwords of addresses."""
        lines = [line.strip() for line in self.errors.splitlines() if line.strip()]
        grave = [line for line in lines if line.startswith(("fatal:", "error:"))]
        cause = next((line for line in lines if "Permission denied" in line or "Host key" in line), "")
        text = " ".join(dict.fromkeys(filter(None, (cause, (grave or lines or [""])[0]))))
        return re.sub(r"://[^/@\s]*@", "://", text)[:COMPLAINT_LIMIT] or "git failed without a word"

    @property
    def distrust(self) -> str:
        """That git does not read somebody else's repository, whose it is, and what to do; empty where that is not why.
        We do not overrule it: the settings in a repository name programs that git would run as us.
        """
        told = _DISTRUST.search(self.errors)
        if told is None:
            return ""
        top = Path(told[1])
        others = (name for name in (owner(top), owner(top / ".git")) if name not in {"", ours()})
        whose = next(others, "somebody else")
        trust = f"git config --global --add safe.directory {shlex.quote(told[1])}"
        return (
            f"git does not trust {shown(told[1])}, which belongs to {whose}; run it as {whose}, or if you do: {trust}"
        )


def run(folder: Path, arguments: Sequence[str], deadline: float, lines: bytes = b"", ssh: str | None = None) -> Done:
    """Run a git command in a folder, for `deadline` seconds at most. `lines` is its input. `ssh` is for one that goes
    over the network: the repository's own command for it, empty for the usual one.
    """
    options = [word for setting in _SETTINGS for word in ("-c", setting)]
    try:
        running = subprocess.Popen(  # noqa: S603 - fixed command, no shell
            ["git", *options, "-C", str(folder), *arguments],  # noqa: S607 - the user's own git
            stdin=subprocess.PIPE if lines else subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=_environment(ssh),
            start_new_session=True,
        )
    except (OSError, ValueError) as fault:
        return Done(127, b"", f"git cannot be run: {fault}")
    with running:
        try:
            output, errors = running.communicate(lines or None, timeout=deadline)
        except subprocess.TimeoutExpired:
            _end(running)
            return Done(124, b"", f"git {arguments[0]} took over {deadline:g} s and was ended")
        except KeyboardInterrupt:  # git, in a session of its own, does not hear it
            _end(running)
            raise
    return Done(running.returncode, output, errors.decode("utf-8", "replace"))


def _end(running: "subprocess.Popen[bytes]") -> None:
    """End git and what it started; softly first, so that it takes its lock files away."""
    for number in (signal.SIGTERM, signal.SIGKILL):
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(running.pid, number)
        with contextlib.suppress(subprocess.TimeoutExpired):
            running.communicate(timeout=ENDS_WITHIN)
            return


def _environment(ssh: str | None) -> dict[str, str]:
    """The process's variables, but for a hook's; nothing asks for a password, a passphrase or a host key."""
    own = {name: value for name, value in os.environ.items() if name not in _OF_A_REPOSITORY} | _ALONE
    if ssh is not None and ("GIT_SSH" not in own or "GIT_SSH_COMMAND" in own or ssh):
        own["GIT_SSH_COMMAND"] = f"{own.get('GIT_SSH_COMMAND') or ssh or 'ssh'} -o BatchMode=yes -o ConnectTimeout=15"
    return own
