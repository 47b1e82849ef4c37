"""What people answered by SMS while no daemon ran: fetched and judged before late steps fire (rule 62)."""

import asyncio
from contextlib import suppress

from tocsin.app.replies.inbound import Arrivals
from tocsin.app.replies.sms_poll import SmsPoll
from tocsin.ports.ledger import LedgerError


class FirstAnswers:
    """The provider's list of answers, as a start waits for it."""

    def __init__(self, poll: SmsPoll, arrivals: Arrivals) -> None:
        self._poll = poll
        self._arrivals = arrivals

    async def first_read(self) -> None:
        """Wait until the provider was asked once, if it is asked at all, and what it said was judged."""
        await self._poll.asked.wait()
        with suppress(LedgerError):  # it is looked again in a second
            await asyncio.shield(self._arrivals.look())
