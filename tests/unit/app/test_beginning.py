"""How a life begins in virtual time: watched over, the lead kept as long as that may take, and given up when it is for
nothing (section 9, rule 55).
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from tocsin.app.leadership.beginning import HANGS_AFTER, LIVES_EVERY, BeginningGivenUpError, beginning
from tocsin.app.leadership.lease import Lease
from tocsin.app.lifecycle.run import Orders
from tocsin.app.wiring.build import Life
from tocsin.domain.operator_notice import OperatorNotice
from tocsin.planning.machines.leadership import LEASE, MIGRATES_WITHIN, STARTS_WITHIN
from tocsin.ports.fence import Lead

from tests.fakes.leadership import SharedLeadership
from tests.fakes.loop import VirtualClock, run_virtually
from tests.unit.app.test_leadership import Machine, Watchers


class SlowLedger:
    """A ledger that takes so long to be led, and to be recalled."""

    def __init__(self, leads_in: float, recalled_in: float = 0.0) -> None:
        self.leads_in, self.recalled_in = leads_in, recalled_in
        self.led = self.was_recalled = False

    async def lead(self, _lead: Lead) -> None:
        await asyncio.sleep(self.leads_in)
        self.led = True

    async def recall(self) -> OperatorNotice | None:
        await asyncio.sleep(self.recalled_in)
        self.was_recalled = True
        raise RecalledError


class RecalledError(Exception):
    """So far it was to come."""


class Beginner(Machine):
    """A machine whose life has had no healthy pass yet."""

    def __init__(self, shared: SharedLeadership, clock: VirtualClock, name: str) -> None:
        super().__init__(shared, clock, name)
        self.healthy, self.orders = False, Orders()


async def begins(machine: Beginner, ledger: SlowLedger) -> None:
    """A life of that machine on that ledger, until it has recalled all, or is given up."""
    none: Any = None
    here: Any = ledger
    rest = none, none, none, none, here, machine.manager, none, none
    life = Life(machine.time, machine.orders, {}, *rest, watched=False)  # type: ignore[arg-type]
    assert machine.lease is not None
    await life.live(machine.lease)


def two_machines(life: Callable[[Beginner, Machine], Awaitable[None]]) -> None:
    """One that leads and has not begun yet, and one that stands by."""

    async def live(clock: VirtualClock) -> None:
        shared = SharedLeadership(clock)
        a = Beginner(shared, clock, "a")
        await asyncio.sleep(0.5)
        b = Machine(shared, clock, "b")
        await asyncio.sleep(0.5)
        assert isinstance(a.lease, Lease)
        await life(a, b)
        for machine in (a, b):
            machine.task.cancel()

    run_virtually(live)


def test_a_migration_takes_minutes() -> None:
    """P9: the service manager hears that the machine lives, and it still leads when it is done."""

    async def life(a: Beginner, b: Machine) -> None:
        fed, lease = a.manager.fed, a.lease
        with pytest.raises(RecalledError):
            await begins(a, SlowLedger(300))
        assert a.manager.fed - fed >= 300 / LIVES_EVERY
        assert a.holds
        assert (a.lease, b.lease) == (lease, None)

    two_machines(life)


def test_a_start_that_hangs_is_given_up_once_another_leads() -> None:
    """It keeps the lead for as long as a start may take; whoever takes it then is seen."""

    async def life(a: Beginner, b: Machine) -> None:
        ledger = SlowLedger(1, 10_000)
        starting = asyncio.create_task(begins(a, ledger))
        await asyncio.sleep(STARTS_WITHIN)
        assert b.lease is None
        await asyncio.sleep(LEASE + 5)
        assert b.lease is not None
        with pytest.raises(BeginningGivenUpError):
            await starting
        assert not ledger.was_recalled

    two_machines(life)


def test_a_start_that_hangs_where_nobody_else_leads() -> None:
    """It may still come to an end, so it is let be for a while; then the service manager hears nothing more."""

    async def life(clock: VirtualClock) -> None:
        a = Beginner(SharedLeadership(clock), clock, "a")
        await asyncio.sleep(0.5)
        starting = asyncio.create_task(begins(a, SlowLedger(1, 10_000)))
        await asyncio.sleep(STARTS_WITHIN + HANGS_AFTER + LIVES_EVERY)
        fed = a.manager.fed
        assert fed > (STARTS_WITHIN + HANGS_AFTER) / LIVES_EVERY
        await asyncio.sleep(60)
        assert (a.manager.fed, starting.done()) == (fed, False)
        starting.cancel()
        a.task.cancel()

    run_virtually(life)


@pytest.mark.parametrize("told_after", [0.0, 100.0])
def test_a_stop_waits_for_no_start(told_after: float) -> None:
    """P9: told before the start or in the midst of it, it ends at once, and gives the lead back."""

    async def life(a: Beginner, _b: Machine) -> None:
        loop, ledger = asyncio.get_running_loop(), SlowLedger(MIGRATES_WITHIN / 2)
        loop.call_later(told_after, a.orders.stop.set) if told_after else a.orders.stop.set()
        began = loop.time()
        with pytest.raises(BeginningGivenUpError):
            await begins(a, ledger)
        assert loop.time() - began == pytest.approx(told_after, abs=0.01)
        assert not ledger.led

    two_machines(life)


def test_what_takes_too_long_by_itself_is_no_order() -> None:
    """Of a time that ran out inside one hears as ever."""

    async def life(_clock: VirtualClock) -> None:
        with pytest.raises(TimeoutError):
            async with beginning(Watchers(), asyncio.Event()), asyncio.timeout(1):
                await asyncio.sleep(5)

    run_virtually(life)
