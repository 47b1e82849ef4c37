"""Deliver: letters on their way out, each through its tries to an end.

It interprets what `planning.retry` decides, writes every try down before its first byte leaves and after it ended,
and asks before each try whether the letter is still wanted. It must not know why a letter was decided.
"""

import asyncio
import contextlib
import random
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import structlog

from daemon.app.case import Stuck
from daemon.app.delivery import KILLED, Delivery, Step
from daemon.app.lane import Lane
from daemon.app.provider import Provider
from daemon.app.tries import Tries
from daemon.app.trouble import Tell
from daemon.app.wanted import address, unwanted
from daemon.domain.delivery import Accepted, Attempt, Message, Receipt, Refused
from daemon.domain.history import History
from daemon.domain.notification import OUTSIDE_PLAN, Notification, Why
from daemon.domain.people import Channel
from daemon.domain.policy import Policy
from daemon.planning import retry
from daemon.ports import Clock, Ledger, LedgerTrouble, Letter, Transport

AT_ONCE = {Channel.EMAIL: 4, Channel.SMS: 16}
"""Messages under way at once, for each channel."""
PREPARED = 2
"""For each message under way, how many are in hand: one is written down while the other is sent."""
WRITES_AGAIN = timedelta(seconds=2)
"""How soon the ledger is tried again after trouble."""
STALLED_AFTER = timedelta(minutes=2)
"""A step under way for longer is stuck: every transport has a deadline far below it."""
NOTICE_FOR = timedelta(hours=1)
"""How long an operator notice is worth sending."""
SMS_VALID_FOR = timedelta(hours=1)
"""How long the provider may keep a page that it cannot deliver."""

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class House:
    """What deliver asks of the rest of the house, and tells it."""

    history: Callable[[str], History]
    policy: Callable[[], Policy]
    stuck: Callable[[Stuck], None]
    tell: Tell


