"""Closed incidents go from the ledger, a little at a time (`keep`, P7).

It decides what goes, in which order, and how much at once; when it may, is for whoever runs it to say. Whatever ends
it leaves the ledger whole, and what is left goes the next time.
"""

import asyncio
from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from tocsin.domain.notification import NOBODY
from tocsin.ports.ledger.trouble import LedgerError
from tocsin.ports.ledger.upkeep import Erasure, LeftOut, PruningLedger, Replaced

LOOKED_AT_ONCE = 200
"""Incidents of which it is asked at once whether they are old enough."""
FEWEST, MOST = 5, 200
"""Rows that go in one transaction: as many as `SHORT` allows, between these."""
SHORT = 0.025
"""Seconds that a transaction may take; one that takes longer has half the rows the next time."""
OTHERS_STAY = timedelta(days=30)
"""How long what belongs to no incident stays at the least: a provider may tell of an SMS again, and an arrival counts
once only while it is known.
"""


class Permit(Protocol):
    """Who says when a ledger may be pruned, and which incidents."""

    async def calm(self) -> None:
        """Wait until no page would wait for a transaction of ours."""
        ...

    def may_go(self, incident: str) -> bool:
        """Whether nobody works on this incident."""
        ...

    def begin(self, incident: str) -> bool:
        """Whether nobody works on it, nor will until `end`."""
        ...

    def end(self, *, gone: bool) -> None:
        """That incident has gone, or not."""
        ...


class Unattended:
    """The Permit where no daemon runs."""

    async def calm(self) -> None:
        """It is."""

    def may_go(self, _incident: str) -> bool:
        """Nobody works on any."""
        return True

    def begin(self, _incident: str) -> bool:
        """Nor will anybody."""
        return True

    def end(self, *, gone: bool) -> None:
        """Nobody waits for that."""


@dataclass(frozen=True, slots=True)
class Named:
    """An incident in which somebody stands (empty: none), why it is left out, and what reads otherwise without them."""

    incident: str
    left_out: LeftOut | None
    replaced: Sequence[Replaced]


class Pruning:
    """Prunes one ledger."""

    def __init__(self, ledger: PruningLedger, permit: Permit) -> None:
        self._ledger = ledger
        self._permit = permit
        self._most = FEWEST * 4

    async def prune(self, before: datetime, now: datetime) -> int:
        """All incidents go that were closed before an instant, and what belongs to none and is as old; how many
        incidents. Raises LedgerError: what has gone has gone.
        """
        count = 0
        async for incident in self.due(before):
            count += await self._prune(incident)
        while await self._prune_others(min(before, now - OTHERS_STAY)):
            pass
        return count

    async def due(self, before: datetime) -> AsyncGenerator[str, None]:
        """The incidents that were closed before an instant, by their ids. Raises LedgerError."""
        after: str | None = ""
        while after is not None:
            await self._permit.calm()
            finished = await self._ledger.finished_before(before, after, LOOKED_AT_ONCE)
            for incident in finished.ids:
                yield incident
            after = finished.after

    async def erase(self, erasure: Erasure) -> int:
        """A person is forgotten in all closed incidents, and elsewhere; in how many they were. Raises LedgerError:
        where they were forgotten they stay so. One incident that cannot be changed keeps no other from it.
        """
        count, faults, failed = 0, list[str](), False
        async for incident, left_out in self._states():
            if left_out is None and self._permit.may_go(incident):
                try:
                    count += await self._erase(incident, erasure) and incident != NOBODY
                    failed = False
                except LedgerError as trouble:
                    if failed:  # two in a row: it is the ledger
                        raise
                    failed = True
                    faults.append(f"{incident}: {trouble}")
        await self._ledger.erase_elsewhere(erasure, self._permit.calm)
        if faults:
            raise LedgerError("; ".join(faults))
        return count

    async def _erase(self, incident: str, erasure: Erasure) -> bool:
        """Its messages first; what happened in it tells under which name they stand there until that is done."""
        were_told = await self._ledger.erase_messages(incident, erasure, self._permit.calm)
        await self._permit.calm()
        if incident == NOBODY or not self._permit.begin(incident):
            return were_told
        try:
            return await self._ledger.erase_facts(incident, erasure) or were_told
        finally:
            self._permit.end(gone=False)

    async def survey(self, erasure: Erasure) -> AsyncGenerator[Named, None]:
        """Where a person stands, incident for incident, then elsewhere. Raises LedgerError."""
        async for incident, left_out in self._states():
            if replaced := await self._ledger.replaced(incident, erasure):
                yield Named(incident, left_out, replaced)
        if replaced := await self._ledger.replaced_elsewhere(erasure):
            yield Named("", None, replaced)

    async def _states(self) -> AsyncGenerator[tuple[str, LeftOut | None], None]:
        after: str | None = ""
        while after is not None:
            await self._permit.calm()
            page = await self._ledger.incident_states(after, LOOKED_AT_ONCE)
            for state in page.states.items():
                yield state
            after = page.after

    async def _prune(self, incident: str) -> bool:
        """Its messages first, then it goes whole: whoever reads it anew meanwhile needs all of its facts."""
        number = 1
        while number:
            await self._permit.calm()
            if not self._permit.may_go(incident):
                return False
            began = self._clock()
            number = await self._ledger.prune_messages(incident, self._most)
            self._note(began)
        await self._permit.calm()
        gone = False
        if self._permit.begin(incident):
            try:
                gone = await self._ledger.prune_incident(incident)
            finally:
                self._permit.end(gone=gone)
        return gone

    async def _prune_others(self, before: datetime) -> int:
        await self._permit.calm()
        began = self._clock()
        number = await self._ledger.prune_outdated(before, self._most)
        self._note(began)
        return number

    def _clock(self) -> float:
        return asyncio.get_running_loop().time()

    def _note(self, began: float) -> None:
        """Take in how long a transaction took, with the wait for it."""
        took = self._clock() - began
        self._most = max(FEWEST, self._most // 2) if took > SHORT else min(MOST, self._most * 2)
