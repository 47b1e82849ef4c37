"""Several whole machines on one fake ledger, in virtual time: each stands by, takes the lease and lives as a daemon, and
each can be killed, stopped for a while, cut off from the database or told to stop, at any step of a delivery.
"""

import asyncio
import contextlib
import random
from collections.abc import Callable
from contextvars import ContextVar, copy_context
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import partial
from typing import Any

from tocsin.adapters.server_clock import ServerClock
from tocsin.app.hand_ins.from_memory.away_notices import AwayNotices
from tocsin.app.hand_ins.from_memory.known_names import KnownNames
from tocsin.app.hand_ins.from_memory.left_here import LeftFromMemory
from tocsin.app.hand_ins.journal import LastView
from tocsin.app.leadership.away import Away
from tocsin.app.leadership.lease import Lease
from tocsin.app.leadership.other_machines import OtherMachines
from tocsin.app.leadership.standing_by import StandingBy
from tocsin.app.leadership.term_watch import TermWatch
from tocsin.app.leadership.this_node import ThisNode
from tocsin.app.leadership.warm import WarmKept
from tocsin.app.lifecycle.run import Orders
from tocsin.app.wiring.build import kept
from tocsin.app.wiring.without_ledger import LEFT_OUT, LedgerInMemory
from tocsin.domain.delivery import NOT_LEADING, Accepted, Attempt, Letter, Message, Outcome
from tocsin.domain.people import Channel
from tocsin.planning.history.redating import letter_not_later
from tocsin.ports.fence import FenceOfTry, Lead
from tocsin.ports.inbox import InboxListing
from tocsin.ports.leadership import FencedError, Term
from tocsin.ports.ledger.trouble import LedgerError
from tocsin.ports.transport import CutShortError

from tests.builders.policies import paging_policy
from tests.fakes.folder import FakeFolder
from tests.fakes.inbox import FakeInboxFolder
from tests.fakes.leadership import MemoryLeadership, SharedLeadership
from tests.fakes.loop import VirtualClock, VirtualLoop
from tests.simulation.world import Arrival, Disk, DiskLedger, Provider, World, assemble

START = datetime(2026, 11, 23, 10, tzinfo=UTC)
POINTS = (
    "before the attempt",
    "after the attempt",
    "before the first byte",
    "before the dot",
    "after the dot",
    "before the end",
    "after the end",
    "before the receipt",
    "after the receipt",
    "before the facts",
    "after the facts",
)
"""The steps of a delivery, and of what is decided, as a fault may meet them."""
KINDS = ("killed", "paused", "frozen", "cut off", "stopped")
"""What happens to a machine. A paused one's clock goes on; a frozen one's stands still, as that of a virtual machine."""

PROCESS: ContextVar["Process | None"] = ContextVar("process", default=None)


class Process:
    """One process of a machine. `stands_still`: nothing of it moves; `dead`: and never will."""

    def __init__(self) -> None:
        self.stands_still = self.dead = False
        self.held: list[tuple[Turn, Any]] = []
        self.task: Any = None

    def wake(self) -> None:
        """It goes on where it stood."""
        self.stands_still = False
        loop = asyncio.get_running_loop()
        held, self.held = self.held, []
        for turn, context in held:
            asyncio.SelectorEventLoop.call_soon(loop, turn, context=context)  # type: ignore[arg-type]


class Turn:
    """One callback of a process: while that is stopped it waits, as everything of a stopped process does."""

    def __init__(self, process: Process, callback: Callable[..., Any], arguments: tuple[Any, ...]) -> None:
        self.process, self.callback, self.arguments = process, callback, arguments
        self.handle: asyncio.Handle | None = None

    def __call__(self) -> None:
        if self.handle is not None and self.handle.cancelled():
            return
        if self.process.stands_still:
            self.process.held.append((self, copy_context()))
        else:
            self.callback(*self.arguments)


class MachinesLoop(VirtualLoop):
    """Virtual time on which some of the tasks can stand still while it goes on."""

    def call_soon(self, callback: Any, *args: Any, context: Any = None) -> asyncio.Handle:
        context = context or copy_context()
        process = context.get(PROCESS)
        if process is None:
            return super().call_soon(callback, *args, context=context)
        turn = Turn(process, callback, args)
        turn.handle = super().call_soon(turn, context=context)
        return turn.handle

    def call_at(self, when: float, callback: Any, *args: Any, context: Any = None) -> asyncio.TimerHandle:
        context = context or copy_context()
        process = context.get(PROCESS)
        if process is None:
            return super().call_at(when, callback, *args, context=context)
        turn = Turn(process, callback, args)
        turn.handle = handle = super().call_at(when, turn, context=context)
        return handle


