"""What systemd hears on its notify socket."""

import socket
import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from tocsin.adapters.systemd import Systemd


@pytest.fixture
def line(tmp_path: Path) -> Iterator[socket.socket]:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as heard:
        heard.bind(str(tmp_path / "notify"))
        heard.settimeout(2)
        yield heard


def test_every_message_of_the_protocol(line: socket.socket) -> None:
    """READY with a status line, RELOADING with its instant, WATCHDOG and STOPPING arrive as in sd_notify(3)."""
    manager = Systemd({"NOTIFY_SOCKET": line.getsockname(), "WATCHDOG_USEC": "30000000"})
    manager.ready("watching\nincidents")
    assert line.recv(500) == b"READY=1\nSTATUS=watching incidents"
    manager.reloading()
    first, second = line.recv(500).split(b"\n")
    assert first == b"RELOADING=1"
    assert second.startswith(b"MONOTONIC_USEC=")
    manager.healthy()
    assert line.recv(500) == b"WATCHDOG=1"
    manager.stopping()
    assert line.recv(500) == b"STOPPING=1"
    assert manager.watchdog == timedelta(seconds=30)


def test_an_abstract_address() -> None:
    """An address with @ means the abstract namespace."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as heard:
        heard.bind("\0tocsin-test-notify")
        heard.settimeout(2)
        Systemd({"NOTIFY_SOCKET": "@tocsin-test-notify"}).healthy()
        assert heard.recv(500) == b"WATCHDOG=1"


@pytest.mark.parametrize("environ", [{}, {"NOTIFY_SOCKET": "/nowhere/at/all"}])
def test_nobody_listens(environ: dict[str, str]) -> None:
    """Without systemd, or with a socket that is gone, nothing happens and nothing breaks."""
    manager = Systemd(environ)
    manager.ready("watching")
    manager.healthy()
    assert manager.watchdog is None


def test_the_instant_of_a_reload(line: socket.socket) -> None:
    """It is the machine's monotonic clock in microseconds, by which systemd tells a reload from an older one."""
    before = time.clock_gettime_ns(time.CLOCK_MONOTONIC) // 1000
    Systemd({"NOTIFY_SOCKET": line.getsockname()}).reloading()
    instant = int(line.recv(500).rpartition(b"=")[2])
    assert before <= instant <= time.clock_gettime_ns(time.CLOCK_MONOTONIC) // 1000


def test_a_manager_that_does_not_listen_holds_nobody_up(line: socket.socket) -> None:
    """When its socket is full, what we would say is dropped, and nothing waits."""
    manager = Systemd({"NOTIFY_SOCKET": line.getsockname()})
    began = time.monotonic()
    for _ in range(5000):
        manager.healthy()
    assert time.monotonic() - began < 5
    assert line.recv(500) == b"WATCHDOG=1"


@pytest.mark.parametrize(
    ("usec", "patience"), [("1", 1e-6), ("60000000", 60), ("", None), ("-5", None), ("soon", None)]
)
def test_how_long_systemd_waits(usec: str, patience: float | None) -> None:
    """Its patience is microseconds; nonsense means that it does not watch."""
    assert Systemd({"WATCHDOG_USEC": usec}).watchdog == (None if patience is None else timedelta(seconds=patience))
