"""What came in is judged once, in its order, and what cannot be judged holds up nothing."""

import pytest
from tocsin.app.arrivals.inbound import BROKEN, UNKNOWN, Arrivals
from tocsin.app.state.notices import Notices
from tocsin.domain.arrival import Arrival, ArrivalKind
from tocsin.ports.ledger.trouble import LedgerError

from tests.fakes.clock import StillClock
from tests.fakes.ledger import MemoryLedger

ANA = "+14155550101"


class Inbound:
    """Arrivals of a ledger in memory, and who judged what."""

    def __init__(self) -> None:
        self.ledger, self.notices = MemoryLedger(), Notices(StillClock())
        self.judged: list[str] = []
        self.arrivals = Arrivals(self.ledger, {ArrivalKind.SMS: self.judge}, self.notices)

    async def judge(self, arrival: Arrival) -> str:
        """Whatever the text says happens."""
        self.judged.append(arrival.ref)
        if arrival.body == "poison":
            raise KeyError(arrival.body)
        if arrival.body == "trouble" and self.judged.count(arrival.ref) == 1:
            raise LedgerError("locked")
        return arrival.body

    async def come(self, *bodies: str, kind: ArrivalKind = ArrivalKind.SMS) -> None:
        """These come in."""
        for body in bodies:
            number = len(self.ledger.pages.arrivals)
            await self.ledger.record_arrival(Arrival(kind, f"SM{number}", ANA, body, StillClock().now()))


async def test_each_arrival_is_judged_once() -> None:
    """In the order in which they came; the result is kept, and one that cannot be judged holds up none after it."""
    inbound = Inbound()
    await inbound.come("acted", "poison", "answered")
    for _ in range(2):
        await inbound.arrivals.look()
    await inbound.come("quiet")
    await inbound.arrivals.look()
    assert inbound.judged == ["SM0", "SM1", "SM2", "SM3"]
    assert await inbound.ledger.newest_results(ArrivalKind.SMS, ANA, 9) == ("quiet", "answered", BROKEN, "acted")
    (notice,) = inbound.notices.take()
    assert (notice.cause, "sms" in notice.text, "poison" in notice.text) == ("arrival-unjudged:sms", True, True)


async def test_what_trouble_kept_from_being_judged_is_judged_next() -> None:
    """It keeps its place, and those after it wait."""
    inbound = Inbound()
    await inbound.come("trouble", "acted")
    with pytest.raises(LedgerError):
        await inbound.arrivals.look()
    assert inbound.judged == ["SM0"]
    await inbound.arrivals.look()
    assert inbound.judged == ["SM0", "SM0", "SM1"]
    assert inbound.notices.take() == ()


async def test_what_nobody_judges_is_set_aside() -> None:
    """An arrival of a kind that this daemon does not know is looked at once, and is no reason to wake anybody."""
    inbound = Inbound()
    await inbound.come("delivered", kind=ArrivalKind.RECEIPT)
    await inbound.come("acted")
    await inbound.arrivals.look()
    assert inbound.judged == ["SM1"]
    assert await inbound.ledger.newest_results(ArrivalKind.RECEIPT, ANA, 9) == (UNKNOWN,)
    assert inbound.notices.take() == ()
