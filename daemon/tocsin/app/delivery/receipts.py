"""Receipts: what providers say became of messages, by whichever door it comes in: a webhook's arrival, or asked for.

It decides when receipts are asked for (rule 42), and brings each to whoever waits for it. What follows is decided by
`planning.receipts`, `app.deliver` and, for letters that are settled, here: an address that turns out to be refused for
good is noted and told, and a page that was not delivered after all goes by another channel.
"""

import asyncio
from collections.abc import Callable
from datetime import timedelta

import structlog

from tocsin.adapters.twilio import responses
from tocsin.app.delivery.attempt_log import AttemptLog
from tocsin.app.delivery.context import ChannelFailed, DeliveryContext
from tocsin.app.delivery.delivery import Delivery
from tocsin.app.delivery.refused_address import refusal_notice
from tocsin.app.delivery.sender import ASKS_AT_ONCE, Sender
from tocsin.domain.arrival import Arrival
from tocsin.domain.delivery import Accepted, Attempt, Fate, Receipt
from tocsin.domain.notification import OUTSIDE_PLAN, Notification
from tocsin.planning.delivery import receipts, retry
from tocsin.ports.clock import Clock
from tocsin.ports.ledger import DeliveryLedger

UNKNOWN = "unknown"
"""The result of a receipt that belongs to no try of ours."""
IDLE = timedelta(seconds=10)
"""How soon it is looked again whether receipts are to be asked for, while they are not."""

log = structlog.get_logger()


class Receipts:
    """Hears of receipts. `every` is how often those of unanswered pages are asked for; None: only by `app.deliver`."""

    def __init__(
        self,
        clock: Clock,
        ledger: DeliveryLedger,
        house: DeliveryContext,
        deliver: Sender,
        every: Callable[[], timedelta | None],
    ) -> None:
        self._clock = clock
        self._ledger = ledger
        self._tries = AttemptLog(ledger)
        self._house = house
        self._deliver = deliver
        self._every = every

    async def run(self) -> None:
        """Ask for what is waited for, until cancelled."""
        while True:
            every = self._every()
            await asyncio.sleep((every or IDLE).total_seconds())
            if every:
                await self.ask()

    async def ask(self) -> None:
        """Ask for the receipt of every page that waits for one, a few at a time."""
        places = asyncio.Semaphore(ASKS_AT_ONCE)
        async with asyncio.TaskGroup() as tasks:
            for delivery in self._deliver.awaiting():
                tasks.create_task(self._ask(delivery, places))

    async def judge(self, arrival: Arrival) -> str:
        """A webhook's word about a try; what it led to. Raises LedgerError. One about no try of ours, or about one
        that another message belongs to (the ledger was lost since), leads to nothing.
        """
        sid = arrival.ref.rpartition(":")[0]
        status, _, code = arrival.body.partition(" ")
        fate = responses.fate(status, code, sid)
        found = await self._ledger.find_attempt(int(arrival.who)) if _number(arrival.who) else None
        if found is None or fate.receipt is Receipt.UNKNOWN or not _of(found[0], sid):
            return UNKNOWN
        attempt, notification = found
        if not self._deliver.heard(attempt, fate):
            await self._settled(attempt, notification, fate)
        await self._ledger.record_receipt(attempt, fate.receipt, arrival.at)
        return "refused" if fate.refused else fate.receipt.value

    async def _ask(self, delivery: Delivery, places: asyncio.Semaphore) -> None:
        """Ask for one receipt, if it is still waited for."""
        async with places:
            attempt = retry.standing(delivery.tries)
            if not self._deliver.awaits(delivery) or not isinstance(attempt.outcome, Accepted):
                return
            fate = await self._deliver.ways[attempt.via].fate(attempt.outcome.provider_id)
        if fate.receipt.rank <= (attempt.receipt or Receipt.UNKNOWN).rank:
            return
        log.info("receipt", receipt=fate.receipt.value, number=attempt.number)
        self._deliver.heard(attempt, fate)
        await self._tries.receipt(attempt, fate.receipt, self._clock.now())

    async def _settled(self, attempt: Attempt, notification: Notification, fate: Fate) -> None:
        """Nothing more was to be done with this letter, until this was heard."""
        now = self._clock.now()
        changed = receipts.heard(attempt, fate, now)
        if changed.outcome is not None and changed.outcome != attempt.outcome:
            await self._ledger.end_attempt(changed, changed.outcome, now)
        if fate.refused:
            self._house.tell(refusal_notice(notification, fate.refused, self._house.policy()))
        if fate.receipt is Receipt.UNDELIVERED and notification.kind not in OUTSIDE_PLAN:
            self._house.stuck(ChannelFailed(notification, fate.refused is not None))


def _number(text: str) -> bool:
    return text.isdecimal() and len(text) < 19


def _of(attempt: Attempt, sid: str) -> bool:
    """Whether this may be the provider's name for what the try sent."""
    known = attempt.outcome.provider_id if isinstance(attempt.outcome, Accepted) else ""
    return not known or known == sid
