"""A clock that stands still until it is told to go on."""

from datetime import UTC, datetime, timedelta


class StillClock:
    """A port Clock for tests: `now()` changes only by `go`."""

    def __init__(self, start: datetime = datetime(2026, 11, 23, 10, tzinfo=UTC)) -> None:
        self._now = start

    def now(self) -> datetime:
        return self._now

    def go(self, span: timedelta) -> None:
        """Let time pass."""
        self._now += span
