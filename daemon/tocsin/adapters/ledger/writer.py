"""One thread writes, and commits whatever has come together in one transaction.

What was awaited to its end is on disk. Decides what shares a transaction, and who hears of a fault: one of the
ledger's own (a full disk, a lock, bad I/O) is everybody's, one of a single call is its caller's alone. A commit of
which no answer came back is looked up before anybody hears of it. Must not know what is written, nor which database
takes it.
"""

import asyncio
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from typing import Any, Protocol, TypeVar

from sqlalchemy import Connection, Engine
from sqlalchemy.exc import SQLAlchemyError

from tocsin.adapters.clock import boottime
from tocsin.adapters.ledger.errors import describe
from tocsin.ports.ledger.trouble import LedgerError

GROUP_MAX = 512
"""The most calls of one transaction."""

A = TypeVar("A")
R = TypeVar("R")
Write = Callable[[Connection, Sequence[A]], Sequence[R]]
"""Writes for many callers at once: one argument and one result for each."""


class Database(Protocol):
    """What the writer needs of the database beneath it, asked in its thread alone but for `begin_group`."""

    engine: Engine

    def begin_group(self) -> None:
        """A group is on its way from now on, in the loop's thread: all its tries are for what holds now."""
        ...

    def prepare(self, connection: Connection, *, troubled: bool) -> None:
        """Before a transaction begins. `troubled`: the last group could not be written."""
        ...

    def before_group(self, connection: Connection, group: int, *, evidence: bool) -> None:
        """What stands first in the transaction of a group, which is known by its number. `evidence`: all of it may be
        written whoever leads. Raises LedgerError when this process may not write.
        """
        ...

    def note_written(self, group: int) -> None:
        """A group is in the ledger, that is certain."""
        ...

    def is_evidence(self, write: Write[Any, Any]) -> bool:
        """Whether that is written down whoever leads (rule 52)."""
        ...

    def error(self, fault: BaseException) -> LedgerError:
        """What its callers hear of a fault."""
        ...

    def is_of_one_call(self, fault: BaseException) -> bool:
        """Whether a fault is about what was written, and not about the database."""
        ...

    def may_repeat(self, fault: BaseException, tries: int, waited: float, *, troubled: bool) -> bool:
        """Whether to write the group once more, after so many tries and seconds. It may pause before it says so."""
        ...

    def is_passing(self, fault: BaseException) -> bool:
        """Whether it may be over by itself, and leaves the connection as it was."""
        ...

    def was_committed(self, group: int) -> bool:
        """Whether a group is in the ledger although its commit failed. Raises LedgerError: nobody can tell."""
        ...


@dataclass(slots=True, eq=False)
class _Call:
    write: Write[Any, Any]
    argument: Any
    future: "asyncio.Future[Any]"


class _CommitError(Exception):
    """A commit failed; `results` are what its group is to hear if it got through after all."""

    def __init__(self, fault: Exception, results: list[Any]) -> None:
        super().__init__(str(fault))
        self.fault = fault
        self.results = results


