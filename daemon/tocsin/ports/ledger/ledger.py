"""The durable record, as one small protocol for each group of its readers; `Ledger` is their sum.

Every call is one transaction: on disk when it returns, without a trace when it raises LedgerError. Instants are passed
in, never asked for. Rows count upwards and are never given twice, so that a row serves as a cursor.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Protocol

from tocsin.domain.arrival import Arrival, ArrivalKind, Judgement, OptOut, ReservedCode
from tocsin.domain.delivery import Attempt, Bundle, Letter, Outcome, Proof, Receipt, Record
from tocsin.domain.facts import Answered, Fact
from tocsin.domain.history import IncidentSummary
from tocsin.domain.incident import Incident
from tocsin.domain.notification import AnswerLink, Notification, Suppression
from tocsin.domain.people import Channel, Session
from tocsin.ports.ledger.kept_file import FileLedger
from tocsin.ports.ledger.tally import Tally
from tocsin.ports.ledger.trouble import Unreadable
from tocsin.ports.ledger.upkeep import PrunedLedger


@dataclass(frozen=True, slots=True)
class KeptConfig:
    """A config that was in force: its revision, since when, its files by their names, and the code by which a signing
    key vouches for all of it; empty: none does. `templates` are those in force with it, by their paths in their folder;
    None: none were kept. `sealed`: the ledger's own key vouches for it, which its daemon alone can use.
    """

    revision: str
    since: datetime
    files: Mapping[str, bytes]
    mac: str = ""
    templates: Mapping[str, str] | None = None
    sealed: bool = field(default=False, compare=False)


class DecisionLedger(Protocol):
    """Where a decision is written down, before anybody tries to send what it brings about."""

    async def record(
        self,
        incident: str,
        facts: Sequence[Fact],
        letters: Sequence[Letter],
        held: Sequence[Suppression],
        anew: datetime | None = None,
    ) -> frozenset[str]:
        """Write facts and notifications together, and whom the links in the words are for; the keys of the letters that
        were new. A key already there stays as it is. `anew`: what was recorded before that instant cannot be read, is
        put aside, and counts no more; of its letters those that want an answer are superseded, and those that cannot
        be read (rule 63).
        """
        ...


class FactLedger(DecisionLedger, Protocol):
    """What happened in each incident, and what was decided about it."""

    async def finish(self, incident: str) -> None:
        """Nothing can become due for this incident again without a new fact: a start need not load it."""
        ...

    async def facts(self, incident: str) -> tuple[Fact, ...]:
        """All facts of one incident, in the order recorded. Raises UnreadableError."""
        ...

    async def newest_versions(self, incidents: Collection[str]) -> Mapping[str, Incident]:
        """The newest version of each of these incidents that was seen and can be read."""
        ...

    async def summaries(self, incidents: Collection[str]) -> Mapping[str, IncidentSummary]:
        """What each of these is known by without its whole story, if its newest version can be read."""
        ...

    async def records(self, incident: str) -> tuple[Record, ...]:
        """Everything decided for an incident that can be read, to be sent or held back, in the order decided."""
        ...

    async def unfinished(self) -> dict[str, tuple[Fact, ...] | Unreadable]:
        """The facts of every incident that may still need something, by its id."""
        ...

    async def incidents(self) -> tuple[str, ...]:
        """The ids of all incidents ever seen."""
        ...

    async def last_closed(self, most: int) -> tuple[tuple[str, datetime], ...]:
        """The incidents that were closed last, the newest first, each once with the instant."""
        ...


class IncidentLedger(FactLedger, FileLedger, PrunedLedger, Protocol):
    """All that is kept of incidents."""


class DeliveryLedger(Protocol):
    """What became of each notification: its attempts, their outcomes and receipts, and how it was settled."""

    async def begin_attempt(
        self, key: str, via: Channel, address: str, at: datetime, possible_duplicate: str = "", *, provider: str = ""
    ) -> Attempt:
        """Record an attempt before its first byte leaves. Attempts are numbered from 1 for each key."""
        ...

    async def begin_bundle(
        self,
        bundle: Bundle,
        keys: Sequence[str],
        via: Channel,
        address: str,
        at: datetime,
        causes: Mapping[str, str],
        *,
        provider: str = "",
    ) -> tuple[Attempt, ...]:
        """Record one try of a bundle before its first byte leaves: an attempt for each of these keys, in their order.
        `causes`: for those keys that may have left before, why. The words of a bundle already known stay.
        """
        ...

    async def bundle(self, id_: str) -> Bundle | None:
        """A bundle by its id."""
        ...

    async def answer_link(self, digest: str) -> AnswerLink | None:
        """Whom a short link is for, by the digest of what it ends with (P8 TOKEN); None: no message had such a one."""
        ...

    async def end_attempt(self, attempt: Attempt, outcome: Outcome, at: datetime) -> None:
        """Record how an attempt ended. A later outcome replaces an earlier one, unless it says less (CERTAINTY)."""
        ...

    async def end_and_settle(
        self, ended: Sequence[tuple[Attempt, Outcome, datetime]], settled: Sequence[tuple[str, str, datetime]]
    ) -> None:
        """Record how attempts ended, each with its outcome and when, and for which keys nothing more is tried, each
        with its state and when, together, as `end_attempt` and `settle` do it. A process that does not lead
        any more writes the ends alone, and hears that.
        """
        ...

    async def record_receipt(self, attempt: Attempt, receipt: Receipt, at: datetime, code: str = "") -> None:
        """What the provider said became of an attempt, by `code` why it was not delivered; never moves backwards."""
        ...

    async def settle(self, key: str, state: str, at: datetime) -> None:
        """Nothing more will be tried for this notification: "accepted", "refused", "superseded", "unwanted". The first
        state stands.
        """
        ...

    async def find_attempt(self, attempt: str) -> tuple[tuple[Attempt, Notification], ...]:
        """An attempt by its id, and the notification it was for; then, of a bundle, all that left with it in the same
        try. Empty: there is none.
        """
        ...

    async def sent_pages(self, since: datetime, person: str = "") -> tuple[tuple[Notification, Attempt], ...]:
        """What the room of each address is reckoned from at a start (rule 45): every attempt at a page begun since
        then, and of incidents that are not finished the first one at a page of each episode to each address; to one
        person, if somebody is named. In the order begun.
        """
        ...

    async def unsettled(self) -> tuple[Letter, ...]:
        """Every letter that is not settled and can be read, with its attempts, oldest first."""
        ...

    async def unreadable_letters(self) -> tuple[Unreadable, ...]:
        """The incidents with a letter that is not settled and cannot be read, or an attempt of one; each once."""
        ...

    async def settle_unreadable(self, incident: str, at: datetime) -> None:
        """Such letters of an incident are given up: they are settled as unwanted."""
        ...

    async def refusals(self) -> tuple[Attempt, ...]:
        """The newest attempt at each address that the provider took or refused for good, where that was a refusal."""
        ...


class SendLedger(DecisionLedger, DeliveryLedger, Protocol):
    """What whoever sends needs: also letters that left before the ledger could take them are written down."""


class StartLedger(IncidentLedger, DeliveryLedger, Protocol):
    """What a start recalls."""


class ArrivalLedger(Protocol):
    """What came in from outside (SMS, receipts), and the reply codes by which an SMS names its incident."""

    async def record_arrival(self, arrival: Arrival) -> bool:
        """Keep something that came in. False when its kind and `ref` are known: it counts once."""
        ...

    async def unjudged_arrivals(self) -> tuple[tuple[int, Arrival | Unreadable], ...]:
        """What came in and is to be judged, oldest first, with its row; not what is judged apart. There may be more."""
        ...

    async def unjudged_alerts(self) -> tuple[tuple[int, Arrival | Unreadable], ...]:
        """The alerts among it: they are judged apart, since whoever writes them into a folder may have to wait."""
        ...

    async def unjudged_acts(self) -> tuple[tuple[int, Arrival | Unreadable], ...]:
        """What people declare in the browser, then their edits, of each person in turn: judged apart for that, too."""
        ...

    async def news(self, within: float) -> None:
        """Wait for what comes in, for so many seconds at most; not where others write too, nor while some waits."""
        ...

    async def unjudged_hand_ins(self, under_way: Collection[int] = ()) -> tuple[tuple[int, Arrival | Unreadable], ...]:
        """What other machines handed in, oldest first: judged apart, too. Without the rows that are `under_way`."""
        ...

    async def record_result(self, row: int, result: str, words: str = "") -> None:
        """An arrival led to `result`, a word; `words` are a sentence for whoever waits for it. The first ones stand."""
        ...

    async def outcome(self, kind: ArrivalKind, ref: str) -> Judgement | None:
        """What became of an arrival; None: it is not judged yet, or nothing of that kind and `ref` came in."""
        ...

    async def has_arrived(self, kind: ArrivalKind, ref: str) -> bool:
        """Whether an arrival of that kind and `ref` is there, judged or not."""
        ...

    async def newest_results(self, kind: ArrivalKind, who: str, most: int) -> tuple[str, ...]:
        """What the newest judged arrivals of somebody led to, newest first."""
        ...

    async def results_since(self, kind: ArrivalKind, who: str, since: datetime) -> tuple[tuple[datetime, str], ...]:
        """When each judged arrival of somebody after an instant came in, and what it led to, oldest first."""
        ...

    async def last_arrival_at(self, kind: ArrivalKind) -> datetime | None:
        """When the newest of a kind came in."""
        ...

    async def reserved_codes(self, since: datetime) -> tuple[ReservedCode, ...]:
        """The reply codes of incidents that are open or were closed after `since`, in the order given."""
        ...


class AnswerLedger(Protocol):
    """Answers that are about all that somebody is asked for (rule 47)."""

    async def pages_handed_over(self, person: str, until: datetime, *, begun: bool) -> frozenset[tuple[str, int]]:
        """The incidents that are not finished, each with the episode, of which a provider took a page to that person
        (or may have), not after `until`; with `begun`, in a try that had begun by then, whenever it ended.
        """
        ...

    async def record_answers(self, answers: Sequence[tuple[str, Answered]], letter: Letter) -> bool:
        """Write down answers, each with its incident, and the letter that tells their sender of them, together. False,
        and nothing is written: the letter's key is known.
        """
        ...


class AddressLedger(Protocol):
    """What is known of addresses."""

    async def opt_outs(self) -> tuple[OptOut, ...]:
        """Every address that wants nothing more, in the order they said so."""
        ...

    async def opt_out(self, opt_out: OptOut) -> None:
        """Nothing more goes to this address. The first time it said so stands."""
        ...

    async def opt_in(self, via: Channel, address: str) -> bool:
        """This address may be written to again. False: it might all along."""
        ...

    async def proofs(self) -> Mapping[tuple[Channel, str], Proof]:
        """When each address last proved to work: a number by a receipt that says so or an SMS from it, a mailbox by a
        mail to it that was accepted.
        """
        ...


class SessionLedger(Protocol):
    """Who is signed in (P8). A session that is over, or whose person left the config, may stand there a while yet."""

    async def begin_session(self, session: Session) -> None:
        """Somebody has signed in. A digest already there keeps its person."""
        ...

    async def end_sessions(self, digests: Collection[str]) -> None:
        """These are over."""
        ...

    async def sessions(self) -> tuple[Session, ...]:
        """All that can be read, in the order they began."""
        ...

    async def session(self, digest: str) -> Session | None:
        """One of them; None: there is none."""
        ...


class ConfigLedger(Protocol):
    """The configs that were in force."""

    async def record_config(
        self,
        revision: str,
        files: Mapping[str, bytes],
        at: datetime,
        mac: str = "",
        templates: Mapping[str, str] | None = None,
    ) -> None:
        """A good config, or other templates, came into force. `mac`: the code by which a signing key vouches for it."""
        ...

    async def last_good_config(self) -> KeptConfig | None:
        """The config that came into force last. One that cannot be read is none."""
        ...

    async def kept_files(self) -> Sequence[Mapping[str, bytes]]:
        """The files of all configs that are kept and can be read, the newest first."""
        ...


class NoticeLedger(Protocol):
    """When each cause was last told to the operators."""

    async def claim_notice(self, cause: str, at: datetime, quiet: timedelta) -> bool:
        """Whether operators may hear of this cause now: they were not told of it within `quiet`. Counts as telling."""
        ...

    async def noticed_at(self, cause: str) -> datetime | None:
        """When this cause was last told; None: never."""
        ...

    async def noticed(self, trouble: str) -> Mapping[str, datetime]:
        """Every cause of a trouble that was told, and when last."""
        ...


class ClockLedger(Protocol):
    """Recorded instants, put right after the clock was wrong. What people wrote into incident files is left alone."""

    async def move_clock(self, by: timedelta, now: datetime) -> None:
        """The clock was put forward by `by` (back if it is less than nothing) and says `now`: all that is recorded of
        incidents that may still need something, and all that waits, is moved with it (rule 60).
        """
        ...

    async def bring_back(self, now: datetime) -> timedelta:
        """Nothing of that is later than now any more (rule 59). Gives how far ahead the latest was; nothing if none."""
        ...


class Ledger(
    IncidentLedger,
    DeliveryLedger,
    ArrivalLedger,
    AnswerLedger,
    AddressLedger,
    SessionLedger,
    ConfigLedger,
    NoticeLedger,
    ClockLedger,
    Protocol,
):
    """The whole record, for those who wire it up."""

    async def tally(self, settled_before: datetime) -> Tally:
        """What the ledger holds, in numbers. Settled rows begun before that may count as they were found first."""
        ...

    async def close(self) -> None:
        """Finish what is queued and let go of the file."""
        ...
