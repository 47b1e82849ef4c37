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

    def claim(self, tries: int = TRIES) -> MarkTrouble | None:
        """Take the lock, or say why it cannot be had or shown here. Raises FolderWatchedError when another daemon has
        it.
        """
        self.release()
        try:
            file, may_write = self._opened()
        except OSError as fault:
            return self._unwritable(fault)
        for attempt in range(tries):
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except OSError as fault:
                if fault.errno not in _HELD:
                    os.close(file)
                    return self._unlockable(fault)
            if attempt + 1 < tries:
                time.sleep(PAUSE)
        else:
            holder = _note(file)
            os.close(file)
            raise FolderWatchedError(
                f"another tocsin watches {self._label()} ({holder}); each incident would be paged twice: stop it "
                "first, or let one of them watch another folder"
            )
        self._file = file
        if not may_write:
            return self._unwritable(OSError(errno.EACCES, ""))
        with suppress(OSError):  # a full disk takes no words; the lock is ours all the same
            os.ftruncate(file, 0)
            os.pwrite(file, f"host {socket.gethostname()}, pid {os.getpid()}\n".encode(), 0)
        return None

    def renew(self) -> MarkTrouble | None:
        """Show that a healthy daemon watches, or say why that cannot be shown. A mark that was taken away or replaced
        is made and locked anew.
        """
        try:
            trouble = None
            if self._file is None or not self._in_place(self._file):
                trouble = self.claim(tries=1)
            if trouble is None and self._file is not None:
                os.utime(self._file)
        except FolderWatchedError as other:
            return MarkTrouble(str(other), shared=True)
        except OSError as fault:
            return self._unwritable(fault)
        return trouble

    def release(self) -> None:
        """Let the next daemon in; from now on nobody watches."""
        if self._file is not None:
            with suppress(OSError):
                os.utime(self._file, (0, 0))
            os.close(self._file)
            self._file = None

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
