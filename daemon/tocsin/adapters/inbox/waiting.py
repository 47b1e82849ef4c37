"""Waiting for something to be put into the inbox, without looking for it: the kernel says so (inotify, Linux).

It must not know what an entry is. Everything here blocks.
"""

import sys
from collections.abc import Generator
from contextlib import suppress
from pathlib import Path
from threading import Lock

if sys.platform == "linux":
    from tocsin.adapters.files.incident_folder.kernel import kernel_changes
else:
    kernel_changes = None


class InboxWait:
    """Hears what the kernel says of one folder. A thread that hangs with the folder keeps no other waiting."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._hearing = Lock()
        self._changes: Generator[frozenset[str] | None] | None = None
        self._watched: tuple[int, int] | None = None

    def wait(self, seconds: float) -> bool:
        """Wait until something may have changed since the last wait, for so many seconds at the most, the same ones
        each time. False, at once: it cannot be told, since another thread listens, or the kernel does not speak.
        """
        if kernel_changes is None or not self._hearing.acquire(blocking=False):
            return False
        try:
            status = self._folder.stat()
            if self._changes is None or (status.st_dev, status.st_ino) != self._watched:
                self._end()
                self._changes = kernel_changes(self._folder, seconds)  # speaks at once: nobody listened until now
                self._watched = status.st_dev, status.st_ino
            with suppress(StopIteration):  # the folder is gone
                next(self._changes)
                return True
            self._end()
        except OSError:
            self._end()
            return False
        finally:
            self._hearing.release()
        return True

    def _end(self) -> None:
        if self._changes is not None:
            self._changes.close()
            self._changes = None
