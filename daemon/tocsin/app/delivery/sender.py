"""Letters on their way out, each through its attempts to an end.

It carries out what `planning.delivery.retry` decides, writes every attempt down before its first byte leaves and after
it ended, and asks before each one whether the letter is still wanted. It must not know why a letter was decided.
"""

import asyncio
import random
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

import structlog

from tocsin.app.delivery.attempt_log import AttemptLog
from tocsin.app.delivery.context import DeliveryContext
from tocsin.app.delivery.delivery import KILLED, Delivery, DeliveryStep
from tocsin.app.delivery.message import message
from tocsin.app.delivery.provider_health import ProviderHealth
from tocsin.app.delivery.queue import SendQueue
from tocsin.app.delivery.refused_address import refusal_notice
from tocsin.app.delivery.transports import Transports
from tocsin.app.delivery.undelivered import Undelivered
from tocsin.app.state.incident_state import ChannelFailed
from tocsin.domain.delivery import Accepted, Attempt, Fate, Letter, Refused
from tocsin.domain.notification import OUTSIDE_PLAN, Notification, Why
from tocsin.domain.people import Channel
from tocsin.planning.delivery import receipts, retry
from tocsin.planning.delivery.still_wanted import current_address, why_not_now
from tocsin.ports.clock import Clock
from tocsin.ports.ledger import SendLedger

ASKS_AT_ONCE = 4
"""Receipts asked for at once, beside the messages: a provider that hangs when asked delays no page."""
PREPARED = 2
"""For each message under way, how many are in hand: one is written down while the other is sent."""
WRITES_AGAIN = timedelta(seconds=2)
"""How soon the ledger is tried again after trouble."""
STALLED_AFTER = timedelta(minutes=2)
"""A step under way for longer is stuck: every transport has a deadline far below it."""

log = structlog.get_logger()


