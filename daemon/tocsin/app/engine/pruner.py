"""The daemon prunes its ledger: once a day what is older than `keep`, and what `tocsin prune` asks for.

It decides when. Nothing is pruned while a page waits to leave, or an incident to be looked at.
"""

import asyncio
import contextlib
from collections import OrderedDict
from datetime import datetime, timedelta

import structlog

from tocsin.app.delivery.parcels.undelivered import Undelivered
from tocsin.app.engine.pruning import Pruning
from tocsin.app.state.active_config import ActiveConfig
from tocsin.app.state.agenda import Agenda
from tocsin.app.state.incidents import Incidents
from tocsin.domain.arrival import Arrival, Judgement, PruneEntry
from tocsin.domain.notification import NOBODY
from tocsin.formats.inbox.entries import read_entry
from tocsin.formats.settings.types import KEEPS_AT_LEAST
from tocsin.ports.clock import Clock
from tocsin.ports.ledger.trouble import LedgerError
from tocsin.ports.ledger.upkeep import Erasure, PruningLedger

FIRST_AFTER, EVERY = timedelta(minutes=10), timedelta(days=1)
"""How long after its start the daemon prunes by itself for the first time, and then how often."""
RESTS_FOR = 0.1
"""Seconds between two transactions, so that most of the time is everybody else's."""
LOOKS_AGAIN = 1.0
"""Seconds until it is seen again whether it is calm."""
REMEMBERED_MOST = 100
"""Orders of commands whose end is remembered until it is asked for."""
PRUNED, FAILED, NONE = "pruned", "failed", "none"
"""What an order led to."""

log = structlog.get_logger()


class Calm:
    """The Permit of a running daemon."""

    def __init__(self, incidents: Incidents, agenda: Agenda, undelivered: Undelivered) -> None:
        self._incidents = incidents
        self._agenda = agenda
        self._undelivered = undelivered

    async def calm(self) -> None:
        """Wait until no page waits to leave, and no incident to be looked at."""
        await asyncio.sleep(RESTS_FOR)
        while True:
            if self._agenda.is_settled and not self._undelivered.page_waits():
                return
            await asyncio.sleep(LOOKS_AGAIN)

    def may_go(self, incident: str) -> bool:
        """Whether nothing came in for it."""
        return incident == NOBODY or self._incidents.rests(incident)

    def begin(self, incident: str) -> bool:
        """Whether nothing came in for it; from here on it is not looked at."""
        return self._incidents.begin_pruning(incident)

    def end(self, *, gone: bool) -> None:
        """It may be looked at again; its file is compared anew if it has gone."""
        self._incidents.end_pruning(gone=gone)


class Pruner:
    """A part of the daemon, and the judge of what `tocsin prune` leaves."""

    def __init__(self, clock: Clock, ledger: PruningLedger, config: ActiveConfig, calm: Calm) -> None:
        self._clock = clock
        self._config = config
        self._pruning = Pruning(ledger, calm)
        self._orders: OrderedDict[str, PruneEntry] = OrderedDict()
        self._ends: OrderedDict[str, Judgement] = OrderedDict()
        self._ordered = asyncio.Event()

    async def run(self) -> None:
        """Until cancelled."""
        due_at = self._clock.now() + FIRST_AFTER
        while True:
            await self._ordered_within(due_at - self._clock.now())
            await self._follow_orders()
            if self._clock.now() >= due_at:
                await self._prune_by_keep()
                due_at = self._clock.now() + EVERY

    async def _ordered_within(self, span: timedelta) -> None:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(max(0.0, span.total_seconds())):
                await self._ordered.wait()
        self._ordered.clear()

    async def _follow_orders(self) -> None:
        """One after the other."""
        while self._orders:
            ref, entry = next(iter(self._orders.items()))
            self._ends[ref] = await self._follow(entry)
            del self._orders[ref]
            while len(self._ends) > REMEMBERED_MOST:
                self._ends.popitem(last=False)

    async def judge(self, arrival: Arrival) -> Judgement | None:
        """What an order led to; None: it is not done yet. One that an earlier process began is begun anew."""
        if arrival.ref in self._ends:
            return self._ends[arrival.ref]
        entry = read_entry(arrival.body.encode())
        if not isinstance(entry, PruneEntry):
            return Judgement(NONE, "it cannot be read")
        if arrival.ref not in self._orders:
            self._orders[arrival.ref] = entry
            self._ordered.set()
        return None

    async def _follow(self, entry: PruneEntry) -> Judgement:
        before = min(entry.before, self._clock.now() - KEEPS_AT_LEAST)
        try:
            count = await (self._erase(entry) if entry.person else self._prune(before))
        except LedgerError as trouble:
            return Judgement(FAILED, f"not all of it is done: the ledger cannot be used ({trouble})")
        return Judgement(PRUNED, str(count))

    async def _erase(self, entry: PruneEntry) -> int:
        count = await self._pruning.erase(Erasure(entry.person, entry.words, entry.names))
        log.info("erased", incidents=count)
        return count

    async def _prune_by_keep(self) -> None:
        keep = self._config.settings.keep
        if keep is None:
            return
        try:
            await self._prune(self._clock.now() - keep)
        except LedgerError as trouble:
            log.warning("ledger trouble", trouble=str(trouble))

    async def _prune(self, before: datetime) -> int:
        count = await self._pruning.prune(before, self._clock.now())
        log.info("pruned", incidents=count, closed_before=before.isoformat())
        return count
