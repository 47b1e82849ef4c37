"""The only file that asks what time it is, and how far it believes a wall clock that was moved.

Instants come from CLOCK_BOOTTIME (which also counts sleep) plus an offset that follows the wall clock by at most one
second a minute. So a jump never fires or holds a page, and a clock that is really wrong is still followed.
"""

import time
from collections.abc import Callable
from datetime import UTC, datetime

FOLLOWS = 1 / 60
"""How fast the wall clock is followed: seconds of correction for each second that passes."""


def _boottime() -> float:
    """Seconds since the machine started, sleep included where the system can tell."""
    return time.clock_gettime(getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC))


class SystemClock:
    """The machine's time as one line that never jumps and never goes backwards while the process runs."""

    def __init__(self, boottime: Callable[[], float] = _boottime, wall: Callable[[], float] = time.time) -> None:
        self._boottime = boottime
        self._wall = wall
        self._read_at = boottime()
        self._offset = wall() - self._read_at

    def now(self) -> datetime:
        """This instant, aware, in UTC."""
        boot = self._boottime()
        most = max(0.0, boot - self._read_at) * FOLLOWS
        error = self._wall() - boot - self._offset
        self._offset += min(max(error, -most), most)
        self._read_at = boot
        return datetime.fromtimestamp(boot + self._offset, UTC)
