"""What somebody without rights is told: that a path is closed to them, and which group it is open to."""

import errno
import grp
import os
import pwd
import stat
from contextlib import suppress
from pathlib import Path

from tocsin.text.cleaning import shown

_OF_GROUP = {os.R_OK: stat.S_IRGRP, os.W_OK: stat.S_IWGRP, os.X_OK: stat.S_IXGRP}


def closed(path: Path, deed: str = "read", needs: int = os.R_OK) -> str:
    """That a path "cannot be read by ana", and which group to ask for: for whoever may not reach it, or not do the
    `deed` there (`needs` is R_OK, W_OK or X_OK). Empty where nothing forbids it, or where the path is not there.
    """
    place = Path(os.path.realpath(path))
    for folder in reversed(place.parents):
        if os.path.lexists(folder) and not os.access(folder, os.X_OK):
            return _predicate(deed, folder, os.X_OK)
    if os.path.lexists(place) and not os.access(place, needs):
        return _predicate(deed, path, needs)
    return ""


def mode_in(folder: Path) -> int:
    """The permissions of a private file in a folder: its group may read it where the folder lets them in and all others
    not (0750), as on an installed server; else nobody.
    """
    try:
        doors = folder.stat().st_mode & (stat.S_IXGRP | stat.S_IXOTH)
    except OSError:
        return 0o600
    return 0o640 if doors == stat.S_IXGRP else 0o600


def make_private(folder: Path) -> None:
    """Make a folder that only its owner may enter, with those above it. One of ours that is open to everybody, as an
    earlier version made it, is closed. Raises OSError.
    """
    try:
        folder.mkdir(parents=True, mode=0o700)
    except FileExistsError:
        if not folder.is_dir():
            raise
    status = folder.stat()
    if status.st_mode & stat.S_IXOTH and status.st_uid == os.geteuid():
        with suppress(OSError):  # a file system without modes; what is written into it is private all the same
            folder.chmod(stat.S_IMODE(status.st_mode) & stat.S_IRWXU)


def may_write(user: int, folder: Path) -> bool:
    """Whether a user may put files into a folder, by its mode and by the groups of the system. Never raises; it may
    wait for whoever keeps the list of users.
    """
    try:
        status = folder.stat()
        if user in {0, status.st_uid} or status.st_mode & stat.S_IWOTH:
            return True
        known = pwd.getpwuid(user)
        groups = os.getgrouplist(known.pw_name, known.pw_gid)
    except (OSError, KeyError):
        return False
    return bool(status.st_mode & stat.S_IWGRP) and status.st_gid in groups


def owner_beside_root(folder: Path) -> str:
    """Whom a folder belongs to, for a process of root's: what it writes there, they could not open. Empty where that
    cannot happen, or where there is no folder yet.
    """
    if os.geteuid() != 0 or not is_folder(folder):
        return ""
    owner = folder.stat().st_uid
    return user_name(owner) if owner else ""


def way_to_write(path: Path) -> str:
    """What must be done before this process may write a file and what belongs beside it: who should run it, or whose
    the files should be. Empty where it is not rights that forbid it.
    """
    folder, name = path.parent, shown(str(path))
    if is_folder(path):
        return f"{name} is a folder; move it away"
    if not is_folder(folder):
        return ""
    try:
        beside = [there for there in folder.iterdir() if there.name.startswith(path.name)]
    except OSError:
        beside = [path]
    barred = [there for there in (folder, *sorted(beside)) if is_there(there) and not os.access(there, os.W_OK)]
    if not barred:
        return ""
    if (host := owner(folder)) not in {ours(), "root"}:
        return f"{shown(str(folder))} belongs to {host}; start it as {host}: systemctl start tocsin"
    whole = shown(str(folder)) if barred[0] == folder else f"{name}*"
    return f"{shown(str(barred[0]))} belongs to {owner(barred[0])}; as root: chown {ours()}: {whole}"


def is_there(path: Path) -> bool:
    """Whether anything can be seen at a path. Never raises."""
    return os.path.lexists(path)


def leads_nowhere(path: Path) -> Path | None:
    """Where a link leads, if nothing can be seen there; None for whatever else."""
    place = Path(os.path.realpath(path))
    return place if os.path.islink(path) and not os.path.lexists(place) else None  # noqa: PTH114 - never raises


def ours() -> str:
    """Who this process is."""
    return user_name(os.geteuid())


def owner(path: Path) -> str:
    """Whom a path belongs to; empty where that cannot be seen."""
    try:
        return user_name(path.stat().st_uid)
    except OSError:
        return ""


def is_folder(path: Path) -> bool:
    """Whether a folder can be seen at a path. Never raises."""
    return os.path.isdir(path)  # noqa: PTH112 - Path.is_dir raises where it may not look


def is_file(path: Path) -> bool:
    """Whether a file can be seen at a path. Never raises."""
    return os.path.isfile(path)  # noqa: PTH113 - Path.is_file raises where it may not look


def why_not(path: Path, fault: OSError, deed: str = "read", needs: int = os.R_OK) -> str:
    """That a path "cannot be read: …", for whoever was refused there."""
    why = (fault.strerror or str(fault)).lower()
    denied = fault.errno in (errno.EACCES, errno.EPERM)
    return (closed(path, deed, needs) if denied else "") or f"cannot be {deed}: {why}"


def _predicate(deed: str, door: Path, needs: int) -> str:
    """That a door is closed, and who has its key."""
    begin = f"cannot be {deed} by {ours()}"
    try:
        status = door.stat()
    except OSError:
        return begin
    if status.st_mode & _OF_GROUP[needs]:
        group = _group(status.st_gid)
        if _joined_since(status.st_gid):
            return f"{begin}; log in anew: this session began before {ours()} was in the group {group}"
        return f"{begin}; ask to be in the group {group}"
    return f"{begin}; {shown(str(door))} is for {user_name(status.st_uid)} alone"


def _joined_since(group: int) -> bool:
    """Whether the user of this process is in a group of which the process itself knows nothing yet."""
    with suppress(KeyError):
        return ours() in grp.getgrgid(group).gr_mem and group not in {os.getegid(), *os.getgroups()}
    return False


def _group(number: int) -> str:
    try:
        return grp.getgrgid(number).gr_name
    except KeyError:
        return str(number)


def user_name(number: int) -> str:
    """What a user is called; the number of one who has no name."""
    try:
        return pwd.getpwuid(number).pw_name
    except KeyError:
        return str(number)
