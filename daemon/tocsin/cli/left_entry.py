"""What a command leaves in the inbox, and waiting until the daemon has acted on it."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from enum import Enum

from tocsin.domain.arrival import InboxEntry
from tocsin.formats.settings.settings import Settings
from tocsin.ports.ledger import Ledger, NoticeLedger

WAITS, LOOKS_EVERY = 10.0, 0.2
"""Seconds for which is waited until the daemon has acted, and between two looks."""
HEALTHY_WITHIN = timedelta(seconds=30)
"""How old the last healthy pass of a daemon may be that is waited for."""
NOT_YET = f"the daemon has not acted on it within {WAITS:.0f} s; it will as soon as it can, see its log"


class Left(Enum):
    """What became of it: the daemon acted; it has not, yet; no healthy one runs."""

    DONE = "done"
    WAITS = "waits"
    NO_DAEMON = "no daemon"


async def is_healthy(ledger: NoticeLedger, now: datetime) -> bool:
    """Whether a healthy daemon runs, which acts on what is left. Raises LedgerError."""
    from tocsin.app.lifecycle.health import HEALTHY

    healthy_at = await ledger.noticed_at(HEALTHY)
    return healthy_at is not None and abs(now - healthy_at) <= HEALTHY_WITHIN


async def leave(
    entry: InboxEntry, settings: Settings, ledger: Ledger, now: datetime, done: Callable[[], Awaitable[bool]]
) -> Left:
    """Leave it, and wait until it is `done`, if a healthy daemon runs. Raises LedgerError and InboxError."""
    from tocsin.adapters.clock import WallClock
    from tocsin.adapters.inbox.writer import InboxWriter

    await InboxWriter(settings.inbox, WallClock()).leave(entry)
    if not await is_healthy(ledger, now):
        return Left.NO_DAEMON
    for _ in range(round(WAITS / LOOKS_EVERY)):
        if await done():
            return Left.DONE
        await asyncio.sleep(LOOKS_EVERY)
    return Left.WAITS
