"""Work in a process of its own, which is ended for sure: a function of ours on data that may be hostile.

A process with one thread forks the one that works. One with several has another do so, a *server*: it was forked before
the threads began and has nothing of ours open, or, where there is none, is a fresh interpreter. Who lives long lets it
go once it has had nothing to do: its libraries are a third of a daemon's memory. Must not know what the work is.
"""

import contextlib
import math
import os
import pickle
import select
import signal
import socket
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from threading import Lock, Timer
from typing import TypeVar, TypeVarTuple

from tocsin import __version__
from tocsin.adapters.child import (
    FRAME,
    IGNORED,
    OUT_OF_TIME,
    RESULT,
    RESULT_MOST,
    STAGE,
    TAKEN_EARLY,
    USED,
    Job,
    alone,
    call_ourselves,
    end,
    forked,
    keep_only,
    work,
)
from tocsin.ports.bounded_work import Overrun, OverrunCause

DEAREST = 3
"""The most stages that are named as the dearest."""
GRACE = 15.0
"""Seconds beyond that for a server to begin and to answer; one that does not is ended."""
LINGERS = 2.0
"""Seconds beyond its longest after which whoever forked it ends work that the kernel's timers have not ended (it was
stopped, or its disk hangs): well before whoever asked gives up the server.
"""
ABANDONED_AFTER = 0.1
"""Seconds that whoever ends waits for a thread of ours that is having something done."""
RESTS_AFTER = 60.0
"""Seconds without a job after which a process that lives long lets its server go. The next one costs half a second."""
_JOB = b"J"
_SERVE = (
    "import sys; sys.path[:] = sys.argv[3:]; "
    "from tocsin.adapters.bounded_child import serve; serve(int(sys.argv[1]), sys.argv[2])"
)


def _nothing() -> None:
    """What there is to be done where nobody said anything."""


T = TypeVar("T")
Ts = TypeVarTuple("Ts")


class BoundedChild:
    """Runs one function after the other, each in a new process. It may be shared by threads, which wait in line."""

    def __init__(self) -> None:
        self._turn = Lock()
        self._rests_after = math.inf
        self._rest: Timer | None = None
        self._server: _Server | None = None
        self._meanwhile: Callable[[], object] = _nothing
        self._abandoned = False

    def keep_ready(self, prepare: Callable[[], object] = _nothing, rests_after: float = math.inf) -> None:
        """Fork the server now, while there is one thread and nothing is open; else it costs a new interpreter later. It
        begins with `prepare` (imports, for one), beside whatever we do until it has a job, and goes after so many
        seconds without one.
        """
        self._rests_after = rests_after
        if self._server is None and alone():
            with contextlib.suppress(OSError):
                self._server = _forked_server(prepare)

    def meanwhile(self, work: Callable[[], object]) -> None:
        """What is done here, once, while a server does the next job. It is left undone where there is no server."""
        self._meanwhile = work

    def run(
        self, function: Callable[[*Ts], T], *args: *Ts, seconds: float, megabytes: int, patience: float | None = None
    ) -> T | Overrun:
        """As the port BoundedWork has it."""
        job = Job(pickle.dumps(function), pickle.dumps(args), seconds, megabytes, _here(), patience)
        with self._turn:
            ended = self._ended(job)
            self._rest_later()
        if isinstance(ended, Overrun):
            return ended
        result: T = pickle.loads(ended)  # noqa: S301 - our own process made it
        return result

    def close(self) -> None:
        """End the server, if there is one."""
        with self._turn:
            self._let_go()

    def abandon(self) -> None:
        """End the server when this process ends, though another thread may still wait for it: nobody hears that now."""
        self._abandoned = True
        in_line = self._turn.acquire(timeout=ABANDONED_AFTER)
        try:
            if self._server is not None:
                self._server.end()
        finally:
            if in_line:
                self._turn.release()

    def _rest_later(self) -> None:
        if self._rest is not None:
            self._rest.cancel()
        if self._rests_after < math.inf and self._server is not None:
            self._rest = Timer(self._rests_after, self._rest_now)
            self._rest.daemon = True
            with contextlib.suppress(RuntimeError):  # no thread is to be had now: it stays until after the next job
                self._rest.start()

    def _rest_now(self) -> None:
        """Let the server go, unless it has a job again: the end of that comes here later."""
        if self._turn.acquire(blocking=False):
            try:
                self._let_go()
            finally:
                self._turn.release()

    def _ended(self, job: Job) -> bytes | Overrun:
        """What became of a job. A server that was killed has a follower, once."""
        for _ in range(2):
            if self._abandoned:
                break
            if self._server is None:
                if alone():
                    return _bounded(job)
                try:
                    self._server = _fresh_server()
                except OSError as fault:
                    return _not_begun(fault)
            meanwhile, self._meanwhile = self._meanwhile, _nothing
            try:
                return self._server.ask(job, meanwhile)
            except (OSError, EOFError):
                self._let_go()
        why = "has no process to be done in: somebody ends it, or what is installed by now cannot begin"
        return Overrun(OverrunCause.MACHINE, why)

    def _let_go(self) -> None:
        if self._server is not None:
            self._server.end()
            self._server = None


