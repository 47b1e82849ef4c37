"""What the daemon tells the people who run it when it is in trouble itself, and when that is over (rule 39).

It decides when a message leaves and by which channels: the first within 3 s of its cause, what follows within a minute
together, that a provider is sick within 15 s. It must not know what a trouble means; whoever meets one writes the
sentence, `wording/operator` the message.
"""

import asyncio
import contextlib
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial

from tocsin.app.delivery.sender import Sender
from tocsin.app.state.active_config import ActiveConfig
from tocsin.app.state.notices import QUIET, Notices
from tocsin.domain.delivery import Letter
from tocsin.domain.notification import NOBODY, Kind, Notification, Reason
from tocsin.domain.operator_notice import ANEW, OperatorNotice, OperatorWord, Recovery, Trouble
from tocsin.domain.people import Channel, Person
from tocsin.domain.policy import Policy
from tocsin.ports.clock import Clock
from tocsin.ports.ledger.ledger import Ledger
from tocsin.ports.ledger.trouble import LedgerError
from tocsin.ports.renderer import OwnRenderer
from tocsin.wording.language.language import Language
from tocsin.wording.operator.notice import OperatorWording, operator_wording

LEAVES_AFTER = timedelta(seconds=2)
"""How long the first notice waits for others of the same cause: it must leave within 3 s."""
GATHERS = timedelta(minutes=1)
"""How long after a message what follows is gathered into the next."""
GATHERS_URGENT = timedelta(seconds=10)
"""How long after a message what is urgent is gathered: operators hear what to mend within 15 s."""
OVER = "over:"
"""What stands before a subject where the ledger notes that its end was told."""


