"""House: what those who deliver ask of the rest of the house, and tell it. It decides nothing."""

from collections.abc import Callable
from dataclasses import dataclass

from daemon.app.case import Stuck
from daemon.app.trouble import Tell
from daemon.domain.history import History
from daemon.domain.notification import Notification
from daemon.domain.policy import Policy


@dataclass(frozen=True, slots=True)
class House:
    """The newest history of an incident, the policy in force; a letter that makes no headway, a word for operators;
    where the reader of a message asks to be taken off, "" where that is not offered.
    """

    history: Callable[[str], History]
    policy: Callable[[], Policy]
    stuck: Callable[[Stuck], None]
    tell: Tell
    unsubscribe: Callable[[Notification], str]
