"""The daemon while it leads, from its start to its end: begin, ready, reload, drain.

It decides the order of things, and that no part dies unnoticed: a part that breaks ends the daemon, and the service
manager starts it again. What the parts do is theirs; `app/wiring` has put them together.
"""

import asyncio
import contextlib
import signal
from collections.abc import Coroutine, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

import structlog

from tocsin.app.delivery.operator_notices import OperatorNotices
from tocsin.app.delivery.sender import Sender
from tocsin.app.delivery.transports import Transports
from tocsin.app.lifecycle.clock_watch import ClockWatch
from tocsin.app.lifecycle.reload import Reload
from tocsin.app.state.active_config import ActiveConfig
from tocsin.app.state.agenda import Agenda
from tocsin.app.state.incidents import Incidents
from tocsin.domain.delivery import Letter
from tocsin.domain.notification import Kind
from tocsin.domain.operator_notice import OperatorNotice
from tocsin.ports.fence import Lead
from tocsin.ports.supervisor import ServiceManager

BEGINS_ANEW_WITHIN = 10.0
"""Seconds for what is under way to end when the daemon begins anew at once."""
LOSES_WITHIN = 2.0
"""The same when it does not lead any more."""
NOTES_FOR = 2.0
"""Seconds at a stop for writing down what operators have not heard yet, where it may take that long."""
READS_FIRST = 5.0
"""Seconds for the first reading of the folder and of the provider's list of answers, before steps that are found late
fire: an answer that came meanwhile must stop them (rule 62)."""
PAGES_WAIT = 0.5
"""Seconds after which pages that the process before had decided go on, whatever is still read."""
LIVES_EVERY = 5.0
"""Seconds between two words to systemd while nothing else can be done."""
LOOKS_FIRST = 5.0
"""Seconds for every incident's first look, before its other letters go on."""

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Orders:
    """What the world asks of the daemon."""

    stop: asyncio.Event = field(default_factory=asyncio.Event)
    stop_now: asyncio.Event = field(default_factory=asyncio.Event)
    reload: asyncio.Event = field(default_factory=asyncio.Event)

    def by_signal(self) -> None:
        """SIGHUP reloads, SIGTERM and SIGINT stop; the second of them stops at once."""
        loop = asyncio.get_running_loop()

        def stop() -> None:
            (self.stop_now if self.stop.is_set() else self.stop).set()

        loop.add_signal_handler(signal.SIGTERM, stop)
        loop.add_signal_handler(signal.SIGINT, stop)
        loop.add_signal_handler(signal.SIGHUP, self.reload.set)


class Part(Protocol):
    """Something that runs as long as the daemon does."""

    async def run(self) -> None:
        """Until cancelled."""
        ...


class Source(Protocol):
    """Where answers may have come in while no daemon ran."""

    async def first_read(self) -> None:
        """Wait until what came in is known; for ever, if that cannot be."""
        ...


@dataclass(frozen=True, slots=True)
class Daemon:
    """The running daemon. `parts` are all that run side by side, the sender and the reload among them; `sources` those
    of them whose first reading late steps wait for.
    """

    config: ActiveConfig
    incidents: Incidents
    agenda: Agenda
    transports: Transports
    sender: Sender
    operator_notices: OperatorNotices
    reload: Reload
    clock_watch: ClockWatch
    manager: ServiceManager
    parts: tuple[Part, ...]
    sources: tuple[Source, ...]

    async def serve(self, unsettled: Sequence[Letter], orders: Orders, lead: Lead) -> None:
        """Serve until ordered to stop, or until the clock asks to begin anew, then drain; or until the lead is lost:
        then how the tries under way end is still recorded. `unsettled` are letters that the process before did not
        finish.
        """
        self._say_ready()
        try:
            async with asyncio.TaskGroup() as tasks:
                running = [tasks.create_task(_run(part)) for part in self.parts]
                running.append(tasks.create_task(self._reload_at(orders)))
                running.append(tasks.create_task(self._begin(unsettled)))
                await _first(orders.stop.wait(), self.clock_watch.wanted.wait(), lead.lost.wait())
                if lead.lost.is_set():
                    lead.hold_back()
                    await self.sender.drain(LOSES_WITHIN)
                elif orders.stop.is_set():
                    self.manager.stopping()
                    lead.hold_back()
                    await self._drain(orders, lead.drains_for)
                else:
                    self.manager.reloading()
                    await self._drain(orders, BEGINS_ANEW_WITHIN)
                for task in running:
                    task.cancel()
        finally:
            await self.transports.close()

    async def take_over(self, lead: Lead) -> OperatorNotice | None:
        """Follow the clock, once all parts have ended; what operators hear of it. With many open incidents it takes a
        while: systemd hears that we live, and the lead is kept for as long as a start may take.
        """
        lead.begin_anew()
        following = asyncio.create_task(self.clock_watch.take_over())
        while True:
            self.manager.healthy()
            await asyncio.wait({following}, timeout=LIVES_EVERY)
            if following.done():
                return following.result()

    async def _begin(self, unsettled: Sequence[Letter]) -> None:
        """Go on where the process before stopped: first pages at once, its other pages nearly so, and steps that are
        found late once it is known what came in meanwhile, or that cannot be known (rule 62).
        """
        self.incidents.poke_unpaged(self.config.policy)
        looked = asyncio.create_task(self._look_first())
        try:
            await asyncio.wait({looked}, timeout=PAGES_WAIT)
            pages = [letter for letter in unsettled if letter.notification.kind is Kind.PAGE]
            self.sender.enqueue(pages, resumed=True)
            await looked
        finally:
            looked.cancel()
        self.sender.enqueue([letter for letter in unsettled if letter.notification.kind is not Kind.PAGE])

    async def _look_first(self) -> None:
        """Every incident's first look, after the first readings."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(READS_FIRST):
                await asyncio.gather(*(source.first_read() for source in self.sources))
        self.incidents.poke_all()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(LOOKS_FIRST):
                await self.agenda.settled()

    async def _reload_at(self, orders: Orders) -> None:
        """Reload at each order; a storm of orders is one reload after the other, not one each."""
        while True:
            await orders.reload.wait()
            orders.reload.clear()
            self.manager.reloading()
            await self.reload.reload()
            self._say_ready()

    def _say_ready(self) -> None:
        settings = self.config.settings
        log.info(
            "ready",
            incidents=str(settings.incidents),
            open=self.incidents.open_count(),
            revision=self.config.policy.revision,
            email=settings.email.transport.value,
            sms=settings.sms.transport.value,
        )
        self.manager.ready(f"watching {settings.incidents}")

    async def _drain(self, orders: Orders, patience: float) -> None:
        """Let what is under way end, but not for ever, and not at all when told twice."""
        log.info("stopping", unsettled=len(self.sender.open))
        await _first(self._let_end(patience), orders.stop_now.wait())

    async def _let_end(self, patience: float) -> None:
        """Write down what just happened and operators have not heard yet, and let tries under way end."""
        loop = asyncio.get_running_loop()
        until = loop.time() + patience
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(min(NOTES_FOR, patience / 3)):
                await self.operator_notices.flush(lasting=False)
        await self.sender.drain(until - loop.time())


async def _first(*waits: Coroutine[Any, Any, Any]) -> None:
    """Wait for the first of these; the others are given up."""
    tasks = {asyncio.create_task(wait) for wait in waits}
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()


async def _run(part: Part) -> None:
    await part.run()
    raise AssertionError(f"{part} came to an end")
