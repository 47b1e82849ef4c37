"""What systemd hears on its notify socket."""

import socket
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
