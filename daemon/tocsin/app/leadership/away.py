"""The lead of a machine that has no ledger to lead on: it stood by, or started, and the database has been away for long
(rule 54), or is led by nobody, and the program here is too old to. It holds nothing, so nothing that a ledger has
recorded leaves; it lets from memory what no ledger knows.

It ends as soon as the database answers, and another machine leads or this one may.
"""

import asyncio
from collections.abc import Awaitable, Callable

import structlog

from tocsin.app.leadership.tries_in_vain import TriesInVain
from tocsin.planning.machines.leadership import LOOKS_EVERY
from tocsin.ports.leadership import MayNotLeadError
from tocsin.ports.ledger.trouble import LedgerError

DRAINS_FOR = 2.0
"""Seconds for what is under way to end at a stop."""

log = structlog.get_logger()


class Away:
    """A Lead. `look` raises LedgerError while the database is away, MayNotLeadError while nobody leads and this program
    is too old to; `since`: when all was well, by `boottime`. `too_old`: why it may not lead; empty: that is not it.
    """

    drains_for = DRAINS_FOR

    def __init__(
        self,
        look: Callable[[], Awaitable[None]],
        tries: TriesInVain,
        boottime: Callable[[], float],
        since: float,
        *,
        too_old: str = "",
    ) -> None:
        self.too_old = too_old
        self.lost = asyncio.Event()
        self._held_back = False
        self._trouble = too_old
        self._look_once = look
        self._tries = tries
        self._boottime = boottime
        self._since = since

    def holds(self) -> bool:
        """There is no lease."""
        return False

    def is_away(self) -> bool:
        """Whether that lasts."""
        return not self._held_back

    @property
    def why_away(self) -> str:
        """In the words of the newest try."""
        return self._tries.why

    def lets_from_memory(self, *, step: bool = False) -> bool:
        """Whether the database is still tried in vain; a later step of a ladder waits for longer."""
        return not self._held_back and self._tries.let_from_memory(self._since, step=step)

    def begin_anew(self, within: float = 0.0) -> None:
        """There is no lease to keep."""

    def note_healthy(self) -> None:
        """There is no lease to renew."""

    async def run(self) -> None:
        """Look for the database until it answers, or this is cancelled. What else `look` raises is raised."""
        turning = asyncio.create_task(self._tries.turn(), name="turns")
        try:
            while not self.lost.is_set():
                await self._look()
                await asyncio.sleep(LOOKS_EVERY)
            await asyncio.Event().wait()
        finally:
            turning.cancel()

    async def _look(self) -> None:
        began = self._boottime()
        try:
            await self._look_once()
        except LedgerError as trouble:
            self._tries.note(began, trouble)
            self.too_old = str(trouble) if isinstance(trouble, MayNotLeadError) else ""
            if str(trouble) != self._trouble:
                log.warning("standby trouble", trouble=str(trouble))
            self._trouble = str(trouble)
            return
        self.hold_back()
        self.lost.set()
        log.info("ledger back")

    def hold_back(self) -> None:
        """Nothing leaves from here any more."""
        self._held_back = True

    async def give_back(self) -> None:
        """There is nothing to give."""
