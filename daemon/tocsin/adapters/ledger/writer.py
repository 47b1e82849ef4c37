"""One thread writes, and commits whatever has come together in one transaction.

What was awaited to its end is on disk (WAL, synchronous=FULL). Decides what shares a transaction, and who hears of a
fault: one of the ledger's own (a full disk, a lock, bad I/O) is everybody's, one of a single call is its caller's
alone. Must not know what is written.
"""

import asyncio
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from typing import Any, TypeVar

from sqlalchemy import Connection, Engine
from sqlalchemy.exc import DataError, IntegrityError, ProgrammingError, SQLAlchemyError

from tocsin.adapters.ledger.errors import describe, is_passing, ledger_error
from tocsin.ports.ledger import LedgerError

GROUP_MAX = 512
"""The most calls of one transaction."""
PATIENCE_MS, TROUBLED_MS = 2000, 500
"""How long a daemon's transaction waits for another process's lock, in milliseconds; and while the last one failed, so
that a page that leaves from memory waits for the lock but once.
"""

A = TypeVar("A")
R = TypeVar("R")
Write = Callable[[Connection, Sequence[A]], Sequence[R]]
"""Writes for many callers at once: one argument and one result for each."""


@dataclass(frozen=True, slots=True, eq=False)
class _Call:
    write: Write[Any, Any]
    argument: Any
    future: "asyncio.Future[Any]"


class Writer:
    """Brings calls together: those that come while a transaction is on its way share the next one. `trouble` is why the
    last group could not be written; empty if it could. A `patient` one waits for locks as long as the engine says.
    """

    def __init__(self, engine: Engine, *, patient: bool = True) -> None:
        self.engine = engine
        self.trouble = ""
        self.turned = asyncio.Event()
        """Set whenever trouble has come up or gone."""
        self._patient = patient
        self._waits_ms = 0
        self._was_troubled = False
        self._connection: Connection | None = None
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="ledger-writer")
        self._waiting: list[_Call] = []
        self._busy = False

    async def commit(self, write: Write[A, R], argument: A) -> R:
        """Write in the next transaction; the result, once that is on disk. Raises LedgerError: then it is not."""
        loop = asyncio.get_running_loop()
        call = _Call(write, argument, loop.create_future())
        self._waiting.append(call)
        if not self._busy:
            self._busy = True
            loop.call_soon(self._start_group, loop)
        result: R = await call.future
        return result

    async def take_lock(self) -> None:
        """Commit, and write nothing. Raises LedgerError."""
        await self.commit(_nothing, None)

    async def exchange(self, make: Callable[[], Engine]) -> None:
        """Between two transactions, when nobody writes: go on with another engine. Raises what `make` raises: then the
        one before goes on.
        """
        await asyncio.get_running_loop().run_in_executor(self._thread, self._exchange, make)

    def _exchange(self, make: Callable[[], Engine]) -> None:
        before, self.engine = self.engine, make()
        self._disconnect()
        before.dispose()

    async def close(self) -> None:
        """Finish what is queued, then end the thread."""
        with suppress(LedgerError):
            await self.take_lock()
        await asyncio.to_thread(self._end_thread)

    def _end_thread(self) -> None:
        self._thread.shutdown()
        self._disconnect()

    def _disconnect(self) -> None:
        if self._connection is not None:
            self._connection.invalidate()
            self._connection.close()
            self._connection = None

    def _start_group(self, loop: asyncio.AbstractEventLoop) -> None:
        """Send the next group on its way. Whoever gave up waiting before that writes nothing."""
        wanted = [call for call in self._waiting if not call.future.done()]
        group, self._waiting = wanted[:GROUP_MAX], wanted[GROUP_MAX:]
        self._busy = bool(group)
        if group:
            results = loop.run_in_executor(self._thread, self._write_group, group)
            results.add_done_callback(partial(self._give_results, loop, group))

    def _give_results(
        self, loop: asyncio.AbstractEventLoop, group: list[_Call], done: "asyncio.Future[list[Any]]"
    ) -> None:
        """Give each call its result, all in one turn of the loop."""
        if bool(self.trouble) != self._was_troubled:
            self._was_troubled = not self._was_troubled
            self.turned.set()
        fault = asyncio.CancelledError() if done.cancelled() else done.exception()
        results = [fault] * len(group) if fault else done.result()
        for call, result in zip(group, results, strict=True):
            if call.future.done():
                continue
            if isinstance(result, asyncio.CancelledError):
                call.future.cancel()
            elif isinstance(result, BaseException):
                call.future.set_exception(result)
            else:
                call.future.set_result(result)
        self._start_group(loop)

    def _write_group(self, group: list[_Call]) -> list[Any]:
        """In the thread: results, or why there is none, in the group's order."""
        try:
            return self._transact(group)
        except (IntegrityError, DataError, ProgrammingError, ValueError, OverflowError) as fault:
            if len(group) == 1:
                return [ledger_error(fault)]
            return [self._write_group([call])[0] for call in group]
        except (SQLAlchemyError, OSError) as fault:
            if not is_passing(fault):
                self._disconnect()  # nothing is known about the connections now; the next group opens anew
                self.engine.dispose()
            self.trouble = describe(fault)
            return [ledger_error(fault)] * len(group)

    def _transact(self, group: list[_Call]) -> list[Any]:
        """Write a group in one transaction: all of it or nothing."""
        results: dict[_Call, Any] = {}
        if self._connection is None:
            self._connection = self.engine.connect()
            self._waits_ms = 0
        self._set_patience(self._connection)
        with self._connection.begin():
            for write, calls in _by_write(group).items():
                given = write(self._connection, [call.argument for call in calls])
                results.update(zip(calls, given, strict=True))
        self.trouble = ""
        return [results[call] for call in group]

    def _set_patience(self, connection: Connection) -> None:
        """How long the next transaction waits for a lock: not long where somebody waits for a page meanwhile."""
        wanted = TROUBLED_MS if self.trouble else PATIENCE_MS
        if self._patient or wanted == self._waits_ms:
            return
        assert connection.connection.dbapi_connection is not None
        connection.connection.dbapi_connection.execute(f"PRAGMA busy_timeout={wanted}")
        self._waits_ms = wanted


def _by_write(group: list[_Call]) -> dict[Write[Any, Any], list[_Call]]:
    """The calls by what they write, so that each kind is one statement for all. Calls of one group are concurrent:
    nobody has seen another's result, so their order is free.
    """
    calls: dict[Write[Any, Any], list[_Call]] = {}
    for call in group:
        calls.setdefault(call.write, []).append(call)
    return calls


def _nothing(_connection: Connection, arguments: Sequence[None]) -> Sequence[None]:
    return arguments
