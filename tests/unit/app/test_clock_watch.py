"""What is said and done about a machine's clock that was put forward or back."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta

import pytest
from tocsin.app.lifecycle.clock_watch import APART, FORGETS_AFTER, STANDS_FOR, ClockSteps, ClockWatch
from tocsin.app.state.incident_state import Decision
from tocsin.domain.facts import ClockMoved, Seen
from tocsin.domain.operator_notice import Trouble

from tests.builders.daemon_parts import PAY, DaemonParts
from tests.fakes.loop import VirtualClock, run_virtually
from tests.simulation.world import MachineClock

HOUR, SECOND = timedelta(hours=1), timedelta(seconds=1)


class Desk:
    """A watch over a clock that can be put somewhere."""

    def __init__(self, clock: VirtualClock) -> None:
        self.machine, self.steps = MachineClock(clock), ClockSteps()
        self.parts = parts = DaemonParts(self.machine)
        self.watch = ClockWatch(
            self.machine,
            parts.ledger,
            parts.incidents,
            parts.notices,
            parts.sender,
            self.steps,
        )

    async def goes(self, seconds: float) -> bool:
        """Look each second for so long; whether it is to begin anew."""
        for _ in range(int(seconds)):
            await self.watch.look()
            if self.watch.wanted.is_set():
                return True
            await asyncio.sleep(1)
        return False

    def told(self) -> dict[Trouble, str]:
        """What operators hear."""
        return {notice.trouble: notice.text for notice in self.parts.notices.take()}


def on_desk(story: Callable[[Desk], Awaitable[None]]) -> None:
    async def tell(clock: VirtualClock) -> None:
        await story(Desk(clock))

    run_virtually(tell)


def test_a_step_is_taken_over_at_once() -> None:
    """Rule 60: at the next look; what is recorded moves with the clock, and the operators hear from when to when."""

    async def story(desk: Desk) -> None:
        start = desk.machine.now()
        await desk.parts.ledger.record("pay", [Seen(start, PAY)], (), ())
        assert not await desk.goes(10)
        desk.machine.ahead = HOUR
        assert await desk.goes(1)
        notice = await desk.watch.take_over()
        assert notice
        assert (notice.trouble, notice.headline) == (Trouble.CLOCK_MOVED, "The clock was put forward by 1h")
        assert "from 2026-11-23 10:00:10 UTC to 2026-11-23 11:00:10 UTC" in notice.text
        by = HOUR + APART
        assert desk.machine.now() == start + 10 * SECOND + by
        assert await desk.parts.ledger.facts("pay") == (
            Seen(start + by, PAY, moved=by),
            ClockMoved(desk.machine.now(), by),
        )
        assert not desk.told()

    on_desk(story)


def test_a_few_seconds_are_taken_over_without_a_word() -> None:
    """Rule 60: operators hear of a step over a minute."""

    async def story(desk: Desk) -> None:
        for ahead, told in ((timedelta(seconds=-59), False), (timedelta(seconds=2), True)):
            desk.machine.ahead = ahead
            assert await desk.goes(600)
            desk.watch.wanted.clear()
            assert bool(await desk.watch.take_over()) is told

    on_desk(story)


def test_a_step_that_is_gone_moves_nothing() -> None:
    """Rule 60: the clock was put back again while the parts ended."""

    async def story(desk: Desk) -> None:
        desk.machine.ahead = HOUR
        assert await desk.goes(1)
        desk.machine.ahead = timedelta(0)
        await desk.parts.ledger.record("pay", [Seen(desk.machine.now(), PAY)], (), ())
        assert await desk.watch.take_over() is None
        assert len(await desk.parts.ledger.facts("pay")) == 1

    on_desk(story)


def test_each_step_within_the_hour_must_stand_longer() -> None:
    """Rule 60: a clock that flips is no reason to begin anew again and again; after an hour of peace it is trusted."""
    steps, now = ClockSteps(), 1000.0
    waits = []
    for _ in range(7):
        waits.append(steps.patience(now))
        steps.taken_at.append(now)
        now += 1
    assert waits == [*STANDS_FOR, STANDS_FOR[-1]]
    assert max(waits[:4]) <= 30, "a few steps within the hour are taken over soon"
    assert steps.patience(now + FORGETS_AFTER) == 0


def test_a_step_that_does_not_stand_is_told() -> None:
    """Rule 60: since when, and what it means; that it is over once the clock has been near enough for 5 minutes."""

    async def story(desk: Desk) -> None:
        desk.steps.taken_at.append(asyncio.get_running_loop().time())
        for number in range(20):
            desk.machine.ahead = HOUR * (number % 2)
            assert not await desk.goes(5)
        told = desk.told()
        assert "differs from tocsin's by 1h" in told[Trouble.CLOCK_DIFFERS]
        assert "does not stand still" in told[Trouble.CLOCK_DIFFERS]
        assert "cannot be written" not in told[Trouble.CLOCK_DIFFERS]
        desk.machine.ahead = timedelta(0)
        assert not await desk.goes(299)
        assert desk.parts.notices.take_recovered() == ()
        assert not await desk.goes(3)
        assert [over.trouble for over in desk.parts.notices.take_recovered()] == [Trouble.CLOCK_DIFFERS]

    on_desk(story)


def test_a_step_after_a_step_must_stand() -> None:
    """Rule 60: also one that only goes from one wrong time to the next."""

    async def story(desk: Desk) -> None:
        desk.steps.taken_at.append(asyncio.get_running_loop().time())
        for number in range(10):
            desk.machine.ahead = HOUR * (1 + number % 2)
            assert not await desk.goes(3)
        desk.machine.ahead = HOUR
        assert await desk.goes(7)

    on_desk(story)


def test_a_small_difference_that_is_not_taken_over_is_not_told() -> None:
    """Rule 60: operators hear of one over a minute."""

    async def story(desk: Desk) -> None:
        desk.parts.ledger.trouble = "no space left on device"
        desk.machine.ahead = timedelta(seconds=59)
        assert not await desk.goes(180)
        assert not desk.told()

    on_desk(story)


@pytest.mark.parametrize("trouble", ["ledger", "decision", "letter"])
def test_what_only_the_memory_holds_is_not_let_go(trouble: str) -> None:
    """Rule 60: while the ledger cannot be written, or lacks something, the daemon goes on by its own time, told after a
    minute; then it follows.
    """

    async def story(desk: Desk) -> None:
        parts = desk.parts
        page = parts.declare()[0]
        if trouble == "ledger":
            parts.ledger.trouble = "no space left on device"
        elif trouble == "decision":
            parts.incidents.state("pay").unwritten = Decision((Seen(desk.machine.now(), PAY),))
        else:
            await parts.enqueue(page, recorded=False)
        desk.machine.ahead = HOUR
        assert not await desk.goes(59)
        assert not desk.told()
        assert not await desk.goes(3)
        assert Trouble.CLOCK_DIFFERS in desk.told()
        parts.ledger.trouble = ""
        parts.incidents.state("pay").unwritten = Decision()
        if trouble == "letter":
            parts.sender._open.clear()
        assert await desk.goes(1)

    on_desk(story)


def test_a_ledger_that_fails_at_the_last_moment_leaves_all_as_it_is() -> None:
    """Rule 60: neither the clock nor what is recorded moves, and it is tried again."""

    async def story(desk: Desk) -> None:
        desk.machine.ahead = HOUR
        assert await desk.goes(1)
        before = desk.machine.now()
        desk.parts.ledger.trouble = "no space left on device"
        assert await desk.watch.take_over() is None
        assert desk.machine.now() == before

    on_desk(story)


class DatabasesClock(MachineClock):
    """A clock that goes by the database's; the machine's own is `off` ahead of it."""

    source = "the database's clock"
    off = timedelta(0)

    def machine_ahead(self) -> timedelta:  # type: ignore[override]
        return self.off


def test_a_machine_that_differs_from_the_database_is_told() -> None:
    """R60: over 2 s, once it has stood for 10 s; nothing begins anew for it, and its end is told once it has lasted."""

    async def story(desk: Desk) -> None:
        clock = DatabasesClock(desk.parts.clock)
        parts = desk.parts
        desk.watch = ClockWatch(clock, parts.ledger, parts.incidents, parts.notices, parts.sender, desk.steps)
        clock.off = 2 * SECOND
        assert not await desk.goes(60)
        clock.off = 3 * SECOND
        assert not await desk.goes(9)
        clock.off = timedelta(0)
        assert not await desk.goes(1)
        clock.off = -90 * SECOND
        assert not await desk.goes(9)
        assert not desk.told()
        assert not await desk.goes(3)
        told = desk.told()
        assert set(told) == {Trouble.MACHINE_CLOCK}
        assert (
            "this machine's clock is 1m30s behind that of the database; tocsin goes by" in told[Trouble.MACHINE_CLOCK]
        )
        clock.off = timedelta(0)
        assert not await desk.goes(299)
        assert Trouble.MACHINE_CLOCK not in {over.trouble for over in desk.parts.notices.take_recovered()}
        assert not await desk.goes(3)
        assert Trouble.MACHINE_CLOCK in {over.trouble for over in desk.parts.notices.take_recovered()}

    on_desk(story)


def test_a_step_of_the_databases_clock_is_told_as_that() -> None:
    """R60: what is put forward by an hour is named: nobody looks for it at this machine."""

    async def story(desk: Desk) -> None:
        clock = DatabasesClock(desk.parts.clock)
        parts = desk.parts
        desk.watch = ClockWatch(clock, parts.ledger, parts.incidents, parts.notices, parts.sender, desk.steps)
        clock.ahead = HOUR
        assert await desk.goes(2)
        notice = await desk.watch.take_over()
        assert notice
        assert "the database's clock was put forward by 1h" in notice.text

    on_desk(story)
