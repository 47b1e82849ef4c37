"""The mark in a watched folder, `.tocsin-watched`: the lock that keeps a second daemon away (rule 72), and, by its age,
what tells commands that a daemon watches the folder they write to (P3).

The lock is the kernel's, so it never outlives its holder. A file system that gives no locks, or a folder that the
daemon may only read, refuses nothing: then there is only a sentence that says so.
"""

import errno
import fcntl
import os
import socket
import time
from contextlib import suppress
from datetime import timedelta
from pathlib import Path

from tocsin.ports.folder import MarkTrouble
from tocsin.text.cleaning import shown

NAME = ".tocsin-watched"
FRESH = timedelta(seconds=30)
"""How old the mark of a healthy daemon may be. It is renewed each 10 s."""
STALE = timedelta(minutes=2)
"""How old a mark is that no healthy daemon renews, whoever has locked it."""
TRIES, PAUSE = 6, 0.1
"""How often the lock is tried at a start, and the seconds between: the daemon before may be at its last breath."""
NOTE_LIMIT = 200
"""The most bytes of a mark that are read."""
_FLAGS = os.O_CREAT | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
_HELD = {errno.EWOULDBLOCK, errno.EACCES, errno.EAGAIN}
_UNWRITABLE = {errno.EACCES, errno.EPERM, errno.EROFS}


class FolderWatchedError(Exception):
    """Another daemon watches this folder."""


class WatchMark:
    """The mark of one folder. Every method blocks, for ever if the folder hangs."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._path = folder / NAME
        self._file: int | None = None
        self._unlocked: MarkTrouble | None = None

    def claim(self, tries: int = TRIES) -> MarkTrouble | None:
        """Open the mark and take its lock, or say why that cannot be had. Raises FolderWatchedError when another daemon
        has it.
        """
        self.release()
        try:
            self._file, may_write = self._opened()
        except OSError as fault:
            return self._unwritable(fault)
        self._unlocked = self._lock(self._file, tries)
        if not may_write:
            return self._unwritable(OSError(errno.EACCES, ""))
        with suppress(OSError):  # a full disk takes no words; the lock is ours all the same
            os.ftruncate(self._file, 0)
            os.pwrite(self._file, f"host {socket.gethostname()}, pid {os.getpid()}\n".encode(), 0)
        return self._unlocked

    def renew(self) -> MarkTrouble | None:
        """Show that a healthy daemon watches, or say why that cannot be shown. A mark that was taken away or replaced
        is made and locked anew.
        """
        try:
            if self._file is None or not self._in_place(self._file):
                trouble = self.claim(tries=1)
            else:
                trouble = self._unlocked = self._unlocked and self._still_unlocked(self._file, self._unlocked)
            if self._file is not None:
                os.utime(self._file)
        except FolderWatchedError as other:
            return MarkTrouble(str(other), shared=True)
        except OSError as fault:
            return self._unwritable(fault)
        return trouble

    def release(self) -> None:
        """Let the next daemon in; from now on nobody watches."""
        if self._file is not None:
            if self._unlocked is None:
                with suppress(OSError):
                    os.utime(self._file, (0, 0))
            os.close(self._file)
            self._file = None

    def _lock(self, file: int, tries: int) -> MarkTrouble | None:
        """Take the lock; why the file system does not give it, or why it does not count who has it."""
        for attempt in range(tries):
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError as fault:
                if fault.errno not in _HELD:
                    return self._unlockable(fault)
            else:
                return None
            if attempt + 1 < tries:
                time.sleep(PAUSE)
        if self._stale(file):
            return MarkTrouble(
                f"some process has the lock on {self._label()}/{NAME}, but it is no healthy daemon: it has not renewed "
                f"it for over {STALE.seconds // 60} min; find and end it (fuser {NAME})"
            )
        holder, self._file = _note(file), None
        os.close(file)
        raise FolderWatchedError(
            f"another tocsin watches {self._label()} ({holder}); each incident would be paged twice: stop it "
            "first, or let one of them watch another folder"
        )

    def _still_unlocked(self, file: int, trouble: MarkTrouble) -> MarkTrouble | None:
        """Whether the lock, which was not to be had, cannot be had still."""
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            return trouble
        return None

    def _stale(self, file: int) -> bool:
        """Whether nobody has renewed the mark for long, by the time of the file system itself. Anybody who may read the
        mark can lock it: that alone must not keep the daemon from starting.
        """
        now = self._folder / f".tocsin-now-{os.getpid()}"
        try:
            os.close(os.open(now, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600))
            try:
                return now.lstat().st_mtime - os.fstat(file).st_mtime > STALE.total_seconds()
            finally:
                now.unlink()
        except OSError:
            return False

    def _opened(self) -> tuple[int, bool]:
        """The mark's file, and whether it may be written: one that may only be read can still be locked."""
        try:
            file = os.open(self._path, os.O_RDWR | _FLAGS, 0o644)
        except OSError as fault:
            if fault.errno not in _UNWRITABLE:
                raise
            with suppress(OSError):
                return os.open(self._path, os.O_RDONLY | _FLAGS & ~os.O_CREAT), False
            raise
        with suppress(OSError):  # whatever the umask: a second daemon may be another user's
            os.fchmod(file, 0o644)
        return file, True

    def _in_place(self, file: int) -> bool:
        try:
            there, ours = self._path.lstat(), os.fstat(file)
        except FileNotFoundError:
            return False
        return (there.st_dev, there.st_ino) == (ours.st_dev, ours.st_ino)

    def _unwritable(self, fault: OSError) -> MarkTrouble:
        why = os.strerror(fault.errno or errno.EIO).lower()
        return MarkTrouble(
            f"{self._label()}/{NAME} cannot be written ({why}), so tocsin declare, ack and the others say that no "
            "daemon watches, and a second daemon may go unnoticed; let the daemon's user write that file"
        )

    def _unlockable(self, fault: OSError) -> MarkTrouble:
        why = os.strerror(fault.errno or errno.EIO).lower()
        return MarkTrouble(
            f"the file system of {self._label()} gives no lock ({why}), so a second daemon on it would not be noticed; "
            "see to it that there is only one"
        )

    def _label(self) -> str:
        return shown(str(self._folder))


def is_watched(folder: Path, written: Path) -> bool:
    """Whether a healthy daemon watches the folder. `written` was written there just now: by its time, which is the file
    system's own, the mark's age is told.
    """
    try:
        age = written.lstat().st_mtime - (folder / NAME).lstat().st_mtime
    except OSError:
        return False
    return abs(age) <= FRESH.total_seconds()


def _note(file: int) -> str:
    """Who holds the lock, as its mark says."""
    try:
        return shown(os.pread(file, NOTE_LIMIT, 0).decode("utf-8", "replace").strip()) or "it does not say which"
    except OSError:
        return "it cannot be read which"
