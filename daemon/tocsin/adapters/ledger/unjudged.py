"""What came in and waits to be judged, asked again and again by those who judge it.

Decides when the answer is known without a question: nothing waited, and nothing was written since.
"""

from collections.abc import Callable

from sqlalchemy import Connection

from tocsin.adapters.ledger.store import Store
from tocsin.domain.arrival import Arrival
from tocsin.ports.ledger.ledger import Unreadable

Waiting = tuple[tuple[int, Arrival | Unreadable], ...]


class Unjudged:
    """Asks a store for what waits. `_nothing` has how often the store had written when a question found nothing."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._nothing: dict[Callable[[Connection], Waiting], int] = {}

    async def ask(self, question: Callable[[Connection], Waiting]) -> Waiting:
        """What it gives; one of those functions that ask the same each time. Raises LedgerError."""
        written = self._store.written  # before the question: what is written meanwhile counts as written after it
        if written is not None and self._nothing.get(question) == written:
            return ()
        waiting = await self._store.read(question)
        if written is not None and not waiting:
            self._nothing[question] = written
        return waiting
