"""What another machine sent from memory counts as sent: its try is written down with the page, and later copies are
marked (rule 54, R52).

It is the same page if it is the same step to the same reader by the same channel: each machine that pages by itself
gives it an instant of its own. What was handed in of a page that is not decided yet is kept until it is. That may
never be, where somebody answers first: whoever got it counts as paged meanwhile.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Protocol

import structlog

from tocsin.app.delivery.parcels.parcel import Parcel
from tocsin.app.hand_ins.feed import waiting
from tocsin.app.hand_ins.hand_in import HandIn, SentFromMemory, SentStep, hand_in_of
from tocsin.app.state.incidents import Incidents
from tocsin.domain.arrival import ArrivalKind
from tocsin.domain.delivery import Attempt, Letter, Outcome
from tocsin.domain.facts import Paged
from tocsin.domain.history import NEVER_SEEN, History
from tocsin.domain.notification import Kind, Notification, Reason, Suppression
from tocsin.domain.people import Channel
from tocsin.planning.history.fold import fold_facts
from tocsin.ports.clock import Clock
from tocsin.ports.ledger.ledger import ArrivalLedger, DeliveryLedger, FactLedger
from tocsin.ports.ledger.trouble import LedgerError, Unreadable, UnreadableError

SENT, KEPT = "sent", "kept"
"""What a hand-in led to: its page is known, or not yet."""
KEPT_FOR = timedelta(hours=1)
"""How long what was handed in of a page that is not decided counts for it, since it was."""

log = structlog.get_logger()


class SentLedger(FactLedger, DeliveryLedger, ArrivalLedger, Protocol):
    """Where pages and their tries are, and what was handed in."""


class Sending(Protocol):
    """What sends: the parcels of all letters that are not settled, by their keys."""

    @property
    def open(self) -> Mapping[str, Parcel]:
        """All of them."""
        ...

    def resume(self, parcel: Parcel) -> None:
        """Something became known of it."""
        ...


class Heard(Protocol):
    """Who knows to whom something has left, and so who hears the end."""

    def note_left(self, via: Channel, person: str, incident: str, episode: int) -> None:
        """Something of that episode has."""
        ...


class SentElsewhere:
    """Judges what was sent elsewhere."""

    def __init__(self, clock: Clock, ledger: SentLedger, sending: Sending, heard: Heard, incidents: Incidents) -> None:
        self._clock = clock
        self._ledger = ledger
        self._sending = sending
        self._heard = heard
        self._incidents = incidents
        self._noted: set[SentFromMemory] = set()
        self._kept: dict[SentFromMemory, datetime] = {}

    async def look(self) -> None:
        """Judge what was handed in before this machine plans anything. What cannot be read is left to the feed. Raises
        LedgerError.
        """
        async for row, arrival in waiting(self._ledger):
            if not isinstance(arrival, Unreadable) and arrival.kind is ArrivalKind.SENT:
                with suppress(ValueError):
                    await self._look_at(row, hand_in_of(arrival), arrival.at)

    async def _look_at(self, row: int, sent: HandIn, handed_in_at: datetime) -> None:
        """Raises LedgerError."""
        assert isinstance(sent, SentFromMemory)
        result = await self.judge(sent, handed_in_at)
        if not self.keeps(sent):
            await self._ledger.record_result(row, result)

    def keeps(self, sent: SentFromMemory) -> bool:
        """Whether it is still to be written down with its page, which is not decided yet, or it alone tells who is to
        hear the end. Until then whoever leads next is to judge it anew.
        """
        return sent in self._kept and (not self._is_too_old(sent) or self._is_to_end(sent))

    async def judge(self, sent: SentFromMemory, handed_in_at: datetime) -> str:
        """What became of it. Raises LedgerError."""
        pages = [
            record
            for record in await self._ledger.records(sent.step.incident)
            if isinstance(record.decided, Notification) and _is_of(record.decided, sent)
        ]
        if not pages:
            self._kept.setdefault(sent, handed_in_at)
            return KEPT
        page = min(pages, key=lambda one: _how_far(one.decided, sent.attempt))
        begun = next((attempt for attempt in page.attempts if _is_same(attempt, sent.attempt)), None)
        if begun is None:
            self._tell(await self._write(page.decided.key, sent))
        elif begun.outcome is None:  # whoever led before was killed between the two
            self._tell(await self._end(begun, sent))
        return SENT

    async def attach(self, letters: Sequence[Letter]) -> list[Letter]:
        """These letters, just written down, with what left of them elsewhere. Never raises: a ledger that does not
        take it makes a second copy of it, which is marked.
        """
        self._kept = {sent: at for sent, at in self._kept.items() if self.keeps(sent)}
        return [await self._attached(letter) for letter in letters] if self._kept else list(letters)

    async def _attached(self, letter: Letter) -> Letter:
        mine = [sent for sent in self._kept if _is_of(letter.notification, sent) and not self._is_too_old(sent)]
        for sent in mine:
            try:
                attempt = await self._write(letter.notification.key, sent)
            except LedgerError as trouble:
                log.warning("ledger trouble", trouble=str(trouble))
            else:
                del self._kept[sent]
                letter = replace(letter, attempts=(*letter.attempts, attempt))
        return letter

    async def note_heard(self) -> None:
        """Whoever was paged elsewhere, by a step that is not decided here, hears the end (P5), at once if it was told,
        and also where that incident wants nothing more. It counts as of when it left, and where the incident is open
        again for that episode. Nobody is asked by that, and no step is taken for it. Raises LedgerError.
        """
        paged = defaultdict[tuple[str, str], list[SentFromMemory]](list)
        self._noted &= self._kept.keys()
        for sent in [sent for sent in self._kept if sent not in self._noted]:
            step, history = sent.step, await self._history(sent.step.incident)
            if sent not in self._kept or history.incident is None or step.episode > max(history.episodes):
                continue
            self._noted.add(sent)
            self._heard.note_left(step.via, step.to, step.incident, max(step.episode, history.episode))
            if not _is_reached(history, step):
                paged[step.incident, step.to].append(sent)
        for (incident, person), pages in paged.items():
            at = min(self._clock.now(), *(sent.attempt.started_at for sent in pages))
            channels = tuple(dict.fromkeys(sent.step.via for sent in pages))
            fact = Paged(at, person, (), None, None, Reason.LAST_RESORT, channels)
            self._incidents.add_event(incident, fact)
            log.info("paged elsewhere", incident=incident)

    async def _history(self, incident: str) -> History:
        """What has happened to an incident, also to one of which only the ledger knows any more. Raises LedgerError."""
        if not self._incidents.rests(incident):
            return self._incidents.history(incident)
        try:
            return fold_facts(await self._ledger.facts(incident))
        except UnreadableError:
            return NEVER_SEEN

    def _is_to_end(self, sent: SentFromMemory) -> bool:
        """Whether somebody is to hear the end of it."""
        history = self._incidents.history(sent.step.incident)
        is_theirs = sent.step.episode <= max(history.episodes) and _is_reached(history, sent.step)
        return is_theirs and not history.resolved_at

    def _note_left(self, sent: SentFromMemory) -> None:
        step = sent.step
        self._heard.note_left(step.via, step.to, step.incident, step.episode)

    def _is_too_old(self, sent: SentFromMemory) -> bool:
        return self._clock.now() - self._kept[sent] >= KEPT_FOR

    def _tell(self, attempt: Attempt) -> None:
        """A page that is on its way goes on from how that try ended."""
        parcel = self._sending.open.get(attempt.reference)
        if parcel and parcel.note_elsewhere(attempt):
            self._sending.resume(parcel)

    async def _write(self, key: str, sent: SentFromMemory) -> Attempt:
        """Its try, as one of that letter. Raises LedgerError."""
        left = sent.attempt
        place = key, left.via, left.address, left.started_at, left.possible_duplicate
        begun = await self._ledger.begin_attempt(*place, provider=left.provider)
        self._note_left(sent)
        log.info("sent elsewhere", incident=sent.step.incident, machine=sent.machine)
        return await self._end(begun, sent)

    async def _end(self, begun: Attempt, sent: SentFromMemory) -> Attempt:
        """How it ended. Raises LedgerError."""
        outcome, ended_at = _outcome(sent.attempt), sent.attempt.ended_at or sent.attempt.started_at
        await self._ledger.end_attempt(begun, outcome, ended_at)
        return replace(begun, outcome=outcome, ended_at=ended_at)


def _is_of(page: Notification, sent: SentFromMemory) -> bool:
    return page.kind is Kind.PAGE and (page.key == sent.attempt.reference or SentStep.of(page) == sent.step)


def _is_reached(history: History, step: SentStep) -> bool:
    reached = history.reached.get(step.to)
    return reached is not None and step.via in reached.channels


def _how_far(page: Notification | Suppression, attempt: Attempt) -> tuple[bool, bool, timedelta]:
    """How far a page is from being the one that was tried: its very key, else decided before the try, the newest."""
    earlier = page.at <= attempt.started_at
    return page.key != attempt.reference, not earlier, abs(attempt.started_at - page.at)


def _is_same(attempt: Attempt, other: Attempt) -> bool:
    return (attempt.address, attempt.started_at) == (other.address, other.started_at)


def _outcome(attempt: Attempt) -> Outcome:
    assert attempt.outcome is not None, "what was handed in has ended"
    return attempt.outcome
