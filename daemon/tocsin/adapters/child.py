"""A process of its own for one piece of work: forked, named, bound, and ended for sure.

What it says on its pipe are frames: where it is at, and in the end its result or its fault. Must not know who waits.
"""

import contextlib
import ctypes
import gc
import math
import os
import pickle
import resource
import signal
import struct
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import NoReturn

from tocsin.ports.bounded_work import Overrun, OverrunCause
from tocsin.text.cleaning import clean, one_line

SLOWEST = 9
"""How many times its seconds work may last where the machine is busy. Whoever did not have them of the processor until
then is not to blame.
"""
RESULT_MOST = 32 * 1024 * 1024
"""The largest result, in bytes."""
WORDS_MOST = 300
"""The most characters of what an exception says, and of a stage."""
NICE = 2
"""How far the work gives way to whoever else wants the processor, where the service may say so."""
TAKEN_FIRST, TAKEN_EARLY = 1000, 500
"""Where memory is short the kernel takes the work first, then the server, and only then us (proc(5), oom_score_adj)."""
NAME = "tocsin-judge"
"""How `ps` and `top` call these processes where they show names."""

DIES_WITH_PARENT = 1
"""PR_SET_PDEATHSIG of prctl(2)."""

FRAME = struct.Struct(">cQ")
USED = struct.Struct(">d")
"""The processor's seconds of the work, before the name of a stage that begins."""
STAGE, RESULT, FAULT = b"S", b"R", b"F"
IGNORED = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
"""A Ctrl-C or a stop of the service is for whoever asked, who takes us along."""
OUT_OF_TIME = (signal.SIGPROF, signal.SIGXCPU)
PAUSES = (*(0.0005,) * 8, *(0.005,) * 200)
"""Seconds between two looks whether a process that was killed is gone: as a rule in a millisecond."""

_report_to = -1


@dataclass(frozen=True, slots=True)
class Job:
    """A pickled function, its pickled arguments, its bounds, and the folder that it is done in (empty: any)."""

    function: bytes
    args: bytes
    seconds: float
    megabytes: int
    folder: str = ""
    patience: float | None = None

    @property
    def longest(self) -> float:
        """Seconds after which it is ended wherever the time went."""
        return min(self.seconds * SLOWEST, self.patience or math.inf)


def note_stage(stage: str) -> None:
    """Note what the work is at, for whoever asks why it never came back. Elsewhere than in such a process: nothing."""
    if _report_to >= 0:
        write(_report_to, STAGE, USED.pack(time.process_time()) + stage[:WORDS_MOST].encode("utf-8", "replace"))


def work(job: Job, sink: int) -> None:
    """What the working process does: the job, within its bounds."""
    global _report_to  # noqa: PLW0603 - a process of its own, for this one job
    keep_only(sink)
    call_ourselves(TAKEN_FIRST)
    with contextlib.suppress(OSError):
        os.nice(NICE)
    gc.freeze()
    _report_to = sink
    if job.folder:
        with contextlib.suppress(OSError):
            os.chdir(job.folder)
    try:
        function, args = pickle.loads(job.function), pickle.loads(job.args)  # noqa: S301 - whoever forked us made it
        _bind(job)
        result = pickle.dumps(function(*args))
    except MemoryError:
        _lift(resource.RLIMIT_AS)
        why = f"takes over {job.megabytes} MB of memory"
        write(sink, FAULT, pickle.dumps(Overrun(OverrunCause.MEMORY, why)))
    except BaseException as fault:  # noqa: BLE001 - whatever it is, it is told to whoever asked
        _lift(resource.RLIMIT_AS)
        words = one_line(clean(f"{type(fault).__name__}: {fault}"))[:WORDS_MOST]
        write(sink, FAULT, pickle.dumps(Overrun(OverrunCause.FAULT, f"fails ({words})")))
    else:
        write(sink, RESULT, result)


def _bind(job: Job) -> None:
    """Bound this process: the kernel ends it at the end of its time. It can neither begin others (but as root) nor
    write files.
    """
    signal.setitimer(signal.ITIMER_PROF, job.seconds)
    signal.setitimer(signal.ITIMER_REAL, job.longest)
    _limit(resource.RLIMIT_CPU, math.ceil(job.seconds) + 1)
    for kind in (resource.RLIMIT_NPROC, resource.RLIMIT_FSIZE, resource.RLIMIT_CORE):
        _limit(kind, 0)
    with contextlib.suppress(OSError), open("/proc/self/statm", encoding="ascii") as told:  # noqa: PTH123 - no path
        taken = int(told.read().split()[0]) * resource.getpagesize()
        _limit(resource.RLIMIT_AS, taken + job.megabytes * 1024 * 1024)


