"""Whether the whole daemon is doing its work, and who is told so (systemd's watchdog, the dead man's switch).

It decides from marks that the parts leave when they have really done something. It must not know how they do it.
"""

import asyncio
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Protocol

import structlog

from tocsin.app.state.active_config import ActiveConfig
from tocsin.ports.clock import Clock
from tocsin.ports.fence import Lead
from tocsin.ports.ledger.ledger import NoticeLedger
from tocsin.ports.ledger.trouble import LedgerError
from tocsin.ports.supervisor import Heartbeat, ServiceManager

CHECKS_EVERY = 5.0
"""Seconds between two checks; a third of the patience that systemd/tocsin.service gives us."""
FRESH = timedelta(seconds=25)
"""How old a mark may be."""

UNDELIVERED_MOST = timedelta(minutes=1)
"""How long a page, or a notice whose first tries have not ended, may reach nobody before the heartbeat is withheld."""

HEALTHY = "a healthy pass"
"""The cause under which the ledger notes each healthy pass, for whoever watches from outside."""


class Alive(Protocol):
    """A part that leaves a mark when it has really done something."""

    @property
    def alive_at(self) -> datetime:
        """When it last did."""
        ...


class Watching(Alive, Protocol):
    """The part that reads the incident folder."""

    def attest(self) -> None:
        """The whole daemon is healthy now."""
        ...


class Delivering(Protocol):
    """The part that sends."""

    def undelivered_since(self) -> datetime | None:
        """Since when a page or a notice to operators has reached nobody; None while all is well."""
        ...

    def notice_cannot_leave(self) -> bool:
        """Whether a notice to operators that is still wanted was tried by all its channels in vain."""
        ...


log = structlog.get_logger()


class Health:
    """Checks all marks; after a good check it feeds the watchdog and keeps the lead, and pings the heartbeat after one
    without trouble.

    The marks of `parts` must be fresh, and the ledger must answer. One that answers with trouble (a full disk) is
    not cured by a restart, which would only forget what went out from memory: then the watchdog is fed, and the
    heartbeat stays away. The same holds for a folder that hangs (rule 62): whoever is restarted into it sees no more.
    And it stays away while what should wake somebody does not leave (rule 71), which no restart cures either; and where
    this machine does not lead (P9).
    """

    def __init__(  # noqa: PLR0913 - one of each that is watched or told
        self,
        clock: Clock,
        manager: ServiceManager,
        heartbeat: Heartbeat,
        ledger: NoticeLedger,
        config: ActiveConfig,
        parts: Mapping[str, Alive],
        watch: Watching,
        *,
        delivering: Delivering,
        lead: Lead,
    ) -> None:
        self._clock = clock
        self._manager = manager
        self._heartbeat = heartbeat
        self._ledger = ledger
        self._config = config
        self._parts = parts
        self._watch = watch
        self._delivering = delivering
        self._lead = lead
        self._pinged_at: datetime | None = None
        self._withheld = False

    async def run(self) -> None:
        """Until cancelled."""
        while True:
            await self.check()
            await asyncio.sleep(CHECKS_EVERY)

    async def check(self) -> bool:
        """One check. True when everything is fresh."""
        now = self._clock.now()
        stale = [name for name, part in self._parts.items() if now - part.alive_at > FRESH]
        if stale:
            log.error("unhealthy", stale=stale)
            return False
        self._watch.attest()
        self._lead.note_healthy()
        writes = await self._ledger_writes(now)
        self._manager.healthy()
        if writes and self._lead.holds() and now - self._watch.alive_at <= FRESH and self._delivers(now):
            await self._ping(now)
        return True

    def _delivers(self, now: datetime) -> bool:
        """Whether no page has gone undelivered on every channel for a minute, and no notice to operators cannot leave:
        whom that warns is told by nothing else (rule 71).
        """
        since = self._delivering.undelivered_since()
        over = since is not None and now - since >= UNDELIVERED_MOST
        withheld = over or self._delivering.notice_cannot_leave()
        if withheld and not self._withheld and since is not None:
            log.error("heartbeat withheld", undelivered_since=since.isoformat())
        self._withheld = withheld
        return not withheld

    async def _ledger_writes(self, now: datetime) -> bool:
        """Whether the pass can be noted in the ledger. A ledger that never answers is a check that never ends."""
        try:
            await self._ledger.claim_notice(HEALTHY, now, timedelta(0))
        except LedgerError as trouble:
            log.warning("ledger trouble", trouble=str(trouble))
            return False
        return True

    async def _ping(self, now: datetime) -> None:
        wanted = self._config.settings.heartbeat
        if wanted.url is None or (self._pinged_at is not None and now - self._pinged_at < wanted.every):
            return
        self._pinged_at = now
        if trouble := await self._heartbeat.ping(wanted.url):
            log.warning("heartbeat", trouble=trouble)
