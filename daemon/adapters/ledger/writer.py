"""Writer: one thread owns the connection that writes, and commits whatever has come together in one transaction.

What was awaited to its end is on disk (WAL, synchronous=FULL). A job that fails takes nobody with it: the group is
rolled back and its jobs run one by one. It must not know what the jobs write.
"""

import asyncio
import queue
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

from sqlalchemy import Connection, Engine
from sqlalchemy.exc import SQLAlchemyError

from daemon.ports import LedgerTrouble

GROUP_MAX = 512
"""The most jobs of one transaction."""

T = TypeVar("T")
Job = Callable[[Connection], Any]


@dataclass(slots=True)
class _Waiting:
    job: Job
    loop: asyncio.AbstractEventLoop
    future: "asyncio.Future[Any]"
    result: Any = None
    fault: BaseException | None = None


class Writer:
    """Runs jobs on the writing connection, in the order they came."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._queue: queue.SimpleQueue[_Waiting | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._run, name="ledger-writer", daemon=True)
        self._thread.start()

    async def do(self, job: Callable[[Connection], T]) -> T:
        """Run a job in the next transaction; what it gives, once that is on disk. Raises LedgerTrouble."""
        loop = asyncio.get_running_loop()
        waiting = _Waiting(job, loop, loop.create_future())
        self._queue.put(waiting)
        result: T = await waiting.future
        return result

    def close(self) -> None:
        """Finish what is queued, then end the thread."""
        self._queue.put(None)
        self._thread.join()

    def _run(self) -> None:
        while (first := self._queue.get()) is not None:
            group = [first]
            last = False
            while len(group) < GROUP_MAX and not self._queue.empty():
                each = self._queue.get()
                if each is None:
                    last = True
                    break
                group.append(each)
            self._commit(group)
            if last:
                return

    def _commit(self, group: list[_Waiting]) -> None:
        try:
            self._together(group)
        except (SQLAlchemyError, OSError) as fault:
            if len(group) == 1:
                group[0].fault = LedgerTrouble(_said(fault))
            else:
                for each in group:
                    try:
                        self._together([each])
                    except (SQLAlchemyError, OSError) as own:
                        each.fault = LedgerTrouble(_said(own))
        by_loop: dict[asyncio.AbstractEventLoop, list[_Waiting]] = {}
        for each in group:
            by_loop.setdefault(each.loop, []).append(each)
        for loop, done in by_loop.items():
            if not loop.is_closed():
                loop.call_soon_threadsafe(_wake, done)

    def _together(self, group: list[_Waiting]) -> None:
        with self._engine.begin() as connection:
            for each in group:
                each.result = each.job(connection)


def _wake(done: list[_Waiting]) -> None:
    """Hand the results over, all in one turn of the loop."""
    for each in done:
        if each.future.done():
            continue
        if each.fault is not None:
            each.future.set_exception(each.fault)
        else:
            each.future.set_result(each.result)


def _said(fault: BaseException) -> str:
    """The fault in one line, without the statement that met it."""
    return str(getattr(fault, "orig", None) or fault).splitlines()[0]