def _limit(kind: int, most: int) -> None:
    """Lower a limit; where the system knows it not, or has a lower one, it stays."""
    _, hard = resource.getrlimit(kind)
    with contextlib.suppress(OSError, ValueError):
        resource.setrlimit(kind, (most if hard == resource.RLIM_INFINITY else min(most, hard), hard))


def _lift(kind: int) -> None:
    """Give a limit its highest value again, so that there is room to say what went wrong."""
    _, hard = resource.getrlimit(kind)
    resource.setrlimit(kind, (hard, hard))


def keep_only(descriptor: int) -> None:
    """Close everything but one descriptor; standard streams lead nowhere."""
    nowhere = os.open(os.devnull, os.O_RDWR)
    for number in (0, 1, 2):
        os.dup2(nowhere, number)
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    most = soft if 0 < soft < 1 << 20 else 1 << 20
    os.closerange(3, descriptor)
    os.closerange(descriptor + 1, most)
    sys.stdout = sys.stderr = open(os.devnull, "w", encoding="utf-8")  # noqa: PTH123, SIM115 - for as long as we live


def call_ourselves(taken: int) -> None:
    """Give this process its name, and its place among those that the kernel takes where memory is short."""
    for file, word in (("comm", NAME), ("oom_score_adj", str(taken))):
        with contextlib.suppress(OSError), open(f"/proc/self/{file}", "w", encoding="ascii") as told:  # noqa: PTH123
            told.write(word)


def alone() -> bool:
    """Whether this process has a single thread, so that a fork of it is whole."""
    try:
        return len(os.listdir("/proc/self/task")) == 1  # noqa: PTH208 - no path
    except OSError:
        return False


def forked(work: Callable[[], None]) -> int:
    """Fork a process that does some work and ends, without a word and without whatever this one does at its end."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())
    try:
        parent = os.getpid()
        pid = os.fork()
        if not pid:
            _do_and_end(work, parent)
        return pid
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _end_with(parent: int) -> None:
    """Have the kernel end this process with the one that forked it, also when it is stopped then. That has one thread,
    or its first one forks: the kernel looks at the thread.
    """
    with contextlib.suppress(AttributeError):  # where there is no prctl, what is stopped stays until it goes on
        ctypes.CDLL(None).prctl(DIES_WITH_PARENT, signal.SIGKILL)
    if os.getppid() != parent:
        os._exit(1)


def _do_and_end(work: Callable[[], None], parent: int) -> NoReturn:
    status = 1
    try:
        os.setsid()
        _end_with(parent)
        signal.set_wakeup_fd(-1)
        for number in IGNORED:
            signal.signal(number, signal.SIG_IGN)
        for number in (*OUT_OF_TIME, signal.SIGALRM, signal.SIGCHLD):
            signal.signal(number, signal.SIG_DFL)
        signal.pthread_sigmask(signal.SIG_SETMASK, ())
        work()
        status = 0
    finally:
        os._exit(status)


def end(pid: int) -> tuple[int | None, float]:
    """End a process and what it began, if it has not ended. Its status, and the processor's seconds that it had; None
    where it cannot be ended now, which is a disk's doing.
    """
    for kill in (os.killpg, os.kill):
        with contextlib.suppress(ProcessLookupError, PermissionError):
            kill(pid, signal.SIGKILL)
    for pause in PAUSES:
        with contextlib.suppress(ChildProcessError):
            gone, status, usage = os.wait4(pid, os.WNOHANG)
            if gone:
                return status, usage.ru_utime + usage.ru_stime
        time.sleep(pause)
    return None, 0.0


def write(descriptor: int, kind: bytes, content: bytes) -> None:
    """Write a frame; one that is too large is only announced."""
    rest = memoryview(FRAME.pack(kind, len(content)) + (content if len(content) <= RESULT_MOST else b""))
    while rest:
        rest = rest[os.write(descriptor, rest) :]
