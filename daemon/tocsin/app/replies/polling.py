"""Ask again and again, for as long as the daemon runs, whatever trouble the ledger has meanwhile."""

import asyncio
from collections.abc import Awaitable, Callable

import structlog

from tocsin.ports.ledger.trouble import LedgerError

Ask = Callable[[], Awaitable[None]]

log = structlog.get_logger()


async def poll(ask: Ask, pause: Callable[[], float], *, at_once: bool = False, news: Ask | None = None) -> None:
    """Wait for `pause` seconds, then ask, until cancelled; `at_once` asks before the first pause. With `news` it is
    also waited for, after the pause: many news come close together, and are asked for once. A LedgerError is logged and
    asked again after the next pause; any other exception ends the polling.
    """
    if at_once:
        await _ask(ask)
    while True:
        await asyncio.sleep(pause())
        if news is not None:
            await news()
        await _ask(ask)


async def _ask(ask: Ask) -> None:
    try:
        await ask()
    except LedgerError as trouble:
        log.warning("ledger trouble", trouble=str(trouble))
