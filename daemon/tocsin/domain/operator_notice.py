"""What operators are told when the daemon itself is in trouble, what counts as the same, and that it is over."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Self


class Trouble(StrEnum):
    """A kind of trouble: a closed set. The word is stable, and the anchor of its section in docs/operators.md.

    `headline` says what is wrong in a few words; `{about}` in it stands for what the notice is about. `recovered` is
    the headline when it is over; empty for what just happens and has no end that the daemon could see. What `lasts` is
    met again by the next process; a page that was lost is not, though it may arrive after all.
    """

    headline: str
    recovered: str
    lasts: bool

    def __new__(cls, word: str, headline: str, recovered: str = "", once: bool = False) -> Self:
        """The member of that word. `once`: it happens once, though it may turn out well."""
        member = str.__new__(cls, word)
        member._value_, member.headline, member.recovered = word, headline, recovered
        member.lasts = bool(recovered) and not once
        return member

    CONFIG_REFUSED = "config-refused", "The config was refused", "The config is good again"
    CONFIG_IN_PART = "config-in-part", "Only a part of the last good config counts", "The whole config counts again"
    CONFIG_BEHIND = (
        "config-behind",
        "The config on this machine is an older one",
        "The config on this machine is up to date",
    )
    CONFIG_UNREAD = "config-unread", "The config cannot be read", "The config can be read again"
    SETTINGS_NEED_RESTART = "settings-need-restart", "Settings count only after a restart"
    TEMPLATE_BROKEN = "template-broken", "A template cannot be used"
    PULL_REFUSED = "pull-refused", "The pull of the config was refused"
    FILE_UNREADABLE = "file-unreadable", "{about} cannot be read"
    FILE_FAULTY = "file-faulty", "Problems in {about}"
    FILE_VANISHED = "file-vanished", "{about} vanished"
    UNREAD_FILE_GONE = "unread-file-gone", "{about} is gone, and was never readable"
    REOPENINGS_HELD = "reopenings-held", "Resolved incidents would reopen", "No resolved incident is held any more"
    FOLDER_UNREADABLE = "folder-unreadable", "The incident folder cannot be read", "The incident folder is back"
    FOLDER_UNMARKED = "folder-unmarked", "The incident folder cannot be marked"
    FOLDER_SHARED = "folder-shared", "Another tocsin watches the same folder"
    NOBODY_ON_CALL = "nobody-on-call", "A page found nobody to go to"
    PAGE_LOST = "page-lost", "A page reached nobody", "A page arrived after all", True
    ANSWER_IN_VAIN = "answer-in-vain", "An acknowledgment accepts nothing"
    INCIDENT_STUCK = "incident-stuck", "Incident {about} is stuck", "Incident {about} is up to date again"
    REVIEW_UNWRITTEN = "review-unwritten", "The review of {about} could not be written"
    PROVIDER_REFUSES = "provider-refuses", "Messages by {about} do not leave", "Messages by {about} leave again"
    PROVIDER_UNWELL = "provider-unwell", "{about} is sick", "{about} is well again"
    RECIPIENT_DENIED = (
        "recipient-denied",
        "{about} takes messages, but not for everybody",
        "{about} takes messages for everybody again",
    )
    SMS_UNDELIVERED = "sms-undelivered", "{about} are not delivered", "{about} are delivered again"
    ADDRESS_REFUSED = "address-refused", "{about} is refused"
    MESSAGE_REFUSED = "message-refused", "A message by {about} was refused"
    NUMBER_STOPPED = "number-stopped", "{about} answered STOP", "{about} takes SMS again", True
    ANSWERS_UNREAD = "answers-unread", "Answers by {about} do not come in", "Answers by {about} come in again"
    ANSWER_FLOOD = "answer-flood", "A flood of answers from {about}"
    SIGN_INS_TRIED = "sign-ins-tried", "Somebody tries to sign in as {about}"
    ARRIVAL_UNJUDGED = "arrival-unjudged", "Something that came in could not be judged"
    INBOX_UNUSABLE = "inbox-unusable", "The inbox cannot be read", "The inbox is read again"
    INBOX_REFUSED = "inbox-refused", "Something in the inbox was refused"
    INBOX_FLOODED = "inbox-flooded", "The inbox is flooded", "The inbox is not flooded any more"
    ALERTS_UNWRITTEN = "alerts-unwritten", "Alerts wait to become incidents", "Alerts become incidents again"
    ALERTS_MANY = "alerts-many", "Alerts open many incidents", "Alerts open few incidents again"
    EDITS_UNWRITTEN = "edits-unwritten", "Changes in the browser cannot be written"
    EDITS_MANY = "edits-many", "Very much is done in the name of {about}"
    UNSUBSCRIBE_WISH = "unsubscribe-wish", "A reader asks to be taken off the updates"
    LEDGER_UNWRITABLE = "ledger-unwritable", "The ledger cannot be written", "The ledger can be written again"
    INCIDENT_SET_ASIDE = "incident-set-aside", "The ledger cannot read incident {about}"
    LEDGER_DISK_FULL = "ledger-disk-full", "The ledger's disk is full", "There is room on the ledger's disk again"
    LEDGER_IN_MEMORY = "ledger-in-memory", "The ledger is kept in memory", "The ledger is in its file again"
    LEDGER_REPLACED = "ledger-replaced", "The ledger's file was deleted or replaced"
    LEDGER_OLDER = "ledger-older", "The ledger is an older copy"
    SENT_MARK_UNWRITABLE = (
        "sent-mark-unwritable",
        "The mark beside the ledger is not written",
        "The mark beside the ledger is kept again",
    )
    LEDGER_AWAY = "ledger-away", "The database is away", "The database is back"
    TOO_OLD_TO_LEAD = "too-old-to-lead", "No machine leads"
    LEDGER_ANOTHER = "ledger-another", "The database is another one"
    LEDGER_DAMAGED = "ledger-damaged", "The ledger was damaged"
    LOG_UNWRITABLE = "log-unwritable", "The log cannot be written", "The log is written again"
    CLOCK_WAS_AHEAD = "clock-was-ahead", "The clock was ahead when things were recorded"
    CLOCK_MOVED = "clock-moved", "The clock was put {about}"
    CLOCK_DIFFERS = "clock-differs", "The clock is not followed", "The clock is followed again"
    MACHINE_CLOCK = (
        "machine-clock",
        "This machine's clock is not the database's",
        "This machine's clock is the database's again",
    )
    TOOK_OVER = "took-over", "Another machine has taken over"
    MACHINE_SILENT = "machine-silent", "Nothing is heard of {about}", "{about} is there again"
    KEYS_DIFFER = "keys-differ", "Machines have different signing keys", "All machines have the same signing keys"
    PROVIDER_CLOCK = "provider-clock", "The clock is not that of {about}", "The clock is that of {about} again"
    WORD_LEFT = "word-left", "Another tocsin command left word"


ANEW = frozenset({Trouble.REOPENINGS_HELD, Trouble.NUMBER_STOPPED})
"""What comes back only because somebody does it anew: then it is news at once, not when the hour is over."""
URGENT = frozenset(
    {
        Trouble.PROVIDER_REFUSES,
        Trouble.PROVIDER_UNWELL,
        Trouble.RECIPIENT_DENIED,
        Trouble.SMS_UNDELIVERED,
        Trouble.NUMBER_STOPPED,
    }
)
"""Pages go astray until somebody acts: these are gathered for some seconds only (rules 39, 51)."""


@dataclass(frozen=True, slots=True)
class OperatorNotice:
    """What is wrong, as a sentence for people, with its place as file:line:col where it has one (rule 39).

    Trouble, what it is `about` and `aspect` (what else makes it news) are its cause, of which operators hear once an
    hour; of a `minor` one (a dropped optional field) by email alone, where they have that. `since` is when it began, if
    that was not just now. `name` is what people call what it is about, where that is not what it is known by.
    """

    trouble: Trouble
    text: str
    about: str = ""
    minor: bool = False
    since: datetime | None = None
    aspect: str = ""
    name: str = ""

    @property
    def subject(self) -> str:
        """What can be over: the trouble and what it is about."""
        return subject_of(self.trouble, self.about)

    @property
    def cause(self) -> str:
        """What is told once an hour, as the ledger notes it."""
        return f"{self.subject}:{self.aspect}" if self.aspect else self.subject

    @property
    def called(self) -> str:
        """What it is about, as people call it."""
        return self.name or self.about

    @property
    def headline(self) -> str:
        """What is wrong, in a few words."""
        return self.trouble.headline.format(about=self.called)


@dataclass(frozen=True, slots=True)
class Recovery:
    """A trouble is over: a sentence for people, until when it lasted, and since when, if this process knows that."""

    trouble: Trouble
    text: str
    until: datetime
    about: str = ""
    since: datetime | None = None
    minor: bool = False
    name: str = ""

    @property
    def subject(self) -> str:
        """What is over."""
        return subject_of(self.trouble, self.about)

    @property
    def called(self) -> str:
        """What it is about, as people call it."""
        return self.name or self.about

    @property
    def headline(self) -> str:
        """That it is over, in a few words."""
        return self.trouble.recovered.format(about=self.called)


OperatorWord = OperatorNotice | Recovery
"""What operators are told: that there is trouble, or that it is over."""


def subject_of(trouble: Trouble, about: str) -> str:
    """How the ledger notes what can be over."""
    return f"{trouble}:{about}" if about else trouble.value


Notify = Callable[[OperatorNotice], None]
