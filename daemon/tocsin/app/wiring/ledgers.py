"""Where the ledger lies, and how its daemon comes to lead: a file of this machine, with which it is alone."""

import os
from collections.abc import AsyncIterator, Callable, Iterable, Set
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Protocol, Self

from tocsin.adapters.files.incident_folder.watched_folder import WatchedFolder
from tocsin.adapters.files.rights import owner_beside_root, way_to_write, why_not
from tocsin.adapters.inbox.reader import InboxReader
from tocsin.adapters.jinja.renderer import JinjaRenderer, Tell
from tocsin.adapters.jinja.sandbox import Codes
from tocsin.adapters.ledger.ledger import SqlLedger
from tocsin.adapters.ledger.sqlite.keeping import FileStore
from tocsin.adapters.ledger.sqlite.lock import LedgerLockedError
from tocsin.adapters.ledger.sqlite.opening import open_file, take_lock
from tocsin.app.delivery.parcels.parcel import Parcel
from tocsin.app.delivery.sender import Sender
from tocsin.app.engine.ledger_keeper import LedgerKeeper
from tocsin.app.leadership.alone import Alone
from tocsin.app.leadership.lead import Leadership
from tocsin.app.lifecycle.run import Part
from tocsin.app.lifecycle.startup import StartError, bring_back
from tocsin.app.state.active_config import ActiveConfig
from tocsin.app.state.notices import Notices
from tocsin.domain.operator_notice import OperatorNotice, Trouble
from tocsin.formats.settings.settings import Settings
from tocsin.ports.clock import Clock
from tocsin.ports.fence import Lead
from tocsin.ports.ledger.trouble import LedgerError


@dataclass(frozen=True, slots=True)
class Surroundings:
    """How a life makes its ways to files, to people and to operators; and the parts that have no place in it. `unseen`
    as in `DeliveryContext`.
    """

    folder: Callable[[Path, Clock], WatchedFolder] = WatchedFolder
    inbox: Callable[[Path, Path], InboxReader] = InboxReader
    notices: Callable[[Clock], Notices] = Notices
    renderer: Callable[[Path, Tell, Codes], JinjaRenderer] = JinjaRenderer
    without: tuple[type, ...] = ()
    unseen: bool = False

    def inbox_of(self, settings: Settings) -> InboxReader:
        """The inbox that these name."""
        return self.inbox(settings.inbox, settings.incidents)


class LedgerHere(Protocol):
    """The ledger as this process has it, and how it comes to lead there. `machine`: what this one is called where
    others work on it too; empty: it is alone with it.
    """

    @property
    def surroundings(self) -> Surroundings:
        """What goes with it."""
        ...

    @property
    def ledger(self) -> SqlLedger:
        """The ledger itself."""
        ...

    @property
    def leadership(self) -> Leadership:
        """How this process comes to lead."""
        ...

    @property
    def machine(self) -> str:
        """What this machine is called."""
        ...

    @property
    def recalled(self) -> Set[int]:
        """The rows of what other machines had handed in when it was recalled."""
        ...

    async def under(self, lead: Lead) -> "LedgerHere":
        """The one for a life under this lead."""
        ...

    def leading(self) -> AbstractAsyncContextManager[None]:
        """While this process leads. A shared ledger that does not let it ends that, and nothing else."""
        ...

    async def lead(self, lead: Lead) -> None:
        """Decide from now on; an older ledger is brought up to date first. Raises LedgerError."""
        ...

    async def recall(self) -> OperatorNotice | None:
        """Bring it in line with what this machine knows, and with the clock; what operators hear of that. Raises
        LedgerError.
        """
        ...

    def parts(self, notices: Notices, lead: Lead, config: ActiveConfig, sender: Sender) -> tuple[Part, ...]:
        """What looks after it while the daemon runs."""
        ...

    def tell(self, notices: Notices) -> None:
        """What operators hear of how it was found."""
        ...

    async def leave(self, parcels: Iterable[Parcel]) -> None:
        """The daemon has ended: what a shared ledger lacks of these is handed in."""
        ...


@dataclass(frozen=True, slots=True)
class LedgerInFile:
    """A ledger of SQLite, open for this daemon alone, on a machine that needs no name."""

    path: Path
    clock: Clock
    store: FileStore
    ledger: SqlLedger
    leadership: Leadership
    machine: str = ""
    recalled: Set[int] = frozenset()
    surroundings: Surroundings = field(default_factory=Surroundings)

    @classmethod
    def open(cls, path: Path, clock: Clock, closing: AsyncExitStack) -> Self:
        """Open it; `closing` lets go of it in the end. Raises StartError."""
        store = open_store(path, clock.now(), closing)
        return cls(path, clock, store, SqlLedger(store), Alone())

    async def under(self, _lead: Lead) -> Self:
        """There is no other."""
        return self

    @asynccontextmanager
    async def leading(self) -> AsyncIterator[None]:
        """While this daemon runs."""
        yield

    async def lead(self, _lead: Lead) -> None:
        """It was brought up to date when it was opened."""

    async def recall(self) -> OperatorNotice | None:
        """What the file says is brought in line with the clock, and with the mark of what was sent beside it; what
        operators hear of that.
        """
        notice = await bring_back(self.ledger, self.clock.now())
        await self.store.compare_with_mark(self.clock.now())
        return notice

    def parts(self, notices: Notices, _lead: Lead, _config: ActiveConfig, _sender: Sender) -> tuple[Part, ...]:
        """What looks after it while the daemon runs."""
        return (LedgerKeeper(self.clock, self.store, notices, self.path),)

    def tell(self, notices: Notices) -> None:
        """What operators hear of how it was found."""
        if aside := self.store.set_aside:
            sentence = f"the ledger was damaged and set aside as {aside}; a fresh one goes on and knows nothing"
            notices.tell(OperatorNotice(Trouble.LEDGER_DAMAGED, sentence))

    async def leave(self, parcels: Iterable[Parcel]) -> None:
        """Nobody else goes on with them: the next start does, from what the file holds."""


def open_store(path: Path, now: datetime, closing: AsyncExitStack) -> FileStore:
    """The ledger's file, for this daemon alone; `closing` lets go of it in the end. Raises StartError."""
    try:
        refuse_to_leave_roots_files(path.parent)
        lock = take_lock(path)
        if lock is not None:
            closing.callback(lock.release)
        store = FileStore(open_file(path, now.strftime("%Y%m%dT%H%M%SZ")), lock)
    except LedgerLockedError as other:
        raise StartError(other) from None
    except (LedgerError, OSError) as trouble:
        if way := way_to_write(path):
            raise StartError(f"the ledger {path} cannot be opened: {way}") from None
        why = (
            f"the ledger {path} {why_not(path, trouble, 'opened', os.W_OK)}"
            if isinstance(trouble, OSError)
            else trouble
        )
        raise StartError(why) from None
    closing.push_async_callback(store.close)
    return store


def refuse_to_leave_roots_files(folder: Path) -> None:
    """Root, who starts a daemon by hand, would write a ledger that its own user cannot open. Raises StartError."""
    if owner := owner_beside_root(folder):
        whose = f"{folder} belongs to {owner}, who could not open what root writes there"
        raise StartError(f"{whose}; start it as {owner}: systemctl start tocsin, or runuser -u {owner} -- tocsin run")