@dataclass(eq=False)
class Fault:
    """What is to happen to who leads: at the `nth` time that it comes to a point."""

    kind: str
    point: str
    nth: int = 1
    seconds: float = 30.0
    at: datetime | None = None
    machine: str = ""
    under_way: frozenset[str] = frozenset()


class TermLedger(DiskLedger):
    """One machine's way to the shared ledger. Decisions are written under a term, evidence whoever leads (rule 52)."""

    def __init__(self, machine: "Machine") -> None:
        super().__init__(machine.world.disk, machine.world.clock, machine.world.dice)
        self._machine = machine
        self._at_random = machine.world.dice
        self.term: Term | None = None
        self.lost = asyncio.Event()

    async def _read(self) -> None:
        await asyncio.sleep(self._at_random.uniform(0.0002, 0.003))
        await self._reach()

    async def _commit(self, *, evidence: bool = False) -> None:
        await self._read()
        shared = self._machine.cluster
        if evidence:
            return
        if not self.may_decide():
            if self.term is not None:
                self.lost.set()
            raise FencedError("another term is in the ledger")
        if self.term is not None:
            shared.epochs.append(self.term.epoch)

    def may_decide(self) -> bool:
        """Whether its own term is in the ledger."""
        return self.term is not None and self._machine.cluster.shared.view.term == self.term

    async def _reach(self) -> None:
        if self._machine.rows.cut:
            await asyncio.sleep(self._at_random.uniform(0, 3))
            if self._machine.rows.cut:
                raise LedgerError("the database does not answer")

    async def lead(self, term: Term) -> None:
        """Decide from now on."""
        self.term = term
        self.lost.clear()
        await self._commit()
        self._disk.term = term.epoch

    async def record(self, *given: Any, **more: Any) -> frozenset[str]:
        await asyncio.sleep(self._at_random.uniform(0, 0.02))  # in the queue of the writer
        await self._machine.reach("before the facts")
        recorded = await super().record(*given, **more)
        await self._machine.reach("after the facts")
        return recorded

    async def begin_attempt(self, *given: Any, **more: Any) -> Attempt:
        await self._machine.reach("before the attempt")
        begun = await super().begin_attempt(*given, **more)
        await self._machine.reach("after the attempt")
        return begun

    async def begin_bundle(self, *given: Any, **more: Any) -> tuple[Attempt, ...]:
        await self._machine.reach("before the attempt")
        begun = await super().begin_bundle(*given, **more)
        await self._machine.reach("after the attempt")
        return begun

    async def end_attempt(self, attempt: Attempt, outcome: Outcome, at: datetime) -> None:
        await self._machine.reach("before the end")
        await super().end_attempt(attempt, outcome, at)
        await self._machine.reach("after the end")

    async def record_receipt(self, *given: Any) -> None:
        await self._machine.reach("before the receipt")
        await super().record_receipt(*given)
        await self._machine.reach("after the receipt")


class LastLook:
    """What a machine saw last of the ledger; a journal, and what it looks at."""

    def __init__(self, ledger: TermLedger) -> None:
        self._ledger = ledger
        self._known: set[str] = set()

    async def view(self) -> None:
        self._known |= set(await self._ledger.incidents())

    def knows(self, incident: str) -> bool:
        return incident in self._known


class MemoryLedger(DiskLedger):
    """A ledger in memory alone."""

    async def last_good_config(self) -> None:
        """None is kept."""

    async def letters(self) -> tuple[Letter, ...]:
        """Those that are not settled."""
        return super().unsettled()

    async def unsettled(self) -> tuple[Letter, ...]:  # type: ignore[override]
        return super().unsettled()


class NewlyDeclared:
    """The folder as a machine without the ledger sees it."""

    threads = None

    def __init__(self, folder: FakeFolder, names: KnownNames, view: LastLook) -> None:
        self._folder, self._names, self._view = folder, names, view
        self.pokes = folder.pokes

    def renew(self) -> None:
        """It shows to nobody that it is watched."""

    def look_at(self, _names: Any) -> None:
        """It looks through the whole folder each time."""

    def scan(self) -> Any:
        files: Any = self._folder.scan()
        incidents = self._names.incidents(files)
        return [listed for listed in files if not self._view.knows(incidents[listed.name])]


