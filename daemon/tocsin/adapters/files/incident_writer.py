"""Writing incident files: whole or not at all, and never over what somebody else wrote meanwhile.

Bytes get into the folder by a temporary file that the scanner ignores, fsync, rename, and fsync of the folder.
"""

import fcntl
import os
import secrets
import stat
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import datetime
from pathlib import Path

from tocsin.adapters.files.rights import mode_in, why_not
from tocsin.adapters.files.safe_open import read_regular
from tocsin.adapters.files.watch_mark import is_watched
from tocsin.adapters.files.whole_file import sync, sync_folder, temporary_file
from tocsin.formats.incident.file_name import incident_id, is_incident_file
from tocsin.text.cleaning import shown
from tocsin.text.decoding import FILE_LIMIT

RETRIES = 10
"""How often an edit is made again because the file changed under it."""
LOCK_TRIES, LOCK_PAUSE = 250, 0.02
"""How often another tocsin command that writes is waited for, and for how many seconds each (5 s in all); then we go on
without the lock, because each edit is checked anyway."""
EDITS = ".tocsin-edits"
"""The empty file in the folder that a command makes and locks while it writes."""
_LOCKABLE = os.O_RDONLY | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK
NAME_LIMIT = 255
"""The longest file name, in bytes."""
NEW_MODE = 0o644
"""The permissions of a new file, whatever the umask: the daemon may run as another user. The folder's own guard it."""


class FileError(Exception):
    """A file could not be written; the text says why, for people."""


