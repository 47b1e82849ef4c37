"""The ledger as a file on a disk, which may be full, deleted or replaced (rule 64)."""

from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from pathlib import Path
from typing import Protocol


class FileChange(Enum):
    """What became of the ledger's file while it was open: it was deleted, or another was put in its place, and it was
    made anew; or the ledger returned into it from memory.
    """

    DELETED = "deleted"
    REPLACED = "replaced"
    RETURNED = "returned"


@dataclass(frozen=True, slots=True)
class LedgerStart:
    """How a start found the ledger's file: its disk was full, and the ballast beside it was `freed`; one in memory
    holds what was in it (`known`); it `lacks` so many messages that were sent `since` then, and that is news.
    """

    freed: bool = False
    known: bool = True
    lacks: int = 0
    since: datetime | None = None


class LedgerPlace(Protocol):
    """Where the ledger is now."""

    @property
    def away(self) -> str:
        """Why it is in memory, and not in its file; empty if it is there."""
        ...


class FileKeeper(LedgerPlace, Protocol):
    """The ledger as a file on a disk (rule 64). `replaced` is where the file that stood in its place was put."""

    replaced: Path | None

    @property
    def start(self) -> LedgerStart:
        """How the start found it."""
        ...

    @property
    def trouble(self) -> str:
        """Why it cannot be written now; empty if it can."""
        ...

    async def trouble_turns(self) -> None:
        """Wait until it cannot be written any more, or can again."""
        ...

    async def try_lock(self) -> None:
        """Take the lock for a moment: if nobody else has it any more, that trouble is over. Raises LedgerError."""
        ...

    @property
    def mark_trouble(self) -> str:
        """Why the mark of what was sent, beside it, cannot be written; empty if it can."""
        ...

    async def look_after_file(self, now: datetime) -> FileChange | None:
        """See that the ledger lies in its file: one that was deleted or replaced is made anew, one in memory goes back
        once there is room. Raises LedgerError when it cannot be made anew.
        """
        ...

    async def hold_ballast(self) -> bool:
        """Whether the room that a start on a full disk needs is held; held anew where there is room."""
        ...
