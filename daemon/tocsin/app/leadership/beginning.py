"""While something begins that may take long: the service manager hears that the daemon lives, and it is given up when
that is for nothing.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from tocsin.ports.supervisor import ServiceManager

LIVES_EVERY = 5.0
"""Seconds between two words to the service manager."""

HANGS_AFTER = 600.0
"""Seconds after which a start that nobody else makes instead is taken for one that hangs."""


class BeginningGivenUpError(Exception):
    """It is for nothing: the daemon is to stop, or another one leads."""


@asynccontextmanager
async def beginning(manager: ServiceManager, *ends: asyncio.Event, within: float | None = None) -> AsyncIterator[None]:
    """Meanwhile `manager` hears that the daemon lives, for so many seconds: what takes longer hangs, and is the service
    manager's to end. None: it may take for ever. Raises BeginningGivenUpError as soon as one of these events comes.
    """
    try:
        async with asyncio.timeout(None) as patience:
            watching = asyncio.create_task(_watch(manager, ends, within, patience))
            try:
                yield
            finally:
                watching.cancel()
    except TimeoutError:
        if patience.expired():
            raise BeginningGivenUpError from None
        raise


async def _watch(
    manager: ServiceManager, ends: tuple[asyncio.Event, ...], within: float | None, patience: asyncio.Timeout
) -> None:
    loop = asyncio.get_running_loop()
    until = None if within is None else loop.time() + within
    while not any(end.is_set() for end in ends):
        if until is None or loop.time() < until:
            manager.healthy()
        await _first_of(ends)
    patience.reschedule(loop.time())


async def _first_of(ends: tuple[asyncio.Event, ...]) -> None:
    """Wait until one of these events comes, or it is time for another word."""
    waits = {asyncio.create_task(end.wait()) for end in ends}
    try:
        await asyncio.wait(waits, timeout=LIVES_EVERY, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for wait in waits:
            wait.cancel()
