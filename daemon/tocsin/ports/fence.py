"""The fence before the first byte (rule 53), and what stands behind it: that this process leads."""

import asyncio
from dataclasses import dataclass
from typing import Protocol


class Barrier(Protocol):
    """What stands before what leaves. It asks nobody, so it costs nothing and never waits. It may be asked from any
    thread.
    """

    def holds(self) -> bool:
        """Whether a first byte, or the final dot of a mail, may leave now."""
        ...


class Fence(Barrier, Protocol):
    """Whether this process still leads, by its own clock alone."""

    def lets_from_memory(self, *, step: bool = False) -> bool:
        """The same for a try that the ledger does not know of, since it is away (rule 54). `step`: a later one of a
        ladder, which others may know to be answered.
        """
        ...


@dataclass(frozen=True, slots=True)
class FenceOfTry:
    """The fence as one try meets it. `attempt` is the try's id in the ledger; empty: it leaves from memory."""

    fence: Fence
    attempt: str

    def holds(self) -> bool:
        """Whether its first byte, or its final dot, may leave now."""
        return self.fence.holds() if self.attempt else self.fence.lets_from_memory()


class Lead(Fence, Protocol):
    """From when this process leads until it does not any more. `lost`: it does not, or is to give the lead back;
    `drains_for`: how many seconds what is under way has at a stop.
    """

    lost: asyncio.Event
    drains_for: float

    def begin_anew(self, within: float = ...) -> None:
        """The daemon begins, and is taken for healthy meanwhile, for so many seconds at most."""
        ...

    def note_healthy(self) -> None:
        """The whole daemon has just done its work."""
        ...

    def hold_back(self) -> None:
        """It comes to its end: where another machine goes on at once, nothing leaves any more that has not left."""
        ...

    async def run(self) -> None:
        """Keep it, until cancelled."""
        ...

    async def give_back(self) -> None:
        """Leave it to others; nothing leaves from here any more. Never raises."""
        ...


class NoFence:
    """The fence where nobody else could lead, or where a person at a terminal sends."""

    def holds(self) -> bool:
        """It always does."""
        return True

    def lets_from_memory(self, *, step: bool = False) -> bool:  # noqa: ARG002 - the port's signature
        """It always does."""
        return True


NO_FENCE = NoFence()
