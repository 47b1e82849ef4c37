"""Delivery: one letter on its way: its tries so far, what is to be done with it next, and what the ledger still lacks.

It keeps, it does not decide; `app/deliver.py` does.
"""

from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum

from daemon.domain.delivery import Accepted, Attempt, Outcome, Uncertain
from daemon.domain.notification import Kind, Notification
from daemon.ports import Letter

RANKS = {Kind.PAGE: 0, Kind.UPDATE: 2}
"""Pages go first, updates last, everything else between them."""
KILLED = Uncertain("killed during the send")


class Step(Enum):
    """What is done next with a letter: sent, taken up again after a restart, looked up after an uncertain send, asked
    about, or only written down.
    """

    SEND = "send"
    RESUME = "resume"
    FIND = "find"
    ASK = "ask"
    WRITE = "write"


@dataclass(slots=True)
class Delivery:
    """One letter on its way. `recorded` is whether the ledger knows it, `owed` are tries that the ledger does not know
    of. `possible_duplicate` is why an earlier copy may have left, `stuck` whether its next channel was asked for;
    `state` is how it was settled, while that is not written yet.
    """

    letter: Letter
    recorded: bool = True
    step: Step = Step.SEND
    tries: list[Attempt] = field(default_factory=list)
    owed: list[Attempt] = field(default_factory=list)
    possible_duplicate: str = ""
    stuck: bool = False
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
    def last(self) -> Outcome | None:
        """How the newest try ended."""
        return self.tries[-1].outcome if self.tries else None

    @property
    def copies(self) -> int:
        """Tries of which a copy left or may have left."""
        return sum(isinstance(attempt.outcome, (Accepted, Uncertain)) for attempt in self.tries)
