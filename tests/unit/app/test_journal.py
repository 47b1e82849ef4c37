"""P9: what a machine hands in of its journal is told to the operators once, by whoever leads."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest
from tocsin.app.hand_ins.hand_in import MachineNotice, hand_in_of
from tocsin.app.hand_ins.journal import JournalHandIn, JournalKeeper
from tocsin.app.state.notices import Notices
from tocsin.domain.arrival import Arrival
from tocsin.domain.operator_notice import Trouble
from tocsin.ports.ledger.trouble import LedgerError

from tests.fakes.clock import StillClock
from tests.fakes.ledger import MemoryLedger

T0 = datetime(2026, 11, 23, 10, tzinfo=UTC)


class Lacking:
    """So much was lacking."""

    def __init__(self, count: int = 0, since: datetime | None = None) -> None:
        self.count = count
        self.since = since


class File:
    """A journal that may be in trouble."""

    trouble = ""


class Store:
    """A ledger with a journal beside it: what it lacks is handed in once."""

    def __init__(self) -> None:
        self.journal = File()
        self.lacking = Lacking()
        self.away = False
        self.looks = 0

    async def hand_in(self, now: datetime) -> Lacking:
        assert now.tzinfo is UTC
        if self.away:
            raise LedgerError("away")
        lacking, self.lacking = self.lacking, Lacking()
        return lacking

    async def look(self, now: datetime) -> None:
        assert now.tzinfo is UTC
        self.looks += 1
        if self.away:
            raise LedgerError("away")


class Refusing(MemoryLedger):
    """Takes no arrival at first."""

    refuses = True

    async def record_arrival(self, arrival: Arrival) -> bool:
        if self.refuses:
            raise LedgerError("full")
        return await super().record_arrival(arrival)


async def told(ledger: MemoryLedger) -> list[MachineNotice]:
    """What waits for the leader."""
    arrivals = [arrival for _, arrival in await ledger.unjudged_hand_ins() if isinstance(arrival, Arrival)]
    return [notice for notice in map(hand_in_of, arrivals) if isinstance(notice, MachineNotice)]


async def test_operators_hear_of_it_once() -> None:
    """How many since when, and from which machine; also where the ledger did not take that at first."""
    ledger, store = Refusing(), Store()
    handing_in = JournalHandIn("attic", StillClock(), ledger, store)
    await handing_in.hand_in()
    store.lacking = Lacking(3, T0 - timedelta(minutes=4))
    with pytest.raises(LedgerError):
        await handing_in.hand_in()
    ledger.refuses = False
    await handing_in.hand_in()
    await handing_in.hand_in()
    (notice,) = await told(ledger)
    assert (notice.machine, notice.notice.trouble) == ("attic", Trouble.LEDGER_OLDER)
    assert "went back in time: 3 messages sent since 23 Nov 09:56 UTC were not in it" in notice.notice.text


async def test_a_standby_goes_on_looking(monkeypatch: pytest.MonkeyPatch) -> None:
    """Also after the ledger was away: it may be another one that came back."""
    monkeypatch.setattr("tocsin.app.hand_ins.journal.LOOKS_EVERY", 0.0)
    ledger, store = MemoryLedger(), Store()
    store.away = True
    running = asyncio.create_task(JournalHandIn("attic", StillClock(), ledger, store).run())
    for _ in range(5):
        await asyncio.sleep(0)
    store.away, store.lacking = False, Lacking(1, T0)
    async with asyncio.timeout(5):
        while not await told(ledger):  # noqa: ASYNC110 - nobody tells
            await asyncio.sleep(0)
    running.cancel()


async def test_a_journal_that_cannot_be_written_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """And that it can again; the ledger is looked at meanwhile, whether it answers or not."""
    monkeypatch.setattr("tocsin.app.hand_ins.journal.LOOKS_EVERY", 0.0)
    store, notices = Store(), Notices(StillClock())
    store.away, store.journal.trouble = True, "No space left on device"
    running = asyncio.create_task(JournalKeeper(StillClock(), store, notices).run())
    async with asyncio.timeout(5):
        while store.looks < 3:  # noqa: ASYNC110 - nobody tells
            await asyncio.sleep(0)
    (notice,) = notices.take()
    assert notice.trouble is Trouble.SENT_MARK_UNWRITABLE
    assert "var/journal" in notice.text
    assert "No space left on device" in notice.text
    store.journal.trouble = ""
    async with asyncio.timeout(5):
        while not (over := notices.take_recovered()):  # noqa: ASYNC110 - nobody tells
            await asyncio.sleep(0)
    assert over[0].trouble is Trouble.SENT_MARK_UNWRITABLE
    running.cancel()
