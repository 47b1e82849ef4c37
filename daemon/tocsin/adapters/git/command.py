"""One git command, run so that nothing waits for a person, nothing goes on after its deadline, and no program starts
that a repository names.

A repository's own config may name programs (hooks, filters, helpers, proxies): who unpacked an archive did not choose
them. So what could start one is set here, which counts before any config, and a look starts no transport: a missing
object is missing. When a command takes too long, git and everything that it started (ssh) is ended. Git's faults are
values.
"""

import contextlib
import os
import re
import shlex
import signal
import subprocess
from collections.abc import Mapping, Sequence
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
    "core.pager=cat",
    "core.editor=false",
    "core.askPass=",
    "core.alternateRefsCommand=:",
    "gpg.program=false",
    "gpg.openpgp.program=false",
    "gpg.x509.program=false",
    "gpg.ssh.program=false",
    "log.showSignature=false",
    "merge.verifySignatures=false",
    "merge.autoStash=false",
    "submodule.recurse=false",
    "safe.bareRepository=explicit",  # a folder that came as a file's neighbours is no repository
    "gc.autoDetach=false",  # it ends before we do
    "maintenance.autoDetach=false",
)
_NO_TRANSPORT = "none"
_TRANSPORTS = "https:http:ssh:git:file"
"""What git may reach another repository by: nothing in a look (it would fetch what a partial clone lacks); in a fetch
whatever is no program that its address names (`ext::`).
"""
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
    "GIT_NO_LAZY_FETCH": "1",
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


def run(
    folder: Path,
    arguments: Sequence[str],
    deadline: float,
    lines: bytes = b"",
    ssh: str | None = None,
    settings: Sequence[tuple[str, str]] = (),
) -> Done:
    """Run a git command in a folder, for `deadline` seconds at most. `lines` is its input, `settings` count after all
    config. `ssh` is for one that goes over the network: its user's own command for it, empty for the usual one.
    """
    options = [word for setting in _SETTINGS for word in ("-c", setting)]
    try:
        running = subprocess.Popen(  # noqa: S603 - fixed command, no shell
            ["git", *options, "-C", str(folder), *arguments],  # noqa: S607 - the user's own git
            stdin=subprocess.PIPE if lines else subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=_environment(ssh, settings),
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


def _environment(ssh: str | None, settings: Sequence[tuple[str, str]]) -> dict[str, str]:
    """The process's variables, but for a hook's; nothing asks for a password, a passphrase or a host key."""
    own = {name: value for name, value in os.environ.items() if name not in _OF_A_REPOSITORY} | _ALONE
    own["GIT_ALLOW_PROTOCOL"] = _NO_TRANSPORT if ssh is None else own.get("GIT_ALLOW_PROTOCOL", _TRANSPORTS)
    own.setdefault("GIT_PROXY_COMMAND", "")
    named = own.get("GIT_SSH_COMMAND") or ssh
    if ssh is not None and (named or "GIT_SSH" not in own):
        own["GIT_SSH_COMMAND"] = f"{named or 'ssh'} -o BatchMode=yes -o ConnectTimeout=15"
    elif ssh is not None:  # it may not know these options, and comes after what a repository's config names
        own["GIT_SSH_COMMAND"] = shlex.quote(own["GIT_SSH"])
    return own | _counted(own, settings)


def _counted(own: Mapping[str, str], settings: Sequence[tuple[str, str]]) -> dict[str, str]:
    """Settings as git takes them from its environment, where a name may hold any letter: after config, before `-c`."""
    if not settings:
        return {}
    count = own.get("GIT_CONFIG_COUNT", "")
    first = int(count) if count.isdecimal() else 0
    variables = {"GIT_CONFIG_COUNT": str(first + len(settings))}
    for number, (name, value) in enumerate(settings, first):
        variables |= {f"GIT_CONFIG_KEY_{number}": name, f"GIT_CONFIG_VALUE_{number}": value}
    return variables


def config(folder: Path, pattern: str, *, own: bool = False) -> tuple[tuple[str, str], ...]:
    """What config says of the names that match, in order. Not `own`: what a repository's own files say is left out; who
    runs the command has the others (`git config --global`).
    """
    done = run(folder, ("config", "--show-scope", "--null", "--get-regexp", pattern), LOOK_DEADLINE)
    words = done.output.decode("utf-8", "surrogateescape").split("\0")
    entries = zip(words[::2], words[1::2], strict=False)
    wanted = {"system", "global"} | ({"local", "worktree"} if own else set())
    pairs = (entry.partition("\n")[::2] for scope, entry in entries if scope in wanted)
    return tuple((name, value) for name, value in pairs)
