"""The policy by which the daemon acts, as another process learns it from the ledger, never more than seconds old."""

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from pathlib import Path

from tocsin.app.configuration.config_judge import ConfigJudge
from tocsin.app.configuration.load import ConfigFiles, Configuration
from tocsin.domain.policy import Policy
from tocsin.formats.config.file_names import SETTINGS
from tocsin.ports.clock import Clock
from tocsin.ports.ledger.ledger import KeptConfig
from tocsin.ports.ledger.reading import ConfigInForce
from tocsin.ports.ledger.trouble import LedgerError

FRESH = timedelta(seconds=5)
"""How old the answer may be."""


class ActivePolicy:
    """The policy in force, looked up again when it has grown old."""

    def __init__(
        self,
        ledger: Callable[[], ConfigInForce],
        folder: Path,
        environ: Mapping[str, str],
        clock: Clock,
        judge: ConfigJudge,
        settings: bytes | None = None,
    ) -> None:
        """`settings` is this machine's tocsin.yaml: a kept config brings no operators, and no last resort."""
        self._ledger = ledger
        self._folder = folder
        self._environ = environ
        self._clock = clock
        self._settings = settings
        self._judge = judge
        self._known: tuple[tuple[str, datetime], Policy] | None = None
        self._looked_at: datetime | None = None

    @property
    def last_known(self) -> Policy | None:
        """What was in force when the ledger could last be asked, however long ago; None: it never could."""
        return self._known[1] if self._known else None

    async def policy(self) -> Policy:
        """The newest one. Raises LedgerError while there is none yet."""
        now = self._clock.now()
        if self._known and self._looked_at and timedelta(0) <= now - self._looked_at < FRESH:
            return self._known[1]
        config = await self._ledger().last_good_config()
        if config is None:
            raise LedgerError("no config was in force yet: the daemon has not run")
        if self._known is None or self._known[0] != (config.revision, config.since):
            configuration = await self._read(config, now)
            if configuration.policy is None:
                raise LedgerError(f"the config in force cannot be read here: {configuration.errors[0]}")
            self._known = (config.revision, config.since), configuration.policy
        self._looked_at = now
        return self._known[1]

    async def _read(self, config: KeptConfig, now: datetime) -> Configuration:
        """A config that is in force, by this machine's own tocsin.yaml if the two go together (P9)."""
        own = {} if self._settings is None else {SETTINGS: self._settings}
        mixed = await self._judged({**config.files, **own}, config.revision, now)
        if mixed.policy is not None or not own:
            return mixed
        return await self._judged(config.files, config.revision, now)

    async def _judged(self, files: Mapping[str, bytes], revision: str, now: datetime) -> Configuration:
        found = ConfigFiles(files, (), revision, was_in_force=True)
        return await self._judge.config(found, self._folder, now, self._environ)
