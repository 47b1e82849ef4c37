"""The provider asked for what came in: how far back, what counts once, and when operators hear that it fails."""

from datetime import datetime, timedelta

import pytest

from daemon.app.poll import BACK_MOST, FIRST_BACK, OVERLAP, Asked, Poll
from daemon.app.trouble import Trouble
from daemon.domain.arrival import Arrival, Arrives
from tests.fakes.clock import StillClock
from tests.fakes.ledger import MemoryLedger

TEN_SECONDS = timedelta(seconds=10)


class Inbox:
    """A provider's list of what came in."""

    def __init__(self) -> None:
        self.clock, self.ledger = StillClock(), MemoryLedger()
        self.told: list[Trouble] = []
        self.asked: list[datetime] = []
        self.lies: list[Arrival] = []
        self.trouble = ""
        self.poll = Poll(self.clock, self.ledger, lambda: Asked(self.inbox, TEN_SECONDS), self.told.append)

    async def inbox(self, since: datetime) -> tuple[Arrival, ...] | str:
        self.asked.append(since)
        if self.trouble == "closed":
            raise RuntimeError("Session is closed")
        return self.trouble or tuple(each for each in self.lies if each.at >= since)

    async def ask(self) -> int:
        """Ask once; how many are kept in all."""
        await self.poll.ask(Asked(self.inbox, TEN_SECONDS))
        return len(await self.ledger.arrivals())

    def comes(self, ref: str) -> None:
        self.lies.append(Arrival(Arrives.SMS, ref, "+14155550101", "ok", self.clock.now()))


@pytest.fixture
def inbox() -> Inbox:
    return Inbox()


async def test_what_came_in_is_kept_once(inbox: Inbox) -> None:
    """However often it is listed, and however else it came in."""
    inbox.comes("SM1")
    assert await inbox.ask() == 1
    inbox.comes("SM2")
    await inbox.ledger.arrive(inbox.lies[1])
    assert await inbox.ask() == 2
    assert await inbox.ask() == 2


async def test_how_far_back(inbox: Inbox) -> None:
    """At first only what is new; then from the newest known, but for a clock that differs; never more than half a day."""
    await inbox.ask()
    inbox.comes("SM1")
    await inbox.ask()
    now = inbox.clock.now()
    inbox.clock.go(timedelta(hours=1))
    await inbox.ask()
    inbox.clock.go(timedelta(days=2))
    await inbox.ask()
    assert inbox.asked == [now - FIRST_BACK, now - FIRST_BACK, now - OVERLAP, inbox.clock.now() - BACK_MOST]


async def test_three_failures_are_told(inbox: Inbox) -> None:
    """The third in a row, once; an answer in between begins anew. A fault of the client's is a failure like any."""
    inbox.trouble = "closed"
    for _ in range(2):
        await inbox.ask()
    inbox.trouble = ""
    await inbox.ask()
    inbox.trouble = "Twilio answered 503"
    for _ in range(5):
        await inbox.ask()
    assert [each.cause for each in inbox.told] == ["poll"]
