"""What came in from outside: as other processes leave it in the inbox (P8), and as the ledger keeps it; and the reply
codes that say which incident an answer is about.
"""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import ClassVar

from tocsin.domain.facts import Answer, Coded
from tocsin.domain.incident import Edit
from tocsin.domain.people import Channel


class ArrivalKind(StrEnum):
    """What comes in from outside for the daemon: an SMS to us, the receipt of one of ours, that a reader unsubscribed,
    or is told again, an answer by a link, what a notification of alerts comes to, a word for the operators, what
    somebody does to an incident, or declares, in the browser; that somebody asks to sign in, has typed a code, signs
    out; what another machine sees: a version of a file, that files have vanished, a notice for the operators; what it
    sent from memory; and a command's word that closed incidents are to go.
    """

    SMS = "sms"
    RECEIPT = "receipt"
    UNSUBSCRIBE = "unsubscribe"
    RESUBSCRIBE = "resubscribe"
    ANSWER = "answer"
    ALERT = "alert"
    WORD = "word"
    EDIT = "edit"
    DECLARE = "declare"
    SIGN_IN = "sign_in"
    CODE = "code"
    SIGN_OUT = "sign_out"
    VERSION = "version"
    VANISHED = "vanished"
    NOTICE = "notice"
    SENT = "sent"
    PRUNE = "prune"


HANDED_IN = frozenset({ArrivalKind.VERSION, ArrivalKind.VANISHED, ArrivalKind.NOTICE, ArrivalKind.SENT})
"""What machines that do not lead see, or did, and hand in: judged apart from the rest, since there may be much."""
BY_FILE = frozenset({ArrivalKind.ALERT, ArrivalKind.EDIT, ArrivalKind.DECLARE})
"""What is judged apart from the rest, since it is written into the incident folder, which may hang."""


@dataclass(frozen=True, slots=True)
class Arrival:
    """Something that came in from outside at `at` (UTC), kept once under its `ref` until the daemon has judged it.

    sms: `ref` is the provider's name for it, `who` the sender's number, `body` the text. receipt: `ref` the provider's
    name and the state, `who` the try's id, `body` the state. unsubscribe, resubscribe: `who` the plain address, `body`
    the incident of whose update it was. sign_in: `who` the person, `body` by which channel, from which browser and how.
    code: `who` the person, `body` CODE_RIGHT and the session's digest, or CODE_WRONG and the tries left. sign_out:
    `who` the person whose sessions end, or `body` the digest of one; neither: all end. prune: `body` what is to be
    done, as its entry says it; so it is named nowhere else who is to be forgotten.
    """

    kind: ArrivalKind
    ref: str
    who: str
    body: str
    at: datetime


CODE_RIGHT, CODE_WRONG, CODE_SEALED = "right", "wrong", "sealed"
"""What was found of a code, which is not kept; or another machine has it in a seal that the leader can open."""


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


class EntryKind(StrEnum):
    """The kinds of entries; their names stand in the names of the files."""

    ANSWER = "answer"
    WEBHOOK = "webhook"
    WISH = "wish"
    ALERT = "alert"
    WORD = "word"
    RESUBSCRIBE = "resubscribe"
    EDIT = "edit"
    DECLARE = "declare"
    SIGN_IN = "sign_in"
    CODE = "code"
    LEAVE = "leave"
    SIGN_OUT = "sign_out"
    COMMAND_ANSWER = "command_answer"
    PRUNE = "prune"


ACTS = frozenset({EntryKind.EDIT, EntryKind.DECLARE})
"""What a person does to an incident in the browser, answers apart."""
SIGNING_IN = frozenset({EntryKind.SIGN_IN, EntryKind.CODE, EntryKind.LEAVE})
"""What a browser's session begins and ends with."""
OF_WEB_SIDE = frozenset({EntryKind.ANSWER, EntryKind.WEBHOOK, EntryKind.WISH, EntryKind.ALERT}) | ACTS | SIGNING_IN
"""What only the web side leaves."""
OF_COMMANDS = frozenset(
    {EntryKind.WORD, EntryKind.RESUBSCRIBE, EntryKind.SIGN_OUT, EntryKind.COMMAND_ANSWER, EntryKind.PRUNE}
)
"""What commands leave, and the web side never: words reach the operators as they are."""


class WebhookRoute(StrEnum):
    """What a provider called: an SMS to us, or what became of one of ours."""

    INBOUND = "inbound"
    STATUS = "status"


@dataclass(frozen=True, slots=True)
class AnswerEntry:
    """A person's answer by their signed link, which is of one episode of the incident; or by who is signed in: then
    `session` is the cookie's, the episode 0 (that which is now), and there is no signature.
    """

    kind: ClassVar[EntryKind] = EntryKind.ANSWER
    ref: str
    incident: str
    episode: int
    person: str
    answer: Answer
    signature: str
    session: str = ""


@dataclass(frozen=True, slots=True)
class EditEntry:
    """What a person does to an incident, by their link (`episode` and `signature`, as with an answer) or signed in
    (`session`, episode 0). `version` is the digest of the file's content that their form was made from. `not_healthy`:
    they say of a resolved incident that it is not over; then it is reopened, and of `edit` only the note's text counts.

    Of `edit`: `acknowledgment`, `services` and `summary` are for commands and alerts alone, and who did it and when
    (`by`, `at`, the name in `verified_by`) is for the daemon to say: whatever stands there is not passed on.
    """

    kind: ClassVar[EntryKind] = EntryKind.EDIT
    ref: str
    incident: str
    person: str
    episode: int
    signature: str
    session: str
    version: str
    edit: Edit
    not_healthy: bool = False


