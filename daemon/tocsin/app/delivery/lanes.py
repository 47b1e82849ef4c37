"""Which parcel is worked on when: a queue for each channel, and questions to providers beside them (rule 48).

It decides the order and how many at once. What is done with a parcel is the sender's.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import datetime, timedelta

import structlog

from tocsin.app.delivery.context import DeliveryContext
from tocsin.app.delivery.parcels.parcel import Parcel, ParcelStep
from tocsin.app.delivery.parcels.queue import Rank, SendQueue
from tocsin.domain.delivery import NOT_LEADING
from tocsin.domain.notification import Kind, Notification
from tocsin.domain.people import Channel
from tocsin.ports.clock import Clock
from tocsin.ports.transport import CutShortError

ASKS_AT_ONCE = 4
"""Receipts asked for at once, beside the messages: a provider that hangs when asked delays no page."""
LOOK_UPS_AT_ONCE = 16
"""Messages of uncertain fate looked up at once, beside the messages for the same reason."""
FAST = timedelta(milliseconds=100)
"""While a message leaves within this, the next one is written down meanwhile: a page then waits no longer for it. While
it takes longer nothing is taken out of the queue before it can leave, so that a page waits only for what is under way.
"""
PREPARED = 2
"""For each message under way, how many are then in hand: one is written down while the other is sent."""
STALLED_AFTER = timedelta(minutes=2)
"""A step under way for longer is stuck: every transport has a deadline far below it."""
KIND_RANKS = {Kind.PAGE: 0, Kind.UPDATE: 2}
"""Pages go first, updates last, everything else between them."""


def rank(notification: Notification, context: DeliveryContext) -> Rank:
    """Pages first, among them the more urgent incident's, then the earlier. The rest in the order in which it comes."""
    if notification.kind is not Kind.PAGE:
        return KIND_RANKS.get(notification.kind, 1), 0, 0.0
    incident = context.incidents.history(notification.incident).incident
    policy = context.config.policy
    urgency = policy.incident_rank(incident) if incident else 2 * policy.severity_rank("")
    return KIND_RANKS[Kind.PAGE], urgency, notification.at.timestamp()


class Lanes:
    """Parcels by their turn. `work` does the next step of one, and is given it only once at a time."""

    def __init__(self, clock: Clock, context: DeliveryContext, work: Callable[[Parcel], Awaitable[None]]) -> None:
        self._clock = clock
        self._context = context
        self._work_on = work
        self._under_way: dict[Parcel, datetime] = {}
        self._queues = {via: SendQueue(via.value, via.traits.at_once, self._work) for via in Channel}
        self._look_up_queue = SendQueue("look-ups", LOOK_UPS_AT_ONCE, self._work)
        self._receipt_queue = SendQueue("receipts", ASKS_AT_ONCE, self._work)
        self._slots = {via: asyncio.Semaphore(via.traits.at_once) for via in Channel}
        """Messages of a channel that may be under way with its provider."""

    @asynccontextmanager
    async def slot(self, parcel: Parcel) -> AsyncIterator[None]:
        """The place of its message with the provider. Cancelled while it waits: nothing was sent. Once it is out, what
        became of it is written down beside the next one.
        """
        via, turn = parcel.via, (parcel, parcel.turn)
        try:
            await self._slots[via].acquire()
        except asyncio.CancelledError:
            raise CutShortError(NOT_LEADING) from None
        try:
            yield
        finally:
            self._slots[via].release()
            self._queues[via].leave_place(turn)

    @property
    def alive_at(self) -> datetime:
        """Now while every step under way is younger than any transport lets it grow; else when the oldest began."""
        now = self._clock.now()
        oldest = min(self._under_way.values(), default=now)
        return oldest if now - oldest > STALLED_AFTER else now

    def is_under_way(self, parcel: Parcel) -> bool:
        """Whether a step of it is being done."""
        return parcel in self._under_way

    def put(self, parcel: Parcel, step: ParcelStep, at: datetime | None = None) -> None:
        """Let this be the next step, at once or at that instant, instead of the one that was set before."""
        now = self._clock.now()
        parcel.step, parcel.turn, parcel.due_at = step, parcel.turn + 1, max(at or now, now)
        beside = {ParcelStep.ASK: self._receipt_queue, ParcelStep.FIND: self._look_up_queue}
        queue, place = beside.get(step) or self._queues[parcel.via], rank(parcel.lead.notification, self._context)
        if at is None:
            queue.put(place, (parcel, parcel.turn))
        else:
            queue.later(at - now, place, (parcel, parcel.turn))

    def holds_behind(self, parcel: Parcel) -> bool:
        """Whether something of another sort waits for this channel behind what is done with this parcel."""
        return self._queues[parcel.via].holds_behind(rank(parcel.lead.notification, self._context))

    def note_pace(self, via: Channel, took: timedelta) -> None:
        """How long the newest message was under way: whether the next one is written down meanwhile."""
        self._queues[via].width = via.traits.at_once * (PREPARED if took < FAST else 1)

    async def run(self) -> None:
        """Until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            for queue in self._all:
                tasks.create_task(queue.run(), name=queue.name)

    async def drain(self, patience: float) -> bool:
        """Begin nothing new, and wait for what is under way. False when some of it did not end in time."""
        return all(await asyncio.gather(*(queue.drain(patience) for queue in self._all)))

    @property
    def _all(self) -> tuple[SendQueue[tuple[Parcel, int]], ...]:
        return (*self._queues.values(), self._look_up_queue, self._receipt_queue)

    async def _work(self, turn: tuple[Parcel, int]) -> None:
        """Do the next step of a parcel. Receipts that came meanwhile are looked at right after it."""
        parcel, number = turn
        if number != parcel.turn:
            return
        self._under_way[parcel] = self._clock.now()
        try:
            structlog.contextvars.bind_contextvars(incident=parcel.lead.notification.incident)  # in this task alone
            await self._work_on(parcel)
        finally:
            del self._under_way[parcel]
        if parcel.news:
            self.put(parcel, ParcelStep.RESUME)
