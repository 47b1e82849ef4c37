"""The seam to the domain name system."""

from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class DnsAnswer:
    """Records as texts, in the order given: of a TXT its strings joined, of an MX the preference and the host.
    `exists`: there is such a name, be it without records of this kind.
    """

    records: tuple[str, ...] = ()
    exists: bool = True


class DnsError(Exception):
    """A question without an answer. `silent`: nothing came back at all."""

    def __init__(self, why: str, *, silent: bool) -> None:
        super().__init__(why)
        self.silent = silent


class DnsResolver(Protocol):
    """Whom names are asked of."""

    @property
    def name(self) -> str:
        """Its address."""
        ...

    async def lookup(self, name: str, kind: str) -> DnsAnswer:
        """The records of a kind (A, AAAA, MX, TXT) at a name. Raises DnsError."""
        ...
