"""What a policy test expects of the plan: values, and whether one message is what one of them speaks of.

Decides the meaning of each part of an expectation (`docs/config-as-code.md`); must not know YAML, how a plan is played,
or how a whole test is judged.
"""

from dataclasses import dataclass
from datetime import timedelta

from tocsin.domain.notification import Kind, Notification, Reason
from tocsin.domain.people import Channel
from tocsin.text.times import brief

NOTHING = timedelta(0)
CALLED = {
    "page": Kind.PAGE,
    "stand_down": Kind.STAND_DOWN,
    "update": Kind.UPDATE,
    "closing": Kind.CLOSING,
    "reminder": Kind.REMINDER,
    "verify": Kind.VERIFY,
    "review": Kind.REVIEW,
}
"""The kinds of message that a plan has, by their names in files; operator notices are not played (rule 29)."""
REASONS = {
    Kind.PAGE: (
        Reason.DECLARED,
        Reason.ESCALATED,
        Reason.REPEATED,
        Reason.LAST_RESORT,
        Reason.ASSIGNED,
        Reason.SEVERITY_RAISED,
        Reason.REOPENED,
        Reason.DECLINED,
        Reason.REACH,
        Reason.STILL_THERE,
    ),
    Kind.STAND_DOWN: (Reason.ACCEPTED, Reason.SEVERITY_LOWERED, Reason.HANDOVER),
    Kind.UPDATE: (Reason.DECLARED, Reason.SEVERITY_LOWERED, Reason.CHANGED, Reason.DUE),
    Kind.CLOSING: (Reason.RESOLVED,),
    Kind.REMINDER: (Reason.UPDATE_DUE, Reason.ETA_PASSED),
    Kind.VERIFY: (Reason.VERIFY_DUE,),
    Kind.REVIEW: (Reason.REVIEW_DUE,),
}
"""Why a message of a kind may be sent."""
WITH_ROLES = frozenset({Kind.PAGE, Kind.STAND_DOWN, Kind.VERIFY, Kind.REVIEW})
"""The kinds of message that name roles (rule 30)."""


@dataclass(frozen=True, slots=True)
class When:
    """An exact moment or a window after the incident is first seen, both ends included. No `last`: to the end."""

    first: timedelta = NOTHING
    last: timedelta | None = None

    def holds(self, after: timedelta) -> bool:
        """Whether a moment lies in it."""
        return self.first <= after and (self.last is None or after <= self.last)

    def away(self, after: timedelta) -> timedelta:
        """How far a moment lies from it."""
        if after < self.first:
            return self.first - after
        return max(after - self.last, NOTHING) if self.last is not None else NOTHING

    def __str__(self) -> str:
        if self.first == self.last:
            return brief(self.first)
        if self.last is None:
            return f"{brief(self.first)}.." if self.first else "any time"
        return f"{brief(self.first)}..{brief(self.last)}"


ANY_TIME = When()


@dataclass(frozen=True, slots=True)
class MessagePattern:
    """Which messages an expectation speaks of; what is empty or None may be anything. `roles`: all of them are named.

    `via`: each of these channels on its own; who reads this decides whether all are wanted or none.
    """

    kind: Kind
    to: str = ""
    group: str = ""
    roles: tuple[str, ...] = ()
    via: tuple[Channel, ...] = ()
    reason: Reason | None = None
    level: int | None = None
    round: int | None = None
    when: When = ANY_TIME
    place: str = ""

    @property
    def who(self) -> str:
        """The group or reader it is about; empty for anybody."""
        return self.group or self.to

    def about(self, message: Notification) -> bool:
        """Whether a message is of this kind and to this reader."""
        return message.kind is self.kind and self.to in ("", message.to) and self.group in ("", message.group)

    def suits(self, message: Notification) -> bool:
        """Whether a message is what is spoken of, whatever its moment and channel."""
        return (
            self.about(message)
            and set(self.roles) <= set(message.roles)
            and self.reason in (None, message.reason)
            and self.level in (None, message.level)
            and self.round in (None, message.round)
        )

    def __str__(self) -> str:
        """It as people say it: `page bo as technical_lead by sms, email (escalated, level 1)`."""
        only = f" ({self.to})" if self.group and self.to else ""
        roles = f" as {', '.join(self.roles)}" if self.roles else ""
        via = f" by {', '.join(self.via)}" if self.via else ""
        level = "" if self.level is None else f"level {self.level}"
        number = "" if self.round is None else f"round {self.round}"
        more = ", ".join(part for part in (self.reason or "", level, number) if part)
        return f"{self.kind} {self.who or 'anybody'}{only}{roles}{via}{f' ({more})' if more else ''}"


@dataclass(frozen=True, slots=True)
class ExpectedMessage:
    """Such a message is sent: by each of its channels, if it names any."""

    wanted: MessagePattern

    @property
    def place(self) -> str:
        """Where it is written, as file:line."""
        return self.wanted.place


@dataclass(frozen=True, slots=True)
class Never:
    """No such message is sent: by none of its channels, if it names any."""

    wanted: MessagePattern

    @property
    def place(self) -> str:
        """Where it is written, as file:line."""
        return self.wanted.place


@dataclass(frozen=True, slots=True)
class NoneAfter:
    """Nothing at all is sent later than that."""

    after: timedelta
    place: str


@dataclass(frozen=True, slots=True)
class Exactly:
    """These are all messages of the time played: none missing, none besides."""

    wanted: tuple[MessagePattern, ...]
    place: str


Expectation = ExpectedMessage | Never | NoneAfter | Exactly