class Writer:
    """Brings calls together: those that come while a transaction is on its way share the next one. `trouble` is why the
    last group could not be written; empty if it could. `written` counts the groups that came to an end, however.
    """

    def __init__(self, database: Database) -> None:
        self.trouble = ""
        self.written = 0
        self.turned = asyncio.Event()
        """Set whenever trouble has come up or gone."""
        self._next = asyncio.Event()
        self._database = database
        self._was_troubled = False
        self._connection: Connection | None = None
        self._group = 0
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="ledger-writer")
        self._waiting: list[_Call] = []
        self._busy = False

    async def commit(self, write: Write[A, R], argument: A) -> R:
        """Write in the next transaction; the result, once that is on disk. Raises LedgerError: then it is not."""
        result: R = await self._put(write, argument)
        return result

    async def commit_all(self, calls: Sequence[tuple[Write[Any, Any], Any]]) -> None:
        """The same of several calls. Raises LedgerError if one of them is not written. Cancelled: what has not begun to
        be written by then is not.
        """
        written = [self._put(write, argument) for write, argument in calls]
        troubles = []
        try:
            for result in written:  # mostly all at once, so that this waits but for the first
                try:
                    await result
                except LedgerError as trouble:
                    troubles.append(trouble)
        except asyncio.CancelledError:
            for result in written:
                if not (result.cancel() or result.cancelled()):
                    result.exception()  # so that nobody says that it went unheard
            raise
        if troubles:
            raise troubles[0]

    def _put(self, write: Write[Any, Any], argument: Any) -> "asyncio.Future[Any]":
        """Have it written in the next transaction."""
        loop = asyncio.get_running_loop()
        call = _Call(write, argument, loop.create_future())
        self._waiting.append(call)
        if not self._busy:
            self._busy = True
            loop.call_soon(self._start_group, loop)
        return call.future

    async def next_group(self, within: float) -> None:
        """Wait for `written` to count one more, for so many seconds at the most."""
        with suppress(TimeoutError):
            async with asyncio.timeout(within):
                await self._next.wait()

    async def take_lock(self) -> None:
        """Commit, and write nothing. Raises LedgerError."""
        await self.commit(_nothing, None)

    async def exchange(self, make: Callable[[], Engine]) -> None:
        """Between two transactions, when nobody writes: go on with another engine. Raises what `make` raises: then the
        one before goes on.
        """
        await asyncio.get_running_loop().run_in_executor(self._thread, self._exchange, make)

    def _exchange(self, make: Callable[[], Engine]) -> None:
        before, self._database.engine = self._database.engine, make()
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
            self._database.begin_group()
            written = self._thread.submit(self._write_group, group)
            written.add_done_callback(partial(self._bring_back, loop, group))

    def _bring_back(self, loop: asyncio.AbstractEventLoop, group: list[_Call], written: Future[list[Any]]) -> None:
        """In the thread: wake the loop once for all of a group. Nobody waits any more in one that is closed."""
        if not loop.is_closed():
            loop.call_soon_threadsafe(self._give_results, loop, group, written)

    def _give_results(self, loop: asyncio.AbstractEventLoop, group: list[_Call], written: Future[list[Any]]) -> None:
        """Give each call its result, all in one turn of the loop."""
        self.written += 1
        self._next.set()
        self._next = asyncio.Event()
        if bool(self.trouble) != self._was_troubled:
            self._was_troubled = not self._was_troubled
            self.turned.set()
        fault = written.exception()
        results = [fault] * len(group) if fault else written.result()
        for call, result in zip(group, results, strict=True):
            if call.future.done():
                continue
            if isinstance(result, BaseException):
                call.future.set_exception(result)
            else:
                call.future.set_result(result)
        self._start_group(loop)

    def _write_group(self, group: list[_Call]) -> list[Any]:
        """In the thread: results, or why there is none, in the group's order."""
        began, tries = boottime(), 1
        while (results := self._try_group(group, tries, began)) is None:
            tries += 1
        return results

    def _try_group(self, group: list[_Call], tries: int, began: float) -> list[Any] | None:
        """None: it is to be written once more."""
        try:
            return self._transact(group)
        except LedgerError as refusal:
            return self._write_evidence(group, refusal)
        except _CommitError as lost:
            return self._look_up(group, lost)
        except (SQLAlchemyError, OSError, ValueError, OverflowError) as fault:
            if self._database.is_of_one_call(fault):
                if len(group) == 1:
                    return [self._database.error(fault)]
                return [self._write_group([call])[0] for call in group]
            results = self._fail(group, fault)
            again = self._database.may_repeat(fault, tries, boottime() - began, troubled=self._was_troubled)
            return None if again else results

    def _write_evidence(self, group: list[_Call], refusal: LedgerError) -> list[Any]:
        """This process may not decide: what is evidence is written all the same."""
        evidence = [call for call in group if self._database.is_evidence(call.write)]
        if len(evidence) == len(group):
            return [refusal] * len(group)
        results = dict(zip(evidence, self._write_group(evidence), strict=True)) if evidence else {}
        return [results.get(call, refusal) for call in group]

    def _look_up(self, group: list[_Call], lost: _CommitError) -> list[Any]:
        """What became of a group whose commit failed: it is there, or it is written again."""
        if self._database.is_passing(lost.fault):
            return self._fail(group, lost.fault)
        self._disconnect()
        self._database.engine.dispose()
        try:
            committed = self._database.was_committed(self._group)
        except LedgerError:
            return self._fail(group, lost.fault)
        if not committed:
            return self._write_group(group)
        self._database.note_written(self._group)
        return lost.results

    def _fail(self, group: list[_Call], fault: BaseException) -> list[Any]:
        if not self._database.is_passing(fault):
            self._disconnect()  # nothing is known about the connections now; the next group opens anew
            self._database.engine.dispose()
        self.trouble = describe(fault)
        return [self._database.error(fault)] * len(group)

    def _transact(self, group: list[_Call]) -> list[Any]:
        """Write a group in one transaction: all of it or nothing."""
        results: dict[_Call, Any] = {}
        if self._connection is None:
            self._connection = self._database.engine.connect()
        evidence = all(self._database.is_evidence(call.write) for call in group)
        self._group += 1
        self._database.prepare(self._connection, troubled=bool(self.trouble))
        listed: list[Any] = []
        try:
            with self._connection.begin():
                self._database.before_group(self._connection, self._group, evidence=evidence)
                for write, calls in _by_write(group).items():
                    given = write(self._connection, [call.argument for call in calls])
                    results.update(zip(calls, given, strict=True))
                listed = [results[call] for call in group]
        except (SQLAlchemyError, OSError) as fault:
            if listed:
                raise _CommitError(fault, listed) from None
            raise
        self.trouble = ""
        self._database.note_written(self._group)
        return listed


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
