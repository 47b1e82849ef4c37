"""Looks come when they are due or poked, one at a time for an incident."""

import asyncio
from datetime import UTC, datetime, timedelta

from tocsin.app.engine.scheduler import Scheduler
from tocsin.app.state.agenda import Agenda

from tests.fakes.loop import VirtualClock, run_virtually

START = datetime(2026, 11, 23, 10, tzinfo=UTC)


def test_looks_come_at_their_time() -> None:
    """What a look answers is when the next comes; None ends it."""
    seen: list[tuple[str, float]] = []

    async def main(clock: VirtualClock) -> None:
        async def look(incident: str) -> datetime | None:
            seen.append((incident, (clock.now() - START).total_seconds()))
            return clock.now() + timedelta(minutes=10) if len(seen) < 4 else None

        agenda = Agenda()
        scheduler = Scheduler(clock, agenda, look)
        agenda.poke("a")
        agenda.set("b", START + timedelta(minutes=5))
        run = asyncio.create_task(scheduler.run())
        await asyncio.sleep(7200)
        run.cancel()

    run_virtually(main)
    assert seen == [("a", 0.0), ("b", 300.0), ("a", 600.0), ("b", 900.0), ("a", 1200.0)]


def test_pokes_are_one_look_and_never_two_at_once() -> None:
    """Pokes before a look are one look, pokes during it make exactly one more, other incidents go on meanwhile."""
    log: list[str] = []

    async def main(clock: VirtualClock) -> None:
        async def look(incident: str) -> datetime | None:
            assert f"{incident} runs" not in log
            log.append(f"{incident} runs")
            await asyncio.sleep(10)
            log.remove(f"{incident} runs")
            log.append(f"{incident} at {(clock.now() - START).total_seconds():.0f}")
            return None

        agenda = Agenda()
        scheduler = Scheduler(clock, agenda, look)
        run = asyncio.create_task(scheduler.run())
        for _ in range(5):
            agenda.poke("a")
        agenda.poke("b")
        await asyncio.sleep(5)
        agenda.poke("a")
        agenda.poke("a")
        await agenda.settled()
        run.cancel()

    run_virtually(main)
    assert sorted(log) == ["a at 10", "a at 20", "b at 10"]


def test_the_worst_in_line_is_looked_at_first() -> None:
    """Rule 48: a bad one passes what waits, whatever poked it before; equals go in the order in which they came, each
    once; of what nothing is known it is thought the worst.
    """

    async def main(_clock: VirtualClock) -> list[str]:
        agenda = Agenda()
        for number in range(4):
            agenda.poke(f"mild{number}", 3)
        agenda.poke("unknown")
        agenda.poke("bad", 1)
        agenda.poke("mild2", 0)
        agenda.poke("mild3")
        agenda.poke("mild3", 5)
        order = [await agenda.take() for _ in range(6)]
        for incident in order:
            agenda.done(incident, None)
        await agenda.settled()
        agenda.poke("mild1", 2)
        agenda.poke("bad", 1)
        return [*order, await agenda.take(), await agenda.take()]

    order = run_virtually(main)
    assert order == ["unknown", "mild2", "bad", "mild0", "mild1", "mild3", "bad", "mild1"]


def test_what_is_poked_during_its_look_keeps_its_rank() -> None:
    """Rule 48: the second look of a mild one waits behind a bad one, too."""

    async def main(_clock: VirtualClock) -> list[str]:
        agenda = Agenda()
        agenda.poke("mild", 3)
        first = await agenda.take()
        agenda.poke("mild")
        agenda.done(first, None)
        agenda.poke("bad", 1)
        return [await agenda.take(), await agenda.take()]

    assert run_virtually(main) == ["bad", "mild"]


def test_nothing_is_settled_while_somebody_waits_in_line() -> None:
    """The start waits for every incident's first look, those included that no look has begun for."""
    early: list[bool] = []

    async def main(_clock: VirtualClock) -> None:
        agenda = Agenda()
        agenda.poke("a")
        agenda.poke("b")
        agenda.done(await agenda.take(), None)
        waiting = asyncio.create_task(agenda.settled())
        await asyncio.sleep(1)
        early.append(waiting.done())
        agenda.done(await agenda.take(), None)
        await waiting

    run_virtually(main)
    assert early == [False]


def test_a_moved_time_replaces_the_one_before() -> None:
    """Setting a time again leaves one look, at the newer time; the heap does not grow with every change."""
    seen: list[float] = []

    async def main(clock: VirtualClock) -> None:
        async def look(_incident: str) -> datetime | None:
            seen.append((clock.now() - START).total_seconds())
            return None

        agenda = Agenda()
        scheduler = Scheduler(clock, agenda, look)
        for minutes in range(1000, 60, -1):
            agenda.set("a", START + timedelta(minutes=minutes))
        assert len(agenda) < 100
        agenda.set("a", START + timedelta(minutes=90))
        run = asyncio.create_task(scheduler.run())
        await asyncio.sleep(3600 * 24)
        run.cancel()

    run_virtually(main)
    assert seen == [5400.0]


def test_the_scheduler_leaves_its_mark_while_nothing_is_due() -> None:
    """The health check sees that it is alive: it asks the time again each few seconds."""
    ages: list[float] = []

    async def main(clock: VirtualClock) -> None:
        async def look(_incident: str) -> datetime | None:
            return None

        scheduler = Scheduler(clock, Agenda(), look)
        run = asyncio.create_task(scheduler.run())
        await asyncio.sleep(602)
        ages.append((clock.now() - scheduler.alive_at).total_seconds())
        run.cancel()

    run_virtually(main)
    assert ages[0] <= 5


def test_a_start_that_takes_long_does_not_look_like_a_scheduler_that_stands_still() -> None:
    """It is alive from when it runs: between being made and that many incidents may be recalled."""
    ages: list[float] = []

    async def main(clock: VirtualClock) -> None:
        async def look(_incident: str) -> datetime | None:
            return None

        scheduler = Scheduler(clock, Agenda(), look)
        await asyncio.sleep(120)
        run = asyncio.create_task(scheduler.run())
        await asyncio.sleep(0)
        ages.append((clock.now() - scheduler.alive_at).total_seconds())
        run.cancel()

    run_virtually(main)
    assert ages == [0.0]
