"""An exercise on the real channels (rule 28), followed in the ledger from its declaration to its last message.

Decides when everybody has answered, what each message went through, and what failed.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from tocsin.app.incidents.histories import recorded_history
from tocsin.domain.delivery import Accepted, Receipt, Record, Refused
from tocsin.domain.facts import Answered, Fact, Seen
from tocsin.domain.history import History
from tocsin.domain.notification import OUTSIDE_PLAN, Kind, Notification, Suppression, Why
from tocsin.domain.policy import RESPONDER
from tocsin.ports.clock import Clock
from tocsin.ports.ledger.ledger import FactLedger
from tocsin.ports.ledger.trouble import LedgerError
from tocsin.wording.report.timeline import acceptances, steps_of

LOOKS_EVERY = 0.25
"""Seconds between two looks at the ledger."""
SEEN_WITHIN = timedelta(seconds=20)
"""How long the daemon may take to see the drill's file."""
ENDS_WITHIN = timedelta(seconds=20)
"""How long the messages of the end are waited for."""


@dataclass(frozen=True, slots=True)
class DrillReply:
    """Somebody answered: what, and by which way."""

    at: datetime
    person: str
    answer: str
    way: str


@dataclass(frozen=True, slots=True)
class DrillMessage:
    """What one message went through. `receipt_at` is when we learned the provider's last word, `replied_at` when its
    reader answered.
    """

    notification: Notification
    record: Record
    receipt_at: datetime | None = None
    replied_at: datetime | None = None

    @property
    def tried_at(self) -> datetime | None:
        """When its first byte was to leave."""
        return self.record.attempts[0].started_at if self.record.attempts else None

    @property
    def accepted_at(self) -> datetime | None:
        """When the provider took it."""
        return next(
            (attempt.ended_at for attempt in self.record.attempts if isinstance(attempt.outcome, Accepted)), None
        )

    @property
    def failed(self) -> bool:
        """Whether this address does not work: refused, or not delivered."""
        refused = any(isinstance(attempt.outcome, Refused) for attempt in self.record.attempts)
        return refused or self.record.receipt is Receipt.UNDELIVERED

    @property
    def arrived(self) -> bool:
        """Whether it went as far as can be known."""
        return self.accepted_at is not None and not self.failed

    @property
    def wanted(self) -> bool:
        """Whether its failure counts: it was tried, or is still to leave."""
        return bool(self.record.attempts) or self.record.state not in ("superseded", "unwanted", "opted_out")


@dataclass(frozen=True, slots=True)
class DrillState:
    """How a drill goes, as the ledger has it. `unpaged` are pages that nobody could get; `acceptances` say who accepted
    each role, and when; `closed` whether its end was told.
    """

    incident: str
    history: History
    messages: tuple[DrillMessage, ...]
    unpaged: tuple[Suppression, ...]
    replies: tuple[DrillReply, ...]
    acceptances: dict[str, tuple[str, datetime]]
    closed: bool

    @property
    def complete(self) -> bool:
        """Whether everybody who is needed has answered, and there was anybody to ask; and all that is decided has left
        or cannot.
        """
        anybody = bool(self.history.roles) or bool(self.history.responders)
        return (
            self.history.assessed is not None
            and (anybody or self.history.assessed.via == ())
            and not self.missing
            and self.settled
        )

    @property
    def missing(self) -> tuple[str, ...]:
        """Roles that nobody has accepted, and people who have not answered as responders."""
        roles = tuple(name for name, role in self.history.roles.items() if role.needed and name not in self.acceptances)
        answered = self.history.responders_answered | self.history.responders_passed
        waiting = any(person not in answered for person, _ in self.history.responders)
        return (*roles, RESPONDER) if waiting else roles

    @property
    def settled(self) -> bool:
        """Whether nothing waits to be sent."""
        return all(message.record.state != "pending" for message in self.messages)

    @property
    def failed(self) -> bool:
        """Whether a page reached nobody, an address does not work, or nobody has seen the drill at all."""
        lost = any(not message.arrived and message.wanted for message in self.messages)
        return lost or bool(self.unpaged) or self.history.incident is None


