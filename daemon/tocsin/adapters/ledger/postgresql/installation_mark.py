"""Which ledger this machine used last, in a file beside what it keeps for itself: two installations that were given one
database, or one that was given another's, are found out by it (P7).
"""

from pathlib import Path

from tocsin.adapters.files.disk_threads import DiskThreads
from tocsin.adapters.files.whole_file import write_whole

NAME = "installation"
MODE = 0o640
LONGEST = 64
"""Letters of an id, and then some."""


class InstallationMark:
    """The file. What cannot be read or written counts as not there: it keeps nobody from anything."""

    def __init__(self, state: Path) -> None:
        self.threads = DiskThreads("state folder")
        self._path = state / NAME

    def known(self) -> str:
        """The id that was last kept; empty: none. It blocks."""
        try:
            with self._path.open(encoding="ascii") as file:
                return file.read(LONGEST).strip()
        except (OSError, ValueError):
            return ""

    def keep(self, id_: str) -> None:
        """Keep this one from now on. It blocks. Raises OSError."""
        self._path.parent.mkdir(parents=True, exist_ok=True, mode=0o750)
        write_whole(self._path, f"{id_}\n".encode(), MODE)
