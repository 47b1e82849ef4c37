"""Writing a file whole or not at all, under a name that nobody can guess before it has its own.

Whoever may write the folder could put a link where a file is about to be written. So the temporary name is random, is
only made anew (never opened, never followed), and is the scanner's to ignore. The mode is what it is said to be,
whatever the umask.
"""

import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

_FLAGS = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
_NAME_LIMIT = 255
"""The longest file name, in bytes."""
_ROOM = 40
"""Bytes of a temporary name that are not the file's own."""


@contextmanager
def temporary_file(path: Path, mode: int) -> Iterator[tuple[Path, BinaryIO]]:
    """A new file that is to become the one at `path`, and its name until then, open to be written: it is on disk once
    `sync` was called, and gone in the end unless it got another name. Raises OSError.
    """
    own = os.fsdecode(os.fsencode(path.name)[: _NAME_LIMIT - _ROOM])
    temporary = path.with_name(f".{own}.{secrets.token_hex(16)}.tmp")
    file = os.open(temporary, _FLAGS, mode)
    try:
        with os.fdopen(file, "wb") as opened:
            os.fchmod(file, mode)
            yield temporary, opened
    finally:
        temporary.unlink(missing_ok=True)


def sync(opened: BinaryIO) -> None:
    """Have what was written on disk. Raises OSError."""
    opened.flush()
    os.fsync(opened.fileno())


def write_whole(path: Path, data: bytes, mode: int) -> None:
    """Put a file with these bytes in the place of whatever is there. Raises OSError; then that is as it was."""
    with temporary_file(path, mode) as (temporary, opened):
        opened.write(data)
        sync(opened)
        temporary.rename(path)


def sync_folder(folder: Path) -> None:
    """Make a folder's entries survive a power loss. Raises OSError."""
    opened = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(opened)
    finally:
        os.close(opened)
