"""Opening a file that somebody else put there: only a regular one, never waiting, and no more of it than a limit.

A FIFO would block for ever, a device may act when it is opened, a link may lead to what is not ours to read, and a file
may be replaced between a look and its opening. So a file is opened first and judged by what was opened.
"""

import errno
import os
import stat
from pathlib import Path

_FLAGS = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
_UNOPENED = {errno.ELOOP: stat.S_IFLNK, errno.ENXIO: stat.S_IFSOCK}
"""What an error of `open` says of the thing that it did not open."""


_KINDS = {
    stat.S_IFDIR: "a folder",
    stat.S_IFLNK: "a symbolic link",
    stat.S_IFIFO: "a FIFO",
    stat.S_IFSOCK: "a socket",
    stat.S_IFCHR: "a device",
    stat.S_IFBLK: "a device",
}


class NotRegularError(OSError):
    """What stands there is no regular file. `kind` is what it is, as `stat.S_IFMT` gives it."""

    def __init__(self, kind: int) -> None:
        super().__init__(0, "it is no regular file")
        self.kind = kind


def kind_word(kind: int) -> str:
    """What a thing that is no regular file is called, by its kind as `stat.S_IFMT` gives it."""
    return _KINDS.get(kind, "not a file")


def read_regular(path: Path, limit: int, *, follow: bool = False) -> bytes:
    """The first `limit` bytes of a regular file, else OSError. `follow`: a link that leads to one will do."""
    return read_with_status(os.path.realpath(path, strict=True) if follow else path, limit)[0]


class LinkOutsideError(OSError):
    """A link leads out of the folder that a file is wanted from."""


def read_inside(path: Path, inside: Path, limit: int) -> bytes:
    """The first `limit` bytes of a regular file in the real folder `inside` or below it. A link that leads to one there
    will do: mounted folders are made of them. Raises LinkOutsideError for one that leads out, and OSError for all else;
    also when a link is put in between the look and the opening, for from the folder on none is followed then.
    """
    try:
        way = Path(os.path.realpath(path, strict=True)).relative_to(inside).parts
    except ValueError:
        raise LinkOutsideError(errno.EXDEV, "the link leads out of the folder") from None
    folder = os.open(inside, _FLAGS | os.O_DIRECTORY)
    try:
        for part in way[:-1]:
            below = os.open(part, _FLAGS | os.O_DIRECTORY, dir_fd=folder)
            os.close(folder)
            folder = below
        return read_with_status(way[-1] if way else ".", limit, folder)[0]
    finally:
        os.close(folder)


def read_with_status(
    name: str | os.PathLike[str], limit: int, folder: int | None = None
) -> tuple[bytes, os.stat_result]:
    """The first `limit` bytes of a regular file, and its status from before they were read, so that a change meanwhile
    shows. `name` is looked up in the open directory `folder`, if there is one. Raises OSError.
    """
    try:
        opened = os.open(name, _FLAGS, dir_fd=folder)
    except OSError as fault:
        if fault.errno in _UNOPENED:
            raise NotRegularError(_UNOPENED[fault.errno]) from None
        raise
    try:
        status = os.fstat(opened)
        if not stat.S_ISREG(status.st_mode):
            raise NotRegularError(stat.S_IFMT(status.st_mode))
        return _bytes(opened, limit), status
    finally:
        os.close(opened)


def _bytes(opened: int, limit: int) -> bytes:
    """The bytes of an open file, up to the limit."""
    parts: list[bytes] = []
    rest = limit
    while rest and (part := os.read(opened, rest)):
        parts.append(part)
        rest -= len(part)
    return b"".join(parts)
