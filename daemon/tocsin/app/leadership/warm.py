"""What a standby keeps warm, so that a takeover costs no more than a start must: its config and its templates, read,
parsed and judged, and the ways to its providers, loaded and tried.

It must not know who leads, nor what follows from what it finds.
"""

import asyncio
from collections.abc import Callable, Sequence
from concurrent.futures import Executor
from contextlib import suppress
from pathlib import Path
from typing import Protocol

from tocsin.adapters.files.disk_threads import FOLDERS_WITHIN, in_time
from tocsin.adapters.files.fingerprint import Fingerprint, fingerprint
from tocsin.app.configuration.load import Configuration
from tocsin.app.delivery.transports import Transports
from tocsin.app.leadership.this_node import ThisNode
from tocsin.ports.ledger.ledger import KeptConfig
from tocsin.ports.ledger.trouble import LedgerError
from tocsin.ports.renderer import TemplateFiles, TemplateVerdict

LOOKS_EVERY = 2.0
"""Seconds between two looks at the config folder; a change counts once it has been still for one."""
TRIES_EVERY = 60.0
"""Seconds between two tries to reach a provider: each may be a login."""


class OnDisk(Protocol):
    """The config on disk, as the next start takes it. `before` is its folder's fingerprint from before it was read."""

    before: Fingerprint

    async def fingerprint(self) -> Fingerprint:
        """What tells a changed folder from one that rests."""
        ...

    async def read(self) -> None:
        """Read it anew, and have it judged."""
        ...

    @property
    def revision(self) -> str:
        """That of what was read."""
        ...


class JudgedOnDisk(Protocol):
    """The config on disk as it was judged last."""

    @property
    def reading(self) -> Configuration:
        """What it says."""
        ...


class WarmConfig:
    """Reads the config again whenever its folder has changed and come to rest."""

    def __init__(self, on_disk: OnDisk, this: ThisNode) -> None:
        self._on_disk = on_disk
        self._this = this

    async def run(self) -> None:
        """Until cancelled."""
        last = self._on_disk.before
        while True:
            self._this.config = self._on_disk.revision
            await asyncio.sleep(LOOKS_EVERY)
            current = await self._on_disk.fingerprint()
            if current == last and current != self._on_disk.before:
                await self._on_disk.read()
            last = current


class KeepsConfigs(Protocol):
    """The ledger, which keeps the configs that were in force."""

    async def last_good_config(self) -> KeptConfig | None:
        """The newest."""
        ...


class WarmKept:
    """Knows the newest config that the ledger keeps: should it be away, that one counts where the disk has none."""

    def __init__(self, ledger: KeepsConfigs) -> None:
        self._ledger = ledger
        self.newest: KeptConfig | None = None

    async def run(self) -> None:
        """Until cancelled."""
        while True:
            with suppress(LedgerError):  # a standby's own looks say so
                self.newest = await self._ledger.last_good_config() or self.newest
            await asyncio.sleep(TRIES_EVERY)


class TemplateJudge(Protocol):
    """Judges templates; what it judged last it knows."""

    async def templates(self, files: TemplateFiles, languages: Sequence[str] = ()) -> TemplateVerdict:
        """What is wrong with templates, in these languages too."""
        ...


class WarmRenderer(Protocol):
    """Reads and compiles templates for renderers that are still to be made. Its methods block."""

    def read(self, folder: Path) -> TemplateFiles:
        """Those of a folder."""
        ...

    def prepare(self, files: TemplateFiles, verdict: TemplateVerdict) -> None:
        """Compile what was judged."""
        ...

    def warm(self) -> None:
        """Compile the shipped ones."""
        ...


class WarmTemplates:
    """Has the templates of the config on disk judged and compiled, and again whenever they, or the languages that the
    config names, have changed and come to rest. `threads` is where the folder is read: it may hang.
    """

    def __init__(self, on_disk: JudgedOnDisk, renderer: WarmRenderer, judge: TemplateJudge, threads: Executor) -> None:
        self._on_disk = on_disk
        self._renderer = renderer
        self._judge = judge
        self._threads = threads

    async def run(self) -> None:
        """Until cancelled."""
        await asyncio.get_running_loop().run_in_executor(self._threads, self._renderer.warm)
        last = done = None
        while True:
            current = await self._current()
            if current is not None and current != done and (done is None or current == last):
                await self._do(*current)
                done = current
            last = current
            await asyncio.sleep(LOOKS_EVERY)

    async def _current(self) -> tuple[Path, Sequence[str], Fingerprint] | None:
        """The folder, the languages, and what tells whether the folder has changed; None: nothing can be told now."""
        policy, settings = self._on_disk.reading.policy, self._on_disk.reading.settings
        if policy is None or settings is None:
            return None
        folder = settings.templates
        mark = await in_time(FOLDERS_WITHIN, self._threads, fingerprint, (folder,))
        return None if mark is None else (folder, policy.languages, mark)

    async def _do(self, folder: Path, languages: Sequence[str], _mark: Fingerprint) -> None:
        files = await in_time(FOLDERS_WITHIN, self._threads, self._renderer.read, folder)
        if files is not None:
            verdict = await self._judge.templates(files, languages)
            await asyncio.get_running_loop().run_in_executor(self._threads, self._renderer.prepare, files, verdict)


class WarmProviders:
    """Loads what sends, and sees now and then whether a provider answers; nothing is sent. `make` makes what sends by
    the config as it is then; None: that cannot be used.
    """

    def __init__(self, make: Callable[[], Transports | None], this: ThisNode) -> None:
        self._make = make
        self._this = this

    async def run(self) -> None:
        """Until cancelled."""
        while True:
            if (transports := self._make()) is None:
                self._this.providers_ok = False
            else:
                try:
                    await transports.warm()
                    self._this.providers_ok = await transports.reach_any()
                finally:
                    await transports.close()
            await asyncio.sleep(TRIES_EVERY)
