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
from tocsin.app.delivery.parcels.places import Places, Rank
from tocsin.app.delivery.parcels.queue import SendQueue
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
"""While a message leaves within this, the next ones are written down meanwhile. While it takes longer nothing is taken
out of the queue before it can leave, so that it is asked at the last moment whether it is still wanted.
"""
IN_HAND = 32
"""So many messages of a channel are then in hand: some are under way, the others are written down together, in few
transactions. After a kill those of them that had not left go out marked as perhaps sent before (rule 40).
"""
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
        self._ready: set[Parcel] = set()
        """Those of them that are written down and wait for a place: what holds the places up is under way itself."""
        self._places = {via: Places(via.traits.at_once) for via in Channel}
        self._queues = {
            via: SendQueue(via.value, via.traits.at_once, self._work, places) for via, places in self._places.items()
        }
        self._look_up_queue = SendQueue("look-ups", LOOK_UPS_AT_ONCE, self._work)
        self._receipt_queue = SendQueue("receipts", ASKS_AT_ONCE, self._work)

    @asynccontextmanager
    async def slot(self, parcel: Parcel) -> AsyncIterator[None]:
        """The place of its message with the provider. Cancelled while it waits: nothing was sent. Once it is out, what
        became of it is written down beside the next one.
        """
        via, turn = parcel.via, (parcel, parcel.turn)
        places, queue, order = self._places[via], self._queues[via], rank(parcel.lead.notification, self._context)
        self._ready.add(parcel)
        try:
            queue.hear_waiting(order)
            await places.take(order)
        except asyncio.CancelledError:
            raise CutShortError(NOT_LEADING) from None
        finally:
            self._ready.remove(parcel)
        self._under_way[parcel] = self._clock.now()
        try:
            yield
        finally:
            places.leave()
            queue.leave_place(turn)

    @property
    def alive_at(self) -> datetime:
        """Now while every step under way is younger than any transport lets it grow; else when the oldest began."""
        now = self._clock.now()
        oldest = min((at for parcel, at in self._under_way.items() if parcel not in self._ready), default=now)
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
        self._queues[via].width = IN_HAND if took < FAST else via.traits.at_once

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
