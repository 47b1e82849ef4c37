"""The clock: the one place that knows what time it is."""

from datetime import datetime
from typing import Protocol


class Clock(Protocol):
    """The one place that knows what time it is."""

    def now(self) -> datetime:
        """This instant, aware, in UTC. It never jumps while the process runs."""
        ...
