"""How long a process has tried in vain to reach the database, before it sends what it alone knows (R54).

When it may, `planning/machines/leadership` says.
"""

import asyncio
from collections.abc import Callable

from tocsin.planning.machines.leadership import STOOD_STILL, InVain, lets_from_memory
from tocsin.ports.ledger.trouble import LedgerError

TURNS_EVERY = 0.5
"""Seconds between two marks that the loop turns."""


class TriesInVain:
    """Those since the database last answered, and since the loop last stood still. `boottime`: seconds of a clock that
    never stops; `why` the newest failed, in a line.
    """

    def __init__(self, boottime: Callable[[], float]) -> None:
        self._boottime = boottime
        self._in_vain: InVain | None = None
        self.why = ""
        self._turned_at = self._turns_since = boottime()

    async def turn(self) -> None:
        """Mark that the loop turns, until cancelled. Once it stood still, tries in vain are counted anew."""
        self._turned_at = self._boottime()
        while True:
            await asyncio.sleep(TURNS_EVERY)
            now = self._boottime()
            if now - self._turned_at > STOOD_STILL:
                self._in_vain, self._turns_since = None, now
            self._turned_at = now

    def note(self, began: float, why: LedgerError) -> None:
        """One that began then has failed just now."""
        self.why = str(why)
        since = self._in_vain.since if self._in_vain else max(began, self._turns_since)
        self._in_vain = InVain(since, self._boottime())

    def end(self) -> None:
        """The database has answered; or nothing may be sent any more, whatever it does."""
        self._in_vain = None

    @property
    def seconds(self) -> float:
        """From when the first began to when the newest ended; 0: there were none."""
        return self._in_vain.until - self._in_vain.since if self._in_vain else 0.0

    def let_from_memory(self, away_since: float | None, *, step: bool) -> bool:
        """Whether what this process alone knows may leave; a `step` of a ladder later. `away_since`: when the database
        last answered; None: this process leads no more.
        """
        return lets_from_memory(self._in_vain, self._turned_at, self._boottime(), away_since=away_since, step=step)
