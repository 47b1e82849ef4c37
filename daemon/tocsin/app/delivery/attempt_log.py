"""Tries: what is written down of each try, before its first byte leaves and after it ended, now or when the ledger is
back.

It decides whether a try may begin while the ledger cannot be written. It must not know what a try is made of.
"""

import asyncio
from dataclasses import replace
from datetime import datetime

import structlog

from tocsin.app.delivery.delivery import Delivery
from tocsin.domain.delivery import Attempt, Outcome, Receipt
from tocsin.ports.ledger import DeliveryLedger, LedgerError

FROM_MEMORY = 2
"""Copies of a page that may leave while the ledger cannot be written, for each process (rule 44)."""
UNWRITTEN = "the ledger could not be written"
"""Why a try that the ledger did not know of may be a second copy: a restart would have made it again."""

log = structlog.get_logger()


class AttemptLog:
    """Writes tries into the ledger, and keeps what it could not take with the delivery."""

    def __init__(self, ledger: DeliveryLedger) -> None:
        self._ledger = ledger

    async def begin(self, delivery: Delivery, to: str, now: datetime) -> Attempt | None:
        """Write a try down. While the ledger cannot be written pages go all the same, but not more than twice; None
        when this one must wait.
        """
        notification, cause = delivery.notification, delivery.possible_duplicate
        if await self.pay(delivery):
            try:
                return await self._ledger.begin_attempt(notification.key, notification.via, to, now, cause)
            except LedgerError as trouble:
                log.warning("ledger trouble", trouble=str(trouble))
        if not delivery.page or delivery.copies >= FROM_MEMORY:
            return None
        number = len(delivery.tries) + 1
        cause = cause or UNWRITTEN
        return Attempt(0, notification.key, number, notification.via, to, now, possible_duplicate=cause)

    async def pay(self, delivery: Delivery) -> bool:
        """Give the ledger the tries that it does not know of. False when it cannot be written."""
        if not delivery.recorded:
            return False
        try:
            for each in tuple(delivery.owed):
                await self._begin(delivery, each)
            writes = [self._ledger.end_attempt(*_ended(each)) for each in delivery.owed]
            if delivery.state and delivery.settled_at:
                writes.append(self._ledger.settle(delivery.notification.key, delivery.state, delivery.settled_at))
            await asyncio.gather(*writes)
        except LedgerError as trouble:
            log.warning("ledger trouble", trouble=str(trouble))
            return False
        delivery.owed.clear()
        return True

    async def receipt(self, attempt: Attempt, receipt: Receipt, now: datetime) -> None:
        """Note what the provider said of a try, if the ledger knows that. Trouble loses only the note."""
        if not attempt.id:
            return
        try:
            await self._ledger.record_receipt(attempt, receipt, now)
        except LedgerError as trouble:
            log.warning("ledger trouble", trouble=str(trouble))

    async def _begin(self, delivery: Delivery, attempt: Attempt) -> None:
        """Write a try down that went out from memory."""
        if not attempt.id:
            key, cause = attempt.reference, attempt.possible_duplicate
            begun = await self._ledger.begin_attempt(key, attempt.via, attempt.address, attempt.started_at, cause)
            delivery.begun(replace(attempt, id=begun.id))


def _ended(attempt: Attempt) -> tuple[Attempt, Outcome, datetime]:
    assert attempt.outcome is not None
    assert attempt.ended_at is not None
    return attempt, attempt.outcome, attempt.ended_at
