"""A world for the real app floor: virtual time, a folder in memory, a disk that survives kills, providers with faults.

Everything random comes from one seeded source, so a seed tells the whole story again.
"""

import asyncio
import contextlib
import copy
import itertools
import random
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from tocsin.app.arrivals.edit_feed import EditFeed
from tocsin.app.arrivals.edit_judge import EditJudge
from tocsin.app.arrivals.gate import Gate
from tocsin.app.arrivals.in_memory.answers import AnswersInMemory
from tocsin.app.arrivals.inbound import Arrivals
from tocsin.app.arrivals.inbox_feed import InboxFeed
from tocsin.app.arrivals.link_answers import LinkAnswers
from tocsin.app.delivery.bundles import Bundles
from tocsin.app.delivery.context import DeliveryContext
from tocsin.app.delivery.operator_notices import OperatorNotices
from tocsin.app.delivery.providers import Providers
from tocsin.app.delivery.receipts import Receipts
from tocsin.app.delivery.rooms import RECKONED_FROM, Rooms
from tocsin.app.delivery.sender import Sender
from tocsin.app.delivery.transports import Transports
from tocsin.app.engine.pruner import Calm, Pruner
from tocsin.app.engine.reconcile import Reconciler
from tocsin.app.engine.scheduler import Scheduler
from tocsin.app.hand_ins.feed import waiting
from tocsin.app.hand_ins.from_memory.sent_elsewhere import SentElsewhere
from tocsin.app.hand_ins.handed_in import HandedIn, NoticesHandedIn
from tocsin.app.hand_ins.leading import shared_folders
from tocsin.app.hand_ins.standby_folder import FolderHandIn
from tocsin.app.hand_ins.standby_inbox import JudgedElsewhere, StandbyGate
from tocsin.app.intake.intake import Intake
from tocsin.app.intake.one_folder import OneFolder
from tocsin.app.intake.set_aside import SetAsideIncidents
from tocsin.app.intake.watch import Watch
from tocsin.app.leadership.alone import Alone
from tocsin.app.lifecycle.clock_watch import ClockSteps, ClockWatch
from tocsin.app.lifecycle.health import Health
from tocsin.app.lifecycle.run import Daemon, Orders
from tocsin.app.lifecycle.startup import recall
from tocsin.app.replies.flips import Flips
from tocsin.app.replies.sms import SmsReplies
from tocsin.app.replies.stops import Stops
from tocsin.app.reply_options.codes import Codes
from tocsin.app.reply_options.options import ReplyOptions
from tocsin.app.sign_in.judge import SignIns
from tocsin.app.state.active_config import ActiveConfig
from tocsin.app.state.agenda import Agenda
from tocsin.app.state.incidents import Incidents
from tocsin.app.state.notices import Notices
from tocsin.app.state.open_sessions import OpenSessions
from tocsin.app.state.opt_outs import OptOuts
from tocsin.domain.arrival import BY_FILE, HANDED_IN, ArrivalKind, Judgement, OptOut
from tocsin.domain.arrival import Arrival as CameIn
from tocsin.domain.delivery import (
    CERTAINTY,
    Accepted,
    Attempt,
    Bundle,
    Content,
    Deferred,
    Fate,
    Fault,
    Letter,
    Message,
    Outcome,
    Receipt,
    Record,
    Refused,
    Uncertain,
    numbered_attempt,
)
from tocsin.domain.facts import Answered, ClockMoved, Fact, Gone, Seen
from tocsin.domain.history import History
from tocsin.domain.incident import Incident
from tocsin.domain.notification import ASKING, NO_REPLY_OFFER, AnswerLink, Kind, Notification, ReplyOffer, Suppression
from tocsin.domain.people import MAIN, Channel, Session
from tocsin.domain.plan import AfterPages
from tocsin.domain.policy import Policy
from tocsin.formats.settings.limits import AddressLimits, EmailLimits, SmsLimits
from tocsin.planning.history.redating import moved, moved_notification, not_later
from tocsin.ports.fence import Lead
from tocsin.ports.ledger.kept_file import KeptFile
from tocsin.ports.ledger.trouble import LedgerError, Unreadable, UnreadableError
from tocsin.ports.ledger.upkeep import PrunedIncident

from tests.builders.active_config import settings
from tests.builders.daemon_parts import PlainBundles, shipped_words
from tests.fakes.folder import FakeFolder, FakeFolderMemory
from tests.fakes.inbox import FakeInboxFolder
from tests.fakes.incident_files import MemoryIncidentFiles
from tests.fakes.ledger import acts_in_turn
from tests.fakes.loop import VirtualClock
from tests.fakes.upkeep import DiskUpkeep

Dice = random.Random
TERMS = itertools.count(1)


