"""The upkeep of a ledger in its database: looks for rows beside the writer, and has it take them."""

from datetime import datetime

from tocsin.adapters.ledger.removal import erasing, pruning
from tocsin.adapters.ledger.store import Store
from tocsin.domain.notification import NOBODY
from tocsin.ports.ledger.upkeep import Erasure, FinishedIncidents


class SqlUpkeep:
    """A port PruningLedger."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def finished_before(self, before: datetime, after: str, most: int) -> FinishedIncidents:
        """The finished ones among so many incidents with ids behind `after` to which nothing has happened since."""
        return await self._store.read(pruning.finished_before(before, after, most))

    async def prune_messages(self, incident: str, most: int) -> int:
        """The first messages of a finished incident go; how many."""
        return await self._prune_messages(incident, None, most)

    async def _prune_messages(self, incident: str, before: datetime | None, most: int) -> int:
        rows = await self._store.read(pruning.messages(incident, before, most))
        return await self._store.commit(pruning.prune_messages, rows) if rows.keys else 0

    async def prune_incident(self, incident: str) -> bool:
        """A finished incident that has no messages left goes."""
        rows = await self._store.read(pruning.incident(incident))
        return rows is not None and await self._store.commit(pruning.prune_incident, rows)

    async def finished_of(self, after: str, most: int) -> FinishedIncidents:
        """The finished ones among so many incidents with ids behind `after`; first messages about none."""
        return await self._store.read(erasing.finished_of(after, most))

    async def erase(self, incident: str, erasure: Erasure) -> bool:
        """The person is in this finished incident no more; whether they were."""
        return await self._store.commit(erasing.erase, erasing.ErasureCall(incident, erasure))

    async def erase_elsewhere(self, erasure: Erasure) -> int:
        """What came in from them and is judged says nothing more, and they are signed out."""
        return await self._store.commit(erasing.erase_elsewhere, erasure)

    async def prune_outdated(self, before: datetime, most: int) -> int:
        """So much of what belongs to no incident that is there goes, from before an instant."""
        rows = await self._store.read(pruning.outdated(before, most))
        number = await self._store.commit(pruning.prune_outdated, rows) if any(rows) else 0
        return number + await self._prune_messages(NOBODY, before, most)
