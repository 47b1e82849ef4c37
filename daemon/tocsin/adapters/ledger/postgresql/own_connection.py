"""A connection for calls that must not wait: whatever the server or the network does, each ends within its deadline.

libpq alone cannot promise that: a server that was stopped, or a pooler that has no room, goes on acknowledging packets.
So a connection of which nothing came back in time is shut down, which ends the thread that waits on it, and the next
call makes a new one. A connection that is still being made (several hosts, of which one is gone) is waited for by the
calls that follow.
"""

import asyncio
import os
import socket
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import TypeVar

from sqlalchemy import Connection, Engine
from sqlalchemy.exc import SQLAlchemyError

from tocsin.adapters.files.disk_threads import DiskThreads
from tocsin.adapters.ledger.postgresql.faults import server_error
from tocsin.ports.leadership import LedgerAwayError

T = TypeVar("T")

CONNECTS_WITHIN = 20.0
"""Seconds for which a connection may be in the making before it is given up: libpq tries one host after the other."""


@dataclass(frozen=True, slots=True)
class _Link:
    """A connection, and its socket once more, which can be shut down from another thread whatever becomes of it."""

    connection: Connection
    socket: socket.socket

    def cut(self) -> None:
        """Whoever waits on it hears that it is lost."""
        with suppress(OSError):  # the other end was quicker
            self.socket.shutdown(socket.SHUT_RDWR)
        self.socket.close()


class OwnConnection:
    """One connection, used by one call at a time, in a thread of its own that holds up no end of the process."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._thread = DiskThreads("ledger-lease")
        self._making: asyncio.Future[_Link] | None = None
        self._making_since = 0.0
        self._link: _Link | None = None
        self._turn = asyncio.Lock()

    async def call(self, within: float, work: Callable[[Connection], T]) -> T:
        """What comes of work in a transaction of its own. Raises LedgerError: then nothing of it is known, but that it
        is over after so many seconds; and what the work itself raises.
        """
        loop = asyncio.get_running_loop()
        until = loop.time() + within
        try:
            async with asyncio.timeout_at(until):
                async with self._turn:
                    link = self._link or await self._connect()
                    return await self._do(link, work)
        except TimeoutError:
            raise LedgerAwayError(f"the database did not answer within {within:g} s") from None

    async def close(self) -> None:
        """Let go of it. A call that waits hears that it is lost."""
        if self._making is not None:
            self._making.add_done_callback(_cut_late)
            self._making = None
        self._drop()

    async def _connect(self) -> _Link:
        """A connection; while it is made, whoever gives up waiting leaves it to the next call."""
        loop = asyncio.get_running_loop()
        if self._making is not None and loop.time() - self._making_since > CONNECTS_WITHIN:
            self._making.add_done_callback(_cut_late)
            self._making, self._thread = None, DiskThreads("ledger-lease")
        if self._making is None:
            self._making_since = loop.time()
            self._making = loop.run_in_executor(self._thread, self._open)
        making = self._making
        await asyncio.wait({making})
        self._making = None
        try:
            self._link = making.result()
        except (SQLAlchemyError, OSError) as fault:
            raise server_error(fault) from None
        return self._link

    def _open(self) -> _Link:
        connection = self._engine.connect()
        driver = connection.connection.dbapi_connection
        assert driver is not None
        return _Link(connection, socket.socket(fileno=os.dup(driver.fileno())))

    async def _do(self, link: _Link, work: Callable[[Connection], T]) -> T:
        doing = asyncio.get_running_loop().run_in_executor(self._thread, _transact, link.connection, work)
        try:
            await asyncio.wait({doing})
        except asyncio.CancelledError:
            doing.add_done_callback(_heed_not)
            self._drop()
            raise
        try:
            return doing.result()
        except (SQLAlchemyError, OSError) as fault:
            self._drop()
            raise server_error(fault) from None

    def _drop(self) -> None:
        """Nothing is known about the connection any more. Its thread ends with what it is at."""
        if self._link is not None:
            self._link.cut()
            self._thread.submit(_discard, self._link.connection)
            self._link, self._thread = None, DiskThreads("ledger-lease")


def _transact(connection: Connection, work: Callable[[Connection], T]) -> T:
    with connection.begin():
        return work(connection)


def _discard(connection: Connection) -> None:
    connection.invalidate()
    connection.close()


def _cut_late(making: "asyncio.Future[_Link]") -> None:
    """A connection that came too late is nobody's."""
    if not making.cancelled() and making.exception() is None:
        making.result().cut()


def _heed_not(doing: "asyncio.Future[T]") -> None:
    """What came too late is nobody's, an error neither."""
    if not doing.cancelled():
        doing.exception()
