"""Who leads, where several machines share one ledger: a term and a lease in it, and a row for each machine (section 9).

Every call is one transaction on a connection of its own, with a deadline of its own: none waits behind the ledger's
writer, and a connection of which nothing comes back is given up within seconds. Then LedgerError is raised, and
whether it was written is not known; every call may be made again.
"""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from tocsin.ports.ledger.trouble import LedgerError


class FencedError(LedgerError):
    """Another term is in the ledger than one's own: nothing was written, and nothing will be (rule 52)."""


class LedgerAwayError(LedgerError):
    """The database does not answer now, and may by itself: nobody needs to put anything right first."""


class NodeTakenError(LedgerError):
    """Another process that lives has this machine's name and folder (R43). The text says what to do."""


class MayNotLeadError(LedgerError):
    """The ledger's schema asks for a newer program than this one to lead. The text says what to do."""


@dataclass(frozen=True, slots=True)
class Term:
    """An epoch and a random UUID, both compared (R52): what the writer of a leader holds against the ledger's."""

    epoch: int
    id: str


@dataclass(frozen=True, slots=True)
class LeaseView:
    """The lease as it stands in the ledger: under which term, which process has it (its id; empty: it was given back,
    or nobody had it yet), and how often it was renewed. `leads_from` is the oldest schema whose program may lead.
    """

    term: Term
    node: str
    count: int
    leads_from: str = ""

    def see_that_it_may(self, schema: str, name: str) -> None:
        """Raises MayNotLeadError for a program of this schema, on the machine of this name."""
        if self.leads_from > schema:
            raise MayNotLeadError(
                f"the ledger's schema may be led by a tocsin of schema {self.leads_from} or newer, and this one's is "
                f"{schema}; update tocsin on {name}"
            )


class NodeState(StrEnum):
    """What a machine's daemon does, as it says itself."""

    LEADING = "leading"
    STANDING_BY = "standing_by"


@dataclass(frozen=True, slots=True)
class Node:
    """One machine's daemon. `id` is a UUID made by the process at its start; `name` the host's, or that of the config;
    `folder` its folder of incidents: two processes that live never have the same name and folder (R43). `since`: when
    its state began. `last_word`: when it reported last, by the database's clock; None before it did. `config` is the
    revision in force there, `schema` the one its program knows, `key` tells its signing key from others' without giving
    it away (empty: none). `providers_ok`: it reaches a provider. `stopped`: it ended cleanly.
    """

    id: str
    name: str
    folder: str
    state: NodeState
    since: datetime
    last_word: datetime | None = None
    version: str = ""
    config: str = ""
    schema: str = ""
    key: str = ""
    providers_ok: bool = False
    stopped: bool = False


@dataclass(frozen=True, slots=True)
class Machines:
    """All machines that share a ledger, as one look at it showed them: the process that has the lease (its id; empty:
    none has it), when it renewed that last, and what time it was `now`, both by the database's clock. Since when the
    oldest transaction there has been open, which keeps dead rows alive; None: this role may not see it.
    `installation` is the ledger's id; empty where it lies in a file.
    """

    epoch: int
    leader: str
    renewed_at: datetime | None
    now: datetime
    nodes: tuple[Node, ...]
    oldest_transaction: datetime | None = None
    installation: str = ""


class LeadershipLedger(Protocol):
    """The rows of the ledger that say who leads. Raises LedgerError where the database does not answer in time."""

    async def look(self) -> LeaseView:
        """The lease as it stands now."""
        ...

    async def take(self, view: LeaseView, node: Node) -> Term | None:
        """Begin a new term, if the lease is still just as in this view; None if it is not any more. It waits for the
        transaction that the former leader's writer has open, up to its deadline. Raises MayNotLeadError.
        """
        ...

    async def renew(self, term: Term, node: Node) -> datetime:
        """Raise the count, and report the node; the database's clock, by which the daemon's own goes (R60). Raises
        FencedError under another term, or once this one was given back.
        """
        ...

    async def give_back(self, term: Term) -> None:
        """Leave the lead to whoever takes it first. Under another term nothing is done: there is nothing to give."""
        ...

    async def report(self, node: Node) -> datetime:
        """Write this machine's own row, which is fenced by no term; the database's clock (R60). It takes the place of a
        process of the same name and folder that stopped, or has said nothing for some seconds. Raises NodeTakenError.
        """
        ...

    async def nodes(self) -> tuple[Node, ...]:
        """Every machine that ever reported and was not superseded, by name."""
        ...

    async def installation(self) -> str:
        """The id of this ledger, made with it: two installations that were given one database, or one that was given
        another database, are known by it.
        """
        ...

    async def close(self) -> None:
        """Let go of the connection. What is under way is not waited for."""
        ...
