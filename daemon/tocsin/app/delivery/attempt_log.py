"""What is written down of each attempt before its first byte leaves and after it ended, at once or later.

It decides whether an attempt may begin while the ledger cannot be written.
"""

import asyncio
from dataclasses import replace
from datetime import datetime

import structlog

from tocsin.app.delivery.delivery import Delivery
from tocsin.domain.delivery import Attempt, Outcome, Receipt
from tocsin.domain.notification import Kind
from tocsin.ports.ledger import LedgerError, SendLedger

FROM_MEMORY = {Kind.PAGE: 2, Kind.OPERATOR: 1}
"""Copies that may leave while the ledger cannot be written, for each process (rules 44 and 71)."""
UNWRITTEN = "the ledger could not be written"
"""Why an attempt that the ledger did not know of may be a second copy: a restart would have made it again."""

log = structlog.get_logger()


class AttemptLog:
    """Writes attempts into the ledger, and leaves what it could not take with the delivery."""

    def __init__(self, ledger: SendLedger) -> None:
        self._ledger = ledger

    async def begin(self, delivery: Delivery, to: str, now: datetime) -> Attempt | None:
        """Write an attempt down. While the ledger cannot be written pages go all the same, but not more than
        twice, and notices to operators once, at once if it could not even take the letter; None when it must wait.
        """
        notification, cause = delivery.notification, delivery.possible_duplicate
        waits = delivery.copies >= FROM_MEMORY.get(notification.kind, 0)
        if (delivery.recorded or waits) and await self.save_pending(delivery):
            try:
                return await self._ledger.begin_attempt(notification.key, notification.via, to, now, cause)
            except LedgerError as trouble:
                log.warning("ledger trouble", trouble=str(trouble))
        if waits:
            return None
        number = len(delivery.attempts) + 1
        cause = cause or UNWRITTEN
        return Attempt(0, notification.key, number, notification.via, to, now, possible_duplicate=cause)

    async def save_pending(self, delivery: Delivery) -> bool:
        """Give the ledger what it does not know of this delivery yet. False when it cannot be written."""
        if not delivery.recorded and delivery.notification.kind is not Kind.OPERATOR:
            return False  # its incident writes it down, with the facts it belongs to
        try:
            if not delivery.recorded:
                await self._ledger.record(delivery.notification.incident, (), [delivery.letter], ())
                delivery.recorded = True
            for attempt in tuple(delivery.unsaved):
                await self._begin(delivery, attempt)
            writes = [self._ledger.end_attempt(*_ended(attempt)) for attempt in delivery.unsaved]
            if delivery.state and delivery.settled_at:
                writes.append(self._ledger.settle(delivery.notification.key, delivery.state, delivery.settled_at))
            await asyncio.gather(*writes)
        except LedgerError as trouble:
            log.warning("ledger trouble", trouble=str(trouble))
            return False
        delivery.unsaved.clear()
        return True

    async def receipt(self, attempt: Attempt, receipt: Receipt, now: datetime) -> None:
        """Note what the provider said of an attempt, if the ledger knows that. Trouble loses only the note."""
        if not attempt.id:
            return
        try:
            await self._ledger.record_receipt(attempt, receipt, now)
        except LedgerError as trouble:
            log.warning("ledger trouble", trouble=str(trouble))

    async def _begin(self, delivery: Delivery, attempt: Attempt) -> None:
        """Write an attempt down that went out from memory."""
        if not attempt.id:
            key, cause = attempt.reference, attempt.possible_duplicate
            begun = await self._ledger.begin_attempt(key, attempt.via, attempt.address, attempt.started_at, cause)
            delivery.mark_begun(replace(attempt, id=begun.id))


def _ended(attempt: Attempt) -> tuple[Attempt, Outcome, datetime]:
    assert attempt.outcome is not None
    assert attempt.ended_at is not None
    return attempt, attempt.outcome, attempt.ended_at
