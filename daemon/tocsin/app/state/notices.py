"""What operators are to hear and have not been sent yet (rule 39): troubles, and that they are over.

It decides that a cause is told once an hour, and that a trouble which ended before it was told is not told at all.
"""

import asyncio
from datetime import datetime, timedelta

import structlog

from tocsin.domain.operator_notice import OperatorNotice, Recovery, Trouble, subject_of
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
        self._recovered: dict[str, Recovery] = {}
        self._well: set[str] = set()
        self._some = asyncio.Event()

    def tell(self, notice: OperatorNotice) -> None:
        """Let the operators hear of this, unless they were told of its cause in the last hour."""
        now = self._clock.now()
        self._well.discard(notice.subject)
        self._recovered.pop(notice.subject, None)
        told_at = self._told.get(notice.cause)
        if told_at is None or now - told_at >= QUIET:
            log.warning("trouble", cause=notice.cause, text=notice.text)
            self._told[notice.cause] = now
            self._waiting[notice.cause] = notice
            self._some.set()

    def tell_template(self, problem: Problem) -> None:
        """Let the operators hear of a template that cannot be used."""
        self.tell(OperatorNotice(Trouble.TEMPLATE_BROKEN, str(problem), about=str(problem)))

    def cured(self, trouble: Trouble, about: str, text: str) -> None:
        """A trouble is over; `text` is a sentence for people. If the trouble was not told yet, neither leaves; else,
        also if the process before told it, the end is told once. To say so when nothing was wrong is cheap and
        harmless.
        """
        subject = subject_of(trouble, about)
        if subject in self._well:
            return
        self._well.add(subject)
        waiting = [cause for cause, notice in self._waiting.items() if notice.subject == subject]
        for cause in waiting:
            del self._waiting[cause], self._told[cause]
        if not waiting:
            self._recovered[subject] = Recovery(trouble, text, about)
            self._some.set()

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

    def take_recovered(self) -> tuple[Recovery, ...]:
        """Troubles that are over, told or not by an earlier process."""
        recovered, self._recovered = tuple(self._recovered.values()), {}
        return recovered
