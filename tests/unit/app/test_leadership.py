"""Standing by, leading and not leading any more, in virtual time on one shared lease (section 9, rules 52 and 53)."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from structlog.testing import capture_logs
from tocsin.app.leadership.alone import Alone
from tocsin.app.leadership.away import Away
from tocsin.app.leadership.lease import Lease
from tocsin.app.leadership.standing_by import TAKEN_FOR, StandingBy
from tocsin.app.leadership.this_node import ThisNode
from tocsin.planning.machines.leadership import LEASE, MARGIN, STARTS_WITHIN
from tocsin.ports.leadership import NodeState, NodeTakenError, Term

from tests.fakes.leadership import MemoryLeadership, SharedLeadership
from tests.fakes.loop import VirtualClock, run_virtually


class Watchers:
    """A service manager that counts."""

    def __init__(self) -> None:
        self.fed = 0
        self.said: list[str] = []

    def ready(self, status: str) -> None:
        self.said.append(status)

    def reloading(self) -> None:
        self.said.append("reloading")

    def stopping(self) -> None:
        self.said.append("stopping")

    def healthy(self) -> None:
        self.fed += 1


class HeardClock(VirtualClock):
    """A port SharedClock that keeps what it heard."""

    source = "the database's clock"

    def __init__(self, clock: VirtualClock) -> None:
        super().__init__(clock._loop, clock._start)
        self.set_by: list[datetime] = []
        self.followed: list[datetime] = []
        self.ahead = timedelta(0)

    def step(self) -> timedelta:
        return timedelta(0)

    def move(self, by: timedelta) -> None:
        """Nothing moves it."""

    def machine_ahead(self) -> timedelta | None:
        return self.ahead if self.set_by else None

    def set(self, at: datetime, began: float) -> None:
        assert began <= asyncio.get_running_loop().time()
        self.set_by.append(at)

    def follow(self, at: datetime, began: float) -> None:
        assert began <= asyncio.get_running_loop().time()
        self.followed.append(at)


class Machine:
    """One machine: it stands by, leads as long as it does (healthy as it is told), and stands by again."""

    def __init__(self, shared: SharedLeadership, clock: VirtualClock, name: str, *, parts: Any = tuple) -> None:
        self.rows, self.clock, self.name = MemoryLeadership(shared), clock, name
        self.this = ThisNode(clock, name, "/srv/incidents", "1.0", "")
        self.manager, self.stop, self.time = Watchers(), asyncio.Event(), HeardClock(clock)
        self.standing_by = StandingBy(self.rows, self.this, self.manager, self.boottime, self.time, parts=parts)
        self.lease: Any = None
        self.leads: list[tuple[float, float]] = []
        self.healthy = True
        self.frozen = asyncio.Event()
        self.frozen.set()
        self.task = asyncio.create_task(self._live())

    def boottime(self) -> float:
        return asyncio.get_running_loop().time()

    async def _live(self) -> None:
        while lease := await self.standing_by.until_leading(self.stop):
            began, self.lease = self.boottime(), lease
            keeping, passes = asyncio.create_task(lease.run()), asyncio.create_task(self._passes(lease))
            stopping, lost = asyncio.create_task(self.stop.wait()), asyncio.create_task(lease.lost.wait())
            await asyncio.wait({keeping, stopping, lost}, return_when=asyncio.FIRST_COMPLETED)
            for task in (keeping, passes, stopping, lost):
                task.cancel()
            await lease.give_back()
            self.lease = None
            self.leads.append((began, self.boottime()))

    async def _passes(self, lease: Lease) -> None:
        while True:
            if self.healthy:
                lease.note_healthy()
            await asyncio.sleep(5)

    @property
    def holds(self) -> bool:
        return self.lease is not None and self.lease.holds()

    async def end(self) -> None:
        self.stop.set()
        await self.task


def shared_life(life: Callable[[SharedLeadership, VirtualClock], Awaitable[Any]]) -> Any:
    """What comes of a life on one shared lease."""

    async def live(clock: VirtualClock) -> Any:
        return await life(SharedLeadership(clock), clock)

    return run_virtually(live)


async def held(machines: list[Machine], seconds: float) -> list[list[str]]:
    """Who may send, ten times a second."""
    seen = []
    for _ in range(round(seconds * 10)):
        await asyncio.sleep(0.1)
        seen.append([machine.name for machine in machines if machine.holds])
    return seen


def test_what_may_leave_from_memory() -> None:
    """R54: under the lease at once; without it after 10 s of tries in vain, later steps after 2 min; the database's
    answer ends it, and so does a loop that stood still; never once another term was found.
    """

    async def life(shared: SharedLeadership, clock: VirtualClock) -> None:
        a = Machine(shared, clock, "a")
        await asyncio.sleep(20)
        lease = a.lease
        assert lease is not None
        assert lease.lets_from_memory()
        shared.away, went = True, clock.now()
        opened: dict[bool, float] = {}
        gap, told = list[float](), list[float]()
        while (clock.now() - went).total_seconds() < 125:
            await asyncio.sleep(0.5)
            since = (clock.now() - went).total_seconds()
            if not lease.holds() and not lease.lets_from_memory():
                gap.append(since)
            if lease.is_away():
                told.append(since)
            for step in (False, True):
                if not lease.holds() and lease.lets_from_memory(step=step):
                    opened.setdefault(step, since)
        assert 10 <= opened[False] <= 13.5
        assert gap[-1] < opened[False]
        assert 30 <= told[0] <= 34, "operators hear of it"
        assert 117 <= opened[True] <= 121
        lease._tries._turned_at -= 3
        assert not lease.lets_from_memory(), "it stood still"
        await asyncio.sleep(5)
        assert not lease.lets_from_memory(), "and counts anew"
        await asyncio.sleep(8)
        assert lease.lets_from_memory()
        shared.away = False
        await asyncio.sleep(1.5)
        assert lease.holds()
        shared.away = True
        await asyncio.sleep(14)
        assert lease.lets_from_memory()
        shared.away, shared.view = False, replace(shared.view, term=Term(99, "another"))
        await asyncio.sleep(1.5)
        assert lease.lost.is_set()
        assert not lease.lets_from_memory()
        a.task.cancel()

    shared_life(life)


def test_a_daemon_whose_passes_take_long_goes_on_trying() -> None:
    """R54: a database that is away keeps passes long; the tries in vain go on, and find another term."""

    async def life(shared: SharedLeadership, clock: VirtualClock) -> None:
        a = Machine(shared, clock, "a")
        await asyncio.sleep(20)
        lease = a.lease
        assert lease is not None
        shared.away = True
        await asyncio.sleep(5)
        a.healthy = False
        await asyncio.sleep(70)
        assert lease.lets_from_memory()
        shared.away, shared.view = False, replace(shared.view, term=Term(99, "another"))
        await asyncio.sleep(2)
        assert lease.lost.is_set()
        a.task.cancel()

    shared_life(life)


def test_alone() -> None:
    """With SQLite a daemon leads at once and for ever; nothing may stop what it sends."""

    async def life(_clock: VirtualClock) -> tuple[bool, bool, bool]:
        alone, stop = Alone(), asyncio.Event()
        lead = await alone.until_leading(stop)
        stop.set()
        await alone.give_back()
        return lead is alone, alone.holds() and not alone.lost.is_set(), await alone.until_leading(stop) is None

    assert run_virtually(life) == (True, True, True)


def test_the_first_leads_at_once_and_for_ever() -> None:
    """A lease that nobody had is taken at the first look; the others stand by, say so, and feed their watchdogs."""

    async def life(shared: SharedLeadership, clock: VirtualClock) -> None:
        machines = [Machine(shared, clock, name) for name in ("a", "b", "c")]
        seen = await held(machines, 120)
        assert all(names == ["a"] for names in seen)
        assert {row.name: row.state for row in shared.rows.values()} == {
            "a": NodeState.LEADING,
            "b": NodeState.STANDING_BY,
            "c": NodeState.STANDING_BY,
        }
        assert [machine.manager.fed > 100 for machine in machines] == [False, True, True]
        last_words = [row.last_word for row in shared.rows.values() if row.last_word]
        assert clock.now() - min(last_words) <= timedelta(seconds=5)
        assert machines[0].time.followed[-1] > clock.now() - timedelta(seconds=4)
        assert machines[1].time.set_by[-1] > clock.now() - timedelta(seconds=5)
        for machine in machines:
            await machine.end()

    shared_life(life)


def test_a_clean_stop_is_a_takeover_in_a_second() -> None:
    """The lease is given back, and the next look takes it; a process that ended cleanly says so (P9)."""

    async def life(shared: SharedLeadership, clock: VirtualClock) -> None:
        a, b = Machine(shared, clock, "a"), Machine(shared, clock, "b")
        await asyncio.sleep(20.5)
        await a.end()
        stopped_at = clock.now()
        await asyncio.sleep(1.1)
        assert b.holds
        assert shared.took[-1][0] - stopped_at <= timedelta(seconds=1)
        assert b.lease is not None
        assert not b.lease.former
        await b.end()

    shared_life(life)


def test_a_killed_leader_is_followed_after_the_lease() -> None:
    """What it had left of the lease is waited for: over ten seconds of one and the same count, under twelve."""

    async def life(shared: SharedLeadership, clock: VirtualClock) -> tuple[float, str]:
        a, b = Machine(shared, clock, "a"), Machine(shared, clock, "b")
        await asyncio.sleep(21.7)
        former = shared.view.node
        a.task.cancel()
        a.rows.cut = True
        place = a.this.name, a.this.folder
        shared.rows[place] = replace(shared.rows[place], id="its next process")
        killed_at = clock.now()
        await asyncio.sleep(15)
        assert b.lease is not None
        assert b.lease.former is not None
        assert (b.lease.former.id, b.lease.former.name) == (former, "a"), (
            "it is known though its row is another's by now"
        )
        await b.end()
        return (shared.took[-1][0] - killed_at).total_seconds(), shared.took[-1][1]

    took, name = shared_life(life)
    assert name == "b"
    assert LEASE - 3 <= took <= LEASE + 2


@pytest.mark.parametrize("cut_for", [3.0, 8.5, 11.0, 14.0, 60.0])
def test_a_leader_that_is_cut_off_never_sends_beside_another(cut_for: float) -> None:
    """Its lease runs out before another takes it; when it is back it goes on, or stands by without a restart."""

    async def life(shared: SharedLeadership, clock: VirtualClock) -> None:
        machines = [Machine(shared, clock, name) for name in ("a", "b", "c")]
        await asyncio.sleep(10)
        machines[0].rows.cut = True
        seen = await held(machines, cut_for)
        machines[0].rows.cut = False
        seen += await held(machines, 30)
        assert max(len(names) for names in seen) == 1
        assert sum(1 for names in seen if not names) <= (LEASE + 5) * 10
        assert len(shared.took) == (1 if cut_for < LEASE else 2)
        assert seen[-1] == [shared.took[-1][1]]
        for machine in machines:
            await machine.end()

    shared_life(life)


def test_a_leader_that_is_not_healthy_loses_the_lead() -> None:
    """P9: it renews only while the last healthy pass is under 10 s old; another leads then, and it stands by."""

    async def life(shared: SharedLeadership, clock: VirtualClock) -> None:
        a, b = Machine(shared, clock, "a"), Machine(shared, clock, "b")
        await asyncio.sleep(10)
        a.healthy = False
        seen = await held([a, b], 40)
        assert max(len(names) for names in seen) == 1
        assert (b.holds, a.holds) == (True, False)
        a.healthy = True
        await asyncio.sleep(30)
        assert (b.holds, a.holds, len(shared.took)) == (True, False, 2)
        await a.end()
        await b.end()

    shared_life(life)


def test_a_start_has_its_time() -> None:
    """Before the first healthy pass the lease is renewed for as long as a start may take, and no longer."""

    async def life(shared: SharedLeadership, clock: VirtualClock) -> None:
        rows = MemoryLeadership(shared)
        lease = await StandingBy(
            rows,
            ThisNode(clock, "a", "/i", "1", ""),
            Watchers(),
            lambda: asyncio.get_running_loop().time(),
            HeardClock(clock),
        ).look()
        assert lease is not None
        keeping = asyncio.create_task(lease.run())
        await asyncio.sleep(STARTS_WITHIN - 1)
        assert lease.holds()
        await asyncio.sleep(LEASE)
        assert not lease.holds()
        lease.note_healthy()
        await asyncio.sleep(4)
        assert lease.holds()
        keeping.cancel()

    shared_life(life)


def test_the_lease_is_counted_from_before_the_renewal_began() -> None:
    """Rule 53: a renewal of which the answer takes long gives that much less."""

    async def life(shared: SharedLeadership, clock: VirtualClock) -> None:
        a = Machine(shared, clock, "a")
        await asyncio.sleep(10)
        assert a.lease is not None
        a.rows.takes = 6.0
        began = asyncio.get_running_loop().time()
        await a.lease.renew()
        assert asyncio.get_running_loop().time() - began == 6.0
        a.rows.cut = True
        await asyncio.sleep(LEASE - MARGIN - 6.0 - 0.1)
        assert a.holds
        await asyncio.sleep(0.2)
        assert not a.holds
        a.task.cancel()

    shared_life(life)


@pytest.mark.parametrize("end", ["lose", "hand_over", "give_back"])
def test_a_lease_that_is_over_does_not_come_to_life_again(end: str) -> None:
    """Rule 53: also when a renewal was under way as it ended, and is answered afterwards."""

    async def life(shared: SharedLeadership, clock: VirtualClock) -> None:
        a = Machine(shared, clock, "a")
        await asyncio.sleep(10)
        lease = a.lease
        assert lease is not None
        a.rows.takes = 1.0
        renewing = asyncio.create_task(lease.renew())
        await asyncio.sleep(0.5)
        if end == "lose":
            lease.lose("the ledger has gone back in time")
        elif end == "hand_over":
            lease.hand_over("its pages reach nobody")
            lease.hold_back()
        else:
            await lease.give_back()
        for _ in range(20):
            assert not lease.holds()
            assert not lease.lets_from_memory()
            await asyncio.sleep(0.1)
        await renewing
        a.task.cancel()

    shared_life(life)


def test_a_leader_that_is_killed_and_starts_again_took_nothing_over() -> None:
    """P9: it waits for its own name and lease, and then goes on where it was: operators hear of no takeover."""

    async def life(shared: SharedLeadership, clock: VirtualClock) -> None:
        killed = Machine(shared, clock, "a")
        await asyncio.sleep(21.7)
        killed.task.cancel()
        killed.rows.cut = True
        again = Machine(shared, clock, "a")
        await asyncio.sleep(15)
        assert shared.view.node == again.this.id != killed.this.id
        assert again.lease is not None
        assert not again.lease.former
        await again.end()

    shared_life(life)


def test_a_lost_answer_to_the_take() -> None:
    """Whoever took the lead and did not hear so finds its own name in the lease, and goes on at once."""

    async def life(shared: SharedLeadership, clock: VirtualClock) -> None:
        a = Machine(shared, clock, "a")
        taken = a.rows.take

        async def take(*given: Any) -> Any:
            a.rows.lost_answers, a.rows.take = 1, taken  # type: ignore[method-assign]
            return await taken(*given)

        a.rows.take = take  # type: ignore[method-assign]
        await asyncio.sleep(1.5)
        assert a.holds
        assert [name for _, name in shared.took] == ["a", "a"]
        assert a.lease is not None
        assert not a.lease.former
        await a.end()

    shared_life(life)


def test_whoever_gave_the_lead_back_lets_others_take_it() -> None:
    """P9: it does not take it again at its next look; only when nobody else has for as long as a lease lasts."""

    async def life(shared: SharedLeadership, clock: VirtualClock) -> None:
        a = Machine(shared, clock, "a")
        await asyncio.sleep(10)
        assert a.lease is not None
        a.lease.hand_over("its pages reach nobody")
        assert not (await held([a], LEASE - 0.5))[-1]
        await asyncio.sleep(2)
        assert a.holds
        b = Machine(shared, clock, "b")
        await asyncio.sleep(2)
        a.lease.hand_over("its pages reach nobody")
        await asyncio.sleep(1.5)
        assert b.holds
        await a.end()
        await b.end()

    shared_life(life)


def test_a_life_that_the_database_ended_begins_anew_at_once() -> None:
    """P9: a machine that gave the lead back since its ledger was not there for a moment waits for nobody; one that stands
    by has the first look.
    """

    async def life(shared: SharedLeadership, clock: VirtualClock) -> None:
        a = Machine(shared, clock, "a")
        await asyncio.sleep(10)
        assert a.lease is not None
        a.lease.lost.set()
        await asyncio.sleep(0.5)
        assert not a.holds
        await asyncio.sleep(2)
        assert a.holds
        b = Machine(shared, clock, "b")
        await asyncio.sleep(2.3)
        a.lease.lost.set()
        await asyncio.sleep(1.5)
        assert b.holds
        await a.end()
        await b.end()

    shared_life(life)


def test_no_database_at_the_start() -> None:
    """R54: it stands by without it, and leads when it is there."""

    async def life(shared: SharedLeadership, clock: VirtualClock) -> None:
        shared.away = True
        a = Machine(shared, clock, "a")
        await asyncio.sleep(100)
        assert not a.task.done()
        assert a.manager.fed == 30
        assert isinstance(a.lease, Away), "and pages from memory after 30 s"
        shared.away = False
        await asyncio.sleep(2.5)
        assert a.holds
        await a.end()

    shared_life(life)


def test_a_program_too_old_to_lead_says_so_once() -> None:
    """P9, R54: it stands by, its log has the cause once for as long as that lasts, and once that it is over. After 30 s
    in which nobody led it pages from memory, until it may lead.
    """

    async def life(shared: SharedLeadership, clock: VirtualClock) -> None:
        shared.view = replace(shared.view, leads_from="0099")
        with capture_logs() as log:
            a = Machine(shared, clock, "a")
            await asyncio.sleep(25)
            assert a.lease is None
            assert [line["event"] for line in log] == ["standing by", "standby trouble"]
            await asyncio.sleep(75)
            assert isinstance(a.lease, Away)
            assert a.lease.lets_from_memory()
            assert "update tocsin on a" in a.lease.too_old
            assert [line["event"] for line in log][2:] == ["without the ledger"]
            shared.view = replace(shared.view, leads_from="")
            await asyncio.sleep(2.5)
        assert a.holds
        assert "leading" in [line["event"] for line in log]
        await a.end()

    shared_life(life)


def test_a_program_too_old_to_lead_is_silent_while_another_leads() -> None:
    """R54: also if it paged from memory before."""

    async def life(shared: SharedLeadership, clock: VirtualClock) -> None:
        newer = Machine(shared, clock, "newer")
        await asyncio.sleep(10)
        shared.view = replace(shared.view, leads_from="0099")
        old = Machine(shared, clock, "old")
        await asyncio.sleep(100)
        assert old.lease is None
        newer.task.cancel()
        newer.rows.cut = True
        await asyncio.sleep(25)
        assert old.lease is None
        await asyncio.sleep(15)
        assert isinstance(old.lease, Away)
        back = Machine(shared, clock, "newer")
        back.rows._schema = back.this.schema = "0099"
        await asyncio.sleep(15)
        assert (back.holds, old.lease) == (True, None)
        await back.end()
        await old.end()

    shared_life(life)


def test_the_own_clock_of_a_machine_that_stands_by() -> None:
    """R60: its log says once how far it is from the database's, and that it is right again."""

    async def life(shared: SharedLeadership, clock: VirtualClock) -> None:
        a, b = Machine(shared, clock, "a"), Machine(shared, clock, "b")
        await asyncio.sleep(10)
        assert a.holds
        with capture_logs() as log:
            for ahead in (2, -90, 0):
                b.time.ahead = timedelta(seconds=ahead)
                await asyncio.sleep(20)
        assert [(line["event"], line.get("stands")) for line in log] == [
            ("machine clock", "1m30s behind"),
            ("machine clock right", None),
        ]
        await a.end()
        await b.end()

    shared_life(life)


