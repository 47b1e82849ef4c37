"""Whom a refusal is put down to: the address, or the provider that refuses one after the other (rule 38).

It takes back what a provider was wrong about: the incidents hear of it, what operators were to be told is not told, and
the ledger notes the tries as refused for this once. It must not know how anything is sent.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

import structlog

from tocsin.app.delivery.context import DeliveryContext
from tocsin.app.delivery.provider_health import ProviderHealth
from tocsin.app.delivery.refusals.refusal_notice import refusal_notice, refused_about
from tocsin.app.delivery.refusals.refusal_row import Try
from tocsin.app.state.incident_state import RefusalWithdrawn
from tocsin.domain.arrival import OptOut
from tocsin.domain.delivery import Attempt, Fate, Fault, Outcome, Refused
from tocsin.domain.notification import OUTSIDE_PLAN, Notification
from tocsin.domain.operator_notice import Trouble
from tocsin.ports.ledger.ledger import SendLedger
from tocsin.ports.ledger.trouble import LedgerError
from tocsin.wording.delivery.sms_verdicts import says_stop

log = structlog.get_logger()


class Blame:
    """One for all providers."""

    def __init__(self, ledger: SendLedger, context: DeliveryContext) -> None:
        self._ledger = ledger
        self._context = context
        self._unsaved: list[Attempt] = []

    def after_try(self, health: ProviderHealth, tries: Sequence[Try]) -> Outcome:
        """How these tries of one message ended: as the provider says, if it is not wrong about addresses."""
        outcome = tries[0][0].outcome
        assert outcome is not None
        if not isinstance(outcome, Refused) or outcome.fault is not Fault.ADDRESS:
            return outcome
        wrong = health.on_refused(tries)
        if wrong is None:
            return outcome
        self._take_back(health, wrong)
        return replace(outcome, fault=Fault.MESSAGE)

    async def after_receipt(self, health: ProviderHealth, tries: Sequence[Try], fate: Fate, at: datetime) -> Fate:
        """What became of these tries: as the provider says, unless it is wrong about addresses."""
        refused = fate.refused is not None and fate.refused.fault is Fault.ADDRESS
        if refused:
            tries = [(replace(attempt, outcome=fate.refused, ended_at=at), told) for attempt, told in tries]
        wrong = health.on_receipt(tries, fate, at)
        if wrong is None:
            return fate
        self._take_back(health, wrong)
        await self.save()
        if not refused:
            return fate
        self.withdraw(health, tries)
        return replace(fate, refused=None, fault=Fault.PROVIDER)

    async def save(self) -> None:
        """Let the ledger know what was taken back; what it cannot take now is given again the next time."""
        if not self._unsaved:
            return
        unsaved, self._unsaved = self._unsaved, []
        ends = [self._end(attempt) for attempt in unsaved if attempt.id]
        saved = await asyncio.gather(*ends)
        self._unsaved += [attempt for attempt in saved if attempt is not None]

    async def _end(self, attempt: Attempt) -> Attempt | None:
        """The attempt, if it could not be written."""
        assert attempt.outcome is not None
        assert attempt.ended_at is not None
        try:
            await self._ledger.end_attempt(attempt, attempt.outcome, attempt.ended_at)
        except LedgerError as trouble:
            log.warning("ledger trouble", trouble=str(trouble))
            return attempt
        return None

    def _take_back(self, health: ProviderHealth, refusals: Sequence[Try]) -> None:
        """These addresses are good: nobody hears of them any more, and their pages go once more."""
        for attempt, notification in refusals:
            self._context.notices.retract(Trouble.ADDRESS_REFUSED, refused_about(notification))
            if isinstance(attempt.outcome, Refused):
                self._unsaved.append(replace(attempt, outcome=replace(attempt.outcome, fault=Fault.MESSAGE)))
        self.withdraw(health, refusals)

    def withdraw(self, health: ProviderHealth, refusals: Sequence[Try]) -> None:
        """The incidents hear of it, those that are over apart: a refusal ends with the episode."""
        stand_in = health.stood_in_for
        for attempt, notification in refusals:
            incident = notification.incident
            if notification.kind not in OUTSIDE_PLAN and not self._context.incidents.is_archived(incident):
                self._context.incidents.add_event(incident, RefusalWithdrawn(notification, attempt.address, stand_in))


def hear_refusal(
    context: DeliveryContext, notification: Notification, address: str, refused: Refused, now: datetime
) -> None:
    """A message to this address was refused: operators hear of it; or, where the number answered STOP, whoever acts on
    that (rule 51).
    """
    if says_stop(notification.via, refused) and context.config.reply_routes.hears(address):
        opt_out = OptOut(notification.via, address, now, f"{refused.code} {notification.key}")
        context.config.opt_outs.hear(opt_out)
    else:
        context.notices.tell(refusal_notice(notification, refused, context.config.policy))


def hear_last_refusal(
    context: DeliveryContext, notification: Notification, attempts: Sequence[Attempt], now: datetime
) -> None:
    """The same, of the newest of these tries that was refused."""
    for attempt in reversed(attempts):
        if isinstance(attempt.outcome, Refused):
            hear_refusal(context, notification, attempt.address, attempt.outcome, now)
            return