@dataclass
class Disk:
    """What a kill leaves behind."""

    facts: dict[str, list[Fact]] = field(default_factory=dict)
    letters: dict[str, Letter] = field(default_factory=dict)
    held: dict[str, Suppression] = field(default_factory=dict)
    recorded_at: dict[str, datetime] = field(default_factory=dict)
    attempts: dict[str, list[Attempt]] = field(default_factory=dict)
    bundles: dict[str, Bundle] = field(default_factory=dict)
    links: dict[str, AnswerLink] = field(default_factory=dict)
    opt_outs: dict[tuple[Channel, str], OptOut] = field(default_factory=dict)
    sessions: dict[str, Session] = field(default_factory=dict)
    states: dict[str, str] = field(default_factory=dict)
    notices: dict[str, datetime] = field(default_factory=dict)
    files: dict[str, tuple[str, str]] = field(default_factory=dict)
    pruned: dict[str, PrunedIncident] = field(default_factory=dict)
    finished: set[str] = field(default_factory=set)
    arrivals: list[tuple[CameIn, str | None]] = field(default_factory=list)
    answers: list[tuple[str, Answered]] = field(default_factory=list)
    words: dict[str, Judgement] = field(default_factory=dict)
    judged_at: dict[str, datetime] = field(default_factory=dict)
    contents: dict[str, tuple[str, bytes]] = field(default_factory=dict)
    unreadable: dict[str, Unreadable] = field(default_factory=dict)
    full: bool = False
    term: int = 0
    """Under which somebody leads."""

    def go_back_to(self, older: "Disk") -> None:
        """All that was kept since is lost: as when a replica that lagged behind is promoted."""
        vars(self).update(vars(copy.deepcopy(older)))


