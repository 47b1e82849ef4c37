"""The transports in use, one for each provider of a channel, and what becomes of those that a new config replaces.

It decides when they are made anew. Which adapter carries a channel is decided where it is given `make`, which of a
channel's providers a message goes to in `providers`.
"""

import asyncio
from collections.abc import Callable, Mapping

from tocsin.domain.people import MAIN, Channel
from tocsin.formats.settings.settings import Settings
from tocsin.ports.transport import Transport

RETIRES_AFTER = 60.0
"""Seconds for which a transport that was replaced may finish what it has begun."""

ByName = Mapping[str, Transport]
"""A channel's transports by their provider's name, in the order of the config."""


class Transports:
    """By channel and provider. One transport may carry several channels."""

    def __init__(self, settings: Settings, make: Callable[[Settings], Mapping[Channel, ByName]]) -> None:
        self._make = make
        self._made_from = _ingredients(settings)
        self._in_use = make(settings)
        self._retired: asyncio.Queue[Transport] = asyncio.Queue()

    def by_name(self, via: Channel) -> ByName:
        """Everything that can carry this channel."""
        return self._in_use[via]

    def get(self, via: Channel, name: str) -> Transport | None:
        """What carries a channel for that provider (empty: the first one's); None when the config has none such."""
        return self._in_use[via].get(name or MAIN)

    def apply(self, settings: Settings) -> None:
        """Use what these settings say from now on. What is under way ends on the transport it began with."""
        if _ingredients(settings) == self._made_from:
            return
        made, replaced = self._make(settings), self._all()
        self._made_from, self._in_use = _ingredients(settings), made
        for transport in replaced:
            self._retired.put_nowait(transport)

    async def warm(self) -> None:
        """Load what would else be loaded while the first page waits."""
        for transport in self._all():
            if transport.warmed:
                await transport.warmed.start()

    async def reach_any(self) -> bool:
        """Whether any provider answers now; nothing is sent."""
        return any(await asyncio.gather(*(transport.answers() for transport in self._all())))

    async def run(self) -> None:
        """Close those that were replaced when what they had begun must have ended, until cancelled."""
        while True:
            transport = await self._retired.get()
            await asyncio.sleep(RETIRES_AFTER)
            await transport.close()

    async def close(self) -> None:
        """Let go of every connection."""
        await asyncio.gather(*(transport.close() for transport in self._all()))

    def _all(self) -> set[Transport]:
        return {transport for by_name in self._in_use.values() for transport in by_name.values()}


def _ingredients(settings: Settings) -> object:
    """What transports are made from."""
    return settings.email, settings.sms, settings.public_url if settings.receives_callbacks else None