class StayingEntries:
    """An inbox of which nothing is removed, and nothing read twice."""

    threads = None

    def __init__(self, inbox: FakeInboxFolder) -> None:
        self._inbox, self.looks_every, self._taken = inbox, inbox.looks_every, set[str]()
        self.read = inbox.read

    def changed(self, *, anew: bool = False, waits: bool = False) -> InboxListing:
        return InboxListing([name for name in self._inbox.files if name not in self._taken])

    def remove(self, name: str) -> str:
        self._taken.add(name)
        return ""


class Post(Provider):
    """One machine's way to a provider that all have, with the fence where the real ones have it (rule 53)."""

    def __init__(self, machine: "Machine", via: Channel, known: Provider | None) -> None:
        world = machine.world
        super().__init__(via, world.clock, world.dice, world.faults, via is Channel.SMS)
        self._machine = machine
        self._channel = via
        if known is not None:
            self.arrived = known.arrived

    async def send(self, message: Message) -> Outcome:
        machine, dice = self._machine, self._machine.world.dice
        if isinstance(lead := machine.world.lead, Away):
            return await super().send(message) if FenceOfTry(lead, message.attempt).holds() else NOT_LEADING
        try:
            if not await self._announce(machine.world.lead):
                return NOT_LEADING
        except asyncio.CancelledError:
            raise CutShortError(NOT_LEADING) from None
        name = f"id{len(self.arrived)}"
        self.arrived.append(Arrival(machine.world.clock.now(), message))
        await machine.reach("after the dot")
        await asyncio.sleep(dice.uniform(0.001, 0.2))
        return Accepted(name)

    async def _announce(self, lead: Lead) -> bool:
        """All before what cannot be taken back; whether the fence lets that leave."""
        machine, dice = self._machine, self._machine.world.dice
        await asyncio.sleep(dice.uniform(0.001, 0.2) + self.takes)
        await machine.reach("before the first byte")
        if not machine.may_send(lead):
            return False
        if self._channel is Channel.EMAIL:
            await asyncio.sleep(dice.uniform(0.001, 0.2))
            await machine.reach("before the dot")
            return machine.may_send(lead)
        return True


