"""Virtual time: an event loop whose clock jumps to the next timer when nothing else is ready. A day takes a second.

Nothing may do real I/O on it: a future that only the outside world can finish would never be waited for.
"""

import asyncio
import selectors
from collections.abc import Coroutine
from datetime import UTC, datetime, timedelta
from typing import Any


class _Jump(selectors.SelectSelector):
    """A selector that does not wait: it moves the loop's clock instead."""

    loop: "VirtualLoop"

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        if timeout is None:
            raise RuntimeError("deadlock: nothing is ready and no timer is set")
        self.loop.elapsed += timeout
        return []


class StillHangsError(Exception):
    """What a thread asked does not answer before an event: the fake's way to hang."""

    def __init__(self, until: asyncio.Event) -> None:
        super().__init__("it hangs")
        self.until = until


class VirtualLoop(asyncio.SelectorEventLoop):
    """The loop; `elapsed` are its virtual seconds."""

    def __init__(self) -> None:
        self.elapsed = 0.0
        selector = _Jump()
        super().__init__(selector)
        selector.loop = self

    def time(self) -> float:
        return self.elapsed

    def run_in_executor(self, executor: Any, func: Any, *args: Any) -> Any:  # type: ignore[override]
        """A thread's work is done at once, here: a real thread would take real time while virtual time jumps."""
        done = self.create_future()
        try:
            done.set_result(func(*args))
        except StillHangsError as hung:
            return self.create_task(self._once_it_answers(hung, func, args))
        except Exception as fault:  # noqa: BLE001 - as a thread does
            done.set_exception(fault)
        return done

    async def _once_it_answers(self, hung: StillHangsError, func: Any, args: Any) -> Any:
        await hung.until.wait()
        return await self.run_in_executor(None, func, *args)


class VirtualClock:
    """A port Clock that reads the virtual loop's time."""

    def __init__(self, loop: VirtualLoop, start: datetime = datetime(2026, 11, 23, 10, tzinfo=UTC)) -> None:
        self._loop = loop
        self._start = start
        self._asked, self._now = 0.0, start

    def now(self) -> datetime:
        if self._asked != self._loop.elapsed:  # it stands still between two timers, and is asked many times there
            self._asked = self._loop.elapsed
            self._now = self._start + timedelta(seconds=round(self._asked, 6))
        return self._now


def run_virtually(make: Any, start: datetime = datetime(2026, 11, 23, 10, tzinfo=UTC)) -> Any:
    """Run `make(clock)` to its end on virtual time."""
    loop = VirtualLoop()
    with asyncio.Runner(loop_factory=lambda: loop) as runner:
        main: Coroutine[Any, Any, Any] = make(VirtualClock(loop, start))
        return runner.run(main)
