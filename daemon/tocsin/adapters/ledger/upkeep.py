"""The upkeep of a ledger in its database: looks for rows beside the writer, and has it take them."""

from collections.abc import AsyncIterator, Sequence
from datetime import datetime

from tocsin.adapters.ledger.removal import erasing, erasing_elsewhere, pruning
from tocsin.adapters.ledger.removal.forgotten import Forgotten
from tocsin.adapters.ledger.removal.row_changes import RowChanges, write_changes
from tocsin.adapters.ledger.store import Store
from tocsin.domain.notification import NOBODY
from tocsin.ports.ledger.upkeep import Calm, Erasure, FinishedIncidents, IncidentStates, Replaced

ROWS_AT_ONCE = 50
"""Rows that are looked at in one question, and changed in one transaction at the most: some milliseconds."""


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

    async def incident_states(self, after: str, most: int) -> IncidentStates:
        """So many incidents with ids behind `after`, and why each is left out, if it is."""
        return await self._store.read(erasing.incident_states(after, most))

    async def replaced(self, incident: str, erasure: Erasure) -> Sequence[Replaced]:
        """What would read otherwise in an incident without the person."""
        forgotten, changes = await self._store.read(erasing.facts(incident, erasure))
        pages = [page async for page in self._messages(incident, forgotten)]
        return [one for page in (changes, *pages) for one in page.replaced]

    async def replaced_elsewhere(self, erasure: Erasure) -> Sequence[Replaced]:
        """The same of what belongs to no incident."""
        return [one async for changes in self._elsewhere(erasure) for one in changes.replaced]

    async def erase_messages(self, incident: str, erasure: Erasure, calm: Calm) -> bool:
        """The person is in the messages of this finished incident no more; whether they were."""
        forgotten, _ = await self._store.read(erasing.facts(incident, erasure))
        return await self._write(self._messages(incident, forgotten), calm)

    async def erase_facts(self, incident: str, erasure: Erasure) -> bool:
        """Nor in what happened in it; whether they were."""
        _, changes = await self._store.read(erasing.facts(incident, erasure))
        return bool(changes.rows) and await self._store.commit(write_changes, changes)

    async def erase_elsewhere(self, erasure: Erasure, calm: Calm) -> None:
        """What came in from them and is judged says nothing more, and they are signed out."""
        await self._write(self._elsewhere(erasure), calm)

    async def _write(self, some: AsyncIterator[RowChanges], calm: Calm) -> bool:
        done = False
        async for changes in some:
            if changes.rows:
                await calm()
                done |= await self._store.commit(write_changes, changes)
        return done

    async def _messages(self, incident: str, forgotten: Forgotten) -> AsyncIterator[RowChanges]:
        after: int | None = 0
        while after is not None:
            page = await self._store.read(erasing.messages(incident, forgotten, after, ROWS_AT_ONCE))
            after = page.after
            yield page.changes

    async def _elsewhere(self, erasure: Erasure) -> AsyncIterator[RowChanges]:
        for name in await self._store.read(erasing_elsewhere.put_aside):
            _, changes = await self._store.read(erasing.facts(name, erasure))
            yield changes
        forgotten = Forgotten(erasure)
        after: int | None = 0
        while after is not None:
            page = await self._store.read(erasing_elsewhere.arrivals(forgotten, after, ROWS_AT_ONCE))
            after = page.after
            yield page.changes
        yield await self._store.read(erasing_elsewhere.others(forgotten))

    async def prune_outdated(self, before: datetime, most: int) -> int:
        """So much of what belongs to no incident that is there goes, from before an instant."""
        rows = await self._store.read(pruning.outdated(before, most))
        number = await self._store.commit(pruning.prune_outdated, rows) if any(rows) else 0
        return number + await self._prune_messages(NOBODY, before, most)
