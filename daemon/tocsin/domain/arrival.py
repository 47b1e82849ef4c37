"""What came in from outside by SMS or HTTP, as the ledger keeps it for the daemon, and the reply codes that say which
incident an answer is about.
"""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from tocsin.domain.facts import Coded
from tocsin.domain.people import Channel


class ArrivalKind(StrEnum):
    """What comes in from outside for the daemon: an SMS to us, the receipt of one of ours, that a reader unsubscribed,
    or is told again, an answer by a link, what a notification of alerts comes to, and a word for the operators.
    """

    SMS = "sms"
    RECEIPT = "receipt"
    UNSUBSCRIBE = "unsubscribe"
    RESUBSCRIBE = "resubscribe"
    ANSWER = "answer"
    ALERT = "alert"
    WORD = "word"


@dataclass(frozen=True, slots=True)
class Arrival:
    """Something that came in from outside at `at` (UTC), kept once under its `ref` until the daemon has judged it.

    sms: `ref` is the provider's name for it, `who` the sender's number, `body` the text. receipt: `ref` the provider's
    name and the state, `who` the try's id, `body` the state. unsubscribe, resubscribe: `who` the plain address, `body`
    the incident of whose update it was.
    """

    kind: ArrivalKind
    ref: str
    who: str
    body: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Judgement:
    """What became of an arrival: `result`, a word for what it led to, and `words` for whoever waits for it, or none."""

    result: str
    words: str = ""


@dataclass(frozen=True, slots=True)
class OptOut:
    """An address that wants nothing more: a number that answered STOP, or a plain address that was
    unsubscribed. `ref` is the provider's name for the SMS that said so, or what else brought it about.
    """

    via: Channel
    address: str
    at: datetime
    ref: str


@dataclass(frozen=True, slots=True)
class ReservedCode:
    """A reply code that a number holds for an incident; `closed_at` when that was closed since."""

    incident: str
    given: Coded
    closed_at: datetime | None
