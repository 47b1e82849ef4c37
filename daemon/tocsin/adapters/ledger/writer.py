"""Writer: one thread writes, and commits whatever has come together in one transaction.

What was awaited to its end is on disk (WAL, synchronous=FULL). It decides what shares a transaction, and who hears of
a fault: one of the ledger's own (a full disk, a lock, bad I/O) is everybody's, one of a single call is its caller's
alone. It must not know what is written.
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

from tocsin.adapters.ledger.errors import passing, trouble
from tocsin.ports.ledger import LedgerError

GROUP_MAX = 512
"""The most calls of one transaction."""

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
    """Brings calls together: those that come while a transaction is on its way share the next one."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._connection: Connection | None = None
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="ledger-writer")
        self._waiting: list[_Call] = []
        self._busy = False

    async def do(self, write: Write[A, R], argument: A) -> R:
        """Write in the next transaction; the result, once that is on disk. Raises LedgerError: then it is not."""
        loop = asyncio.get_running_loop()
        call = _Call(write, argument, loop.create_future())
        self._waiting.append(call)
        if not self._busy:
            self._busy = True
            loop.call_soon(self._go, loop)
        result: R = await call.future
        return result

    async def close(self) -> None:
        """Finish what is queued, then end the thread."""
        with suppress(LedgerError):
            await self.do(_nothing, None)
        await asyncio.to_thread(self._shut)

    def _shut(self) -> None:
        self._thread.shutdown()
        self._let_go()

    def _let_go(self) -> None:
        if self._connection is not None:
            self._connection.invalidate()
            self._connection.close()
            self._connection = None

    def _go(self, loop: asyncio.AbstractEventLoop) -> None:
        """Send the next group on its way. Whoever gave up waiting before that writes nothing."""
        wanted = [call for call in self._waiting if not call.future.done()]
        group, self._waiting = wanted[:GROUP_MAX], wanted[GROUP_MAX:]
        self._busy = bool(group)
        if group:
            done = loop.run_in_executor(self._thread, self._commit, group)
            done.add_done_callback(partial(self._hand_over, loop, group))

    def _hand_over(
        self, loop: asyncio.AbstractEventLoop, group: list[_Call], done: "asyncio.Future[list[Any]]"
    ) -> None:
        """Give each its result, all in one turn of the loop."""
        broken = asyncio.CancelledError() if done.cancelled() else done.exception()
        results = [broken] * len(group) if broken else done.result()
        for call, result in zip(group, results, strict=True):
            if call.future.done():
                continue
            if isinstance(result, asyncio.CancelledError):
                call.future.cancel()
            elif isinstance(result, BaseException):
                call.future.set_exception(result)
            else:
                call.future.set_result(result)
        self._go(loop)

    def _commit(self, group: list[_Call]) -> list[Any]:
        """In the thread: results, or why there is none, in the group's order."""
        try:
            return self._together(group)
        except (IntegrityError, DataError, ProgrammingError, ValueError, OverflowError) as fault:
            if len(group) == 1:
                return [trouble(fault)]
            return [self._commit([call])[0] for call in group]
        except (SQLAlchemyError, OSError) as fault:
            if not passing(fault):
                self._let_go()  # nothing is known about the connections now; the next group opens anew
                self._engine.dispose()
            return [trouble(fault)] * len(group)

    def _together(self, group: list[_Call]) -> list[Any]:
        results: dict[_Call, Any] = {}
        if self._connection is None:
            self._connection = self._engine.connect()
        with self._connection.begin():
            for write, calls in _alike(group).items():
                found = write(self._connection, [call.argument for call in calls])
                results.update(zip(calls, found, strict=True))
        return [results[call] for call in group]


def _alike(group: list[_Call]) -> dict[Write[Any, Any], list[_Call]]:
    """The calls by what they write, so that each kind is one statement for all. Calls of one group are concurrent:
    nobody has seen another's result, so their order is free.
    """
    alike: dict[Write[Any, Any], list[_Call]] = {}
    for call in group:
        alike.setdefault(call.write, []).append(call)
    return alike


def _nothing(_connection: Connection, arguments: Sequence[None]) -> Sequence[None]:
    return arguments