class IncidentFiles:
    """The folder of incident files, for commands that write. `written` is what was written there last; `private` files
    are for whom the folder itself names, and it is made for its owner alone.
    """

    def __init__(self, folder: Path, *, private: bool = False) -> None:
        self.folder = folder
        self._private = private
        self.written: Path | None = None

    def names(self) -> list[str]:
        """The names that count, in order; none when there is no such folder yet."""
        try:
            return sorted(name for name in os.listdir(self.folder) if is_incident_file(name))  # noqa: PTH208 - names, not paths
        except FileNotFoundError:
            return []
        except PermissionError as fault:
            label = shown(str(self.folder))
            raise FileError(f"the incident folder {label} {why_not(self.folder, fault)}") from None
        except OSError as fault:
            raise self._trouble(str(self.folder), fault) from None

    def ids(self) -> list[str]:
        """The ids of all incident files."""
        return [incident_id(name) for name in self.names()]

    def find(self, incident: str) -> str | None:
        """The name of the file with this id; a regular file before anything else, `.yaml` before `.yml`."""
        names = [name for name in self.names() if incident_id(name) == incident]
        regular = [name for name in names if self._is_regular(name)]
        return next(iter(regular or names), None)

    def read(self, name: str) -> bytes | None:
        """The bytes of a file up to the limit and one more; None when it is not there, or is no readable file."""
        try:
            return read_regular(self.folder / name, FILE_LIMIT + 1)
        except OSError:
            return None

    def create_unless(self, name: str, data: bytes, moot: Callable[[Sequence[str]], bool]) -> bool:
        """Write a new file; False when one of that name is there already, or the names that are there make it `moot`.
        Nobody else who asks this way writes in between.
        """
        try:
            self._make()
        except OSError as fault:
            raise self._trouble(name, fault) from None
        with self._alone():
            return not moot(self.names()) and self.create(name, data)

    def create(self, name: str, data: bytes) -> bool:
        """Write a new file; False when one of that name is there already."""
        try:
            self._make()
            with self._written(name, data) as temporary:
                try:
                    os.link(temporary, self.folder / name)
                except FileExistsError:
                    return False
            self.written = self.folder / name
            sync_folder(self.folder)
        except OSError as fault:
            raise self._trouble(name, fault) from None
        return True

    def change(self, name: str, edit: Callable[[bytes], bytes | None]) -> bool:
        """Replace a file by its edited self; False when it cannot be read, or not edited (then the edit gives None). If
        it changes meanwhile, the edit is made again on what it has become.
        """
        with self._alone():
            for _ in range(RETRIES):
                before = self.read(name)
                after = None if before is None else edit(before)
                if after is None:
                    return False
                if self._replaced(name, after, before):
                    return True
        raise FileError(f"{self._label(name)} keeps changing; nothing was written, try again")

    def put(self, name: str, data: bytes, aside: datetime | None = None) -> str:
        """Write a file whatever is in its place. With `aside`, what is there is first kept beside it as
        `.<name>.unread-<time>`; that name is given.
        """
        with self._alone():
            copy = ""
            if aside and os.path.lexists(self.folder / name):
                copy = self._keep(name, aside)
            try:
                self._make()
            except OSError as fault:
                raise self._trouble(name, fault) from None
            self._replaced(name, data)
        return copy

    def unwatched(self) -> Path | None:
        """The file that was written last, if no healthy daemon watches the folder: nobody will act on it."""
        return self.written if self.written and not is_watched(self.folder, self.written) else None

    def _keep(self, name: str, at: datetime) -> str:
        """Keep what is under a name beside it, untouched."""
        suffix = f".unread-{at:%Y%m%dT%H%M%SZ}-{secrets.token_hex(2)}"
        room = NAME_LIMIT - 1 - len(suffix)
        copy = "." + os.fsdecode(os.fsencode(name)[:room]) + suffix
        try:
            os.link(self.folder / name, self.folder / copy, follow_symlinks=False)
        except OSError:
            try:  # not every file system or right allows a second name; then there is a moment without the first
                os.rename(self.folder / name, self.folder / copy)  # noqa: PTH104 - bytes stay where they are
            except OSError as fault:
                raise self._trouble(copy, fault) from None
        return copy

    def _replaced(self, name: str, data: bytes, before: bytes | None = None) -> bool:
        """Put the data in the file's place; False if it no longer is as it was `before`."""
        try:
            with self._written(name, data) as temporary:
                if before is not None and self.read(name) != before:
                    return False
                os.replace(temporary, self.folder / name)  # noqa: PTH105 - beside os.link and os.open
            self.written = self.folder / name
            sync_folder(self.folder)
        except OSError as fault:
            raise self._trouble(name, fault) from None
        return True

    @contextmanager
    def _written(self, name: str, data: bytes) -> Iterator[Path]:
        """The data on disk under a name that the scanner ignores, with the mode and owner of the file it is for."""
        with temporary_file(self.folder / name, self._new_mode()) as (temporary, opened):
            opened.write(data)
            with suppress(OSError):  # there may be no file yet, and only root gives files away
                before, file = self._status(name), opened.fileno()
                if stat.S_ISREG(before.st_mode):
                    os.fchmod(file, stat.S_IMODE(before.st_mode) | stat.S_IRUSR | stat.S_IWUSR)
                    os.fchown(file, before.st_uid, before.st_gid)
            sync(opened)
            yield temporary

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """One tocsin command writes at a time. The folder itself is the daemon's to lock (rule 72)."""
        lock = self._lock()
        try:
            yield
        finally:
            if lock is not None:
                with suppress(OSError):
                    (self.folder / EDITS).unlink()
                os.close(lock)

    def _lock(self) -> int | None:
        """The file EDITS, locked; None where it cannot be had. Whoever had it removes it, so the one that was locked
        must still be the one that lies there.
        """
        for _ in range(LOCK_TRIES):
            try:
                lock = os.open(self.folder / EDITS, _LOCKABLE, NEW_MODE)
            except OSError:
                return None
            with suppress(OSError):  # whatever the umask, others must be able to lock it
                os.fchmod(lock, NEW_MODE)
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                if os.path.samestat(os.fstat(lock), self._status(EDITS)):
                    return lock
                os.close(lock)
            except OSError:
                os.close(lock)
                time.sleep(LOCK_PAUSE)
        return None

    def _new_mode(self) -> int:
        """The permissions of a new file: in a folder that hands its group on (setgid), that group may write it too."""
        folder = self.folder.stat().st_mode
        if folder & stat.S_ISGID:
            everybody = folder & stat.S_IROTH if self._private else stat.S_IROTH
            return NEW_MODE & ~stat.S_IROTH | stat.S_IWGRP | everybody
        return mode_in(self.folder) if self._private else NEW_MODE

    def _make(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True, mode=0o700 if self._private else 0o777)

    def _is_regular(self, name: str) -> bool:
        try:
            return stat.S_ISREG(self._status(name).st_mode)
        except OSError:
            return False

    def _status(self, name: str) -> os.stat_result:
        return os.lstat(self.folder / name)

    def _label(self, name: str) -> str:
        return shown(str(self.folder / name))

    def _trouble(self, name: str, fault: OSError) -> FileError:
        if not os.path.lexists(self.folder):
            gone = f"the incident folder {shown(str(self.folder))} is not there and cannot be made"
            return FileError(f"{gone} ({(fault.strerror or str(fault)).lower()}); make it, or start the daemon")
        return FileError(f"{self._label(name)} {why_not(self.folder, fault, 'written', os.W_OK)}")


def review_files(folder: Path) -> IncidentFiles:
    """The folder of review drafts: they tell of people, and are for whom the folder is."""
    return IncidentFiles(folder, private=True)