class _Server:
    """The process that forks the working ones, as seen by whoever asks it."""

    def __init__(self, line: socket.socket, pid: int) -> None:
        self._line = line
        self._pid = pid

    def ask(self, job: Job, meanwhile: Callable[[], object]) -> bytes | Overrun:
        """Have a job done, and do something else meanwhile. Raises OSError or EOFError when the server is gone, or does
        not answer.
        """
        self._line.settimeout(job.longest + GRACE)
        _send(self._line, pickle.dumps(job))
        meanwhile()
        answer: bytes | Overrun = pickle.loads(_received(self._line))  # noqa: S301 - our own process made it
        return answer

    def end(self) -> None:
        """End it, and what it has begun: that ends with the line."""
        self._line.close()
        end(self._pid)


def _forked_server(prepare: Callable[[], object]) -> _Server:
    """A server forked from this process, without anything that is open here. Raises OSError."""
    ours, theirs = socket.socketpair()
    with theirs:
        pid = forked(lambda: _become_server(theirs.fileno(), prepare))
    return _Server(ours, pid)


def _become_server(descriptor: int, prepare: Callable[[], object]) -> None:
    keep_only(descriptor)
    call_ourselves(TAKEN_EARLY)
    prepare()
    serve(descriptor, __version__)


def _fresh_server() -> _Server:
    """A server in a new interpreter. Raises OSError."""
    ours, theirs = socket.socketpair()
    with theirs:
        command = [sys.executable, "-c", _SERVE, str(theirs.fileno()), __version__, *sys.path]
        null = subprocess.DEVNULL
        try:
            begun = subprocess.Popen(  # noqa: S603 - our own interpreter and code
                command,
                stdin=null,
                stdout=null,
                stderr=null,
                pass_fds=[theirs.fileno()],
                start_new_session=True,
            )
        except OSError:
            ours.close()
            raise
    begun.returncode = 0  # it is waited for by us, not by subprocess
    return _Server(ours, begun.pid)


def _here() -> str:
    """Where we stand; empty where that is gone."""
    try:
        return os.getcwd()  # noqa: PTH109 - a text
    except OSError:
        return ""


def serve(descriptor: int, version: str) -> None:
    """Do the jobs that come by a line, until whoever sends them is gone. That may be of another `version` than what is
    installed by now, and begin it only after an upgrade: what one pickles the other may not know.
    """
    for number in IGNORED:
        signal.signal(number, signal.SIG_IGN)
    call_ourselves(TAKEN_EARLY)
    with socket.socket(fileno=descriptor) as line, contextlib.suppress(OSError, EOFError):
        while True:
            content = _received(line)
            if version != __version__:
                why = f"waits for a restart: {version} is running, and {__version__} is installed"
                _send(line, pickle.dumps(Overrun(OverrunCause.MACHINE, why)))
                continue
            job = pickle.loads(content)  # noqa: S301 - whoever forked us made it
            with contextlib.suppress(ImportError, AttributeError, pickle.UnpicklingError):
                pickle.loads(job.function)  # noqa: S301 - imported here, it is there for all that follow
            _send(line, pickle.dumps(_bounded(job, line)))


def _bounded(job: Job, line: socket.socket | None = None) -> bytes | Overrun:
    """Do a job in a process forked from this one: its pickled result, or why there is none. `line` is where whoever
    waits for it would go away; then EOFError is raised.
    """
    source, sink = os.pipe()
    told = _Told()
    try:
        try:
            pid = forked(lambda: work(job, sink))
        except OSError as fault:
            return _not_begun(fault)
        finally:
            os.close(sink)
        try:
            told.hear(source, job.longest + LINGERS, line)
        finally:
            status, used = end(pid)
    finally:
        os.close(source)
    return told.overrun or told.result or _verdict(job, status, used, told)


