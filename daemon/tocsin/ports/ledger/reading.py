"""The ledger for whoever may only read it: the web side, and what its pages are made of. No call of these writes.

Every `Ledger` is one too; what each call gives is said there.
"""

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Protocol

from tocsin.domain.arrival import ArrivalKind, Judgement, OptOut, ReservedCode
from tocsin.domain.delivery import Attempt, Proof, Record
from tocsin.domain.facts import Fact
from tocsin.domain.history import IncidentSummary
from tocsin.domain.incident import Incident
from tocsin.domain.notification import AnswerLink, Notification
from tocsin.domain.people import Channel, Session
from tocsin.ports.ledger.kept_file import KeptFile
from tocsin.ports.ledger.ledger import KeptConfig
from tocsin.ports.ledger.tally import Tally
from tocsin.ports.ledger.trouble import Unreadable


class IncidentRecords(Protocol):
    """What happened in each incident, and what was decided about it."""

    async def facts(self, incident: str) -> tuple[Fact, ...]:
        """All facts of one incident."""
        ...

    async def newest_versions(self, incidents: Collection[str]) -> Mapping[str, Incident]:
        """The newest version of each of these incidents."""
        ...

    async def records(self, incident: str) -> tuple[Record, ...]:
        """Everything decided for an incident."""
        ...

    async def unfinished(self) -> dict[str, tuple[Fact, ...] | Unreadable]:
        """The facts of every incident that may still need something."""
        ...

    async def incidents(self) -> tuple[str, ...]:
        """The ids of all incidents ever seen."""
        ...

    async def last_closed(self, most: int) -> tuple[tuple[str, datetime], ...]:
        """The incidents that were closed last."""
        ...


class KeptFiles(Protocol):
    """What the ledger keeps of incidents and their files, to find them again."""

    async def summaries(self, incidents: Collection[str]) -> Mapping[str, IncidentSummary]:
        """What each of these is known by."""
        ...

    async def files(self) -> dict[str, tuple[str, str]]:
        """The file of every incident, and the digest of its newest good version."""
        ...

    async def file(self, incident: str) -> KeptFile | None:
        """That version."""
        ...

    async def noticed(self, trouble: str) -> Mapping[str, datetime]:
        """Of which causes of a trouble operators were told, and when last."""
        ...


class AddressRecords(Protocol):
    """What is known of addresses."""

    async def refusals(self) -> tuple[Attempt, ...]:
        """The newest attempt at each address that was taken or refused for good, where it was refused."""
        ...

    async def opt_outs(self) -> tuple[OptOut, ...]:
        """Every address that wants nothing more."""
        ...

    async def proofs(self) -> Mapping[tuple[Channel, str], Proof]:
        """When each address last proved to work."""
        ...


class OpenedAddresses(AddressRecords, Protocol):
    """The same of a ledger that was opened for it."""

    async def close(self) -> None:
        """Let go of it."""
        ...


class SentReader(IncidentRecords, Protocol):
    """What was sent, and of which incidents."""

    async def sent_pages(self, since: datetime, person: str = "") -> tuple[tuple[Notification, Attempt], ...]:
        """What the room of each address is reckoned from."""
        ...


class ConfigInForce(Protocol):
    """The config that is in force, as the ledger keeps it."""

    async def last_good_config(self) -> KeptConfig | None:
        """The config that came into force last."""
        ...


class LedgerReader(SentReader, KeptFiles, ConfigInForce, Protocol):
    """All that the web side asks of a ledger."""

    async def outcome(self, kind: ArrivalKind, ref: str) -> Judgement | None:
        """What became of an arrival."""
        ...

    async def has_arrived(self, kind: ArrivalKind, ref: str) -> bool:
        """Whether an arrival is there, judged or not."""
        ...

    async def answer_link(self, digest: str) -> AnswerLink | None:
        """Whom a short link is for."""
        ...

    async def session(self, digest: str) -> Session | None:
        """Who signed in with the cookie of this digest."""
        ...

    async def reserved_codes(self, since: datetime) -> tuple[ReservedCode, ...]:
        """The reply codes that are in use."""
        ...

    async def opt_outs(self) -> tuple[OptOut, ...]:
        """Every address that wants nothing more."""
        ...

    async def noticed_at(self, cause: str) -> datetime | None:
        """When this cause was last told."""
        ...

    async def tally(self, settled_before: datetime) -> Tally:
        """What the ledger holds, in numbers."""
        ...
