"""The upkeep of a ledger in memory: the simulation's disk loses closed incidents as a database does."""

from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime
from typing import Any

from tocsin.domain.facts import Closed, Seen
from tocsin.ports.ledger.upkeep import Calm, Erasure, FinishedIncidents, IncidentStates, PrunedIncident, Replaced


class DiskUpkeep:
    """A port PruningLedger on a simulation's disk; `commit` is how long a transaction takes, and may fail."""

    def __init__(self, disk: Any, commit: Callable[[], Awaitable[None]]) -> None:
        self._disk, self._commit = disk, commit

    async def finished_before(self, before: datetime, after: str, most: int) -> FinishedIncidents:
        """As the port has it."""
        some = sorted(id_ for id_ in self._disk.facts if id_ > after)[:most]
        old = [id_ for id_ in some if id_ in self._disk.finished and self._disk.facts[id_][-1].at < before]
        return FinishedIncidents(old, some[-1] if len(some) == most else None)

    async def prune_messages(self, incident: str, most: int) -> int:
        """As the port has it."""
        keys = [key for key, letter in self._disk.letters.items() if letter.notification.incident == incident][:most]
        if not keys or incident not in self._disk.finished:
            return 0
        await self._commit()
        for key in keys:
            del self._disk.letters[key]
            self._disk.attempts.pop(key, None)
        return len(keys)

    async def prune_incident(self, incident: str) -> bool:
        """As the port has it."""
        await self._commit()
        facts = self._disk.facts.get(incident, [])
        if incident not in self._disk.finished or not facts:
            return False
        closed = [fact.at for fact in facts if isinstance(fact, Closed)] or [facts[-1].at]
        newest_first = dict.fromkeys(fact.digest for fact in reversed(facts) if isinstance(fact, Seen))
        digests = tuple(reversed(newest_first))
        self._disk.pruned[incident] = PrunedIncident(closed[-1], digests)
        for kept in (self._disk.facts, self._disk.files, self._disk.contents):
            kept.pop(incident, None)
        self._disk.finished.discard(incident)
        return True

    async def prune_outdated(self, before: datetime, most: int) -> int:
        """Nothing lies there."""
        return 0

    async def incident_states(self, after: str, most: int) -> IncidentStates:
        """None: nobody is forgotten here."""
        return IncidentStates({}, None)

    async def replaced(self, incident: str, erasure: Erasure) -> Sequence[Replaced]:
        """Nothing."""
        return ()

    async def replaced_elsewhere(self, erasure: Erasure) -> Sequence[Replaced]:
        """Nothing."""
        return ()

    async def erase_messages(self, incident: str, erasure: Erasure, calm: Calm) -> bool:
        """As they were."""
        return False

    async def erase_facts(self, incident: str, erasure: Erasure) -> bool:
        """As they were."""
        return False

    async def erase_elsewhere(self, erasure: Erasure, calm: Calm) -> None:
        """As it was."""
