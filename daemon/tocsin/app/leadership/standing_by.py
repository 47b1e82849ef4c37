"""A machine that does not lead: it looks each second whether it may, says that it is there, and keeps warm.

When it may is `planning/machines/leadership`'s to say. What it does meanwhile (its folder, its inbox, its config) are
parts that are given to it; they end before it leads.
"""

import asyncio
import contextlib
from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Protocol

import structlog

from tocsin.app.leadership.away import Away
from tocsin.app.leadership.lease import Lease
from tocsin.app.leadership.this_node import ThisNode
from tocsin.app.leadership.tries_in_vain import TriesInVain
from tocsin.planning.machines.clocks import differs
from tocsin.planning.machines.leadership import (
    LOOKS_EVERY,
    REPLACED_AFTER,
    REPORTS_EVERY,
    WITHOUT,
    Sighting,
    may_take,
    sight,
)
from tocsin.ports.clock import SharedClock
from tocsin.ports.leadership import LeadershipLedger, LeaseView, MayNotLeadError, Node, NodeState, NodeTakenError, Term
from tocsin.ports.ledger.trouble import LedgerError
from tocsin.ports.supervisor import ServiceManager
from tocsin.text.times import apart

TAKEN_FOR = REPLACED_AFTER + 5.0
"""Seconds after which a name that another process has is not that of one that was killed."""

log = structlog.get_logger()


class StandbyPart(Protocol):
    """Something that runs while a machine stands by."""

    async def run(self) -> None:
        """Until cancelled."""
        ...


