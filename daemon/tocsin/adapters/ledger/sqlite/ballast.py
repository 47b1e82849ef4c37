"""Blocks held beside the ledger, given up at a start that finds its disk full (rule 64).

Decides when there is room enough to hold them again. Must not know what the ledger does with the room.
"""

import os
import sqlite3
from pathlib import Path

from tocsin.adapters.files.whole_file import write_whole
from tocsin.adapters.ledger.sqlite.ledger_file import LedgerFile, is_held, is_written

SIZE = 8 << 20
"""Bytes held: SQLite's log grows to 4 MB before it goes into the file, which then grows as much."""
ROOM = 3 * SIZE
"""Bytes that must be free before they are held again."""
SCARCE = 1 << 20
"""With less than this free a ledger may be opened, and take no page."""


class Ballast:
    """The ballast of one ledger."""

    def __init__(self, ledger: Path) -> None:
        self.path = ledger.with_name(f"{ledger.name}.ballast")

    @property
    def needed(self) -> bool:
        """Whether so little room is left that it should be given up."""
        return free(self.path.parent) < SCARCE

    def release(self) -> bool:
        """Give it up; whether that made room."""
        try:
            held = self.path.stat().st_size > 0
            self.path.unlink()
        except OSError:
            return False
        return held

    def hold(self) -> bool:
        """Whether it is there now; made if there is room. It may take a while."""
        if is_written(self.path):
            return True
        if free(self.path.parent) < ROOM:
            return False
        try:
            write_whole(self.path, os.urandom(SIZE), 0o600)  # no file system makes less of random bytes
        except OSError:
            return False
        return True


def can_return(file: LedgerFile) -> bool:
    """Whether a ledger in memory finds room at its path, and nobody at work on what stands there."""
    try:
        return free(file.path.parent) > file.size() + SIZE // 2 and not is_held(file.path)
    except sqlite3.Error:
        return False


def free(folder: Path) -> int:
    """Bytes that may still be written in a folder; none, if nobody can tell."""
    try:
        status = os.statvfs(folder)
    except OSError:
        return 0
    return status.f_bavail * status.f_frsize
