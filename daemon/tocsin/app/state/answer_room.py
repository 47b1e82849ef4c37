"""How many answers by SMS a number still gets: so many in an hour, whatever comes from there (product.md, section 6).

It must not know what an answer says, nor what a message means.
"""

from collections import deque
from collections.abc import Collection
from datetime import datetime, timedelta

from tocsin.domain.arrival import ArrivalKind
from tocsin.ports.clock import Clock
from tocsin.ports.ledger.ledger import ArrivalLedger

ANSWERS_MOST, WITHIN = 20, timedelta(hours=1)
"""Answers to one number within so long: whoever forges a sender spends our money, and its owner learns nothing more
from the twenty-first.
"""


class AnswerRoom:
    """What each number has been answered lately; what the process before answered is asked of the ledger, once."""

    def __init__(self, clock: Clock, ledger: ArrivalLedger, answered: Collection[str]) -> None:
        """`answered` are the results of what came in and was answered."""
        self._clock = clock
        self._ledger = ledger
        self._answered = answered
        self._given: dict[str, deque[datetime]] = {}

    async def left(self, number: str) -> int:
        """How many answers it may still get now. Raises LedgerError."""
        since = self._clock.now() - WITHIN
        given = self._given.get(number)
        if given is None:
            judged = await self._ledger.results_since(ArrivalKind.SMS, number, since)
            given = deque(at for at, result in judged if result in self._answered)
            self._given[number] = given
        while given and given[0] <= since:
            given.popleft()
        return max(0, ANSWERS_MOST - len(given))

    def take(self, number: str) -> None:
        """It is answered now."""
        self._given.setdefault(number, deque()).append(self._clock.now())
