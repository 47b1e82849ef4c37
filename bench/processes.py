"""Processes of a measurement: how long one waits for them, what they cost, how they end."""

import contextlib
import os
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

TICKS = os.sysconf("SC_CLK_TCK")


def wait(until: Callable[[], object], seconds: float) -> None:
    """Wait for something to become true. Raises TimeoutError."""
    ends = time.monotonic() + seconds
    while not until():
        if time.monotonic() > ends:
            raise TimeoutError("the bench waited in vain")
        time.sleep(0.005)


def cpu(pid: int) -> float:
    """Seconds of processor time that a process has used, in all of its threads."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


def resident(pid: int) -> float:
    """Resident memory of a process in MB, and of the processes that it began what they share with nobody."""
    status = Path(f"/proc/{pid}/status").read_text()
    alone = sum(_private(int(child)) for child in _children(pid))
    return int(status.partition("VmRSS:")[2].split()[0]) / 1024 + alone


def _children(pid: int) -> list[str]:
    return [child for task in Path(f"/proc/{pid}/task").iterdir() for child in (task / "children").read_text().split()]


def _private(pid: int) -> float:
    lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    own = sum(int(line.split()[1]) for line in lines if line.startswith("Private_")) / 1024
    return own + sum(_private(int(child)) for child in _children(pid))


def settle(pid: int, within: float = 600.0) -> None:
    """Wait until a process has nothing to do any more: it used less than 5 % of a core for two seconds, on end.
    Raises TimeoutError.
    """
    ends = time.monotonic() + within
    used, before = 1.0, cpu(pid)
    while used >= 0.1:
        if time.monotonic() > ends:
            raise TimeoutError("it never came to rest")
        time.sleep(2)
        used, before = cpu(pid) - before, cpu(pid)


def wait_alone(pid: int, within: float = 120.0) -> None:
    """Wait until a process has let those go that it began; what stays counts as its memory."""
    ends = time.monotonic() + within
    while _children(pid) and time.monotonic() < ends:
        time.sleep(1)


def end(process: "subprocess.Popen[bytes]", seconds: float = 40.0) -> None:
    """Ask a process to end, and end it after so many seconds."""
    process.terminate()
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(seconds)
    process.kill()
    process.wait()
    for stream in (process.stdin, process.stdout):
        if stream is not None:
            stream.close()
