"""A ledger in memory: the same answers as the real one, and trouble on demand."""

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from tocsin.domain.arrival import BY_FILE, HANDED_IN, Arrival, ArrivalKind, Judgement, OptOut, ReservedCode
from tocsin.domain.delivery import (
    CERTAINTY,
    Accepted,
    Attempt,
    Bundle,
    Deferred,
    Fault,
    Letter,
    Outcome,
    Proof,
    ProvedBy,
    Receipt,
    Record,
    Refused,
    Uncertain,
    numbered_attempt,
)
from tocsin.domain.facts import Answered, ClockMoved, Closed, Coded, Fact, Gone, Seen
from tocsin.domain.history import IncidentSummary
from tocsin.domain.incident import Incident
from tocsin.domain.notification import ASKING, AnswerLink, Kind, Notification, Suppression
from tocsin.domain.people import MAIN, Channel, Session
from tocsin.planning.history.redating import moved, moved_notification, not_later
from tocsin.ports.ledger.kept_file import KeptFile
from tocsin.ports.ledger.ledger import KeptConfig
from tocsin.ports.ledger.tally import MESSAGE_REFUSED, WAITING, ProviderTally, Tally
from tocsin.ports.ledger.trouble import LedgerError, Unreadable, UnreadableError
from tocsin.ports.ledger.upkeep import PrunedIncident


@dataclass
class Pages:
    """What is written, apart from who writes it: it outlives a ledger's closing."""

    facts: list[tuple[str, Fact]] = field(default_factory=list)
    incidents: dict[str, bool] = field(default_factory=dict)
    files: dict[str, tuple[str, str, bytes]] = field(default_factory=dict)
    letters: dict[str, Letter] = field(default_factory=dict)
    held: dict[str, Suppression] = field(default_factory=dict)
    states: dict[str, tuple[str, datetime]] = field(default_factory=dict)
    decided: list[str] = field(default_factory=list)
    attempts: list[Attempt] = field(default_factory=list)
    configs: list[KeptConfig] = field(default_factory=list)
    notices: dict[str, datetime] = field(default_factory=dict)
    arrivals: list[tuple[Arrival, str | None]] = field(default_factory=list)
    words: dict[int, str] = field(default_factory=dict)
    receipts_at: dict[str, datetime] = field(default_factory=dict)
    bundles: dict[str, Bundle] = field(default_factory=dict)
    opt_outs: dict[tuple[Channel, str], OptOut] = field(default_factory=dict)
    links: dict[str, AnswerLink] = field(default_factory=dict)
    sessions: dict[str, Session] = field(default_factory=dict)
    unreadable: dict[str, Unreadable] = field(default_factory=dict)
    pruned: dict[str, PrunedIncident] = field(default_factory=dict)


def acts_in_turn(unjudged: Iterable[tuple[int, Arrival]]) -> tuple[tuple[int, Arrival], ...]:
    """The acts among them: what is declared, then of each person one after the other."""
    acts = [one for one in unjudged if one[1].kind in {ArrivalKind.EDIT, ArrivalKind.DECLARE}]
    turns: Counter[tuple[ArrivalKind, str]] = Counter()
    placed = []
    for row, act in acts:
        turns[act.kind, act.who] += 1
        placed.append((act.kind is not ArrivalKind.DECLARE, turns[act.kind, act.who], row, act))
    return tuple((row, act) for _, _, row, act in sorted(placed, key=lambda one: one[:3]))


