"""Mail servers that take everything, for what is measured and for its peers alike.

Where rates are measured it is postfix's `smtp-sink`, which costs least, and our own where that is not installed; where
each mail's moment matters it is our own, which writes the moment down.
"""

import fcntl
import os
import re
import shutil
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Protocol

from bench.processes import end, wait

ROOT = Path(__file__).resolve().parents[1]
_TAKEN = re.compile(rb"mesg=(\d+)")


class Sink(Protocol):
    """Takes mails at a port of this machine."""

    name: str
    port: int

    def taken(self) -> int:
        """How many mails it has taken."""

    def close(self) -> None:
        """End it."""


class StampingSink:
    """`bench.sink`: ours, in Python, which writes down when and for whom each mail was taken. Or `bench.twilio`, which
    does the same with SMS.
    """

    def __init__(self, base: Path, *more: str, module: str = "bench.sink") -> None:
        self.name = module
        port_file, self._log = base / "port", base / "sink.log"
        self._process = subprocess.Popen(
            [sys.executable, "-m", module, str(port_file), str(self._log), *more], cwd=ROOT
        )
        wait(lambda: port_file.is_file() and bool(port_file.read_text()), 10)
        self.port = int(port_file.read_text())
        self._read, self._mails = 0, list[tuple[float, str]]()

    def mails(self) -> list[tuple[float, str]]:
        """What it took: when, and for whom."""
        with self._log.open("rb") as log:
            log.seek(self._read)
            for line in iter(log.readline, b""):
                if not line.endswith(b"\n"):
                    break
                self._read += len(line)
                at, _, to = line.decode().partition(" ")
                self._mails.append((float(at), to.strip()))
        return self._mails

    def taken(self) -> int:
        """How many mails it has taken."""
        return len(self.mails())

    def close(self) -> None:
        """End it."""
        end(self._process)


class PostfixSink:
    """Postfix's `smtp-sink`, which counts what it takes."""

    name = "smtp-sink"

    def __init__(self) -> None:
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port = free.getsockname()[1]
        root = ["-u", "nobody"] if os.geteuid() == 0 else []
        given = ["-c", "-m", "2048", f"127.0.0.1:{self.port}", "1024"]
        self._process = subprocess.Popen(
            [str(program("smtp-sink")), *root, *given], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, bufsize=0
        )
        assert self._process.stdout is not None
        self._out = self._process.stdout.fileno()
        os.set_blocking(self._out, False)
        fcntl.fcntl(self._out, fcntl.F_SETPIPE_SZ, 1 << 20)  # it says a word for each mail, and stops when nobody reads
        self._rest, self._count = b"", 0
        wait(self._answers, 10)

    def _answers(self) -> bool:
        try:
            socket.create_connection(("127.0.0.1", self.port), 1).close()
        except OSError:
            return False
        return True

    def taken(self) -> int:
        """How many mails it has taken."""
        try:
            while said := os.read(self._out, 1 << 16):
                *whole, self._rest = (self._rest + said).split(b"\r")
                for found in map(_TAKEN.search, whole[-1:]):
                    assert found is not None
                    self._count = int(found[1])
        except BlockingIOError:
            pass
        return self._count

    def close(self) -> None:
        """End it."""
        end(self._process)


def program(name: str) -> Path | None:
    """Where a program of postfix is: on the PATH, or where Debian puts it, which is not on that of everybody."""
    found = shutil.which(name) or shutil.which(name, path="/usr/sbin")
    return Path(found) if found else None


def fastest(base: Path) -> Sink:
    """Postfix's, or ours where that is not installed."""
    return PostfixSink() if program("smtp-sink") else StampingSink(base)


def seconds_for(sink: Sink, mails: int, began: float, within: float = 300.0) -> float:
    """Seconds from `began` (of time.monotonic) until the sink had taken so many mails in all. Raises TimeoutError."""
    wait(lambda: sink.taken() >= mails, within)
    return time.monotonic() - began