class Machine:
    """One of them, and the process that runs there."""

    def __init__(self, cluster: "Cluster", name: str) -> None:
        self.cluster, self.name = cluster, name
        self.world = world = World(cluster.clock, cluster.policy)
        world.dice, world.disk, world.machine_name = cluster.dice, cluster.disk, name
        others = cluster.machines[0].world.providers if cluster.machines else None
        world.providers = {via: Post(self, via, others[via] if others else None) for via in Channel}
        world.ask_for_receipts()
        self._skew = cluster.dice.uniform(-300, 300)
        self._missed = 0.0
        self._stopped_at = 0.0
        self._begin()

    def _begin(self) -> None:
        cluster, world = self.cluster, self.world
        self.rows = MemoryLeadership(cluster.shared)
        self.rows.takes = cluster.dice.uniform(0.0005, 0.02)
        self.orders, self.gave_back = Orders(), list[float]()
        world.machine = ServerClock(self.boottime, lambda: START.timestamp() + self.boottime() + self._skew)
        self.ledger = TermLedger(self)
        self.left = LeftFromMemory(self.name, world.machine, self.ledger)
        self.this = ThisNode(world.machine, self.name, "incidents", "1.0", "", providers_ok=True)
        self.view, self.in_memory, self.ways = LastLook(TermLedger(self)), Disk(), list[str]()
        parts = lambda: (self.left, LastView(self.view), *world.standby_parts(TermLedger(self)))  # type: ignore[arg-type]  # noqa: E731 - made anew each time
        self.standing_by = StandingBy(self.rows, self.this, world.manager, self.boottime, world.machine, parts=parts)
        self.lease: Lease | None = None
        self.process, context = Process(), copy_context()
        context.run(PROCESS.set, self.process)
        self.process.task = asyncio.get_running_loop().create_task(self._live(), context=context)

    def boottime(self) -> float:
        """Seconds of its own clock, which ran on but for when the whole machine was frozen."""
        return asyncio.get_running_loop().time() - self._missed

    async def _live(self) -> None:
        """As `app/wiring/build.run` has it."""
        while (lease := await self.standing_by.until_leading(self.orders.stop)) is not None:
            if isinstance(lease, Away):
                await self._live_without(lease)
                continue
            self.lease = self.world.lead = lease
            try:
                async with kept(lease):
                    await self._lead(lease)
            except LedgerError:
                continue
            finally:
                self.lease, self.ledger.term = None, None

    async def _live_without(self, lead: Away) -> None:
        """As `app/wiring` has it where the database is away: a life on a ledger in memory."""
        world, machine = self.world, World(self.cluster.clock, self.cluster.policy)
        machine.machine, machine.dice, machine.lead, machine.settings = world.machine, world.dice, lead, world.settings
        names = KnownNames(world.memory, world.machine)
        machine.folder, machine.inbox = NewlyDeclared(world.folder, names, self.view), StayingEntries(world.inbox)  # type: ignore[assignment]
        machine.providers, machine.notices, machine.without = world.providers, AwayNotices, LEFT_OUT
        machine.unseen = True
        ledger: Any = MemoryLedger(self.in_memory, world.clock, world.dice)
        place: Any = None, self.view
        without: Any = LedgerInMemory(
            self.name, world.machine, ledger, *place, WarmKept(ledger), self.left, world.memory
        )
        world.lead = lead
        async with kept(lead), without.leading():
            await without.recall()
            daemon = await assemble(machine, ledger)
            daemon = replace(
                daemon, parts=(*daemon.parts, *without.parts(daemon.operator_notices._notices, lead, None, None))
            )
            await daemon.serve(daemon.incidents.resumable(await ledger.letters()), self.orders, lead)
            if lead.lost.is_set():
                await without.leave(daemon.sender.open.values())

    async def _lead(self, lease: Lease) -> None:
        world, ledger = self.world, self.ledger
        await self.left.write()
        await ledger.lead(lease.term)
        while True:
            daemon = world.daemon = await assemble(world, ledger)
            context = daemon.sender._context
            machines = (world.machine, self.rows, ledger, lease, self.this, context.config, context.notices)
            others = OtherMachines(*machines, daemon.sender.undelivered, self.boottime, self.gave_back)
            daemon = replace(daemon, parts=(*daemon.parts, TermWatch(ledger, lease), others))
            unsettled = [letter_not_later(letter, world.machine.now()) for letter in ledger.unsettled()]
            await daemon.serve(daemon.incidents.resumable(unsettled), self.orders, lease)
            self.left.keep(daemon.sender.open.values())
            with contextlib.suppress(LedgerError):
                await self.left.write()
            if self.orders.stop.is_set() or lease.lost.is_set():
                return
            await daemon.take_over(lease)

    @property
    def holds(self) -> bool:
        """Whether something may leave from here."""
        return self.lease is not None and self.lease.holds() and not self.process.dead

    def may_send(self, lead: Lead) -> bool:
        """What the fence says; and never may two send at once."""
        if PROCESS.get() is not self.process or self.process.dead or not lead.holds():
            return False
        both = [each.name for each in self.cluster.machines if each is not self and each.holds]
        if both and not self.cluster.has_met("frozen"):
            self.cluster.violations.append(f"{self.name} sends while {both} may")
        return True

    async def reach(self, point: str) -> None:
        """It has come there. What is to happen to it there happens."""
        fault = self.cluster.fault
        if fault is not None and fault.point == point and self.lease is not None and not self.lease.lost.is_set():
            fault.nth -= 1
            if fault.nth <= 0:
                self.suffer(fault)
                await asyncio.sleep(0)

    def suffer(self, fault: Fault) -> None:
        """It happens."""
        cluster, loop = self.cluster, asyncio.get_running_loop()
        cluster.fault = None
        cluster.met.append(fault)
        fault.at, fault.machine = cluster.clock.now(), self.name
        tries = cluster.disk.attempts
        fault.under_way = frozenset(key for key, each in tries.items() if any(one.outcome is None for one in each))
        later = partial(cluster.outside.run, loop.call_later, fault.seconds)
        match fault.kind:
            case "killed":
                self.process.stands_still = self.process.dead = self.rows.cut = self.ledger.killed = True
                cluster.corpses.append(self.process)
                later(self.restart)
            case "paused" | "frozen":
                self.process.stands_still, self._stopped_at = True, loop.time()
                later(partial(self.wake, frozen=fault.kind == "frozen"))
            case "cut off":
                self.rows.cut = True
                later(self.reconnect)
            case "stopped":
                self.orders.stop.set()
                later(self.restart)

    def wake(self, *, frozen: bool = False) -> None:
        """It goes on where it stood."""
        self._missed += asyncio.get_running_loop().time() - self._stopped_at if frozen else 0.0
        self.process.wake()

    def reconnect(self) -> None:
        """The database can be reached again."""
        self.rows.cut = False

    def restart(self) -> None:
        """Another process, on what the disk holds."""
        self._begin()


