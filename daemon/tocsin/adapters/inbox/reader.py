"""The inbox as the daemon reads it: what lies there is a stranger's, and is opened and removed with that in mind.

It decides when the folder may rest unlisted. It must not know what an entry is, but how long one may be. Everything
here blocks.
"""

import os
import stat
import time
from concurrent.futures import Executor
from datetime import UTC, datetime
from pathlib import Path

from tocsin.adapters.clock import boottime
from tocsin.adapters.files.disk_threads import DiskThreads
from tocsin.adapters.files.rights import may_write, user_name, why_not
from tocsin.adapters.files.safe_open import NotRegularError, kind_word, read_with_status
from tocsin.adapters.inbox.place import open_inbox
from tocsin.adapters.inbox.waiting import InboxWait
from tocsin.formats.inbox.entries import ENTRY_MOST
from tocsin.formats.inbox.names import HIDDEN
from tocsin.ports.inbox import InboxFile, InboxListing
from tocsin.text.cleaning import shown

LOOKS_EVERY = 0.1
"""Seconds between two looks at the folder, where the kernel does not say when something comes; while it rests one costs
a look at its time.
"""
WAITS_FOR = 5.0
"""Seconds after which it is said that nothing came, to whoever would only ask again."""
HEARS_FOR = 1.0
"""Seconds without a word of the kernel after which the folder is looked at all the same: not all that comes is told."""
WORDS_IN_VAIN = 5
"""After so many words of the kernel within these seconds that brought nothing it is not heard for the rest of them:
whoever may write here could make it speak without end.
"""
LISTED_MOST = 10_000
"""Names that are looked at in one listing."""
LISTS_AGAIN = 20
"""Listings after a change that are made whatever the folder's time says: it is as coarse as the kernel's tick, and what
came in the same tick as a listing would not show.
"""
RESTS_MOST = 10.0
"""Seconds after which the folder is listed although nothing seems to have changed."""
LEFT_OVER_AFTER = 600.0
"""Seconds after which a file that was never written to its end is left over from somebody who was killed. They count by
the folder's own times, up to what was last put there.
"""
THREADS = 3
"""How many: two may hang for ever, and one more asks again."""


