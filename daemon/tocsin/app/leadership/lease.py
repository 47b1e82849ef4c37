"""The lead of one of several machines: renewed while the daemon is healthy, counted on its own clock, and lost when
another term is in the ledger (rules 52, 53).

It decides by `planning/machines/leadership` alone. A ledger that does not answer ends no lead: the lease runs out,
nothing leaves, and whoever reaches it again goes on if nobody took over meanwhile.
"""

import asyncio
from collections.abc import Callable

import structlog

from tocsin.app.leadership.this_node import ThisNode
from tocsin.app.leadership.tries_in_vain import TriesInVain
from tocsin.planning.machines.leadership import HEALTHY, RENEWS_EVERY, STARTS_WITHIN, WITHOUT, holds, renews
from tocsin.ports.clock import SharedClock
from tocsin.ports.leadership import FencedError, LeadershipLedger, Node, NodeState, Term
from tocsin.ports.ledger.trouble import LedgerError

DRAINS_FOR = 1.5
"""Seconds for what is under way to end at a stop, so that with all else another machine leads within 2."""
TRIES_EVERY = 1.0
"""Seconds between two tries to renew it after one that failed."""
GIVES_BACK_WITHIN = 2.0
"""Seconds for giving the lead back; then the others wait for the lease to run out."""

log = structlog.get_logger()


class Lease:
    """A Lead. `began` is the instant before it was taken, by `boottime`: seconds of a clock that never stops. `former`
    is the process that led before and did not give it back; None: it was given back, or nobody had it.
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
        former: Node | None = None,
    ) -> None:
        """`clock` goes by the database's, which is heard at each renewal (R60)."""
        self.term = term
        self.former = former
        self.took_at = began
        self.lost = asyncio.Event()
        self.handed_over = False
        self._ledger = ledger
        self._this = this
        self._boottime = boottime
        self._clock = clock
        self._renewal_began: float | None = began
        self._healthy_at = began + STARTS_WITHIN - HEALTHY
        self._trouble = ""
        self._held_back = False
        self._tries = TriesInVain(boottime)

    def holds(self) -> bool:
        """Whether enough of the lease is left for a first byte."""
        return not self._held_back and holds(self._renewal_began, self._boottime())

    def is_away(self) -> bool:
        """Whether the database has been tried in vain for so long that operators should know (P9)."""
        return self._tries.seconds >= WITHOUT

    @property
    def why_away(self) -> str:
        """In the words of the newest try."""
        return self._tries.why

    @property
    def too_old(self) -> str:
        """A program that leads is not."""
        return ""

    def lets_from_memory(self, *, step: bool = False) -> bool:
        """Whether what the ledger does not know of may leave: under the lease nobody else leads, and without it only
        once the database was tried in vain for a while, for later steps a longer one; never once another term was found
        (R54).
        """
        if self._held_back:
            return False
        return self.holds() or self._tries.let_from_memory(self._renewal_began, step=step)

    def note_healthy(self) -> None:
        """Renew it for a while yet."""
        self._healthy_at = self._boottime()

    def begin_anew(self, within: float = STARTS_WITHIN) -> None:
        """The daemon begins, and is healthy until it could be again, so many seconds at most."""
        self._healthy_at = self._boottime() + within - HEALTHY

    async def run(self) -> None:
        """Renew it, until it is lost or this is cancelled."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._tries.turn(), name="turns")
            while not self.lost.is_set():
                await self.renew()
                await asyncio.sleep(TRIES_EVERY if self._trouble else RENEWS_EVERY)
            await asyncio.Event().wait()

    async def renew(self) -> None:
        """Renew it once, if the daemon is healthy."""
        began = self._boottime()
        if not renews(self._healthy_at, began):
            self._note("no healthy pass")
            await self._look(began)
            return
        try:
            now = await self._ledger.renew(self.term, self._this.row(NodeState.LEADING))
        except FencedError:
            self.lose("another machine leads")
        except LedgerError as trouble:
            self._note(str(trouble))
            self._tries.note(began, trouble)
        else:
            self._trouble, self._renewal_began = "", began
            self._tries.end()
            self._clock.follow(now, began)

    async def _look(self, began: float) -> None:
        """Renew nothing, but see whether another leads by now, and go on trying to reach a database that is away: that
        keeps passes long.
        """
        try:
            view = await self._ledger.look()
        except LedgerError as trouble:
            self._tries.note(began, trouble)
            return
        self._tries.end()
        if view.term != self.term:
            self.lose("another machine leads")

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
        self.handed_over = True
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
