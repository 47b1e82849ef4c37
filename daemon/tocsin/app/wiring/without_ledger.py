"""What a machine pages by that cannot see its ledger (rule 54): a daemon's life as ever, but on a ledger in memory,
with nothing to see but what is newly declared. What came of it is handed in once the ledger is back.
"""

import asyncio
from collections.abc import AsyncIterator, Iterable, Set
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from typing import Self

import structlog

from tocsin.adapters.files.incident_folder.watched_folder import NewlyDeclaredFiles
from tocsin.adapters.inbox.reader import StayingInbox
from tocsin.adapters.jinja.renderer import UnseenRenderer
from tocsin.adapters.ledger.journal.journal import Journal
from tocsin.adapters.ledger.ledger import SqlLedger
from tocsin.adapters.ledger.sqlite.keeping import FileStore
from tocsin.adapters.ledger.sqlite.opening import open_empty
from tocsin.app.arrivals.edit_feed import EditFeed
from tocsin.app.delivery.parcels.parcel import Parcel
from tocsin.app.delivery.sender import Sender
from tocsin.app.engine.pruner import Pruner
from tocsin.app.hand_ins.from_memory.away_notices import AwayNotices, AwayTold
from tocsin.app.hand_ins.from_memory.known_names import KnownNames
from tocsin.app.hand_ins.from_memory.left_here import LeftFromMemory
from tocsin.app.hand_ins.hand_in import arrival_of
from tocsin.app.incidents.reviews import Reviews
from tocsin.app.leadership.away import Away
from tocsin.app.leadership.lead import Leadership
from tocsin.app.leadership.warm import WarmKept
from tocsin.app.lifecycle.run import Part
from tocsin.app.lifecycle.startup import StartError
from tocsin.app.state.active_config import ActiveConfig
from tocsin.app.state.notices import Notices
from tocsin.app.wiring.ledgers import Surroundings
from tocsin.domain.operator_notice import OperatorNotice
from tocsin.ports.clock import Clock
from tocsin.ports.fence import Lead
from tocsin.ports.folder import FolderMemory
from tocsin.ports.ledger.trouble import LedgerError

LEFT_OUT = (EditFeed, Pruner, Reviews)
"""What only a machine does that sees the ledger: what people do in the browser, and what is written once."""
EVER = datetime.min.replace(tzinfo=UTC)

log = structlog.get_logger()


class UnsealedStore(FileStore):
    """A ledger in memory, which nobody but this process writes: all that it keeps is its own."""

    def vouches(self, code: str | None, revision: str, content: bytes) -> bool:  # noqa: ARG002 - the seam's
        """Always."""
        return True


@dataclass(frozen=True, slots=True)
class LedgerInMemory:
    """A LedgerHere of one process, from when its server was first away to its end. It begins empty; what the server's
    ledger has heard of meanwhile is over here. `name` is what this machine is called, `memory` what the files
    of its folder held last.
    """

    name: str
    clock: Clock
    ledger: SqlLedger
    leadership: Leadership
    journal: Journal
    kept: WarmKept
    left: LeftFromMemory
    memory: FolderMemory
    machine: str = ""
    recalled: Set[int] = frozenset()

    @classmethod
    async def open(  # noqa: PLR0913, PLR0917 - what this machine has besides the ledger
        cls,
        name: str,
        clock: Clock,
        leadership: Leadership,
        journal: Journal,
        kept: WarmKept,
        left: LeftFromMemory,
        memory: FolderMemory,
        closing: AsyncExitStack,
    ) -> Self:
        """It is closed by `closing`. Raises LedgerError."""
        store = UnsealedStore(await asyncio.to_thread(open_empty))
        closing.push_async_callback(store.close)
        return cls(name, clock, SqlLedger(store), leadership, journal, kept, left, memory)

    @property
    def surroundings(self) -> Surroundings:
        """What makes it so."""
        names = KnownNames(self.memory, self.clock)
        knows = self.journal.knows if self.journal.knows_incidents() else None
        return Surroundings(
            folder=partial(NewlyDeclaredFiles, names.incidents, knows),
            inbox=StayingInbox,
            notices=AwayNotices,
            renderer=partial(UnseenRenderer, self.name),
            without=LEFT_OUT,
            unseen=True,
        )

    async def under(self, _lead: Lead) -> Self:
        """There is no other while the server is away."""
        return self

    @asynccontextmanager
    async def leading(self) -> AsyncIterator[None]:
        """While the server is away. What keeps this life from it ends nothing else."""
        try:
            yield
        except (LedgerError, StartError) as trouble:
            log.warning("standby trouble", trouble=str(trouble))

    async def lead(self, _lead: Lead) -> None:
        """Nobody else could."""

    async def recall(self) -> OperatorNotice | None:
        """It has the newest config that the server's ledger kept; what that ledger knows by now is no concern here."""
        if (newest := self.kept.newest) is not None and await self.ledger.last_good_config() is None:
            how = newest.revision, newest.files, newest.since, newest.mac, newest.templates
            await self.ledger.record_config(*how)
        for letter in await self.ledger.unsettled():
            if self.journal.knows(letter.notification.incident):
                await self.ledger.settle(letter.notification.key, "superseded", self.clock.now())
        for incident in await self.ledger.unfinished():
            if self.journal.knows(incident):
                await self.ledger.finish(incident)
        for sent in self.left.sent:  # while it led, and nobody knows: it counts as sent here, too
            await self.ledger.record_arrival(arrival_of(sent, self.clock.now()))
        return None

    def parts(self, notices: Notices, lead: Lead, _config: ActiveConfig, _sender: Sender) -> tuple[Part, ...]:
        """What operators hear meanwhile."""
        assert isinstance(lead, Away)
        return (AwayTold(notices, lead),)

    def tell(self, notices: Notices) -> None:
        """Nothing else."""

    async def leave(self, parcels: Iterable[Parcel]) -> None:
        """The server is back: all that left of pages is handed in."""
        self.left.keep(parcels)
        self.left.keep_sent(await self.ledger.sent_pages(EVER))
        await self.left.write_soon()
