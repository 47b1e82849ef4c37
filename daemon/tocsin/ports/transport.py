"""One way out: a provider of one channel, and the two things that only some of them can do beside sending."""

import asyncio
from datetime import datetime, timedelta
from typing import Protocol

from tocsin.domain.arrival import Arrival
from tocsin.domain.delivery import Deferred, Fate, Message, Outcome


class CutShortError(asyncio.CancelledError):
    """A try was cancelled, and how it ended is known all the same: so, mostly since nothing had left yet. Python 3.11's
    `asyncio.timeout` makes no TimeoutError of it: a deadline around a `send` must not be one of those.
    """

    def __init__(self, outcome: Outcome) -> None:
        super().__init__()
        self.outcome = outcome


class Polled(Protocol):
    """A provider that can be asked for the messages that came in to us."""

    async def inbox(self, since: datetime) -> tuple[Arrival, ...] | Deferred:
        """Every message that came in since then (aware, UTC), oldest first, or why they cannot be had now. Never
        raises.
        """
        ...


class Warmed(Protocol):
    """A transport that loads something late and slowly, and would rather do so before the first page waits for it."""

    async def start(self) -> None:
        """Load it now, once; nothing is sent. Never raises."""
        ...


class Transport(Protocol):
    """One way out: a provider of one channel."""

    @property
    def receipts(self) -> bool:
        """Whether the provider tells later what became of a message."""
        ...

    @property
    def skew(self) -> timedelta | None:
        """How far the provider's clock is ahead of ours, as it last said; None while, or where, it does not say."""
        ...

    @property
    def polled(self) -> Polled | None:
        """What can be asked for messages that came in; None where nothing comes in this way."""
        ...

    @property
    def warmed(self) -> Warmed | None:
        """What wants to be loaded before the first page; None where there is nothing to load."""
        ...

    async def send(self, message: Message) -> Outcome:
        """Try once, within the transport's own deadline. Never raises. Cancelled, it raises CutShortError where its
        end is known: nothing had left that cannot be taken back.
        """
        ...

    async def find(self, message: Message, since: datetime) -> Outcome:
        """After an uncertain send: Accepted when the provider has it, Deferred when it surely has not (yet),
        Uncertain when it cannot say (`pending` while it may still).
        """
        ...

    async def fate(self, provider_id: str) -> Fate:
        """What became of an accepted message."""
        ...

    async def answers(self) -> bool:
        """Whether the provider can be reached now and lets us in; nothing is sent. Never raises."""
        ...

    async def close(self) -> None:
        """Let go of connections."""
        ...
