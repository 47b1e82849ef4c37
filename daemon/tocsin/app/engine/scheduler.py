"""The scheduler: wakes what is due, and looks at incidents side by side, a few at a time.

It must not know what a look does, nor why an incident is looked at.
"""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import datetime

from tocsin.app.state.agenda import Agenda
from tocsin.ports.clock import Clock

SIDE_BY_SIDE = 32
"""Incidents looked at together: enough to share the ledger's commits, and to take in many new files before the updates
of the first ones leave; few enough to stay in order, and not to keep a page that leaves meanwhile.
"""
LONGEST_SLEEP = 5.0
"""Seconds after which the time is asked again: the loop's own clock stands still while a machine sleeps."""

Look = Callable[[str], Awaitable[datetime | None]]
"""Brings one incident up to now, and gives its next look; None: not without a poke."""


class Scheduler:
    """Works off the agenda. `alive_at` is when it last looked at the time."""

    def __init__(self, clock: Clock, agenda: Agenda, look: Look) -> None:
        self._clock = clock
        self._agenda = agenda
        self._look = look
        self.alive_at = clock.now()

    async def run(self) -> None:
        """Until cancelled."""
        self.alive_at = self._clock.now()  # much may have been recalled since this was made
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._wake(), name="wake")
            for number in range(SIDE_BY_SIDE):
                tasks.create_task(self._work(), name=f"look {number}")

    async def _wake(self) -> None:
        """The one alarm clock."""
        while True:
            self.alive_at = now = self._clock.now()
            earliest = self._agenda.wake_due(now)
            wait = LONGEST_SLEEP if earliest is None else min(LONGEST_SLEEP, (earliest - now).total_seconds())
            await self._agenda.sooner(wait)

    async def _work(self) -> None:
        """Look at one incident after the other."""
        while True:
            incident = await self._agenda.take()
            self._agenda.done(incident, await self._look(incident))
