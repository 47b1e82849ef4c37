"""One daemon per ledger. The lock is the kernel's, so it never outlives its holder; its file names the holder's pid.

Whoever may open the file can take the lock, and keep the daemon from its next start: so it is its owner's alone, also
where the ledger beside it may be read by a group.
"""

import fcntl
import os
import socket
import time
from contextlib import suppress
from pathlib import Path

TRIES, PAUSE = 20, 0.05
"""How often the lock is tried, and the seconds between: whoever only asks (`is_locked`) has it for an instant."""
ITS_OWNERS = 0o600
"""The permissions of the lock's file."""
KERNELS_LOCKS = Path("/proc/locks")
"""Where Linux says who has which lock: see proc_locks(5)."""


class LedgerLockedError(Exception):
    """Another daemon works on this ledger; `pid` is its process, empty when it cannot be read, and `host` its machine,
    if that is another one.
    """

    def __init__(self, pid: str, host: str = "") -> None:
        where = f" on {host}" if host else ""
        super().__init__(f"another tocsin works on this ledger (pid {pid or 'unknown'}{where}); stop it first")
        self.pid = pid


class Lock:
    """The lock of a ledger, from construction until `release` or the end of the process. Raises LedgerLockedError, and
    OSError where there can be no such file.
    """

    def __init__(self, ledger: Path) -> None:
        self._ledger = ledger
        self._file = self._take()

    def _take(self) -> int:
        lock = os.open(_lock_file(self._ledger), os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, ITS_OWNERS)
        with suppress(OSError):  # an earlier version let the group open it
            os.fchmod(lock, ITS_OWNERS)
        if not any(_try_lock(lock, fcntl.LOCK_EX, pause) for pause in (0.0, *[PAUSE] * (TRIES - 1))):
            pid, _, host = os.pread(lock, 300, 0).decode("ascii", "replace").partition("\n")
            os.close(lock)
            host = host.strip()
            raise LedgerLockedError(pid.strip(), "" if host == socket.gethostname() else host)
        with suppress(OSError):  # on a full disk nobody learns the pid; the lock holds all the same
            os.ftruncate(lock, 0)
            os.pwrite(lock, f"{os.getpid()}\n{socket.gethostname()}\n".encode("ascii", "replace"), 0)
        return lock

    def renew(self) -> None:
        """Take it anew if its file was deleted or replaced. Raises LedgerLockedError, OSError."""
        try:
            status = _lock_file(self._ledger).stat()
        except FileNotFoundError:
            status = None
        own = os.fstat(self._file)
        if status is None or (status.st_dev, status.st_ino) != (own.st_dev, own.st_ino):
            self._ledger.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            former, self._file = self._file, self._take()
            os.close(former)

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
        return _is_locked_by_kernel(_lock_file(ledger))
    try:
        return not _try_lock(file, fcntl.LOCK_SH)
    finally:
        os.close(file)


def _is_locked_by_kernel(file: Path) -> bool:
    """The same of a file that we may not open, as Linux says. True where it says nothing."""
    try:
        inode = b":%d" % file.stat().st_ino
        locks = [line.split() for line in KERNELS_LOCKS.read_bytes().splitlines()]
        return any(kind == b"FLOCK" and place.endswith(inode) for _, kind, _, _, _, place, *_ in locks)
    except (OSError, ValueError):
        return True


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
