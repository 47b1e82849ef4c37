"""The folder of incident files."""

from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Listed:
    """One incident file of a scan: its name, and its bytes or why they cannot be had (`trouble`)."""

    name: str
    data: bytes | None
    digest: str
    trouble: str = ""


@dataclass(frozen=True, slots=True)
class MarkTrouble:
    """Why a folder cannot be marked as watched, for people; `shared`: because another daemon watches it."""

    text: str
    shared: bool = False


class Folder(Protocol):
    """The folder of incident files. Only regular files are opened, never links, FIFOs, sockets or devices."""

    @property
    def threads(self) -> Executor | None:
        """Where what blocks is to be done: a folder that hangs keeps whoever asks it. None: any thread will do."""
        ...

    def scan(self) -> Sequence[Listed] | str:
        """Every file that counts, or a sentence that says why the folder cannot be read. What has not changed since the
        last scan is the same object, each file and their sequence. It blocks.
        """
        ...

    def look_at(self, names: Collection[str]) -> Mapping[str, Listed] | None:
        """Those of these files that count and are there, by name, and no look at any other. None: it cannot be told,
        and the whole folder is to be looked through. It blocks.
        """
        ...

    def renew(self) -> MarkTrouble | None:
        """Show to other processes that a healthy daemon watches, or say why that cannot be shown. It blocks."""
        ...

    def pokes(self) -> AsyncIterator[frozenset[str]]:
        """Something may have changed: the files of these names, which is a hint what to look at first and no more
        (house rule 4); none: anything may have. Survives the folder's removal.
        """
        ...


@dataclass(frozen=True, slots=True)
class RememberedFile:
    """What a machine's file of an incident held last: its name, its bytes and their digest, and the digests of all that
    it held so far, oldest first, that one included. `gone`: it is not there any more.
    """

    name: str
    incident: str
    digest: str
    data: bytes
    held: tuple[str, ...] = ()
    gone: bool = False


class FolderMemory(Protocol):
    """What the files of a machine's folder held last. Every call blocks."""

    def load(self) -> Mapping[str, RememberedFile]:
        """What is remembered, by incident; nothing where that cannot be read."""
        ...

    def note(self, files: Sequence[RememberedFile]) -> str:
        """Remember these; empty, or why that cannot be."""
        ...
