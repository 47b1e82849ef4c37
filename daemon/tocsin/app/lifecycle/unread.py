"""What of the config could not be read (rule 73): when it is read again, and when the operators hear of it.

A disk that does not give a file says nothing about the file: it is no bad config.
"""

import asyncio
from collections.abc import Awaitable, Sequence
from datetime import datetime, timedelta
from typing import TypeVar

import structlog

from tocsin.app.configuration.judge import NOT_JUDGED
from tocsin.app.state.notices import Notices
from tocsin.domain.operator_notice import OperatorNotice, Trouble
from tocsin.domain.problem import Problem
from tocsin.ports.clock import Clock

FIRST_WAIT, LONGEST_WAIT = timedelta(seconds=1), timedelta(minutes=1)
"""How soon it is read again, doubled each time, and how soon at most."""
SHORTEST_PAUSE = 0.5
"""Seconds between two looks at the least."""
TOLD_AFTER = timedelta(minutes=1)
"""How long it may last before the operators hear."""
NAMED_LIMIT = 5
"""How many files one notice names; the rest are counted."""

T = TypeVar("T")

log = structlog.get_logger()


class UnreadConfig:
    """Whether something could not be read at the last reading, since when, and when it is read again."""

    def __init__(self, clock: Clock, notices: Notices, folder: str) -> None:
        self._clock = clock
        self._notices = notices
        self._folder = folder
        self._unread: dict[str, tuple[Problem, ...]] = {}
        self._since: datetime | None = None
        self._again_at: datetime | None = None
        self._wait = FIRST_WAIT

    @property
    def due(self) -> bool:
        """Whether it is time to read again."""
        return self._again_at is not None and self._again_at <= self._clock.now()

    def pause(self, longest: float) -> float:
        """Seconds until it is time, if that is sooner than `longest`."""
        if self._again_at is None:
            return longest
        return min(longest, max(SHORTEST_PAUSE, (self._again_at - self._clock.now()).total_seconds()))

    def note(self, part: str, unread: Sequence[Problem]) -> bool:
        """What could not be read of a part (the config, the templates) just now. True when that is anything."""
        self._unread[part] = tuple(unread)
        problems = [problem for faults in self._unread.values() for problem in faults]
        if not problems:
            self._since = self._again_at = None
            self._wait = FIRST_WAIT
            self._cured()
            return False
        now = self._clock.now()
        self._since = self._since or now
        self._again_at = now + self._wait
        self._wait = min(self._wait * 2, LONGEST_WAIT)
        if all(problem.code == NOT_JUDGED for problem in problems):
            log.info("config not judged yet", why=[problem.message for problem in problems])
        else:
            log.warning("config unread", problems=[str(problem) for problem in problems[:NAMED_LIMIT]])
        if now - self._since >= TOLD_AFTER:
            lines = [str(problem) for problem in problems[:NAMED_LIMIT]]
            if len(problems) > NAMED_LIMIT:
                lines.append(f"and {len(problems) - NAMED_LIMIT} more files")
            self._tell("\n".join(lines), self._since)
        return bool(unread)

    async def within_reason(self, reading: Awaitable[T]) -> T:
        """Wait for something that reads the folder, for ever if it must be; operators hear when it hangs."""
        began_at = self._clock.now()
        task = asyncio.ensure_future(reading)
        await asyncio.wait({task}, timeout=TOLD_AFTER.total_seconds())
        if not task.done():
            self._tell(f"{self._folder}: the folder does not answer; see whether its disk or server is alive", began_at)
            await asyncio.wait({task})
            if self._again_at is None:
                self._cured()
        return await task

    def _cured(self) -> None:
        self._notices.cured(Trouble.CONFIG_UNREAD, "", f"everything in {self._folder} can be read again")

    def _tell(self, why: str, since: datetime) -> None:
        self._notices.tell(OperatorNotice(Trouble.CONFIG_UNREAD, why, since=since))
