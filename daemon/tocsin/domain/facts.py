"""Everything that can happen to an incident, one small frozen class each, as the ledger keeps it.

Two sorts: what the world did (Seen, Answered, Coded, Noted, ChannelRefused, RefusalTakenBack, PageLost, Gone,
ClockMoved) and what the plan decided (the rest). `planning/history/fold.py` folds them into a History. The ledger
stores the names of these classes and of their fields: whoever renames one loses what was written before. Every `at` is
an aware UTC instant.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from tocsin.domain.incident import Incident
from tocsin.domain.notification import Reason
from tocsin.domain.people import Channel


class Answer(StrEnum):
    """What a person said: `ok` accepts, `pass` declines."""

    OK = "ok"
    PASS = "pass"  # noqa: S105 - what a person answers, not a secret


@dataclass(frozen=True, slots=True)
class Seen:
    """A version of the incident's file was seen, and counts from `at`. `digest` names the file's bytes. By `moved`
    `at` was moved since with a clock that was put right; what people dated in the file was not (rule 60).
    """

    at: datetime
    incident: Incident
    digest: str = ""
    moved: timedelta = timedelta(0)


@dataclass(frozen=True, slots=True)
class Answered:
    """A person answered other than through the file; by SMS, `ref` is the provider's name for it: it counts once.
    `asked_only`: it was meant for all that is asked of them (rule 47), and lets go of nothing that they hold.
    """

    at: datetime
    person: str
    answer: Answer
    ref: str = ""
    asked_only: bool = False


@dataclass(frozen=True, slots=True)
class Coded:
    """A person's number answers about this incident by a short code from now on (rule 42)."""

    at: datetime
    person: str
    number: str
    code: str


@dataclass(frozen=True, slots=True)
class Noted:
    """A person noted something from their phone. `ref` is the provider's name for their message: it counts once."""

    at: datetime
    person: str
    text: str
    ref: str = ""


@dataclass(frozen=True, slots=True)
class ChannelRefused:
    """A reader's channel was refused for good (rules 14, 37). `reader` is a person's id or a plain address; `address`
    is what was refused (rule 65), empty for whatever address the reader has: so it was written before, and so a
    script's `fail` means it.
    """

    at: datetime
    reader: str
    via: Channel
    address: str = ""


@dataclass(frozen=True, slots=True)
class RefusalTakenBack:
    """A reader's channel was refused at this address, but by the provider's own fault: it is good again (rule 38).
    `again_at` is when the reader's newest page goes there once more; None: it does not.
    """

    at: datetime
    reader: str
    via: Channel
    address: str
    again_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class PageLost:
    """The page that went to a person at `page_at` was not delivered: by `via`, or where that is None by any channel,
    so that it reached nobody (rules 14, 66); it is tried once more by the channel and at the instant `again`.
    `delivered`: a page that had reached nobody was delivered after all, by `via`. `for_good`: another try by `via`
    would not help. `stopped`: a provider had taken it, but then its reader answered STOP and has no other channel, so
    that nobody waits for them (rule 51).
    """

    at: datetime
    person: str
    page_at: datetime
    via: Channel | None = None
    again: tuple[Channel, datetime] | None = None
    delivered: bool = False
    for_good: bool = False
    stopped: bool = False


@dataclass(frozen=True, slots=True)
class Gone:
    """A file that was never readable has been gone for 10 s: its pages end (rule 32)."""

    at: datetime


@dataclass(frozen=True, slots=True)
class ClockMoved:
    """The machine's clock was put forward by `by` (back if it is less than nothing), and what stands before this was
    moved with it (rule 60).
    """

    at: datetime
    by: timedelta


@dataclass(frozen=True, slots=True)
class Assessed:
    """The needs of the incident were settled under this severity and config revision. `via` are the channels of
    the severity's `page`, empty when it has none.
    """

    at: datetime
    severity: str
    revision: str
    via: tuple[Channel, ...] = ()


@dataclass(frozen=True, slots=True)
class RoleOpened:
    """The escalation for the role begins (or begins anew) at `at`. `service` decides the chain ("" for the role's own),
    `first` is the person assigned, who is level 0; `without` is left out (rule 19).
    """

    at: datetime
    role: str
    reason: Reason
    service: str = ""
    first: str | None = None
    without: str | None = None


@dataclass(frozen=True, slots=True)
class RoleDropped:
    """The role is no longer needed, its acceptance goes with it (rule 18)."""

    at: datetime
    role: str


