"""What the writer needs of a file of SQLite: patience with the locks of others, and what its faults mean."""

from typing import Any

from sqlalchemy import Connection, Engine
from sqlalchemy.exc import DataError, DBAPIError, IntegrityError, ProgrammingError

from tocsin.adapters.ledger.errors import ledger_error
from tocsin.adapters.ledger.sqlite.faults import is_passing
from tocsin.adapters.ledger.writer import Write
from tocsin.ports.ledger.trouble import LedgerError

PATIENCE_MS, TROUBLED_MS = 2000, 500
"""How long a daemon's transaction waits for another process's lock, in milliseconds; and while the last one failed, so
that a page that leaves from memory waits for the lock but once.
"""
WRITING_KB = 2000
"""What the connection that writes keeps of the file in memory: all that a storm comes back to."""


class FileDatabase:
    """A Database of the writer: one process writes decisions, by the lock beside the file. A `patient` one waits for
    locks as long as the engine says.
    """

    def __init__(self, engine: Engine, *, patient: bool) -> None:
        self.engine = engine
        self._patient = patient
        self._waits: tuple[object, int] = (None, 0)

    def begin_group(self) -> None:
        """Nobody else writes, so that nothing else can hold."""

    def prepare(self, connection: Connection, *, troubled: bool) -> None:
        """Set up the connection that writes. How long the next transaction waits for a lock: not long where somebody
        waits for a page meanwhile.
        """
        wanted = TROUBLED_MS if troubled else PATIENCE_MS
        sqlite = connection.connection.dbapi_connection
        if self._waits == (sqlite, wanted):
            return
        assert sqlite is not None
        sqlite.execute(f"PRAGMA cache_size=-{WRITING_KB}")
        if not self._patient:
            sqlite.execute(f"PRAGMA busy_timeout={wanted}")
        self._waits = sqlite, wanted

    def before_group(self, connection: Connection, group: int, *, evidence: bool) -> None:
        """Nothing: who has the lock leads."""

    def note_written(self, group: int) -> None:
        """Nothing: a file does not go back by itself while its daemon has it open."""

    def is_evidence(self, write: Write[Any, Any]) -> bool:  # noqa: ARG002 - the seam's
        """All of it: nobody else leads."""
        return True

    def error(self, fault: BaseException) -> LedgerError:
        """What its callers hear of a fault."""
        return ledger_error(fault)

    def is_of_one_call(self, fault: BaseException) -> bool:
        """Whether a fault is about what was written."""
        return not _is_closed(fault) and isinstance(
            fault, IntegrityError | DataError | ProgrammingError | ValueError | OverflowError
        )

    def may_repeat(self, fault: BaseException, tries: int, waited: float, *, troubled: bool) -> bool:  # noqa: ARG002
        """Once, on another connection, where this one was closed. Else never: SQLite itself has waited for the locks of
        others.
        """
        return tries == 1 and _is_closed(fault)

    def is_passing(self, fault: BaseException) -> bool:
        """Whether it may be over by itself, and leaves the connection as it was."""
        return is_passing(fault)

    def was_committed(self, group: int) -> bool:  # noqa: ARG002 - the seam's
        """A commit that failed is taken back by SQLite. Raises LedgerError: it says so itself."""
        raise LedgerError("its commit failed")


def _is_closed(fault: BaseException) -> bool:
    """Whether the connection was not open any more."""
    return isinstance(fault, DBAPIError) and fault.connection_invalidated
