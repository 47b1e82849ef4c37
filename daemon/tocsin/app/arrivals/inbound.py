"""What came in from outside and lies in the ledger is brought to whoever judges its kind, once."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from functools import partial
from typing import Protocol

import structlog

from tocsin.app.engine.isolation import Broken, guarded
from tocsin.app.replies.polling import poll
from tocsin.app.state.notices import Notices
from tocsin.domain.arrival import Arrival, ArrivalKind, Judgement
from tocsin.domain.operator_notice import OperatorNotice, Trouble
from tocsin.ports.ledger.ledger import ArrivalLedger
from tocsin.ports.ledger.trouble import LedgerError, Unreadable

ASKS_EVERY = 1.0
"""Seconds between two looks, at least."""
ASKS_AFTER = 15.0
"""Seconds without news after which it looks anyway."""
UNKNOWN = "unknown"
"""The result of an arrival whose kind nobody judges."""
BROKEN = "broken"
"""The result of an arrival that its judge cannot cope with: it is set aside, so that the others are judged."""

Judge = Callable[[Arrival], Awaitable[str | Judgement | None]]
"""Acts on an arrival and gives a word for what it led to, with words for whoever waits for it if somebody may; None: it
is to be judged later, and asked about at each look. It may be called again after a kill: acting twice is harmless.
"""

log = structlog.get_logger()


class Hears(Protocol):
    """Who judges what is plain without the ledger."""

    async def hear(self, arrivals: Sequence[Arrival]) -> None:
        """The ledger does not take these now, oldest first."""
        ...


class Arrivals:
    """Looks for arrivals and has them judged, one after the other."""

    def __init__(
        self,
        ledger: ArrivalLedger,
        judges: Mapping[ArrivalKind, Judge],
        notices: Notices,
        in_memory: Sequence[Hears] = (),
    ) -> None:
        self._ledger = ledger
        self._judges = judges
        self._notices = notices
        self._in_memory = in_memory
        self._judging = asyncio.Lock()

    async def run(self) -> None:
        """Until cancelled."""
        await poll(self.look, lambda: ASKS_EVERY, news=partial(self._ledger.news, ASKS_AFTER))

    async def hear(self, arrivals: Sequence[Arrival]) -> None:
        """The ledger does not take these now: what is plain from memory counts at once."""
        for judge in self._in_memory:
            await judge.hear(arrivals)

    async def look(self) -> None:
        """Judge everything that waits. Raises LedgerError; what was not judged then is judged at the next look."""
        async with self._judging:
            later: set[int] = set()
            while arrivals := [entry for entry in await self._ledger.unjudged_arrivals() if entry[0] not in later]:
                for row, arrival in arrivals:
                    if isinstance(arrival, Unreadable):
                        kind, judged = "unreadable", Judgement(self._set_aside(arrival))
                    elif (judgement := await self._judged(arrival)) is not None:
                        kind, judged = arrival.kind.value, judgement
                    else:
                        later.add(row)
                        continue
                    log.info("arrival", kind=kind, result=judged.result)
                    await self._ledger.record_result(row, judged.result, judged.words)

    def _set_aside(self, arrival: Unreadable) -> str:
        """An arrival that cannot be read holds up nobody (rule 63)."""
        text = f"something that came in is lost: {arrival.why}; if an answer is missing, it must be given again"
        self._notices.tell(OperatorNotice(Trouble.ARRIVAL_UNJUDGED, text))
        return BROKEN

    async def _judged(self, arrival: Arrival) -> Judgement | None:
        """What one arrival led to; None: not yet. Raises LedgerError."""
        judge = self._judges.get(arrival.kind)
        if judge is None:
            return Judgement(UNKNOWN)
        result = await guarded(judge(arrival), LedgerError)
        if isinstance(result, Broken):
            text = f"an {arrival.kind.value} that came in could not be judged ({result}); the others are"
            self._notices.tell(OperatorNotice(Trouble.ARRIVAL_UNJUDGED, text, about=arrival.kind.value))
            return Judgement(BROKEN)
        return Judgement(result) if isinstance(result, str) else result
