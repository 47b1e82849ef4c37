"""Deliver: letters on their way out, each through its tries to an end.

It interprets what `planning.retry` decides, writes every try down before its first byte leaves and after it ended,
and asks before each try whether the letter is still wanted. It must not know why a letter was decided.
"""

import asyncio
import random
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

import structlog

from tocsin.app.delivery.attempt_log import AttemptLog
from tocsin.app.delivery.context import ChannelFailed, DeliveryContext
from tocsin.app.delivery.delivery import KILLED, Delivery, Step
from tocsin.app.delivery.message import message
from tocsin.app.delivery.provider_health import ProviderHealth
from tocsin.app.delivery.queue import SendQueue
from tocsin.app.delivery.refused_address import refusal_notice
from tocsin.domain.delivery import Accepted, Attempt, Fate, Letter, Refused
from tocsin.domain.notification import OUTSIDE_PLAN, Notification, Why
from tocsin.domain.people import Channel
from tocsin.planning.delivery import receipts, retry
from tocsin.planning.delivery.still_wanted import address, worthless
from tocsin.ports.clock import Clock
from tocsin.ports.ledger import Ledger
from tocsin.ports.transport import Transport

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
    """Every letter that is not settled, and a lane for each channel."""

    def __init__(
        self, clock: Clock, ledger: Ledger, house: DeliveryContext, ways: dict[Channel, Transport], dice: random.Random
    ) -> None:
        self._clock = clock
        self._tries = AttemptLog(ledger)
        self._house = house
        self.ways = ways
        self._dice = dice
        self._open: dict[str, Delivery] = {}
        self._held: Counter[str] = Counter()
        self._under_way: dict[str, datetime] = {}
        self._providers = {via: ProviderHealth(via, house.tell) for via in Channel}
        self._slots = {via: asyncio.Semaphore(via.traits.at_once) for via in Channel}
        self._lanes = {via: SendQueue(via.value, via.traits.at_once * PREPARED, self._work) for via in Channel}
        self._asks = SendQueue("receipts", ASKS_AT_ONCE, self._work)

    @property
    def waiting(self) -> int:
        """Letters that are not settled."""
        return len(self._open)

    @property
    def moved_at(self) -> datetime:
        """Now, while every step under way is younger than any transport lets it grow; else when the oldest began."""
        now = self._clock.now()
        oldest = min(self._under_way.values(), default=now)
        return oldest if now - oldest > STALLED_AFTER else now

    def holds(self, incident: str) -> bool:
        """Whether letters of this incident are not settled."""
        return bool(self._held[incident])

    def awaiting(self) -> tuple[Delivery, ...]:
        """Pages that wait for their receipt, the longest first."""
        return tuple(each for key, each in self._open.items() if self.awaits(each) and key not in self._under_way)

    def awaits(self, delivery: Delivery) -> bool:
        """Whether this page still waits for its receipt, and for an answer."""
        waits = delivery.step is Step.ASK and not delivery.state
        return waits and self._unwanted(delivery.notification, self._clock.now()) is None

    def heard(self, attempt: Attempt, fate: Fate) -> bool:
        """The provider said what became of a try. False when nothing more is to be done with its letter here."""
        delivery = self._open.get(attempt.reference)
        under_way = attempt.reference in self._under_way
        if delivery is None or delivery.state or not (delivery.tries or under_way):
            return False
        delivery.told.append((attempt.number, fate))
        if not under_way:
            self._put(delivery, Step.RESUME)
        return True

    def take(self, letters: Sequence[Letter], *, recorded: bool = True) -> None:
        """Deliver these. `recorded` is False for pages that the ledger could not take: they go out from memory, and
        come here again once it could.
        """
        for letter in letters:
            key = letter.notification.key
            known = self._open.get(key)
            if known is not None:
                known.recorded = known.recorded or recorded
                continue
            step = Step.RESUME if letter.attempts else Step.SEND
            self._held[letter.notification.incident] += 1
            self._open[key] = delivery = Delivery(letter, recorded, step, tries=list(letter.attempts))
            self._put(delivery, step)

    async def run(self) -> None:
        """Until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            for lane in (*self._lanes.values(), self._asks):
                tasks.create_task(lane.run(), name=lane.name)

    async def drain(self, patience: float) -> bool:
        """Begin no new try, and wait for those under way. False when some did not end in time."""
        done = await asyncio.gather(*(lane.drain(patience) for lane in (*self._lanes.values(), self._asks)))
        return all(done)

    def _put(self, delivery: Delivery, step: Step, at: datetime | None = None) -> None:
        """Let this be the next step, at once or at that instant, instead of the one that was set before."""
        now = self._clock.now()
        delivery.step, delivery.turn, delivery.due_at = step, delivery.turn + 1, max(at or now, now)
        lane = self._asks if step is Step.ASK else self._lanes[delivery.notification.via]
        if at is None:
            lane.put(delivery.rank, (delivery, delivery.turn))
        else:
            lane.later(at - now, delivery.rank, (delivery, delivery.turn))

    async def _work(self, turn: tuple[Delivery, int]) -> None:
        """The next thing to be done with a letter. News that came meanwhile are looked at right after it."""
        delivery, number = turn
        if number != delivery.turn:
            return
        key = delivery.notification.key
        self._under_way[key] = self._clock.now()
        try:
            with structlog.contextvars.bound_contextvars(incident=delivery.notification.incident):
                match delivery.step:
                    case Step.SEND:
                        await self._send(delivery)
                    case Step.RESUME:
                        await self._resume(delivery)
                    case Step.FIND:
                        await self._find(delivery)
                    case Step.ASK:
                        await self._ask(delivery)
                    case Step.WRITE:
                        await self._write(delivery)
        finally:
            del self._under_way[key]
        if delivery.told and delivery.tries and not delivery.state:
            self._put(delivery, Step.RESUME)

    async def _resume(self, delivery: Delivery) -> None:
        """Go on from how the tries stand. One without an end, of the process before, may have left (rule 40)."""
        last = delivery.tries[-1]
        if last.outcome is None:
            delivery.tries[-1] = last = replace(last, outcome=KILLED, ended_at=self._clock.now())
            delivery.owe(last)
        await self._go_on(delivery)

    async def _send(self, delivery: Delivery) -> None:
        """One try, if the letter is still wanted."""
        notification, now = delivery.notification, self._clock.now()
        if why := self._unwanted(notification, now):
            await self._settle(delivery, "superseded" if why is Why.SUPERSEDED else "unwanted")
            return
        to = address(notification, self._house.policy())
        if not to:
            self._elsewhere(delivery)
            await self._settle(delivery, "unwanted")
            return
        attempt = await self._tries.begin(delivery, to, now)
        if attempt is None:
            self._put(delivery, Step.SEND, now + WRITES_AGAIN)
            return
        if delivery.page and not delivery.tries:
            asyncio.get_running_loop().call_later(retry.ELSEWHERE_AFTER.total_seconds(), self._stalled, delivery)
        async with self._slots[notification.via]:
            outcome = await self.ways[notification.via].send(message(delivery, attempt, self._house))
        self._providers[notification.via].heard(outcome)
        await self._ended(delivery, replace(attempt, outcome=outcome, ended_at=self._clock.now()))

    async def _ended(self, delivery: Delivery, attempt: Attempt) -> None:
        """A try has ended: write it down, and decide how to go on."""
        assert attempt.outcome is not None
        delivery.tries.append(attempt)
        delivery.owe(attempt)
        notification = delivery.notification
        log.info(
            "tried",
            kind=notification.kind.value,
            to=notification.to if "@" not in notification.to else "a plain address",
            via=notification.via.value,
            outcome=type(attempt.outcome).__name__.lower(),
            number=attempt.number,
        )
        await self._go_on(delivery)

    async def _go_on(self, delivery: Delivery) -> None:
        """What follows from how the tries ended and what the provider said of them."""
        notification, now = delivery.notification, self._clock.now()
        delivery.learn(now)
        if isinstance(delivery.stands, Refused):
            self._house.tell(refusal_notice(notification, delivery.stands, self._house.policy()))
        elsewhere_at = retry.elsewhere_at(delivery.tries)
        if elsewhere_at is not None and elsewhere_at <= now:
            self._elsewhere(delivery)
        move = retry.after_send(notification.kind, notification.via, delivery.tries, now, self._dice.random())
        await self._follow(delivery, move)

    async def _follow(self, delivery: Delivery, move: retry.Move) -> None:
        """Do what was decided, or set the time for it."""
        match move:
            case retry.Done(state):
                waits = state == "accepted" and delivery.page and self.ways[delivery.notification.via].receipts
                until = receipts.awaited_until(retry.standing(delivery.tries)) if waits else None
                if until:
                    await self._tries.pay(delivery)
                    self._put(delivery, Step.ASK, until)
                else:
                    await self._settle(delivery, state)
            case retry.Again(at, possible_duplicate):
                await self._tries.pay(delivery)
                delivery.possible_duplicate = possible_duplicate
                self._put(delivery, Step.SEND, at)
            case retry.LookUp(at):
                await self._tries.pay(delivery)
                self._put(delivery, Step.FIND, at)

    async def _find(self, delivery: Delivery) -> None:
        """Ask the provider whether an uncertain try left after all."""
        attempt, notification = delivery.tries[-1], delivery.notification
        sought = message(delivery, attempt, self._house)
        found = await self.ways[notification.via].find(sought, attempt.started_at)
        now = self._clock.now()
        move = retry.after_look_up(notification.kind, notification.via, delivery.tries, found, now)
        if isinstance(found, Accepted):
            delivery.tries[-1] = attempt = replace(attempt, outcome=found, ended_at=now)
            delivery.owe(attempt)
        await self._follow(delivery, move)

    async def _ask(self, delivery: Delivery) -> None:
        """The time for a receipt is over: ask a last time, and a page not delivered goes by another channel too
        (rule 34).
        """
        notification, now = delivery.notification, self._clock.now()
        if self._unwanted(notification, now) is None:
            attempt = retry.standing(delivery.tries)
            assert isinstance(attempt.outcome, Accepted)
            if delivery.late(now) < receipts.ASKED_LATE:
                fate = await self.ways[notification.via].fate(attempt.outcome.provider_id)
                await self._tries.receipt(attempt, fate.receipt, now)
                if fate.receipt.final:
                    delivery.told.append((attempt.number, fate))
                    await self._go_on(delivery)
                    return
            self._elsewhere(delivery)
        await self._settle(delivery, "accepted")

    async def _settle(self, delivery: Delivery, state: str) -> None:
        """Nothing more is tried."""
        delivery.state, delivery.settled_at = state, self._clock.now()
        await self._write(delivery)

    async def _write(self, delivery: Delivery) -> None:
        """Write down what the ledger lacks, now or when it is back."""
        if await self._tries.pay(delivery):
            del self._open[delivery.notification.key]
            self._held[delivery.notification.incident] -= 1
        else:
            self._put(delivery, Step.WRITE, self._clock.now() + WRITES_AGAIN)

    def _stalled(self, delivery: Delivery) -> None:
        """A page's first try began a while ago."""
        if not isinstance(delivery.stands, Accepted):
            self._elsewhere(delivery)

    def _elsewhere(self, delivery: Delivery) -> None:
        """The letter makes no headway here: a refused address is noted, and a page goes by its next channel, once."""
        refused = isinstance(delivery.stands, Refused)
        if delivery.state or delivery.notification.kind in OUTSIDE_PLAN:
            return
        if refused or (delivery.page and not delivery.stuck):
            delivery.stuck = True
            self._house.stuck(ChannelFailed(delivery.notification, refused))

    def _unwanted(self, notification: Notification, now: datetime) -> Why | None:
        return worthless(notification, self._house.history(notification.incident), now)