def test_a_name_that_another_process_has() -> None:
    """R43: a second process with that name and folder ends; one whose predecessor was killed only waits for it."""

    async def life(shared: SharedLeadership, clock: VirtualClock) -> None:
        a = Machine(shared, clock, "a")
        await asyncio.sleep(10)
        second = Machine(shared, clock, "a")
        with pytest.raises(NodeTakenError):
            await asyncio.wait_for(second.task, TAKEN_FOR + 2)
        a.task.cancel()
        a.rows.cut = True
        third = Machine(shared, clock, "a")
        await asyncio.sleep(LEASE + 3)
        assert third.holds
        await third.end()

    shared_life(life)


def test_what_a_standby_does_ends_before_it_leads() -> None:
    """Its parts run while it stands by, are made anew each time, and one that breaks ends the process."""

    class Part:
        running = 0
        made = 0

        def __init__(self) -> None:
            Part.made += 1

        async def run(self) -> None:
            Part.running += 1
            try:
                await asyncio.sleep(1000)
                raise ZeroDivisionError
            finally:
                Part.running -= 1

    async def life(shared: SharedLeadership, clock: VirtualClock) -> None:
        a = Machine(shared, clock, "a")
        await asyncio.sleep(1)
        b = Machine(shared, clock, "b", parts=lambda: [Part()])
        await asyncio.sleep(5)
        assert Part.running == 1
        await a.end()
        await asyncio.sleep(1.5)
        assert (b.holds, Part.running) == (True, 0)
        assert b.lease is not None
        Machine(shared, clock, "c")  # else it would lead again after a while
        await asyncio.sleep(0.5)
        b.lease.lose("a test")
        await asyncio.sleep(1)
        assert (Part.running, Part.made) == (1, 2)
        with pytest.raises(ExceptionGroup):
            await asyncio.wait_for(b.task, 1100)

    shared_life(life)


def test_a_stop_is_told_to_the_others() -> None:
    """A standby that is told to stop says that it ends cleanly, so that nobody misses it; without a database as well."""

    async def life(shared: SharedLeadership, clock: VirtualClock) -> None:
        a, b = Machine(shared, clock, "a"), Machine(shared, clock, "b")
        await asyncio.sleep(5)
        await b.end()
        assert [row.stopped for row in shared.rows.values()] == [False, True]
        shared.away = True
        before = clock.now()
        await a.end()
        assert clock.now() - before < timedelta(seconds=4)

    shared_life(life)
