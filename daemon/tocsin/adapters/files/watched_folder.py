"""The folder of incident files, and what pokes us when it may have changed.

Only regular files of a counting name are opened, never links, FIFOs, sockets or devices (rule 41); what has not changed
is not read again.
"""

import asyncio
import errno
import os
import stat
from collections.abc import AsyncGenerator, Callable, Iterator, Mapping, Sequence
from contextlib import closing, suppress
from dataclasses import dataclass
from datetime import timedelta
from operator import attrgetter
from pathlib import Path
from threading import Event, Thread

from watchfiles import Change, watch

from tocsin.adapters.files import watch_mark
from tocsin.adapters.files.disk_threads import DiskThreads
from tocsin.adapters.files.safe_open import NotRegularError, kind_word, read_with_status
from tocsin.adapters.files.watch_mark import FolderWatchedError, WatchMark
from tocsin.formats.incident.file_name import is_incident_file
from tocsin.formats.incident.read import digest
from tocsin.ports.clock import Clock
from tocsin.ports.folder import Listed, MarkTrouble
from tocsin.text.cleaning import shown
from tocsin.text.decoding import FILE_LIMIT

KEPT_LIMIT = 16 * 1024
"""Files up to this size are kept in memory between scans, in bytes; larger ones are read again each time."""
FRESH = timedelta(seconds=2)
"""A file changed so shortly before it was read is read again: its times may be too coarse to show a second change."""
RESCAN_EVERY = timedelta(seconds=9)
"""A poke comes this often, whatever the watcher says (or fails to say), so that nothing is unseen for over 10 s."""
POLL_EVERY = timedelta(seconds=1)
"""How often a poke comes while the folder cannot be watched."""
THREADS = 4
"""How many: three may hang for ever with what they asked the folder, and one more works on what it answered."""
CHANGED_WITHIN = timedelta(minutes=30)
"""How lately a file must have changed where nothing is known of incidents, by the file system's clock."""
STEP_MS = 6
"""How long watchfiles sleeps between looks. It pokes after about 1.5 steps; shorter ones cost more CPU when idle."""
DEBOUNCE_MS = 20
"""How long watchfiles gathers a stream of changes into one poke."""

_Identity = tuple[int, int, int, int, int]


@dataclass(frozen=True, slots=True)
class _LastReading:
    """A file as last read. `fresh`: it had changed so shortly before that its times prove nothing yet."""

    identity: _Identity
    listed: Listed
    fresh: bool


