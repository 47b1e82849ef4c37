"""What follows when the clock that the daemon goes by is put forward or back, or is not that of a provider (rule 60).

Taking over is a restart: what is recorded is moved with the clock, and the daemon begins anew with what it then knows.
This decides when: at once for a single step, later and later for a clock that flips, and never while the ledger could
not keep it.
"""

import asyncio
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import structlog

from tocsin.app.delivery.sender import Sender
from tocsin.app.delivery.transports import Transports
from tocsin.app.state.incidents import Incidents
from tocsin.app.state.notices import Notices
from tocsin.domain.operator_notice import OperatorNotice, Trouble
from tocsin.domain.people import MAIN, Channel
from tocsin.planning.machines.clocks import differs
from tocsin.ports.clock import MovableClock
from tocsin.ports.ledger.ledger import Ledger
from tocsin.ports.ledger.trouble import LedgerError
from tocsin.text.times import apart, brief, roughly

LOOKS_EVERY = 1.0
"""Seconds between two looks at the clock."""
COMPARES_EVERY = 5.0
"""Seconds between two looks at what the providers' answers say of theirs."""
STANDS_FOR = (0.0, 5.0, 10.0, 30.0, 120.0, 600.0)
"""Seconds for which a step must stand before it is taken over, after so many within the hour; the last one repeats."""
FORGETS_AFTER = 3600.0
"""Seconds after which a step that was taken over makes nobody wary any more."""
SAME_STEP = timedelta(seconds=2)
"""How far two looks may differ that see the same step."""
TOLD_FROM = timedelta(seconds=60)
"""From what difference on operators hear."""
TOLD_AFTER = 60.0
"""Seconds after which operators hear that a step is not taken over."""
MACHINE_TOLD_AFTER = 10.0
"""Seconds for which it must have stood: a clock is put right just after a start."""
CALM_AFTER = 300.0
"""Seconds for which the clock must have been near enough before a difference counts as over: it may flip."""
APART = timedelta(milliseconds=1)
"""How much further than the clock everything is moved, for each step: what is decided after a step of whole seconds
must not bear the very instant, and so the key, of what was decided before it.
"""
STEPPED = "a step of the clock"
"""The cause under which the ledger notes that a step was seen: whether it can be written shows only when it is."""

log = structlog.get_logger()


@dataclass(slots=True)
class ClockSteps:
    """The steps that were taken over, by the loop's time. It outlives the parts that begin anew."""

    taken_at: list[float] = field(default_factory=list)

    def patience(self, now: float) -> float:
        """For how many seconds the next step must stand."""
        self.taken_at = [at for at in self.taken_at if now - at < FORGETS_AFTER]
        return STANDS_FOR[min(len(self.taken_at), len(STANDS_FOR) - 1)]


