"""A ledger on a server, which several machines share: how this one opens it, stands by, and comes to lead."""

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import Self

import structlog

from tocsin import __version__
from tocsin.adapters.clock import boottime
from tocsin.adapters.files.disk_threads import DiskThreads
from tocsin.adapters.ledger.journal.journal import Journal
from tocsin.adapters.ledger.ledger import SqlLedger
from tocsin.adapters.ledger.postgresql.address import ServerAddress
from tocsin.adapters.ledger.postgresql.lease import PostgresLeadership
from tocsin.adapters.ledger.postgresql.opening import make_engine, open_server, unopened_server
from tocsin.adapters.ledger.postgresql.server import ServerStore
from tocsin.adapters.ledger.schema import SCHEMA
from tocsin.app.delivery.parcels.parcel import Parcel
from tocsin.app.delivery.sender import Sender
from tocsin.app.hand_ins.feed import waiting
from tocsin.app.hand_ins.from_memory.away_notices import AwayTold
from tocsin.app.hand_ins.from_memory.left_here import LeftFromMemory
from tocsin.app.hand_ins.journal import JournalHandIn, JournalKeeper, LastView
from tocsin.app.leadership.away import Away
from tocsin.app.leadership.installation import InstallationWatch
from tocsin.app.leadership.lead import Leadership, Opening
from tocsin.app.leadership.lease import Lease
from tocsin.app.leadership.other_machines import OtherMachines
from tocsin.app.leadership.standing_by import StandbyPart, StandingBy
from tocsin.app.leadership.term_watch import TermWatch
from tocsin.app.leadership.this_node import ThisNode, key_fingerprint
from tocsin.app.leadership.warm import WarmKept
from tocsin.app.lifecycle.folders import ConfigOnDisk
from tocsin.app.lifecycle.run import Part
from tocsin.app.lifecycle.startup import StartError, bring_back
from tocsin.app.state.active_config import ActiveConfig
from tocsin.app.state.notices import Notices
from tocsin.app.wiring.folders import folder_memory
from tocsin.app.wiring.ledgers import Surroundings
from tocsin.app.wiring.without_ledger import LedgerInMemory
from tocsin.domain.operator_notice import OperatorNotice
from tocsin.formats.settings.ledger_address import LedgerAddress
from tocsin.formats.settings.settings import Settings, reply_routes
from tocsin.ports.clock import SharedClock
from tocsin.ports.fence import Lead
from tocsin.ports.leadership import FencedError, LedgerAwayError
from tocsin.ports.ledger.trouble import LedgerError
from tocsin.ports.supervisor import ServiceManager

HANDS_IN_WITHIN = 3.0
"""Seconds for the last hour to be written down where the lead was lost."""

log = structlog.get_logger()

Parts = Callable[[ThisNode, SqlLedger], Sequence[StandbyPart]]