class InboxReader:
    """A port InboxFolder; `incidents` is the folder of incident files, whose rights say who responds."""

    def __init__(self, folder: Path, incidents: Path) -> None:
        self._folder = folder
        self._incidents = incidents
        self._listed_of: tuple[int, int, int] | None = None
        self._again = 0
        self._listed_at = float("-inf")
        self._wait = InboxWait(folder)
        self.threads: Executor = DiskThreads("inbox", THREADS)
        self.looks_every = LOOKS_EVERY

    def changed(self, *, anew: bool = False, waits: bool = False) -> InboxListing | str | None:
        """What lies there now; None: nothing was put there since the last listing, nor, if it `waits`, for a while; a
        text: why it cannot be listed.
        """
        found, until = self._changed(anew=anew), boottime() + WAITS_FOR
        while found is None and waits and boottime() < until:
            found = self._heard()
        return found

    def _heard(self) -> InboxListing | str | None:
        """What lies there, once something is put there; None: nothing was for a second."""
        found, words, until = None, 0, boottime() + HEARS_FOR
        while found is None and (left := until - boottime()) > 0:
            if words > WORDS_IN_VAIN or not self._wait.wait(HEARS_FOR):
                time.sleep(min(LOOKS_EVERY, left))
            words += 1
            found = self._changed(anew=False)
        return found

    def _changed(self, *, anew: bool) -> InboxListing | str | None:
        try:
            status = self._folder.stat()
            identity = (status.st_dev, status.st_ino, status.st_mtime_ns)
            if anew or identity != self._listed_of:
                self._again = LISTS_AGAIN
            now = boottime()
            if not self._again and now - self._listed_at < RESTS_MOST:
                return None
            self._again = max(0, self._again - 1)
            self._listed_of, self._listed_at = identity, now
            return self._list()
        except FileNotFoundError:
            return self._made()
        except OSError as fault:
            self._listed_of = None
            return f"the inbox {shown(str(self._folder))} {why_not(self._folder, fault, needs=os.W_OK)}"

    def read(self, name: str) -> InboxFile | None:
        """One of the files; None: it is gone."""
        try:
            folder = open_inbox(self._folder)
        except OSError:
            return None
        try:
            return _read(name, folder, self._incidents)
        finally:
            os.close(folder)

    def remove(self, name: str) -> str:
        """Remove it, whatever it is; empty, or why it cannot be removed."""
        path = self._folder / name
        try:
            try:
                path.unlink()
            except IsADirectoryError:
                path.rmdir()
        except FileNotFoundError:
            return ""
        except OSError as fault:
            return (fault.strerror or str(fault)).lower()
        return ""

    def _list(self) -> InboxListing:
        """Raises OSError."""
        names: list[str] = []
        newest = self._folder.stat().st_mtime
        with os.scandir(self._folder) as entries:
            for number, entry in enumerate(entries, 1):
                if number > LISTED_MOST:
                    return InboxListing(names, more=True)
                if not entry.name.startswith(HIDDEN) or _is_left_over(entry, newest):
                    names.append(entry.name)
        return InboxListing(names)

    def _made(self) -> InboxListing | str:
        """The folder was missing."""
        self._listed_of = None
        try:
            os.close(open_inbox(self._folder))
        except OSError as fault:
            why = (fault.strerror or str(fault)).lower()
            return f"the inbox {shown(str(self._folder))} is missing, and cannot be made: {why}"
        return InboxListing(())


class StayingInbox(InboxReader):
    """The inbox of a machine that cannot see the ledger: what lies there is read, each entry once, and stays until it
    can be handed in (R54).
    """

    def __init__(self, folder: Path, incidents: Path) -> None:
        super().__init__(folder, incidents)
        self._taken: set[str] = set()

    def changed(self, *, anew: bool = False, waits: bool = False) -> InboxListing | str | None:
        """What lies there and was not read yet."""
        listing = super().changed(anew=anew, waits=waits)
        if not isinstance(listing, InboxListing):
            return listing
        self._taken.intersection_update(listing.names)
        return InboxListing([name for name in listing.names if name not in self._taken], listing.more)

    def remove(self, name: str) -> str:
        """It was judged here; who leads is to judge it too."""
        self._taken.add(name)
        return ""


def _is_left_over(entry: "os.DirEntry[str]", newest: float) -> bool:
    try:
        return newest - entry.stat(follow_symlinks=False).st_mtime > LEFT_OVER_AFTER
    except OSError:
        return False


def _read(name: str, folder: int, incidents: Path) -> InboxFile | None:
    hosts = {os.fstat(folder).st_uid, os.geteuid()}
    try:
        data, status = read_with_status(name, ENTRY_MOST + 1, folder)
    except FileNotFoundError:
        return None
    except NotRegularError as thing:
        return InboxFile(name, fault=f"it is {kind_word(thing.kind)}")
    except OSError as fault:
        return InboxFile(name, fault=f"it cannot be read: {(fault.strerror or str(fault)).lower()}")
    if status.st_nlink > 1:
        return InboxFile(name, fault="it is also called otherwise elsewhere (a hard link)")
    trusted, ours = status.st_uid in hosts, status.st_uid == os.geteuid()
    sealed = not status.st_mode & (stat.S_IWGRP | stat.S_IWOTH)
    of_responder = sealed and may_write(status.st_uid, incidents)
    owner, since = "" if trusted else user_name(status.st_uid), datetime.fromtimestamp(status.st_ctime, UTC)
    return InboxFile(name, data, owner, trusted, ours, of_responder, lies_since=since)
