"""How much one person still does in the browser: so many edits and declarations within a while, more than anybody does
by hand (P8). It counts by the daemon's own clock; what the process before has judged is asked of the ledger, once.

It must not know what an act is about.
"""

from datetime import datetime, timedelta

from tocsin.domain.arrival import Arrival, ArrivalKind
from tocsin.ports.clock import Clock
from tocsin.ports.ledger.ledger import ArrivalLedger

MOST = {ArrivalKind.EDIT: 60, ArrivalKind.DECLARE: 10}
WITHIN = {ArrivalKind.EDIT: timedelta(minutes=10), ArrivalKind.DECLARE: timedelta(hours=1)}
"""How many acts of one person are done within which time."""


class ActRoom:
    """What each person did lately, by the references of what came in."""

    def __init__(self, clock: Clock, ledger: ArrivalLedger) -> None:
        self._clock = clock
        self._ledger = ledger
        self._done: dict[tuple[ArrivalKind, str], dict[str, datetime]] = {}

    async def is_full(self, kind: ArrivalKind, person: str) -> bool:
        """Whether they do nothing more of this kind for now. Raises LedgerError."""
        return len(await self._lately(kind, person)) >= MOST[kind]

    async def take(self, act: Arrival) -> None:
        """It is done now; the same one again counts once. Raises LedgerError."""
        (await self._lately(act.kind, act.who)).setdefault(act.ref, self._clock.now())

    async def _lately(self, kind: ArrivalKind, person: str) -> dict[str, datetime]:
        since, known = self._clock.now() - WITHIN[kind], self._done.get((kind, person))
        if known is None:
            judged = await self._ledger.results_since(kind, person, since)
            known = {f"before {number}": at for number, (at, _) in enumerate(judged[-MOST[kind] :])}
        lately = self._done[kind, person] = {ref: at for ref, at in known.items() if at > since}
        return lately