@dataclass(frozen=True, slots=True)
class LedgerOnServer:
    """A ledger of PostgreSQL, of which this machine leads at times."""

    clock: SharedClock
    store: ServerStore
    ledger: SqlLedger
    rows: PostgresLeadership
    leadership: Leadership
    this: ThisNode
    journal: Journal
    handing_in: JournalHandIn
    left: LeftFromMemory
    without: Callable[[], Awaitable[LedgerInMemory]]
    in_memory: list[LedgerInMemory] = field(default_factory=list)
    surroundings: Surroundings = field(default_factory=Surroundings)
    gave_back: list[float] = field(default_factory=list)
    recalled: set[int] = field(default_factory=set)

    @classmethod
    async def open(
        cls,
        place: LedgerAddress,
        clock: SharedClock,
        on_disk: ConfigOnDisk,
        manager: ServiceManager,
        parts: Parts,
        stop: asyncio.Event,
        closing: AsyncExitStack,
    ) -> Self:
        """This machine, what it remembers, and the ledger, if it is there soon. `closing` lets go of it in the end.
        Raises StartError.
        """
        settings, address = on_disk.own, ServerAddress(place.server, place.password)
        this = this_node(clock, settings, on_disk.revision)
        journal = await Journal.open(settings.state)
        rows = PostgresLeadership(make_engine(address, None, connections=0))
        store = ServerStore(unopened_server(address), journal)
        closing.push_async_callback(store.close)
        closing.push_async_callback(rows.close)
        ledger = SqlLedger(store)
        left, kept = LeftFromMemory(this.name, clock, ledger), WarmKept(ledger)
        handing_in = JournalHandIn(this.name, clock, ledger, store)

        def while_standing_by() -> Sequence[StandbyPart]:
            look = handing_in, LastView(store), InstallationWatch(rows, journal)
            return (*look, left, kept, *parts(this, ledger))

        standing_by = StandingBy(rows, this, manager, boottime, clock, parts=while_standing_by)
        opened = partial(open_ledger, address, DiskThreads("ledger opening"), on_disk, ledger)
        opening = Opening(this.name, opened, manager, boottime, standing_by)
        try:
            await opening.open(stop)
        except LedgerError as trouble:
            raise StartError(trouble) from None
        memory = folder_memory(settings)
        without = partial(LedgerInMemory.open, this.name, clock, opening, journal, kept, left, memory, closing)
        return cls(clock, store, ledger, rows, opening, this, journal, handing_in, left, without)

    @property
    def machine(self) -> str:
        """What this machine is called."""
        return self.this.name

    async def under(self, lead: Lead) -> "LedgerOnServer | LedgerInMemory":
        """Where the server is away, one in memory, which stays that of this process."""
        if not isinstance(lead, Away):
            return self
        if not self.in_memory:
            self.in_memory.append(await self.without())
        return self.in_memory[0]

    @asynccontextmanager
    async def leading(self) -> AsyncIterator[None]:
        """While this machine leads. Where the ledger does not let it now, it stands by again. Raises StartError for
        what a human must put right.
        """
        try:
            yield
        except (FencedError, LedgerAwayError) as trouble:
            log.warning("not leading any more", why=str(trouble))
        except LedgerError as trouble:
            raise StartError(f"{self.store.place} lets no machine begin to lead: {trouble}") from None
        finally:
            self.store.follow()
            if self.store.lost.is_set():
                await self._hand_in()

    async def _hand_in(self) -> None:
        """What the ledger lacks is there before another leads, if that is quick; else while this one stands by."""
        try:
            async with asyncio.timeout(HANDS_IN_WITHIN):
                await self.handing_in.hand_in()
        except (LedgerError, TimeoutError) as trouble:
            log.warning("ledger trouble", trouble=str(trouble))

    async def lead(self, lead: Lead) -> None:
        """Decide from now on, in the newest schema. Raises LedgerError."""
        assert isinstance(lead, Lease)
        await self.store.lead(lead.term)

    async def recall(self) -> OperatorNotice | None:
        """What this machine knows and the ledger lacks is there, and all in line with the clock: what operators hear of
        it. Raises LedgerError.
        """
        await self.left.write()
        await self.handing_in.hand_in()
        self.recalled.clear()
        self.recalled.update([row async for row, _ in waiting(self.ledger)])  # before: its rows are there as it is told
        await self.store.recall_repetitions(self.clock.now())
        return await bring_back(self.ledger, self.clock.now())

    def parts(self, notices: Notices, lead: Lead, config: ActiveConfig, sender: Sender) -> tuple[Part, ...]:
        """What looks after the lead, and at the other machines, while the daemon runs."""
        assert isinstance(lead, Lease)
        machines = (self.clock, self.rows, self.ledger, lead, self.this, config, notices, sender.undelivered, boottime)
        other_machines = OtherMachines(*machines, self.gave_back)
        journal = InstallationWatch(self.rows, self.journal, notices), JournalKeeper(self.clock, self.store, notices)
        return TermWatch(self.store, lead), other_machines, AwayTold(notices, lead), *journal

    def tell(self, notices: Notices) -> None:
        """Nothing was wrong with it, or it would not be open."""

    async def leave(self, parcels: Iterable[Parcel]) -> None:
        """Hand in what was sent from memory, and how tries ended; what it does not take now waits."""
        self.left.keep(parcels)
        await self.left.write_soon()


def this_node(clock: SharedClock, settings: Settings, revision: str) -> ThisNode:
    """This machine, as the others see it."""
    name, key = settings.node or socket.gethostname(), key_fingerprint(reply_routes(settings).keys)
    return ThisNode(clock, name, str(settings.incidents), __version__, SCHEMA, revision, key)


async def open_ledger(address: ServerAddress, threads: DiskThreads, on_disk: ConfigOnDisk, ledger: SqlLedger) -> None:
    """See that the ledger can be used, and that some config counts with it. Raises LedgerError and StartError."""
    opened = await asyncio.get_running_loop().run_in_executor(threads, open_server, address)
    opened.dispose()
    with contextlib.suppress(LedgerError):
        await on_disk.usable(ledger)
