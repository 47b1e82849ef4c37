"""`make run`: the daemon and the web side started together, as a newcomer meets them."""

import os
import pty
import re
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from tests.fakes.pager import ROOT, Pager

COMMAND = [sys.executable, "-m", "tocsin.cli.run_with_web"]
BEGUN_WITHIN = 60.0
"""Seconds for three processes that begin from nothing, on a machine that does much else."""


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as free:
        return int(free.getsockname()[1])


class Both:
    """Both at once, in a pager's folder. Their log goes to a terminal, and what that shows into the file `log`."""

    def __init__(self, folder: Path) -> None:
        self.address = f"127.0.0.1:{_free_port()}"
        self.pager = Pager(folder, TOCSIN_WEB__LISTEN=self.address, PYTHONPATH=str(ROOT))
        self.screen, terminal = pty.openpty()
        self.running = subprocess.Popen(
            COMMAND, cwd=folder, env=self.pager.environ, stdout=subprocess.PIPE, stderr=terminal, text=True
        )
        os.close(terminal)
        self.copying = threading.Thread(target=self.copy)
        self.copying.start()

    def copy(self) -> None:
        """Keep what the terminal shows, until both are gone."""
        with self.pager.log.open("wb", buffering=0) as log, suppress(OSError):
            while shown := os.read(self.screen, 65536):
                log.write(shown.replace(b"\r\n", b"\n"))

    def get(self, path: str) -> tuple[int, str]:
        """Status and body; 0 while nobody listens."""
        try:
            with urllib.request.urlopen(f"http://{self.address}{path}", timeout=5) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as told:
            with told:
                return told.code, told.read().decode()
        except OSError:
            return 0, ""

    def children(self) -> list[int]:
        """The processes that it started."""
        task = Path(f"/proc/{self.running.pid}/task/{self.running.pid}/children")
        return [int(number) for number in task.read_text().split()]


@pytest.fixture
def both(tmp_path: Path) -> Iterator[Both]:
    started = Both(tmp_path)
    yield started
    if started.running.poll() is None:
        started.running.terminate()
    started.running.communicate(timeout=30)
    started.copying.join(10)
    os.close(started.screen)


def test_a_newcomer_drops_a_file_and_sees_the_pages(both: Both) -> None:
    """The address comes first, and again after an incident's first messages; the file's pages appear there; the
    terminal tells of each in a short line; health is there, also after the web side was told to read its settings again;
    Ctrl-C ends both well.
    """
    assert both.running.stdout is not None
    assert both.running.stdout.readline() == f"Inbox: http://{both.address}/inbox\n"
    both.pager.until(lambda: both.get("/healthz")[0] == 200, BEGUN_WITHIN)
    assert "No message yet" in both.get("/inbox")[1]
    both.pager.write("db.yaml", "title: Database down\nseverity: sev1\n")
    page = both.pager.until(lambda: (found := both.get("/inbox")[1]).count("<article") >= 3 and found)
    assert "Database down" in page
    assert "SEV1" in re.sub(r"<[^>]*>", "", page)
    both.pager.until(lambda: "to read them" in both.pager.log.read_text())
    mail = re.search(r'<iframe[^>]* src="([^"]*)"', page)
    assert mail is not None
    assert "Database down" in both.get(mail[1])[1]
    os.kill(both.children()[1], signal.SIGHUP)
    both.pager.until(lambda: (both.pager.folder / "log").read_text().count("the web side is ready") == 2)
    assert both.get("/healthz")[0] == 200
    both.running.send_signal(signal.SIGINT)
    assert both.running.wait(30) == 0
    assert both.get("/healthz") == (0, "")
    both.copying.join(10)
    log = both.pager.log.read_text()
    assert log.count("stopping") == 2
    assert "Traceback" not in log
    assert max(map(len, log.splitlines())) <= 80
    assert re.search(r"^\d\d:\d\d:\d\d  SEV1 Database down: investigating$", log, re.MULTILINE)
    assert re.search(r"^\d\d:\d\d:\d\d    page → Ana Souza, sms +accepted$", log, re.MULTILINE)
    assert log.index("page →") < log.index(f"to read them: http://{both.address}/inbox")


def test_one_does_not_stay_without_the_other(both: Both) -> None:
    """When either dies, the other is ended too, and the status says how the first one died."""
    both.pager.until(lambda: both.get("/healthz")[0] == 200, BEGUN_WITHIN)
    _, web = both.children()
    os.kill(web, signal.SIGKILL)
    assert both.running.wait(30) == 128 + signal.SIGKILL
    assert "  stopping\n" in both.pager.log.read_text()


@pytest.mark.attack
def test_nothing_stays_behind(both: Both) -> None:
    """Even when the starter itself is killed, the daemon and the web side end."""
    both.pager.until(lambda: both.get("/healthz")[0] == 200, BEGUN_WITHIN)
    children = both.children()
    both.running.kill()
    both.running.wait(30)
    end = time.monotonic() + 20
    while any(Path(f"/proc/{number}/cmdline").exists() for number in children):
        assert time.monotonic() < end
        time.sleep(0.05)


def test_a_port_in_use_is_one_clear_line(tmp_path: Path) -> None:
    """Where somebody listens already, that is said in one line, and nothing is started."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        pager = Pager(tmp_path, TOCSIN_WEB__LISTEN=address, PYTHONPATH=str(ROOT))
        done = subprocess.run(
            COMMAND, cwd=tmp_path, env=pager.environ, capture_output=True, text=True, timeout=30, check=False
        )
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (1, "", 1)
    assert done.stderr.startswith(f"{address} is in use")
