"""A disk that hangs or fails under one process, below one path: what a dead NFS server or a bad sector does."""

import shutil
import subprocess
from pathlib import Path

import pytest

SOURCE = Path(__file__).with_suffix(".c")


class SickDisk:
    """Processes started with `environ` have it; it is well until told otherwise. Skips where there is no C compiler."""

    def __init__(self, folder: Path, below: Path) -> None:
        compiler = shutil.which("cc")
        if compiler is None:
            pytest.skip("there is no cc here, so no process's disk can be made sick")
        library, self._flag = folder / "sick_disk.so", folder / "sick_disk.flag"
        subprocess.run([compiler, "-shared", "-fPIC", "-O1", "-o", library, SOURCE, "-ldl"], check=True)
        self.environ = {"LD_PRELOAD": str(library), "SICK_BELOW": str(below), "SICK_FLAG": str(self._flag)}

    def hang(self) -> None:
        """From now on whoever asks gets no answer, and those who asked wait."""
        self._flag.touch()

    def fail(self, errno: int) -> None:
        """From now on whoever asks gets this error."""
        hidden = self._flag.with_suffix(".new")
        hidden.write_text(str(errno))
        hidden.rename(self._flag)

    def heal(self) -> None:
        """All is well again."""
        self._flag.unlink(missing_ok=True)
