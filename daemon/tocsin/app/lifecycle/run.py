"""Lifecycle: the daemon from its first breath to its last: begin, ready, reload, drain.

It decides the order of things, and that no part dies unnoticed: a part that breaks ends the daemon, and the service
manager starts it again. What the parts do is theirs; `app/wiring` has put them together.
"""

import asyncio
import contextlib
import signal
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field

import structlog

from tocsin.app.engine.engine import Engine
from tocsin.app.intake.watch import Watch
from tocsin.app.lifecycle.active_config import ActiveConfig
from tocsin.app.lifecycle.health import Health
from tocsin.domain.delivery import Letter
from tocsin.ports.supervisor import ServiceManager

DRAINS_FOR = 30.0
"""Seconds for what is under way to end; the rest is left for the next start."""
LOOKS_FIRST = 5.0
"""Seconds for every incident's first look, before letters of the process before go on: an answer that came meanwhile
must stop them."""

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


@dataclass(frozen=True, slots=True)
class Daemon:
    """Every part of the running daemon. `part` lets go of connections."""

    current: ActiveConfig
    engine: Engine
    watch: Watch
    health: Health
    manager: ServiceManager
    others: tuple[Callable[[], Awaitable[None]], ...]
    part: Callable[[], Awaitable[None]]

    async def serve(self, unsettled: Sequence[Letter], orders: Orders) -> None:
        """Serve until ordered to stop, then drain. `unsettled` are letters that the process before did not finish."""
        await self.watch.scan()
        self.engine.poke_all()
        self._say_ready()
        try:
            async with asyncio.TaskGroup() as tasks:
                running = [tasks.create_task(_run(part)) for part in self._parts(orders)]
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(LOOKS_FIRST):
                        await self.engine.scheduler.settled()
                self.engine.deliver.take(unsettled)
                await orders.stop.wait()
                self.manager.stopping()
                await self._drain(orders)
                for task in running:
                    task.cancel()
        finally:
            await self.part()

    def _parts(self, orders: Orders) -> Sequence[Callable[[], Awaitable[None]]]:
        """Everything that runs as long as the daemon does."""
        engine = self.engine
        parts = (engine.scheduler, engine.deliver, engine.receipts, engine.operators)
        rest = (self.watch, self.current, self.health)
        return (*(part.run for part in (*parts, *rest)), *self.others, lambda: self._reloads(orders))

    async def _reloads(self, orders: Orders) -> None:
        """Reload at each order; a storm of orders is one reload after the other, not one each."""
        while True:
            await orders.reload.wait()
            orders.reload.clear()
            self.manager.reloading()
            await self.current.reload()
            self._say_ready()

    def _say_ready(self) -> None:
        settings, policy = self.current.settings(), self.current.policy()
        log.info(
            "ready",
            incidents=str(settings.incidents),
            open=sum(case.history.resolved_at is None for case in self.engine.reconcile.cases.values()),
            revision=policy.revision,
            email=settings.email.transport.value,
            sms=settings.sms.transport.value,
        )
        self.manager.ready(f"watching {settings.incidents}")

    async def _drain(self, orders: Orders) -> None:
        """Let what is under way end, but not for ever, and not at all when told twice."""
        log.info("stopping", unsettled=self.engine.deliver.waiting)
        drained = asyncio.create_task(self.engine.deliver.drain(DRAINS_FOR))
        hurry = asyncio.create_task(orders.stop_now.wait())
        await asyncio.wait({drained, hurry}, return_when=asyncio.FIRST_COMPLETED)
        for task in (drained, hurry):
            task.cancel()


async def _run(part: Callable[[], Awaitable[None]]) -> None:
    await part()
    raise AssertionError(f"{part} came to an end")
