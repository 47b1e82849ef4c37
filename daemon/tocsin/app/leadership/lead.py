"""How a process comes to lead; where its ledger may be away at the start, it is opened first."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from typing import Protocol

import structlog

from tocsin.app.leadership.away import Away
from tocsin.app.leadership.beginning import BeginningGivenUpError, beginning
from tocsin.app.leadership.tries_in_vain import TriesInVain
from tocsin.planning.machines.leadership import WITHOUT
from tocsin.ports.fence import Lead
from tocsin.ports.leadership import LedgerAwayError
from tocsin.ports.supervisor import ServiceManager

OPENS_EVERY = 1.0
"""Seconds between two tries to open a ledger that is away."""

log = structlog.get_logger()


class Leadership(Protocol):
    """How a process comes to lead, and what it does until then."""

    async def until_leading(self, stop: asyncio.Event) -> Lead | None:
        """Wait until it leads; None: it was told to stop."""
        ...


class Opening:
    """A Leadership: a start without the database goes on as a standby without it (R54); once the ledger is open it is
    as `standing_by` has it. `try_to_open` raises LedgerError, and LedgerAwayError where the database does not answer.
    `name` is this machine's.
    """

    def __init__(
        self,
        name: str,
        try_to_open: Callable[[], Awaitable[None]],
        manager: ServiceManager,
        boottime: Callable[[], float],
        standing_by: Leadership,
    ) -> None:
        self._name = name
        self._try_to_open = try_to_open
        self._manager = manager
        self._boottime = boottime
        self._standing_by = standing_by
        self._is_open = False
        self._away: Away | None = None

    async def until_leading(self, stop: asyncio.Event) -> Lead | None:
        """Wait until this process leads, or the database has been away for long; None: it was told to stop. Raises
        LedgerError for what a human must put right.
        """
        if not self._is_open and self._away is None:
            await self.open(stop)
        away, self._away = self._away, None
        if away is not None or not self._is_open:
            return away
        return await self._standing_by.until_leading(stop)

    async def open(self, stop: asyncio.Event) -> None:
        """Until it is open, or has been away for long, or it was told to stop. Raises LedgerError for what a human must
        put right.
        """
        began, tries = self._boottime(), TriesInVain(self._boottime)
        turning = asyncio.create_task(tries.turn())
        try:
            with contextlib.suppress(BeginningGivenUpError):
                async with beginning(self._manager, stop):
                    await self._try_for_long(tries)
        finally:
            turning.cancel()
        if not (self._is_open or stop.is_set()):
            log.warning("without the ledger", node=self._name)
            self._away = Away(self._try, tries, self._boottime, began)

    async def _try_for_long(self, tries: TriesInVain) -> None:
        told = False
        while not self._is_open and tries.seconds < WITHOUT:
            tried = self._boottime()
            try:
                await self._try()
            except LedgerAwayError as away:
                tries.note(tried, away)
                if not told:
                    log.warning("standby trouble", trouble=str(away))
                    self._manager.ready("standing by without the ledger")
                told = True
                await asyncio.sleep(OPENS_EVERY)

    async def _try(self) -> None:
        await self._try_to_open()
        self._is_open = True
