"""The only file that asks what time it is, and how far it believes a wall clock that was moved.

Instants come from CLOCK_BOOTTIME (which also counts sleep) plus an offset. A wall clock that drifts is followed by at
most one second a minute; one that was stepped only when whoever keeps instants has moved them too (rule 60). So a jump
never fires or holds a page.
"""

import ctypes
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

FOLLOWS = 1 / 60
"""How fast the wall clock is followed: seconds of correction for each second that passes."""
STEP = 10.0
"""Seconds of difference beyond which the wall clock was stepped. Time servers correct much less than that by drifting,
and no message, turn or window is the worse for ten seconds.
"""

TIME_ERROR = 5
"""What adjtimex(2) gives for a clock that nobody sets."""

_SINCE_START = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)


def boottime() -> float:
    """Seconds since the machine started, sleep included where the system can tell."""
    return time.clock_gettime(_SINCE_START)


class SystemClock:
    """The machine's time as one line that never jumps and never goes backwards, unless it is moved."""

    source = "this machine's clock"

    def __init__(self, boottime: Callable[[], float] = boottime, wall: Callable[[], float] = time.time) -> None:
        self._boottime = boottime
        self._wall = wall
        self._read_at = boottime()
        self._offset = wall() - self._read_at

    def now(self) -> datetime:
        """This instant, aware, in UTC."""
        boot = self._boottime()
        most = max(0.0, boot - self._read_at) * FOLLOWS
        error = self._wall() - boot - self._offset
        if abs(error) <= STEP:
            self._offset += min(max(error, -most), most)
        self._read_at = boot
        return datetime.fromtimestamp(boot + self._offset, UTC)

    def step(self) -> timedelta:
        """How far the wall clock was put forward (back: less than nothing); nothing while it is near enough."""
        error = self._wall() - self._boottime() - self._offset
        return timedelta(seconds=error) if abs(error) > STEP else timedelta(0)

    def move(self, by: timedelta) -> None:
        """Go on so much further ahead: what was recorded has been moved too."""
        self._offset += by.total_seconds()

    def machine_ahead(self) -> None:
        """This goes by the machine's own clock."""
        return


def is_synchronized() -> bool | None:
    """Whether the kernel says that a time server sets its clock; None where it cannot be asked."""
    try:
        state = ctypes.CDLL(None).adjtimex(ctypes.create_string_buffer(512))  # modes 0: nothing is changed
    except (OSError, AttributeError):
        return None
    return None if state < 0 else state != TIME_ERROR


class WallClock:
    """The wall clock as it is, jumps and all: for processes that decide nothing by spans."""

    def now(self) -> datetime:
        """This instant, aware, in UTC."""
        return datetime.fromtimestamp(time.time(), UTC)
