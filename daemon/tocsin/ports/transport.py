"""One way out: a provider of one channel."""

from datetime import datetime
from typing import Protocol

from tocsin.domain.delivery import Fate, Message, Outcome


class Transport(Protocol):
    """One way out: a provider of one channel."""

    @property
    def receipts(self) -> bool:
        """Whether the provider tells later what became of a message."""
        ...

    async def send(self, message: Message) -> Outcome:
        """Try once, within the transport's own deadline. Never raises; cancellation gives no outcome."""
        ...

    async def find(self, message: Message, since: datetime) -> Outcome:
        """After an uncertain send: Accepted when the provider has it, Deferred when it surely has not (yet),
        Uncertain when it cannot say.
        """
        ...

    async def fate(self, provider_id: str) -> Fate:
        """What became of an accepted message."""
        ...

    async def close(self) -> None:
        """Let go of connections."""
        ...
