"""The lead of one of several machines: renewed while the daemon is healthy, counted on its own clock, and lost when
another term is in the ledger (rules 52, 53).

It decides by `planning/machines/leadership` alone. A ledger that does not answer ends no lead: the lease runs out,
nothing leaves, and whoever reaches it again goes on if nobody took over meanwhile.
"""

import asyncio
from collections.abc import Callable

import structlog

from tocsin.app.leadership.this_node import ThisNode
from tocsin.planning.machines.leadership import (
    HEALTHY,
    RENEWS_EVERY,
    STOOD_STILL,
    InVain,
    holds,
    lets_from_memory,
    renews,
)
from tocsin.ports.clock import SharedClock
from tocsin.ports.leadership import FencedError, LeadershipLedger, NodeState, Term
from tocsin.ports.ledger.ledger import LedgerError

DRAINS_FOR = 1.5
"""Seconds for what is under way to end at a stop, so that with all else another machine leads within 2."""
TRIES_EVERY = 1.0
"""Seconds between two tries to renew it after one that failed."""
STARTS_WITHIN = 60.0
"""Seconds for a start to come to its first healthy pass. One that takes longer leaves the lead to others."""
TURNS_EVERY = 0.5
"""Seconds between two marks that the loop turns."""
GIVES_BACK_WITHIN = 2.0
"""Seconds for giving the lead back; then the others wait for the lease to run out."""

log = structlog.get_logger()


class Lease:
    """A Lead. `began` is the instant before it was taken, by `boottime`: seconds of a clock that never stops. `former`
    is the process that led before and did not give it back; empty: it was given back, or nobody had it.
    """

    drains_for = DRAINS_FOR

    def __init__(
        self,
        ledger: LeadershipLedger,
        term: Term,
        this: ThisNode,
        boottime: Callable[[], float],
        began: float,
        clock: SharedClock,
        *,
        former: str = "",
    ) -> None:
        """`clock` goes by the database's, which is heard at each renewal (R60)."""
        self.term = term
        self.former = former
        self.took_at = began
        self.lost = asyncio.Event()
        self._ledger = ledger
        self._this = this
        self._boottime = boottime
        self._clock = clock
        self._renewal_began: float | None = began
        self._healthy_at = began + STARTS_WITHIN - HEALTHY
        self._trouble = ""
        self._in_vain: InVain | None = None
        self._held_back = False
        self._turned_at = self._turns_since = began

    def holds(self) -> bool:
        """Whether enough of the lease is left for a first byte."""
        return not self._held_back and holds(self._renewal_began, self._boottime())

    def lets_from_memory(self, *, step: bool = False) -> bool:
        """Whether what the ledger does not know of may leave: under the lease nobody else leads, and without it only
        once the database was tried in vain for a while, for later steps a longer one; never once another term was found
        (R54).
        """
        now = self._boottime()
        if self._held_back or self.holds():
            return not self._held_back
        return lets_from_memory(self._in_vain, self._turned_at, now, away_since=self._renewal_began, step=step)

    def note_healthy(self) -> None:
        """Renew it for a while yet."""
        self._healthy_at = self._boottime()

    def begin_anew(self) -> None:
        """The daemon starts anew, and is healthy until it could be again."""
        self._healthy_at = self._boottime() + STARTS_WITHIN - HEALTHY

    async def run(self) -> None:
        """Renew it, until it is lost or this is cancelled."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._turn(), name="turns")
            while not self.lost.is_set():
                await self.renew()
                await asyncio.sleep(TRIES_EVERY if self._trouble else RENEWS_EVERY)
            await asyncio.Event().wait()

    async def _turn(self) -> None:
        """Mark that the loop turns. Once it stood still, tries in vain are counted anew."""
        self._turned_at = self._boottime()
        while True:
            await asyncio.sleep(TURNS_EVERY)
            now = self._boottime()
            if now - self._turned_at > STOOD_STILL:
                self._in_vain, self._turns_since = None, now
            self._turned_at = now

    async def renew(self) -> None:
        """Renew it once, if the daemon is healthy."""
        began = self._boottime()
        if not renews(self._healthy_at, began):
            self._note("no healthy pass")
            if self._in_vain is not None:
                await self._look(began)
            return
        try:
            now = await self._ledger.renew(self.term, self._this.row(NodeState.LEADING))
        except FencedError:
            self.lose("another machine leads")
        except LedgerError as trouble:
            self._note(str(trouble))
            self._try_in_vain(began)
        else:
            self._trouble, self._renewal_began, self._in_vain = "", began, None
            self._clock.follow(now, began)

    async def _look(self, began: float) -> None:
        """A database that is away keeps passes long: go on trying to reach it, without renewing anything."""
        try:
            view = await self._ledger.look()
        except LedgerError:
            self._try_in_vain(began)
            return
        self._in_vain = None
        if view.term != self.term:
            self.lose("another machine leads")

    def _try_in_vain(self, began: float) -> None:
        since = self._in_vain.since if self._in_vain else max(began, self._turns_since)
        self._in_vain = InVain(since, self._boottime())

    def lose(self, why: str) -> None:
        """It is over: nothing leaves any more."""
        if not self.lost.is_set():
            log.warning("not leading any more", why=why, term=self.term.epoch)
        self.hold_back()
        self.lost.set()

    def hold_back(self) -> None:
        """Nothing leaves from here any more, whatever a renewal that is under way brings."""
        self._held_back = True

    def hand_over(self, why: str) -> None:
        """Let what has left end, and give the lead back."""
        log.warning("handing over", why=why, term=self.term.epoch)
        self.lost.set()

    async def give_back(self) -> None:
        """Leave the lead to whoever looks first."""
        self.hold_back()
        try:
            async with asyncio.timeout(GIVES_BACK_WITHIN):
                await self._ledger.give_back(self.term)
        except (LedgerError, TimeoutError) as trouble:
            log.warning("lease not given back", trouble=str(trouble))

    def _note(self, trouble: str) -> None:
        """Log a trouble once, until it is over."""
        if trouble != self._trouble:
            log.warning("lease not renewed", trouble=trouble)
        self._trouble = trouble
