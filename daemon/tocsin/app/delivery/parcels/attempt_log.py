"""What is written down of each attempt before its first byte leaves and after it ended, at once or later.

It decides whether an attempt may begin while the ledger cannot be written.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

import structlog

from tocsin.app.delivery.parcels.delivery import Delivery
from tocsin.app.delivery.parcels.parcel import Parcel
from tocsin.app.state.incidents import Incidents
from tocsin.domain.delivery import Attempt, Bundle, Fate, Outcome
from tocsin.domain.notification import Kind, Notification, Reason
from tocsin.domain.policy import Policy
from tocsin.ports.fence import NO_FENCE, Fence
from tocsin.ports.leadership import FencedError
from tocsin.ports.ledger.ledger import SendLedger
from tocsin.ports.ledger.trouble import LedgerError

FROM_MEMORY = {Kind.PAGE: 2, Kind.OPERATOR: 1}
"""Copies that may leave while the ledger cannot be written, for each process (rules 44 and 71)."""
UNWRITTEN = "the ledger could not be written"
"""Why an attempt that the ledger did not know of may be a second copy: a restart would have made it again."""

LATER_STEPS = frozenset({Reason.ESCALATED, Reason.REPEATED, Reason.LAST_RESORT})
"""Why a ladder pages once somebody was asked."""
WRITES_AGAIN = timedelta(seconds=2)
"""How soon the ledger is tried again after trouble."""

log = structlog.get_logger()


class AttemptLog:
    """Writes attempts into the ledger, and leaves what it could not take with the delivery."""

    def __init__(self, ledger: SendLedger, incidents: Incidents, fence: Fence = NO_FENCE) -> None:
        self._ledger = ledger
        self._incidents = incidents
        self._fence = fence

    async def begin(self, parcel: Parcel, to: str, now: datetime, *, provider: str = "") -> tuple[Attempt, ...]:
        """Write a try down, for each letter in it. While the ledger cannot be written pages go all the same, but not
        more than twice, and notices to operators once, at once if it could not even take the letter; nothing when it
        must wait, or another machine leads.
        """
        members, leads = parcel.members, self._fence.holds()
        waits = any(member.copies >= FROM_MEMORY.get(parcel.kind, 0) for member in members)
        known = all(member.recorded for member in members) or waits
        if leads and known and await self.save_pending(parcel):
            try:
                like = Attempt("", "", 0, parcel.via, to, now, provider=provider)
                return await self._begin(members, parcel.bundle, like)
            except FencedError:
                return ()
            except LedgerError as trouble:
                log.warning("ledger trouble", trouble=str(trouble))
        steps = all(self._is_later_step(member.notification) for member in members)
        if waits or not self._fence.lets_from_memory(step=steps):
            return ()
        return tuple(_from_memory(member, parcel.bundle, to, provider, now) for member in members)

    def _is_later_step(self, page: Notification) -> bool:
        """Whether somebody was asked before it, who may have answered. Steps that reach nobody take no time."""
        began = self._incidents.history(page.incident).started_at
        return page.reason in LATER_STEPS and began is not None and page.at > began

    async def save_pending(self, parcel: Parcel) -> bool:
        """Give the ledger what it does not know of these letters yet. False when it cannot be written, or when a letter
        is to be settled later (`_waits_for_look`).
        """
        members = parcel.members
        if any(not member.recorded and parcel.kind is not Kind.OPERATOR for member in members):
            return False  # its incident writes it down, with the facts it belongs to
        try:
            for member in members:
                if not member.recorded:
                    await self._ledger.record(member.notification.incident, (), [member.letter], ())
                    member.recorded = True
            await self._begin_late(members)
            ended = [_ended(attempt) for member in members for attempt in member.unsaved]
            waiting = [member for member in members if self._waits_for_look(member)]
            settled = [
                (member.notification.key, member.state, member.settled_at)
                for member in members
                if member.state and member.settled_at and member not in waiting
            ]
            if ended or settled:
                await self._ledger.end_and_settle(ended, settled)
        except LedgerError as trouble:
            log.warning("ledger trouble", trouble=str(trouble))
            return False
        for member in members:
            member.unsaved.clear()
        return not waiting

    def _waits_for_look(self, member: Delivery) -> bool:
        """A refused closing is settled once it is on disk what its incident makes of that: its reader may hear the end
        by SMS instead. Until then a start takes it up again, so that no kill in between loses that (P5, rule 58).
        """
        refused = member.state == "refused" and member.notification.kind is Kind.CLOSING
        return refused and self._incidents.has_news(member.notification.incident)

    async def receipt(self, attempts: Sequence[Attempt], fate: Fate, now: datetime) -> None:
        """Note what the provider said of a try, where the ledger knows that. Trouble loses only the note."""
        try:
            known = [attempt for attempt in attempts if attempt.id]
            said = fate.receipt, now, fate.code
            await asyncio.gather(*(self._ledger.record_receipt(attempt, *said) for attempt in known))
        except LedgerError as trouble:
            log.warning("ledger trouble", trouble=str(trouble))

    async def recall_bundle(self, parcel: Parcel) -> bool:
        """After a start: what these pages left as, which a look-up compares with. False when it cannot be read now."""
        id_ = parcel.attempts[-1].bundle
        if not id_ or parcel.bundle:
            return True
        try:
            parcel.bundle = await self._ledger.bundle(id_)
        except LedgerError as trouble:
            log.warning("ledger trouble", trouble=str(trouble))
            return False
        return True

    async def _begin(
        self, members: Sequence[Delivery], bundle: Bundle | None, like: Attempt, causes: Sequence[str] = ()
    ) -> tuple[Attempt, ...]:
        """One row for each letter, of a try such as `like`, all in one transaction. Raises LedgerError."""
        keys = [member.notification.key for member in members]
        causes = causes or [member.possible_duplicate for member in members]
        via, to, at, provider = like.via, like.address, like.started_at, like.provider
        if bundle is None:
            return (await self._ledger.begin_attempt(keys[0], via, to, at, causes[0], provider=provider),)
        known = {key: cause for key, cause in zip(keys, causes, strict=True) if cause}
        return await self._ledger.begin_bundle(bundle, keys, via, to, at, known, provider=provider)

    async def _begin_late(self, members: Sequence[Delivery]) -> None:
        """Write down what went out from memory, each try with all that left in it. Raises LedgerError."""
        tries: dict[tuple[str, int], list[tuple[Delivery, Attempt]]] = {}
        for member in members:
            for attempt in member.unsaved:
                if not attempt.id:
                    left_as = attempt.bundle or attempt.reference
                    tries.setdefault((left_as, attempt.number), []).append((member, attempt))
        for left in tries.values():
            bundle, attempts = left[0][0].bundles.get(left[0][1].bundle), [attempt for _, attempt in left]
            causes = [attempt.possible_duplicate for attempt in attempts]
            begun = await self._begin([member for member, _ in left], bundle, attempts[0], causes)
            for (member, attempt), known in zip(left, begun, strict=True):
                member.mark_begun(replace(attempt, id=known.id))


def _from_memory(member: Delivery, bundle: Bundle | None, to: str, provider: str, now: datetime) -> Attempt:
    """A try that the ledger does not know of."""
    letter, number = member.notification, len(member.attempts) + 1
    cause, id_ = member.possible_duplicate or UNWRITTEN, ""
    if bundle:
        member.bundles[bundle.id], id_ = bundle, bundle.id
    begun = Attempt("", letter.key, number, letter.via, to, now, possible_duplicate=cause)
    member.leaving = begun = replace(begun, provider=provider, bundle=id_)
    return begun


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
