"""The folder of incident files."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Listed:
    """One incident file of a scan: its name, and its bytes or why they cannot be had (`trouble`)."""

    name: str
    data: bytes | None
    digest: str
    trouble: str = ""


class Folder(Protocol):
    """The folder of incident files. Only regular files are opened, never links, FIFOs, sockets or devices."""

    def scan(self) -> Sequence[Listed] | str:
        """Every file that counts, or a sentence that says why the folder cannot be read. It blocks."""
        ...

    def pokes(self) -> AsyncIterator[None]:
        """Something may have changed. Says not what (house rule 4); survives the folder's removal."""
        ...
