"""Commands as processes of their own, without the half second in which Python reads the same modules each time.

One process has read everything and waits; for each command it forks, and the child is what `tocsin` is: its own working
directory, environment, streams and exit status. Whatever is about the start itself (what is imported, a variable that
Python reads when it begins) runs the installed `tocsin` instead.
"""

import array
import atexit
import contextlib
import importlib
import json
import os
import pkgutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import IO

ROOT = Path(__file__).parents[2]
STREAMS = 2
OF_PYTHON = ("PYTHON", "LC_", "LANG")
"""What Python looks at when it begins."""


def run_ready(
    arguments: Sequence[str], folder: Path, environ: Mapping[str, str], seconds: float = 60
) -> subprocess.CompletedProcess[str]:
    """A command, to its end, and its words as a terminal has them. Raises TimeoutExpired."""
    done = run_ready_raw(arguments, folder, environ, seconds)
    texts = (octets.decode().replace("\r\n", "\n") for octets in (done.stdout, done.stderr))
    return subprocess.CompletedProcess(done.args, done.returncode, *texts)


def run_ready_raw(
    arguments: Sequence[str], folder: Path, environ: Mapping[str, str], seconds: float = 60
) -> subprocess.CompletedProcess[bytes]:
    """The same, with what it wrote as it stands."""
    begins = {name for name in environ.keys() | os.environ.keys() if name.startswith(OF_PYTHON)}
    if any(environ.get(name) != os.environ.get(name) for name in begins):
        raise ValueError("a command for which Python is to begin otherwise is run by itself")
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        status = _process().run(arguments, folder, environ, (out, err), seconds)
        written = [_read(stream) for stream in (out, err)]
    return subprocess.CompletedProcess([*arguments], status, *written)


def _read(stream: IO[bytes]) -> bytes:
    stream.seek(0)
    return stream.read()


@cache
def _process() -> "_ReadyProcess":
    process = _ReadyProcess()
    atexit.register(process.close)
    return process


class _ReadyProcess:
    """The process that has read everything, as those who ask it see it."""

    def __init__(self) -> None:
        self._line, theirs = socket.socketpair()
        with theirs:
            self._process = subprocess.Popen(
                [sys.executable, "-c", f"from {__name__} import serve; serve({theirs.fileno()})"],
                cwd=ROOT,
                pass_fds=[theirs.fileno()],
                stdin=subprocess.DEVNULL,
            )

    def run(
        self,
        arguments: Sequence[str],
        folder: Path,
        environ: Mapping[str, str],
        streams: Sequence[IO[bytes]],
        seconds: float,
    ) -> int:
        """The exit status; negative: the signal that ended it."""
        job = json.dumps({"arguments": [*arguments], "folder": str(folder), "environ": dict(environ)}).encode()
        fds = array.array("i", [stream.fileno() for stream in streams])
        self._line.settimeout(seconds)
        self._line.sendmsg([len(job).to_bytes(8, "big")], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, fds)])
        self._line.sendall(job)
        child = int.from_bytes(_exactly(self._line, 8), "big")
        try:
            return int.from_bytes(_exactly(self._line, 8), "big", signed=True)
        except TimeoutError:
            with contextlib.suppress(ProcessLookupError):
                os.kill(child, signal.SIGKILL)
            self._line.settimeout(None)
            _exactly(self._line, 8)
            raise subprocess.TimeoutExpired([*arguments], seconds) from None

    def close(self) -> None:
        """It ends with the line."""
        self._line.close()
        self._process.wait()


def serve(descriptor: int) -> None:
    """Read everything, then run one command after the other until the line ends."""
    import tocsin

    for module in pkgutil.walk_packages(tocsin.__path__, "tocsin."):
        if not module.name.endswith("__main__") and ".versions." not in module.name and "migrations" not in module.name:
            importlib.import_module(module.name)
    line = socket.socket(fileno=descriptor)
    while True:
        head, ancillary, _, _ = line.recvmsg(8, socket.CMSG_SPACE(STREAMS * array.array("i").itemsize))
        if not head:
            return
        fds = array.array("i", ancillary[0][2])
        job = json.loads(_exactly(line, int.from_bytes(head, "big")))
        child = os.fork()
        if not child:
            _become(job, fds, descriptor)
        for fd in fds:
            os.close(fd)
        line.sendall(child.to_bytes(8, "big"))
        status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        with contextlib.suppress(BrokenPipeError):
            line.sendall(status.to_bytes(8, "big", signed=True))


def _become(job: dict[str, object], fds: Sequence[int], line: int) -> None:
    """Be the command: what it raises ends the process, as it would that of the installed command."""
    from tocsin.cli import main

    os.close(line)
    for number, fd in enumerate(fds, 1):
        os.dup2(fd, number)
        os.close(fd)
    os.chdir(str(job["folder"]))
    os.environ.clear()
    os.environ.update(job["environ"])  # type: ignore[call-overload]
    time.tzset()
    main(job["arguments"])  # type: ignore[arg-type]
    raise SystemExit  # this child ends as a process does that has nothing left to do


def _exactly(line: socket.socket, count: int) -> bytes:
    data = b""
    while len(data) < count:
        part = line.recv(count - len(data))
        if not part:
            raise EOFError("the process that runs commands is gone")
        data += part
    return data
