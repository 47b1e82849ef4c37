"""What another user may do with a path, told from owners and modes: the daemon is seldom who asks.

Lists of access rights (ACLs) are not read; for ourselves the system is asked.
"""

import os
import pwd
import stat
from dataclasses import dataclass
from pathlib import Path

_BITS = {os.R_OK: 4, os.W_OK: 2, os.X_OK: 1}


@dataclass(frozen=True, slots=True)
class SystemUser:
    """Somebody of this machine."""

    name: str
    number: int
    groups: frozenset[int]


def owner_of(path: Path) -> SystemUser:
    """Whom a path belongs to. Raises OSError where that cannot be seen."""
    number = path.stat().st_uid
    try:
        entry = pwd.getpwuid(number)
    except KeyError:  # a container's user without a name
        return SystemUser(str(number), number, frozenset(os.getgroups() if number == os.geteuid() else ()))
    return SystemUser(entry.pw_name, number, frozenset(os.getgrouplist(entry.pw_name, entry.pw_gid)))


def barrier(user: SystemUser, path: Path, needs: int) -> Path | None:
    """What keeps a user from a path that is there: it itself, or a folder above; None: nothing. Raises OSError where we
    may not look ourselves.
    """
    if user.number == os.geteuid():
        doors = [folder for folder in path.resolve().parents if not os.access(folder, os.X_OK)]
        return doors[-1] if doors else None if os.access(path, needs) else path
    place = path.resolve()
    for folder in reversed(place.parents):
        if not _may(user, folder, os.X_OK):
            return folder
    return None if _may(user, place, needs) else place


def existing(path: Path) -> Path:
    """The path, or the nearest folder above that is there. Raises OSError where we may not look."""
    while True:
        try:
            path.stat()
        except (FileNotFoundError, NotADirectoryError):
            path = path.parent
        else:
            return path


def _may(user: SystemUser, path: Path, needs: int) -> bool:
    status = path.stat()
    if user.number == 0:
        return True
    shift = 6 if status.st_uid == user.number else 3 if status.st_gid in user.groups else 0
    granted = stat.S_IMODE(status.st_mode) >> shift
    return all(granted & bit for need, bit in _BITS.items() if needs & need)
