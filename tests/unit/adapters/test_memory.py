"""Memory that nobody uses goes back to the system, as far as the C library can."""

import ctypes
import subprocess
import sys
from pathlib import Path

import pytest
from tocsin.adapters import memory

MB = 1 << 20


def resident() -> int:
    """Bytes of this process that are in memory."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4096


@pytest.mark.skipif(
    not sys.platform.startswith("linux") or not hasattr(ctypes.CDLL(None), "malloc_trim"), reason="no glibc"
)
def test_holes_are_given_back() -> None:
    """What was freed between what is still used is not the process's any more."""
    pieces = [bytes(60_000) for _ in range(1000)]
    kept = pieces[::50]
    full = resident()
    del pieces
    memory.give_back()
    assert kept
    assert full - resident() > 40 * MB


@pytest.mark.skipif(
    not sys.platform.startswith("linux") or not hasattr(ctypes.CDLL(None), "mallopt"), reason="no glibc"
)
def test_threads_share_heaps() -> None:
    """Eight threads that each allocate have no heap each."""
    code = """
import sys, threading
from tocsin.adapters.memory import share_heaps
if sys.argv[1:]:
    share_heaps()
turn = threading.Barrier(9)
def allocate():
    kept = [bytes(5_000) for _ in range(100)]
    turn.wait()
    turn.wait()
threads = [threading.Thread(target=allocate) for _ in range(8)]
for thread in threads:
    thread.start()
turn.wait()
import ctypes
ctypes.CDLL(None).malloc_stats()
turn.wait()
"""
    heaps = [
        subprocess.run([sys.executable, "-c", code, *args], capture_output=True, text=True, check=True).stderr.count(
            "Arena "
        )
        for args in ([], ["shared"])
    ]
    assert heaps[0] > memory.HEAPS
    assert heaps[1] == memory.HEAPS


def test_elsewhere_nothing_happens(monkeypatch: pytest.MonkeyPatch) -> None:
    """A C library without such calls is left alone."""
    monkeypatch.setattr(memory, "_trim", None)
    monkeypatch.setattr(memory, "_found", lambda *_args: None)
    memory.give_back()
    memory.share_heaps()
