"""The folder of incident files as the daemon watches it: what stands in it, whose it is, and what pokes us when it may
have changed.
"""

import asyncio
import errno
import os
from collections.abc import AsyncGenerator, Callable, Collection, Mapping, Sequence
from contextlib import suppress
from datetime import timedelta
from functools import partial
from pathlib import Path
from threading import Event, Thread

from tocsin.adapters.files.disk_threads import DiskThreads
from tocsin.adapters.files.incident_folder.pokes import ANYTHING, poke_at_changes
from tocsin.adapters.files.incident_folder.reading import FolderReading
from tocsin.adapters.files.watch_mark import FolderWatchedError, WatchMark
from tocsin.ports.clock import Clock
from tocsin.ports.folder import Listed, MarkTrouble
from tocsin.text.cleaning import shown

THREADS = 4
"""How many: three may hang for ever with what they asked the folder, and one more works on what it answered."""
CHANGED_WITHIN = timedelta(minutes=30)
"""How lately a file must have changed where nothing is known of incidents, by the file system's clock."""


class WatchedFolder(FolderReading):
    """`ports.Folder` on a real directory."""

    def __init__(self, path: Path, clock: Clock) -> None:
        super().__init__(path, clock)
        self.threads = DiskThreads("incident folder", THREADS)
        self._mark = WatchMark(path)

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

    async def pokes(self) -> AsyncGenerator[frozenset[str], None]:
        """Something may have changed: at each change the names, as far as they are known; none: anything may have, as
        at the beginning. Never ends; survives the folder's removal, its replacement, and a machine without inotify
        (then it pokes each second). All that touches the folder is done in a thread of its own: while the folder hangs,
        there is no poke.
        """
        loop, poked, stop = asyncio.get_running_loop(), asyncio.Event(), Event()
        names: set[str] = set()
        anything = False

        def gather(changed: frozenset[str]) -> None:
            nonlocal anything
            names.update(changed)
            anything = anything or not changed
            poked.set()

        def poke(changed: frozenset[str]) -> None:
            with suppress(RuntimeError):  # the loop has ended before this thread
                loop.call_soon_threadsafe(gather, changed)

        watching = partial(poke_at_changes, self.path, poke, stop)
        Thread(target=watching, name="incident folder watch", daemon=True).start()
        try:
            while True:
                await poked.wait()
                poked.clear()
                hint, anything = ANYTHING if anything else frozenset(names), False
                names.clear()
                yield hint
        finally:
            stop.set()


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

    def look_at(self, names: Collection[str]) -> None:
        """Never: which incident a file is, the others tell."""

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
