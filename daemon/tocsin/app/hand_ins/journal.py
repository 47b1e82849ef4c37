"""What this machine remembers of the last hour, and the ledger lacks, is handed in: before it leads, while it stands
by, and before it gives the lead back (P9). The operators hear of it from whoever leads.
"""

import asyncio
from contextlib import suppress
from datetime import datetime
from typing import Protocol

import structlog

from tocsin.app.hand_ins.hand_in import MachineNotice, arrival_of
from tocsin.app.state.notices import Notices
from tocsin.domain.operator_notice import OperatorNotice, Trouble
from tocsin.ports.clock import Clock
from tocsin.ports.ledger.ledger import ArrivalLedger
from tocsin.ports.ledger.trouble import LedgerError

LOOKS_EVERY = 5.0
"""Seconds between two looks."""
VIEWS_EVERY = 1.0
"""Seconds between two looks of a standby at which incidents there are: should the database go away, it pages no other.
"""

log = structlog.get_logger()


class WasLacking(Protocol):
    """So many messages, sent since then, were not in the ledger."""

    @property
    def count(self) -> int:
        """How many."""
        ...

    @property
    def since(self) -> datetime | None:
        """When the first of them left."""
        ...


class RemembersTries(Protocol):
    """The file in which it is remembered."""

    @property
    def trouble(self) -> str:
        """Why it cannot be written; empty if it can."""
        ...


class KeepsJournal(Protocol):
    """The ledger, and the journal beside it."""

    @property
    def journal(self) -> RemembersTries | None:
        """The journal itself."""
        ...

    async def hand_in(self, now: datetime) -> WasLacking:
        """Write down what the ledger lacks of it. Raises LedgerError."""
        ...

    async def view(self) -> None:
        """Have the journal know which incidents there are. Raises LedgerError."""
        ...

    async def look(self, now: datetime) -> None:
        """See that the ledger is still as this process knows it. Raises LedgerError."""
        ...


class JournalHandIn:
    """A StandbyPart."""

    def __init__(self, machine: str, clock: Clock, ledger: ArrivalLedger, store: KeepsJournal) -> None:
        self._machine = machine
        self._clock = clock
        self._ledger = ledger
        self._store = store
        self._untold: list[OperatorNotice] = []

    async def run(self) -> None:
        """Until cancelled."""
        while True:
            try:
                await self.hand_in()
            except LedgerError as trouble:
                log.warning("ledger trouble", trouble=str(trouble))
            await asyncio.sleep(LOOKS_EVERY)

    async def hand_in(self) -> None:
        """Once. Raises LedgerError."""
        now = self._clock.now()
        lacking = await self._store.hand_in(now)
        if lacking.since is not None:
            since = f"{lacking.since:%d %b %H:%M} UTC"
            log.warning("journal handed in", messages=lacking.count, since=since)
            fault = f"the database went back in time: {lacking.count} messages sent since {since} were not in it"
            cure = "they are again; what may be a second copy is marked as that, and answers since then may be lost"
            self._untold.append(OperatorNotice(Trouble.LEDGER_OLDER, f"{fault}; {cure}"))
        while self._untold:
            await self._ledger.record_arrival(arrival_of(MachineNotice(self._machine, self._untold[0]), now))
            del self._untold[0]


class LastView:
    """A StandbyPart: what is in the ledger is known here, should it be away (R54)."""

    def __init__(self, store: KeepsJournal) -> None:
        self._store = store

    async def run(self) -> None:
        """Until cancelled."""
        while True:
            with suppress(LedgerError):  # a standby's own looks say so
                await self._store.view()
            await asyncio.sleep(VIEWS_EVERY)


class JournalKeeper:
    """Sees, while this machine leads, that the ledger has not gone back in time, and that the journal is written."""

    def __init__(self, clock: Clock, store: KeepsJournal, notices: Notices) -> None:
        self._clock = clock
        self._store = store
        self._notices = notices

    async def run(self) -> None:
        """Until cancelled."""
        while True:
            with suppress(LedgerError):  # whoever writes something says so
                await self._store.look(self._clock.now())
            self.tell()
            await asyncio.sleep(LOOKS_EVERY)

    def tell(self) -> None:
        """Operators hear of a journal that cannot be written, and that it can again."""
        why = self._store.journal.trouble if self._store.journal else ""
        if why:
            sentence = f"var/journal, which remembers what was sent in the last hour, cannot be written ({why})"
            self._notices.tell(OperatorNotice(Trouble.SENT_MARK_UNWRITABLE, f"{sentence}; incidents go on as ever"))
        else:
            self._notices.cured(Trouble.SENT_MARK_UNWRITABLE, "", "var/journal can be written again")
