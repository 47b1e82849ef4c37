"""The seam between what a ledger says and the database it lies in: a file of SQLite, or a server."""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any, Protocol, TypeVar

from sqlalchemy import Connection

from tocsin.adapters.ledger.statements import Row
from tocsin.adapters.ledger.writer import Write
from tocsin.domain.delivery import Attempt
from tocsin.domain.people import Channel

A = TypeVar("A")
R = TypeVar("R")
T = TypeVar("T")


class Store(Protocol):
    """One database, open. Every fault of it leaves as LedgerError."""

    @property
    def away(self) -> str:
        """Why what is written does not lie where it should; empty if it does."""
        ...

    @property
    def written(self) -> int | None:
        """How many transactions this process has written, or tried to; whoever hears that something is written finds it
        counted. None: others write as well, and nobody tells.
        """
        ...

    async def next_written(self, within: float) -> None:
        """Wait until `written` counts more than now, for so many seconds at the most; not at all where it is None."""
        ...

    async def commit(self, write: Write[A, R], argument: A) -> R:
        """Write in the next transaction; the result, once that is on disk. Raises LedgerError: then it is not."""
        ...

    async def commit_all(self, calls: Sequence[tuple[Write[Any, Any], Any]]) -> None:
        """Write all of these in the next transaction, or the next two; what is evidence among them is written whoever
        leads. Raises LedgerError: then one of them is not.
        """
        ...

    async def read(self, question: Callable[[Connection], T]) -> T:
        """Ask, beside the writer and never in its way. Raises LedgerError."""
        ...

    async def generation(self) -> str:
        """What changes whenever the database may have lost something that this process knows to have been there. Raises
        LedgerError.
        """
        ...

    def repetition(self, key: str, via: Channel, address: str, at: datetime) -> str:
        """Why this may be the second copy of something that the ledger lacks; empty: it is none."""
        ...

    async def note_begun(self, attempts: Sequence[Attempt]) -> None:
        """They are recorded, and leave next: whatever keeps that in mind outside the ledger is to know it before."""
        ...

    def note_ended(self, end: Row) -> None:
        """So an attempt ended, as it is about to be recorded."""
        ...

    def seal(self, revision: str, content: bytes) -> str:
        """The code by which the ledger itself vouches for a kept config; empty: it makes none."""
        ...

    def vouches(self, code: str | None, revision: str, content: bytes) -> bool:
        """Whether only the daemon can have written this kept config."""
        ...

    async def close(self) -> None:
        """Finish what is queued and let go of the database."""
        ...
