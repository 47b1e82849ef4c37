"""How many incidents alerts may open: enough for any outage, too few for whoever would send words of their own (P8).

Alerts come by the web side, or from whoever holds its token, and what they open pages people with the alert's title. So
each severity has a bucket: a flood of mild ones keeps no bad one waiting. It is forgotten at a restart.
"""

from datetime import datetime, timedelta

AT_ONCE = 50
"""New and reopened incidents of one severity at once."""
ONE_MORE_EVERY = timedelta(seconds=6)
"""After that one more."""


class OpeningLimit:
    """What alerts have opened lately, by severity."""

    def __init__(self) -> None:
        self._empty_at: dict[str, datetime] = {}

    def has_room(self, severity: str, now: datetime) -> bool:
        """Whether one more may be opened."""
        return self._filled(severity, now) <= (AT_ONCE - 1) * ONE_MORE_EVERY

    def count(self, severity: str, now: datetime) -> None:
        """One was opened."""
        self._empty_at[severity] = now + self._filled(severity, now) + ONE_MORE_EVERY

    def _filled(self, severity: str, now: datetime) -> timedelta:
        """How long it takes until all of its room is free. A clock that was put back frees it."""
        filled = self._empty_at.get(severity, now) - now
        return filled if timedelta(0) <= filled <= AT_ONCE * ONE_MORE_EVERY else timedelta(0)
