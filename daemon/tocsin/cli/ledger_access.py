"""The ledger as commands and the web side get at it, whichever kind it is: to be read only. What they have to say they
leave in a file or in the inbox, so nothing here writes. Who asks the whole of it finds that in `whole_ledger`.

Decides what is said of a ledger that cannot be opened beside the daemon. Its libraries are not waited for before there
is one.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Generic, NoReturn, Protocol, TypeVar

from tocsin.adapters.files import watch_mark
from tocsin.adapters.files.rights import closed, is_file
from tocsin.cli.options import fail, utc_now
from tocsin.formats.settings.ledger_address import LedgerAddress
from tocsin.ports.leadership import Machines
from tocsin.ports.ledger.trouble import LedgerError


class SomeLedger(Protocol):
    """A ledger, or what knows some of it."""

    async def close(self) -> None:
        """Let go of it."""
        ...


L_co = TypeVar("L_co", bound=SomeLedger, covariant=True)
Tell = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class LedgerAccess(Generic[L_co]):
    """The ledger, or what of it was asked for, if there is one that can be read. `barred`: there is one, but not for
    us. `absent`: there is none yet, as no daemon has run. `trouble` is what is wrong with one that is there, in a line;
    `lacking`: only here, or only now (no password, no way to the server, another version that keeps it). `away`: its
    server does not answer from here, which may pass by itself. `newer`: it is read, but a newer version keeps it.
    """

    ledger: L_co | None = None
    barred: bool = False
    absent: bool = False
    trouble: str = ""
    lacking: bool = False
    away: bool = False
    newer: str = ""
    machines: Callable[[], Awaitable[Machines]] | None = None

    @property
    def is_reached(self) -> bool:
        """Whether the ledger was found to be one, or to be still empty, whichever version keeps it."""
        return self.machines is not None or not self.trouble

    async def close(self) -> None:
        """Let go of it."""
        if self.ledger is not None:
            await self.ledger.close()

    def refuse(self, why: str) -> NoReturn:
        """End with 1 where nothing can be done without the ledger; that it cannot be read was told already."""
        fail([f"there is no ledger yet; {why}" if self.absent else why])


Opener = Callable[[LedgerAddress, Tell], Awaitable[LedgerAccess[L_co]]]
"""Opens the ledger at a place, or what of it is asked for."""


def open_file(file: Path, tell: Tell, open_it: Callable[[Path], L_co | None]) -> LedgerAccess[L_co]:
    """A ledger in a file; why one that is there cannot be read is told."""
    if why := closed(file):
        tell(f"the ledger {file} {why}; going on with the files alone")
        return LedgerAccess(barred=True)
    if not is_file(file):
        return LedgerAccess(absent=True)
    try:
        return LedgerAccess(open_it(file))
    except LedgerError as trouble:
        tell(f"the ledger cannot be read ({trouble}); going on without it")
        return LedgerAccess(trouble=str(trouble))


def works_on(address: LedgerAddress, incidents: Path) -> bool:
    """Whether a daemon works on this ledger here, healthy or not; with a server, whether a healthy one watches the
    folder of incidents on this machine (P3).
    """
    if address.file is None:
        return is_watched(incidents)
    from tocsin.adapters.ledger.sqlite.lock import is_locked

    return is_locked(address.file)


def is_watched(incidents: Path) -> bool:
    """Whether a healthy daemon watches a folder of incidents, by the age of its mark there."""
    try:
        return abs(utc_now() - watch_mark.renewed_at(incidents / watch_mark.NAME)) <= watch_mark.FRESH
    except OSError:
        return False


def seen_leader(machines: Machines) -> str | None:
    """The name of the machine that leads."""
    from tocsin.app.doctor.machines import seen

    return seen(machines).leader
