"""What keeps a second daemon away from a watched folder (rule 72), and tells commands that a daemon watches the one
they write to (P3): the mark `.tocsin-watched`, by its age.

There are two locks, on the folder itself and on the mark: the first needs no right to write and outlives a mark that is
deleted, the second is given where folders cannot be locked (NFS). Both are the kernel's, so they never outlive their
holder. A file system that gives neither refuses nothing: then there is only a sentence that says so.
"""

import errno
import fcntl
import os
import socket
import stat
import time
from contextlib import suppress
from datetime import UTC, datetime, timedelta
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
    """The mark of one folder, and the locks. Every method blocks, for ever if the folder hangs."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._path = folder / NAME
        self._root: int | None = None
        self._file: int | None = None
        self._unlocked: MarkTrouble | None = None

    def claim(self, tries: int = TRIES) -> MarkTrouble | None:
        """Take the locks and open the mark, or say why that cannot be had. Raises FolderWatchedError when another
        daemon has one of them.
        """
        try:
            self._begin()
            self._unlocked = self._why_unlocked(tries)  # before the mark, which may be another daemon's, is touched
            self._file, may_write = self._opened()
            self._unlocked = self._why_unlocked(tries)
        except OSError as fault:
            return self._unwritable(fault)
        if not may_write:
            return self._unwritable(OSError(errno.EACCES, ""))
        with suppress(OSError):  # a full disk takes no words; the lock is ours all the same
            os.ftruncate(self._file, 0)
            os.pwrite(self._file, f"host {socket.gethostname()}, pid {os.getpid()}\n".encode(), 0)
        return self._unlocked

    def renew(self) -> MarkTrouble | None:
        """Show that a healthy daemon watches, or say why that cannot be shown. A mark that was taken away or replaced
        is made and locked anew. One that another daemon holds is renewed as well: that one may be ill (P3).
        """
        try:
            if self._file is None or not _is_at(self._file, self._path) or not self._has_root():
                trouble = self.claim(tries=1)
            else:
                if self._unlocked and self._is_locked():
                    self._unlocked = None
                trouble = self._unlocked
            if self._file is not None:
                os.utime(self._file)
        except FolderWatchedError as other:
            with suppress(OSError):  # it may be another user's; then that daemon alone shows it
                os.utime(self._path, follow_symlinks=False)
            return MarkTrouble(str(other), shared=True)
        except OSError as fault:
            return self._unwritable(fault)
        return trouble

    def show_unwatched(self) -> None:
        """From now on nobody watches, whoever has the locks."""
        if self._file is not None and self._unlocked is None:
            with suppress(OSError):
                os.utime(self._file, (0, 0))

    def release(self) -> None:
        """Let the next daemon in; from now on nobody watches."""
        self.show_unwatched()
        self._let_go()

    def _begin(self) -> None:
        """Open the folder anew, unless it is still the one whose lock may be ours; of the mark nothing is kept."""
        if self._has_root():
            self._close_mark()
            return
        self._let_go()
        self._root = os.open(self._folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)

    def _let_go(self) -> None:
        """Close all, and leave the mark as it is: it may be another daemon's."""
        self._close_mark()
        if self._root is not None:
            os.close(self._root)
            self._root = None

    def _close_mark(self) -> None:
        if self._file is not None:
            os.close(self._file)
            self._file = None

    def _has_root(self) -> bool:
        return self._root is not None and _is_at(self._root, self._folder, follow=True)

    def _why_unlocked(self, tries: int) -> MarkTrouble | None:
        """Take the locks; why the file system gives none, or why it does not count who has one."""
        for attempt in range(tries):
            faults = self._faults()
            if not any(fault.errno in _HELD for fault in faults):
                return self._unlockable(faults[0]) if self._lacks(faults) else None
            if attempt + 1 < tries:
                time.sleep(PAUSE)
        if self._is_stale():
            return MarkTrouble(
                f"some process has the lock on {self._label()} or on {NAME} in it, but it is no healthy daemon: nobody "
                f"has renewed that file for over {STALE.seconds // 60} min; find and end it (fuser . {NAME})"
            )
        holder = self._holder()
        self._let_go()
        raise FolderWatchedError(
            f"another tocsin watches {self._label()} ({holder}); each incident would be paged twice: stop it "
            "first, or let one of them watch another folder"
        )

    def _faults(self) -> list[OSError]:
        """Why locks that were tried are not ours."""
        return [fault for file in (self._root, self._file) if file is not None and (fault := _lock(file))]

    def _lacks(self, faults: list[OSError]) -> bool:
        """Whether none is ours, of as many as there are to take by now."""
        return len(faults) == (self._root is not None) + (self._file is not None)

    def _is_locked(self) -> bool:
        """Whether nothing is wrong with the locks now: nobody else has one, and one is given at least."""
        faults = self._faults()
        return not self._lacks(faults) and not any(fault.errno in _HELD for fault in faults)

    def _is_stale(self) -> bool:
        """Whether nobody has renewed the mark for long, by the time of the file system itself. Anybody who may read the
        mark can lock it: that alone must not keep the daemon from starting.
        """
        now = self._folder / f".tocsin-now-{os.getpid()}"
        try:
            os.close(os.open(now, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600))
            try:
                return now.lstat().st_mtime - self._path.lstat().st_mtime > STALE.total_seconds()
            finally:
                now.unlink()
        except OSError:
            return False

    def _holder(self) -> str:
        """Who has the lock, as the mark says, or else this machine's kernel."""
        try:
            file = os.open(self._path, os.O_RDONLY | _FLAGS & ~os.O_CREAT)
        except OSError:
            return _holder_by_kernel(self._root)
        try:
            return _note(file) or _holder_by_kernel(self._root)
        finally:
            os.close(file)

    def _opened(self) -> tuple[int, bool]:
        """The mark's file, and whether it may be written: one that may only be read can still be locked."""
        if self._kind():
            raise FileExistsError(errno.EEXIST, "")
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

    def _kind(self) -> str:
        """What stands in the mark's place that is no file; empty: a file, or nothing."""
        try:
            mode = self._path.lstat().st_mode
        except OSError:
            return ""
        if stat.S_ISREG(mode):
            return ""
        return "a symbolic link" if stat.S_ISLNK(mode) else "a folder" if stat.S_ISDIR(mode) else "no regular file"

    def _unwritable(self, fault: OSError) -> MarkTrouble:
        second = "" if self._root is not None and self._unlocked is None else ", and a second daemon may go unnoticed"
        missed = f"so tocsin declare, ack and the others say that no daemon watches{second}"
        if kind := self._kind():
            remove = "rm -r" if kind == "a folder" else "rm"
            return MarkTrouble(
                f"{self._label()}/{NAME} is {kind}, where tocsin keeps a file, {missed}; remove it "
                f"({remove} {self._label()}/{NAME}), and tocsin makes it anew"
            )
        why = os.strerror(fault.errno or errno.EIO).lower()
        return MarkTrouble(
            f"{self._label()}/{NAME} cannot be written ({why}), {missed}; let the daemon's user write that file"
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
    system's own, the mark's age is told. Only a file is a mark.
    """
    try:
        mark = (folder / NAME).lstat()
        age = written.lstat().st_mtime - mark.st_mtime
    except OSError:
        return False
    return stat.S_ISREG(mark.st_mode) and abs(age) <= FRESH.total_seconds()


def renewed_at(mark: Path) -> datetime:
    """When a daemon last renewed a mark. Raises OSError."""
    return datetime.fromtimestamp(mark.lstat().st_mtime, UTC)


def _is_at(file: int, path: Path, *, follow: bool = False) -> bool:
    """Whether what was opened is at that path still."""
    try:
        there, ours = path.stat(follow_symlinks=follow), os.fstat(file)
    except FileNotFoundError:
        return False
    return (there.st_dev, there.st_ino) == (ours.st_dev, ours.st_ino)


def _lock(file: int) -> OSError | None:
    """Take a lock; why it is not ours."""
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as fault:
        return fault
    return None


def _note(file: int) -> str:
    """Who holds the lock, as its mark says."""
    try:
        return shown(os.pread(file, NOTE_LIMIT, 0).decode("utf-8", "replace").strip())
    except OSError:
        return ""


def _holder_by_kernel(root: int | None) -> str:
    """Who holds the lock on a folder, as Linux says of this machine's processes."""
    with suppress(OSError, ValueError):
        inode = str(os.fstat(root).st_ino) if root is not None else ""
        for line in Path("/proc/locks").read_text().splitlines():
            _, kind, _, _, pid, place, *_ = line.split()
            if kind == "FLOCK" and place.rpartition(":")[2] == inode:
                return f"host {socket.gethostname()}, pid {pid}"
    return "it cannot be told which"
