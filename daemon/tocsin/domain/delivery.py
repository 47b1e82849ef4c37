"""What is sent, each try to send it, and how the try ended: as one of four values, never as an exception. Only
`Uncertain` may ever lead to a second copy.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from types import MappingProxyType

from tocsin.domain.notification import AnswerLink, Notification, Suppression
from tocsin.domain.people import Channel


@dataclass(frozen=True, slots=True)
class Content:
    """A rendered text, shared by all who get the same words. `html` and `subject` are empty for SMS; `language` is the
    code of the language it is in.
    """

    text: str
    subject: str = ""
    html: str = ""
    language: str = "en"


@dataclass(frozen=True, slots=True)
class Message:
    """One message ready to leave: an address, a content, and the headers that the ledger needs to find it again.

    `reference` is the notification's key (the Message-ID derives from it); `thread` the incident's id and episode
    ("-" without an incident); `kind` the notification's kind; `page` tells whether it is one; `unsubscribe_url`
    asks for the List-Unsubscribe family (updates only), which acts by `one_click` or not. `attempt` is the try's id in
    the ledger, empty while it has none. `incidents` are all that a bundle of pages is
    about, `incident` is then the worst. `reply_to` is where answers to a mail go, empty for nowhere. `mailing_list` is
    the group that it goes to and `list_title` what that is called; empty for what is for one person. An `external` one
    names no id, which is often made of a title for insiders.
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
    attempt: str = ""
    unsubscribe_url: str = ""
    one_click: bool = False
    incidents: tuple[str, ...] = ()
    reply_to: str = ""
    mailing_list: str = ""
    list_title: str = ""
    external: bool = False


class Fault(StrEnum):
    """Whose fault a failure is. ADDRESS: this reader's; MESSAGE: this one message's (rule 37); PROVIDER: the account's
    or the server's, only somebody's action cures it (rule 38); PASSING: time may cure it.
    """

    ADDRESS = "address"
    MESSAGE = "message"
    PROVIDER = "provider"
    PASSING = "passing"


@dataclass(frozen=True, slots=True)
class Accepted:
    """The provider took it. `provider_id` is its own name for the message (a SID, a queue id)."""

    provider_id: str = ""


@dataclass(frozen=True, slots=True)
class Deferred:
    """It certainly did not leave; trying again may help. `retry_after` is the provider's own wish. `recipient`: the
    provider was asked to carry something to this recipient, and its answer may hold for no other.
    """

    detail: str
    code: str = ""
    fault: Fault = Fault.PASSING
    retry_after: timedelta | None = None
    recipient: bool = False


@dataclass(frozen=True, slots=True)
class Refused:
    """Refused for good (rule 37). `fault` is ADDRESS: nothing more goes there; or MESSAGE: this one is not tried again,
    and the address stays good.
    """

    detail: str
    code: str = ""
    fault: Fault = Fault.ADDRESS


@dataclass(frozen=True, slots=True)
class Uncertain:
    """The world cannot tell us whether it left. `pending`: the provider has it in hand and may still say so; it is
    waited for, not sent again.
    """

    detail: str
    code: str = ""
    pending: bool = False


Outcome = Accepted | Deferred | Refused | Uncertain

CERTAINTY: Mapping[type[Outcome], int] = MappingProxyType({Uncertain: 1, Deferred: 2, Refused: 3, Accepted: 3})
"""How much each outcome says. One that says less never takes the place of another: whoever ended a try last may be a
machine that was stopped meanwhile, while another found out what became of it (rule 52).
"""

NOT_LEADING = Deferred("nothing was sent: this machine does not lead")
"""How a try ends that the fence stopped (rule 53): it says nothing of the provider."""


class Receipt(StrEnum):
    """What the provider says became of an accepted message; it only moves forward."""

    UNKNOWN = "unknown"
    QUEUED = "queued"
    SENT = "sent"
    DELIVERED = "delivered"
    UNDELIVERED = "undelivered"

    @property
    def rank(self) -> int:
        """How far along it is."""
        return list(Receipt).index(self)

    @property
    def final(self) -> bool:
        """Whether nothing more will be said."""
        return self in (Receipt.DELIVERED, Receipt.UNDELIVERED)


@dataclass(frozen=True, slots=True)
class Fate:
    """What a provider says became of a message. `refused` when it was not delivered because the address is refused for
    good (rule 37); `provider_id` is the provider's own name for the message. `code` is why it was not delivered, and
    `fault` whose fault that is.
    """

    receipt: Receipt
    refused: Refused | None = None
    provider_id: str = ""
    code: str = ""
    fault: Fault = Fault.PASSING

    @property
    def may_pass(self) -> bool:
        """Whether trying again where it was not delivered may help."""
        return self.refused is None and self.fault is Fault.PASSING


@dataclass(frozen=True, slots=True)
class Attempt:
    """One try of one notification on one channel. `id` is its name in the ledger, a UUID that the process made; empty
    while the ledger does not know of it. `outcome` is None while the first byte may have left; `receipt` is
    what the provider said of it later, `receipt_code` why it was not delivered. `provider` is the name of the provider
    that was tried, `bundle` the id of the bundle it left in; empty: it left as itself.
    """

    id: str
    reference: str
    number: int
    via: Channel
    address: str
    started_at: datetime
    outcome: Outcome | None = None
    ended_at: datetime | None = None
    possible_duplicate: str = ""
    receipt: Receipt | None = None
    provider: str = ""
    bundle: str = ""
    receipt_code: str = ""


def numbered_attempt(number: int) -> str:
    """The id of an attempt that a ledger of old numbered: receipts and marks may still name it by that number."""
    return f"00000000-0000-0000-0000-{number:012}"


@dataclass(frozen=True, slots=True)
class Bundle:
    """One message in words that were made as it left: for several pages to one address (rule 47), or for one that must
    say something else by then. `links` are the short links in its words.
    """

    id: str
    content: Content
    links: tuple[AnswerLink, ...] = ()


class ProvedBy(StrEnum):
    """What shows that an address works: the provider's receipt, an SMS that came in from it, or a mail accepted."""

    RECEIPT = "receipt"
    ANSWER = "answer"
    ACCEPTED = "accepted"


@dataclass(frozen=True, slots=True)
class Proof:
    """When an address last proved to work, and by what."""

    at: datetime
    by: ProvedBy


@dataclass(frozen=True, slots=True)
class Letter:
    """A notification with its words, as the ledger keeps it until it is settled. `link` is the short link in its words,
    which the ledger learns with it; one that was read has none. `out`, of a page or a notice to operators that was
    read: a provider took it by another channel, and that letter is settled.
    """

    notification: Notification
    content: Content
    attempts: tuple[Attempt, ...] = ()
    link: AnswerLink | None = None
    out: bool = False


@dataclass(frozen=True, slots=True)
class Record:
    """What was decided about one message, and what became of it (P6). A Suppression has neither words nor tries.

    `receipt` is what the provider said last of the newest try that it spoke of; `state` is "pending", how it was
    settled, or "held". `bundled_with` are the other pages of the bundle that its newest try left in; `room_at` is
    when a page that waits for room at its address has it at the latest.
    """

    decided: Notification | Suppression
    content: Content | None = None
    attempts: tuple[Attempt, ...] = ()
    receipt: Receipt | None = None
    state: str = "held"
    settled_at: datetime | None = None
    bundled_with: tuple[Notification, ...] = ()
    room_at: datetime | None = None

    @property
    def notification(self) -> Notification:
        """The message that was decided. A record of a suppression has none."""
        assert isinstance(self.decided, Notification)
        return self.decided
