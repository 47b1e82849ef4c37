"""Answers that other processes wrote into the ledger (`tocsin ack`, the web side), brought to their incidents.

It decides when to ask for them. It must not know what an answer does.
"""

import asyncio
from collections.abc import Callable

import structlog

from daemon.app.case import Recorded
from daemon.ports import Ledger, LedgerTrouble

ASKS_EVERY = 1.0
"""Seconds between two looks for answers."""

log = structlog.get_logger()


class Answers:
    """Asks the ledger for answers after row `last`. `learn` takes an incident and what came in for it."""

    def __init__(self, ledger: Ledger, learn: Callable[[str, Recorded], None], last: int) -> None:
        self._ledger = ledger
        self._learn = learn
        self._last = last

    async def run(self) -> None:
        """Until cancelled."""
        while True:
            await asyncio.sleep(ASKS_EVERY)
            try:
                answers = await self._ledger.answered_since(self._last)
            except LedgerTrouble as trouble:
                log.warning("ledger trouble", trouble=str(trouble))
                continue
            for row, incident, answer in answers:
                self._last = row
                self._learn(incident, Recorded(answer))
