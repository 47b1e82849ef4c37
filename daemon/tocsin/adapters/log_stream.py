"""Where log lines leave: a thread of their own writes them, so that no log ever blocks, slows or ends the daemon
(rule 61).

Decides what is lost when nobody takes the lines: what does not fit the bounded queue, and what the system refuses (a
full disk, a closed pipe). It must not know what a line says.
"""

import io
import os
import select
import threading
import time
from collections.abc import Callable
from queue import SimpleQueue
from typing import Any

WAITING_LIMIT = 4 * 1024 * 1024
"""The most bytes that wait to be written: some ten thousand lines."""
GATHERED_FOR = 0.01
"""Seconds that a line waits for those behind it: they leave together, so that a busy daemon does not change threads for
each. What a thread that wakes costs is not the line but the lock of the interpreter, which the loop then waits for.
"""
BATCH_OCTETS = 64 * 1024
"""What is written together at the most: what waits and what is written is counted batch by batch, and a reader that is
merely slow must not look like one that takes nothing.
"""
PATIENCE = 1.0
"""Seconds between two looks at an output that takes nothing and says so."""


class LogStream(io.RawIOBase):
    """A stream in the place of stderr. `write` takes whole lines, never blocks and never raises.

    `written` and `lost` count lines since the start, `waiting` is in bytes; `fault` is what the system said to the last
    line that it refused, empty once it takes them again. `lost_line` words how many were lost: that line goes out
    before the next one that can be written.
    """

    def __init__(self, descriptor: int, lost_line: Callable[[int], str]) -> None:
        super().__init__()
        self.written = 0
        self.lost = 0
        self.waiting = 0
        self.fault = ""
        self._descriptor = descriptor
        self._lost_line = lost_line
        self._told = 0
        self._torn = False
        self._lines: SimpleQueue[bytes | None] = SimpleQueue()
        self._lock = threading.RLock()  # taken again where the garbage collector logs in the midst of it
        self._thread = threading.Thread(target=self._run, name="log", daemon=True)
        self._thread.start()

    def writable(self) -> bool:
        """It can be written to."""
        return True

    def isatty(self) -> bool:
        """Whether a person watches."""
        return os.isatty(self._descriptor)

    def fileno(self) -> int:
        """What lies beneath, for those who ask whether it is a terminal; writing there would go past the queue."""
        return self._descriptor

    def write(self, data: Any) -> int:
        """Queue a line, or several with one call; what does not fit is lost."""
        line = bytes(data)
        with self._lock:
            if self.waiting + len(line) > WAITING_LIMIT:
                self.lost += _lines_in(line)
            else:
                self.waiting += len(line)
                self._lines.put(line)
        return len(line)

    def drain(self, within: float) -> None:
        """Write what waits, for so many seconds at most; what is left then is never written. Nothing may follow."""
        self._lines.put(None)
        self._thread.join(within)

    def _run(self) -> None:
        ends = False
        while not ends:
            lines = [self._lines.get()]
            time.sleep(GATHERED_FOR)
            size = 0
            while size < BATCH_OCTETS and not self._lines.empty():
                line = self._lines.get()
                size += len(line or b"")
                lines.append(line)
            ends = None in lines
            self._put_out(b"".join(line for line in lines if line is not None))

    def _put_out(self, lines: bytes) -> None:
        """Write them, after the word of those lost before, and count what became of each."""
        if not lines:
            return
        lost, number = self.lost, _lines_in(lines)
        news = self._lost_line(lost - self._told).encode() if lost > self._told else b""
        left = self._write_on(b"\n" * self._torn + news + lines)
        refused = min(_lines_in(left), number) if left else 0
        with self._lock:
            self.waiting -= len(lines)
            self.written += number - refused
            self.lost += refused
        if refused < number:
            self._told = lost
        if not refused:
            self.fault = ""

    def _write_on(self, data: bytes) -> bytes:
        """Write it, however long that takes; what is left when the system refuses. Half a line may have gone then."""
        rest = data
        while rest:
            try:
                rest = rest[os.write(self._descriptor, rest) :]
            except BlockingIOError:  # somebody who shares it has made it non-blocking
                select.select([], [self._descriptor], [], PATIENCE)
            except OSError as fault:
                if len(rest) < len(data):
                    self._torn = data[-len(rest) - 1 : -len(rest)] != b"\n"
                self.fault = (fault.strerror or str(fault)).lower()
                return rest
        self._torn = False
        return b""


def _lines_in(data: bytes) -> int:
    return max(data.count(b"\n"), 1)