class DiskLedger:
    """A port Ledger on a Disk; a killed process's ledger writes nothing any more."""

    away = ""

    def __init__(self, disk: Disk, clock: VirtualClock, dice: Dice) -> None:
        self._disk, self._clock, self._dice = disk, clock, dice
        self.killed = self.cut = False
        self._own_arrivals = set[str]()

    async def _commit(self, *, evidence: bool = False) -> None:
        """`evidence`: whoever leads (rule 52); alone it is all the same."""
        await asyncio.sleep(self._dice.uniform(0.0002, 0.003))
        if self.killed:
            await asyncio.Event().wait()
        if self._disk.full or self.cut:
            raise LedgerError("no space left on device")

    async def _read(self) -> None:
        """A disk without room is read all the same."""
        await asyncio.sleep(self._dice.uniform(0.0002, 0.003))
        if self.killed:
            await asyncio.Event().wait()
        if self.cut:
            raise LedgerError("it cannot be reached")

    async def record(
        self,
        incident: str,
        facts: Sequence[Fact],
        letters: Sequence[Letter],
        held: Sequence[Suppression],
        anew: datetime | None = None,
    ) -> frozenset[str]:
        await self._commit()
        self._disk.held.update((suppression.key, suppression) for suppression in held)
        if anew is not None:
            self._disk.unreadable.pop(incident, None)
            self._disk.facts.pop(incident, None)
            for key, letter in self._disk.letters.items():
                if letter.notification.incident == incident and letter.notification.kind in ASKING:
                    self._disk.states.setdefault(key, "superseded")
        self._disk.facts.setdefault(incident, []).extend(facts)
        self._disk.answers += [(incident, fact) for fact in facts if isinstance(fact, Answered)]
        if facts:
            self._disk.finished.discard(incident)
        self._disk.links.update((letter.link.digest, letter.link) for letter in letters if letter.link)
        new = [letter for letter in letters if letter.notification.key not in self._disk.letters]
        for letter in new:
            self._disk.letters[letter.notification.key] = letter
            self._disk.recorded_at[letter.notification.key] = self._clock.now()
        return frozenset(letter.notification.key for letter in new)

    async def begin_attempt(
        self, key: str, via: Channel, address: str, at: datetime, possible_duplicate: str = "", *, provider: str = ""
    ) -> Attempt:
        await self._commit()
        return self._begin(key, via, address, at, possible_duplicate, provider)

    def _begin(
        self, key: str, via: Channel, address: str, at: datetime, cause: str, provider: str, bundle: str = ""
    ) -> Attempt:
        assert key in self._disk.letters, "a try of a letter that was never recorded"
        tries = self._disk.attempts.setdefault(key, [])
        number, new = len(tries) + 1, numbered_attempt(1 + sum(map(len, self._disk.attempts.values())))
        begun = Attempt(new, key, number, via, address, at, possible_duplicate=cause, provider=provider, bundle=bundle)
        tries.append(begun)
        return begun

    async def begin_bundle(
        self,
        bundle: Bundle,
        keys: Sequence[str],
        via: Channel,
        address: str,
        at: datetime,
        causes: Mapping[str, str],
        *,
        provider: str = "",
    ) -> tuple[Attempt, ...]:
        await self._commit()
        self._disk.bundles.setdefault(bundle.id, bundle)
        self._disk.links.update((link.digest, link) for link in bundle.links)
        return tuple(self._begin(key, via, address, at, causes.get(key, ""), provider, bundle.id) for key in keys)

    async def bundle(self, id_: str) -> Bundle | None:
        return self._disk.bundles.get(id_)

    async def sent_pages(self, since: datetime, person: str = "") -> tuple[tuple[Notification, Attempt], ...]:
        sent, first = [], set()
        for attempt in sorted((each for tries in self._disk.attempts.values() for each in tries), key=lambda it: it.id):
            page = self._disk.letters[attempt.reference].notification
            place = page.incident, page.episode, attempt.via, attempt.address
            unfinished = page.incident not in self._disk.finished
            if person not in {"", page.to}:
                continue
            if page.kind is Kind.PAGE and (attempt.started_at >= since or (unfinished and place not in first)):
                sent.append((page, attempt))
            first |= {place} if page.kind is Kind.PAGE else set()
        return tuple(sent)

    async def opt_outs(self) -> tuple[OptOut, ...]:
        return tuple(self._disk.opt_outs.values())

    async def opt_out(self, opt_out: OptOut) -> None:
        await self._commit()
        self._disk.opt_outs.setdefault((opt_out.via, opt_out.address), opt_out)

    async def begin_session(self, session: Session) -> None:
        await self._commit()
        self._disk.sessions.setdefault(session.digest, session)

    async def end_sessions(self, digests: Collection[str]) -> None:
        await self._commit()
        for digest in digests:
            self._disk.sessions.pop(digest, None)

    async def sessions(self) -> tuple[Session, ...]:
        return tuple(self._disk.sessions.values())

    async def opt_in(self, via: Channel, address: str) -> bool:
        await self._commit()
        return self._disk.opt_outs.pop((via, address), None) is not None

    async def record_answers(self, answers: Sequence[tuple[str, Answered]], letter: Letter) -> bool:
        await self._commit()
        if letter.notification.key in self._disk.letters:
            return False
        self._disk.letters[letter.notification.key] = letter
        for incident, answer in answers:
            self._disk.facts[incident].append(answer)
            self._disk.answers.append((incident, answer))
        return True

    async def pages_handed_over(self, person: str, until: datetime, *, begun: bool) -> frozenset[tuple[str, int]]:
        await self._read()
        pages = {key: letter.notification for key, letter in self._disk.letters.items()}
        taken = [
            pages[attempt.reference]
            for tries in self._disk.attempts.values()
            for attempt in tries
            if isinstance(attempt.outcome, (Accepted, Uncertain))
            and (at := attempt.started_at if begun else attempt.ended_at)
            and at <= until
        ]
        return frozenset((page.incident, page.episode) for page in taken if (page.kind, page.to) == (Kind.PAGE, person))

    async def records(self, incident: str) -> tuple[Record, ...]:
        await self._read()
        letters = [letter for letter in self._disk.letters.values() if letter.notification.incident == incident]
        return tuple(Record(letter.notification, letter.content) for letter in letters)

    async def has_arrived(self, kind: ArrivalKind, ref: str) -> bool:
        await self._read()
        return any((arrival.kind, arrival.ref) == (kind, ref) for arrival, _ in self._disk.arrivals)

    async def outcome(self, kind: ArrivalKind, ref: str) -> Judgement | None:
        await self._read()
        results = (result for came, result in self._disk.arrivals if (came.kind, came.ref) == (kind, ref) and result)
        return next((Judgement(result, "") for result in results), None)

    async def newest_results(self, kind: ArrivalKind, who: str, most: int) -> tuple[str, ...]:
        results = [result for came, result in self._disk.arrivals if (came.kind, came.who) == (kind, who) and result]
        return tuple(reversed(results))[:most]

    async def results_since(self, kind: ArrivalKind, who: str, since: datetime) -> tuple[tuple[datetime, str], ...]:
        judged = [(came.at, result) for came, result in self._disk.arrivals if (came.kind, came.who) == (kind, who)]
        return tuple(sorted((at, result) for at, result in judged if result and at > since))

    async def end_attempt(self, attempt: Attempt, outcome: Outcome, at: datetime) -> None:
        await self._commit(evidence=True)
        known = next(each.outcome for each in self._disk.attempts[attempt.reference] if each.id == attempt.id)
        if known is None or CERTAINTY[type(outcome)] >= CERTAINTY[type(known)]:
            self._change(attempt, outcome=outcome, ended_at=at)

    def _change(self, attempt: Attempt, **changes: Any) -> None:
        tries = self._disk.attempts[attempt.reference]
        place = next(place for place, each in enumerate(tries) if each.id == attempt.id)
        tries[place] = replace(tries[place], **changes)

    async def find_attempt(self, attempt: str) -> tuple[tuple[Attempt, Notification], ...]:
        await self._read()
        all_tries = [each for tries in self._disk.attempts.values() for each in tries]
        found = [each for each in all_tries if each.id == attempt]
        found += [
            each
            for each in all_tries
            if found and found[0].bundle and each.bundle == found[0].bundle and each.id != attempt
            if (each.started_at, each.provider) == (found[0].started_at, found[0].provider)
        ]
        return tuple((each, self._disk.letters[each.reference].notification) for each in found)

    async def end_and_settle(
        self, ended: Sequence[tuple[Attempt, Outcome, datetime]], settled: Sequence[tuple[str, str, datetime]]
    ) -> None:
        """Each by itself, so that it is also seen what one of them without the others leads to."""
        writes = [self.end_attempt(*end) for end in ended], [self.settle(*settlement) for settlement in settled]
        await asyncio.gather(*writes[0], *writes[1])

    async def settle(self, key: str, state: str, at: datetime) -> None:
        await self._commit()
        self._disk.states.setdefault(key, state)

    async def record_receipt(self, attempt: Attempt, receipt: Receipt, at: datetime, code: str = "") -> None:
        await self._commit(evidence=True)
        if receipt.rank > (attempt.receipt or Receipt.UNKNOWN).rank:
            self._change(attempt, receipt=receipt, receipt_code=code)

    async def record_arrival(self, arrival: CameIn) -> bool:
        await self._commit(evidence=True)
        self._own_arrivals.add(arrival.ref)
        if any((came.kind, came.ref) == (arrival.kind, arrival.ref) for came, _ in self._disk.arrivals):
            return False
        self._disk.arrivals.append((arrival, None))
        return True

    async def last_arrival_at(self, kind: ArrivalKind) -> datetime | None:
        return max((came.at for came, _ in self._disk.arrivals if came.kind is kind), default=None)

    async def reserved_codes(self, _since: datetime) -> tuple[Any, ...]:
        return ()

    async def unjudged_arrivals(self) -> tuple[tuple[int, CameIn], ...]:
        await self._read()
        return tuple(one for one in self._unjudged() if one[1].kind not in BY_FILE | HANDED_IN)

    async def news(self, within: float) -> None:
        """Not at all: others may write at any time."""

    async def unjudged_hand_ins(self, under_way: Collection[int] = ()) -> tuple[tuple[int, CameIn], ...]:
        await self._read()
        return tuple(one for one in self._unjudged() if one[1].kind in HANDED_IN and one[0] not in under_way)

    async def unjudged_acts(self) -> tuple[tuple[int, CameIn], ...]:
        await self._read()
        return acts_in_turn(self._unjudged())

    def _unjudged(self) -> list[tuple[int, CameIn]]:
        return [(row, came) for row, (came, result) in enumerate(self._disk.arrivals) if result is None]

    async def record_result(self, row: int, result: str, words: str = "") -> None:
        await self._commit()
        arrival, known = self._disk.arrivals[row]
        if known is None:
            self._disk.arrivals[row] = (arrival, result)
            self._disk.words[arrival.ref] = Judgement(result, words)
            self._disk.judged_at[arrival.ref] = self._clock.now()

    async def claim_notice(self, cause: str, at: datetime, quiet: timedelta) -> bool:
        await self._commit()
        told = self._disk.notices.get(cause)
        if told is not None and timedelta(0) <= at - told < quiet:
            return False
        self._disk.notices[cause] = at
        return True

    async def noticed_at(self, cause: str) -> datetime | None:
        return self._disk.notices.get(cause)

    async def move_clock(self, by: timedelta, now: datetime) -> None:
        """As the real one does it; nobody answers through the ledger here."""
        await self._commit()
        disk, touched = self._disk, self._disk.facts.keys() - self._disk.finished
        for name in touched:
            redated = [not_later(moved(fact, by), now) for fact in disk.facts[name]]
            disk.facts[name] = [*redated, *([ClockMoved(now, by)] if redated else [])]
        for key, letter in disk.letters.items():
            if key not in disk.states or letter.notification.incident in touched:
                disk.letters[key] = replace(letter, notification=moved_notification(letter.notification, by))
                disk.attempts[key] = [
                    replace(
                        attempt,
                        started_at=attempt.started_at + by,
                        ended_at=attempt.ended_at + by if attempt.ended_at else None,
                    )
                    for attempt in disk.attempts.get(key, ())
                ]
        disk.notices = {cause: at + by for cause, at in disk.notices.items()}

    async def facts(self, incident: str) -> tuple[Fact, ...]:
        await self._read()
        if incident in self._disk.unreadable:
            raise UnreadableError(self._disk.unreadable[incident])
        return tuple(self._disk.facts.get(incident, ()))

    async def generation(self) -> str:
        await self._read()
        here = {came.ref for came, _ in self._disk.arrivals}
        return f"{self._disk.term} {self._own_arrivals <= here}"

    async def version_digests(
        self, incidents: Collection[str], *, newest: bool = False
    ) -> Mapping[str, tuple[str, ...]]:
        await self._read()
        digests = {name: left.digests for name, left in self._disk.pruned.items() if name in incidents}
        for name in self._disk.facts.keys() & set(incidents):
            for fact in self._disk.facts[name]:
                if isinstance(fact, Gone):
                    digests.pop(name, None)
                elif isinstance(fact, Seen):
                    digests[name] = (*digests.get(name, ()), fact.digest)
        return {name: known[-1:] if newest else known for name, known in digests.items() if known}

    async def finish(self, incident: str) -> None:
        await self._commit()
        self._disk.finished.add(incident)

    async def keep_file(self, incident: str, file: str, digest: str, data: bytes) -> None:
        await self._commit()
        self._disk.files[incident] = (file, digest)
        self._disk.contents[incident] = (file, data)

    async def file(self, incident: str) -> KeptFile | None:
        await self._read()
        kept = self._disk.contents.get(incident)
        return KeptFile(*kept, self._disk.files[incident][1]) if kept else None

    async def incidents(self) -> tuple[str, ...]:
        await self._read()
        return tuple(self._disk.facts)

    async def unfinished(self) -> dict[str, tuple[Fact, ...] | Unreadable]:
        return {
            name: self._disk.unreadable.get(name) or tuple(facts)
            for name, facts in self._disk.facts.items()
            if facts and name not in self._disk.finished
        }

    async def unreadable_letters(self) -> tuple[Unreadable, ...]:
        return ()

    async def files(self) -> dict[str, tuple[str, str]]:
        return dict(self._disk.files)

    async def pruned(self, incident: str) -> PrunedIncident | None:
        return self._disk.pruned.get(incident)

    async def pruned_digests(self) -> Mapping[str, str]:
        return {incident: left.digests[-1] for incident, left in self._disk.pruned.items()}

    def unsettled(self) -> tuple[Letter, ...]:
        return tuple(
            replace(letter, attempts=tuple(self._disk.attempts.get(key, ())))
            for key, letter in self._disk.letters.items()
            if key not in self._disk.states
        )


