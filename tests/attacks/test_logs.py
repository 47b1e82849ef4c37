"""Attacks on the log: nobody reads it, its reader is gone, its disk is full, it is closed (rule 61)."""

import fcntl
import os
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.fakes.pager import ROOMY, TOCSIN, Pager

FILE = "title: Card payments fail\nseverity: sev1\n"


@pytest.fixture
def pager(tmp_path: Path) -> Iterator[Pager]:
    pager = Pager(tmp_path, **ROOMY)
    yield pager
    if pager.process is not None:
        pager.stop(signal.SIGKILL)


@pytest.fixture
def stuck() -> Iterator[tuple[int, int]]:
    """A pipe that is full and that nobody reads: its two ends."""
    reader, writer = os.pipe()
    fcntl.fcntl(writer, fcntl.F_SETPIPE_SZ, 4096)
    os.write(writer, b"." * 4095 + b"\n")
    yield reader, writer
    os.close(reader)
    os.close(writer)


def paged(pager: Pager, incidents: int) -> float:
    """Declare so many incidents; the seconds until each has paged."""
    taking = pager.stopwatch()
    for number in range(incidents):
        pager.write(f"{number}.yaml", FILE)
    pager.until(lambda: len(pager.mails("page", "ana@example.com")) == incidents)
    return taking.seconds


def test_a_page_leaves_while_nobody_reads_the_log(pager: Pager, stuck: tuple[int, int]) -> None:
    """Rule 61: Ctrl-S at a terminal, or a journal that hangs: pages leave all the same, and SIGTERM ends the daemon."""
    pager.start_unheard(stuck[1])
    assert paged(pager, 1) < 5
    assert pager.stop_within(10) == 0


@pytest.mark.attack
def test_twenty_incidents_while_nobody_reads_the_log(pager: Pager, stuck: tuple[int, int]) -> None:
    """Rule 61: all twenty page. After a minute the operators hear of it; who reads again finds each line."""
    pager.start_unheard(stuck[1])
    assert paged(pager, 20) < 10
    told = pager.until(lambda: pager.mails("operator", "olga@example.com"), 100)
    assert "stderr: whatever reads it takes nothing" in str(told[0].get_body(("plain",)).get_content())
    read = bytearray()
    while b'"event": "trouble"' not in read:
        read += os.read(stuck[0], 65536)
    assert read.count(b'"event": "tried"') >= 60
    assert pager.stop() == 0


@pytest.mark.attack
@pytest.mark.parametrize("where", ["gone", "full"])
def test_twenty_incidents_while_no_line_can_be_written(pager: Pager, where: str) -> None:
    """Rule 61: the reader of the pipe is gone, or the disk is full: all twenty page, and the operators hear why."""
    if where == "gone":
        reader, writer = os.pipe()
        os.close(reader)
    else:
        writer = os.open("/dev/full", os.O_WRONLY)
    pager.start_unheard(writer)
    os.close(writer)
    assert paged(pager, 20) < 10
    told = pager.until(lambda: pager.mails("operator", "olga@example.com"), 60)
    why = {"gone": "broken pipe", "full": "no space left on device"}[where]
    assert f"stderr: {why}" in str(told[0].get_body(("plain",)).get_content())
    assert pager.stop() == 0


@pytest.mark.attack
def test_a_daemon_without_any_standard_stream(pager: Pager) -> None:
    """Rule 61: stdin, stdout and stderr are closed: no line of the log lands in the ledger or the lock."""
    pager.start_unheard(None, "/bin/sh", "-c", f"exec {TOCSIN} run <&- >&- 2>&-")
    assert paged(pager, 20) < 10
    assert pager.stop() == 0
    assert pager.run("status").stdout.count("Card payments fail") == 20
    assert (pager.folder / "var" / "tocsin.db").read_bytes().startswith(b"SQLite format 3\0")


@pytest.mark.attack
def test_a_start_that_fails_while_nobody_reads_the_log(pager: Pager, stuck: tuple[int, int]) -> None:
    """Rule 61: what cannot be said keeps no process: the service manager must be able to try again."""
    (pager.folder / "config" / "tocsin.yaml").write_text("operators: [nobody]\n")
    done = subprocess.run(
        [TOCSIN, "run"], cwd=pager.folder, env=pager.environ, stderr=stuck[1], timeout=20, check=False
    )
    assert done.returncode == 1
