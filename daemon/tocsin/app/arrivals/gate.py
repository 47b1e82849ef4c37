"""What the daemon lets in from the inbox: an entry that is whole, from whom it may be, and signed by whom it says.

What is refused leaves no trace in the ledger. What an entry leads to is decided by those who judge arrivals.
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from tocsin.app.arrivals.webhooks import webhook_arrival
from tocsin.app.reply_options import seals, signed_links
from tocsin.app.sign_in.judge import BY_LINK, BY_NAME
from tocsin.app.sign_in.named_person import named_person
from tocsin.app.sign_in.typed_code import tried_code
from tocsin.app.state.active_config import ActiveConfig
from tocsin.app.state.open_sessions import OpenSessions
from tocsin.app.state.sign_in_codes import SignInCodes
from tocsin.domain.arrival import (
    OF_COMMANDS,
    OF_WEB_SIDE,
    AlertEntry,
    AnswerEntry,
    Arrival,
    ArrivalKind,
    CodeEntry,
    CommandAnswerEntry,
    DeclareEntry,
    EditEntry,
    InboxEntry,
    LeaveEntry,
    PruneEntry,
    ResubscribeEntry,
    SignInEntry,
    SignOutEntry,
    WebhookEntry,
    WishEntry,
    WordEntry,
)
from tocsin.domain.people import session_digest
from tocsin.formats.inbox.entries import read_entry, write_entry
from tocsin.formats.inbox.names import read_entry_name
from tocsin.ports.clock import Clock
from tocsin.ports.inbox import InboxFile

UNSIGNED = (
    "no signing key of the daemon's has signed it: "
    "have the daemon and the web side use the same TOCSIN_WEB__SIGNING_KEY, and restart both"
)
NO_SESSION = "whose name it bears is not signed in there, or not any more"
STILL_SIGNED_IN = timedelta(hours=1)
"""How long a session counts beyond its end for what was left while it held and waited for the daemon."""
WAITED_MOST = timedelta(days=7)
"""How long what is left may have waited: what its file system says of a time before that is a clock that was wrong."""
ROOT = "root"
"""Who owns what root has left."""
SIGNED_IN = "session"
"""What the body of an edit begins with where its author is signed in, else BY_LINK."""


@dataclass(frozen=True, slots=True)
class EntryRefused:
    """Why an entry is not let in, as the end of a sentence, and what it is. `by_stranger`: anybody on earth can bring
    that about, so it is no news to operators.
    """

    what: str
    why: str
    by_stranger: bool = False


class Gate:
    """Judges files of the inbox by the config in force."""

    def __init__(self, clock: Clock, config: ActiveConfig, sessions: OpenSessions, codes: SignInCodes) -> None:
        self._clock = clock
        self._config = config
        self._sessions = sessions
        self._codes = codes

    async def refresh(self) -> None:
        """Know who is signed in now. The daemon that leads always does."""

    def admit(self, file: InboxFile) -> Arrival | EntryRefused | None:
        """What came in with a file; None: nothing that means anything to us."""
        name = read_entry_name(file.name)
        if file.fault or name is None:
            return EntryRefused("something", file.fault or "its name is not that of an entry")
        entry = read_entry(file.data)
        if isinstance(entry, str):
            return EntryRefused(f"an entry ({name.kind})", entry)
        if (entry.kind, entry.ref) != (name.kind, name.ref):
            return EntryRefused(f"an entry ({name.kind})", "its name says something else than the entry")
        if entry.kind in OF_WEB_SIDE and not file.of_web_side:
            return EntryRefused(
                f"an entry ({name.kind})",
                f"{file.owner} has left it, and only the inbox's own user may: make the web side's user the owner of "
                f"the folder (docs/installing.md), or ask {file.owner} what this was",
            )
        if entry.kind in OF_COMMANDS and file.of_web_side and not file.ours:
            return EntryRefused(
                f"an entry ({name.kind})",
                "the web side's user has left it, and only commands do: stop it and look how it was broken into",
            )
        entry = seals.opened(entry, self._config.reply_routes.keys)
        if isinstance(entry, CommandAnswerEntry) and not file.of_responder:
            return EntryRefused(
                f"an entry ({name.kind})",
                f"{file.owner or 'whoever'} has left it, and may not write incident files: who answers by command is "
                "to be in the group that does",
            )
        if isinstance(entry, PruneEntry) and not file.ours and file.owner != ROOT:
            return EntryRefused(
                f"an entry ({name.kind})",
                f"{file.owner or 'whoever'} has left it, and only root and the daemon's own user may prune the ledger",
            )
        return self._arrival(entry, self._left_at(file))

    def _left_at(self, file: InboxFile) -> datetime:
        """When it was left, which may have been while no daemon ran: by its file system, as far as that can be true,
        and never by its name, which is whoever left it's own.
        """
        now = self._clock.now()
        return max(min(file.lies_since or now, now), now - WAITED_MOST)

    def _arrival(self, entry: InboxEntry, at: datetime) -> Arrival | EntryRefused | None:
        keys = self._config.reply_routes.keys
        match entry:
            case AnswerEntry():
                if why := self._unproven(entry, at):
                    return EntryRefused("an answer by link", why)
                body = f"{entry.answer.value} {entry.episode} {entry.incident}"
                return Arrival(ArrivalKind.ANSWER, entry.ref, entry.person, body, at)
            case WishEntry():
                if not signed_links.verified(keys, entry.signature, "unsubscribe", entry.incident, entry.reader):
                    return EntryRefused("a reader's wish", UNSIGNED)
                return Arrival(ArrivalKind.UNSUBSCRIBE, entry.ref, entry.reader, entry.incident, at)
            case WebhookEntry():
                arrival = webhook_arrival(entry, self._config.settings, at)
                return EntryRefused("a webhook", arrival, by_stranger=True) if isinstance(arrival, str) else arrival
            case AlertEntry():
                return Arrival(ArrivalKind.ALERT, entry.ref, entry.group, write_entry(entry).decode(), at)
            case EditEntry() | DeclareEntry():
                return self._act(entry, at)
            case WordEntry() | ResubscribeEntry() | CommandAnswerEntry() | PruneEntry():
                return _of_command(entry, at)
            case SignInEntry():
                return self._request(entry, at)
            case CodeEntry() | LeaveEntry() | SignOutEntry():
                return self._session(entry, at)

    def _session(self, entry: CodeEntry | LeaveEntry | SignOutEntry, at: datetime) -> Arrival | EntryRefused:
        """A session is to begin, if the code is right, or to end. Neither code nor id goes any further."""
        match entry:
            case CodeEntry():
                return self._typed(entry, at)
            case LeaveEntry():
                return Arrival(ArrivalKind.SIGN_OUT, entry.ref, "", session_digest(entry.session), at)
            case SignOutEntry():
                return Arrival(ArrivalKind.SIGN_OUT, entry.ref, entry.person, "", at)

    def _typed(self, entry: CodeEntry, at: datetime) -> Arrival | EntryRefused:
        """Whether a code is right, which only the daemon that made it knows."""
        return tried_code(self._codes, entry, at, self._clock.now())

    def _request(self, entry: SignInEntry, at: datetime) -> Arrival | EntryRefused | None:
        """Who asks for a code. Of somebody who is nobody of the config nothing is kept; whoever asked is answered as
        anybody is.
        """
        if entry.signature:
            keys = self._config.reply_routes.keys
            link = entry.signature, entry.incident, entry.who, entry.episode
            if not signed_links.answer_is_signed(keys, *link):
                return EntryRefused("a request to sign in", UNSIGNED)
            return Arrival(ArrivalKind.SIGN_IN, entry.ref, entry.who, f"{entry.via} {entry.browser} {BY_LINK}", at)
        person = named_person(self._config.policy.people.values(), entry.who)
        if person is None:
            return None
        return Arrival(ArrivalKind.SIGN_IN, entry.ref, person.id, f"{entry.via} {entry.browser} {BY_NAME}", at)

    def _act(self, entry: EditEntry | DeclareEntry, at: datetime) -> Arrival | EntryRefused:
        """What somebody does to an incident, or declares. What proves who it is goes no further."""
        if why := self._unproven(entry, at):
            return EntryRefused(f"an entry ({entry.kind})", why)
        if isinstance(entry, DeclareEntry):
            body = write_entry(replace(entry, session="")).decode()
            return Arrival(ArrivalKind.DECLARE, entry.ref, entry.person, body, at)
        body = write_entry(replace(entry, session="", signature="")).decode()
        proof = SIGNED_IN if entry.session else BY_LINK
        return Arrival(ArrivalKind.EDIT, entry.ref, entry.person, f"{proof} {body}", at)

    def _unproven(self, entry: AnswerEntry | EditEntry | DeclareEntry, at: datetime) -> str:
        """Why it is not shown to be of the person whose name it bears; empty: it is."""
        if isinstance(entry, DeclareEntry) or entry.session:
            when = max(at, self._clock.now() - STILL_SIGNED_IN)
            return "" if self._sessions.person_of(entry.session, when) == entry.person else NO_SESSION
        keys, episode = self._config.reply_routes.keys, entry.episode
        is_signed = episode and signed_links.answer_is_signed(
            keys, entry.signature, entry.incident, entry.person, episode
        )
        return "" if is_signed else UNSIGNED


def _of_command(entry: WordEntry | ResubscribeEntry | CommandAnswerEntry | PruneEntry, at: datetime) -> Arrival:
    """What a command left: who may was looked at before."""
    match entry:
        case WordEntry():
            return Arrival(ArrivalKind.WORD, entry.ref, entry.cause, entry.text, at)
        case ResubscribeEntry():
            return Arrival(ArrivalKind.RESUBSCRIBE, entry.ref, entry.address, "", at)
        case PruneEntry():
            return Arrival(ArrivalKind.PRUNE, entry.ref, "", write_entry(entry).decode(), at)
        case CommandAnswerEntry():
            body = f"{entry.answer.value} {entry.episode} {entry.incident}"
            return Arrival(ArrivalKind.ANSWER, entry.ref, entry.person, body, at)
