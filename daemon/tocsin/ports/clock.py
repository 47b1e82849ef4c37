"""The clock: the one place that knows what time it is."""

from datetime import datetime, timedelta
from typing import Protocol


class Clock(Protocol):
    """The one place that knows what time it is."""

    def now(self) -> datetime:
        """This instant, aware, in UTC. In the daemon it never jumps while the same parts run."""
        ...


class MovableClock(Clock, Protocol):
    """A clock that does not follow a step of the one that it goes by until it is told to."""

    @property
    def source(self) -> str:
        """The clock that it goes by, for people: `this machine's clock`."""
        ...

    def step(self) -> timedelta:
        """How far its source was put forward since (back: less than nothing); nothing if it is near enough."""
        ...

    def move(self, by: timedelta) -> None:
        """Go on so much further ahead."""
        ...

    def machine_ahead(self) -> timedelta | None:
        """How far the machine's own clock is ahead of this one; None while that is the one that it goes by."""
        ...


class SharedClock(MovableClock, Protocol):
    """A clock of several machines: it goes by the one of the database that they share (R60)."""

    def set(self, at: datetime, began: float) -> None:
        """While nothing runs by it: go on from there at once. `at` is the database's clock, asked for at `began`
        (seconds of the machine's steady clock) and answered just now.
        """
        ...

    def follow(self, at: datetime, began: float) -> None:
        """While the daemon runs: what `set` does at once is a step, or is followed slowly."""
        ...
