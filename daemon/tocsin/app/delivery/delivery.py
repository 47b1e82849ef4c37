"""Delivery: one letter on its way: its tries so far, what is to be done with it next, and what the ledger still lacks.

It keeps, it does not decide; `app/delivery/sender.py` does.
"""

from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import Enum

from tocsin.domain.delivery import Accepted, Attempt, Fate, Letter, Outcome, Uncertain
from tocsin.domain.notification import Kind, Notification
from tocsin.planning.delivery import receipts, retry

RANKS = {Kind.PAGE: 0, Kind.UPDATE: 2}
"""Pages go first, updates last, everything else between them."""
KILLED = Uncertain("killed during the send")


class Step(Enum):
    """What is done next with a letter: sent, taken up again, looked up after an uncertain send, asked
    about, or only written down. RESUME goes on from how its tries stand: after a restart, and after news of them.
    """

    SEND = "send"
    RESUME = "resume"
    FIND = "find"
    ASK = "ask"
    WRITE = "write"


@dataclass(slots=True)
class Delivery:
    """One letter on its way. `turn` counts the steps that were set: only the newest is taken, at `due_at`. `recorded`
    is whether the ledger knows it, `owed` are tries that the ledger does not know of, `told` is what the provider said
    of tries, by their numbers, while nobody has looked at it. `possible_duplicate` is why an earlier copy may have
    left, `stuck` whether its next channel was asked for; `state` is how it was settled, while that is not written yet.
    """

    letter: Letter
    recorded: bool = True
    step: Step = Step.SEND
    turn: int = 0
    tries: list[Attempt] = field(default_factory=list)
    owed: list[Attempt] = field(default_factory=list)
    told: list[tuple[int, Fate]] = field(default_factory=list)
    possible_duplicate: str = ""
    stuck: bool = False
    due_at: datetime | None = None
    settled_at: datetime | None = None
    state: str = ""

    @property
    def notification(self) -> Notification:
        """What is delivered."""
        return self.letter.notification

    @property
    def page(self) -> bool:
        """Whether somebody's answer is wanted."""
        return self.notification.kind is Kind.PAGE

    @property
    def rank(self) -> int:
        """Its place in the queue."""
        return RANKS.get(self.notification.kind, 1)

    @property
    def stands(self) -> Outcome | None:
        """How the try ended that tells how the letter stands."""
        return retry.standing(self.tries).outcome if self.tries else None

    def late(self, now: datetime) -> timedelta:
        """How long its step has been due."""
        return now - (self.due_at or now)

    def learn(self, now: datetime) -> None:
        """See the tries in the light of what the provider said of them."""
        for number, fate in self.told:
            for place, attempt in enumerate(self.tries):
                if attempt.number == number:
                    self.tries[place] = changed = receipts.heard(attempt, fate, now)
                    if changed.outcome != attempt.outcome:
                        self.owe(changed)
        self.told.clear()

    def owe(self, attempt: Attempt) -> None:
        """The ledger is to be told how this try ended; what it was to be told of it before does not count any more."""
        self.owed = [*(each for each in self.owed if each.number != attempt.number), attempt]

    def begun(self, attempt: Attempt) -> None:
        """The ledger now knows of a try that it did not."""
        for tries in (self.tries, self.owed):
            for place, each in enumerate(tries):
                if each.number == attempt.number:
                    tries[place] = replace(each, id=attempt.id)

    @property
    def copies(self) -> int:
        """Tries of which a copy left or may have left."""
        return sum(isinstance(attempt.outcome, (Accepted, Uncertain)) for attempt in self.tries)