class ClockWatch:
    """Compares the daemon's time with the clock that it goes by; sets `wanted` when the daemon is to begin anew. Where
    that is not the machine's own, it tells when the two differ.
    """

    def __init__(
        self,
        clock: MovableClock,
        ledger: Ledger,
        incidents: Incidents,
        notices: Notices,
        sender: Sender,
        steps: ClockSteps,
    ) -> None:
        self._clock = clock
        self._ledger = ledger
        self._incidents = incidents
        self._notices = notices
        self._sender = sender
        self._steps = steps
        self._standing: tuple[timedelta, float] | None = None
        self._differs_since: tuple[datetime, float] | None = None
        self._agreed_since: float | None = None
        self._machine_differs_since: float | None = None
        self._machine_agrees_since: float | None = None
        self.wanted = asyncio.Event()

    async def run(self) -> None:
        """Until cancelled."""
        while True:
            await self.look()
            await asyncio.sleep(LOOKS_EVERY)

    async def look(self) -> None:
        """Look once."""
        step, now = self._clock.step(), asyncio.get_running_loop().time()
        self._compare_machine(now)
        if not step:
            self._standing = None
            self._agreed_since = self._agreed_since or now
            if now - self._agreed_since >= CALM_AFTER:
                self._differs_since = None
                self._notices.cured(Trouble.CLOCK_DIFFERS, "", f"{self._clock.source} and tocsin's agree")
            return
        self._agreed_since = None
        if self._standing is None or abs(self._standing[0] - step) > SAME_STEP:
            self._standing = step, now
        if self._differs_since is None:
            self._differs_since = self._clock.now(), now
        stood_for = now - self._standing[1]
        if stood_for >= self._steps.patience(now) and await self._is_kept():
            self._steps.taken_at.append(now)
            self.wanted.set()
        elif abs(step) > TOLD_FROM and now - self._differs_since[1] >= TOLD_AFTER:
            unwritable = stood_for >= self._steps.patience(now)
            self._tell_differs(step, self._differs_since[0], unwritable)

    async def take_over(self) -> OperatorNotice | None:
        """The parts have ended: move what is recorded, and then the clock. What operators hear of it. A ledger that
        cannot be written leaves both as they are.
        """
        step = self._clock.step()
        if not step:
            return None
        by = step + APART * len(self._steps.taken_at)
        try:
            await self._ledger.move_clock(by, self._clock.now() + by)
        except LedgerError as trouble:
            log.warning("ledger trouble", trouble=str(trouble))
            return None
        before = self._clock.now()
        self._clock.move(by)
        log.warning("clock", put=_way(by), by=brief(abs(by)))
        if abs(by) <= TOLD_FROM:
            return None
        put = f"{_way(by)} by {roughly(abs(by))}"
        fact = f"{self._clock.source} was put {put}, from {_shown(before)} to {_shown(before + by)}"
        sequel = "tocsin goes by it: turns, hours and times in messages are by the new time, and every wait is kept"
        return OperatorNotice(Trouble.CLOCK_MOVED, f"{fact}; {sequel}; if it is wrong now, put it right", about=put)

    async def _is_kept(self) -> bool:
        """Whether the ledger knows all that was decided, and can be written: what is only in memory would be lost."""
        if self._incidents.has_unwritten() or self._sender.has_unsaved():
            return False
        try:
            await self._ledger.claim_notice(STEPPED, self._clock.now(), timedelta(0))
        except LedgerError as trouble:
            log.warning("ledger trouble", trouble=str(trouble))
            return False
        return True

    def _compare_machine(self, now: float) -> None:
        """The machine's own clock is used for no fact, but its log and whatever else runs there go by it (R60)."""
        ahead = self._clock.machine_ahead()
        if ahead is None:
            return
        if not differs(ahead):
            self._machine_differs_since = None
            self._machine_agrees_since = self._machine_agrees_since or now
            if now - self._machine_agrees_since >= CALM_AFTER:
                self._notices.cured(Trouble.MACHINE_CLOCK, "", "this machine's clock and the database's agree")
            return
        self._machine_agrees_since = None
        self._machine_differs_since = self._machine_differs_since or now
        if now - self._machine_differs_since >= MACHINE_TOLD_AFTER:
            fault = f"this machine's clock is {apart(ahead)} that of the database"
            sequel = "tocsin goes by the database's; if that one is wrong, turns, hours and times in messages are too"
            self._notices.tell(OperatorNotice(Trouble.MACHINE_CLOCK, f"{fault}; {sequel}"))

    def _tell_differs(self, step: timedelta, since: datetime, unwritable: bool) -> None:
        fault = f"{self._clock.source} differs from tocsin's by {roughly(abs(step))}, which is not taken over"
        why = (
            "the ledger cannot be written" if unwritable else "it was put again and again, and does not stand still yet"
        )
        sequel = "waits are kept, but rotations and times in messages are by the old time"
        notice = OperatorNotice(Trouble.CLOCK_DIFFERS, f"{fault}: {why}; {sequel}", since=since)
        self._notices.tell(notice)


class ProviderClocks:
    """Compares each provider's clock with the one that the daemon goes by, and tells the operators of a difference."""

    def __init__(self, clock: MovableClock, transports: Transports, notices: Notices) -> None:
        self._source = clock.source
        self._transports = transports
        self._notices = notices

    async def run(self) -> None:
        """Until cancelled."""
        while True:
            await asyncio.sleep(COMPARES_EVERY)
            self.look()

    def look(self) -> None:
        """Look once."""
        for via in Channel:
            for name, transport in self._transports.by_name(via).items():
                provider = via.traits.provider if name == MAIN else f'{via.traits.provider} "{name}"'
                if transport.skew is not None:
                    self._compare(provider, transport.skew)

    def _compare(self, provider: str, skew: timedelta) -> None:
        if abs(skew) <= TOLD_FROM:
            self._notices.cured(Trouble.PROVIDER_CLOCK, provider, f"{self._source} and its agree")
            return
        fault = f"{self._source} is {apart(-skew)} that of {provider}"
        sequel = "what it is asked allows for that; but if ours is wrong, turns, hours and times in messages are too"
        self._notices.tell(OperatorNotice(Trouble.PROVIDER_CLOCK, f"{fault}; {sequel}", about=provider))


def _way(by: timedelta) -> str:
    return "forward" if by > timedelta(0) else "back"


def _shown(at: datetime) -> str:
    return f"{at:%Y-%m-%d %H:%M:%S} UTC"