@dataclass(frozen=True)
class Arrival:
    """A message that truly reached somebody."""

    at: datetime
    message: Message


@dataclass
class Faults:
    """How often what goes wrong, and who refuses."""

    deferred: float = 0.0
    lost: float = 0.0
    unheard: float = 0.0
    refuses: frozenset[str] = frozenset()
    undelivered: float = 0.0
    down: frozenset[Channel] = frozenset()
    broken: frozenset[Channel] = frozenset()


class Provider:
    """A port Transport that keeps its own truth. `receipts` as a provider of SMS gives them."""

    polled = None
    warmed = None
    skew = None

    def __init__(self, via: Channel, clock: VirtualClock, dice: Dice, faults: Faults, receipts: bool) -> None:
        self._via, self._clock, self._dice, self.faults = via, clock, dice, faults
        self.receipts = receipts
        self.arrived: list[Arrival] = []
        self.asked: list[tuple[datetime, str]] = []
        self.says: Fate | None = None
        self.takes = 0.0
        self.closed = False
        self.tells: Callable[[str, int, str], None] | None = None
        self._undelivered: set[str] = set()

    async def send(self, message: Message) -> Outcome:
        faults, roll = self.faults, self._dice.random()
        await asyncio.sleep(self._dice.uniform(0.001, 0.2) + self.takes)
        if self._via in faults.broken:
            return Deferred("535 authentication failed", "535", Fault.PROVIDER)
        if self._via in faults.down or roll < faults.deferred:
            return Deferred("connection refused")
        if message.address in faults.refuses:
            return Refused("550 no such user", "550")
        if roll < faults.deferred + faults.lost:
            return Uncertain("the connection broke")
        self.arrived.append(Arrival(self._clock.now(), message))
        name = f"id{len(self.arrived)}"
        undelivered = self._dice.random() < faults.undelivered
        self._undelivered |= {name} if undelivered else set()
        if self.receipts and self.tells is not None:
            self.tells(name, message.attempt, "undelivered" if undelivered else "delivered")
        await asyncio.sleep(self._dice.uniform(0.001, 0.2))
        if roll < faults.deferred + faults.lost + faults.unheard:
            return Uncertain("the reply did not come")
        return Accepted(name)

    async def find(self, message: Message, since: datetime) -> Outcome:
        await asyncio.sleep(0.05)
        if self._via is Channel.EMAIL:
            return Uncertain("a mail server cannot be asked")
        found = any(each.message.reference == message.reference and each.at >= since for each in self.arrived)
        return Accepted("found") if found else Deferred("not in the list")

    async def fate(self, provider_id: str) -> Fate:
        self.asked.append((self._clock.now(), provider_id))
        if self.says is not None:
            return self.says
        return Fate(Receipt.UNDELIVERED if provider_id in self._undelivered else Receipt.DELIVERED)

    async def answers(self) -> bool:
        return self._via not in self.faults.down

    async def close(self) -> None:
        """Note it."""
        self.closed = True


