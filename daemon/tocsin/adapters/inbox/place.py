"""The inbox's folder: made where it is missing, and for whom what lies there is.

On an installed server it stands there already: of the web side's user, open to the group tocsin. What we make beside a
ledger that a group may read is open to that group, as it would be there; else it is ours alone.
"""

import os
import stat
from contextlib import suppress
from pathlib import Path

PRIVATE = 0o600
OF_GROUP = 0o640
_FLAGS = os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC


def open_inbox(folder: Path) -> int:
    """The folder, opened; the caller closes it. It is made if it is missing. Raises OSError."""
    with suppress(FileNotFoundError):
        return os.open(folder, _FLAGS)
    folder.parent.mkdir(parents=True, exist_ok=True)
    doors = folder.parent.stat().st_mode & (stat.S_IXGRP | stat.S_IXOTH)
    with suppress(FileExistsError):
        folder.mkdir(0o700)
        if doors == stat.S_IXGRP:
            folder.chmod(0o2770)
    return os.open(folder, _FLAGS)


def file_mode(opened: int) -> int:
    """The permissions of an entry in the opened folder: its group reads it where it may write there, and so takes it
    away; nobody else may change what somebody left.
    """
    return OF_GROUP if os.fstat(opened).st_mode & stat.S_IWGRP else PRIVATE
