"""The clock of several machines that share a database: the database's, carried on by CLOCK_BOOTTIME (R60).

What one machine wrote down another one goes on with, so all go by one clock. It is heard at each renewal and each word
of a standby; in between, and while the database is away, it runs on by the machine's steady clock. The machine's own
wall clock is used until the database is first heard, and is never heeded after.
"""

import time
from collections.abc import Callable
from datetime import datetime, timedelta

from tocsin.adapters.clock import SystemClock, boottime

CERTAIN = 1.0
"""Seconds from question to answer beyond which an answer tells too little: what it says may be so old."""


class ServerClock:
    """A SharedClock. It never jumps and never goes backwards, unless it is moved or set."""

    source = "the database's clock"

    def __init__(self, boottime: Callable[[], float] = boottime, wall: Callable[[], float] = time.time) -> None:
        self._boottime = boottime
        self._wall = wall
        self._ahead = wall() - boottime()
        self._heard = False
        self._line = SystemClock(boottime, self._server)

    def now(self) -> datetime:
        """This instant, aware, in UTC."""
        return self._line.now()

    def step(self) -> timedelta:
        """How far the database's clock was put forward; nothing while it is near enough."""
        return self._line.step()

    def move(self, by: timedelta) -> None:
        """Go on so much further ahead: what was recorded has been moved too."""
        self._line.move(by)

    def set(self, at: datetime, began: float) -> None:
        """Go on from there at once: nothing runs by it yet."""
        if self._hear(at, began):
            self._line = SystemClock(self._boottime, self._server)

    def follow(self, at: datetime, began: float) -> None:
        """Go by it from now on, slowly; over 10 s are a step. The first time, and only then, it is set."""
        if self._heard:
            self._hear(at, began)
        else:
            self.set(at, began)

    def machine_ahead(self) -> timedelta | None:
        """How far the machine's own clock is ahead of this one; None before the database was heard."""
        return timedelta(seconds=self._wall() - self.now().timestamp()) if self._heard else None

    def _hear(self, at: datetime, began: float) -> bool:
        """Whether that tells more than what is known: the answer was true at some instant between `began` and now."""
        now = self._boottime()
        if self._heard and now - began > CERTAIN:
            return False
        self._ahead = at.timestamp() - (began + now) / 2
        self._heard = True
        return True

    def _server(self) -> float:
        return self._boottime() + self._ahead
