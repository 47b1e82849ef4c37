"""Whether log lines arrive. It tells operators of a log that loses lines or that nobody reads (rule 61), and must not
know how lines leave.
"""

import asyncio
from datetime import datetime, timedelta
from typing import Protocol

from tocsin.app.state.notices import Notices
from tocsin.domain.operator_notice import OperatorNotice, Trouble
from tocsin.ports.clock import Clock

LOOKS_EVERY = 5.0
"""Seconds between two looks."""
STUCK_AFTER = timedelta(minutes=1)
"""How long lines may wait while none is taken."""


class LogProgress(Protocol):
    """What became of the lines since the start: lines written and lost, bytes that wait, what the system said last."""

    written: int
    lost: int
    waiting: int
    fault: str


class LogWatch:
    """Looks whether lines are lost or stuck, for as long as the daemon runs."""

    def __init__(self, clock: Clock, progress: LogProgress, notices: Notices) -> None:
        self._clock = clock
        self._progress = progress
        self._notices = notices
        self._lost = 0
        self._written = 0
        self._moved_at: datetime = clock.now()

    async def run(self) -> None:
        """Until cancelled."""
        while True:
            await asyncio.sleep(LOOKS_EVERY)
            self.look()

    def look(self) -> None:
        """Compare with the look before."""
        now, progress = self._clock.now(), self._progress
        moving = progress.written != self._written or not progress.waiting
        if moving:
            self._moved_at = now
        lost = f"{progress.lost} lines are lost so far" if progress.lost else "no line is lost yet"
        if progress.lost > self._lost or now - self._moved_at >= STUCK_AFTER:
            why = progress.fault or "whatever reads it takes nothing"
            sentence = f"stderr: {why}; {lost}"
            self._notices.tell(OperatorNotice(Trouble.LOG_UNWRITABLE, sentence, since=self._moved_at))
        elif moving and not progress.fault:
            self._notices.cured(Trouble.LOG_UNWRITABLE, "", f"stderr is written again; {lost}")
        self._lost, self._written = progress.lost, progress.written
