"""What this machine sent while the ledger was away, and another one leads by now: it is handed in (R52)."""

import asyncio
from collections.abc import Iterable
from dataclasses import replace
from typing import Protocol

import structlog

from tocsin.app.delivery.parcels.delivery import KILLED
from tocsin.app.delivery.parcels.parcel import Parcel
from tocsin.app.hand_ins.hand_in import SentFromMemory, SentStep, arrival_of
from tocsin.domain.delivery import Accepted, Attempt, Uncertain
from tocsin.domain.notification import Kind, Notification
from tocsin.ports.clock import Clock
from tocsin.ports.ledger.ledger import ArrivalLedger, DeliveryLedger
from tocsin.ports.ledger.trouble import LedgerError

WRITES_WITHIN = 3.0
"""Seconds for it to be written down where the lead was lost, before this machine stands by."""
WRITES_AGAIN = 1.0
"""Seconds until the ledger is tried again."""

log = structlog.get_logger()


class EvidenceLedger(ArrivalLedger, DeliveryLedger, Protocol):
    """What takes evidence, whoever leads."""


class LeftFromMemory:
    """Tries that the ledger does not know of, and ends of tries that it does, in the order they came."""

    def __init__(self, machine: str, clock: Clock, ledger: EvidenceLedger) -> None:
        self._machine = machine
        self._clock = clock
        self._ledger = ledger
        self._sent: list[SentFromMemory] = []
        self._ended: list[Attempt] = []

    @property
    def sent(self) -> tuple[SentFromMemory, ...]:
        """The pages that the ledger does not know to have left, or may have."""
        return tuple(self._sent)

    def keep(self, parcels: Iterable[Parcel]) -> None:
        """What the ledger lacks of these, of a daemon that has ended."""
        now = self._clock.now()
        for member in [member for parcel in parcels for member in parcel.members]:
            self._ended += [attempt for attempt in member.unsaved if attempt.id]
            if member.notification.kind is Kind.PAGE:
                step = SentStep.of(member.notification)
                left = member.left_from_memory(now)
                self._sent += [SentFromMemory(self._machine, step, attempt) for attempt in left]

    def keep_sent(self, sent: Iterable[tuple[Notification, Attempt]]) -> None:
        """The same of tries at pages, as a ledger in memory has them."""
        now = self._clock.now()
        kept = {(one.attempt.address, one.attempt.started_at) for one in self._sent}
        for page, attempt in sent:
            if (attempt.address, attempt.started_at) in kept:
                continue
            outcome, ended_at = attempt.outcome or KILLED, attempt.ended_at or now
            if isinstance(outcome, (Accepted, Uncertain)):
                ended = replace(attempt, outcome=outcome, ended_at=ended_at)
                self._sent.append(SentFromMemory(self._machine, SentStep.of(page), ended))

    async def write(self) -> None:
        """Hand in what waits. Raises LedgerError: then the rest waits on."""
        ended = list(self._ended)
        await asyncio.gather(*(self._end(attempt) for attempt in ended))
        del self._ended[: len(ended)]
        while self._sent:
            await self._ledger.record_arrival(arrival_of(self._sent[0], self._clock.now()))
            log.info("sent from memory", incident=self._sent[0].step.incident)
            del self._sent[0]

    async def _end(self, attempt: Attempt) -> None:
        assert attempt.outcome is not None
        assert attempt.ended_at is not None
        await self._ledger.end_attempt(attempt, attempt.outcome, attempt.ended_at)

    async def write_soon(self) -> None:
        """Hand in what the ledger takes at once; the rest waits on."""
        try:
            async with asyncio.timeout(WRITES_WITHIN):
                await self.write()
        except (LedgerError, TimeoutError) as trouble:
            log.warning("ledger trouble", trouble=str(trouble) or f"no answer within {WRITES_WITHIN:g} s")

    async def run(self) -> None:
        """Hand it in as soon as the ledger takes it, until cancelled."""
        while True:
            try:
                await self.write()
            except LedgerError as trouble:
                log.warning("ledger trouble", trouble=str(trouble))
            await asyncio.sleep(WRITES_AGAIN)