class PlainRenderer:
    """A port Renderer whose words are the facts."""

    def render(
        self,
        notification: Notification,
        incident: Incident,
        history: History,
        policy: Policy,
        invitation: ReplyOffer = NO_REPLY_OFFER,
        after: AfterPages | None = None,
    ) -> Content:
        said = f"{notification.kind} {notification.reason} {incident.title} {incident.status}"
        return Content(said, said if notification.via is Channel.EMAIL else "")


class Silent:
    """A port ServiceManager and Heartbeat that only count."""

    def __init__(self) -> None:
        self.beats = 0
        self.pings = 0
        self.said: list[str] = []

    def ready(self, status: str) -> None:
        self.said.append(f"ready: {status}")

    def reloading(self) -> None:
        self.said.append("reloading")

    def stopping(self) -> None:
        self.said.append("stopping")

    def healthy(self) -> None:
        self.beats += 1

    async def ping(self, url: str) -> str:
        self.pings += 1
        return ""


class MachineClock:
    """A port MovableClock on virtual time: the machine's clock can be put forward and back."""

    source = "this machine's clock"

    def __init__(self, clock: VirtualClock) -> None:
        self._clock = clock
        self.ahead = self._followed = timedelta(0)

    def now(self) -> datetime:
        """The line that the daemon goes by."""
        return self._clock.now() + self._followed

    def step(self) -> timedelta:
        """How far the machine's clock is ahead of that."""
        step = self.ahead - self._followed
        return step if abs(step) > timedelta(seconds=10) else timedelta(0)

    def move(self, by: timedelta) -> None:
        """Follow."""
        self._followed += by

    def machine_ahead(self) -> None:
        """It goes by the machine's own."""
        return


