"""What SQLite's faults mean: which trouble with the ledger's file a pager outlives, and which a human must put right
first (rule 64).

No room, bad I/O, a disk that can only be read, a lock that somebody holds: incidents are paged all the same. No rights,
a folder in its place, a ledger of a newer tocsin: whoever installs it is there, and guessing would be worse.
"""

import errno
import os
import sqlite3
from pathlib import Path

_OUTLIVED = {
    errno.ENOSPC,
    errno.EDQUOT,
    errno.EIO,
    errno.EROFS,
    errno.EMFILE,
    errno.ENFILE,
    errno.ENOMEM,
    errno.ESTALE,
    errno.ETIMEDOUT,
    errno.ENOLCK,
}
_OUTLIVED_SQLITE = {
    sqlite3.SQLITE_FULL,
    sqlite3.SQLITE_IOERR,
    sqlite3.SQLITE_NOMEM,
    sqlite3.SQLITE_BUSY,
    sqlite3.SQLITE_LOCKED,
    sqlite3.SQLITE_PROTOCOL,
}
_PASSING = {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_FULL}
_DAMAGE = {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB}
_UNCLEAR_SQLITE = {sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_READONLY}


def outlived(fault: BaseException, path: Path) -> bool:
    """Whether the daemon goes on without this ledger file."""
    if isinstance(fault, OSError):
        return fault.errno in _OUTLIVED
    code = _code(fault)
    return code in _OUTLIVED_SQLITE or (code in _UNCLEAR_SQLITE and _has_rights(path))


def is_passing(fault: BaseException) -> bool:
    """Whether it may be over by itself, and leaves the connection as it was: a lock, a full disk."""
    return _code(fault) in _PASSING


def is_damage(fault: BaseException) -> bool:
    """Whether the file itself is damaged, or none of SQLite's."""
    return _code(fault) in _DAMAGE


def is_held_by_another(fault: BaseException) -> bool:
    """Whether another process has a lock on it."""
    return _code(fault) in {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED}


def _code(fault: BaseException) -> int:
    """SQLite's primary result code; 0 when it has none."""
    code: int = getattr(getattr(fault, "orig", fault), "sqlite_errorcode", 0)
    return code & 0xFF


def _has_rights(path: Path) -> bool:
    """Whether it is not for want of rights that a file cannot be opened and written."""
    try:
        if os.statvfs(path.parent).f_flag & os.ST_RDONLY:
            return True
    except OSError as fault:
        return fault.errno in _OUTLIVED
    if path.is_dir() or not os.access(path.parent, os.W_OK | os.X_OK):
        return False
    return not path.exists() or os.access(path, os.R_OK | os.W_OK)
