"""What operators are to hear and have not been sent yet (rule 39). It decides that a cause is told once an hour."""

import asyncio
from datetime import datetime, timedelta

import structlog

from tocsin.domain.operator_notice import OperatorNotice
from tocsin.domain.problem import Problem
from tocsin.ports.clock import Clock

QUIET = timedelta(hours=1)
"""How long a cause stays quiet after it was told."""

log = structlog.get_logger()


class Notices:
    """The notices that wait to be sent together. Anybody may tell; `app/delivery/operator_notices` takes them."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._waiting: dict[str, OperatorNotice] = {}
        self._told: dict[str, datetime] = {}
        self._some = asyncio.Event()

    def tell(self, notice: OperatorNotice) -> None:
        """Let the operators hear of this, unless they were told of its cause in the last hour."""
        now = self._clock.now()
        told_at = self._told.get(notice.cause)
        if told_at is None or now - told_at >= QUIET:
            log.warning("trouble", cause=notice.cause, text=notice.text)
            self._told[notice.cause] = now
            self._waiting[notice.cause] = notice
            self._some.set()

    def tell_template(self, problem: Problem) -> None:
        """Let the operators hear of a template that cannot be used."""
        self.tell(OperatorNotice(f"template:{problem}", str(problem)))

    async def some(self) -> None:
        """Wait until there is something to tell."""
        await self._some.wait()

    def take(self) -> tuple[OperatorNotice, ...]:
        """What waits, in the order told; it waits no more."""
        self._some.clear()
        now = self._clock.now()
        self._told = {cause: at for cause, at in self._told.items() if now - at < QUIET}
        notices, self._waiting = tuple(self._waiting.values()), {}
        return notices
