"""What a machine that does not lead hands in: it is written into the ledger as it comes, and the leader judges it."""

import asyncio
from collections.abc import Collection, Iterable, Mapping
from contextlib import suppress
from itertools import islice, takewhile
from typing import Protocol

import structlog

from tocsin.app.hand_ins.hand_in import FilesGone, FileVersion, HandIn, MachineNotice, arrival_of, incidents_of
from tocsin.app.state.notices import Notices
from tocsin.domain.operator_notice import OperatorNotice
from tocsin.ports.clock import Clock
from tocsin.ports.ledger.ledger import ArrivalLedger
from tocsin.ports.ledger.trouble import LedgerError
from tocsin.ports.ledger.upkeep import PrunedLedger

WRITES_AGAIN = 1.0
"""Seconds until the ledger is tried again."""
WRITTEN_TOGETHER = 200
"""The most versions that are written at once."""

log = structlog.get_logger()


class HandInLedger(ArrivalLedger, PrunedLedger, Protocol):
    """Where it is written, and what is known of versions."""


class HandedIn:
    """A port of MachineFolder, HandsIn. What could not be written waits, in its order. `is_well`: the ledger has taken
    all that it was asked to take.
    """

    def __init__(self, clock: Clock, ledger: HandInLedger) -> None:
        self._clock = clock
        self._ledger = ledger
        self._waiting: list[HandIn] = []
        self._some = asyncio.Event()
        self.is_well = True

    async def give(self, hand_in: HandIn, *, urgent: bool = True) -> None:  # noqa: ARG002 - nobody waits here
        """Have it written. What another config alone makes of a file is the leader's to see, by its own."""
        if not (isinstance(hand_in, FileVersion) and hand_in.before == hand_in.data):
            self._waiting.append(hand_in)
            self._some.set()

    def safe(self, incidents: Iterable[str]) -> frozenset[str]:
        """Those of which all is in the ledger."""
        return frozenset(incidents).difference(*map(incidents_of, self._waiting))

    async def digests(self, incidents: Collection[str]) -> Mapping[str, tuple[str, ...]]:
        """Those of all versions that counted."""
        with suppress(LedgerError):
            return await self._ledger.version_digests(incidents)
        return {}

    async def run(self) -> None:
        """Until cancelled."""
        while True:
            await self._some.wait()
            self._some.clear()
            while self._waiting:
                try:
                    await self._write_some()
                except LedgerError as trouble:
                    log.warning("ledger trouble", trouble=str(trouble))
                    self.is_well = False
                    await asyncio.sleep(WRITES_AGAIN)
                else:
                    self.is_well = True

    async def _write_some(self) -> None:
        """The first that waits; versions together, but of each incident the first alone. Raises LedgerError."""
        together = {incidents_of(self._waiting[0]): self._waiting[0]}
        if isinstance(self._waiting[0], FileVersion):
            for one in takewhile(lambda one: isinstance(one, FileVersion), islice(self._waiting, WRITTEN_TOGETHER)):
                together.setdefault(incidents_of(one), one)
        troubles = await asyncio.gather(*map(self._write, together.values()), return_exceptions=True)
        written = {id(one) for one, trouble in zip(together.values(), troubles, strict=True) if trouble is None}
        self._waiting = [one for one in self._waiting if id(one) not in written]
        for trouble in troubles:
            if trouble is not None:
                raise trouble

    async def _write(self, hand_in: HandIn) -> None:
        """Raises LedgerError."""
        new = await self._ledger.record_arrival(arrival_of(hand_in, self._clock.now()))
        if isinstance(hand_in, FileVersion) and new:
            log.info("handed in", incident=hand_in.incident)
        elif isinstance(hand_in, FilesGone):
            log.info("absence handed in", incidents=hand_in.incidents)


class NoticesHandedIn:
    """What operators are to hear of this machine is left to the leader, which tells them once for all machines."""

    def __init__(self, machine: str, notices: Notices, handed_in: HandedIn) -> None:
        self._machine = machine
        self._notices = notices
        self._handed_in = handed_in
        self._told: set[str] = set()

    async def run(self) -> None:
        """Until cancelled."""
        while True:
            await self.look()
            await self._notices.news()

    async def look(self) -> None:
        """Hand in what waits; that something is over only where it was handed in that it began."""
        for notice in self._notices.take():
            self._told.add(notice.subject)
            await self._handed_in.give(MachineNotice(self._machine, notice))
        for over in self._notices.take_recovered():
            if over.subject in self._told:
                self._told.discard(over.subject)
                notice = OperatorNotice(over.trouble, over.text, over.about, since=over.since, name=over.name)
                await self._handed_in.give(MachineNotice(self._machine, notice, over=True))
