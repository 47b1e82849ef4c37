"""What came in and waits to be judged, asked again and again by those who judge it.

Decides when the answer is known without a question, and that nobody need ask: nothing waited, and nothing was written
since.
"""

import asyncio
from collections.abc import Callable

from sqlalchemy import Connection

from tocsin.adapters.ledger.reads import arrivals
from tocsin.adapters.ledger.reads.arrivals import anything_unjudged
from tocsin.adapters.ledger.store import Store
from tocsin.domain.arrival import Arrival
from tocsin.ports.ledger.trouble import Unreadable

QUESTIONS = (arrivals.unjudged_arrivals, arrivals.unjudged_alerts, arrivals.unjudged_acts)
Waiting = tuple[tuple[int, Arrival | Unreadable], ...]


class Unjudged:
    """Asks a store for what waits, one question after the other: where nothing waits at all, one asks for all of them.
    `_nothing` has, for each question, how often the store had written when it found nothing; None: it found something,
    or was never asked.
    """

    def __init__(self, store: Store) -> None:
        self._store = store
        self._nothing: dict[Callable[[Connection], Waiting], int | None] = dict.fromkeys(QUESTIONS)
        self._asking = asyncio.Lock()

    async def ask(self, question: Callable[[Connection], Waiting]) -> Waiting:
        """What it gives; one of those functions that ask the same each time. Raises LedgerError."""
        if self._store.written is None:
            return await self._store.read(question)
        async with self._asking:
            written = self._store.written  # before the question: what is written meanwhile counts as written after it
            if written is not None and self._nothing[question] == written:
                return ()
            self._nothing[question] = None
            waiting = await self._store.read(lambda asked: question(asked) if anything_unjudged(asked) else None)
            if waiting is None:
                self._nothing = dict.fromkeys(QUESTIONS, written)
            elif not waiting:
                self._nothing[question] = written
            return waiting or ()

    async def news(self, within: float) -> None:
        """Wait until one of the questions may find something new, for so many seconds at the most. Not at all where one
        of them found something, or something was written since.
        """
        written = self._store.written
        if all(found == written for found in self._nothing.values()):
            await self._store.next_written(within)
