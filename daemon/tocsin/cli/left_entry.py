"""What a command leaves in the inbox, and waiting until the daemon has acted on it."""

import asyncio
from collections.abc import Awaitable, Callable
from enum import Enum
from pathlib import Path

from tocsin.domain.arrival import InboxEntry

WAITS, LOOKS_EVERY = 10.0, 0.2
"""Seconds for which is waited until the daemon has acted, and between two looks."""
NOT_YET = f"the daemon has not acted on it within {WAITS:.0f} s; it will as soon as it can, see its log"


class Left(Enum):
    """What became of it: the daemon acted; it has not, yet; no healthy one runs."""

    DONE = "done"
    WAITS = "waits"
    NO_DAEMON = "no daemon"


async def leave(
    entry: InboxEntry, inbox: Path, is_served: Callable[[], Awaitable[bool]], done: Callable[[], Awaitable[bool]]
) -> Left:
    """Leave it, and wait until it is `done`, if a healthy daemon runs (`is_served`). Raises LedgerError, InboxError."""
    from tocsin.adapters.clock import WallClock
    from tocsin.adapters.inbox.writer import InboxWriter

    await InboxWriter(inbox, WallClock()).leave(entry)
    if not await is_served():
        return Left.NO_DAEMON
    for _ in range(round(WAITS / LOOKS_EVERY)):
        if await done():
            return Left.DONE
        await asyncio.sleep(LOOKS_EVERY)
    return Left.WAITS
