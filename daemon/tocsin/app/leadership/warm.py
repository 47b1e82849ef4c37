"""What a standby keeps warm, so that a takeover costs no more than a start must: its config, read and judged, and the
ways to its providers, loaded and tried.

It must not know who leads, nor what follows from what it finds.
"""

import asyncio
from collections.abc import Callable
from typing import Protocol

from tocsin.adapters.files.fingerprint import Fingerprint
from tocsin.app.delivery.transports import Transports
from tocsin.app.leadership.this_node import ThisNode

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
