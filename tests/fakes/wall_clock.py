"""The wall clock of chosen processes, put forward and back while they run, as NTP or a person does with a machine's."""

import os
import shutil
import struct
import subprocess
from datetime import timedelta
from pathlib import Path

import pytest

SOURCE = Path(__file__).with_suffix(".c")


class WallClock:
    """Processes started with `environ` have it; `ahead` is how far it differs from the machine's. Skips where there is
    no C compiler.
    """

    def __init__(self, folder: Path, ahead: timedelta = timedelta()) -> None:
        compiler = shutil.which("cc")
        if compiler is None:
            pytest.skip("there is no cc here, so no process's clock can be shifted")
        library = folder / "wall_clock.so"
        subprocess.run([compiler, "-shared", "-fPIC", "-O1", "-o", library, SOURCE, "-ldl"], check=True)
        self._file = folder / "wall_clock.ahead"
        self._file.write_bytes(struct.pack("q", 0))
        self.environ = {"LD_PRELOAD": str(library), "WALL_CLOCK_AHEAD": str(self._file)}
        self.set(ahead)

    def set(self, ahead: timedelta) -> None:
        """Step it, in every process that runs with it."""
        nanoseconds = ahead // timedelta(microseconds=1) * 1000
        descriptor = os.open(self._file, os.O_WRONLY)
        try:
            os.pwrite(descriptor, struct.pack("q", nanoseconds), 0)
        finally:
            os.close(descriptor)
