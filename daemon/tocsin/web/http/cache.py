"""Answers that cost something, kept for a moment, so that many who look at once cost as much as one: ten times as long
as the answer took, and at least a second or two.
"""

import asyncio
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Hashable
from typing import Generic, TypeVar

T = TypeVar("T")

AT_LEAST = 1.5
"""Seconds for which an answer stands."""
TIMES = 10
"""It stands this many times as long as it took to find."""


class BriefCache(Generic[T]):
    """The newest answers, at most `most` of them. Used in one loop."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._answers: OrderedDict[Hashable, tuple[float, T]] = OrderedDict()
        self._tasks: dict[Hashable, asyncio.Task[T]] = {}

    async def get(self, key: Hashable, find: Callable[[], Awaitable[T]]) -> T:
        """The answer; what goes wrong while it is found goes to everybody who waits for it."""
        now = asyncio.get_running_loop().time()
        entry = self._answers.get(key)
        if entry and now < entry[0]:
            return entry[1]
        task = self._tasks.get(key)
        if task is None:
            task = self._tasks[key] = asyncio.create_task(self._find(key, find))
            task.add_done_callback(lambda task: self._end(key, task))
        return await asyncio.shield(task)

    def _end(self, key: Hashable, task: asyncio.Task[T]) -> None:
        """The question is over. A fault was told to whoever still waited."""
        self._tasks.pop(key, None)
        if not task.cancelled():
            task.exception()

    async def _find(self, key: Hashable, find: Callable[[], Awaitable[T]]) -> T:
        clock = asyncio.get_running_loop().time
        began = clock()
        answer = await find()
        self._answers[key] = clock() + max(AT_LEAST, TIMES * (clock() - began)), answer
        self._answers.move_to_end(key)
        while len(self._answers) > self._most:
            self._answers.popitem(last=False)
        return answer
