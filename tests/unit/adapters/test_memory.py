"""Memory that nobody uses goes back to the system, as far as the C library can."""

import ctypes
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


def test_elsewhere_nothing_happens(monkeypatch: pytest.MonkeyPatch) -> None:
    """A C library without that call is left alone."""
    monkeypatch.setattr(memory, "_trim", None)
    memory.give_back()
