"""The database that is open, and the file at its path: the same, or not any more (rule 64).

SQLite writes on into a file that was deleted or replaced, and says nothing. Decides whether that happened, and gives
the open database a file of its own again: whatever else stands there is put aside, never overwritten. Must not know
what is kept in it.
"""

import os
import shutil
import sqlite3
import stat
from contextlib import closing, suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from urllib.parse import quote

from tocsin.adapters.files.rights import mode_in

SIDES = ("-wal", "-shm")
"""What SQLite keeps beside a file."""
SPARE_FOLDERS = (Path("/dev/shm"), None)  # noqa: S108 - a folder of its own is made there
"""Where a file is copied whose disk cannot even be read from; None: where temporary files go."""
MEMORY_NAME = "file:/tocsin-ledger"
MEMORY = f"{MEMORY_NAME}?vfs=memdb"
"""The one database in memory that this process may have."""

Identity = tuple[int, int]
"""Device and inode."""
FileState = tuple[Identity, int, int, int]
"""Which file it is, its size, when it was changed last, and the size of its log."""


class LedgerFile:
    """An open ledger: its path, and a connection that holds on to the database whatever becomes of the file.
    `away`: why it is in memory and not in the file; empty if it is in the file.
    """

    def __init__(self, path: Path, anchor: sqlite3.Connection, away: str = "", copied: FileState | None = None) -> None:
        """`copied` is how a file stood when all of it was taken into memory."""
        self.path = path
        self.away = away
        self._copied = copied
        self._anchor = anchor
        self._anchor.execute("SELECT count(*) FROM sqlite_master").fetchone()  # what lies beside it is open now, too
        self._own = {suffix: identity(with_suffix(path, suffix)) for suffix in ("", *SIDES)}

    @classmethod
    def of(cls, path: Path) -> "LedgerFile":
        """That of a file. Raises sqlite3.Error."""
        return cls(path, connect(f"file:{quote(str(path))}?mode=rw"))

    def is_there(self) -> bool:
        """Whether the path still leads to the open database, as far as the disk answers."""
        if self.away:
            return False
        try:
            status = self.path.stat()
        except (FileNotFoundError, NotADirectoryError):
            return False
        except OSError:
            return True
        return (status.st_dev, status.st_ino) == self._own[""]

    def close(self) -> None:
        """Let go of the database."""
        self._anchor.close()

    def put_back(self, word: str, stamp: str) -> Path | None:
        """Write the whole database into a new file at its path. What stands there is put aside as `NAME.word-stamp`,
        unless it is empty or all of it is in the database; gives that name. Nobody else may write meanwhile. Raises
        OSError, sqlite3.Error: then all is as it was.
        """
        self.path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        copy = with_suffix(self.path, ".new")
        for suffix in ("", *SIDES):
            with_suffix(copy, suffix).unlink(missing_ok=True)
        try:
            copy.touch(mode=mode_in(copy.parent), exist_ok=False)
            with closing(connect(f"file:{quote(str(copy))}?mode=rw")) as target:
                self._anchor.backup(target)
            _sync(copy)
        except (OSError, sqlite3.Error):
            with suppress(OSError):
                copy.unlink()
            raise
        self._drop_own_sides()
        aside, needless = None, self._is_needless()
        if os.path.lexists(self.path):
            aside = put_aside(self.path, word, stamp)
        copy.rename(self.path)
        _sync(self.path.parent)
        if aside is not None and needless:
            for suffix in ("", *SIDES):
                with_suffix(aside, suffix).unlink(missing_ok=True)
            aside = None
        return aside

    def _is_needless(self) -> bool:
        """Whether what stands at the path holds nothing that the database lacks."""
        state = state_of(self.path)
        return state is not None and (state == self._copied or state[1] == state[3] == 0)

    def size(self) -> int:
        """Bytes that a file of it takes. Raises sqlite3.Error."""
        pages, of = (self._anchor.execute(f"PRAGMA {name}").fetchone()[0] for name in ("page_count", "page_size"))
        return int(pages) * int(of)

    def _drop_own_sides(self) -> None:
        """Names that still lead to what SQLite keeps beside the open database: a new file must not find them."""
        for suffix in SIDES:
            side = with_suffix(self.path, suffix)
            if self._own[suffix] is not None and identity(side) == self._own[suffix]:
                side.unlink(missing_ok=True)


def in_memory(path: Path, why: str) -> tuple[LedgerFile, bool]:
    """A ledger in memory, with all that the file at `path` holds if that can be read; whether it could be."""
    anchor, state = connect(MEMORY), state_of(path)
    copied = any(_copied(address, anchor) for address in _addresses(path)) or _copied_elsewhere(path, anchor)
    return LedgerFile(path, anchor, why, state if copied else None), copied


