"""Threads for what may hang: they starve nobody, hand over results and errors, and do not hold up the end."""

import asyncio
import subprocess
import sys
import threading
import time

import pytest
from tocsin.adapters.files import disk_threads
from tocsin.adapters.files.disk_threads import DiskThreads

HANGS = """
import asyncio, time
from tocsin.adapters.files.disk_threads import DiskThreads

async def main():
    hung = asyncio.get_running_loop().run_in_executor(DiskThreads("x"), time.sleep, 60)
    await asyncio.wait({hung}, timeout=0.1)

asyncio.run(main())
"""


async def test_results_and_errors_come_back() -> None:
    """As from any executor."""
    loop, threads = asyncio.get_running_loop(), DiskThreads("x")
    assert await loop.run_in_executor(threads, divmod, 7, 2) == (3, 1)
    with pytest.raises(ZeroDivisionError):
        await loop.run_in_executor(threads, divmod, 7, 0)
    assert await loop.run_in_executor(threads, len, "after an error") == 14


async def test_no_more_threads_than_said_and_what_hangs_keeps_its_own() -> None:
    """Two threads: one hangs, the other goes on with everything else."""
    loop, threads, answers = asyncio.get_running_loop(), DiskThreads("x", 2), threading.Event()
    hung = loop.run_in_executor(threads, answers.wait, 30)
    names = {await loop.run_in_executor(threads, threading.get_ident) for _ in range(20)}
    assert len(names) == 1
    assert not hung.done()
    answers.set()
    assert await hung


async def test_threads_without_work_end(monkeypatch: pytest.MonkeyPatch) -> None:
    """And a new one begins when there is work again."""
    monkeypatch.setattr(disk_threads, "IDLE", 0.01)
    loop, threads = asyncio.get_running_loop(), DiskThreads("ends soon")
    for _ in range(3):
        assert await loop.run_in_executor(threads, len, "abc") == 3
        async with asyncio.timeout(5):
            while any(thread.name == "ends soon" for thread in threading.enumerate()):  # noqa: ASYNC110 - no event tells
                await asyncio.sleep(0.01)


def test_a_hung_thread_does_not_hold_up_the_end() -> None:
    """The loop closes and the process ends while a thread still waits for its disk (rule 62)."""
    began = time.monotonic()
    subprocess.run([sys.executable, "-c", HANGS], check=True, timeout=30)
    assert time.monotonic() - began < 20