class Drill:
    """One drill, looked at again and again."""

    def __init__(self, incident: str, ledger: FactLedger, clock: Clock) -> None:
        self._incident = incident
        self._ledger = ledger
        self._clock = clock
        self._receipts: dict[str, datetime] = {}

    async def follow(self, tell: Callable[[DrillState], None], until: datetime, over: asyncio.Event) -> bool:
        """Look until everybody has answered (True), the time is over, or `over` is set. Each look is told."""
        began_at = self._clock.now()

        def ends(state: DrillState) -> bool:
            unseen = state.history.incident is None and self._clock.now() - began_at > SEEN_WITHIN
            return state.complete or unseen

        state = await self._until(tell, ends, until, over)
        return state is not None and state.complete

    async def close(self, tell: Callable[[DrillState], None], over: asyncio.Event) -> DrillState | None:
        """Look until its end was told to everybody, or for as long as is fair. None while the ledger cannot be read."""
        until = self._clock.now() + ENDS_WITHIN
        return await self._until(tell, lambda state: state.closed and state.settled, until, over)

    async def _until(
        self,
        tell: Callable[[DrillState], None],
        enough: Callable[[DrillState], bool],
        until: datetime,
        over: asyncio.Event,
    ) -> DrillState | None:
        state: DrillState | None = None
        while True:
            try:
                state = await self.look()
                tell(state)
                if enough(state):
                    return state
            except LedgerError:
                pass  # it is asked again; what it says then holds all that happened meanwhile
            if over.is_set() or self._clock.now() >= until:
                return state
            await _either(over.wait(), LOOKS_EVERY)

    async def look(self) -> DrillState:
        """How it stands. Raises LedgerError."""
        facts, history = await recorded_history(self._ledger, self._incident)
        records, replies = await self._ledger.records(self._incident), tuple(_replies(facts))
        now = self._clock.now()
        for record in records:
            if record.receipt and record.receipt.final and isinstance(record.decided, Notification):
                self._receipts.setdefault(record.decided.key, now)
        unpaged = tuple(
            record.decided
            for record in records
            if isinstance(record.decided, Suppression)
            and record.decided.kind is Kind.PAGE
            and record.decided.why in (Why.NOBODY_ON_CALL, Why.NO_CHANNEL)
        )
        by_role = {
            acceptance.role: (acceptance.person, acceptance.at)
            for step in steps_of(facts)
            for acceptance in acceptances([step])
        }
        return DrillState(
            self._incident, history, tuple(self._messages(records, replies)), unpaged, replies, by_role, history.closed
        )

    def _messages(self, records: Sequence[Record], replies: Sequence[DrillReply]) -> Iterable[DrillMessage]:
        for record in records:
            notification = record.decided
            if isinstance(notification, Suppression) or notification.kind in OUTSIDE_PLAN:
                continue
            after = (reply.at for reply in replies if reply.person == notification.to and reply.at >= notification.at)
            replied_at = min(after, default=None) if notification.kind is Kind.PAGE else None
            yield DrillMessage(notification, record, self._receipts.get(notification.key), replied_at)


def _replies(facts: Sequence[Fact]) -> Iterable[DrillReply]:
    """Who answered, in time order."""
    known: set[str] = set()
    for fact in facts:
        if isinstance(fact, Answered):
            yield DrillReply(fact.at, fact.person, fact.answer.value, "by reply or link")
        elif isinstance(fact, Seen):
            named = {acknowledgment.by for acknowledgment in fact.incident.acknowledged}
            yield from (DrillReply(fact.at, person, "ok", "in the incident file") for person in sorted(named - known))
            known |= named


async def _either(event: Awaitable[object], seconds: float) -> None:
    """Wait for an event, but no longer."""
    try:
        async with asyncio.timeout(seconds):
            await event
    except TimeoutError:
        return
