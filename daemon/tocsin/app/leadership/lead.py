"""Leading, as the rest of the daemon sees it: whether something may leave, and that it is over."""

import asyncio
from typing import Protocol

from tocsin.ports.fence import Fence


class Lead(Fence, Protocol):
    """From when this process leads until it does not any more. `lost`: it does not, or is to give the lead back;
    `drains_for`: how many seconds what is under way has at a stop.
    """

    lost: asyncio.Event
    drains_for: float

    def note_healthy(self) -> None:
        """The whole daemon has just done its work."""
        ...

    async def run(self) -> None:
        """Keep it, until cancelled."""
        ...

    async def give_back(self) -> None:
        """Leave it to others; nothing leaves from here any more. Never raises."""
        ...


class Leadership(Protocol):
    """How a process comes to lead."""

    async def until_leading(self, stop: asyncio.Event) -> Lead | None:
        """Wait until it leads; None: it was told to stop."""
        ...
