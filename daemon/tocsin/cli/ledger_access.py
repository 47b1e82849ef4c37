"""The ledger as commands get at it, whichever kind it is: to be read only. What a command has to say it leaves in a
file or in the inbox, so nothing here writes.

Decides how a ledger is opened beside the daemon, and what is said where it cannot be. Its libraries are not waited for
before there is one.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import NoReturn

from tocsin.adapters.files.rights import closed, is_file
from tocsin.cli.options import fail
from tocsin.formats.settings.ledger_address import LedgerAddress
from tocsin.ports.ledger import Ledger, LedgerError


@dataclass(frozen=True, slots=True)
class LedgerAccess:
    """The ledger, if there is one that can be read. `barred`: there is one, but not for us. `absent`: there is none
    yet, as no daemon has run.
    """

    ledger: Ledger | None = None
    barred: bool = False
    absent: bool = False

    def refuse(self, why: str) -> NoReturn:
        """End with 1 where nothing can be done without the ledger; that it cannot be read was told already."""
        fail([f"there is no ledger yet; {why}" if self.absent else why])


def open_ledger(place: LedgerAddress, tell: Callable[[str], None]) -> LedgerAccess:
    """The ledger at its place; why one that is there cannot be read is told."""
    path = place.file
    if path is None:
        tell(f"the ledger cannot be read ({place}: no command reads PostgreSQL yet); going on without it")
        return LedgerAccess(barred=True)
    if why := closed(path):
        tell(f"the ledger {path} {why}; going on with the files alone")
        return LedgerAccess(barred=True)
    if not is_file(path):
        return LedgerAccess(absent=True)
    from tocsin.adapters.ledger.ledger import SqlLedger
    from tocsin.adapters.ledger.sqlite.keeping import FileStore
    from tocsin.adapters.ledger.sqlite.opening import open_existing

    try:
        opened = open_existing(path)
    except LedgerError as trouble:
        tell(f"the ledger cannot be read ({trouble}); going on without it")
        return LedgerAccess()
    return LedgerAccess(SqlLedger(FileStore(opened)) if opened else None)


def works_on(place: LedgerAddress) -> bool:
    """Whether a daemon works on this ledger here."""
    from tocsin.adapters.ledger.sqlite.lock import is_locked

    return place.file is not None and is_locked(place.file)
