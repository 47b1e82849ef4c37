"""What is written down of each attempt before its first byte leaves and after it ended, at once or later.

It decides whether an attempt may begin while the ledger cannot be written.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

import structlog

from tocsin.app.delivery.parcels.delivery import Delivery
from tocsin.app.delivery.parcels.parcel import Parcel
from tocsin.domain.delivery import Attempt, Outcome, Receipt
from tocsin.domain.notification import Kind
from tocsin.domain.policy import Policy
from tocsin.ports.ledger import LedgerError, SendLedger

FROM_MEMORY = {Kind.PAGE: 2, Kind.OPERATOR: 1}
"""Copies that may leave while the ledger cannot be written, for each process (rules 44 and 71)."""
UNWRITTEN = "the ledger could not be written"
"""Why an attempt that the ledger did not know of may be a second copy: a restart would have made it again."""

log = structlog.get_logger()


class AttemptLog:
    """Writes attempts into the ledger, and leaves what it could not take with the delivery."""

    def __init__(self, ledger: SendLedger) -> None:
        self._ledger = ledger

    async def begin(self, parcel: Parcel, to: str, now: datetime, *, provider: str = "") -> tuple[Attempt, ...]:
        """Write a try down, for each letter in it. While the ledger cannot be written pages go all the same, but not
        more than twice, and notices to operators once, at once if it could not even take the letter; nothing when it
        must wait.
        """
        members = parcel.members
        waits = any(member.copies >= FROM_MEMORY.get(parcel.kind, 0) for member in members)
        if (all(member.recorded for member in members) or waits) and await self.save_pending(parcel):
            try:
                return await self._begin(members, to, provider, now)
            except LedgerError as trouble:
                log.warning("ledger trouble", trouble=str(trouble))
        return () if waits else tuple(_from_memory(member, to, provider, now) for member in members)

    async def save_pending(self, parcel: Parcel) -> bool:
        """Give the ledger what it does not know of these letters yet. False when it cannot be written."""
        members = parcel.members
        if any(not member.recorded and parcel.kind is not Kind.OPERATOR for member in members):
            return False  # its incident writes it down, with the facts it belongs to
        try:
            for member in members:
                if not member.recorded:
                    await self._ledger.record(member.notification.incident, (), [member.letter], ())
                    member.recorded = True
                await self._begin_late(member)
            writes = [self._ledger.end_attempt(*_ended(attempt)) for member in members for attempt in member.unsaved]
            writes += [
                self._ledger.settle(member.notification.key, member.state, member.settled_at)
                for member in members
                if member.state and member.settled_at
            ]
            await asyncio.gather(*writes)
        except LedgerError as trouble:
            log.warning("ledger trouble", trouble=str(trouble))
            return False
        for member in members:
            member.unsaved.clear()
        return True

    async def receipt(self, attempts: Sequence[Attempt], receipt: Receipt, now: datetime) -> None:
        """Note what the provider said of a try, where the ledger knows that. Trouble loses only the note."""
        try:
            known = [attempt for attempt in attempts if attempt.id]
            await asyncio.gather(*(self._ledger.record_receipt(attempt, receipt, now) for attempt in known))
        except LedgerError as trouble:
            log.warning("ledger trouble", trouble=str(trouble))

    async def _begin(self, members: Sequence[Delivery], to: str, provider: str, now: datetime) -> tuple[Attempt, ...]:
        """One row for each letter. Raises LedgerError."""
        begun = [
            self._ledger.begin_attempt(letter.key, letter.via, to, now, member.possible_duplicate, provider=provider)
            for member in members
            for letter in (member.notification,)
        ]
        return tuple(await asyncio.gather(*begun))

    async def _begin_late(self, member: Delivery) -> None:
        """Write down what went out from memory. Raises LedgerError."""
        for attempt in tuple(member.unsaved):
            if not attempt.id:
                key, at, cause = attempt.reference, attempt.started_at, attempt.possible_duplicate
                begun = await self._ledger.begin_attempt(
                    key, attempt.via, attempt.address, at, cause, provider=attempt.provider
                )
                member.mark_begun(replace(attempt, id=begun.id))


def _from_memory(member: Delivery, to: str, provider: str, now: datetime) -> Attempt:
    """A try that the ledger does not know of."""
    letter, number = member.notification, len(member.attempts) + 1
    cause = member.possible_duplicate or UNWRITTEN
    return Attempt(0, letter.key, number, letter.via, to, now, possible_duplicate=cause, provider=provider)


def _ended(attempt: Attempt) -> tuple[Attempt, Outcome, datetime]:
    assert attempt.outcome is not None
    assert attempt.ended_at is not None
    return attempt, attempt.outcome, attempt.ended_at


def log_try(parcel: Parcel, policy: Policy) -> None:
    """A line for whoever reads along."""
    notification, attempt = parcel.lead.notification, parcel.attempts[-1]
    log.info(
        "tried",
        kind=notification.kind.value,
        to=notification.to if "@" not in notification.to else "a plain address",
        via=notification.via.value,
        provider=attempt.provider,
        outcome=type(attempt.outcome).__name__.lower(),
        number=attempt.number,
        shown_reader=policy.reader_name(notification.to, notification.group),
    )
