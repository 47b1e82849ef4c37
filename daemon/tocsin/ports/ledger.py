"""Every seam to the world, on one screen. Adapters implement these; fakes in `tests/fakes` pass the same suites."""

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from tocsin.domain.arrival import Arrival, Arrives, Reserved
from tocsin.domain.delivery import Attempt, Content, Fate, Message, Outcome, Receipt
from tocsin.domain.facts import Answered, Fact
from tocsin.domain.history import History
from tocsin.domain.incident import Incident
from tocsin.domain.invitation import NO_INVITATION, Invitation
from tocsin.domain.notification import Notification, Suppression
from tocsin.domain.people import Channel
from tocsin.domain.policy import Policy
from tocsin.ports.tally import Tally


class Clock(Protocol):
    """The one place that knows what time it is."""

    def now(self) -> datetime:
        """This instant, aware, in UTC. It never jumps while the process runs."""
        ...


@dataclass(frozen=True, slots=True)
class Listed:
    """One incident file as found: its name, and its bytes or why they cannot be had (`trouble`)."""

    name: str
    data: bytes | None
    digest: str
    trouble: str = ""


class Folder(Protocol):
    """The folder of incident files. Only regular files are opened, never links, FIFOs, sockets or devices."""

    def scan(self) -> Sequence[Listed] | str:
        """Every file that counts, or a sentence that says why the folder cannot be read. It blocks."""
        ...

    def pokes(self) -> AsyncIterator[None]:
        """Something may have changed. Says not what (house rule 4); survives the folder's removal."""
        ...


@dataclass(frozen=True, slots=True)
class Letter:
    """A notification with its words, as the ledger keeps it until it is settled."""

    notification: Notification
    content: Content
    attempts: tuple[Attempt, ...] = ()


@dataclass(frozen=True, slots=True)
class Record:
    """What was decided about one message, and what became of it (P6). A Suppression has neither words nor tries.

    `receipt` is what the provider said last of the newest try that it spoke of; `state` is "pending", how it was
    settled, or "held".
    """

    decided: Notification | Suppression
    content: Content | None = None
    attempts: tuple[Attempt, ...] = ()
    receipt: Receipt | None = None
    state: str = "held"
    settled_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Report:
    """What another process wants the operators to know: its row in the ledger, when it was written, what counts as the
    same trouble, and the sentence.
    """

    row: int
    at: datetime
    cause: str
    text: str


class LedgerTrouble(Exception):  # noqa: N818 - the word of the field
    """The ledger cannot be written or read now (a full disk, a lock, a fault). Nothing of the call is on disk."""


