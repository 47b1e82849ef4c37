"""What providers say became of messages, however it comes in: by a webhook, or asked for.

It decides when receipts are asked for (rule 42), and brings each to whoever waits for it. What follows is decided by
`planning.delivery.receipts`, the sender and, for letters that are settled, here: an address that turns out to be
refused for good is noted and told, and a page that was not delivered after all goes by another channel.
"""

import asyncio
from datetime import timedelta

import structlog

from tocsin.adapters.twilio import responses
from tocsin.app.delivery.blame import hear_refusal
from tocsin.app.delivery.context import DeliveryContext
from tocsin.app.delivery.lanes import ASKS_AT_ONCE
from tocsin.app.delivery.parcels.attempt_log import AttemptLog
from tocsin.app.delivery.parcels.parcel import Parcel
from tocsin.app.delivery.providers import Providers
from tocsin.app.delivery.sender import Sender
from tocsin.app.state.incident_state import ChannelFailed
from tocsin.domain.arrival import Arrival
from tocsin.domain.delivery import Accepted, Attempt, Fate, Fault, Receipt, numbered_attempt
from tocsin.domain.notification import OUTSIDE_PLAN, Kind, Notification
from tocsin.domain.people import MAIN
from tocsin.planning.delivery import receipts, retry
from tocsin.planning.delivery.still_wanted import opted_out
from tocsin.ports.clock import Clock
from tocsin.ports.ledger.ledger import SendLedger

UNKNOWN = "unknown"
"""The result of a receipt that belongs to no try of ours."""
IDLE = timedelta(seconds=10)
"""How soon it is looked again whether receipts are to be asked for, while they are not."""

log = structlog.get_logger()


class Receipts:
    """Brings receipts to the letters that wait for them."""

    def __init__(
        self, clock: Clock, ledger: SendLedger, context: DeliveryContext, providers: Providers, sender: Sender
    ) -> None:
        self._clock = clock
        self._ledger = ledger
        self._attempt_log = AttemptLog(ledger, context.incidents)
        self._context = context
        self._providers = providers
        self._sender = sender

    async def run(self) -> None:
        """Ask for what is waited for, until cancelled."""
        while True:
            every = self._context.config.reply_routes.receipts_every
            await asyncio.sleep((every or IDLE).total_seconds())
            if every:
                await self.ask()

    async def ask(self) -> None:
        """Ask for the receipt of every page that waits for one, a few at a time."""
        places = asyncio.Semaphore(ASKS_AT_ONCE)
        async with asyncio.TaskGroup() as tasks:
            for parcel in self._sender.awaiting():
                tasks.create_task(self._ask(parcel, places))

    async def judge(self, arrival: Arrival) -> str:
        """A webhook's word about a try; what it led to. Raises LedgerError. What is said of a bundle holds for all that
        left in it. One about no try of ours, about one that another message belongs to (the ledger was lost since), or
        from another account than the try went to, leads to nothing.
        """
        account, _, sid = arrival.ref.rpartition(":")[0].rpartition("/")
        status, _, code = arrival.body.partition(" ")
        fate = responses.fate(status, code, sid)
        known = await self._ledger.find_attempt(_attempt_id(arrival.who))
        if not known or fate.receipt is Receipt.UNKNOWN or not _of(known[0][0], sid):
            return UNKNOWN
        if not self._is_from(known[0][0], account):
            log.warning("receipt of another account", provider=known[0][0].provider, account=account)
            return UNKNOWN
        fate = await self._sender.judge_fate(known, fate)
        settled = [pair for pair in known if not self._sender.on_receipt(pair[0], fate)]
        for attempt, notification in settled:
            await self._apply_settled(attempt, notification, fate)
        said = fate.receipt, arrival.at, fate.code
        await asyncio.gather(*(self._ledger.record_receipt(attempt, *said) for attempt, _ in known))
        return "refused" if fate.refused else fate.receipt.value

    def _is_from(self, attempt: Attempt, account: str) -> bool:
        """Whether that account may speak of the try; a provider that has left the config has none to compare."""
        provider = self._context.config.settings.sms.providers.get(attempt.provider or MAIN)
        return not (provider and account and provider.account_sid) or account == provider.account_sid

    async def _ask(self, parcel: Parcel, places: asyncio.Semaphore) -> None:
        """Ask for one receipt, if it is still waited for."""
        async with places:
            attempt = retry.deciding_attempt(parcel.attempts)
            if not self._sender.awaits(parcel) or not isinstance(attempt.outcome, Accepted):
                return
            fate = await self._providers.fate(attempt, attempt.outcome.provider_id)
        if fate.receipt.rank <= (attempt.receipt or Receipt.UNKNOWN).rank:
            return
        fate = await self._sender.judge_fate(parcel.letters_of(attempt.number), fate)
        to = parcel.lead.notification.to
        log.info(
            "receipt",
            to=to,
            via=attempt.via.value,
            receipt=fate.receipt.value,
            number=attempt.number,
            shown_reader=self._context.config.policy.person_name(to),
        )
        tries = parcel.tries(attempt.number)
        self._sender.on_receipt(attempt, fate)
        await self._attempt_log.receipt(tries, fate, self._clock.now())

    async def _apply_settled(self, attempt: Attempt, notification: Notification, fate: Fate) -> None:
        """Nothing more was to be done with this letter, until this was heard."""
        now = self._clock.now()
        changed = receipts.apply_receipt(attempt, fate, now)
        if changed.outcome is not None and changed.outcome != attempt.outcome:
            await self._ledger.end_attempt(changed, changed.outcome, now)
        if fate.refused:
            hear_refusal(self._context, notification, attempt.address, fate.refused, now)
        if notification.kind in OUTSIDE_PLAN:
            return
        if fate.receipt is Receipt.UNDELIVERED:
            stopped = opted_out(notification, self._context.config.policy)
            refused = fate.refused is not None and fate.refused.fault is Fault.ADDRESS and not stopped
            undelivered = not (refused or stopped)
            event = ChannelFailed(notification, refused, attempt.address, undelivered, fate.may_pass, stopped)
            self._context.incidents.add_event(notification.incident, event)
        elif fate.receipt is Receipt.DELIVERED and notification.kind is Kind.PAGE:
            self._context.incidents.note_delivery(notification)


def _attempt_id(name: str) -> str:
    """The id of the try that a receipt names: those of messages sent before attempts had ids name a number."""
    return numbered_attempt(int(name)) if name.isdecimal() and len(name) < 19 else name


def _of(attempt: Attempt, sid: str) -> bool:
    """Whether this may be the provider's name for what the try sent."""
    known = attempt.outcome.provider_id if isinstance(attempt.outcome, Accepted) else ""
    return not known or known == sid
