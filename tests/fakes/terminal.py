"""A terminal of a given size, in which a command runs: what it writes there, byte for byte."""

import fcntl
import os
import pty
import re
import select
import signal
import struct
import subprocess
import termios
import time
from pathlib import Path
from types import TracebackType

ESCAPES = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")


class Terminal:
    """The command's stdin, stdout and stderr. With `piped` stdout is a pipe, and the terminal shows stderr alone."""

    def __init__(
        self,
        command: list[str | Path],
        columns: int,
        *,
        cwd: Path | None = None,
        env: dict[str, str],
        piped: bool = False,
    ) -> None:
        self._ours, theirs = pty.openpty()
        self.resize(columns)
        self.process = subprocess.Popen(
            command, stdin=theirs, stdout=subprocess.PIPE if piped else theirs, stderr=theirs, cwd=cwd, env=env,
            start_new_session=True,
        )  # fmt: skip
        os.close(theirs)
        self.seen = ""

    def resize(self, columns: int, lines: int = 40) -> None:
        """Give it another size, as by the mouse."""
        fcntl.ioctl(self._ours, termios.TIOCSWINSZ, struct.pack("HHHH", lines, columns, 0, 0))

    def until(self, words: str, seconds: float = 20) -> str:
        """Read on until these words stand there; what came since the last reading."""
        before = len(self.seen)
        deadline = time.monotonic() + seconds
        while words not in self.seen[before:]:
            assert time.monotonic() < deadline, f"{words!r} never came: {self.seen[before:]!r}"
            if self._has_more(0.2):
                assert self._read(), f"it ended without {words!r}: {self.seen[before:]!r}"
        return self.seen[before:]

    def end(self, seconds: float = 20) -> str:
        """Everything that it wrote, once it has ended."""
        deadline = time.monotonic() + seconds
        while not self._has_more(0.2) or self._read():
            assert time.monotonic() < deadline, f"it does not end: {self.seen!r}"
        self.process.wait(seconds)
        return self.seen

    def write(self, text: str) -> None:
        """Type it."""
        os.write(self._ours, text.encode())

    def interrupt(self) -> None:
        """Ctrl-C, and once more where nothing comes of it: between a question's last letter and the reading of its answer
        Python only notes a signal, and reads on (CPython's `my_fgets`).
        """
        for _try in range(3):
            self.process.send_signal(signal.SIGINT)
            if self._has_more(3):
                return

    def _has_more(self, seconds: float) -> bool:
        """Whether something can be read, or has ended, within so many seconds."""
        return bool(select.select([self._ours], [], [], seconds)[0])

    def _read(self) -> bool:
        try:
            data = os.read(self._ours, 65536)
        except OSError:  # Linux: the other side is closed
            return False
        self.seen += data.decode(errors="replace").replace("\r\n", "\n")
        return bool(data)

    def __enter__(self) -> "Terminal":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, fault: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait(10)
        if self.process.stdout:
            self.process.stdout.close()
        os.close(self._ours)


def plain(text: str) -> str:
    """Without colours and movements."""
    return ESCAPES.sub("", text)
