"""The leader's own folder: what is new there is judged at once, as what others hand in is."""

import asyncio
from contextlib import suppress
from datetime import datetime, timedelta
from itertools import takewhile

from tocsin.app.hand_ins.file_versions import NOTHING, UNREADABLE, FileVersions
from tocsin.app.hand_ins.hand_in import FilesGone, FileVersion, arrival_of
from tocsin.app.state.incidents import Incidents
from tocsin.ports.clock import Clock
from tocsin.ports.ledger.ledger import ArrivalLedger, LedgerError

JUDGES_AGAIN = 1.0
"""Seconds until what could not be judged without the ledger is judged again."""
ASKS_AGAIN = timedelta(seconds=2)
"""How long a ledger that did not answer is taken for away."""


class OwnFiles:
    """A port of MachineFolder, HandsIn. While the ledger cannot be read what this process knows must do: a page waits
    for nothing.
    """

    def __init__(self, clock: Clock, ledger: ArrivalLedger, versions: FileVersions, incidents: Incidents) -> None:
        self._clock = clock
        self._ledger = ledger
        self._versions = versions
        self._incidents = incidents
        self._waiting: list[FileVersion | FilesGone] = []
        self._judging = asyncio.Lock()
        self._away_until: datetime | None = None

    async def give(self, hand_in: FileVersion | FilesGone) -> None:
        """Judge it, unless something of the same incident waits: that is judged first."""
        self._waiting.append(hand_in)
        await self._look_at(hand_in)

    def is_safe(self, incident: str) -> bool:
        """Whether it is in the ledger."""
        waits = any(incident in _incidents_of(hand_in) for hand_in in self._waiting)
        return not waits and not self._incidents.unrecorded(incident)

    async def older(self, incident: str) -> frozenset[str]:
        """The digests of all versions that counted."""
        with suppress(LedgerError):
            return frozenset(digest for digest, _ in await self._versions.recorded(incident) if digest)
        return frozenset()

    async def run(self) -> None:
        """Judge again what could not be judged, until cancelled."""
        while True:
            await asyncio.sleep(JUDGES_AGAIN)
            for hand_in in tuple(self._waiting):
                await self._look_at(hand_in)

    async def _look_at(self, hand_in: FileVersion | FilesGone) -> None:
        """Judge it if it is the first that waits of its incidents. It waits until that is done."""
        async with self._judging:
            before = list(takewhile(lambda other: other is not hand_in, self._waiting))
            if len(before) == len(self._waiting) or any(_incidents_of(hand_in) & _incidents_of(one) for one in before):
                return
            with suppress(LedgerError):
                await self._judge(hand_in)
                self._waiting.remove(hand_in)

    async def _judge(self, version: FileVersion | FilesGone) -> None:
        """Raises LedgerError. A ledger that did not answer is not asked for each file of a folder."""
        if isinstance(version, FilesGone):
            await self._versions.judge_gone(version)
            return
        if self._away_until is None or self._clock.now() >= self._away_until:
            try:
                if await self._versions.judge(version) in {NOTHING, UNREADABLE}:
                    await self._leave_trace(version)
            except LedgerError:
                self._away_until = self._clock.now() + ASKS_AGAIN
            else:
                return
        await self._versions.judge(version, away=True)

    async def _leave_trace(self, version: FileVersion) -> None:
        """That it was judged stands in the ledger, where it led to nothing as well: it is not to be judged once more at
        the next start, by when it might lead to something. Raises LedgerError.
        """
        await self._ledger.record_arrival(arrival_of(version, self._clock.now()))


def _incidents_of(hand_in: FileVersion | FilesGone) -> frozenset[str]:
    return frozenset([hand_in.incident] if isinstance(hand_in, FileVersion) else hand_in.incidents)