class OperatorNotices:
    """Sends the notices that wait to every operator. `host` is this machine's name."""

    def __init__(
        self,
        clock: Clock,
        ledger: Ledger,
        config: ActiveConfig,
        notices: Notices,
        sender: Sender,
        renderer: OwnRenderer[Language],
        host: str,
    ) -> None:
        self._clock = clock
        self._ledger = ledger
        self._config = config
        self._notices = notices
        self._sender = sender
        self._renderer = renderer
        self._host = host
        self._gathers_until = self._grave_gathers_until = self._urgent_gathers_until = clock.now()

    async def run(self) -> None:
        """Until cancelled."""
        while True:
            wait = self._wait()
            if wait is not None and wait <= 0:
                await self.flush()
                continue
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(wait):
                    await self._notices.news()

    def _wait(self) -> float | None:
        """Seconds until what waits is due; None while nothing does. What is grave waits for nothing minor."""
        any_at, grave_at = self._notices.waiting_since(grave=False), self._notices.waiting_since(grave=True)
        due = [max(any_at + LEAVES_AFTER, self._gathers_until)] if any_at else []
        due += [max(grave_at + LEAVES_AFTER, self._grave_gathers_until)] if grave_at else []
        if urgent_at := self._notices.urgent_since():
            due.append(max(urgent_at + LEAVES_AFTER, self._urgent_gathers_until))
        return (min(due) - self._clock.now()).total_seconds() if due else None

    async def flush(self, *, lasting: bool = True) -> None:
        """Send what has been gathered; without `lasting` only what the next process would not meet again."""
        await self._tell(lasting=lasting)
        self._notices.note_left()

    async def _tell(self, *, lasting: bool) -> None:
        now, policy = self._clock.now(), self._config.policy
        told: list[OperatorWord] = []
        for notice in self._notices.take(lasting=lasting):
            told += [notice] if await self._is_news(notice, now) else []
        told += [recovery for recovery in self._notices.take_recovered() if await self._is_end_news(recovery, now)]
        operators = [policy.people[name] for name in policy.operators if name in policy.people]
        letters = [letter for person in operators for letter in self._letters(person, told, policy, now)]
        if told:
            self._gathers_until, self._urgent_gathers_until = now + GATHERS, now + GATHERS_URGENT
            if any(not notice.minor for notice in told):
                self._grave_gathers_until = self._gathers_until
        if not letters:
            return
        self._sender.enqueue(letters, recorded=await self._record(letters))

    @property
    def _writes(self) -> bool:
        """Whether the ledger may be asked: while it cannot be written each write would hold up what it is about."""
        return not any(map(self._notices.is_open, (Trouble.LEDGER_UNWRITABLE, Trouble.LEDGER_AWAY)))

    async def _record(self, letters: Sequence[Letter]) -> bool:
        """Whether the letters are on disk; else they go out from memory (rule 71)."""
        try:
            if self._writes:
                await self._ledger.record(NOBODY, (), letters, ())
        except LedgerError:
            return False
        return self._writes

    async def _is_news(self, notice: OperatorNotice, now: datetime) -> bool:
        """Whether the operators were not told of this cause in the last hour, also not by the process before."""
        if not self._writes:
            return True
        try:
            fresh = await self._ledger.claim_notice(notice.cause, now, QUIET)
            if fresh and notice.cause != notice.subject:
                await self._ledger.claim_notice(notice.subject, now, timedelta(0))
            if not fresh and notice.trouble.lasts:
                fresh = await self._came_back(notice, now)
        except LedgerError:
            return True
        return fresh

    async def _came_back(self, notice: OperatorNotice, now: datetime) -> bool:
        """Whether this is news though the process before told of its cause: it told that it is over, and somebody did
        it anew. Any other that came back is told when the hour is over: the last word must not be that all is well.
        """
        told_at = await self._ledger.noticed_at(notice.cause)
        over_at = await self._ledger.noticed_at(OVER + notice.subject)
        if told_at is None or over_at is None:
            return False
        if notice.trouble not in ANEW:
            if told_at < over_at:
                self._notices.hold(notice, told_at + QUIET)
            return False
        last_told_at = await self._ledger.noticed_at(notice.subject) or told_at
        if over_at <= last_told_at:
            return False
        for cause in (notice.cause, notice.subject):
            await self._ledger.claim_notice(cause, now, timedelta(0))
        return True

    async def _is_end_news(self, recovery: Recovery, now: datetime) -> bool:
        """Whether they were told of the trouble, and not yet that it is over."""
        told = self._notices.was_told(recovery.subject)
        with contextlib.suppress(LedgerError):
            told_at = await self._ledger.noticed_at(recovery.subject)
            over_at = await self._ledger.noticed_at(OVER + recovery.subject)
            told = told or (told_at is not None and (over_at is None or over_at < told_at))
            if told and self._writes:
                await self._ledger.claim_notice(OVER + recovery.subject, now, timedelta(0))
        if told:
            self._notices.note_end_told(recovery.subject)
        return told

    def _letters(self, person: Person, told: Sequence[OperatorWord], policy: Policy, now: datetime) -> list[Letter]:
        """One letter for each channel that is right for these notices."""
        letters = []
        for via in person.channels:
            fitting = [notice for notice in told if _goes_by(via, notice, person)]
            if not fitting:
                continue
            moment = now.strftime("%Y%m%dT%H%M%S.%fZ")
            key = f"{NOBODY}/0/{Kind.OPERATOR.value}/{moment}/{person.id}/{via.value}"
            rule = policy.places.get("operators", "tocsin.yaml")
            notification = Notification(
                key, NOBODY, 0, Kind.OPERATOR, Reason.TROUBLE, now, person.id, via, rule=rule, revision=policy.revision
            )
            words_in = partial(_words, fitting, self._host, policy, person, now)
            content = self._renderer.render_own(words_in, via, person.language)
            letters.append(Letter(notification, content))
            if all(isinstance(notice, OperatorNotice) for notice in fitting):
                self._notices.note_sent(key, frozenset(notice.subject for notice in fitting))
        return letters


def _words(
    told: Sequence[OperatorWord], host: str, policy: Policy, person: Person, now: datetime, language: Language
) -> OperatorWording:
    """What one operator reads of these."""
    about = operator_wording(told, host, policy.organisation, policy.revision, person.timezone, now, language)
    return replace(about, reply_to=policy.reply_to)


def _goes_by(via: Channel, notice: OperatorWord, person: Person) -> bool:
    """Whether a notice goes by this channel: a minor one wakes nobody, and that a channel takes nothing is not told
    through it; unless the person has no other.
    """
    others = [other for other in person.channels if other is not via]
    if notice.minor and via.traits.wakes and any(not other.traits.wakes for other in others):
        return False
    of_itself = notice.trouble is Trouble.PROVIDER_REFUSES and notice.about == via.traits.word
    return not (others and of_itself and isinstance(notice, OperatorNotice))
