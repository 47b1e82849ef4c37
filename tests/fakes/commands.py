"""A command within the process of the tests, where it is about what is said and written; what a process of its own is for
(how it ends, signals, a terminal) runs by `tests/fakes/ready_commands.py` or as the installed command.
"""

import os
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest
from click.testing import CliRunner
from tocsin.cli import tocsin


def run_here(
    arguments: Sequence[str], folder: Path, environ: Mapping[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    """A command in a folder, without any of our variables but those of `environ`. Raises what it does not foresee."""
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        for name in [name for name in os.environ if name.startswith("TOCSIN_")]:
            patch.delenv(name)
        done = CliRunner().invoke(tocsin, [*arguments], env=environ)
    if done.exception is not None and not isinstance(done.exception, SystemExit):
        raise done.exception
    return subprocess.CompletedProcess([*arguments], done.exit_code, done.stdout, done.stderr)
