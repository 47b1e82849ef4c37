"""What people answered by SMS while no daemon ran: fetched and judged before late steps fire (rule 62)."""

import asyncio
from collections.abc import Sequence
from contextlib import suppress

from tocsin.app.arrivals.inbound import Arrivals
from tocsin.app.replies.sms_poll import SmsPoll
from tocsin.ports.ledger.trouble import LedgerError


class FirstAnswers:
    """Each provider's list of answers, as a start waits for it."""

    def __init__(self, polls: Sequence[SmsPoll], arrivals: Arrivals) -> None:
        self._polls = polls
        self._arrivals = arrivals

    async def first_read(self) -> None:
        """Wait until every provider was asked once, if it is asked at all, and what they said was judged; what one said
        before another that hangs, too.
        """
        asked = [asyncio.create_task(poll.asked.wait()) for poll in self._polls]
        try:
            for first in asyncio.as_completed(asked):
                await first
                await self._judge()
        finally:
            for waiting in asked:
                waiting.cancel()

    async def _judge(self) -> None:
        with suppress(LedgerError):  # it is looked again in a second
            await asyncio.shield(self._arrivals.look())
