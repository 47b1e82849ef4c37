"""One daemon per ledger. The lock is the kernel's, so it never outlives its holder; its file names the holder's pid."""

import fcntl
import os
import time
from pathlib import Path

from tocsin.adapters.files.rights import mode_in

TRIES, PAUSE = 20, 0.05
"""How often the lock is tried, and the seconds between: whoever only asks (`is_locked`) has it for an instant."""


class LedgerLockedError(Exception):
    """Another daemon works on this ledger; `pid` is its process, empty when it cannot be read."""

    def __init__(self, pid: str) -> None:
        super().__init__(f"another tocsin works on this ledger (pid {pid or 'unknown'}); stop it first")
        self.pid = pid


class Lock:
    """The lock of a ledger, from construction until `release` or the end of the process. Raises LedgerLockedError."""

    def __init__(self, ledger: Path) -> None:
        self._file = os.open(_lock_file(ledger), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, mode_in(ledger.parent))
        if not any(_try_lock(self._file, fcntl.LOCK_EX, pause) for pause in (0.0, *[PAUSE] * (TRIES - 1))):
            pid = os.pread(self._file, 32, 0).decode("ascii", "replace").strip()
            os.close(self._file)
            raise LedgerLockedError(pid)
        os.ftruncate(self._file, 0)
        os.pwrite(self._file, f"{os.getpid()}\n".encode(), 0)

    def release(self) -> None:
        """Let the next daemon in."""
        os.close(self._file)


def is_locked(ledger: Path) -> bool:
    """Whether a daemon works on this ledger now. True when we may not know."""
    try:
        file = os.open(_lock_file(ledger), os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        return False
    except OSError:
        return True
    try:
        return not _try_lock(file, fcntl.LOCK_SH)
    finally:
        os.close(file)


def _lock_file(ledger: Path) -> Path:
    return ledger.with_name(f"{ledger.name}.lock")


def _try_lock(file: int, lock: int, pause: float = 0.0) -> bool:
    """Whether the lock could be had, after a pause."""
    time.sleep(pause)
    try:
        fcntl.flock(file, lock | fcntl.LOCK_NB)
    except OSError:
        return False
    return True