class StandingBy:
    """How one of several machines comes to lead. `parts` are made anew each time it stands by; `clock` is
    set by the database's, which each word of a standby hears (R60).
    """

    def __init__(
        self,
        ledger: LeadershipLedger,
        this: ThisNode,
        manager: ServiceManager,
        boottime: Callable[[], float],
        clock: SharedClock,
        *,
        parts: Callable[[], Sequence[StandbyPart]] = tuple,
    ) -> None:
        self._ledger = ledger
        self._this = this
        self._manager = manager
        self._boottime = boottime
        self._parts = parts
        self._clock = clock
        self._sighting: Sighting | None = None
        self._reported_at: float | None = None
        self._taken_since: float | None = None
        self._lease: Lease | None = None
        self._tries, self._reached_at = TriesInVain(boottime), boottime()
        self._trouble = self._too_old = ""
        self._clock_differs = False
        self._before: str | None = None
        self._leader: Node | None = None

    async def until_leading(self, stop: asyncio.Event) -> Lease | Away | None:
        """Stand by until this process leads, or was long without the database, or too old where nobody led (R54);
        None: it was told to stop. Raises NodeTakenError.
        """
        if stop.is_set():
            await self.leave()
            return None
        self._sighting = self._reported_at = None
        self._manager.ready("standing by")
        log.info("standing by", node=self._this.name)
        taken: NodeTakenError | None = None
        lease: Lease | Away | None = None
        self._tries.end()
        async with asyncio.TaskGroup() as tasks:
            running = [tasks.create_task(_run(part)) for part in self._parts()]
            running.append(tasks.create_task(self._tries.turn()))
            try:
                lease = await self._look_until(stop)
            except NodeTakenError as other:
                taken = other
            for task in running:
                task.cancel()
        if taken is not None:
            raise taken
        if lease is None:
            await self.leave()
        return lease

    async def leave(self) -> None:
        """Tell the others that this process ends cleanly, if they can be told."""
        with contextlib.suppress(LedgerError, TimeoutError):
            async with asyncio.timeout(1):
                await self._ledger.report(self._this.row(NodeState.STANDING_BY, stopped=True))

    async def _look_until(self, stop: asyncio.Event) -> Lease | Away | None:
        while not stop.is_set():
            lease = await self.look()
            if lease is not None:
                return lease
            if self._tries.seconds >= WITHOUT:
                log.warning("without the ledger", node=self._this.name)
                return Away(self._reach, self._tries, self._boottime, self._reached_at, too_old=self._too_old)
            self._manager.healthy()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(LOOKS_EVERY):
                    await stop.wait()
        return None

    async def _reach(self) -> None:
        """See that the database takes a word and can be read, and that another leads now or this program may. Raises
        LedgerError.
        """
        with contextlib.suppress(NodeTakenError):  # which is an answer
            await self._ledger.report(self._this.row(NodeState.STANDING_BY))
        view = await self._ledger.look()
        if self._sighting is not None and self._sighting.lease == _lease(view):
            view.see_that_it_may(self._this.schema, self._this.name)

    async def look(self) -> Lease | None:
        """Look once; the lease, if this process leads now. Raises NodeTakenError."""
        lease, began = None, self._boottime()
        try:
            await self._report()
            view = await self._ledger.look()
            self._sighting = seen = sight(self._sighting, _lease(view), self._boottime())
            if nobody_leads := may_take(seen, free=self._is_free(view, seen)):
                view.see_that_it_may(self._this.schema, self._this.name)
            self._tries.end()
            self._reached_at = began
            await self._note_leader(view.node)
            if nobody_leads and self._reported_at is not None:
                lease = await self._take(view)
            self._note("")
        except NodeTakenError:
            raise
        except MayNotLeadError as refusal:  # which is a try in vain, for as long as nobody leads
            self._tries.note(self._sighting.since if self._sighting else began, refusal)
            self._note(str(refusal), too_old=True)
        except LedgerError as trouble:
            self._tries.note(began, trouble)
            self._note(str(trouble))
        return lease

    async def _take(self, view: LeaseView) -> Lease | None:
        """Raises LedgerError."""
        began = self._boottime()
        term = await self._ledger.take(view, self._this.row(NodeState.LEADING))
        if term is None:
            return None
        former = self._leader if view.node not in {"", self._this.id, self._before} else None
        log.warning("leading", node=self._this.name, term=term.epoch, clean=former is None)
        self._lease = Lease(self._ledger, term, self._this, self._boottime, began, self._clock, former=former)
        return self._lease

    async def _note_leader(self, id_: str) -> None:
        """Know the name of the process that leads, before another one of that machine takes its row. Raises
        LedgerError.
        """
        if id_ and (self._leader is None or self._leader.id != id_):
            nodes = (node for node in await self._ledger.nodes() if node.id == id_)
            self._leader = next(nodes, Node(id_, "", "", NodeState.LEADING, self._clock.now()))

    def _is_free(self, view: LeaseView, seen: Sighting) -> bool:
        """Whether nobody leads: it was given back, or this process took it and never heard so. What this process gave
        back others may take first: who looks each second, or whom it was handed over to.
        """
        if view.node:
            return view.node == self._this.id
        if self._lease is None or self._lease.term != view.term:
            return True
        return not self._lease.handed_over and seen.until > seen.since

    async def _report(self) -> None:
        """Say now and then that this machine is there. A name that another process has is waited for: it may be that of
        one that was just killed.
        """
        now = self._boottime()
        if self._reported_at is not None and now - self._reported_at < REPORTS_EVERY:
            return
        if self._before is None:
            self._before = await self._superseded()
        try:
            self._clock.set(await self._ledger.report(self._this.row(NodeState.STANDING_BY)), now)
        except NodeTakenError:
            self._reported_at = None
            self._taken_since = self._taken_since or now
            if now - self._taken_since >= TAKEN_FOR:
                raise
            return
        self._reported_at, self._taken_since = now, None
        self._compare_clock()

    async def _superseded(self) -> str:
        """The process of this name and folder whose row this one takes over; empty: there is none. That it starts again
        after a kill is no takeover.
        """
        place = self._this.name, self._this.folder
        ids = (node.id for node in await self._ledger.nodes() if (node.name, node.folder) == place)
        return next((id_ for id_ in ids if id_ != self._this.id), "")

    def _compare_clock(self) -> None:
        """Log once that this machine's own clock is not the database's, and that it is again (R60): operators hear of
        the one that leads.
        """
        ahead = self._clock.machine_ahead() or timedelta(0)
        if differs(ahead) != self._clock_differs:
            self._clock_differs = differs(ahead)
            if self._clock_differs:
                log.warning("machine clock", stands=apart(ahead))
            else:
                log.info("machine clock right")

    def _note(self, trouble: str, *, too_old: bool = False) -> None:
        """Log a trouble once, and its end."""
        self._too_old = trouble if too_old else ""
        if trouble == self._trouble:
            return
        if trouble:
            log.warning("standby trouble", trouble=trouble)
        else:
            log.info("standby trouble over")
        self._trouble = trouble


def _lease(view: LeaseView) -> tuple[Term, str, int]:
    """What a leader that lives changes."""
    return view.term, view.node, view.count


async def _run(part: StandbyPart) -> None:
    await part.run()
    raise AssertionError(f"{part} came to an end")
