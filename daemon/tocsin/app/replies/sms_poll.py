"""Poll: the provider asked again and again for the SMS that came in, so that no port need be open (product.md 6).

It decides how far back is asked, and when the operators hear that it fails. What a message means is judged later, and
once, however it came in.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog

from tocsin.app.engine.isolation import Broken, guarded
from tocsin.app.replies.polling import poll
from tocsin.domain.arrival import Arrival, Arrives
from tocsin.domain.delivery import Deferred, Fault
from tocsin.domain.operator_notice import Notify, OperatorNotice
from tocsin.ports.clock import Clock
from tocsin.ports.ledger import ArrivalLedger

OVERLAP = timedelta(minutes=10)
"""How far before the newest message known is asked: the provider's clock differs, and messages come out of order."""
BACK_MOST = timedelta(hours=12)
"""How far back is asked at most: an answer given while the daemon was down still counts."""
FIRST_BACK = timedelta(minutes=2)
"""How far before its start is asked when no message was ever known and nobody has a code to answer with: what lies in
the account from before is not meant for us.
"""
SLOWEST = timedelta(minutes=1)
"""How long is waited at most after failures, unless the provider wishes more; each doubles the wait."""
IDLE = timedelta(seconds=10)
"""How soon it is looked again whether the config asks for polling."""
PATIENCE = 3
"""Failures in a row before the operators hear."""

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Asked:
    """Who is asked for what came in since an instant, and how often."""

    inbox: Callable[[datetime], Awaitable[tuple[Arrival, ...] | Deferred]]
    every: timedelta


class Poll:
    """Asks for what came in. `asked` gives who is asked, or None while nobody is."""

    def __init__(self, clock: Clock, ledger: ArrivalLedger, asked: Callable[[], Asked | None], tell: Notify) -> None:
        self._clock = clock
        self._ledger = ledger
        self._asked = asked
        self._tell = tell
        self._started_at = clock.now()
        self._since: datetime | None = None
        self._failed: list[Deferred] = []
        self._known: frozenset[str] = frozenset()

    async def run(self) -> None:
        """Until cancelled."""
        await poll(self._turn, self._pause, at_once=True)

    async def _turn(self) -> None:
        if asked := self._asked():
            await self.ask(asked)

    def _pause(self) -> float:
        asked = self._asked()
        return (self.pause(asked.every) if asked else IDLE).total_seconds()

    def pause(self, every: timedelta) -> timedelta:
        """How long is waited until the next question."""
        if not self._failed:
            return every
        slower = min(every * (1 << min(len(self._failed), 10)), SLOWEST)
        return max(every, slower, self._failed[-1].retry_after or every)

    async def ask(self, asked: Asked) -> None:
        """Ask once, and keep what is new. Raises LedgerError."""
        now = self._clock.now()
        since = self._since or await self._first(now)
        found = await guarded(asked.inbox(max(since, now - BACK_MOST)))
        if isinstance(found, Broken):
            found = Deferred(f"asking broke ({found})")
        if isinstance(found, Deferred):
            self._hear(found)
            return
        self._failed.clear()
        for arrival in found:
            if arrival.ref not in self._known:
                await self._ledger.record_arrival(arrival)
        self._known = frozenset(each.ref for each in found)
        self._since = now - OVERLAP

    async def _first(self, now: datetime) -> datetime:
        """Since when the first question asks: the newest message known, else the oldest page that may be answered."""
        newest = await self._ledger.last_arrival_at(Arrives.SMS)
        if newest:
            return min(newest, now) - OVERLAP
        asking = (each.given.at for each in await self._ledger.reserved_codes(now) if each.closed_at is None)
        return min([self._started_at - FIRST_BACK, *asking])

    def _hear(self, failure: Deferred) -> None:
        """Time may cure it; if not, operators hear that answers by SMS do not come in (as rule 39 has it)."""
        self._failed.append(failure)
        log.warning("poll", trouble=failure.detail, failures=len(self._failed))
        if failure.fault is Fault.PROVIDER or len(self._failed) == PATIENCE:
            why = f"answers by SMS cannot be asked for: {failure.detail}"
            self._tell(OperatorNotice("poll", f"{why}; acknowledge by link, command or file meanwhile"))