class Deliver:
    """Every letter that is not settled, and a lane for each channel."""

    def __init__(
        self, clock: Clock, ledger: Ledger, house: House, ways: dict[Channel, Transport], dice: random.Random
    ) -> None:
        self._clock = clock
        self._ledger = ledger
        self._tries = Tries(ledger)
        self._house = house
        self.ways = ways
        self._dice = dice
        self._open: dict[str, Delivery] = {}
        self._held: Counter[str] = Counter()
        self._under_way: dict[str, datetime] = {}
        self._providers = {via: Provider(via, house.tell) for via in Channel}
        self._slots = {via: asyncio.Semaphore(AT_ONCE[via]) for via in Channel}
        self._lanes = {via: Lane(via.value, AT_ONCE[via] * PREPARED, self._work) for via in Channel}

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
            self._open[key] = delivery = Delivery(letter, recorded, step, list(letter.attempts))
            self._put(delivery, step)

    async def run(self) -> None:
        """Until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            for lane in self._lanes.values():
                tasks.create_task(lane.run(), name=lane.name)

    async def drain(self, patience: float) -> bool:
        """Begin no new try, and wait for those under way. False when some did not end in time."""
        done = await asyncio.gather(*(lane.drain(patience) for lane in self._lanes.values()))
        return all(done)

    def _put(self, delivery: Delivery, step: Step, at: datetime | None = None) -> None:
        """Let this be the next step, at once or at that instant."""
        delivery.step = step
        lane = self._lanes[delivery.notification.via]
        if at is None:
            lane.put(delivery.rank, delivery)
        else:
            lane.later(at - self._clock.now(), delivery.rank, delivery)

    async def _work(self, delivery: Delivery) -> None:
        """The next thing to be done with a letter."""
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

    async def _resume(self, delivery: Delivery) -> None:
        """Go on where the process before stopped. A try without an end may have left (rule 40)."""
        last = delivery.tries[-1]
        if last.outcome is None:
            delivery.tries[-1] = last = replace(last, outcome=KILLED, ended_at=self._clock.now())
            delivery.owed.append(last)
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
            asyncio.get_running_loop().call_later(retry.ELSEWHERE_AFTER.total_seconds(), self._elsewhere, delivery)
        async with self._slots[notification.via]:
            outcome = await self.ways[notification.via].send(self._message(delivery, to))
        self._providers[notification.via].heard(outcome)
        await self._ended(delivery, replace(attempt, outcome=outcome, ended_at=self._clock.now()))

    async def _ended(self, delivery: Delivery, attempt: Attempt) -> None:
        """A try has ended: write it down, and decide how to go on."""
        assert attempt.outcome is not None
        delivery.tries.append(attempt)
        delivery.owed.append(attempt)
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
        """What follows from how the newest try ended."""
        notification, now = delivery.notification, self._clock.now()
        elsewhere_at = retry.elsewhere_at(delivery.tries)
        if elsewhere_at is not None and elsewhere_at <= now:
            self._elsewhere(delivery)
        move = retry.after_send(notification.kind, notification.via, delivery.tries, now, self._dice.random())
        await self._follow(delivery, move)

    async def _follow(self, delivery: Delivery, move: retry.Move) -> None:
        """Do what was decided, or set the time for it."""
        match move:
            case retry.Done(state):
                if state == "accepted" and delivery.page and self.ways[delivery.notification.via].receipts:
                    ended_at = delivery.tries[-1].ended_at
                    assert ended_at is not None
                    await self._tries.pay(delivery)
                    self._put(delivery, Step.ASK, ended_at + retry.RECEIPT_WITHIN)
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
        message = self._message(delivery, attempt.address)
        found = await self.ways[notification.via].find(message, attempt.started_at)
        now = self._clock.now()
        move = retry.after_look_up(notification.kind, notification.via, delivery.tries, found, now)
        if isinstance(found, Accepted):
            delivery.tries[-1] = attempt = replace(attempt, outcome=found, ended_at=now)
            delivery.owed.append(attempt)
        await self._follow(delivery, move)

    async def _ask(self, delivery: Delivery) -> None:
        """Ask once what became of an accepted page; one not delivered goes by another channel too (rule 34)."""
        attempt, notification = delivery.tries[-1], delivery.notification
        assert isinstance(attempt.outcome, Accepted)
        if self._unwanted(notification, self._clock.now()) is None:
            receipt = await self.ways[notification.via].receipt(attempt.outcome.provider_id)
            with contextlib.suppress(LedgerTrouble):
                await self._ledger.receipt(attempt, receipt, self._clock.now())
            if receipt is not Receipt.DELIVERED:
                self._elsewhere(delivery, undelivered=True)
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

    def _elsewhere(self, delivery: Delivery, *, undelivered: bool = False) -> None:
        """The letter makes no headway here: a refused address is noted, and a page goes by its next channel, once."""
        refused, accepted = isinstance(delivery.last, Refused), isinstance(delivery.last, Accepted)
        if delivery.state or (accepted and not undelivered) or delivery.notification.kind in OUTSIDE_PLAN:
            return
        if refused or (delivery.page and not delivery.stuck):
            delivery.stuck = True
            self._house.stuck(Stuck(delivery.notification, refused))

    def _unwanted(self, notification: Notification, now: datetime) -> Why | None:
        if notification.kind in OUTSIDE_PLAN:
            return Why.LATE if now - notification.at > NOTICE_FOR else None
        return unwanted(notification, self._house.history(notification.incident))

    def _message(self, delivery: Delivery, to: str) -> Message:
        """The message as the transport gets it; the same for each try, but for the address."""
        notification = delivery.notification
        person = self._house.policy().people.get(notification.to)
        return Message(
            reference=notification.key,
            via=notification.via,
            address=to,
            person=notification.to,
            name=person.name if person else "",
            content=delivery.letter.content,
            incident=notification.incident,
            episode=notification.episode,
            kind=notification.kind.value,
            at=notification.at,
            valid_for=SMS_VALID_FOR if delivery.page else None,
        )
