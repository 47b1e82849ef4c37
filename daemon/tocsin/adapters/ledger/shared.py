"""The ledger as a process beside the daemon uses it: opened once it is there, and anew when it was replaced.

Decides which file is the ledger now. Must not know what is asked of it.
"""

from pathlib import Path

from tocsin.adapters.files.rights import why_not
from tocsin.adapters.ledger.ledger import SqlLedger
from tocsin.adapters.ledger.opening import OpenedLedger, open_existing
from tocsin.ports.ledger import LedgerError


class SharedLedger:
    """Gives the ledger at a path. Used in one loop."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._current: SqlLedger | None = None
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
        if self._current is None or identity != self._identity:
            engine = open_existing(self._path)
            if engine is None:
                raise LedgerError(f"the ledger at {self._path} is empty yet; tocsin run fills it")
            if self._current is not None:
                self._former.append(self._current)  # somebody may still be asking it
            self._current, self._identity = SqlLedger(OpenedLedger(engine)), identity
        return self._current

    async def close(self) -> None:
        """Let go of the file, and of those that it replaced."""
        for ledger in (*self._former, self._current):
            if ledger is not None:
                await ledger.close()
