"""The leader's own folder: what is new there is judged at once, as what others hand in is."""

import asyncio
from collections.abc import Collection, Iterable, Mapping
from contextlib import suppress
from dataclasses import replace
from itertools import takewhile
from typing import Protocol

from tocsin.app.hand_ins.file_versions import NO_ANSWER, NOTHING, UNREADABLE, FileVersions
from tocsin.app.hand_ins.hand_in import FilesGone, FileVersion, arrival_of, incidents_of
from tocsin.app.state.incidents import Incidents
from tocsin.domain.facts import Seen
from tocsin.ports.clock import Clock
from tocsin.ports.ledger.ledger import ArrivalLedger
from tocsin.ports.ledger.trouble import LedgerError
from tocsin.ports.ledger.upkeep import PrunedLedger

JUDGES_AGAIN = 1.0
"""Seconds until what could not be judged without the ledger is judged again, and what was not urgent is."""
ASKED_TOGETHER = 2000
"""Incidents that the ledger is asked about at once."""


class OwnLedger(ArrivalLedger, PrunedLedger, Protocol):
    """Where traces are left, and what is known of versions."""


class OwnFiles:
    """A port of MachineFolder, HandsIn. While the ledger cannot be read what this process knows must do: a page waits
    for nothing.
    """

    def __init__(self, clock: Clock, ledger: OwnLedger, versions: FileVersions, incidents: Incidents) -> None:
        self._clock = clock
        self._ledger = ledger
        self._versions = versions
        self._incidents = incidents
        self._waiting: list[FileVersion | FilesGone] = []
        self._judging = asyncio.Lock()

    async def give(self, hand_in: FileVersion | FilesGone, *, urgent: bool = True) -> None:
        """Judge it, after what waits of the same incident. What is not urgent waits itself."""
        self._waiting.append(hand_in)
        if urgent:
            for one in [other for other in self._waiting if incidents_of(other) & incidents_of(hand_in)]:
                await self._look_at(one)

    def safe(self, incidents: Iterable[str]) -> frozenset[str]:
        """Those of which all is in the ledger."""
        waiting = frozenset[str]().union(*map(incidents_of, self._waiting))
        return frozenset(one for one in incidents if not (one in waiting or self._incidents.unrecorded(one)))

    async def digests(self, incidents: Collection[str]) -> Mapping[str, tuple[str, ...]]:
        """Those of all versions that counted; none of what is set aside, which begins anew (rule 63)."""
        names = [incident for incident in incidents if not self._incidents.is_set_aside(incident)]
        digests: dict[str, tuple[str, ...]] = {}
        with suppress(LedgerError):
            for start in range(0, len(names), ASKED_TOGETHER):
                some = names[start : start + ASKED_TOGETHER]
                digests.update(await self._versions.ask(self._ledger.version_digests, some))
        for incident in names:
            if news := [fact.digest for fact in self._incidents.unrecorded(incident) if isinstance(fact, Seen)]:
                digests[incident] = (*digests.get(incident, ()), *news)
        return digests

    async def run(self) -> None:
        """Judge again what could not be judged, until cancelled."""
        while True:
            await asyncio.sleep(JUDGES_AGAIN)
            await self._versions.look_for_ledger()
            for hand_in in tuple(self._waiting):
                await self._look_at(hand_in)

    async def _look_at(self, hand_in: FileVersion | FilesGone) -> None:
        """Judge it if it is the first that waits of its incidents. It waits until that is done."""
        async with self._judging:
            before = list(takewhile(lambda other: other is not hand_in, self._waiting))
            earlier = [one for one in before if incidents_of(hand_in) & incidents_of(one)]
            if len(before) == len(self._waiting) or any(isinstance(one, FileVersion) for one in earlier):
                return
            if isinstance(hand_in, FileVersion):
                self._take_back(hand_in.incident, before)
            elif earlier:
                return
            with suppress(LedgerError):
                await self._judge(hand_in)
                self._waiting.remove(hand_in)

    def _take_back(self, incident: str, before: list[FileVersion | FilesGone]) -> None:
        """Its file was gone before this save: what could not be judged of that is not true any more."""
        for one in before:
            if isinstance(one, FilesGone) and incident in one.incidents:
                left = tuple(other for other in one.incidents if other != incident)
                at = self._waiting.index(one)
                self._waiting[at : at + 1] = [replace(one, incidents=left)] if left else []

    async def _judge(self, hand_in: FileVersion | FilesGone) -> None:
        """Raises LedgerError. Nobody waits for a ledger that is away."""
        if isinstance(hand_in, FilesGone):
            if self._versions.ledger_away:
                raise LedgerError(NO_ANSWER)
            await self._versions.judge_gone(hand_in)
            return
        if not self._versions.ledger_away:
            with suppress(LedgerError):
                if await self._versions.judge(hand_in) in {NOTHING, UNREADABLE}:
                    await self._leave_trace(hand_in)
                return
        await self._versions.judge(hand_in, away=True)

    async def _leave_trace(self, version: FileVersion) -> None:
        """That it was judged stands in the ledger, where it led to nothing as well: it is not to be judged once more at
        the next start, by when it might lead to something. Raises LedgerError.
        """
        await self._versions.ask(self._ledger.record_arrival, arrival_of(version, self._clock.now()))