def _addresses(path: Path) -> list[str]:
    """How a file may be opened, the best first. One without a log is whole, and can be read without a byte written."""
    if not is_written(path):
        return []
    name, whole = f"file:{quote(str(path))}", not is_written(with_suffix(path, "-wal"))
    return [f"{name}?mode=ro", *([f"{name}?mode=ro&immutable=1"] if whole else [])]


def _copied(address: str, memory: sqlite3.Connection) -> bool:
    """Whether a sound database could be copied."""
    try:
        with closing(connect(address)) as source:
            if source.execute("PRAGMA quick_check(1)").fetchone() != ("ok",):
                return False
            source.execute("VACUUM INTO ?", (MEMORY,))  # and not as it is: in memory there is no log beside a file
    except (sqlite3.Error, MemoryError):
        return False
    return bool(memory.execute("SELECT count(*) FROM sqlite_master").fetchone()[0])


def _copied_elsewhere(path: Path, memory: sqlite3.Connection) -> bool:
    """The same by way of another disk, with the log of a process that was killed."""
    if not is_written(path):
        return False
    for spare in SPARE_FOLDERS:
        try:
            with TemporaryDirectory(prefix="tocsin-", dir=spare) as folder:
                copy = Path(folder, "ledger.db")
                shutil.copyfile(path, copy)
                if with_suffix(path, "-wal").exists():
                    shutil.copyfile(with_suffix(path, "-wal"), with_suffix(copy, "-wal"))
                if _copied(f"file:{quote(str(copy))}?mode=rw", memory):
                    return True
        except OSError:
            continue
    return False


def connect(address: str, patience: float = 5) -> sqlite3.Connection:
    """A plain connection that waits so many seconds for locks. Raises sqlite3.Error."""
    return sqlite3.connect(address, patience, uri=True, isolation_level=None, check_same_thread=False)


def identity(path: Path) -> Identity | None:
    """Which file a path leads to; None: to none."""
    try:
        status = path.stat()
    except OSError:
        return None
    return status.st_dev, status.st_ino


def state_of(path: Path) -> FileState | None:
    """How a file stands; None: there is none."""
    try:
        status = path.stat()
        log = with_suffix(path, "-wal")
        return (status.st_dev, status.st_ino), status.st_size, status.st_mtime_ns, _size(log)
    except OSError:
        return None


def _size(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0


def is_written(path: Path) -> bool:
    """Whether a file holds anything, as far as the disk answers."""
    try:
        status = path.stat()
    except OSError:
        return False
    return stat.S_ISREG(status.st_mode) and status.st_size > 0


def is_held(path: Path) -> bool:
    """Whether another process has the lock by which a database is written."""
    if not is_written(path):
        return False
    try:
        with closing(connect(f"file:{quote(str(path))}?mode=rw", 0.2)) as other:
            other.execute("BEGIN IMMEDIATE")
    except sqlite3.Error as fault:
        return getattr(fault, "sqlite_errorcode", 0) & 0xFF in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED)
    return False


def put_aside(path: Path, word: str, stamp: str) -> Path:
    """Rename a file, with what SQLite keeps beside it. Gives its new name. Raises OSError."""
    aside = path.with_name(f"{path.name}.{word}-{stamp}")
    for suffix in ("", *SIDES):
        part = with_suffix(path, suffix)
        if os.path.lexists(part):
            part.rename(with_suffix(aside, suffix))
    return aside


def is_open_to_readers(path: Path) -> bool:
    """Whether the files are there that SQLite wants beside a database to read along, whoever writes it."""
    log, index = (with_suffix(path, suffix) for suffix in SIDES)
    return os.path.lexists(log) and (os.path.lexists(index) or is_written(log))


def stay_open_to_readers(path: Path) -> None:
    """SQLite deletes these files when it closes a database well. They stay, empty: whoever may only read the ledger can
    do so before the next start, and goes on when it comes.
    """
    with suppress(OSError):  # then it is read as a file that nobody has open
        mode = stat.S_IMODE(path.stat().st_mode)
        for suffix in SIDES:
            with suppress(FileExistsError):
                side = os.open(with_suffix(path, suffix), os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
                try:
                    os.fchmod(side, mode)
                finally:
                    os.close(side)


def with_suffix(path: Path, suffix: str) -> Path:
    """The name beside a file that SQLite would use."""
    return path.with_name(path.name + suffix)


def _sync(path: Path) -> None:
    file = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(file)
    finally:
        os.close(file)
