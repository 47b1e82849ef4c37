"""House: what those who deliver ask of the rest of the house, and tell it. It decides nothing."""

from collections.abc import Callable
from dataclasses import dataclass

from tocsin.domain.history import History
from tocsin.domain.notification import Notification
from tocsin.domain.operator_notice import Notify
from tocsin.domain.policy import Policy


@dataclass(frozen=True, slots=True)
class ChannelFailed:
    """A page makes no headway on its channel, so it goes by the next one too. `refused`: that channel is refused
    for good.
    """

    page: Notification
    refused: bool = False


@dataclass(frozen=True, slots=True)
class DeliveryContext:
    """The newest history of an incident, the policy in force; a letter that makes no headway, a word for operators;
    where the reader of a message asks to be taken off, "" where that is not offered.
    """

    history: Callable[[str], History]
    policy: Callable[[], Policy]
    stuck: Callable[[ChannelFailed], None]
    tell: Notify
    unsubscribe: Callable[[Notification], str]