class Sender:
    """Every letter that is not settled, and a queue for each channel. `alive_at` is now while every step under way is
    younger than any transport lets it grow; else when the oldest began.
    """

    def __init__(
        self,
        clock: Clock,
        ledger: SendLedger,
        context: DeliveryContext,
        transports: Transports,
        dice: random.Random,
    ) -> None:
        self._clock = clock
        self._attempt_log = AttemptLog(ledger)
        self._context = context
        self._transports = transports
        self._dice = dice
        self._open: dict[str, Delivery] = {}
        self._undelivered = Undelivered()
        self._under_way: dict[str, datetime] = {}
        self._providers = {via: ProviderHealth(via, context.notices) for via in Channel}
        self._slots = {via: asyncio.Semaphore(via.traits.at_once) for via in Channel}
        self._queues = {via: SendQueue(via.value, via.traits.at_once * PREPARED, self._work) for via in Channel}
        self._receipt_queue = SendQueue("receipts", ASKS_AT_ONCE, self._work)

    @property
    def unsettled_count(self) -> int:
        """Letters that are not settled."""
        return len(self._open)

    @property
    def alive_at(self) -> datetime:
        """The mark for the health check."""
        now = self._clock.now()
        oldest = min(self._under_way.values(), default=now)
        return oldest if now - oldest > STALLED_AFTER else now

    def undelivered_since(self) -> datetime | None:
        """Since when a page that is still wanted, or a notice to operators, has been taken by nobody on any channel; or
        since when nobody is left whom an incident's pages reach (rule 71). None while all is well.
        """
        now = self._clock.now()
        waiting = self._undelivered.since(lambda notification: self._unwanted(notification, now) is None)
        return min(filter(None, (waiting, self._context.incidents.unreached_since())), default=None)

    def notice_cannot_leave(self) -> bool:
        """Whether a notice to operators that is still wanted was tried by all its channels in vain (rule 71)."""
        now = self._clock.now()
        return self._undelivered.cannot_leave(lambda notification: self._unwanted(notification, now) is None)

    def has_unsaved(self) -> bool:
        """Whether something went out, or ended, that the ledger could not take yet."""
        return any(
            delivery.unsaved or delivery.state or not delivery.recorded
            for key, delivery in self._open.items()
            if key not in self._under_way
        )

    def awaiting(self) -> tuple[Delivery, ...]:
        """Pages that wait for their receipt, the longest first."""
        return tuple(
            delivery for key, delivery in self._open.items() if self.awaits(delivery) and key not in self._under_way
        )

    def awaits(self, delivery: Delivery) -> bool:
        """Whether this page still waits for its receipt, and for an answer."""
        waits = delivery.step is DeliveryStep.ASK and not delivery.state
        return waits and self._unwanted(delivery.notification, self._clock.now()) is None

    def note_fate(self, attempt: Attempt, fate: Fate) -> None:
        """What became of a message tells of its provider too, whether anything is still to be done with it or not."""
        self._providers[attempt.via].on_receipt(attempt.address, fate)

    def on_receipt(self, attempt: Attempt, fate: Fate) -> bool:
        """The provider said what became of an attempt. False when nothing more is to be done with its letter here."""
        delivery = self._open.get(attempt.reference)
        under_way = attempt.reference in self._under_way
        if delivery is None or delivery.state or not (delivery.attempts or under_way):
            return False
        delivery.receipts.append((attempt.number, fate))
        if not under_way:
            self._put(delivery, DeliveryStep.RESUME)
        return True

    def enqueue(self, letters: Sequence[Letter], *, recorded: bool = True) -> None:
        """Deliver these. `recorded` is False for what the ledger could not take: pages, which come here again once it
        could, and notices to operators. They go out from memory.
        """
        for letter in letters:
            key = letter.notification.key
            known = self._open.get(key)
            if known is not None:
                known.recorded = known.recorded or recorded
                continue
            step = DeliveryStep.RESUME if letter.attempts else DeliveryStep.SEND
            self._context.incidents.add_unsettled(letter.notification.incident)
            self._open[key] = delivery = Delivery(letter, recorded, step, attempts=list(letter.attempts))
            self._put(delivery, step)
            self._undelivered.begin(letter.notification)
            self._undelivered.note(letter.notification, taken=delivery.taken, tried=bool(delivery.attempts))
            if delivery.page:
                self._watch_headway(delivery)

    async def run(self) -> None:
        """Until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            for queue in (*self._queues.values(), self._receipt_queue):
                tasks.create_task(queue.run(), name=queue.name)

    async def drain(self, patience: float) -> bool:
        """Begin no new attempt, and wait for those under way. False when some did not end in time."""
        queues = (*self._queues.values(), self._receipt_queue)
        return all(await asyncio.gather(*(queue.drain(patience) for queue in queues)))

    def _put(self, delivery: Delivery, step: DeliveryStep, at: datetime | None = None) -> None:
        """Let this be the next step, at once or at that instant, instead of the one that was set before."""
        now = self._clock.now()
        delivery.step, delivery.turn, delivery.due_at = step, delivery.turn + 1, max(at or now, now)
        queue = self._receipt_queue if step is DeliveryStep.ASK else self._queues[delivery.notification.via]
        if at is None:
            queue.put(delivery.rank, (delivery, delivery.turn))
        else:
            queue.later(at - now, delivery.rank, (delivery, delivery.turn))

    async def _work(self, turn: tuple[Delivery, int]) -> None:
        """Do the next step of a letter. Receipts that came meanwhile are looked at right after it."""
        delivery, number = turn
        if number != delivery.turn:
            return
        key = delivery.notification.key
        self._under_way[key] = self._clock.now()
        try:
            with structlog.contextvars.bound_contextvars(incident=delivery.notification.incident):
                match delivery.step:
                    case DeliveryStep.SEND:
                        await self._send(delivery)
                    case DeliveryStep.RESUME:
                        await self._resume(delivery)
                    case DeliveryStep.FIND:
                        await self._look_up(delivery)
                    case DeliveryStep.ASK:
                        await self._ask_receipt(delivery)
                    case DeliveryStep.WRITE:
                        await self._write(delivery)
        finally:
            del self._under_way[key]
        if delivery.receipts and delivery.attempts and not delivery.state:
            self._put(delivery, DeliveryStep.RESUME)

    async def _resume(self, delivery: Delivery) -> None:
        """Go on from how the attempts stand. One without an end, of the process before, may have left (rule 40)."""
        last = delivery.attempts[-1]
        if last.outcome is None:
            delivery.attempts[-1] = last = replace(last, outcome=KILLED, ended_at=self._clock.now())
            delivery.mark_unsaved(last)
        await self._go_on(delivery)

    async def _send(self, delivery: Delivery) -> None:
        """One attempt, if the letter is still wanted."""
        notification, now = delivery.notification, self._clock.now()
        if why := self._unwanted(notification, now):
            await self._settle(delivery, "superseded" if why is Why.SUPERSEDED else "unwanted")
            return
        to = current_address(notification, self._context.config.policy)
        if not to:
            self._fail_channel(delivery)
            await self._settle(delivery, "unwanted")
            return
        attempt = await self._attempt_log.begin(delivery, to, now)
        if attempt is None:
            self._put(delivery, DeliveryStep.SEND, now + WRITES_AGAIN)
            return
        async with self._slots[notification.via]:
            began_at = self._clock.now()
            outcome = await self._transports[notification.via].send(message(delivery, attempt, self._context))
        attempt = replace(attempt, outcome=outcome, ended_at=self._clock.now())
        self._providers[notification.via].on_attempt(replace(attempt, started_at=began_at))
        if self._providers[notification.via].hangs(self._clock.now()):
            self._wait_no_longer(notification.via)
        await self._ended(delivery, attempt)

    async def _ended(self, delivery: Delivery, attempt: Attempt) -> None:
        """An attempt has ended: write it down, and decide how to go on."""
        assert attempt.outcome is not None
        delivery.attempts.append(attempt)
        delivery.mark_unsaved(attempt)
        notification = delivery.notification
        log.info(
            "tried",
            kind=notification.kind.value,
            to=notification.to if "@" not in notification.to else "a plain address",
            via=notification.via.value,
            outcome=type(attempt.outcome).__name__.lower(),
            number=attempt.number,
            shown_reader=self._context.config.policy.reader_name(notification.to, notification.group),
        )
        await self._go_on(delivery)

    async def _go_on(self, delivery: Delivery) -> None:
        """What follows from how the attempts ended and what the provider said of them."""
        notification, now = delivery.notification, self._clock.now()
        delivery.apply_receipts(now)
        if isinstance(delivery.standing_outcome, Refused):
            self._context.notices.tell(
                refusal_notice(notification, delivery.standing_outcome, self._context.config.policy)
            )
        next_channel_at = retry.next_channel_at(notification.at, delivery.attempts)
        if next_channel_at is not None and next_channel_at <= now:
            self._fail_channel(delivery)
        move = retry.after_send(notification.kind, notification.via, delivery.attempts, now, self._dice.random())
        await self._follow(delivery, move)

    async def _follow(self, delivery: Delivery, move: retry.NextMove) -> None:
        """Do what was decided, or set the time for it."""
        self._undelivered.note(delivery.notification, taken=delivery.taken)
        match move:
            case retry.Settled(state):
                waits = state == "accepted" and delivery.page and self._transports[delivery.notification.via].receipts
                until = receipts.receipt_awaited_until(retry.deciding_attempt(delivery.attempts)) if waits else None
                if until:
                    await self._attempt_log.save_pending(delivery)
                    self._put(delivery, DeliveryStep.ASK, until)
                else:
                    self._note_delivered(delivery, state)
                    await self._settle(delivery, state)
            case retry.TryAgain(at, possible_duplicate):
                await self._attempt_log.save_pending(delivery)
                delivery.possible_duplicate = possible_duplicate
                self._put(delivery, DeliveryStep.SEND, at)
            case retry.LookUp(at):
                await self._attempt_log.save_pending(delivery)
                self._put(delivery, DeliveryStep.FIND, at)

    async def _look_up(self, delivery: Delivery) -> None:
        """Ask the provider whether an uncertain attempt left after all."""
        attempt, notification = delivery.attempts[-1], delivery.notification
        sought = message(delivery, attempt, self._context)
        outcome = await self._transports[notification.via].find(sought, attempt.started_at)
        now = self._clock.now()
        move = retry.after_look_up(notification.kind, notification.via, delivery.attempts, outcome, now)
        if isinstance(outcome, Accepted):
            delivery.attempts[-1] = attempt = replace(attempt, outcome=outcome, ended_at=now)
            delivery.mark_unsaved(attempt)
            self._providers[notification.via].on_attempt(attempt)
        await self._follow(delivery, move)

    async def _ask_receipt(self, delivery: Delivery) -> None:
        """The time for a receipt is over: ask a last time, and a page not delivered goes by another channel too
        (rule 34).
        """
        notification, now = delivery.notification, self._clock.now()
        if self._unwanted(notification, now) is None:
            attempt = retry.deciding_attempt(delivery.attempts)
            assert isinstance(attempt.outcome, Accepted)
            if delivery.late(now) < receipts.ASKED_AT_MOST_LATE:
                fate = await self._transports[notification.via].fate(attempt.outcome.provider_id)
                self.note_fate(attempt, fate)
                await self._attempt_log.receipt(attempt, fate.receipt, now)
                if fate.receipt.final:
                    delivery.receipts.append((attempt.number, fate))
                    await self._go_on(delivery)
                    return
            self._fail_channel(delivery)
        await self._settle(delivery, "accepted")

    async def _settle(self, delivery: Delivery, state: str) -> None:
        """Nothing more is tried."""
        delivery.state, delivery.settled_at = state, self._clock.now()
        late = self._unwanted(delivery.notification, delivery.settled_at) is Why.LATE
        self._undelivered.end(delivery.notification, given_up=late or state == "refused")
        await self._write(delivery)

    async def _write(self, delivery: Delivery) -> None:
        """Write down what the ledger lacks, now or when it is back."""
        if await self._attempt_log.save_pending(delivery):
            del self._open[delivery.notification.key]
            self._context.incidents.remove_unsettled(delivery.notification.incident)
        else:
            self._put(delivery, DeliveryStep.WRITE, self._clock.now() + WRITES_AGAIN)

    def _watch_headway(self, delivery: Delivery) -> None:
        """Look after a page in time, whether it has left its queue by then or not: at once where the provider hangs."""
        now = self._clock.now()
        hangs = self._providers[delivery.notification.via].hangs(now)
        wait = timedelta(0) if hangs else retry.headway_by(delivery.notification.at, now) - now
        asyncio.get_running_loop().call_later(wait.total_seconds(), self._check_headway, delivery)

    def _wait_no_longer(self, via: Channel) -> None:
        """A try has hung on this channel: pages that wait behind it go by their next one too, at once (rule 70)."""
        for delivery in self._open.values():
            if delivery.page and delivery.notification.via is via and not delivery.attempts:
                self._check_headway(delivery)

    def _check_headway(self, delivery: Delivery) -> None:
        """A page goes by its next channel too, unless it was accepted by now (rules 37, 70)."""
        if not isinstance(delivery.standing_outcome, Accepted):
            self._fail_channel(delivery)

    def _fail_channel(self, delivery: Delivery) -> None:
        """The letter makes no headway on its channel: a refused address is noted, and a page goes elsewhere, once."""
        refused, undelivered = isinstance(delivery.standing_outcome, Refused), delivery.undelivered
        if delivery.state or delivery.notification.kind in OUTSIDE_PLAN:
            return
        if refused or (delivery.page and (undelivered or not delivery.channel_failed)):
            delivery.channel_failed = True
            address = retry.deciding_attempt(delivery.attempts).address if refused else ""
            again = undelivered and (delivery.fate is None or delivery.fate.may_pass)
            event = ChannelFailed(delivery.notification, refused, address, undelivered, again)
            self._context.incidents.add_event(delivery.notification.incident, event)

    def _note_delivered(self, delivery: Delivery, state: str) -> None:
        """A page that was delivered may be one that had reached nobody until now (rule 66)."""
        page = delivery.notification
        if delivery.page and state == "accepted" and not delivery.undelivered:
            self._context.incidents.note_delivery(page)

    def _unwanted(self, notification: Notification, now: datetime) -> Why | None:
        if self._context.notices.is_void(notification.key):
            return Why.NO_LONGER_WANTED
        return why_not_now(notification, self._context.incidents.history(notification.incident), now)
