"""A process that stops itself at one chosen instant of what it says: between its own look at the clock and the byte."""

import shutil
import subprocess
from pathlib import Path

import pytest

SOURCE = Path(__file__).with_suffix(".c")


class StoppingPoint:
    """Processes started with `environ` have one, once `stop` has said where. Skips where there is no C compiler."""

    def __init__(self, folder: Path) -> None:
        compiler = shutil.which("cc")
        if compiler is None:
            pytest.skip("there is no cc here, so no process can be stopped at a chosen instant")
        library, self._file = folder / "stopping_point.so", folder / "stopping_point"
        subprocess.run([compiler, "-shared", "-fPIC", "-O1", "-o", library, SOURCE, "-ldl"], check=True)
        self.environ = {"LD_PRELOAD": str(library), "STOPPING_POINT": str(self._file)}

    def stop(self, when: str, words: str, *, alone: bool = False) -> None:
        """The first message with these words (`alone`: and no others) stops the process, right `before` or right
        `after` it leaves.
        """
        hidden = self._file.with_suffix(".new")
        hidden.write_bytes(f"{when.upper() if alone else when}\n{words}".encode())
        hidden.rename(self._file)

    @property
    def reached(self) -> bool:
        """Whether that has happened."""
        return not self._file.exists()
