"""Poll: the provider asked again and again for the SMS that came in, so that no port need be open (product.md 6).

It decides how far back is asked, and when the operators hear that it fails. What a message means is judged later, and
once, however it came in.
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog

from daemon.app.guarded import Broken, guarded
from daemon.app.trouble import Tell, Trouble
from daemon.domain.arrival import Arrival, Arrives
from daemon.ports import Clock, Ledger, LedgerTrouble

OVERLAP = timedelta(minutes=10)
"""How far before the newest message known is asked: the provider's clock differs, and messages come out of order."""
BACK_MOST = timedelta(hours=12)
"""How far back is asked at most: an answer given while the daemon was down still counts."""
FIRST_BACK = timedelta(minutes=2)
"""How far back is asked when no message was ever known: what lies in the account from before is not meant for us."""
IDLE = timedelta(seconds=10)
"""How soon it is looked again whether the config asks for polling."""
PATIENCE = 3
"""Failures in a row before the operators hear."""

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Asked:
    """Who is asked for what came in since an instant, and how often."""

    inbox: Callable[[datetime], Awaitable[tuple[Arrival, ...] | str]]
    every: timedelta


class Poll:
    """Asks for what came in. `asked` gives who is asked, or None while nobody is."""

    def __init__(self, clock: Clock, ledger: Ledger, asked: Callable[[], Asked | None], tell: Tell) -> None:
        self._clock = clock
        self._ledger = ledger
        self._asked = asked
        self._tell = tell
        self._failures = 0
        self._known: dict[str, None] = {}

    async def run(self) -> None:
        """Until cancelled."""
        while True:
            asked = self._asked()
            if asked:
                try:
                    await self.ask(asked)
                except LedgerTrouble as trouble:
                    log.warning("ledger trouble", trouble=str(trouble))
            await asyncio.sleep((asked.every if asked else IDLE).total_seconds())

    async def ask(self, asked: Asked) -> None:
        """Ask once, and keep what is new. Raises LedgerTrouble."""
        now = self._clock.now()
        newest = await self._ledger.arrived_last(Arrives.SMS)
        since = max(newest - OVERLAP, now - BACK_MOST) if newest else now - FIRST_BACK
        found = await guarded(asked.inbox(since))
        if isinstance(found, (str, Broken)):
            self._failed(str(found))
            return
        self._failures = 0
        for arrival in found:
            if arrival.ref not in self._known:
                await self._ledger.arrive(arrival)
        self._known = dict.fromkeys(each.ref for each in found)

    def _failed(self, why: str) -> None:
        """Time may cure it; if not, operators hear that answers by SMS do not come in."""
        self._failures += 1
        log.warning("poll", trouble=why, failures=self._failures)
        if self._failures == PATIENCE:
            said = f"answers by SMS cannot be asked for: {why}; acknowledge by link, command or file meanwhile"
            self._tell(Trouble("poll", said))
