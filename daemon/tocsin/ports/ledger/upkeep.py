"""What is done to the ledger so that it does not grow for ever (`keep`), and forgets who is to be forgotten.

Only who leads does so. Everything is done in small transactions, each of which leaves the ledger whole: whoever is
killed between two of them begins again.
"""

from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Protocol


@dataclass(frozen=True, slots=True)
class FinishedIncidents:
    """Some of the closed incidents that nothing can become due for, by id; `after` is where the next of them begin,
    None: there are no more.
    """

    ids: Sequence[str]
    after: str | None


@dataclass(frozen=True, slots=True)
class PrunedIncident:
    """What is left of a pruned incident: when it was closed, and the digests of all its versions, the newest last."""

    closed_at: datetime
    digests: tuple[str, ...]


ERASED = "erased"
"""What stands in the place of something that a person wrote, or that was written to them."""


@dataclass(frozen=True, slots=True)
class Erasure:
    """Who is to be forgotten: their id, which counts where a person is meant, and their names and addresses. `words`
    are looked for in what others wrote as well; `names` are not, as they may be any word.
    """

    person: str
    words: tuple[str, ...] = ()
    names: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Replaced:
    """A line that reads otherwise once somebody is forgotten, and where; `after` empty: it goes."""

    place: str
    before: str
    after: str


class LeftOut(StrEnum):
    """Why an incident is not changed, in words that follow its id."""

    OPEN = "is open"
    UNFINISHED = "is resolved, but verify, review or a message is still to come"
    UNSETTLED = "has a message that is still to leave"


@dataclass(frozen=True, slots=True)
class IncidentStates:
    """Some incidents by id, and why each is left out, if it is; `after` is where the next begin, None: there are no
    more.
    """

    states: Mapping[str, LeftOut | None]
    after: str | None


Calm = Callable[[], Awaitable[None]]
"""Waits until no page would wait for a transaction of ours."""


class PrunedLedger(Protocol):
    """What is left of pruned incidents; and the digests of versions, which are left of all."""

    async def pruned(self, incident: str) -> PrunedIncident | None:
        """What is left of one; None: it was never pruned. An incident that was may have been declared anew since."""
        ...

    async def pruned_digests(self) -> Mapping[str, str]:
        """The digest of the newest version of each."""
        ...

    async def version_digests(
        self, incidents: Collection[str], *, newest: bool = False
    ) -> Mapping[str, tuple[str, ...]]:
        """The digests of all versions of each of these incidents, oldest first, those before it was pruned included,
        and none of a file that was never readable, once that is gone (rule 32); `newest`: of the last one alone.
        """
        ...


class PruningLedger(Protocol):
    """Closed incidents go. Every call but the questions is one transaction of bounded length. Raises LedgerError."""

    async def finished_before(self, before: datetime, after: str, most: int) -> FinishedIncidents:
        """Looks at so many incidents with ids behind `after`: those that were closed before an instant, and since then
        nothing has happened to them nor was sent. One that was first seen resolved counts from when that was seen.
        """
        ...

    async def prune_messages(self, incident: str, most: int) -> int:
        """The first messages of a finished incident go, with their tries, receipts, and words that nobody else has; how
        many. 0: there are none left.
        """
        ...

    async def prune_incident(self, incident: str) -> bool:
        """A finished incident that has no messages left goes; its id, when it was closed and the digests of its
        versions stay. False: it is not finished any more, or something has happened to it meanwhile.
        """
        ...

    async def incident_states(self, after: str, most: int) -> IncidentStates:
        """So many incidents with ids behind `after`, first messages about none."""
        ...

    async def replaced(self, incident: str, erasure: Erasure) -> Sequence[Replaced]:
        """What would read otherwise in an incident without the person; nothing is done."""
        ...

    async def replaced_elsewhere(self, erasure: Erasure) -> Sequence[Replaced]:
        """The same of what belongs to no incident."""
        ...

    async def erase_messages(self, incident: str, erasure: Erasure, calm: Calm) -> bool:
        """The person is in the messages of this finished incident no more; whether they were. Each of many transactions
        waits until it is `calm`.
        """
        ...

    async def erase_facts(self, incident: str, erasure: Erasure) -> bool:
        """Nor in what happened in it, in one transaction."""
        ...

    async def erase_elsewhere(self, erasure: Erasure, calm: Calm) -> None:
        """What came in from them and is judged says nothing more, and they are signed out."""
        ...

    async def prune_outdated(self, before: datetime, most: int) -> int:
        """So much of what belongs to no incident that is there goes, from before an instant: judged arrivals, messages
        about no incident, what operators were told of incidents that are pruned. How much; 0: there is none left.
        """
        ...