class _Told:
    """What a working process says on its pipe: where it is at, and in the end its result or its fault."""

    def __init__(self) -> None:
        self.stage = ""
        self._used = 0.0
        self._costs: dict[str, float] = {}
        self.result = b""
        self.overrun: Overrun | None = None
        self._data = bytearray()

    def hear(self, source: int, longest: float, line: socket.socket | None) -> None:
        """Listen until there is a result or an end. Raises EOFError when nobody waits for it any more."""
        while not self.result and not self.overrun:
            ready, _, _ = select.select([source, *([line.fileno()] if line else [])], [], [], longest)
            if line and line.fileno() in ready:  # nothing more is to come by it before there is an answer
                raise EOFError
            data = os.read(source, 1 << 20) if ready else b""
            if not data:
                return
            self._data += data
            self._take()

    def _take(self) -> None:
        while len(self._data) >= FRAME.size:
            kind, size = FRAME.unpack_from(self._data)
            if size > RESULT_MOST:
                why = f"comes to over {RESULT_MOST // 1024 // 1024} MB"
                self.overrun = Overrun(OverrunCause.SIZE, why, self.stage)
                return
            if len(self._data) < FRAME.size + size:
                return
            content = bytes(self._data[FRAME.size : FRAME.size + size])
            del self._data[: FRAME.size + size]
            if kind == STAGE:
                (used,) = USED.unpack_from(content)
                self._costs = self._costs_at(used)
                self.stage, self._used = content[USED.size :].decode("utf-8", "replace"), used
            elif kind == RESULT:
                self.result = content
            else:
                fault: Overrun = pickle.loads(content)  # noqa: S301 - our own process made it
                self.overrun = replace(fault, stage=self.stage)

    def dearest(self, used: float) -> tuple[tuple[str, float], ...]:
        """The stages that took most of so many seconds of the processor, and how much each."""
        costs = sorted(self._costs_at(used).items(), key=lambda cost: -cost[1])
        return tuple((stage, cost) for stage, cost in costs[:DEAREST] if stage)

    def _costs_at(self, used: float) -> dict[str, float]:
        more = max(used - self._used, 0.0)
        return self._costs | {self.stage: self._costs.get(self.stage, 0.0) + more}


def _verdict(job: Job, status: int | None, used: float, told: _Told) -> Overrun:
    """Why a process ended without a word. `used` are the processor's seconds that it had."""
    number = os.WTERMSIG(status) if status is not None and os.WIFSIGNALED(status) else 0
    stage = told.stage
    if number in OUT_OF_TIME:
        return Overrun(OverrunCause.TIME, f"takes over {job.seconds:g} s", stage, told.dearest(used))
    if number == signal.SIGALRM or status is None:
        why = f"got {used:.1f} s of the processor within {job.longest:g} s, and was not over"
        if used < job.longest / 2:
            why += ": the machine is busy, or its disk hangs"
        return Overrun(OverrunCause.MACHINE, why, stage)
    if number == signal.SIGKILL:
        why = "was killed from outside, as happens where memory is short"
        return Overrun(OverrunCause.MACHINE, why, stage)
    how = signal.Signals(number).name if number else f"status {os.waitstatus_to_exitcode(status)}"
    return Overrun(OverrunCause.CRASH, f"ends its process with {how}", stage)


def _not_begun(fault: OSError) -> Overrun:
    why = f"has no process to be done in: {(fault.strerror or str(fault)).lower()}"
    return Overrun(OverrunCause.MACHINE, why)


def _send(line: socket.socket, content: bytes) -> None:
    line.sendall(FRAME.pack(_JOB, len(content)))
    line.sendall(content)


def _received(line: socket.socket) -> bytes:
    """The next message of a line. Raises EOFError at its end."""
    _, size = FRAME.unpack(_exactly(line, FRAME.size))
    return _exactly(line, size)


def _exactly(line: socket.socket, size: int) -> bytes:
    content = bytearray()
    while len(content) < size:
        data = line.recv(min(size - len(content), 1 << 20))
        if not data:
            raise EOFError
        content += data
    return bytes(content)
