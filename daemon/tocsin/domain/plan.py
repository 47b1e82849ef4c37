"""What the plan decides for one incident at one instant."""

from dataclasses import dataclass
from datetime import datetime

from tocsin.domain.facts import Fact
from tocsin.domain.history import History
from tocsin.domain.notification import Notification, Suppression


@dataclass(frozen=True, slots=True)
class Due:
    """A notification that is due, with the history as it stood when it was decided: what its words are made of."""

    notification: Notification
    history: History


@dataclass(frozen=True, slots=True)
class Plan:
    """What is due now, what was held back and why, the facts to record with it, and when to look again.

    Recording `facts` and planning again at the same instant gives an empty plan. `next_look` is after `now`, and
    None only when nothing can ever become due again without a new fact. Not `at_rest`: so much is due at this instant
    that there is more than one plan says.
    """

    due: tuple[Due, ...]
    suppressed: tuple[Suppression, ...]
    facts: tuple[Fact, ...]
    next_look: datetime | None
    history: History
    at_rest: bool = True
