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
    """How long a process takes for something: the time by the clock, less that in which it was ready to go on and another
    process had the processor. On a machine with nothing else to do that is nothing.
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
        """Seconds of that which its threads lost to other processes, as far as was seen before it ended."""
        self._most = max(self._most, _in_line(self._tasks) - self._lost)
        return self._most


def _in_line(tasks: Path) -> float:
    """Seconds for which threads have stood in line for a processor; 0 where the kernel does not count them."""
    waited = 0
    with suppress(OSError):  # it has ended, or there is no such count
        for task in tasks.iterdir():
            waited += int((task / "schedstat").read_text().split()[1])
    return waited / 1e9