class Ledger(Protocol):
    """The durable record. Each call is one transaction, on disk when it returns. Times are passed in, never asked."""

    async def record(
        self,
        incident: str,
        facts: Sequence[Fact],
        letters: Sequence[Letter],
        held: Sequence[Suppression],
    ) -> frozenset[str]:
        """Write facts and notifications together; the keys that were new. A key already there stays as it is."""
        ...

    async def begin(self, key: str, via: Channel, address: str, at: datetime, possible_duplicate: str = "") -> Attempt:
        """Record a try before its first byte leaves."""
        ...

    async def end(self, attempt: Attempt, outcome: Outcome, at: datetime) -> None:
        """Record how a try ended."""
        ...

    async def settle(self, key: str, state: str, at: datetime) -> None:
        """Nothing more will be tried for this notification: "accepted", "refused", "superseded", "unwanted"."""
        ...

    async def receipt(self, attempt: Attempt, receipt: Receipt, at: datetime) -> None:
        """What the provider said became of a try; never moves backwards."""
        ...

    async def tried(self, attempt: int) -> tuple[Attempt, Notification] | None:
        """A try by its id, and what it was a try of."""
        ...

    async def refusals(self) -> tuple[Attempt, ...]:
        """The newest try at each address that the provider took or refused for good, where that was a refusal."""
        ...

    async def facts(self, incident: str) -> tuple[Fact, ...]:
        """All facts of one incident, in the order recorded."""
        ...

    async def unfinished(self) -> dict[str, tuple[Fact, ...]]:
        """The facts of every incident that may still need something, by its id."""
        ...

    async def finish(self, incident: str) -> None:
        """Nothing can become due for this incident again without a new fact: a start need not load it."""
        ...

    async def incidents(self) -> tuple[str, ...]:
        """The ids of all incidents ever seen."""
        ...

    async def closed_last(self, most: int) -> tuple[tuple[str, datetime], ...]:
        """The incidents that were closed last, the newest first, each once with the instant."""
        ...

    async def keep_file(self, incident: str, file: str, digest: str, data: bytes) -> None:
        """Keep the bytes of the newest good version of an incident's file."""
        ...

    async def files(self) -> dict[str, tuple[str, str]]:
        """For every incident the name of its file and the digest of its newest good version."""
        ...

    async def file(self, incident: str) -> tuple[str, bytes] | None:
        """The name and the bytes of the newest good version of an incident's file."""
        ...

    async def answered_since(self, last: int) -> tuple[tuple[int, str, Answered], ...]:
        """Answers recorded by other processes after a row of the ledger: (row, incident, answer), in order."""
        ...

    async def report(self, cause: str, text: str, at: datetime) -> None:
        """Leave word for the operators: the daemon tells them, since all messages go its way. Only the newest stay."""
        ...

    async def reported_since(self, last: int) -> tuple[Report, ...]:
        """Words left for the operators after a row of the ledger, in order."""
        ...

    async def arrive(self, arrival: Arrival) -> bool:
        """Keep something that came in. False when its `ref` is known: it counts once."""
        ...

    async def arrivals(self) -> tuple[tuple[int, Arrival], ...]:
        """What came in and is not judged yet, oldest first, each with its row."""
        ...

    async def judged(self, row: int, result: str) -> None:
        """An arrival needs nothing more; `result` is a word for what it led to."""
        ...

    async def results(self, kind: Arrives, who: str, most: int) -> tuple[str, ...]:
        """What the newest judged arrivals of somebody led to, newest first."""
        ...

    async def arrived_last(self, kind: Arrives) -> datetime | None:
        """When the newest of a kind came in."""
        ...

    async def reserved(self, since: datetime) -> tuple[Reserved, ...]:
        """The reply codes of incidents that are open or were closed after `since`, in the order given."""
        ...

    async def remember_config(self, revision: str, files: Mapping[str, bytes], at: datetime) -> None:
        """A good config came into force."""
        ...

    async def last_good_config(self) -> tuple[str, datetime, dict[str, bytes]] | None:
        """The config that came into force last: its revision, since when, and its files."""
        ...

    async def notice(self, cause: str, at: datetime, quiet: timedelta) -> bool:
        """Whether operators may hear of this cause now: they were not told of it within `quiet`. Counts as telling."""
        ...

    async def noticed_at(self, cause: str) -> datetime | None:
        """When this cause was last told; None: never."""
        ...

    async def unsettled(self) -> tuple[Letter, ...]:
        """Every notification that is not settled, with its attempts, oldest first."""
        ...

    async def records(self, incident: str) -> tuple[Record, ...]:
        """Everything decided for an incident, to be sent or held back, in the order decided."""
        ...

    async def tally(self, settled_before: datetime) -> Tally:
        """What the ledger holds, in numbers. Settled rows begun before that instant may count as they were found
        first: they change no more.
        """
        ...

    async def close(self) -> None:
        """Finish what is queued and let go of the file."""
        ...


class Transport(Protocol):
    """One way out: a provider of one channel."""

    @property
    def receipts(self) -> bool:
        """Whether the provider tells later what became of a message."""
        ...

    async def send(self, message: Message) -> Outcome:
        """Try once, within the transport's own deadline. Never raises; cancellation gives no outcome."""
        ...

    async def find(self, message: Message, since: datetime) -> Outcome:
        """After an uncertain send: Accepted when the provider has it, Deferred when it surely has not (yet),
        Uncertain when it cannot say.
        """
        ...

    async def fate(self, provider_id: str) -> Fate:
        """What became of an accepted message."""
        ...

    async def close(self) -> None:
        """Let go of connections."""
        ...


class Renderer(Protocol):
    """Words for a notification. Never raises and never waits long: a broken template gives the built-in text."""

    def render(
        self,
        notification: Notification,
        incident: Incident,
        history: History,
        policy: Policy,
        invitation: Invitation = NO_INVITATION,
    ) -> Content:
        """The words this reader gets. `history` is from before the decision."""
        ...


class ServiceManager(Protocol):
    """Who started us and wants to know how we are (systemd's notify protocol, or nobody)."""

    def ready(self, status: str) -> None:
        """Start-up is over."""
        ...

    def reloading(self) -> None:
        """A reload begins; `ready` ends it."""
        ...

    def stopping(self) -> None:
        """We are on the way out."""
        ...

    def healthy(self) -> None:
        """A full pass went well: feeds the watchdog."""
        ...


class Heartbeat(Protocol):
    """A dead man's switch outside this machine: it raises the alarm when the pings stop."""

    async def ping(self, url: str) -> str:
        """Tell it that we live. Empty when it heard us, else why not. Never raises."""
        ...
