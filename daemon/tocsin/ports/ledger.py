"""The durable record."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from tocsin.domain.arrival import Arrival, Arrives, Reserved
from tocsin.domain.delivery import Attempt, Letter, Outcome, Receipt, Record
from tocsin.domain.facts import Answered, Fact
from tocsin.domain.notification import Notification, Suppression
from tocsin.domain.people import Channel
from tocsin.ports.tally import Tally


@dataclass(frozen=True, slots=True)
class Report:
    """What another process wants the operators to know: its row in the ledger, when it was written, what counts as the
    same trouble, and the sentence.
    """

    row: int
    at: datetime
    cause: str
    text: str


class LedgerError(Exception):
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
