"""systemd's notify protocol (sd_notify(3)), one datagram a message, or silence without systemd.

A lost datagram is no reason to stop paging, so a socket's trouble is dropped here: the watchdog is there to notice.
"""

import contextlib
import socket
import time
from collections.abc import Mapping
from datetime import timedelta


class Systemd:
    """Says READY, RELOADING, STOPPING and WATCHDOG to the socket that `NOTIFY_SOCKET` names."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        address = environ.get("NOTIFY_SOCKET", "")
        self._address = "\0" + address[1:] if address.startswith("@") else address
        patience = environ.get("WATCHDOG_USEC", "")
        self.watchdog = timedelta(microseconds=int(patience)) if patience.isdigit() else None
        """How long systemd waits for a sign of health before it restarts us; None: it does not watch."""

    def ready(self, status: str) -> None:
        """Start-up, or a reload, is over."""
        self._say(f"READY=1\nSTATUS={' '.join(status.split())}")

    def reloading(self) -> None:
        """A reload begins; systemd (Type=notify-reload) wants the monotonic instant with it."""
        self._say(f"RELOADING=1\nMONOTONIC_USEC={time.clock_gettime_ns(time.CLOCK_MONOTONIC) // 1000}")

    def stopping(self) -> None:
        """We are on the way out."""
        self._say("STOPPING=1")

    def healthy(self) -> None:
        """A full pass went well."""
        self._say("WATCHDOG=1")

    def _say(self, state: str) -> None:
        if not self._address:
            return
        with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as line:
            line.setblocking(False)
            line.sendto(state.encode(), self._address)
