"""Commands as processes of their own, without the half second in which Python reads the same modules each time.

One process has read everything and waits; for each command it forks, and the child is what `tocsin` is: its own working
directory, environment, streams and exit status. One that stays (`run`, `web`) is a child of a fork of its own, which
tells how it ended. Whatever is about the start itself (what is imported, a variable that Python reads when it begins)
runs the installed `tocsin` instead.
"""

import array
import atexit
import contextlib
import gc
import importlib
import json
import os
import pkgutil
import select
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import IO, NoReturn

ROOT = Path(__file__).parents[2]
STREAMS = 2
OF_PYTHON = ("PYTHON", "LC_", "LANG", "LD_")
"""What Python, and whoever loads it, looks at when it begins."""


def run_ready(
    arguments: Sequence[str], folder: Path, environ: Mapping[str, str], seconds: float = 60
) -> subprocess.CompletedProcess[str]:
    """A command, to its end, and its words as a terminal has them; the installed one where Python is to begin otherwise.
    Raises TimeoutExpired.
    """
    done = run_ready_raw(arguments, folder, environ, seconds)
    texts = (octets.decode().replace("\r\n", "\n") for octets in (done.stdout, done.stderr))
    return subprocess.CompletedProcess(done.args, done.returncode, *texts)


def run_ready_raw(
    arguments: Sequence[str], folder: Path, environ: Mapping[str, str], seconds: float = 60
) -> subprocess.CompletedProcess[bytes]:
    """The same, with what it wrote as it stands."""
    if not _begins_alike(environ):
        command = [Path(sys.executable).with_name("tocsin"), *arguments]
        return subprocess.run(
            command,
            cwd=folder,
            env=environ,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=seconds,
            check=False,
        )
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        status = _process().run(arguments, folder, environ, (out, err), seconds)
        written = [_read(stream) for stream in (out, err)]
    return subprocess.CompletedProcess([*arguments], status, *written)


def _read(stream: IO[bytes]) -> bytes:
    stream.seek(0)
    return stream.read()


def start_ready(
    arguments: Sequence[str], folder: Path, environ: Mapping[str, str], out: IO[bytes]
) -> "ReadyDaemon | subprocess.Popen[bytes]":
    """A command that stays; what it writes goes to `out`. The installed one where Python is to begin otherwise."""
    if not _begins_alike(environ):
        command = [Path(sys.executable).with_name("tocsin"), *arguments]
        return subprocess.Popen(command, cwd=folder, env=environ, stdin=subprocess.DEVNULL, stdout=out, stderr=out)
    return ReadyDaemon(_process().start(arguments, folder, environ, out))


class ReadyDaemon:
    """A process that stays, to be asked as one asks `subprocess.Popen`."""

    def __init__(self, line: socket.socket) -> None:
        self._line = line
        self._line.settimeout(60)
        self.pid = int.from_bytes(_exactly(line, 8), "big")
        self.returncode: int | None = None

    def poll(self) -> int | None:
        """Its exit status, if it has ended."""
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.wait(0)
        return self.returncode

    def wait(self, timeout: float | None = None) -> int:
        """Its exit status, once it has ended. Raises TimeoutExpired."""
        if self.returncode is None:
            if not select.select([self._line], [], [], timeout)[0]:
                raise subprocess.TimeoutExpired(["tocsin"], timeout or 0)
            self.returncode = int.from_bytes(_exactly(self._line, 8), "big", signed=True)
            self._line.close()
        return self.returncode

    def send_signal(self, number: int) -> None:
        """Nothing, if it has ended."""
        if self.poll() is None:
            os.kill(self.pid, number)

    def terminate(self) -> None:
        """SIGTERM."""
        self.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        """SIGKILL."""
        self.send_signal(signal.SIGKILL)


def _begins_alike(environ: Mapping[str, str]) -> bool:
    """Whether Python would begin as it has begun here."""
    begins = {name for name in environ.keys() | os.environ.keys() if name.startswith(OF_PYTHON)}
    return all(environ.get(name) == os.environ.get(name) for name in begins)


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
        self._line.settimeout(seconds)
        self._order(arguments, folder, environ, [stream.fileno() for stream in streams])
        child = int.from_bytes(_exactly(self._line, 8), "big")
        try:
            return int.from_bytes(_exactly(self._line, 8), "big", signed=True)
        except TimeoutError:
            with contextlib.suppress(ProcessLookupError):
                os.kill(child, signal.SIGKILL)
            self._line.settimeout(None)
            _exactly(self._line, 8)
            raise subprocess.TimeoutExpired([*arguments], seconds) from None

    def start(
        self, arguments: Sequence[str], folder: Path, environ: Mapping[str, str], out: IO[bytes]
    ) -> socket.socket:
        """Begin one that stays; the line by which its pid comes, and its exit status in the end."""
        ours, theirs = socket.socketpair()
        with theirs:
            self._line.settimeout(60)
            self._order(arguments, folder, environ, [out.fileno(), out.fileno(), theirs.fileno()])
        return ours

    def _order(
        self, arguments: Sequence[str], folder: Path, environ: Mapping[str, str], descriptors: Sequence[int]
    ) -> None:
        job = json.dumps({"arguments": [*arguments], "folder": str(folder), "environ": dict(environ)}).encode()
        fds = array.array("i", descriptors)
        self._line.sendmsg([len(job).to_bytes(8, "big")], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, fds)])
        self._line.sendall(job)

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
    gc.freeze()  # what was read is left alone, so that the children share it
    while True:
        head, ancillary, _, _ = line.recvmsg(8, socket.CMSG_SPACE((STREAMS + 1) * array.array("i").itemsize))
        if not head:
            return
        fds = array.array("i", ancillary[0][2])
        job = json.loads(_exactly(line, int.from_bytes(head, "big")))
        if len(fds) > STREAMS:
            _stay(job, fds, line)
        else:
            _run_one(job, fds, line)
        for fd in fds:
            os.close(fd)


def _stay(job: dict[str, object], fds: Sequence[int], line: socket.socket) -> None:
    """Begin what stays, as the child of a fork that is nobody's child, and tells by a line of its own."""
    first = os.fork()
    if first:
        os.waitpid(first, 0)
        return
    if os.fork():
        os._exit(0)
    line.close()
    own = socket.socket(fileno=fds[STREAMS])
    _run_one(job, fds[:STREAMS], own)
    os._exit(0)


def _run_one(job: dict[str, object], fds: Sequence[int], line: socket.socket) -> None:
    """One command to its end; its pid, then its exit status, go by the line."""
    child = os.fork()
    if not child:
        _become(job, fds, line.detach())
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
    try:
        main(job["arguments"])  # type: ignore[arg-type]
    except SystemExit as ended:
        if not isinstance(ended.code, str):
            _end(ended.code or 0)
        raise
    _end(0)  # this child ends as a process does that has nothing left to do


def _end(status: int) -> NoReturn:
    """End as Python does, in its order: threads, what asked to be called, what was written. But no module is taken apart:
    this child has hundreds that it never used, and would copy all of their memory for that.
    """
    threading._shutdown()  # type: ignore[attr-defined]  # there is no public name
    atexit._run_exitfuncs()
    try:
        sys.stdout.flush()
        sys.stderr.flush()
    except (AttributeError, OSError, ValueError):  # none, full, closed
        raise SystemExit(status) from None  # Python deals with it in its own way
    os._exit(status)


def _exactly(line: socket.socket, count: int) -> bytes:
    data = b""
    while len(data) < count:
        part = line.recv(count - len(data))
        if not part:
            raise EOFError("the process that runs commands is gone")
        data += part
    return data
