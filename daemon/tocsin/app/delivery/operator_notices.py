"""Operators: what the daemon tells the people who run it when it is in trouble itself (product.md section 5, rule 39).

It decides when a notice leaves, what it holds and by which channels: at most one an hour for a cause, the causes of a
few seconds in one message. It must not know what a trouble means; whoever meets one writes the sentence.
"""

import asyncio
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

import structlog

from tocsin.app.delivery.sender import Sender
from tocsin.domain.delivery import Content, Letter
from tocsin.domain.notification import NOBODY, Kind, Notification, Reason
from tocsin.domain.operator_notice import OperatorNotice
from tocsin.domain.people import Channel, Person
from tocsin.domain.policy import Policy
from tocsin.ports.clock import Clock
from tocsin.ports.ledger import Ledger, LedgerError

GATHERS = 14.0
"""Seconds for which troubles are gathered into one message; it must leave within 15."""
QUIET = timedelta(hours=1)
"""How long a cause stays quiet after it was told."""
MOST = 100
"""Troubles in one message; the rest are counted."""

log = structlog.get_logger()


class OperatorNotices:
    """Gathers troubles and posts them to every operator."""

    def __init__(self, clock: Clock, ledger: Ledger, policy: Callable[[], Policy], post: Sender) -> None:
        self._clock = clock
        self._ledger = ledger
        self._policy = policy
        self._post = post
        self._gathered: dict[str, OperatorNotice] = {}
        self._told: dict[str, datetime] = {}
        self._some = asyncio.Event()

    def tell(self, trouble: OperatorNotice) -> None:
        """Tell the operators within 15 s, unless they heard of this cause in the last hour."""
        now = self._clock.now()
        told_at = self._told.get(trouble.cause)
        if told_at is None or now - told_at >= QUIET:
            log.warning("trouble", cause=trouble.cause, text=trouble.text)
            self._told[trouble.cause] = now
            self._gathered[trouble.cause] = trouble
            self._some.set()

    async def run(self) -> None:
        """Until cancelled."""
        while True:
            await self._some.wait()
            await asyncio.sleep(GATHERS)
            await self.flush()

    async def flush(self) -> None:
        """Post what has been gathered."""
        self._some.clear()
        troubles, self._gathered = tuple(self._gathered.values()), {}
        now, policy = self._clock.now(), self._policy()
        self._told = {cause: at for cause, at in self._told.items() if now - at < QUIET}
        fresh = await self._unheard(troubles, now)
        people = [policy.people[name] for name in policy.operators if name in policy.people]
        letters = [letter for person in people for letter in _letters(person, fresh, policy, now)]
        if not letters:
            return
        try:
            await self._ledger.record(NOBODY, (), letters, ())
        except LedgerError:
            self._post.take(letters, recorded=False)
        else:
            self._post.take(letters)

    async def _unheard(self, troubles: Sequence[OperatorNotice], now: datetime) -> tuple[OperatorNotice, ...]:
        """Those that the ledger has not noted as told in the last hour, by this process or the one before."""
        fresh = []
        for trouble in troubles:
            try:
                if await self._ledger.claim_notice(trouble.cause, now, QUIET):
                    fresh.append(trouble)
            except LedgerError:
                fresh.append(trouble)
        return tuple(fresh)


def _letters(person: Person, troubles: Sequence[OperatorNotice], policy: Policy, now: datetime) -> list[Letter]:
    """One letter for each channel that is right for these troubles."""
    grave = [trouble for trouble in troubles if not trouble.minor]
    quiet = any(not via.traits.wakes for via in person.channels)
    letters = []
    for via in person.channels:
        told = grave if via.traits.wakes and quiet else troubles
        if told:
            moment = now.strftime("%Y%m%dT%H%M%S.%fZ")
            key = f"{NOBODY}/0/{Kind.OPERATOR.value}/{moment}/{person.id}/{via.value}"
            rule = policy.places.get("operators", "tocsin.yaml")
            notification = Notification(
                key, NOBODY, 0, Kind.OPERATOR, Reason.TROUBLE, now, person.id, via, rule=rule, revision=policy.revision
            )
            letters.append(Letter(notification, _content(told, via)))
    return letters


def _content(troubles: Sequence[OperatorNotice], via: Channel) -> Content:
    """The words: all of them at length, the first where texts are short."""
    first, count = troubles[0].text, len(troubles)
    if via.traits.short:
        more = f" (and {count - 1} more)" if count > 1 else ""
        return Content(f"tocsin: {_cut(first, 290 - len(more))}{more}")
    subject = f"tocsin: {_cut(first, 100)}" if count == 1 else f"tocsin: {count} problems"
    lines = [f"- {trouble.text}" for trouble in troubles[:MOST]]
    if count > MOST:
        lines.append(f"- and {count - MOST} more")
    said = "The incident daemon is in trouble. Incidents are still served as far as it can."
    return Content("\n".join([said, "", *lines, ""]), subject)


def _cut(text: str, most: int) -> str:
    """The text on one line, at most so many characters."""
    line = " ".join(text.split())
    return line if len(line) <= most else line[: most - 3] + "..."
