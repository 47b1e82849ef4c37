"""Arrivals: what came in from outside, by whichever door, as the ledger keeps it for the daemon; and the reply codes
that say which incident an answer is about. They decide nothing.
"""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from tocsin.domain.facts import Coded


class Arrives(StrEnum):
    """What other processes leave in the ledger for the daemon: an SMS to us, what became of one of ours."""

    SMS = "sms"
    RECEIPT = "receipt"


@dataclass(frozen=True, slots=True)
class Arrival:
    """Something that came in from outside, kept once under its `ref` until the daemon has judged it.

    sms: `ref` is the provider's name for it, `who` the sender's number, `body` the text. receipt: `ref` the provider's
    name and the state, `who` the try's id, `body` the state.
    """

    kind: Arrives
    ref: str
    who: str
    body: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Reserved:
    """A reply code that a number holds for an incident; `closed_at` when that was closed since."""

    incident: str
    given: Coded
    closed_at: datetime | None