class World:
    """One machine: start the daemon, let time pass, break things, look at what arrived."""

    def __init__(self, clock: VirtualClock, policy: Policy, seed: int = 0, receipts: bool = True) -> None:
        self.clock, self.policy, self.settings = clock, policy, settings()
        self.began_at = clock.now()
        self.machine: Any = MachineClock(clock)
        self.steps = ClockSteps()
        self.lead: Lead = Alone()
        self.sessions = OpenSessions()
        self.receipts: Any = None
        self.further_parts: tuple[Any, ...] = ()
        self.notices: Callable[[Any], Notices] = Notices
        self.without: tuple[type, ...] = ()
        self.unseen = False
        self.dice = Dice(seed)
        self.disk, self.folder, self.faults, self.inbox = (
            Disk(),
            FakeFolder(),
            Faults(),
            FakeInboxFolder(looks_every=2.0),
        )
        self.files = MemoryIncidentFiles(self.folder)
        self.providers: dict[Channel, Provider] = {
            via: Provider(via, clock, self.dice, self.faults, receipts and via is Channel.SMS) for via in Channel
        }
        self.fallbacks: dict[Channel, Provider] = {}
        self.manager = Silent()
        self.webhooks: set[asyncio.Task[None]] = set()
        self._task: asyncio.Task[None] | None = None
        self._ledger: DiskLedger | None = None
        self.daemon: Any = None
        self.machine_name = ""
        self.memory = FakeFolderMemory()

    @property
    def arrived(self) -> list[Arrival]:
        """Everything that reached anybody, in order."""
        providers = (*self.providers.values(), *self.fallbacks.values())
        return sorted((each for provider in providers for each in provider.arrived), key=lambda a: a.at)

    def pages(self, person: str | None = None) -> list[Arrival]:
        """The pages among it."""
        return [each for each in self.arrived if each.message.kind == "page" and person in (None, each.message.person)]

    def add_fallbacks(self) -> None:
        """From the next start on each channel has another provider, called backup, which is well."""
        for via, first in self.providers.items():
            self.fallbacks[via] = Provider(via, self.clock, self.dice, Faults(), first.receipts)
            first.faults = Faults()

    def by_name(self, via: Channel) -> dict[str, Provider]:
        """The providers of a channel."""
        return {MAIN: self.providers[via]} | ({"backup": self.fallbacks[via]} if via in self.fallbacks else {})

    def ask_for_receipts(self) -> None:
        """From the next start on the provider is asked for receipts every 10 s."""
        self.settings = settings(replies={"by": "poll", "every": "10s"})

    def without_limits(self) -> None:
        """From the next start on every address takes any number of pages."""
        limits = AddressLimits(sms=SmsLimits(burst=1000), email=EmailLimits(burst=1000))
        self.settings = self.settings.model_copy(update={"limits": limits})

    def tell_by_webhook(self) -> None:
        """From now on the SMS provider tells what becomes of messages: in any order, some twice, some never."""
        self.providers[Channel.SMS].tells = lambda *told: self.webhooks.add(asyncio.create_task(self._call_back(*told)))

    async def _call_back(self, name: str, attempt: int, end: str) -> None:
        """What the web side leaves in the ledger, also while the daemon is down."""
        for state in self.dice.sample(["queued", "sent", end, end], self.dice.randint(0, 4)):
            await asyncio.sleep(self.dice.choice([0, 0.05, 1, 30]))
            came = CameIn(ArrivalKind.RECEIPT, f"{name}:{state}", str(attempt), state, self.clock.now())
            if attempt and came.ref not in {each.ref for each, _ in self.disk.arrivals}:
                self.disk.arrivals.append((came, None))

    def says(self, person: str, body: str) -> None:
        """Somebody writes us an SMS: the provider has it, whether the daemon runs or not."""
        number, ref = self.policy.people[person].phone, f"SM{len(self.disk.arrivals)}"
        self.disk.arrivals.append((CameIn(ArrivalKind.SMS, ref, number, body, self.clock.now()), None))

    def answers_to(self, person: str) -> list[str]:
        """What we answered them."""
        return [
            each.message.content.text
            for each in self.arrived
            if (each.message.kind, each.message.person) == ("answer", person)
        ]

    def polls(self, *parts: Any) -> list[Any]:
        """What asks the provider of SMS for answers."""
        return []

    async def start(self) -> None:
        """Start the daemon on what the disk holds, by the machine's clock as it is then."""
        self.machine.move(self.machine.step())
        self._ledger = ledger = DiskLedger(self.disk, self.clock, self.dice)
        self.disk.term = next(TERMS)
        self.daemon, self.orders = await assemble(self, ledger), Orders()
        self._task = asyncio.create_task(self._live(ledger))
        await asyncio.sleep(0)

    async def _live(self, ledger: DiskLedger) -> None:
        """Until ordered to stop; it begins anew when the machine's clock was moved."""
        await self.daemon.serve(self.daemon.incidents.resumable(ledger.unsettled()), self.orders, self.lead)
        while not (self.orders.stop.is_set() or self.lead.lost.is_set()):
            await self.daemon.take_over(self.lead)
            self.daemon = await assemble(self, ledger)
            await self.daemon.serve(self.daemon.incidents.resumable(ledger.unsettled()), self.orders, self.lead)

    async def stand_by(self) -> None:
        """Another machine leads: this one watches its folder, and hands in what is new there."""
        self._ledger = DiskLedger(self.disk, self.clock, self.dice)
        self._task = asyncio.create_task(_run_all(self.standby_parts(self._ledger)))
        await asyncio.sleep(0)

    def standby_parts(self, ledger: Any) -> tuple[Any, ...]:
        """What watches the folder and the inbox of a machine that does not lead."""
        config, notices = ActiveConfig(self.policy, self.settings, OptOuts(())), Notices(self.machine)
        handed_in, threads = HandedIn(self.machine, ledger), None
        place = self.machine_name, "incidents", self.machine, config, notices, self.folder, self.memory
        elsewhere, gate = JudgedElsewhere(), StandbyGate(self.machine, config, ledger)
        inbox = InboxFeed(self.machine, ledger, self.inbox, gate, elsewhere, elsewhere, notices)
        told = NoticesHandedIn(self.machine_name, notices, handed_in)
        return FolderHandIn(*place, ledger, ledger.generation, handed_in, self.files, threads), handed_in, told, inbox

    async def kill(self) -> None:
        """Kill -9: nothing is written or sent from here on."""
        assert self._task is not None
        assert self._ledger is not None
        if self._task.done():
            self._task.result()
        self._ledger.killed = True
        self._task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await self._task
        self._task = None

    async def stop(self) -> None:
        """SIGTERM, and wait for the drain."""
        assert self._task is not None
        self.orders.stop.set()
        await self._task

    async def ended(self) -> None:
        """Wait until the daemon has come to its end."""
        assert self._task is not None
        await self._task

    async def wait(self, seconds: float) -> None:
        """Let time pass; a daemon that died is an error."""
        await asyncio.sleep(seconds)
        if self._task is not None and self._task.done():
            self._task.result()