@dataclass(frozen=True, slots=True)
class DeclareEntry:
    """An incident that who is signed in declares."""

    kind: ClassVar[EntryKind] = EntryKind.DECLARE
    ref: str
    person: str
    session: str
    title: str
    severity: str
    services: tuple[str, ...] = ()
    summary: str = ""
    impact: str = ""
    public_title: str = ""
    drill: bool = False


@dataclass(frozen=True, slots=True)
class WebhookEntry:
    """A webhook as it came: the path and query that were asked for, the form's values in their order, what the provider
    wrote as its signature.
    """

    kind: ClassVar[EntryKind] = EntryKind.WEBHOOK
    ref: str
    route: WebhookRoute
    address: str
    parameters: tuple[tuple[str, str], ...]
    signature: str


@dataclass(frozen=True, slots=True)
class WishEntry:
    """A reader of updates about an incident asks, by their signed link, to be taken off."""

    kind: ClassVar[EntryKind] = EntryKind.WISH
    ref: str
    incident: str
    reader: str
    signature: str


MARK_LENGTH = 8
"""Letters of the mark that tells one firing of an alert from every other."""


@dataclass(frozen=True, slots=True)
class FiringAlerts:
    """Alerts that fire and whose labels say the same of severity and service, as written there: when the newest of them
    began (UTC), and the marks of all, one after the other.
    """

    severity: str
    service: str
    newest_at: datetime
    marks: str

    @property
    def all_marks(self) -> tuple[str, ...]:
        """The mark of each alert."""
        places = range(0, len(self.marks), MARK_LENGTH)
        return tuple(self.marks[place : place + MARK_LENGTH] for place in places)


@dataclass(frozen=True, slots=True)
class AlertEntry:
    """What a notification of a group of alerts comes to: the group's short name, how its incident reads, how many of
    its alerts were left out by who told it, when the last of those that ended did so (UTC), and those that fire;
    `began_at` is when the first of these began. `links` are web addresses that help, each with its title.
    """

    kind: ClassVar[EntryKind] = EntryKind.ALERT
    ref: str
    group: str
    title: str
    summary: str
    truncated: int
    ended_at: datetime | None
    firing: tuple[FiringAlerts, ...]
    began_at: datetime | None = None
    links: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class WordEntry:
    """A command's word to the operators; `cause` is what counts as the same."""

    kind: ClassVar[EntryKind] = EntryKind.WORD
    ref: str
    cause: str
    text: str


@dataclass(frozen=True, slots=True)
class ResubscribeEntry:
    """An address that unsubscribed is to be told again."""

    kind: ClassVar[EntryKind] = EntryKind.RESUBSCRIBE
    ref: str
    address: str


@dataclass(frozen=True, slots=True)
class SignInEntry:
    """Somebody asks for a code to sign in, by `via` if they can be reached so: whoever `who` is typed for, or a person
    whose own link this shows (`signature`, of that incident and episode). `browser` is the digest of what their browser
    proves itself by.
    """

    kind: ClassVar[EntryKind] = EntryKind.SIGN_IN
    ref: str
    who: str
    via: Channel
    browser: str
    incident: str = ""
    episode: int = 0
    signature: str = ""


@dataclass(frozen=True, slots=True)
class CodeEntry:
    """A code was typed, for the request of that reference, in the browser that `proof` is of. If it is right, `session`
    is the digest of the session to begin.
    """

    kind: ClassVar[EntryKind] = EntryKind.CODE
    ref: str
    request: str
    code: str
    proof: str
    session: str


@dataclass(frozen=True, slots=True)
class LeaveEntry:
    """Somebody signs out of the session of this id."""

    kind: ClassVar[EntryKind] = EntryKind.LEAVE
    ref: str
    session: str


@dataclass(frozen=True, slots=True)
class SignOutEntry:
    """A command's word that a person is to be signed out everywhere; empty: everybody."""

    kind: ClassVar[EntryKind] = EntryKind.SIGN_OUT
    ref: str
    person: str


@dataclass(frozen=True, slots=True)
class CommandAnswerEntry:
    """A person passes, by a command, on what they are asked for in that episode, or accepts where no file can say so
    since it cannot be read (rule 32). Who left it is its proof: somebody who may write incident files, as whoever
    acknowledges in one.
    """

    kind: ClassVar[EntryKind] = EntryKind.COMMAND_ANSWER
    ref: str
    incident: str
    episode: int
    person: str
    answer: Answer


@dataclass(frozen=True, slots=True)
class PruneEntry:
    """A command's word that incidents closed before an instant are to go (UTC). With a person, they stay, and what is
    kept of that person in them goes; `words` are other names and addresses of theirs, `names` those that may be any
    word.
    """

    kind: ClassVar[EntryKind] = EntryKind.PRUNE
    ref: str
    before: datetime
    person: str = ""
    words: tuple[str, ...] = ()
    names: tuple[str, ...] = ()


InboxEntry = (
    AnswerEntry
    | WebhookEntry
    | WishEntry
    | AlertEntry
    | WordEntry
    | ResubscribeEntry
    | EditEntry
    | DeclareEntry
    | SignInEntry
    | CodeEntry
    | LeaveEntry
    | SignOutEntry
    | CommandAnswerEntry
    | PruneEntry
)
"""What lies in the inbox. None of it is believed before it is judged."""
