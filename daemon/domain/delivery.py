"""Delivery: what is sent, each try, and how it ended. A send ends as one of four values, never as an exception.

Only `Uncertain` may ever lead to a second copy (house.md, rule 6).
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from daemon.domain.people import Channel


@dataclass(frozen=True, slots=True)
class Content:
    """A rendered text, shared by all who get the same words. `html` and `subject` are empty for SMS."""

    text: str
    subject: str = ""
    html: str = ""


@dataclass(frozen=True, slots=True)
class Message:
    """One message ready to leave: an address, a content, and the headers that the ledger needs to find it again.

    `reference` is the notification's key (the Message-ID derives from it); `thread` the incident's id and episode
    ("-" without an incident); `kind` the notification's kind; `page` tells whether it is one; `bulk` asks for
    the List-Unsubscribe family (updates only).
    """

    reference: str
    via: Channel
    address: str
    person: str
    name: str
    content: Content
    incident: str
    episode: int
    kind: str
    at: datetime
    valid_for: timedelta | None = None


class Fault(StrEnum):
    """Whose fault a failure is. ADDRESS: this reader's; PROVIDER: the account's or the server's settings, only a
    config change cures it (timeline.md rule 38); PASSING: time may cure it.
    """

    ADDRESS = "address"
    PROVIDER = "provider"
    PASSING = "passing"


@dataclass(frozen=True, slots=True)
class Accepted:
    """The provider took it. `provider_id` is its own name for the message (a SID, a queue id)."""

    provider_id: str = ""


@dataclass(frozen=True, slots=True)
class Deferred:
    """It certainly did not leave; trying again may help. `retry_after` is the provider's own wish."""

    detail: str
    code: str = ""
    fault: Fault = Fault.PASSING
    retry_after: timedelta | None = None


@dataclass(frozen=True, slots=True)
class Refused:
    """This address is refused for good (rule 37)."""

    detail: str
    code: str = ""


@dataclass(frozen=True, slots=True)
class Uncertain:
    """The world cannot tell us whether it left."""

    detail: str
    code: str = ""


Outcome = Accepted | Deferred | Refused | Uncertain


class Receipt(StrEnum):
    """What the provider says became of an accepted message; it only moves forward."""

    UNKNOWN = "unknown"
    QUEUED = "queued"
    SENT = "sent"
    DELIVERED = "delivered"
    UNDELIVERED = "undelivered"


@dataclass(frozen=True, slots=True)
class Attempt:
    """One try of one notification on one channel. `outcome` is None while the first byte may have left."""

    id: int
    reference: str
    number: int
    via: Channel
    address: str
    started_at: datetime
    outcome: Outcome | None = None
    ended_at: datetime | None = None
    possible_duplicate: str = ""
