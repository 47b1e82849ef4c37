"""What a ledger says instead of an answer: that it cannot be used now, or that a row cannot be read."""

from dataclasses import dataclass


class LedgerError(Exception):
    """The ledger cannot be written or read now (a full disk, a lock, a fault). Nothing of the call is on disk."""


@dataclass(frozen=True, slots=True)
class Unreadable:
    """An incident of which a row cannot be read: which and why, in a sentence. `ended`: it is over by what can be."""

    incident: str
    why: str
    ended: bool = False


class UnreadableError(LedgerError):
    """What was asked for holds a row that cannot be read; everything else in the ledger can (rule 63)."""

    def __init__(self, unreadable: Unreadable) -> None:
        super().__init__(f"of incident {unreadable.incident} {unreadable.why}")
        self.unreadable = unreadable
