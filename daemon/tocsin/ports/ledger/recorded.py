"""What a ledger knows of incidents, for whoever asks nothing else: people's commands. They wait for no type of what is
sent or comes in.

Every `Ledger` is one too; what each call gives is said there.
"""

from collections.abc import Collection, Mapping
from typing import Protocol

from tocsin.domain.facts import Fact
from tocsin.domain.incident import Incident
from tocsin.ports.ledger.kept_file import KeptFile
from tocsin.ports.ledger.trouble import Unreadable


class IncidentFacts(Protocol):
    """What happened in one incident."""

    async def facts(self, incident: str) -> tuple[Fact, ...]:
        """All facts of one incident."""
        ...


class RecordedIncidents(Protocol):
    """What who sees and changes incidents asks: what happened in them, and the newest good versions of their files."""

    async def facts(self, incident: str) -> tuple[Fact, ...]:
        """All facts of one incident."""
        ...

    async def unfinished(self) -> dict[str, tuple[Fact, ...] | Unreadable]:
        """The facts of every incident that may still need something."""
        ...

    async def newest_versions(self, incidents: Collection[str]) -> Mapping[str, Incident]:
        """The newest version of each of these incidents."""
        ...

    async def incidents(self) -> tuple[str, ...]:
        """The ids of all incidents ever seen."""
        ...

    async def files(self) -> dict[str, tuple[str, str]]:
        """The file of every incident, and the digest of its newest good version."""
        ...

    async def file(self, incident: str) -> KeptFile | None:
        """That version."""
        ...


class OpenedIncidents(RecordedIncidents, Protocol):
    """The same of a ledger that was opened for it."""

    async def close(self) -> None:
        """Let go of it."""
        ...
