"""The provider is asked again and again for the SMS that came in, so that no port need be open; each minute also where
it calls our webhook, so that what came while nobody took the call still counts. How far back is asked, and when the
operators hear that it fails.

What a message means is judged later, and once, however it came in.
"""

import asyncio
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Protocol

import structlog

from tocsin.app.delivery.transports import Transports
from tocsin.app.engine.isolation import Broken, guarded
from tocsin.app.replies.polling import poll
from tocsin.app.state.active_config import ActiveConfig
from tocsin.app.state.notices import Notices
from tocsin.domain.arrival import Arrival, ArrivalKind
from tocsin.domain.delivery import Deferred, Fault
from tocsin.domain.operator_notice import OperatorNotice, Trouble
from tocsin.domain.people import MAIN, Channel
from tocsin.formats.settings.advice import missing_sms_secret
from tocsin.formats.settings.settings import RepliesBy
from tocsin.ports.clock import Clock
from tocsin.ports.ledger.ledger import ArrivalLedger
from tocsin.ports.ledger.trouble import LedgerError
from tocsin.ports.transport import Polled
from tocsin.wording.delivery.answer_words import for_provider, provider_cure

OVERLAP = timedelta(minutes=10)
"""How far before the newest message known is asked: the provider's clock differs, and messages come out of order."""
BACK_MOST = timedelta(hours=12)
"""How far back is asked at most: an answer given while the daemon was down still counts."""
FIRST_BACK = timedelta(minutes=2)
"""How far before its start is asked when no message was ever known and nobody has a code to answer with: what lies in
the account from before is not meant for us.
"""
BESIDE_WEBHOOK = timedelta(minutes=1)
"""How often is asked where a webhook brings what comes in: Twilio calls it once, whether or not somebody answers."""
SLOWEST = timedelta(minutes=1)
"""How long is waited at most after failures, unless the provider wishes more; each doubles the wait."""
IDLE = timedelta(seconds=10)
"""How soon it is looked again whether the config asks for polling."""
PATIENCE = 3
"""Failures in a row before the operators hear."""

log = structlog.get_logger()


class HearsInMemory(Protocol):
    """Who judges what the ledger does not take now."""

    async def hear(self, arrivals: Sequence[Arrival]) -> None:
        """Judge it, oldest first."""
        ...


