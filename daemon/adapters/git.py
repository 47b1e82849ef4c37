"""git: which commit the config folder stands at. Decides nothing; must not know what a config is.

It runs the `git` command with a deadline; where there is none, or no repository, there is simply no revision.
"""

import os
import subprocess
from collections.abc import Sequence
from pathlib import Path

DEADLINE = 5.0
"""Seconds that one git command may take."""


def _git(folder: Path, arguments: Sequence[str]) -> str | None:
    """The output of a read-only git command in a folder, or None when it fails."""
    # A git hook's own variables (GIT_DIR, GIT_INDEX_FILE) would name another repository than the folder's.
    own = {name: value for name, value in os.environ.items() if not name.startswith("GIT_") or "CONFIG" in name}
    environment = {**own, "GIT_OPTIONAL_LOCKS": "0", "GIT_TERMINAL_PROMPT": "0", "LC_ALL": "C"}
    try:
        done = subprocess.run(  # noqa: S603 - fixed command, no shell
            ["git", "-c", "core.fsmonitor=false", "-C", str(folder), *arguments],  # noqa: S607 - the user's own git
            capture_output=True,
            check=False,
            timeout=DEADLINE,
            env=environment,
            stdin=subprocess.DEVNULL,
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout.decode(errors="replace").strip() if done.returncode == 0 else None


def commit(folder: Path) -> str | None:
    """The last commit that touched the folder, 12 digits, with a `+` behind it when the folder differs from it; None
    when the folder is in no commit.
    """
    if _git(folder, ["rev-parse", "--quiet", "--verify", "HEAD:./"]) is None:
        return None
    found = _git(folder, ["log", "-1", "--abbrev=12", "--format=%h", "--", "."])
    changed = _git(folder, ["status", "--porcelain", "--untracked-files=all", "--", "."])
    if not found or changed is None:
        return None
    return found + ("+" if changed else "")
