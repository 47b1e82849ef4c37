"""Leaving an entry: whole and on disk, or not at all. It must not know what entries mean.

The folder may belong to somebody else and may hang: what is written goes through names that nobody can guess, and in
threads of its own.
"""

import asyncio
import errno
import os
import secrets
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from tocsin.adapters.files.disk_threads import DiskThreads
from tocsin.adapters.files.rights import why_not
from tocsin.adapters.inbox.place import file_mode, open_inbox
from tocsin.domain.arrival import EntryKind, InboxEntry
from tocsin.formats.inbox.entries import ENTRY_MOST, WAITING_MOST, write_entry
from tocsin.formats.inbox.names import HIDDEN, EntryName, entry_name, read_entry_name
from tocsin.ports.clock import Clock
from tocsin.ports.inbox import InboxError, InboxFullError
from tocsin.text.cleaning import shown

STRANGERS_MOST = 500
"""How many of those that wait strangers may fill."""
OF_STRANGERS = frozenset({EntryKind.WEBHOOK, EntryKind.SIGN_IN, EntryKind.CODE})
"""Anybody can call a webhook, ask for a code, and try one."""
WRITTEN_WITHIN = 5.0
"""Seconds for the folder to answer."""
THREADS = 4

_FLAGS = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC


class InboxWriter:
    """A port Inbox, on a folder."""

    def __init__(self, folder: Path, clock: Clock) -> None:
        self._folder = folder
        self._clock = clock
        self._threads = DiskThreads("inbox", THREADS)

    async def leave(self, entry: InboxEntry) -> None:
        """Leave an entry: it is on disk when this returns. Raises InboxError."""
        data, name = write_entry(entry), EntryName(self._clock.now(), entry.kind, entry.ref)
        if len(data) > ENTRY_MOST:
            raise InboxError(f"what came in is over {ENTRY_MOST // 1024} kB")
        writing = asyncio.get_running_loop().run_in_executor(self._threads, self._write, name, data)
        await asyncio.wait({writing}, timeout=WRITTEN_WITHIN)
        if not writing.done():
            writing.add_done_callback(lambda late: late.cancelled() or late.exception())
            raise InboxError(f"the inbox {shown(str(self._folder))} does not answer: see whether its disk is alive")
        writing.result()

    async def waits(self, kind: EntryKind, ref: str) -> bool:
        """Whether an entry that was left is still there; also where that cannot be seen."""
        looking = asyncio.get_running_loop().run_in_executor(self._threads, self._lies_there, kind, ref)
        await asyncio.wait({looking}, timeout=WRITTEN_WITHIN)
        return not looking.done() or looking.result()

    def _lies_there(self, kind: EntryKind, ref: str) -> bool:
        """In a thread."""
        try:
            with _opened(self._folder) as folder, os.scandir(folder) as entries:
                names = [read_entry_name(entry.name) for entry in entries]
        except OSError:
            return True
        return any(name is not None and (name.kind, name.ref) == (kind, ref) for name in names)

    def _write(self, name: EntryName, data: bytes) -> None:
        """In a thread."""
        try:
            with _opened(self._folder) as folder:
                with os.scandir(folder) as entries:
                    _require_room([entry.name for entry in entries], name.kind)
                _write_whole(folder, entry_name(name), data)
        except OSError as fault:
            raise InboxError(_told(self._folder, fault)) from None


@contextmanager
def _opened(folder: Path) -> Iterator[int]:
    opened = open_inbox(folder)
    try:
        yield opened
    finally:
        os.close(opened)


def _require_room(names: Sequence[str], kind: EntryKind) -> None:
    """Raises InboxFullError."""
    of_strangers = sum(any(f"-{theirs.value}-" in name for theirs in OF_STRANGERS) for name in names)
    if len(names) >= WAITING_MOST or (kind in OF_STRANGERS and of_strangers >= STRANGERS_MOST):
        raise InboxFullError(f"the inbox is full: {len(names)} entries wait for the daemon; is it running?")


def _write_whole(folder: int, name: str, data: bytes) -> None:
    """The file under its name, whole and on disk. Raises OSError; then there is none, or it is whole."""
    hidden = HIDDEN + secrets.token_hex(16)
    opened = os.open(hidden, _FLAGS, file_mode(folder), dir_fd=folder)
    try:
        try:
            os.fchmod(opened, file_mode(folder))
            written = 0
            while written < len(data):
                written += os.write(opened, data[written:])
            os.fsync(opened)
        finally:
            os.close(opened)
        os.rename(hidden, name, src_dir_fd=folder, dst_dir_fd=folder)
    except OSError:
        with suppress(OSError):
            os.unlink(hidden, dir_fd=folder)
        raise
    os.fsync(folder)


def _told(folder: Path, fault: OSError) -> str:
    """What is wrong, for the log and for whoever runs a command."""
    if fault.errno == errno.ENOTDIR:
        return f"the inbox {shown(str(folder))} is no folder; move away what stands there"
    return f"the inbox {shown(str(folder))} {why_not(folder, fault, 'written', os.W_OK)}"
