"""A ledger in memory: the same answers as the real one, and trouble on demand."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from tocsin.domain.arrival import Arrival, ArrivalKind, ReservedCode
from tocsin.domain.delivery import Accepted, Attempt, Letter, Outcome, Receipt, Record, Refused
from tocsin.domain.facts import Answered, Closed, Coded, Fact, Seen
from tocsin.domain.notification import Kind, Notification, Suppression
from tocsin.domain.people import Channel
from tocsin.ports.ledger import LedgerError, Report
from tocsin.ports.tally import WAITING, Tally


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
    receipts: dict[int, Receipt] = field(default_factory=dict)
    configs: list[tuple[str, datetime, dict[str, bytes]]] = field(default_factory=list)
    notices: dict[str, datetime] = field(default_factory=dict)
    reports: list[Report] = field(default_factory=list)
    arrivals: list[tuple[Arrival, str | None]] = field(default_factory=list)


class MemoryLedger:
    """`ports.Ledger` without a disk. While `trouble` is set, every call raises it."""

    def __init__(self, pages: Pages | None = None) -> None:
        self.pages = pages or Pages()
        self.trouble = ""

    def _at_work(self) -> Pages:
        if self.trouble:
            raise LedgerError(self.trouble)
        return self.pages

    async def record(
        self, incident: str, facts: Sequence[Fact], letters: Sequence[Letter], held: Sequence[Suppression]
    ) -> frozenset[str]:
        """Facts are appended; letters and suppressions only if their key is new."""
        pages = self._at_work()
        pages.facts += [(incident, fact) for fact in facts]
        if facts:
            pages.incidents[incident] = False
        known = pages.letters.keys() | pages.held.keys()
        new = {letter.notification.key: letter for letter in reversed(letters) if letter.notification.key not in known}
        for key in (letter.notification.key for letter in letters):
            if key in new:
                pages.letters.setdefault(key, replace(new[key], attempts=()))
        for each in held:
            if each.key not in known:
                pages.held.setdefault(each.key, each)
        decided = dict.fromkeys([*new, *(each.key for each in held if each.key not in known)])
        pages.decided += decided
        return frozenset(new)

    async def begin_attempt(
        self, key: str, via: Channel, address: str, at: datetime, possible_duplicate: str = ""
    ) -> Attempt:
        """Tries count from 1 for each key, ids over all."""
        pages = self._at_work()
        number = 1 + sum(attempt.reference == key for attempt in pages.attempts)
        begun = Attempt(len(pages.attempts) + 1, key, number, via, address, at, possible_duplicate=possible_duplicate)
        pages.attempts.append(begun)
        return begun

    async def end_attempt(self, attempt: Attempt, outcome: Outcome, at: datetime) -> None:
        """A later outcome (found after all) replaces an earlier one."""
        attempts = self._at_work().attempts
        attempts[attempt.id - 1] = replace(attempts[attempt.id - 1], outcome=outcome, ended_at=at)

    async def settle(self, key: str, state: str, at: datetime) -> None:
        """The first state stands."""
        pages = self._at_work()
        if key in pages.letters:
            pages.states.setdefault(key, (state, at))

    async def record_receipt(self, attempt: Attempt, receipt: Receipt, at: datetime) -> None:
        """Only forward."""
        order, receipts = list(Receipt), self._at_work().receipts
        if order.index(receipt) > order.index(receipts.get(attempt.id, Receipt.UNKNOWN)):
            receipts[attempt.id] = receipt
            attempts = self._at_work().attempts
            attempts[attempt.id - 1] = replace(attempts[attempt.id - 1], receipt=receipt)

    async def find_attempt(self, attempt: int) -> tuple[Attempt, Notification] | None:
        """Ids count from 1."""
        pages = self._at_work()
        if not 0 < attempt <= len(pages.attempts):
            return None
        one = pages.attempts[attempt - 1]
        return one, pages.letters[one.reference].notification

    async def refusals(self) -> tuple[Attempt, ...]:
        """The last to tell."""
        told = [each for each in self._at_work().attempts if isinstance(each.outcome, (Accepted, Refused))]
        newest = {(each.via, each.address): each for each in told}
        return tuple(each for each in told if each in newest.values() and isinstance(each.outcome, Refused))

    async def facts(self, incident: str) -> tuple[Fact, ...]:
        """In the order recorded."""
        return tuple(fact for name, fact in self._at_work().facts if name == incident)

    async def unfinished(self) -> dict[str, tuple[Fact, ...]]:
        """By id."""
        found = {name: await self.facts(name) for name, over in sorted(self._at_work().incidents.items()) if not over}
        return {name: facts for name, facts in found.items() if facts}

    async def finish(self, incident: str) -> None:
        """Until a new fact."""
        self._at_work().incidents[incident] = True

    async def incidents(self) -> tuple[str, ...]:
        """All of them."""
        return tuple(self._at_work().incidents)

    async def last_closed(self, most: int) -> tuple[tuple[str, datetime], ...]:
        """The newest closings, each incident once."""
        found: dict[str, datetime] = {}
        for incident, fact in reversed(self._at_work().facts):
            if isinstance(fact, Closed):
                found.setdefault(incident, fact.at)
        return tuple(found.items())[:most]

    async def keep_file(self, incident: str, file: str, digest: str, data: bytes) -> None:
        """The newest."""
        pages = self._at_work()
        pages.incidents.setdefault(incident, False)
        pages.files[incident] = (file, digest, data)

    async def files(self) -> dict[str, tuple[str, str]]:
        """Names and digests."""
        pages = self._at_work()
        return {name: pages.files[name][:2] if name in pages.files else ("", "") for name in pages.incidents}

    async def file(self, incident: str) -> tuple[str, bytes] | None:
        """Name and bytes."""
        kept = self._at_work().files.get(incident)
        return (kept[0], kept[2]) if kept else None

    async def answers_since(self, last: int) -> tuple[tuple[int, str, Answered], ...]:
        """Rows count from 1."""
        rows = enumerate(self._at_work().facts, 1)
        return tuple((row, name, fact) for row, (name, fact) in rows if row > last and isinstance(fact, Answered))

    async def report(self, cause: str, text: str, at: datetime) -> None:
        """The newest thousand stay."""
        reports = self._at_work().reports
        reports.append(Report(reports[-1].row + 1 if reports else 1, at, cause, text))
        del reports[:-1000]

    async def reports_since(self, last: int) -> tuple[Report, ...]:
        """In order."""
        return tuple(each for each in self._at_work().reports if each.row > last)

    async def record_arrival(self, arrival: Arrival) -> bool:
        """Once."""
        came = self._at_work().arrivals
        if any((each.kind, each.ref) == (arrival.kind, arrival.ref) for each, _ in came):
            return False
        came.append((arrival, None))
        return True

    async def unjudged_arrivals(self) -> tuple[tuple[int, Arrival], ...]:
        """Rows count from 1."""
        rows = enumerate(self._at_work().arrivals, 1)
        return tuple((row, arrival) for row, (arrival, result) in rows if result is None)

    async def record_result(self, row: int, result: str) -> None:
        """The first result stands."""
        came = self._at_work().arrivals
        arrival, known = came[row - 1]
        came[row - 1] = (arrival, known or result)

    async def newest_results(self, kind: ArrivalKind, who: str, most: int) -> tuple[str, ...]:
        """Newest first."""
        newest = reversed(self._at_work().arrivals)
        return tuple(result for each, result in newest if (each.kind, each.who) == (kind, who) and result)[:most]

    async def last_arrival_at(self, kind: ArrivalKind) -> datetime | None:
        """The newest."""
        return max((each.at for each, _ in self._at_work().arrivals if each.kind is kind), default=None)

    async def reserved_codes(self, since: datetime) -> tuple[ReservedCode, ...]:
        """In the order given."""
        found = []
        facts = self._at_work().facts
        for number, (incident, fact) in enumerate(facts):
            if isinstance(fact, Coded):
                later = (each.at for name, each in facts[number:] if name == incident and isinstance(each, Closed))
                closed_at = max(later, default=None)
                if closed_at is None or closed_at > since:
                    found.append(ReservedCode(incident, fact, closed_at))
        return tuple(found)

    async def record_config(self, revision: str, files: Mapping[str, bytes], at: datetime) -> None:
        """The newest last."""
        self._at_work().configs.append((revision, at, dict(files)))

    async def last_good_config(self) -> tuple[str, datetime, dict[str, bytes]] | None:
        """The newest."""
        configs = self._at_work().configs
        return configs[-1] if configs else None

    async def claim_notice(self, cause: str, at: datetime, quiet: timedelta) -> bool:
        """Once in `quiet`."""
        notices = self._at_work().notices
        told_at = notices.get(cause)
        if told_at is not None and at - told_at < quiet:
            return False
        notices[cause] = at
        return True

    async def noticed_at(self, cause: str) -> datetime | None:
        """By cause."""
        return self._at_work().notices.get(cause)

    async def unsettled(self) -> tuple[Letter, ...]:
        """Oldest first."""
        pages = self._at_work()
        return tuple(
            replace(letter, attempts=tuple(each for each in pages.attempts if each.reference == key))
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
        attempts = tuple(each for each in pages.attempts if each.reference == key)
        said = [pages.receipts[each.id] for each in attempts if each.id in pages.receipts]
        state, settled_at = pages.states.get(key, ("pending", None))
        return Record(decided, pages.letters[key].content, attempts, said[-1] if said else None, state, settled_at)

    async def tally(self, settled_before: datetime) -> Tally:
        """Counted anew each time."""
        pages = self._at_work()
        versions = {name: fact.incident for name, fact in pages.facts if isinstance(fact, Seen)}
        opened = [each for name, each in versions.items() if not pages.incidents[name] and each.status != "resolved"]
        pending = [letter.notification for key, letter in pages.letters.items() if key not in pages.states]
        sent = [(letter.notification.kind.value, pages.states.get(key, (WAITING, None))[0])
                for key, letter in pages.letters.items()]  # fmt: skip
        outcomes = [type(each.outcome).__name__.lower() if each.outcome else WAITING for each in pages.attempts]
        return Tally(
            open=Counter(each.severity for each in opened),
            notifications=Counter([*sent, *((each.kind.value, "held") for each in pages.held.values())]),
            attempts=Counter((each.via.value, outcome) for each, outcome in zip(pages.attempts, outcomes, strict=True)),
            receipts=Counter((pages.attempts[id_ - 1].via.value, said.value) for id_, said in pages.receipts.items()),
            duplicates=Counter(each.via.value for each in pages.attempts if each.possible_duplicate),
            arrivals=Counter((each.kind.value, result or WAITING) for each, result in pages.arrivals),
            oldest_page_at=min((each.at for each in pending if each.kind is Kind.PAGE), default=None),
        )

    async def close(self) -> None:
        """Nothing is held."""