class MemoryLedger:
    """`ports.Ledger` without a disk. While `trouble` is set, every call raises it; `away` is why it is in memory."""

    def __init__(self, pages: Pages | None = None) -> None:
        self.pages = pages or Pages()
        self.trouble = ""
        self.away = ""

    def _at_work(self) -> Pages:
        if self.trouble:
            raise LedgerError(self.trouble)
        return self.pages

    async def record(
        self,
        incident: str,
        facts: Sequence[Fact],
        letters: Sequence[Letter],
        held: Sequence[Suppression],
        anew: datetime | None = None,
    ) -> frozenset[str]:
        """Facts are appended; letters and suppressions only if their key is new."""
        pages = self._at_work()
        if anew is not None:
            pages.unreadable.pop(incident, None)
            pages.facts = [(name, fact) for name, fact in pages.facts if name != incident or isinstance(fact, Coded)]
            for letter in await self.unsettled():
                if letter.notification.incident == incident and letter.notification.kind in ASKING:
                    pages.states[letter.notification.key] = "superseded", anew
        pages.facts += [(incident, fact) for fact in facts]
        if facts:
            pages.incidents[incident] = False
        known = pages.letters.keys() | pages.held.keys()
        new: dict[str, Letter | Suppression] = {}
        for letter in letters:
            new.setdefault(letter.notification.key, replace(letter, attempts=(), link=None))
            if letter.link:
                pages.links.setdefault(letter.link.digest, letter.link)
        for suppression in held:
            new.setdefault(suppression.key, suppression)
        for key in [key for key in new if key not in known]:
            pages.decided.append(key)
            decision = new[key]
            if isinstance(decision, Letter):
                pages.letters[key] = decision
            else:
                pages.held[key] = decision
        return frozenset(key for key in new.keys() - known if isinstance(new[key], Letter))

    async def begin_attempt(
        self, key: str, via: Channel, address: str, at: datetime, possible_duplicate: str = "", *, provider: str = ""
    ) -> Attempt:
        """Tries count from 1 for each key, and over all."""
        pages = self._at_work()
        number = 1 + sum(attempt.reference == key for attempt in pages.attempts)
        begun = Attempt(
            numbered_attempt(len(pages.attempts) + 1),
            key,
            number,
            via,
            address,
            at,
            possible_duplicate=possible_duplicate,
            provider=provider,
        )
        pages.attempts.append(begun)
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
        """One after the other."""
        pages = self._at_work()
        pages.bundles.setdefault(bundle.id, replace(bundle, links=()))
        for link in bundle.links:
            pages.links.setdefault(link.digest, link)
        for key in keys:
            await self.begin_attempt(key, via, address, at, causes.get(key, ""), provider=provider)
            pages.attempts[-1] = replace(pages.attempts[-1], bundle=bundle.id)
        return tuple(pages.attempts[len(pages.attempts) - len(keys) :])

    async def bundle(self, id_: str) -> Bundle | None:
        """By id."""
        return self._at_work().bundles.get(id_)

    async def answer_link(self, digest: str) -> AnswerLink | None:
        """By digest."""
        return self._at_work().links.get(digest)

    async def end_attempt(self, attempt: Attempt, outcome: Outcome, at: datetime) -> None:
        """A later outcome (found after all) replaces an earlier one, unless it says less."""
        attempts, place = self._at_work().attempts, self._place(attempt.id)
        known = attempts[place].outcome
        if known is not None and CERTAINTY[type(outcome)] < CERTAINTY[type(known)]:
            return
        attempts[place] = replace(attempts[place], outcome=outcome, ended_at=at)

    async def settle(self, key: str, state: str, at: datetime) -> None:
        """The first state stands."""
        pages = self._at_work()
        if key in pages.letters:
            pages.states.setdefault(key, (state, at))

    async def end_and_settle(
        self, ended: Sequence[tuple[Attempt, Outcome, datetime]], settled: Sequence[tuple[str, str, datetime]]
    ) -> None:
        """One after the other: nobody looks between them."""
        for end in ended:
            await self.end_attempt(*end)
        for settlement in settled:
            await self.settle(*settlement)

    async def record_receipt(self, attempt: Attempt, receipt: Receipt, at: datetime, code: str = "") -> None:
        """Only forward."""
        attempts, place = self._at_work().attempts, self._place(attempt.id)
        known = attempts[place]
        if receipt.rank > (known.receipt or Receipt.UNKNOWN).rank:
            attempts[place] = replace(known, receipt=receipt, receipt_code=code)
            self.pages.receipts_at[attempt.id] = at

    def _place(self, id_: str) -> int:
        return next(place for place, known in enumerate(self.pages.attempts) if known.id == id_)

    async def find_attempt(self, attempt: str) -> tuple[tuple[Attempt, Notification], ...]:
        """What left with it stands beside it, up to where one of the keys comes again."""
        pages = self._at_work()
        first = next((known for known in pages.attempts if known.id == attempt), None)
        if first is None:
            return ()
        of_bundle = [known for known in pages.attempts if first.bundle and known.bundle == first.bundle]
        tries: list[list[Attempt]] = [[first]] if not first.bundle else []
        for known in of_bundle:
            if not tries or known.reference in {other.reference for other in tries[-1]}:
                tries.append([])
            tries[-1].append(known)
        same = next(one for one in tries if first in one)
        together = [first, *(known for known in same if known is not first)]
        return tuple((known, pages.letters[known.reference].notification) for known in together)

    async def sent_pages(self, since: datetime, person: str = "") -> tuple[tuple[Notification, Attempt], ...]:
        """In the order begun."""
        pages = self._at_work()
        sent, first = [], set()
        for attempt in pages.attempts:
            notification = pages.letters[attempt.reference].notification
            if notification.kind is not Kind.PAGE or person not in ("", notification.to):
                continue
            place = notification.incident, notification.episode, attempt.via, attempt.address
            open_ = not pages.incidents.get(notification.incident, True)
            if attempt.started_at >= since or (open_ and place not in first):
                sent.append((notification, attempt))
            first.add(place)
        return tuple(sent)

    async def pages_handed_over(self, person: str, until: datetime, *, begun: bool) -> frozenset[tuple[str, int]]:
        """Taken is what ended so."""
        pages = self._at_work()
        taken = [
            pages.letters[attempt.reference].notification
            for attempt in pages.attempts
            if isinstance(attempt.outcome, (Accepted, Uncertain))
            and (at := attempt.started_at if begun else attempt.ended_at)
            and at <= until
        ]
        return frozenset(
            (notification.incident, notification.episode)
            for notification in taken
            if notification.kind is Kind.PAGE
            and notification.to == person
            and not pages.incidents.get(notification.incident, True)
        )

    async def record_answers(self, answers: Sequence[tuple[str, Answered]], letter: Letter) -> bool:
        """All or nothing."""
        key = letter.notification.key
        if key in self._at_work().letters or key in self.pages.held:
            return False
        await self.record(letter.notification.incident, (), [letter], ())
        for incident, answer in answers:
            await self.record(incident, [answer], (), ())
        return True

    async def opt_outs(self) -> tuple[OptOut, ...]:
        """In the order they said so."""
        return tuple(self._at_work().opt_outs.values())

    async def opt_out(self, opt_out: OptOut) -> None:
        """The first stands."""
        self._at_work().opt_outs.setdefault((opt_out.via, opt_out.address), opt_out)

    async def opt_in(self, via: Channel, address: str) -> bool:
        """If it was out."""
        return self._at_work().opt_outs.pop((via, address), None) is not None

    async def begin_session(self, session: Session) -> None:
        """The first stands."""
        self._at_work().sessions.setdefault(session.digest, session)

    async def end_sessions(self, digests: Collection[str]) -> None:
        """Where they are known."""
        for digest in digests:
            self._at_work().sessions.pop(digest, None)

    async def sessions(self) -> tuple[Session, ...]:
        """In the order they began."""
        known = self._at_work().sessions.values()
        return tuple(sorted(known, key=lambda session: (session.began_at, session.digest)))

    async def session(self, digest: str) -> Session | None:
        """One."""
        return self._at_work().sessions.get(digest)

    async def proofs(self) -> Mapping[tuple[Channel, str], Proof]:
        """The newest of each address."""
        pages = self._at_work()
        proofs = [
            ((Channel.SMS, attempt.address), Proof(pages.receipts_at[attempt.id], ProvedBy.RECEIPT))
            for attempt in pages.attempts
            if attempt.via is Channel.SMS and attempt.receipt is Receipt.DELIVERED
        ]
        proofs += [
            ((Channel.SMS, arrival.who), Proof(arrival.at, ProvedBy.ANSWER))
            for arrival, _ in pages.arrivals
            if arrival.kind is ArrivalKind.SMS
        ]
        proofs += [
            ((Channel.EMAIL, attempt.address), Proof(attempt.ended_at, ProvedBy.ACCEPTED))
            for attempt in pages.attempts
            if attempt.via is Channel.EMAIL and isinstance(attempt.outcome, Accepted) and attempt.ended_at
        ]
        newest: dict[tuple[Channel, str], Proof] = {}
        for address, proof in proofs:
            newest[address] = max(newest.get(address, proof), proof, key=lambda known: known.at)
        return newest

    async def refusals(self) -> tuple[Attempt, ...]:
        """The last to tell."""
        final = [
            attempt
            for attempt in self._at_work().attempts
            if isinstance(attempt.outcome, (Accepted, Refused))
            and getattr(attempt.outcome, "fault", None) is not Fault.MESSAGE
        ]
        newest = {(attempt.via, attempt.address): attempt for attempt in final}
        return tuple(
            attempt for attempt in final if attempt in newest.values() and isinstance(attempt.outcome, Refused)
        )

    async def facts(self, incident: str) -> tuple[Fact, ...]:
        """In the order recorded."""
        if incident in self._at_work().unreadable:
            raise UnreadableError(self.pages.unreadable[incident])
        return tuple(fact for name, fact in self._at_work().facts if name == incident)

    async def newest_versions(self, incidents: Collection[str]) -> Mapping[str, Incident]:
        """The last one seen."""
        seen = {name: fact.incident for name, fact in self._at_work().facts if isinstance(fact, Seen)}
        return {name: seen[name] for name in incidents if name in seen}

    async def version_digests(
        self, incidents: Collection[str], *, newest: bool = False
    ) -> Mapping[str, tuple[str, ...]]:
        """Those that were pruned first."""
        digests = {name: left.digests for name, left in self._at_work().pruned.items() if name in incidents}
        for name, fact in self._at_work().facts:
            if isinstance(fact, Seen) and name in incidents:
                digests[name] = (*digests.get(name, ()), fact.digest)
            if isinstance(fact, Gone):
                digests.pop(name, None)
        return {name: known[-1:] if newest else known for name, known in digests.items()}

    async def summaries(self, incidents: Collection[str]) -> Mapping[str, IncidentSummary]:
        """By the facts."""
        known: dict[str, IncidentSummary] = {}
        closed = dict(await self.last_closed(len(self._at_work().facts)))
        for name, fact in self._at_work().facts:
            if isinstance(fact, Seen) and name in incidents:
                answers = (each for other, each in self.pages.facts if other == name and isinstance(each, Answered))
                people = frozenset(answer.person for answer in answers)
                known[name] = IncidentSummary(fact.incident, fact.at, closed.get(name), people)
        return known

    async def unfinished(self) -> dict[str, tuple[Fact, ...] | Unreadable]:
        """By id."""
        names = sorted(name for name, finished in self._at_work().incidents.items() if not finished)
        bad = self.pages.unreadable
        facts = {name: bad[name] if name in bad else await self.facts(name) for name in names}
        return {name: facts[name] for name in names if facts[name]}

    async def unreadable_letters(self) -> tuple[Unreadable, ...]:
        """All are readable."""
        self._at_work()
        return ()

    async def settle_unreadable(self, incident: str, at: datetime) -> None:
        """All are readable."""
        self._at_work()

    async def finish(self, incident: str) -> None:
        """Until a new fact."""
        self._at_work().incidents[incident] = True

    async def incidents(self) -> tuple[str, ...]:
        """All of them."""
        return tuple(self._at_work().incidents)

    async def last_closed(self, most: int) -> tuple[tuple[str, datetime], ...]:
        """The newest closings, each incident once."""
        closed_at: dict[str, datetime] = {}
        for incident, fact in reversed(self._at_work().facts):
            if isinstance(fact, Closed):
                closed_at.setdefault(incident, fact.at)
        return tuple(closed_at.items())[:most]

    async def keep_file(self, incident: str, file: str, digest: str, data: bytes) -> None:
        """The newest."""
        pages = self._at_work()
        pages.incidents.setdefault(incident, False)
        pages.files[incident] = (file, digest, data)

    async def files(self) -> dict[str, tuple[str, str]]:
        """Names and digests."""
        pages = self._at_work()
        return {name: pages.files[name][:2] if name in pages.files else ("", "") for name in pages.incidents}

    async def pruned(self, incident: str) -> PrunedIncident | None:
        """What is left."""
        return self._at_work().pruned.get(incident)

    async def pruned_digests(self) -> Mapping[str, str]:
        """The newest of each."""
        return {incident: left.digests[-1] for incident, left in self._at_work().pruned.items()}

    async def file(self, incident: str) -> KeptFile | None:
        """Name, bytes and digest."""
        file = self._at_work().files.get(incident)
        return KeptFile(file[0], file[2], file[1]) if file else None

    async def move_clock(self, by: timedelta, now: datetime) -> None:
        """What is unfinished, what waits, and every notice."""
        pages, touched = self._at_work(), set()
        for place, (incident, fact) in enumerate(pages.facts):
            if not pages.incidents[incident]:
                pages.facts[place] = (incident, not_later(moved(fact, by), now))
                touched |= {incident} if isinstance(fact, Seen) else set()
        pages.facts += [(incident, ClockMoved(now, by)) for incident in sorted(touched)]
        lately = min(now, now - by) - timedelta(hours=1)
        self._redate(lambda at: min(at + by, now), lambda incident: not pages.incidents.get(incident, True), lately)

    async def bring_back(self, now: datetime) -> timedelta:
        """What is unfinished, and what waits."""
        pages, touched, latest = self._at_work(), set(), now
        for place, (incident, fact) in enumerate(pages.facts):
            if not pages.incidents[incident] and fact.at > now:
                latest = max(latest, fact.at)
                pages.facts[place] = (incident, not_later(fact, now))
                touched.add(incident)
        return max(latest, *self._redate(lambda at: min(at, now), touched.__contains__, now), now) - now

    def _redate(
        self, redate: Callable[[datetime], datetime], of: Callable[[str], bool], begun_after: datetime
    ) -> list[datetime]:
        """Everything but the facts: of these incidents, what waits, and attempts begun after that instant. The instants
        that were there.
        """
        pages, before = self.pages, []
        for key, letter in pages.letters.items():
            notification = letter.notification
            matters = key not in pages.states or of(notification.incident)
            for place, attempt in enumerate(pages.attempts):
                if attempt.reference == key and (matters or attempt.started_at > begun_after):
                    before.append(attempt.started_at)
                    ended_at = redate(attempt.ended_at) if attempt.ended_at else None
                    pages.attempts[place] = replace(attempt, started_at=redate(attempt.started_at), ended_at=ended_at)
                    if attempt.id in pages.receipts_at:
                        pages.receipts_at[attempt.id] = redate(pages.receipts_at[attempt.id])
            if not matters:
                continue
            by = redate(notification.at) - notification.at
            before.append(notification.at)
            pages.letters[key] = replace(letter, notification=moved_notification(notification, by))
            if key in pages.states:
                pages.states[key] = (pages.states[key][0], redate(pages.states[key][1]))
        for key, held in pages.held.items():
            if of(held.incident):
                before.append(held.at)
                pages.held[key] = replace(held, at=redate(held.at))
        for place, (arrival, result) in enumerate(pages.arrivals):
            if result is None:
                before.append(arrival.at)
                pages.arrivals[place] = (replace(arrival, at=redate(arrival.at)), result)
        before += (opted.at for opted in pages.opt_outs.values())
        pages.opt_outs.update(
            {address: replace(opted, at=redate(opted.at)) for address, opted in pages.opt_outs.items()}
        )
        before += (session.began_at for session in pages.sessions.values())
        pages.sessions.update(
            {digest: replace(one, began_at=redate(one.began_at)) for digest, one in pages.sessions.items()}
        )
        if pages.configs:
            config = pages.configs[-1]
            before.append(config.since)
            pages.configs[-1] = replace(config, since=redate(config.since))
        before += pages.notices.values()
        pages.notices.update({cause: redate(at) for cause, at in pages.notices.items()})
        return before

    async def record_arrival(self, arrival: Arrival) -> bool:
        """Once."""
        arrivals = self._at_work().arrivals
        if any((known.kind, known.ref) == (arrival.kind, arrival.ref) for known, _ in arrivals):
            return False
        arrivals.append((arrival, None))
        return True

    async def unjudged_arrivals(self) -> tuple[tuple[int, Arrival | Unreadable], ...]:
        """Rows count from 1."""
        return tuple(one for one in self._unjudged() if one[1].kind not in BY_FILE | HANDED_IN)

    async def news(self, within: float) -> None:
        """Not at all: others may write at any time."""

    async def unjudged_hand_ins(self, under_way: Collection[int] = ()) -> tuple[tuple[int, Arrival | Unreadable], ...]:
        """Rows count from 1."""
        return tuple(one for one in self._unjudged() if one[1].kind in HANDED_IN and one[0] not in under_way)

    async def unjudged_alerts(self) -> tuple[tuple[int, Arrival | Unreadable], ...]:
        """Rows count from 1."""
        return tuple(one for one in self._unjudged() if one[1].kind is ArrivalKind.ALERT)

    async def unjudged_acts(self) -> tuple[tuple[int, Arrival | Unreadable], ...]:
        """Rows count from 1."""
        return acts_in_turn(self._unjudged())

    def _unjudged(self) -> list[tuple[int, Arrival]]:
        rows = enumerate(self._at_work().arrivals, 1)
        return [(row, arrival) for row, (arrival, result) in rows if result is None]

    async def record_result(self, row: int, result: str, words: str = "") -> None:
        """The first result stands."""
        arrivals = self._at_work().arrivals
        arrival, known = arrivals[row - 1]
        if known is None:
            arrivals[row - 1] = (arrival, result)
            self.pages.words[row] = words

    async def outcome(self, kind: ArrivalKind, ref: str) -> Judgement | None:
        """By kind and reference."""
        for row, (arrival, result) in enumerate(self._at_work().arrivals, 1):
            if (arrival.kind, arrival.ref) == (kind, ref) and result is not None:
                return Judgement(result, self.pages.words[row])
        return None

    async def has_arrived(self, kind: ArrivalKind, ref: str) -> bool:
        """By kind and reference."""
        return any((arrival.kind, arrival.ref) == (kind, ref) for arrival, _ in self._at_work().arrivals)

    async def newest_results(self, kind: ArrivalKind, who: str, most: int) -> tuple[str, ...]:
        """Newest first."""
        newest = reversed(self._at_work().arrivals)
        results = (result for arrival, result in newest if (arrival.kind, arrival.who) == (kind, who))
        return tuple(result for result in results if result is not None)[:most]

    async def results_since(self, kind: ArrivalKind, who: str, since: datetime) -> tuple[tuple[datetime, str], ...]:
        """Oldest first."""
        results = [
            (arrival.at, result)
            for arrival, result in self._at_work().arrivals
            if (arrival.kind, arrival.who) == (kind, who) and result is not None and arrival.at > since
        ]
        return tuple(sorted(results, key=lambda judged: judged[0]))

    async def last_arrival_at(self, kind: ArrivalKind) -> datetime | None:
        """The newest."""
        return max((arrival.at for arrival, _ in self._at_work().arrivals if arrival.kind is kind), default=None)

    async def reserved_codes(self, since: datetime) -> tuple[ReservedCode, ...]:
        """In the order given."""
        reserved = []
        facts = self._at_work().facts
        for number, (incident, coded) in enumerate(facts):
            if isinstance(coded, Coded):
                later = (fact.at for name, fact in facts[number:] if name == incident and isinstance(fact, Closed))
                closed_at = max(later, default=None)
                if closed_at is None or closed_at > since:
                    reserved.append(ReservedCode(incident, coded, closed_at))
        return tuple(reserved)

    async def record_config(
        self,
        revision: str,
        files: Mapping[str, bytes],
        at: datetime,
        mac: str = "",
        templates: Mapping[str, str] | None = None,
    ) -> None:
        """The newest last."""
        self._at_work().configs.append(KeptConfig(revision, at, dict(files), mac, templates))

    async def last_good_config(self) -> KeptConfig | None:
        """The newest."""
        configs = self._at_work().configs
        return configs[-1] if configs else None

    async def kept_files(self) -> Sequence[Mapping[str, bytes]]:
        """The newest first."""
        return [config.files for config in reversed(self._at_work().configs)]

    async def claim_notice(self, cause: str, at: datetime, quiet: timedelta) -> bool:
        """Once in `quiet`."""
        notices = self._at_work().notices
        noticed_at = notices.get(cause)
        if noticed_at is not None and timedelta(0) <= at - noticed_at < quiet:
            return False
        notices[cause] = at
        return True

    async def noticed_at(self, cause: str) -> datetime | None:
        """By cause."""
        return self._at_work().notices.get(cause)

    async def noticed(self, trouble: str) -> Mapping[str, datetime]:
        """All causes that begin so."""
        notices = self._at_work().notices.items()
        return {cause: at for cause, at in notices if cause == trouble or cause.startswith(f"{trouble}:")}

    async def unsettled(self) -> tuple[Letter, ...]:
        """Oldest first."""
        pages = self._at_work()
        out = {
            _message(pages.letters[key].notification)
            for key, (state, _) in pages.states.items()
            if state == "accepted" and key in pages.letters and any(map(_arrives, self._attempts_of(key)))
        }
        return tuple(
            replace(letter, attempts=self._attempts_of(key), out=_message(letter.notification) in out)
            for key, letter in pages.letters.items()
            if key not in pages.states
        )

    async def records(self, incident: str) -> tuple[Record, ...]:
        """In the order decided."""
        return tuple(record for key in self._at_work().decided if (record := self._record(key, incident)))

    def _record(self, key: str, incident: str) -> Record | None:
        pages = self.pages
        decided = pages.held.get(key) or pages.letters[key].notification
        if decided.incident != incident:
            return None
        if key in pages.held:
            return Record(pages.held[key])
        attempts = self._attempts_of(key)
        receipts = [attempt.receipt for attempt in attempts if attempt.receipt]
        state, settled_at = pages.states.get(key, ("pending", None))
        receipt = receipts[-1] if receipts else None
        bundle = attempts[-1].bundle if attempts else ""
        others = dict.fromkeys(
            known.reference for known in pages.attempts if bundle and known.bundle == bundle and known.reference != key
        )
        together = tuple(pages.letters[other].notification for other in others)
        return Record(decided, pages.letters[key].content, attempts, receipt, state, settled_at, together)

    def _attempts_of(self, key: str) -> tuple[Attempt, ...]:
        return tuple(attempt for attempt in self.pages.attempts if attempt.reference == key)

    async def tally(self, settled_before: datetime) -> Tally:
        """Counted anew each time."""
        pages = self._at_work()
        versions = {name: fact.incident for name, fact in pages.facts if isinstance(fact, Seen)}
        opened = [
            incident
            for name, incident in versions.items()
            if not pages.incidents[name] and incident.status != "resolved"
        ]
        pending = [letter.notification for key, letter in pages.letters.items() if key not in pages.states]
        states = [(letter.notification.kind.value, pages.states.get(key, (WAITING, None))[0])
                  for key, letter in pages.letters.items()]  # fmt: skip
        held = [(suppression.kind.value, "held") for suppression in pages.held.values()]
        outcomes = [
            (
                attempt.via.value,
                attempt.provider or MAIN,
                _word(attempt.outcome),
            )
            for attempt in pages.attempts
        ]
        tried = {attempt.reference for attempt in pages.attempts}
        return Tally(
            open=Counter(incident.severity for incident in opened),
            notifications=Counter([*states, *held]),
            attempts=Counter(outcomes),
            providers=self._providers(settled_before),
            receipts=Counter(
                (attempt.via.value, attempt.receipt.value) for attempt in pages.attempts if attempt.receipt
            ),
            duplicates=Counter(attempt.via.value for attempt in pages.attempts if attempt.possible_duplicate),
            arrivals=Counter((arrival.kind.value, result or WAITING) for arrival, result in pages.arrivals),
            bundles=len(pages.bundles),
            bundled=Counter(attempt.via.value for attempt in pages.attempts if attempt.bundle),
            waiting_pages=Counter(
                notice.via.value for notice in pending if notice.kind is Kind.PAGE and notice.key not in tried
            ),
            opt_outs=Counter(via.value for via, _ in pages.opt_outs),
            oldest_page_at=min((notice.at for notice in pending if notice.kind is Kind.PAGE), default=None),
        )

    def _providers(self, failed_since: datetime) -> dict[tuple[str, str], ProviderTally]:
        ended: dict[tuple[str, str], list[Attempt]] = {}
        for attempt in self.pages.attempts:
            of_provider = ended.setdefault((attempt.via.value, attempt.provider or MAIN), [])
            of_provider += [attempt] if attempt.ended_at else []
        tallies = {}
        for provider, attempts in ended.items():
            taken_at = max((one.ended_at for one in attempts if isinstance(one.outcome, Accepted)), default=None)
            failures = sum(
                isinstance(one.outcome, (Deferred, Uncertain))
                and one.started_at >= failed_since
                and (taken_at is None or one.ended_at > taken_at)
                for one in attempts
            )
            tallies[provider] = ProviderTally(taken_at, failures)
        return tallies

    async def close(self) -> None:
        """Nothing is held."""


def _word(outcome: Outcome | None) -> str:
    if isinstance(outcome, Refused) and outcome.fault is Fault.MESSAGE:
        return MESSAGE_REFUSED
    return type(outcome).__name__.lower() if outcome else WAITING


def _arrives(attempt: Attempt) -> bool:
    """Whether it was taken, and nobody has said that it was not delivered."""
    return isinstance(attempt.outcome, Accepted) and attempt.receipt is not Receipt.UNDELIVERED


def _message(notification: Notification) -> object:
    """What goes by several channels, and counts as one: a page to one person, a notice to all operators (rule 71)."""
    if notification.kind not in (Kind.PAGE, Kind.OPERATOR):
        return notification.key
    to = notification.to if notification.kind is Kind.PAGE else ""
    return notification.incident, notification.episode, notification.kind, notification.at, to
