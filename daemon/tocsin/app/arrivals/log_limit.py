"""Log lines about what strangers send us: a few a minute for each event, and how many were held back."""

import asyncio
from dataclasses import dataclass, field
from typing import Any

import structlog

LINES_MOST = 10
"""Lines of one event in one window."""
WINDOW = 60.0
"""Seconds."""

log = structlog.get_logger()


@dataclass(slots=True)
class _Window:
    written: int = 0
    held_back: int = 0


@dataclass(frozen=True, slots=True)
class LimitedLog:
    """A log with a limit for each event. Events are words of the program, never of a request: there are few."""

    _windows: dict[str, _Window] = field(default_factory=dict)

    def warning(self, event: str, **fields: Any) -> None:
        """A line at WARNING, unless there were too many of this event: then it is counted and told in the end."""
        if self._may(event):
            log.warning(event, **fields)

    def fault(self, event: str, fault: BaseException) -> None:
        """A line at ERROR with what we did not foresee and where, under the same limit."""
        if self._may(event):
            log.error(event, exc_info=fault)

    def _may(self, event: str) -> bool:
        window = self._windows.get(event)
        if window is None:
            window = self._windows[event] = _Window()
            asyncio.get_running_loop().call_later(WINDOW, self._close, event)
        if window.written < LINES_MOST:
            window.written += 1
            return True
        window.held_back += 1
        return False

    def _close(self, event: str) -> None:
        """The window is over: tell how much it held back."""
        window = self._windows.pop(event)
        if window.held_back:
            log.warning(event, held_back=window.held_back, within=WINDOW)
