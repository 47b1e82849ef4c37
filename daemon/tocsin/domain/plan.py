"""What the plan decides for one incident at one instant."""

from dataclasses import dataclass
from datetime import datetime

from tocsin.domain.facts import Fact
from tocsin.domain.history import History
from tocsin.domain.notification import Notification, Suppression


@dataclass(frozen=True, slots=True)
class AfterPages:
    """How the incident stands once the pages due at `at` are decided, and nothing else; and when the next of them may
    be due, None if nothing but a new fact can make one due.
    """

    at: datetime
    history: History
    next_look: datetime | None


@dataclass(frozen=True, slots=True)
class Due:
    """A notification that is due, with the history as it stood when it was decided: what its words are made of. `after`
    spares them to decide its pages once more; None where that plan was not a plain one.
    """

    notification: Notification
    history: History
    after: AfterPages | None = None


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
