"""What the daemon tells the people who run it when it is in trouble itself, and when that is over (rule 39).

It decides when a message leaves, what it holds and by which channels: at most one an hour for a cause, the causes of a
few seconds together. It must not know what a trouble means; whoever meets one writes the sentence.
"""

import asyncio
import contextlib
from collections.abc import Sequence
from datetime import datetime, timedelta

from tocsin.app.delivery.sender import Sender
from tocsin.app.state.active_config import ActiveConfig
from tocsin.app.state.notices import QUIET, Notices
from tocsin.domain.delivery import Content, Letter
from tocsin.domain.notification import NOBODY, Kind, Notification, Reason
from tocsin.domain.operator_notice import OperatorNotice, Recovery
from tocsin.domain.people import Channel, Person
from tocsin.domain.policy import Policy
from tocsin.ports.clock import Clock
from tocsin.ports.ledger import Ledger, LedgerError

GATHERS = 14.0
"""Seconds for which notices are gathered into one message; it must leave within 15."""
MOST = 100
"""Notices in one message; the rest are counted."""


class OperatorNotices:
    """Sends the notices that wait to every operator."""

    def __init__(self, clock: Clock, ledger: Ledger, config: ActiveConfig, notices: Notices, sender: Sender) -> None:
        self._clock = clock
        self._ledger = ledger
        self._config = config
        self._notices = notices
        self._sender = sender

    async def run(self) -> None:
        """Until cancelled."""
        while True:
            await self._notices.some()
            await asyncio.sleep(GATHERS)
            await self.flush()

    async def flush(self) -> None:
        """Send what has been gathered."""
        now, policy = self._clock.now(), self._config.policy
        fresh = await self._untold(self._notices.take(), now)
        fresh += await self._over(self._notices.take_recovered(), now)
        operators = [policy.people[name] for name in policy.operators if name in policy.people]
        letters = [letter for person in operators for letter in _letters(person, fresh, policy, now)]
        if not letters:
            return
        try:
            await self._ledger.record(NOBODY, (), letters, ())
        except LedgerError:
            self._sender.enqueue(letters, recorded=False)
        else:
            self._sender.enqueue(letters)

    async def _untold(self, notices: Sequence[OperatorNotice], now: datetime) -> tuple[OperatorNotice, ...]:
        """Those that the ledger has not noted as told in the last hour, by this process or the one before."""
        fresh = []
        for notice in notices:
            try:
                if await self._ledger.claim_notice(notice.cause, now, QUIET):
                    fresh.append(notice)
                if notice.cause != notice.subject:
                    await self._ledger.claim_notice(notice.subject, now, timedelta(0))
            except LedgerError:
                fresh.append(notice)
        return tuple(fresh)

    async def _over(self, recovered: Sequence[Recovery], now: datetime) -> tuple[OperatorNotice, ...]:
        """Those of which the ledger has noted that they were told, and not yet that they are over."""
        over = []
        for recovery in recovered:
            with contextlib.suppress(LedgerError):
                told_at = await self._ledger.noticed_at(recovery.subject)
                over_at = await self._ledger.noticed_at(_OVER + recovery.subject)
                if told_at is not None and (over_at is None or over_at < told_at):
                    await self._ledger.claim_notice(_OVER + recovery.subject, now, timedelta(0))
                    over.append(OperatorNotice(recovery.trouble, f"it is over: {recovery.text}", about=recovery.about))
        return tuple(over)


_OVER = "over:"
"""What stands before a subject where the ledger notes that its end was told."""


def _letters(person: Person, notices: Sequence[OperatorNotice], policy: Policy, now: datetime) -> list[Letter]:
    """One letter for each channel that is right for these notices."""
    grave = [notice for notice in notices if not notice.minor]
    quiet = any(not via.traits.wakes for via in person.channels)
    letters = []
    for via in person.channels:
        sent = grave if via.traits.wakes and quiet else notices
        if sent:
            moment = now.strftime("%Y%m%dT%H%M%S.%fZ")
            key = f"{NOBODY}/0/{Kind.OPERATOR.value}/{moment}/{person.id}/{via.value}"
            rule = policy.places.get("operators", "tocsin.yaml")
            notification = Notification(
                key, NOBODY, 0, Kind.OPERATOR, Reason.TROUBLE, now, person.id, via, rule=rule, revision=policy.revision
            )
            letters.append(Letter(notification, _content(sent, via)))
    return letters


def _content(notices: Sequence[OperatorNotice], via: Channel) -> Content:
    """The words: all of them at length, the first where texts are short."""
    first, count = notices[0].text, len(notices)
    if via.traits.short:
        more = f" (and {count - 1} more)" if count > 1 else ""
        return Content(f"tocsin: {_cut(first, 290 - len(more))}{more}")
    subject = f"tocsin: {_cut(first, 100)}" if count == 1 else f"tocsin: {count} problems"
    lines = [f"- {notice.text}" for notice in notices[:MOST]]
    if count > MOST:
        lines.append(f"- and {count - MOST} more")
    headline = "The incident daemon is in trouble. Incidents are still served as far as it can."
    return Content("\n".join([headline, "", *lines, ""]), subject)


def _cut(text: str, most: int) -> str:
    """The text on one line, at most so many characters."""
    line = " ".join(text.split())
    return line if len(line) <= most else line[: most - 3] + "..."