@dataclass
class Cluster:
    """All of them, and what has become of the world. `outside` is the context of whoever watches."""

    clock: VirtualClock
    seed: int
    count: int
    policy: Any = field(default_factory=paging_policy)
    fault: Fault | None = None
    met: list[Fault] = field(default_factory=list)
    violations: list[str] = field(default_factory=list)
    epochs: list[int] = field(default_factory=list)
    machines: list[Machine] = field(default_factory=list)
    corpses: list[Process] = field(default_factory=list)
    leaders: list[str] = field(default_factory=list)
    """Who took the lead, in order, until all stopped."""

    def __post_init__(self) -> None:
        self.dice = random.Random(self.seed)
        self.shared = SharedLeadership(self.clock)
        self.outside = copy_context()

    async def begin(self) -> None:
        """The first leads, the others stand by."""
        self.disk = World(self.clock, self.policy).disk
        for name in "abc"[: self.count]:
            self.machines.append(Machine(self, name))
            await asyncio.sleep(1.5)

    def has_met(self, kind: str) -> bool:
        """Whether such a fault has happened."""
        return any(fault.kind == kind for fault in self.met)

    @property
    def leader(self) -> Machine | None:
        """Who may send."""
        return next((machine for machine in self.machines if machine.holds), None)

    @property
    def arrived(self) -> list[Arrival]:
        """Everything that reached anybody, in order."""
        return self.machines[0].world.arrived

    async def write(self, name: str, content: str) -> None:
        """A commit reaches each machine's folder, in any order, within a second."""
        machines = self.dice.sample(self.machines, self.count)
        for machine in machines:
            machine.world.folder.write(name, content)
            await asyncio.sleep(self.dice.uniform(0, 0.5))

    async def wait(self, seconds: float) -> None:
        """Let time pass, and see that never two may send at once, and that no process has died."""
        loop = asyncio.get_running_loop()
        until = loop.time() + seconds
        while loop.time() < until:
            await asyncio.sleep(min(0.25, until - loop.time()))
            holders = [machine.name for machine in self.machines if machine.holds]
            if len(holders) > 1 and not self.has_met("frozen"):
                self.violations.append(f"{holders} hold the fence at {loop.time()}")
            for machine in self.machines:
                if machine.process.task.done() and not machine.orders.stop.is_set():
                    machine.process.task.result()
                    raise AssertionError(f"{machine.name} has ended")

    def strike(self) -> None:
        """What was to happen and has not yet happens now, to who leads."""
        leader = self.leader
        if self.fault is not None and leader is not None:
            leader.suffer(self.fault)

    def arm(self, fault: Fault) -> None:
        """It is to happen once."""
        self.fault = fault if fault not in self.met else None

    async def end(self) -> None:
        """All that live stop cleanly."""
        self.leaders = [name for _, name in self.shared.took]
        living = [machine for machine in self.machines if not machine.process.dead]
        for machine in living:
            machine.process.wake()
            machine.orders.stop.set()
        await asyncio.wait([machine.process.task for machine in living], timeout=60)


def simulate(seed: int, count: int, story: Callable[[Cluster], Any], **more: Any) -> Cluster:
    """Run a story `async (cluster) -> None` on so many machines."""
    loop = MachinesLoop()

    async def main() -> Cluster:
        cluster = Cluster(VirtualClock(loop, START), seed, count, **more)
        await cluster.begin()
        await story(cluster)
        await cluster.end()
        for process in cluster.corpses:
            process.task.cancel()
            process.wake()
        return cluster

    with asyncio.Runner(loop_factory=lambda: loop) as runner:
        return runner.run(main())