class WatchedFolder:
    """`ports.Folder` on a real directory. An unchanged file gives the same `Listed` object at each scan."""

    def __init__(self, path: Path, clock: Clock) -> None:
        self.path = path
        self.threads = DiskThreads("incident folder", THREADS)
        self._clock = clock
        self._mark = WatchMark(path)
        self._last: dict[str, _LastReading] = {}

    def scan(self) -> Sequence[Listed] | str:
        """Every file that counts, by name, or a sentence that says why the folder cannot be read. It blocks."""
        try:
            root = os.open(self.path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        except OSError as fault:
            return self._why(fault)
        fresh_from = int((self._clock.now() - FRESH).timestamp() * 1e9)
        readings: dict[str, _LastReading] = {}
        files: list[Listed] = []
        try:
            with os.scandir(root) as entries:
                for entry in entries:
                    before = self._last.get(entry.name)
                    if before or is_incident_file(entry.name):
                        self._list(root, entry, before, fresh_from, readings, files)
        except OSError as fault:
            return self._why(fault)
        finally:
            os.close(root)
        self._last = readings
        files.sort(key=_by_name)
        return files

    def _list(
        self,
        root: int,
        entry: os.DirEntry[str],
        before: _LastReading | None,
        fresh_from: int,
        readings: dict[str, _LastReading],
        files: list[Listed],
    ) -> None:
        """List one entry: from memory if nothing about it has changed since `before`, else from the disk."""
        name = entry.name
        try:
            status = entry.stat(follow_symlinks=False)
        except FileNotFoundError:
            return
        except OSError as fault:
            files.append(Listed(name, b"", "", _trouble(name, fault)))
            return
        if before and not before.fresh and before.identity == _identity(status):
            readings[name] = before
            files.append(before.listed)
            return
        if not stat.S_ISREG(status.st_mode):
            if not stat.S_ISDIR(status.st_mode):
                files.append(_never_opened(name, status.st_mode))
            return
        listed, opened = _read(root, name)
        if listed is None:
            return
        if before and before.listed == listed:
            listed = before.listed
        files.append(listed)
        if opened and opened.st_size <= KEPT_LIMIT:
            readings[name] = _LastReading(_identity(opened), listed, opened.st_ctime_ns >= fresh_from)

    def make(self) -> str:
        """Make the folder if it is missing, and keep other daemons away, as far as it can be written; empty, or why it
        cannot be made. It blocks. Raises FolderWatchedError.
        """
        try:
            self.path.mkdir(parents=True, exist_ok=True)
        except OSError as fault:
            return f"the folder {shown(str(self.path))} cannot be made: {os.strerror(fault.errno or errno.EIO)}"
        self._mark.claim()
        return ""

    def release(self) -> None:
        """Let the next daemon in."""
        self._mark.release()

    def renew(self) -> MarkTrouble | None:
        """Show to commands that a healthy daemon watches (P3), or say why that cannot be shown. It blocks."""
        return self._mark.renew()

    async def pokes(self) -> AsyncGenerator[None, None]:
        """Something may have changed: at each change, and every 9 s anyway. Never ends; survives the folder's removal,
        its replacement, and a machine without inotify (then it pokes each second). All that touches the folder is done
        in a thread of its own: while the folder hangs, there is no poke.
        """
        loop, poked, stop = asyncio.get_running_loop(), asyncio.Event(), Event()

        def poke() -> None:
            with suppress(RuntimeError):  # the loop has ended before this thread
                loop.call_soon_threadsafe(poked.set)

        Thread(target=self._poking, args=(poke, stop), name="incident folder watch", daemon=True).start()
        try:
            while True:
                await poked.wait()
                poked.clear()
                yield None
        finally:
            stop.set()

    def _poking(self, poke: Callable[[], None], stop: Event) -> None:
        """Poke until told to stop."""
        while not stop.is_set():
            watched = self._root()
            if watched:
                with suppress(OSError, RuntimeError):  # inotify's limits, or a folder that went away meanwhile
                    for _ in self._watch(watched, stop):
                        poke()
            poke()
            if not watched or self._root() in {watched, None}:
                stop.wait(POLL_EVERY.total_seconds())

    def _watch(self, watched: tuple[int, int], stop: Event) -> Iterator[None]:
        """Pokes while the path leads to this very directory. The first comes within a second: what changed before the
        watch began was not seen.
        """
        changes = watch(
            self.path,
            watch_filter=_is_no_mark,
            debounce=DEBOUNCE_MS,
            step=STEP_MS,
            stop_event=stop,
            rust_timeout=int(POLL_EVERY.total_seconds() * 1000),
            yield_on_timeout=True,
            recursive=False,
            ignore_permission_denied=True,
        )
        ticks = RESCAN_EVERY // POLL_EVERY - 1
        with closing(changes):
            for change in changes:
                ticks += 1
                if change or ticks >= RESCAN_EVERY // POLL_EVERY:
                    ticks = 0
                    yield None
                if self._root() != watched:
                    return

    def _root(self) -> tuple[int, int] | None:
        """Which directory the path leads to now."""
        try:
            status = self.path.stat()
        except OSError:
            return None
        return (status.st_dev, status.st_ino) if stat.S_ISDIR(status.st_mode) else None

    def _why(self, fault: OSError) -> str:
        """Why the folder cannot be read, and what cures it."""
        name = shown(str(self.path))
        if isinstance(fault, FileNotFoundError):
            return f"the incident folder {name} is gone; make it again, or mount it"
        if isinstance(fault, NotADirectoryError):
            return f"the incident folder {name} is no directory; put a directory in its place"
        if isinstance(fault, PermissionError):
            return f"the incident folder {name} may not be read; let the daemon's user read and enter it"
        return f"the incident folder {name} cannot be read: {os.strerror(fault.errno or errno.EIO)}"


_by_name = attrgetter("name")


class NewlyDeclaredFiles(WatchedFolder):
    """The folder as a machine sees it that cannot see the ledger: what is newly declared there, and nothing that may
    have been paged already (R54). `incidents` tells which incident each file is, and `knows` whether one was ever seen
    in the ledger; None: that is not known of any. What was shown once is shown while this lives.
    """

    def __init__(
        self,
        incidents: Callable[[Sequence[Listed]], Mapping[str, str]],
        knows: Callable[[str], bool] | None,
        path: Path,
        clock: Clock,
    ) -> None:
        super().__init__(path, clock)
        self._incidents = incidents
        self._knows = knows
        self._shown: set[str] = set()

    def scan(self) -> Sequence[Listed] | str:
        """The files that are newly declared, or why the folder cannot be read."""
        files = super().scan()
        if isinstance(files, str):
            return files
        incidents = self._incidents(files)
        new = [
            listed
            for listed in files
            if listed.name in self._shown or self._is_new(listed.name, incidents[listed.name])
        ]
        self._shown |= {listed.name for listed in new}
        return new

    def make(self) -> str:
        """As always; another machine may watch it too, with which it is shared (P3)."""
        try:
            trouble = super().make()
        except FolderWatchedError:
            return ""
        self._mark.show_unwatched()
        return trouble

    def renew(self) -> None:
        """Never: what a command writes about any other incident comes to nobody from here."""

    def _is_new(self, name: str, incident: str) -> bool:
        if self._knows is not None:
            return not self._knows(incident)
        try:
            changed = (self.path / name).lstat().st_mtime
        except OSError:
            return False
        return self._clock.now().timestamp() - changed <= CHANGED_WITHIN.total_seconds()


def _is_no_mark(_change: Change, path: str) -> bool:
    """Our own mark is renewed every few seconds; that is no reason to look."""
    return not path.endswith(f"/{watch_mark.NAME}")


def _identity(status: os.stat_result) -> _Identity:
    """What changes when a file does."""
    return status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns


def _never_opened(name: str, mode: int) -> Listed:
    """An entry that is no file (rule 41)."""
    kind = kind_word(stat.S_IFMT(mode))
    return Listed(name, None, "", f"{shown(name)} is {kind}, which is never opened; put a regular file in its place")


def _trouble(name: str, fault: OSError) -> str:
    """Why a file cannot be read, and what cures it."""
    if isinstance(fault, PermissionError):
        return f"{shown(name)} may not be read by the daemon's user; chmod g+r it, and chgrp it to that user's group"
    return f"{shown(name)} cannot be read: {os.strerror(fault.errno or errno.EIO)}"


def _read(root: int, name: str) -> tuple[Listed | None, os.stat_result | None]:
    """Open one file, and read it up to the limit and one byte more; None when it has just gone. A file that there is
    but cannot be read has no bytes and says why.
    """
    try:
        data, status = read_with_status(name, FILE_LIMIT + 1, root)
    except FileNotFoundError:
        return None, None
    except NotRegularError as other:
        return _never_opened(name, other.kind), None
    except OSError as fault:
        return Listed(name, b"", "", _trouble(name, fault)), None
    trouble = (
        "" if len(data) <= FILE_LIMIT else f"{shown(name)} is over {FILE_LIMIT // 1024} KiB; only the start is read"
    )
    return Listed(name, data, digest(data), trouble), status
