"""Current: the config in force, and how a newer one takes its place: whole or not at all (P8).

It decides whether a config replaces the one in force, and what the operators hear of it. It must not know what the
parts of the daemon do when it does; they are told by `changed`.
"""

import asyncio
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import structlog

from tocsin.adapters.files.fingerprint import Fingerprint, fingerprint
from tocsin.app.configuration.load import digest_of, load
from tocsin.app.lifecycle.startup import Started
from tocsin.domain.operator_notice import Notify, OperatorNotice
from tocsin.domain.policy import Policy
from tocsin.domain.problem import Problem
from tocsin.formats.settings.settings import Settings
from tocsin.ports.clock import Clock
from tocsin.ports.ledger import ConfigLedger, LedgerError

LOOKS_EVERY = 2.0
"""Seconds between two looks at the config and template folders; a change counts once they have been still for one."""
CALENDARS_EVERY = timedelta(days=1)
"""How often calendars are read again: only so much of their future is held."""
NEEDS_RESTART = ("incidents", "ledger", "outbox", "web")
"""Settings that a running daemon does not change."""

log = structlog.get_logger()


class ActiveConfig:
    """The config in force. `changed(before)` is called after a new one took over, with the settings before."""

    def __init__(
        self,
        folder: Path,
        environ: Mapping[str, str],
        clock: Clock,
        ledger: ConfigLedger,
        started: Started,
        seen: Fingerprint,
    ) -> None:
        """`seen` is the config folder's fingerprint from before it was read: what changed since then is not missed."""
        self._folder = folder
        self._environ = environ
        self._clock = clock
        self._ledger = ledger
        self._digest = started.digest
        self._read_at = clock.now()
        self._policy = started.policy
        self._settings = self._started_with = started.settings
        self._settled = seen | fingerprint((started.settings.templates,))
        self.tell: Notify
        self.changed: Callable[[Settings], None]

    def policy(self) -> Policy:
        """Who is told what, since when."""
        return self._policy

    def settings(self) -> Settings:
        """The daemon's own settings."""
        return self._settings

    async def run(self) -> None:
        """Reload whenever the folders have changed and come to rest, and each day. Until cancelled."""
        seen = self._settled
        while True:
            await asyncio.sleep(LOOKS_EVERY)
            now = await self._fingerprint()
            if (now == seen and now != self._settled) or self._clock.now() - self._read_at > CALENDARS_EVERY:
                self._settled = now
                await self.reload()
            seen = now

    async def reload(self) -> None:
        """Read the config; if it is good it is in force from now on, else the one before stays and operators hear."""
        now = self._clock.now()
        self._read_at = now
        found = await asyncio.to_thread(load, self._folder, now, self._environ)
        policy, settings = found.policy, found.settings
        if policy is None or settings is None:
            for trouble in refused(found.errors):
                self.tell(trouble)
            return
        before, since, digest = self._settings, self._policy.since, digest_of(found.files)
        if digest != self._digest:
            since, self._digest = now, digest
            log.info("config", revision=found.revision)
            try:
                await self._ledger.record_config(found.revision, found.files, now)
            except LedgerError as trouble:
                log.warning("ledger trouble", trouble=str(trouble))
        self._policy, self._settings = replace(policy, since=since), settings
        if cold := [name for name in NEEDS_RESTART if getattr(settings, name) != getattr(self._started_with, name)]:
            said = f"tocsin.yaml: {', '.join(cold)} changed; this counts only after a restart of the daemon"
            self.tell(OperatorNotice(f"restart:{','.join(cold)}", said))
        self.changed(before)

    async def _fingerprint(self) -> Fingerprint:
        return await asyncio.to_thread(fingerprint, (self._folder, self._settings.templates))


def refused(problems: Iterable[Problem]) -> Iterator[OperatorNotice]:
    """What operators hear of a config that is not used: each problem with its place."""
    for problem in problems:
        yield OperatorNotice(f"config:{problem}", f"the config was refused, the last good one goes on: {problem}")
