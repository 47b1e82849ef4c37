"""One intended message to one reader on one channel, with the reason and the rule behind it, or why it is not sent.

The plan decides notifications; nothing else makes them. Their keys are deterministic, so deciding twice is harmless.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import TypeVar

from tocsin.domain.people import Channel

T = TypeVar("T")


class Kind(StrEnum):
    """What sort of message it is, in the order in which `simulate` lists messages of one instant.

    OPERATOR, ANSWER (to somebody's SMS) and SIGN_IN (the code to sign in) are outside the plan, so no timeline shows
    them.
    """

    PAGE = "page"
    STAND_DOWN = "stand_down"
    UPDATE = "update"
    CLOSING = "closing"
    REMINDER = "reminder"
    VERIFY = "verify"
    REVIEW = "review"
    OPERATOR = "operator"
    ANSWER = "answer"
    SIGN_IN = "sign_in"


OUTSIDE_PLAN = frozenset({Kind.OPERATOR, Kind.ANSWER, Kind.SIGN_IN})
"""Kinds that the daemon sends by itself, whatever the plan says: they are about no history of an incident."""


class Reason(StrEnum):
    """Why a message is sent: a closed set (`docs/behaviour.md`), the last three for what is outside the plan."""

    DECLARED = "declared"
    ESCALATED = "escalated"
    REPEATED = "repeated"
    LAST_RESORT = "last_resort"
    ASSIGNED = "assigned"
    SEVERITY_RAISED = "severity_raised"
    REOPENED = "reopened"
    DECLINED = "declined"
    REACH = "reach"
    STILL_THERE = "still_there"
    ACCEPTED = "accepted"
    SEVERITY_LOWERED = "severity_lowered"
    HANDOVER = "handover"
    CHANGED = "changed"
    DUE = "due"
    RESOLVED = "resolved"
    UPDATE_DUE = "update_due"
    ETA_PASSED = "eta_passed"
    VERIFY_DUE = "verify_due"
    REVIEW_DUE = "review_due"
    TROUBLE = "trouble"
    REPLY = "reply"
    SIGN_IN = "sign_in"


@dataclass(frozen=True, slots=True)
class Notification:
    """One intended message.

    `at` is its instant in the timeline (UTC); `to` a person's id or a plain address; `key` is unique for ever.
    The address itself is looked up when the message is sent, so that a changed one counts at once.
    `next_update_at` is the promise an update makes; `external` asks for public wording.
    """

    key: str
    incident: str
    episode: int
    kind: Kind
    reason: Reason
    at: datetime
    to: str
    via: Channel
    roles: tuple[str, ...] = ()
    level: int | None = None
    round: int | None = None
    group: str | None = None
    external: bool = False
    next_update_at: datetime | None = None
    rule: str = ""
    revision: str = ""


def in_one(
    things: Iterable[T], notification_of: Callable[[T], Notification], *, one_closing: bool = True
) -> list[tuple[T, ...]]:
    """Things in their order, those together whose notifications people take for one message: a page by all its
    channels, an update to all readers of its group, and, if `one_closing`, the end to everybody. All in one agree on
    instant, kind, reason, roles, level, round and rule.
    """
    found: dict[tuple[object, ...], list[T]] = {}
    for thing in things:
        notification = notification_of(thing)
        to_everybody = one_closing and notification.kind is Kind.CLOSING
        reader = "" if to_everybody else notification.group or notification.to
        step = (notification.reason, notification.roles, notification.level, notification.round, notification.rule)
        found.setdefault((notification.at, notification.kind, reader, *step), []).append(thing)
    return [tuple(listed) for listed in found.values()]


class Why(StrEnum):
    """Why a message was not sent (P6)."""

    NOBODY_ON_CALL = "nobody_on_call"
    ASKED_BEFORE = "asked_before"
    NO_CHANNEL = "no_channel"
    NO_LONGER_WANTED = "no_longer_wanted"
    ASKED_ELSEWHERE = "asked_elsewhere"
    SUPERSEDED = "superseded"
    LATE = "late"
    RESOLVED = "resolved"
    LEFT_CONFIG = "left_config"
    DRILL = "drill"
    TOLD_ALREADY = "told_already"
    OPTED_OUT = "opted_out"
    WAITS = "waits"
    NEVER_TOLD = "never_told"
    NOBODY_ACTED = "nobody_acted"


@dataclass(frozen=True, slots=True)
class Suppression:
    """A decision not to send: what it would have been, and why not. `detail` is a short sentence for people."""

    key: str
    incident: str
    episode: int
    kind: Kind
    why: Why
    at: datetime
    to: str = ""
    detail: str = ""
    rule: str = ""
    revision: str = ""


ANSWERED_FOR = timedelta(days=7)
"""How long after the resolution an `answer_url` still leads to its page (P8)."""
UNSUBSCRIBE_LINK = "https://unsubscribe.invalid/reader"
"""Stands in a text that many readers share for the link by which each is taken off; put in as the mail leaves."""


SIGN_IN_CODE = "%CODE%"
"""Stands for the code by which somebody signs in, wherever its message is kept; put in as it leaves. It is as long."""
SIGN_IN_CODE_LASTS = timedelta(minutes=5)
"""How long a code is good for (P8)."""


@dataclass(frozen=True, slots=True)
class AnswerLink:
    """Whom a short link is for, in one episode of one incident, by the digest of what it ends with (P8 TOKEN)."""

    digest: str
    incident: str
    episode: int
    person: str


@dataclass(frozen=True, slots=True)
class ReplyOffer:
    """How the reader of one message may answer it or read on, beside file and command; what is empty is not offered.

    `code` goes with an SMS that answers, and must be in it if it `needs_code`; `answer_url` leads to a page of the
    reader's own, where they answer and see what is asked of them, `page_url` to the incident's page. `link` is what the
    ledger must know of `answer_url` before it leaves. `unsubscribe_url` is UNSUBSCRIBE_LINK where a click takes effect.
    `unseen_by` is the machine that says it without seeing the ledger, `bare_reply` whether an `ok` answers it then.
    """

    code: str = ""
    answer_url: str = ""
    page_url: str = ""
    needs_code: bool = False
    unsubscribe_url: str = ""
    link: AnswerLink | None = None
    unseen_by: str = ""
    bare_reply: bool = False

    @property
    def from_memory(self) -> "ReplyOffer":
        """What is left of it while the ledger cannot be written: links lead nowhere that the ledger does not know."""
        return replace(self, answer_url="", page_url="", link=None)

    def unseen(self, machine: str, *, code_known: bool) -> "ReplyOffer":
        """The same where other machines may have answers to it, or may give out the code if the ledger does not know it
        (R54).
        """
        bare = bool(self.code) and not code_known and not self.needs_code
        return replace(self.from_memory, code=self.code if code_known else "", unseen_by=machine, bare_reply=bare)


NO_REPLY_OFFER = ReplyOffer()


ASKING = frozenset({Kind.PAGE, Kind.VERIFY})
"""Kinds that want an answer."""
LINKED = ASKING | {Kind.REMINDER, Kind.REVIEW}
"""Kinds that ask their reader to do something: they lead to the reader's own page of the incident."""


NOBODY = "-"
"""The incident of messages that belong to none."""
