"""A Transport in memory: it keeps what arrived, and fails as it is told. It passes the same suite as the real ones."""

import asyncio
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from tocsin.domain.delivery import Accepted, Deferred, Fate, Message, Outcome, Receipt, Refused, Uncertain
from tocsin.ports.transport import Polled


@dataclass(frozen=True)
class Arrived:
    """One message that truly arrived; `at` is the loop's time, in seconds."""

    at: float
    message: Message


class MemoryTransport:
    """A port Transport. `next` scripts the outcomes of coming sends; `decide`, if given, answers for each message
    (None: as usual). A `blind` transport cannot be asked.
    """

    warmed = None
    skew: timedelta | None = None

    def __init__(
        self,
        *,
        receipts: bool = False,
        blind: bool = False,
        takes: float = 0.0,
        polled: Polled | None = None,
        decide: Callable[[Message], Outcome | None] | None = None,
    ) -> None:
        self.receipts = receipts
        self._blind = blind
        self._takes = takes
        self.polled = polled
        self._decide = decide
        self._script: deque[tuple[Outcome, bool]] = deque()
        self._receipts: dict[str, Receipt] = {}
        self.arrived: list[Arrived] = []
        self.tries: list[Message] = []
        self.closed = False

    def next(self, outcome: Outcome, *, times: int = 1, arrives: bool | None = None) -> None:
        """The next so many tries end so. `arrives`: whether the message truly leaves (an uncertain one does, unless
        told otherwise).
        """
        leaves = isinstance(outcome, (Accepted, Uncertain)) if arrives is None else arrives
        self._script.extend([(outcome, leaves)] * times)

    def set_receipt(self, provider_id: str, receipt: Receipt) -> None:
        """What asking for this message says from now on."""
        self._receipts[provider_id] = receipt

    async def send(self, message: Message) -> Outcome:
        """As scripted, else accepted."""
        self.tries.append(message)
        await asyncio.sleep(self._takes)
        outcome, leaves = self._script.popleft() if self._script else (self._usual(message), True)
        if leaves and not isinstance(outcome, (Deferred, Refused)):
            self.arrived.append(Arrived(asyncio.get_running_loop().time(), message))
            if outcome == Accepted():
                return Accepted(f"M{len(self.arrived)}")
        return outcome

    async def find(self, message: Message, since: datetime) -> Outcome:
        """By its reference."""
        await asyncio.sleep(self._takes)
        if self._blind:
            return Uncertain("cannot be asked")
        for number, arrived in enumerate(self.arrived, 1):
            if arrived.message.reference == message.reference:
                return Accepted(f"M{number}")
        return Deferred("not here")

    async def fate(self, provider_id: str) -> Fate:
        """Delivered, unless told otherwise."""
        return Fate(self._receipts.get(provider_id, Receipt.DELIVERED if provider_id else Receipt.UNKNOWN))

    async def answers(self) -> bool:
        return not self._blind

    async def close(self) -> None:
        """Note it."""
        self.closed = True

    def _usual(self, message: Message) -> Outcome:
        return (self._decide(message) if self._decide else None) or Accepted()