async def _run_all(parts: Sequence[Any]) -> None:
    async with asyncio.TaskGroup() as tasks:
        for part in parts:
            tasks.create_task(part.run())


async def assemble(world: World, ledger: Any) -> Daemon:
    """The daemon as `app/wiring` would put it together, on this world's ports."""
    clock, notices, words = world.machine, world.notices(world.machine), shipped_words()
    recalled = {row async for row, _ in waiting(ledger)}
    config = ActiveConfig(world.policy, world.settings, OptOuts(await ledger.opt_outs()))
    reply_options = ReplyOptions(Codes(world.dice), config, ledger)
    agenda = Agenda()
    incidents = Incidents(agenda)
    transports = Transports(world.settings, lambda _settings: {via: world.by_name(via) for via in Channel})
    machine, unseen = world.machine_name, world.unseen
    parts: Any = {"fence": world.lead, "machine": machine, "unseen": unseen}
    context = DeliveryContext(config, incidents, notices, reply_options, **parts)
    providers = Providers(clock, transports, notices)
    rooms = Rooms(clock, context, sent := await ledger.sent_pages(clock.now() - RECKONED_FROM))
    providers.recall([attempt for _, attempt in sent])
    sender = Sender(clock, ledger, context, providers, world.dice, rooms, Bundles(context, PlainBundles()))
    world.receipts = receipts = Receipts(clock, ledger, context, providers, sender)
    operator_notices = OperatorNotices(clock, ledger, config, notices, sender, words, "host")
    elsewhere = SentElsewhere(clock, ledger, sender, rooms, incidents)
    await elsewhere.look()
    reconciler = Reconciler(clock, ledger, PlainRenderer(), context, sender, rooms, elsewhere)
    scheduler = Scheduler(clock, agenda, reconciler.reconcile)
    recalled_here = await recall(ledger, incidents, clock.now())
    threads: Any = object()  # the loop runs at once whatever is given to whichever threads
    edits = EditFeed(clock, ledger, EditJudge(clock, ledger, context, world.files, threads), notices)
    further, sources = world.further_parts, tuple[Any, ...]()
    intake: Intake
    news: Any
    if world.machine_name:
        place, put_back = (world.machine_name, "incidents", clock, ledger, config, incidents, notices), edits.put_back
        shared = await shared_folders(
            *place, world.folder, world.memory, put_back, elsewhere, recalled, world.lead.lost.set
        )
        intake, news, sources = shared.intake, shared.news, (shared.feed,)
        further += (shared.feed, *shared.beside)
    else:
        intake = Intake(recalled_here.known, finished=recalled_here.finished)
        news = OneFolder(ledger, config, incidents, notices, edits.put_back)
    watch = Watch(clock, config, notices, world.folder, intake, news, shares=bool(world.machine_name))
    health = Health(
        clock,
        world.manager,
        world.manager,
        ledger,
        config,
        {"scheduler": scheduler},
        watch,
        delivering=sender,
        lead=world.lead,
    )
    stops = Stops(clock, ledger, context)
    for session in await ledger.sessions():
        world.sessions.add(session)
    sign_ins = SignIns(clock, ledger, context, world.sessions, sender, words, world.dice)
    in_memory = AnswersInMemory(clock, context, Flips(clock), sender.open)
    judges = {
        ArrivalKind.RECEIPT: receipts.judge,
        ArrivalKind.SMS: SmsReplies(clock, ledger, context, sender, stops, words, in_memory).judge,
        ArrivalKind.ANSWER: LinkAnswers(clock, ledger, config, incidents, notices, in_memory.flips, in_memory).judge,
        ArrivalKind.SIGN_IN: sign_ins.ask,
        ArrivalKind.CODE: sign_ins.enter,
        ArrivalKind.SIGN_OUT: sign_ins.leave,
    }
    arrivals = Arrivals(ledger, judges, notices, (in_memory,))
    gate = Gate(clock, config, world.sessions, context.sign_in_codes)
    inbox = InboxFeed(clock, ledger, world.inbox, gate, arrivals, edits, notices)
    set_aside = SetAsideIncidents(clock, ledger, config, incidents, notices, world.machine_name)
    calm = Calm(incidents, agenda, sender.undelivered)
    pruner = Pruner(clock, DiskUpkeep(world.disk, ledger._commit), config, calm)
    judges[ArrivalKind.PRUNE] = pruner.judge
    parts = (
        pruner,
        set_aside,
        scheduler,
        sender,
        receipts,
        operator_notices,
        watch,
        health,
        arrivals,
        inbox,
        sign_ins,
        edits,
        stops,
        *world.polls(clock, ledger, config, transports, notices, in_memory),
        transports,
        *further,
    )
    reload: Any = None
    clock_watch = ClockWatch(clock, ledger, incidents, notices, sender, world.steps)
    daemon = (config, incidents, agenda, transports, sender, operator_notices, reload, clock_watch, world.manager)
    kept = tuple(part for part in (*parts, clock_watch) if not isinstance(part, world.without))
    return Daemon(*daemon, kept, (watch, inbox, *sources))
