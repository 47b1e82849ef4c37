"""Kept: answers that cost something, kept for a moment, so that many who look at once cost as much as one.

It decides how long: ten times what the answer cost, and at least a second or two. It must not know what is asked.
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


class Kept(Generic[T]):
    """The newest answers, at most `most` of them. Used in one loop."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._answers: OrderedDict[Hashable, tuple[float, T]] = OrderedDict()
        self._asking: dict[Hashable, asyncio.Task[T]] = {}

    async def get(self, key: Hashable, find: Callable[[], Awaitable[T]]) -> T:
        """The answer; what goes wrong while it is found goes to everybody who waits for it."""
        now = asyncio.get_running_loop().time()
        known = self._answers.get(key)
        if known and now < known[0]:
            return known[1]
        task = self._asking.get(key)
        if task is None:
            task = self._asking[key] = asyncio.create_task(self._find(key, find))
            task.add_done_callback(lambda done: self._found(key, done))
        return await asyncio.shield(task)

    def _found(self, key: Hashable, done: asyncio.Task[T]) -> None:
        """The question is over. A fault was told to whoever still waited."""
        self._asking.pop(key, None)
        if not done.cancelled():
            done.exception()

    async def _find(self, key: Hashable, find: Callable[[], Awaitable[T]]) -> T:
        clock = asyncio.get_running_loop().time
        began = clock()
        answer = await find()
        self._answers[key] = clock() + max(AT_LEAST, TIMES * (clock() - began)), answer
        self._answers.move_to_end(key)
        while len(self._answers) > self._most:
            self._answers.popitem(last=False)
        return answer
