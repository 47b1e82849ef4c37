"""The inbox: the folder by which what comes in from outside reaches the daemon, and no other way (P8).

Who leaves an entry sees `Inbox`; the daemon sees `InboxFolder`, whose every call blocks, and may hang.
"""

from collections.abc import Sequence
from concurrent.futures import Executor
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from tocsin.domain.arrival import EntryKind, InboxEntry


class InboxError(Exception):
    """The entry was not left: the folder is missing, closed, on a full disk, or does not answer. The text says which,
    and what to do.
    """


class InboxFullError(InboxError):
    """The entry was not left: more waits for the daemon than it takes at once."""


class Inbox(Protocol):
    """Where other processes leave entries for the daemon."""

    async def leave(self, entry: InboxEntry) -> None:
        """Leave an entry: it is on disk when this returns. Raises InboxError."""
        ...

    async def waits(self, kind: EntryKind, ref: str) -> bool:
        """Whether an entry that was left is still there; also where that cannot be seen."""
        ...


@dataclass(frozen=True, slots=True)
class InboxListing:
    """The names in the folder, in no order; `more`: there are too many of them to list."""

    names: Sequence[str]
    more: bool = False


@dataclass(frozen=True, slots=True)
class InboxFile:
    """What lies in the folder under a name. `fault`: why it is no file that can be read, else empty. `of_web_side`: it
    is of the inbox's own user, or ours (`ours`); else `owner` is whose it is. `of_responder`: its owner may write
    incident files, and nobody else could have changed it. `lies_since` is when it was last changed or renamed, which
    its file system wrote down and no owner can set; None: it does not say.
    """

    name: str
    data: bytes = b""
    owner: str = ""
    of_web_side: bool = False
    ours: bool = False
    of_responder: bool = False
    fault: str = ""
    lies_since: datetime | None = None


class InboxFolder(Protocol):
    """The folder as the daemon reads it."""

    @property
    def threads(self) -> Executor | None:
        """Where what blocks is to be done."""
        ...

    @property
    def looks_every(self) -> float:
        """Seconds between two looks: one at a folder that rests costs next to nothing."""
        ...

    def changed(self, *, anew: bool = False, waits: bool = False) -> InboxListing | str | None:
        """What lies there now; None: nothing was put there since the last listing, which is looked past `anew`; a text:
        why it cannot be listed. A folder that is missing is made. `waits`: None may be long in coming (five seconds),
        while it is looked as often as ever.
        """
        ...

    def read(self, name: str) -> InboxFile | None:
        """One of the files, no more of it than an entry may have and one octet; None: it is gone."""
        ...

    def remove(self, name: str) -> str:
        """Remove it, whatever it is, a folder only if it is empty; empty, or why it cannot be removed."""
        ...
