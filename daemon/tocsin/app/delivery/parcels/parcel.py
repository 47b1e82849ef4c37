"""What leaves as one message: one letter, or several pages to one address; and what is done next with it.

It keeps, it does not decide; the sender does. Whatever is said of the message is said of every letter in it, and each
keeps its own attempts, so that each can be told and settled by itself.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum

from tocsin.app.delivery.parcels.delivery import KILLED, Delivery
from tocsin.domain.delivery import Attempt, Bundle, Deferred, Fate, Outcome
from tocsin.domain.notification import Kind, Notification
from tocsin.domain.people import Channel
from tocsin.planning.history.fast_replace import replace


class ParcelStep(Enum):
    """What is done next with a parcel: sent, taken up again, looked up after an uncertain send, asked
    about, or only written down. RESUME goes on from how its attempts stand: after a restart, and after news of them.
    While it WAITs for room (rule 45) it is in no queue.
    """

    SEND = "send"
    RESUME = "resume"
    FIND = "find"
    ASK = "ask"
    WRITE = "write"
    WAIT = "wait"


@dataclass(slots=True, eq=False)
class Parcel:
    """Letters that leave as one message, the worst first: the first one leads. `turn` counts the steps that were set:
    only the newest is taken, at `due_at`. All in it were tried together: their attempts agree but for their ids.
    `tried` are the providers that the try under way has gone to (rule 49).
    `bundle` is what several left as at the newest try.
    """

    members: list[Delivery]
    step: ParcelStep = ParcelStep.SEND
    turn: int = 0
    due_at: datetime | None = None
    tried: frozenset[str] = frozenset()
    bundle: Bundle | None = None

    @property
    def lead(self) -> Delivery:
        """The worst one left."""
        return self.members[0]

    @property
    def via(self) -> Channel:
        """The channel by which all of them go."""
        return self.lead.notification.via

    @property
    def kind(self) -> Kind:
        """The kind of all of them: only pages ever leave together."""
        return self.lead.notification.kind

    @property
    def attempts(self) -> list[Attempt]:
        """The leading letter's, which tell how the message stands."""
        return self.lead.attempts

    @property
    def settled(self) -> bool:
        """Whether nothing more is tried."""
        return bool(self.lead.state)

    @property
    def unsaved(self) -> bool:
        """Whether the ledger lacks something of it."""
        return any(member.unsaved or member.state or not member.recorded for member in self.members)

    @property
    def news(self) -> bool:
        """Whether the provider said something of it that nobody has looked at, and that may lead to something."""
        return bool(self.lead.receipts and self.attempts and not self.settled)

    @property
    def held_up(self) -> bool:
        """Whether pages wait to be tried again after a failure that the provider set no time for."""
        failed = self.lead.standing_outcome
        turned_down = isinstance(failed, Deferred) and failed.retry_after is None
        return self.lead.page and self.step is ParcelStep.SEND and turned_down and not self.settled

    @property
    def incidents(self) -> tuple[str, ...]:
        """The incidents that its message is about, the worst first."""
        return tuple(dict.fromkeys(member.notification.incident for member in self.members))

    def tries(self, number: int) -> tuple[Attempt, ...]:
        """The try of that number, of every letter in it."""
        return tuple(attempt for member in self.members for attempt in member.attempts if attempt.number == number)

    def letters_of(self, number: int) -> tuple[tuple[Attempt, Notification], ...]:
        """The same, each with what was tried."""
        found = ((attempt, member) for member in self.members for attempt in member.attempts)
        return tuple((attempt, member.notification) for attempt, member in found if attempt.number == number)

    def late(self, now: datetime) -> timedelta:
        """How long its step has been due."""
        return now - (self.due_at or now)

    def add_receipt(self, number: int, fate: Fate) -> None:
        """The provider said what became of that try, and so of every letter in it."""
        for member in self.members:
            if (number, fate) not in member.receipts:
                member.receipts.append((number, fate))

    def note_elsewhere(self, attempt: Attempt) -> bool:
        """Another machine sent one of these letters from memory. Whether that changes what is next: not where others
        go with it, or wait for room with it; then a copy of it is marked.
        """
        for member in self.members:
            if member.notification.key == attempt.reference:
                member.note_elsewhere(attempt, counts=len(self.members) == 1)
        return len(self.members) == 1 and self.step is not ParcelStep.WAIT and not self.settled

    def end_killed(self, now: datetime) -> None:
        """A try without an end, of the process before, may have left (rule 40)."""
        if self.attempts[-1].outcome is None:
            self.end_last(KILLED, now)

    def end_try(self, attempts: Iterable[Attempt]) -> None:
        """A try ended: these are its attempts, one of each letter, each with its end."""
        for member, attempt in zip(self.members, attempts, strict=True):
            member.mark_ended(attempt)

    def end_last(self, outcome: Outcome, now: datetime) -> None:
        """The newest try ended so, as is known only now."""
        for member in self.members:
            member.mark_ended(replace(member.attempts[-1], outcome=outcome, ended_at=now))


def ended_so(attempts: Iterable[Attempt], outcome: Outcome, now: datetime) -> list[Attempt]:
    """The attempts of one try, with its end."""
    return [replace(attempt, outcome=outcome, ended_at=now) for attempt in attempts]


def parcels_of(deliveries: Iterable[Delivery]) -> list[Parcel]:
    """Letters as parcels: those whose newest try left in one bundle are together again, in the order in which they
    were, all else is by itself.
    """
    parcels: dict[str, Parcel] = {}
    for delivery in deliveries:
        bundle = delivery.attempts[-1].bundle if delivery.attempts else ""
        parcel = parcels.setdefault(bundle or delivery.notification.key, Parcel([]))
        parcel.members.append(delivery)
        if bundle:
            delivery.room_at = delivery.attempts[0].started_at
    for parcel in parcels.values():
        parcel.members.sort(key=lambda member: member.attempts[-1].id if member.attempts else "")
    return list(parcels.values())
