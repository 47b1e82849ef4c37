"""A daemon whose ledger nobody shares: it leads from its start to its end."""

import asyncio

from tocsin.ports.fence import Lead

DRAINS_FOR = 30.0
"""Seconds for what is under way to end at a stop; the rest is left for the next start."""


class Alone:
    """A Lead that is never lost, and how one comes to it: at once."""

    drains_for = DRAINS_FOR

    def __init__(self) -> None:
        self.lost = asyncio.Event()

    async def until_leading(self, stop: asyncio.Event) -> Lead | None:
        """Nobody else could."""
        return None if stop.is_set() else self

    def holds(self) -> bool:
        """Something may always leave."""
        return True

    def lets_from_memory(self, *, step: bool = False) -> bool:  # noqa: ARG002 - the port's signature
        """Nobody else could send it."""
        return True

    def begin_anew(self, within: float = 0.0) -> None:
        """Nobody waits for it."""

    def note_healthy(self) -> None:
        """Nobody waits for it."""

    def hold_back(self) -> None:
        """What is under way may still leave: nobody goes on with it at once."""

    async def run(self) -> None:
        """There is nothing to renew."""
        await asyncio.Event().wait()

    async def give_back(self) -> None:
        """There is nobody to give it to."""
