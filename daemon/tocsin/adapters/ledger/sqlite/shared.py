"""The ledger as a process beside the daemon reads it: opened once it is there, and anew when it was replaced, or when a
daemon has opened a file that nobody had open.

Decides which file is the ledger now. Must not know what is asked of it.
"""

from pathlib import Path

from tocsin.adapters.files.rights import why_not
from tocsin.adapters.ledger.ledger import SqlLedger
from tocsin.adapters.ledger.sqlite.keeping import FileStore
from tocsin.adapters.ledger.sqlite.ledger_file import is_open_to_readers
from tocsin.adapters.ledger.sqlite.opening import OpenedLedger, open_existing
from tocsin.ports.ledger.trouble import LedgerError


class SharedLedger:
    """Gives the ledger at a path, to be read only. Used in one loop."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._current: SqlLedger | None = None
        self._opened: OpenedLedger | None = None
        self._identity: tuple[int, int] | None = None
        self._former: list[SqlLedger] = []

    def __call__(self) -> SqlLedger:
        """The ledger. Raises LedgerError while there is none."""
        try:
            status = self._path.stat()
        except FileNotFoundError:
            raise LedgerError(f"there is no ledger at {self._path} yet; tocsin run makes it") from None
        except OSError as fault:
            raise LedgerError(f"the ledger {self._path} {why_not(self._path, fault)}") from None
        identity = status.st_dev, status.st_ino
        if self._current is None or identity != self._identity or self._was_opened():
            opened = open_existing(self._path)
            if opened is None:
                raise LedgerError(f"the ledger at {self._path} is empty yet; tocsin run fills it")
            if self._current is not None:
                self._former.append(self._current)  # somebody may still be asking it
            self._current, self._opened, self._identity = SqlLedger(FileStore(opened)), opened, identity
        return self._current

    def _was_opened(self) -> bool:
        """Whether it is read as a file that nobody has open, and somebody has opened it since."""
        return self._opened is not None and self._opened.unopened is not None and is_open_to_readers(self._path)

    @property
    def machines(self) -> None:
        """None: nobody shares a file."""
        return

    async def close(self) -> None:
        """Let go of the file, and of those that it replaced."""
        for ledger in (*self._former, self._current):
            if ledger is not None:
                await ledger.close()
