"""The clock: the one place that knows what time it is."""

from datetime import datetime, timedelta
from typing import Protocol


class Clock(Protocol):
    """The one place that knows what time it is."""

    def now(self) -> datetime:
        """This instant, aware, in UTC. In the daemon it never jumps while the same parts run."""
        ...


class MovableClock(Clock, Protocol):
    """A clock that does not follow a step of the machine's clock until it is told to."""

    def step(self) -> timedelta:
        """How far the machine's clock was put forward since (back: less than nothing); nothing if it is near enough."""
        ...

    def move(self, by: timedelta) -> None:
        """Go on so much further ahead."""
        ...