@dataclass(frozen=True, slots=True)
class RoleAccepted:
    """Somebody accepted the role at first sight, without a page (rule 15). Role "responder" answers for that."""

    at: datetime
    role: str
    person: str


@dataclass(frozen=True, slots=True)
class StepFired:
    """A step of a role's escalation fired at its counting instant. `round` and `level` are None in the last resort."""

    at: datetime
    role: str
    round: int | None
    level: int | None
    people: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class HandoverAsked:
    """The person newly assigned to an accepted role was paged, for the `round`-th time (rule 9)."""

    at: datetime
    role: str
    person: str
    round: int


@dataclass(frozen=True, slots=True)
class RespondersAsked:
    """A batch of services' responders was paged, for the `round`-th time (rule 10)."""

    at: datetime
    services: tuple[str, ...]
    round: int
    people: tuple[str, ...]
    reason: Reason


@dataclass(frozen=True, slots=True)
class StillThereAsked:
    """The holder of a silent incident was asked to confirm (rule 19)."""

    at: datetime
    role: str
    person: str


@dataclass(frozen=True, slots=True)
class Paged:
    """One page to one person: the channels that went at once and those that wait for their `after` (rule 13)."""

    at: datetime
    person: str
    roles: tuple[str, ...]
    level: int | None
    round: int | None
    reason: Reason
    channels: tuple[Channel, ...]
    waiting: tuple[tuple[Channel, datetime], ...] = ()


@dataclass(frozen=True, slots=True)
class ReachSettled:
    """A waiting channel of the page of `page_at` went at `at` (`sent`), or was dropped."""

    at: datetime
    person: str
    page_at: datetime
    via: Channel
    due_at: datetime
    sent: bool


@dataclass(frozen=True, slots=True)
class StoodDown:
    """A person was told that they are no longer needed for these roles; `via` None: no channel was left."""

    at: datetime
    person: str
    roles: tuple[str, ...]
    reason: Reason
    via: Channel | None


@dataclass(frozen=True, slots=True)
class RoleSettled:
    """All stand-downs for the role's last acceptance or drop have been decided."""

    at: datetime
    role: str


@dataclass(frozen=True, slots=True)
class UpdateHeld:
    """A group will hear of a change first seen at `at`, 2 s later (rule 5)."""

    at: datetime
    group: str


@dataclass(frozen=True, slots=True)
class Updated:
    """A group's update was decided; `readers` are (reader, channel) pairs. SEVERITY_LOWERED is its last word.
    `promised_at` is when it said that the next one comes; None: it promised none, or that was not written yet.
    """

    at: datetime
    group: str
    reason: Reason
    external: bool
    readers: tuple[tuple[str, Channel], ...]
    promised_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class FirstWordHeld:
    """An external group is concerned from `at` on, and hears nothing yet (rule 56)."""

    at: datetime
    group: str


@dataclass(frozen=True, slots=True)
class FirstWordDropped:
    """A group that had heard nothing yet is no longer concerned (rule 56)."""

    at: datetime
    group: str


@dataclass(frozen=True, slots=True)
class Reminded:
    """The Communications holder was reminded (or the reminder was dropped) of the update due at `due_at`; to a group
    that waits for its first word, at the end of a span (rule 56).
    """

    at: datetime
    groups: tuple[str, ...]
    due_at: datetime


@dataclass(frozen=True, slots=True)
class EtaReminded:
    """The Communications holder was reminded (or the reminder was dropped) that the incident's `eta` has passed."""

    at: datetime
    eta: datetime


@dataclass(frozen=True, slots=True)
class Closed:
    """The closing messages of the episode were decided; `people` hear it by email instead of SMS (rule 58)."""

    at: datetime
    people: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class VerifyAsked:
    """People were asked to confirm health, the `number`-th time (1 to 3)."""

    at: datetime
    number: int
    people: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ReviewAsked:
    """The review's owners were asked, the `number`-th time (0 is at resolution)."""

    at: datetime
    number: int
    people: tuple[str, ...]


Fact = (
    Seen
    | Answered
    | Coded
    | Noted
    | ChannelRefused
    | RefusalTakenBack
    | PageLost
    | Gone
    | ClockMoved
    | Assessed
    | RoleOpened
    | RoleDropped
    | RoleAccepted
    | StepFired
    | HandoverAsked
    | RespondersAsked
    | StillThereAsked
    | Paged
    | ReachSettled
    | StoodDown
    | RoleSettled
    | UpdateHeld
    | Updated
    | FirstWordHeld
    | FirstWordDropped
    | Reminded
    | EtaReminded
    | Closed
    | VerifyAsked
    | ReviewAsked
)
