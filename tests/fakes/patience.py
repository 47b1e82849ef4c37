"""How long a test waits for what another process does: looks between naps, and a limit that only ends a hanging test.
And how long that process took, where this is what is promised, whatever else the machine does meanwhile.
"""

import time
from contextlib import suppress
from pathlib import Path

NAP = 0.03
"""Seconds between two looks, where a look costs nothing."""
LONGEST_NAP = 1.0
STALL = 1.0
"""A turn that took longer than so many seconds did so because the machine stood still: it counts for as many."""


class Patience:
    """So many seconds of a machine that goes on."""

    def __init__(self, seconds: float) -> None:
        self._left = seconds
        self._since = time.monotonic()

    def nap(self) -> bool:
        """Whether one may look again, after a nap that is no shorter than the look was: who waits leaves the processor to
        what is waited for.
        """
        looked = time.monotonic() - self._since
        time.sleep(min(max(NAP, looked), LONGEST_NAP))
        now = time.monotonic()
        self._left -= min(now - self._since, STALL)
        self._since = now
        return self._left > 0


class Stopwatch:
    """How long a process takes for something: the time by the clock, less that in which the thread of it that waited
    longest was ready to go on and had no processor. On a machine with nothing else to do that is next to nothing.
    """

    def __init__(self, pid: int) -> None:
        self._tasks = Path(f"/proc/{pid}/task")
        self._lost, self._most = _in_line(self._tasks), 0.0
        self._began = time.monotonic()

    @property
    def seconds(self) -> float:
        """So many until now."""
        return time.monotonic() - self._began - self.stood_in_line

    @property
    def stood_in_line(self) -> float:
        """Seconds of that which one of its threads lost, the one that lost most, as far as was seen before it ended."""
        lost = (waited - self._lost.get(task, 0.0) for task, waited in _in_line(self._tasks).items())
        self._most = min(max([self._most, *lost]), time.monotonic() - self._began)
        return self._most


def _in_line(tasks: Path) -> dict[str, float]:
    """Seconds for which each thread has stood in line for a processor; none where the kernel does not count them."""
    waited: dict[str, float] = {}
    with suppress(OSError):  # it has ended, or there is no such count
        for task in tasks.iterdir():
            waited[task.name] = int((task / "schedstat").read_text().split()[1]) / 1e9
    return waited
