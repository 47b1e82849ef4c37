"""Every incident that outsiders were told of and may still look up: what goes on, and what is over.

Decides how far back they may look; what they may see of each is `wording/report/public`'s business.
"""

import asyncio
from collections.abc import Sequence
from concurrent.futures import Executor
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta

from tocsin.app.incidents.histories import tell_of
from tocsin.domain.delivery import Record
from tocsin.domain.facts import Fact, Updated
from tocsin.domain.incident import Incident
from tocsin.domain.policy import Policy
from tocsin.ports.ledger.reading import IncidentRecords
from tocsin.ports.ledger.trouble import Unreadable, UnreadableError
from tocsin.wording.report.internal_view import promises
from tocsin.wording.report.public.view import PublicView, public_view
from tocsin.wording.report.timeline import steps_of

LISTED_FOR = timedelta(days=90)
"""How long an incident that is over is listed."""
GOING_MOST, OVER_MOST = 100, 50
"""The most that are listed, those that outsiders heard of last."""
CLOSED_LOOKED_AT = 300
"""The most closed incidents that are looked through for those that outsiders were told of."""


@dataclass(frozen=True, slots=True)
class PublicList:
    """What goes on, the one that outsiders heard of last first, and what is over, the newest end first."""

    going: tuple[PublicView, ...] = ()
    over: tuple[PublicView, ...] = ()

    @property
    def all(self) -> tuple[PublicView, ...]:
        """All of them, what goes on first."""
        return self.going + self.over


class PublicIncidents:
    """Reads them from the ledger. What is over is worked out once, and again where its file changes. One question at a
    time.
    """

    def __init__(self, threads: Executor | None = None) -> None:
        self._threads = threads
        self._policy: Policy | None = None
        self._over: dict[str, tuple[datetime, Incident | None, PublicView | None]] = {}

    async def look(self, ledger: IncidentRecords, policy: Policy, now: datetime) -> PublicList:
        """The list. An incident that cannot be read is left out. Raises LedgerError."""
        recorded = await ledger.unfinished()
        views = [await self._view(name, facts, ledger, policy) for name, facts in recorded.items() if _is_told(facts)]
        closed = dict(await ledger.last_closed(CLOSED_LOOKED_AT))
        wanted = {name: at for name, at in closed.items() if now - at < LISTED_FOR and name not in recorded}
        views += await self._closed(wanted, ledger, policy)
        public = [view for view in views if view]
        going = [view for view in public if not view.resolved_at]
        over = [view for view in public if view.resolved_at and now - view.resolved_at < LISTED_FOR]
        going.sort(key=lambda view: (view.latest.at, view.key), reverse=True)
        over.sort(key=lambda view: (view.latest.at, view.key), reverse=True)
        return PublicList(tuple(going[:GOING_MOST]), tuple(over[:OVER_MOST]))

    async def _closed(
        self, wanted: dict[str, datetime], ledger: IncidentRecords, policy: Policy
    ) -> list[PublicView | None]:
        """What is over for good, from memory where nothing has changed."""
        versions = await ledger.newest_versions(wanted)
        known = self._over if policy is self._policy else {}
        self._policy, self._over = policy, {}
        for name, at in wanted.items():
            entry = known.get(name)
            if entry is None or entry[:2] != (at, versions.get(name)):
                view = None
                with suppress(UnreadableError):
                    facts = await ledger.facts(name)
                    view = await self._view(name, facts, ledger, policy) if _is_told(facts) else None
                entry = at, versions.get(name), view
            self._over[name] = entry
        return [view for _, _, view in self._over.values()]

    async def _view(
        self, name: str, facts: Sequence[Fact] | Unreadable, ledger: IncidentRecords, policy: Policy
    ) -> PublicView | None:
        assert not isinstance(facts, Unreadable)
        records = await ledger.records(name)
        with suppress(UnreadableError):
            return await asyncio.get_running_loop().run_in_executor(
                self._threads, _worked_out, name, facts, records, policy
            )
        return None


def _is_told(facts: Sequence[Fact] | Unreadable) -> bool:
    """Whether outsiders were told anything."""
    if isinstance(facts, Unreadable):
        return False
    return any(isinstance(fact, Updated) and fact.external and fact.readers for fact in facts)


def _worked_out(name: str, facts: Sequence[Fact], records: Sequence[Record], policy: Policy) -> PublicView | None:
    steps = tell_of(name, facts, steps_of)
    return public_view(steps, promises(records), policy) if steps else None
