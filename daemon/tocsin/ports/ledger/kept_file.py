"""What the ledger keeps of an incident's file."""

from typing import NamedTuple, Protocol


class KeptFile(NamedTuple):
    """A version of an incident's file: its name and its bytes, and the digest of the content that brought it, which of
    what was made of several machines' files is another than that of the bytes.
    """

    name: str
    data: bytes
    digest: str


class FileLedger(Protocol):
    """The newest good version of each incident's file."""

    async def keep_file(self, incident: str, file: str, digest: str, data: bytes) -> None:
        """Keep the name, the digest and the bytes of the newest good version of an incident's file."""
        ...

    async def files(self) -> dict[str, tuple[str, str]]:
        """For every incident the name of its file and the digest of its newest good version; both empty: none."""
        ...

    async def file(self, incident: str) -> KeptFile | None:
        """The newest good version of an incident's file that was kept; None: none was."""
        ...
