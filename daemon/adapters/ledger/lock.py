"""Lock: one daemon per ledger. The lock is the kernel's, so it never outlives its holder; the pid is for people."""

import fcntl
import os
from pathlib import Path


class Locked(Exception):  # noqa: N818 - it is a state, not a fault
    """Another daemon works on this ledger; `pid` is its process, empty when it cannot be read."""

    def __init__(self, pid: str) -> None:
        super().__init__(f"another tocsin works on this ledger (pid {pid or 'unknown'}); stop it first")
        self.pid = pid


class Lock:
    """Held from construction until `release` or the end of the process."""

    def __init__(self, ledger: Path) -> None:
        path = ledger.with_name(f"{ledger.name}.lock")
        self._file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            pid = os.pread(self._file, 32, 0).decode("ascii", "replace").strip()
            os.close(self._file)
            raise Locked(pid) from None
        os.ftruncate(self._file, 0)
        os.pwrite(self._file, f"{os.getpid()}\n".encode(), 0)

    def release(self) -> None:
        """Let the next daemon in."""
        os.close(self._file)
