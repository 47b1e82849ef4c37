"""Threads for what may hang: a folder on a dead server keeps whoever asks it for ever, and nothing can call that back.

Each folder has threads of its own, so that one that hangs starves no other work, and they never hold up the end of the
process.
"""

import asyncio
from collections.abc import Callable
from concurrent.futures import Executor, Future
from functools import partial
from queue import Empty, SimpleQueue
from threading import Lock, Thread
from types import TracebackType
from typing import Any, ParamSpec, TypeVar

T = TypeVar("T")
P = ParamSpec("P")

IDLE = 30.0
"""Seconds after which a thread without work ends."""
FOLDERS_WITHIN = 3.0
"""Seconds for a folder to answer, where whoever asks can go on without it."""


class DiskThreads(Executor):
    """At most so many threads, each begun when there is work for it; what they cannot take yet waits in line."""

    def __init__(self, name: str, most: int = 1) -> None:
        self._name = name
        self._most = most
        self._line: SimpleQueue[tuple[Future[Any], Callable[[], Any]]] = SimpleQueue()
        self._counting = Lock()
        self._threads = 0
        self._free = 0  # threads that wait, less what waits in the line

    def submit(self, fn: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> Future[T]:
        """Have it done in one of the threads."""
        future: Future[T] = Future()
        self._line.put((future, lambda: fn(*args, **kwargs)))
        with self._counting:
            begins = self._free <= 0 and self._threads < self._most
            if begins:
                self._threads += 1
            else:
                self._free -= 1
        if begins:
            Thread(target=self._work, name=self._name, daemon=True).start()
        return future

    def _work(self) -> None:
        """One piece of work after the other, until there is none for a while."""
        while True:
            try:
                future, work = self._line.get(timeout=IDLE)
            except Empty:
                with self._counting:
                    if self._free > 0:
                        self._free -= 1
                        self._threads -= 1
                        return
                continue
            if future.set_running_or_notify_cancel():
                with _Handing(future):
                    future.set_result(work())
            with self._counting:
                self._free += 1


class _Handing:
    """Hands whatever is raised inside to whoever waits for the future."""

    def __init__(self, future: Future[Any]) -> None:
        self._future = future

    def __enter__(self) -> None:
        return

    def __exit__(self, _kind: type[BaseException] | None, fault: BaseException | None, _: TracebackType | None) -> bool:
        if fault is not None:
            self._future.set_exception(fault)
        return True


async def in_time(
    seconds: float, threads: Executor | None, work: Callable[P, T], *args: P.args, **kwargs: P.kwargs
) -> T | None:
    """What comes of work that may hang, or None when it takes too long; then it goes on unheeded."""
    future = asyncio.get_running_loop().run_in_executor(threads, partial(work, *args, **kwargs))
    await asyncio.wait({future}, timeout=seconds)
    if future.done():
        return future.result()
    future.add_done_callback(_let_go)
    return None


def _let_go(future: asyncio.Future[T]) -> None:
    """What came too late is nobody's, an error neither."""
    if not future.cancelled():
        future.exception()