class SmsPoll:
    """Asks one SMS provider for what came in, while the config says so: each goes on by itself, whatever becomes of the
    others. `asked` is set after the first question, or once it is plain that there is none.
    """

    def __init__(
        self,
        clock: Clock,
        ledger: ArrivalLedger,
        config: ActiveConfig,
        transports: Transports,
        notices: Notices,
        name: str = MAIN,
        in_memory: HearsInMemory | None = None,
    ) -> None:
        """`name` is the provider's."""
        self._clock = clock
        self._ledger = ledger
        self._config = config
        self._transports = transports
        self._notices = notices
        self._in_memory = in_memory
        self._name = name
        self._started_at = clock.now()
        self._since: datetime | None = None
        self._failures: list[Deferred] = []
        self._known_refs: frozenset[str] = frozenset()
        self.asked = asyncio.Event()

    async def run(self) -> None:
        """Until cancelled."""
        await poll(self._turn, self._pause, at_once=True)

    async def _turn(self) -> None:
        try:
            if provider := self._polled():
                await self.ask(provider)
        finally:
            self.asked.set()

    def _pause(self) -> float:
        replies = self._config.settings.replies
        every = BESIDE_WEBHOOK if replies.by is RepliesBy.WEBHOOK else replies.every
        return (self.pause(every) if self._polled() else IDLE).total_seconds()

    def _polled(self) -> Polled | None:
        """Who is asked; None while the config has it otherwise."""
        wanted = self._config.settings.replies.by is not RepliesBy.OFF
        transport = self._transports.get(Channel.SMS, self._name)
        return transport.polled if wanted and transport else None

    @property
    def _about(self) -> str:
        """Whose answers operators are told of: an only provider needs no name."""
        word = Channel.SMS.traits.word
        return word if self._alone else f'{word} to "{self._name}"'

    @property
    def _where(self) -> str:
        """Where it is asked, in a sentence, if that could be elsewhere."""
        return "" if self._alone else f' at "{self._name}"'

    @property
    def _alone(self) -> bool:
        return len(self._transports.by_name(Channel.SMS)) == 1

    def pause(self, every: timedelta) -> timedelta:
        """How long is waited until the next question."""
        if not self._failures:
            return every
        slower = min(every * (1 << min(len(self._failures), 10)), SLOWEST)
        return max(every, slower, self._failures[-1].retry_after or every)

    async def ask(self, provider: Polled) -> None:
        """Ask once, and keep what is new. Raises LedgerError."""
        now = self._clock.now()
        since = self._since or await self._first(now)
        arrivals = await guarded(provider.inbox(max(since, now - BACK_MOST)))
        if isinstance(arrivals, Broken):
            arrivals = Deferred(f"asking broke ({arrivals})")
        if isinstance(arrivals, Deferred):
            self._count(arrivals)
            return
        self._failures.clear()
        again = f"answers by SMS are asked for{self._where} again; none was lost"
        self._notices.cured(Trouble.ANSWERS_UNREAD, self._about, again)
        new = [arrival for arrival in arrivals if arrival.ref not in self._known_refs]
        for place, arrival in enumerate(new):
            try:
                await self._ledger.record_arrival(arrival)
            except LedgerError:
                if (
                    self._in_memory and self._since
                ):  # else what is new to this process may be known to the ledger, and be judged
                    await self._in_memory.hear(new[place:])
                raise
        self._known_refs = frozenset(arrival.ref for arrival in arrivals)
        self._since = now - OVERLAP

    async def _first(self, now: datetime) -> datetime:
        """Since when the first question asks: the newest message known, else the oldest page that may be answered. With
        several providers the newest may be another's, so both.
        """
        newest = await self._ledger.last_arrival_at(ArrivalKind.SMS)
        if newest and newest > now:  # noted by a clock that was ahead, who knows since when
            return now - BACK_MOST
        if newest and self._alone:
            return newest - OVERLAP
        codes = await self._ledger.reserved_codes(now)
        paged_at = (code.given.at for code in codes if code.closed_at is None)
        known = [newest - OVERLAP] if newest else []
        return min([self._started_at - FIRST_BACK, *known, *paged_at])

    def _count(self, failure: Deferred) -> None:
        """Time may cure it; if not, operators hear that answers by SMS do not come in (as rule 39 has it)."""
        self._failures.append(failure)
        log.warning("poll", trouble=failure.detail, failures=len(self._failures), provider=self._name)
        if failure.fault is Fault.PROVIDER or len(self._failures) == PATIENCE:
            cure = self._cure(failure)
            why = f"answers by SMS cannot be asked for{self._where}: {failure.detail}"
            comes = self._config.settings.replies.by is RepliesBy.WEBHOOK
            advice = (
                "what the webhook brings still counts" if comes else "acknowledge by link, command or file meanwhile"
            )
            text = f"{cure} ({why}); {advice}" if cure else f"{why}; {advice}"
            self._notices.tell(OperatorNotice(Trouble.ANSWERS_UNREAD, text, about=self._about))

    def _cure(self, failure: Deferred) -> str:
        """What somebody must do, as far as that is known."""
        if failure.fault is not Fault.PROVIDER:
            return ""
        if lacking := missing_sms_secret(self._config.settings, self._name):
            return f"set {lacking}, which is missing"
        setting = "sms" if self._name == MAIN else f"sms.fallbacks.{self._name}"
        return for_provider(provider_cure(Channel.SMS, failure), "sms", setting)
