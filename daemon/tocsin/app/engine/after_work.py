"""The memory that much work needed is given back. It decides when: after each second of the processor's, as measured
ten seconds at a time, so that an idle daemon does nothing and a storm costs little more.
"""

import asyncio
import time
from collections.abc import Callable

LOOKS_EVERY = 10.0
"""Seconds between two looks."""
WORK = 1.0
"""Seconds of the processor since the last time from which on there may be something to give back: some hundred
incidents, or a start with many. Giving back 400 MB takes a twentieth of that.
"""


class AfterWork:
    """Calls `give_back`, in a thread, after much work; `used` says how many seconds of the processor the process has
    used.
    """

    def __init__(self, give_back: Callable[[], None], used: Callable[[], float] = time.process_time) -> None:
        self._give_back = give_back
        self._used = used
        self._given_back_at = 0.0  # a start is work, too

    async def run(self) -> None:
        """Until cancelled."""
        while True:
            await asyncio.sleep(LOOKS_EVERY)
            await self.look()

    async def look(self) -> None:
        """Give back if there was work since the last time."""
        used = self._used()
        if used - self._given_back_at >= WORK:
            self._given_back_at = used
            await asyncio.to_thread(self._give_back)
