"""What stands in the folder of incident files.

Only regular files of a counting name are opened, never links, FIFOs, sockets or devices (rule 41); what has not changed
is not read again.
"""

import errno
import os
import stat
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from operator import attrgetter
from pathlib import Path

from tocsin.adapters.files.safe_open import NotRegularError, kind_word, read_with_status
from tocsin.formats.incident.file_name import is_incident_file
from tocsin.formats.incident.read import digest
from tocsin.ports.clock import Clock
from tocsin.ports.folder import Listed
from tocsin.text.cleaning import shown
from tocsin.text.decoding import FILE_LIMIT

KEPT_LIMIT = 16 * 1024
"""Files up to this size are kept in memory between scans, in bytes; larger ones are read again each time."""
FRESH = timedelta(seconds=2)
"""A file changed so shortly before it was read is read again: its times may be too coarse to show a second change."""
SLICE, PAUSE = 250, 0.0002
"""After so many entries a scan rests for so many seconds: with very many files it must not keep the event loop, and
what else wants the interpreter, waiting.
"""

_identity = attrgetter("st_dev", "st_ino", "st_size", "st_mtime_ns", "st_ctime_ns")
"""What changes when a file does, of its status."""
_UNPROVEN = ()
"""What no status gives."""


@dataclass(frozen=True, slots=True)
class _LastReading:
    """A file as last read: what its status was, or nothing if it had changed so shortly before that its times prove
    nothing yet.
    """

    identity: tuple[int, ...]
    listed: Listed


class FolderReading:
    """The files of one folder, each opened again only once it may hold something else. Every method blocks."""

    def __init__(self, path: Path, clock: Clock) -> None:
        self.path = path
        self._clock = clock
        self._seen: tuple[dict[str, _LastReading], Sequence[Listed] | None] = {}, None
        """Each file as last read, and the listing that says just that; both at once, since several threads may ask."""

    def scan(self) -> Sequence[Listed] | str:
        """Every file that counts, by name, or a sentence that says why the folder cannot be read. An unchanged file
        gives the same `Listed` object at each scan, and an unchanged folder the same sequence.
        """
        seen, fresh_from = self._seen, self._fresh_from()
        last, listing = seen
        kept: list[_LastReading] = []
        looked: list[tuple[Listed | None, _LastReading | None]] = []
        same = listing is not None
        in_order = iter(list(last.values()))  # a folder lists its files in the order of last time, as a rule
        expected = next(in_order, None)
        try:
            root = os.open(self.path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        except OSError as fault:
            return self._why(fault)
        try:
            with os.scandir(root) as entries:
                for number, entry in enumerate(entries, 1):
                    if not number % SLICE:
                        time.sleep(PAUSE)
                    name = entry.name
                    before = expected
                    if before is not None and before.listed.name == name:  # quicker than a search by name
                        expected = next(in_order, None)
                    else:
                        before = last.get(name)
                    if before is not None and _stands(before, entry):
                        kept.append(before)
                    elif before is not None or is_incident_file(name):
                        listed, reading = _look(root, name, entry.stat, before, fresh_from)
                        looked.append((listed, reading))
                        same = same and (listed is None or (before is not None and listed is before.listed))
        except OSError as fault:
            return self._why(fault)
        finally:
            os.close(root)
        if listing is not None and len(kept) == len(last) and not looked and self._seen is seen:
            return listing
        files = [before.listed for before in kept] + [listed for listed, _ in looked if listed is not None]
        if listing is None or not same or len(files) != len(listing) or self._seen is not seen:
            listing = sorted(files, key=_by_name)
        readings = [*kept, *(reading for _, reading in looked if reading is not None)]
        self._seen = {reading.listed.name: reading for reading in readings}, listing
        return listing

    def look_at(self, names: Collection[str]) -> Mapping[str, Listed] | None:
        """Those of these files that count and are there, by name, and no look at any other. None: it cannot be told."""
        try:
            root = os.open(self.path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        except OSError:
            return None
        last, _ = self._seen
        fresh_from, found, news = self._fresh_from(), dict[str, Listed](), dict[str, _LastReading]()
        try:
            for name in filter(is_incident_file, names):
                before = last.get(name)
                status = partial(os.stat, name, dir_fd=root)
                listed, reading = _look(root, name, status, before, fresh_from)
                if listed is not None:
                    found[name] = listed
                if reading is not None and reading is not before:
                    news[name] = reading
        finally:
            os.close(root)
        if news:
            self._seen = last, None  # before the news: a scan that meets them must not take its listing for theirs
            last.update(news)
        return found

    def _fresh_from(self) -> int:
        """From when on what changed is fresh, in ns."""
        return int((self._clock.now() - FRESH).timestamp() * 1e9)

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


def _stands(before: _LastReading, entry: "os.DirEntry[str]") -> bool:
    """Whether a file is certainly as it was read last. Almost all are, at each scan: this is what one costs."""
    try:
        return before.identity == _identity(entry.stat(follow_symlinks=False))
    except OSError:
        return False


def _look(
    root: int,
    name: str,
    stat_of: Callable[..., os.stat_result],
    before: _LastReading | None,
    fresh_from: int,
) -> tuple[Listed | None, _LastReading | None]:
    """What stands under a name: from memory if nothing about it has changed since `before`, else from the disk; and
    what to remember of it. None: nothing that counts, and nothing.
    """
    try:
        status = stat_of(follow_symlinks=False)
    except FileNotFoundError:
        return None, None
    except OSError as fault:
        return Listed(name, b"", "", _trouble(name, fault)), None
    if before is not None and before.identity == _identity(status):
        return before.listed, before
    if not stat.S_ISREG(status.st_mode):
        return None if stat.S_ISDIR(status.st_mode) else _never_opened(name, status.st_mode), None
    listed, opened = _read(root, name)
    if listed is not None and before is not None and before.listed == listed:
        listed = before.listed
    if listed is None or opened is None or opened.st_size > KEPT_LIMIT:
        return listed, None
    return listed, _LastReading(_identity(opened) if opened.st_ctime_ns < fresh_from else _UNPROVEN, listed)


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
