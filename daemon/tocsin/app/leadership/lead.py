"""How a process comes to lead."""

import asyncio
from typing import Protocol

from tocsin.ports.fence import Lead


class Leadership(Protocol):
    """How a process comes to lead, and what it does until then."""

    async def until_leading(self, stop: asyncio.Event) -> Lead | None:
        """Wait until it leads; None: it was told to stop."""
        ...
