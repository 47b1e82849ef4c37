"""The ledger port as a whole: whatever is asked of it in whatever order, SQLite, PostgreSQL and the fake in memory agree.

A story is made by chance from a number, which is in the name of its test: the same number makes the same story.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any

import pytest
from tocsin.adapters.ledger.ledger import SqlLedger
from tocsin.adapters.ledger.sqlite.keeping import FileStore
from tocsin.adapters.ledger.sqlite.opening import open_file
from tocsin.domain.arrival import Arrival, ArrivalKind, OptOut
from tocsin.domain.delivery import (
    Accepted,
    Attempt,
    Bundle,
    Content,
    Deferred,
    Fault,
    Letter,
    Receipt,
    Refused,
    Uncertain,
)
from tocsin.domain.facts import Answer, Answered, Closed, Coded, Fact, Gone, Noted, Paged, RoleOpened, Seen, StepFired
from tocsin.domain.incident import Incident, Status, UpdateEntry
from tocsin.domain.notification import AnswerLink, Kind, Notification, Reason, Suppression, Why
from tocsin.domain.people import Channel, Session
from tocsin.ports.ledger.ledger import Ledger

from tests.builders.postgres_ledger import empty_tables, make_tables, open_leading
from tests.fakes.ledger import MemoryLedger, Pages
from tests.fakes.postgres import Server

T0 = datetime(2026, 11, 23, 10, tzinfo=UTC)
LONG_AGO = T0 - timedelta(days=400)
MINUTE = timedelta(minutes=1)
INCIDENTS = ("db", "DB", "web", "a_b", "a%b", "déjà")
PEOPLE = ("ana", "bo", "chen")
ADDRESSES = ("+14155550101", "+14155550102", "ana@example.com", "_@example.com")
TEXTS = ("", "Database down", "Déjà vu 🙂", "50 % of %s, %(x)s, :x and {y}", 'it\'s "so" \\ \n\t', "ok\u2028", "支払い")
CAUSES = ("disk", "disk:/var", "disk_:x", "provider:a%", "Disk")
PROVIDERS = ("", "main", "spare_1")

Deed = Callable[["Told"], Awaitable[Any]]
Step = tuple[str, Deed]


@dataclass
class Told:
    """A ledger to which a story is told, and the names it gave to what it was told."""

    reopen: Callable[[], Awaitable[Ledger]]
    ledger: Ledger
    begun: list[Attempt] = field(default_factory=list)
    rows: dict[tuple[ArrivalKind, str], int] = field(default_factory=dict)

    async def begin(self, attempts: Sequence[Attempt]) -> Any:
        """Attempts that this ledger has begun."""
        self.begun += attempts
        return self.plain(tuple(attempts))

    async def restart(self) -> None:
        """As a daemon does it."""
        await self.ledger.close()
        self.ledger = await self.reopen()

    def plain(self, answer: Any) -> Any:
        """An answer without the names that only this ledger gives: attempts by the order in which they began."""
        places = {attempt.id: f"attempt {place}" for place, attempt in enumerate(self.begun)}

        def renamed(value: Any) -> Any:
            if isinstance(value, Attempt):
                return replace(value, id=places[value.id])
            if isinstance(value, tuple | list) and not hasattr(value, "_fields"):
                return tuple(map(renamed, value))
            if getattr(value, "attempts", ()):
                return replace(value, attempts=renamed(value.attempts))
            return value

        return renamed(answer)

    async def unjudged(self) -> Any:
        """What waits for a judgement; each row is kept in mind, and not compared."""
        waiting, ledger = [], self.ledger
        for question in (
            ledger.unjudged_arrivals, ledger.unjudged_alerts, ledger.unjudged_acts, ledger.unjudged_hand_ins,
        ):  # fmt: skip
            listed = await question()
            for row, arrival in listed:
                assert isinstance(arrival, Arrival)
                self.rows[arrival.kind, arrival.ref] = row
            waiting.append([arrival for _, arrival in listed])
        return waiting


class Story:
    """What happens, by chance: a step at a time, each described."""

    def __init__(self, seed: int) -> None:
        self.chance = Random(seed)
        self.letters: list[str] = []
        self.decided: set[str] = set()
        self.attempts = 0
        self.arrivals: list[Arrival] = []
        self.deeds: list[Callable[[], Step]] = [
            *[self.record] * 5, *[self.begin] * 4, *[self.end] * 4, *[self.receipt] * 4, *[self.bundle] * 2,
            *[self.arrive] * 3, *[self.judge] * 3, self.anew, self.finish, self.settle, self.settle, self.keep_file,
            self.answer, self.opt, self.sign_in, self.config, self.notice, self.notice, self.clock, self.restart,
        ]  # fmt: skip

    def steps(self, number: int) -> Iterator[Step]:
        """So many."""
        for _ in range(number):
            yield self.chance.choice(self.deeds)()

    def at(self) -> datetime:
        """Some instant, sometimes later than the story's now."""
        return T0 + self.chance.randint(-90, 240) * MINUTE + timedelta(microseconds=self.chance.choice((0, 1, 999_999)))

    def one_of(self, things: Sequence[Any]) -> Any:
        return self.chance.choice(things)

    def some(self, make: Callable[[], Any], most: int = 3) -> list[Any]:
        return [make() for _ in range(self.chance.randint(0, most))]

    def fact(self) -> Fact:
        at, person = self.at(), self.one_of(PEOPLE)
        status = self.one_of((Status.IDENTIFIED, Status.RESOLVED, Status.MONITORING))
        updates = tuple(UpdateEntry(self.one_of(TEXTS), at=at) for _ in range(self.chance.randint(0, 3)))
        incident = Incident(
            self.one_of(INCIDENTS), self.one_of(TEXTS), self.one_of(("sev1", "sev2", "Sév")), status, updates=updates
        )
        return self.one_of(
            (
                Seen(at, incident, self.one_of(("d1", "d2"))),
                Answered(at, person, self.one_of(tuple(Answer)), self.one_of(("", "SM1"))),
                Coded(at, person, ADDRESSES[0], self.one_of(("K7", "k7", "A1"))),
                Noted(at, person, self.one_of(TEXTS)),
                Closed(at),
                Gone(at),
                RoleOpened(at, "technical_lead", Reason.DECLARED),
                StepFired(at, "technical_lead", None, 1, (person,)),
                Paged(at, person, ("technical_lead",), 0, 1, Reason.DECLARED, (Channel.SMS,), ((Channel.EMAIL, at),)),
            )
        )

    def letter(self, incident: str) -> Letter:
        key = f"{incident}/{self.chance.randint(1, 12)}"
        chance, at = self.chance, self.at()
        kind = self.one_of((Kind.PAGE, Kind.PAGE, Kind.UPDATE, Kind.CLOSING))
        notification = Notification(
            key, incident, chance.randint(1, 2), kind, self.one_of((Reason.DECLARED, Reason.DUE)), at,
            self.one_of(PEOPLE), self.one_of((Channel.SMS, Channel.EMAIL)), self.one_of(((), ("scribe", "a b"))),
            self.one_of((None, 0, 3)), self.one_of((None, 1)), self.one_of((None, "customers")),
            external=chance.random() < 0.3, next_update_at=self.one_of((None, at + MINUTE)), rule="x.yaml:3",
        )  # fmt: skip
        words = Content(self.one_of(TEXTS), self.one_of(TEXTS), language=self.one_of(("en", "de")))
        link = AnswerLink(self.one_of("abc") * 64, incident, 1, self.one_of(PEOPLE)) if chance.random() < 0.3 else None
        return Letter(notification, words, link=link)

    def suppression(self, incident: str) -> Suppression:
        key = f"{incident}/{self.chance.randint(1, 12)}"
        why = self.one_of((Why.NOBODY_ON_CALL, Why.LATE))
        return Suppression(key, incident, 1, Kind.PAGE, why, self.at(), self.one_of(PEOPLE), self.one_of(TEXTS))

    def _decide(self, letters: Sequence[Letter], held: Sequence[Suppression] = ()) -> None:
        for letter in letters:
            if letter.notification.key not in self.decided:
                self.letters.append(letter.notification.key)
                self.decided.add(letter.notification.key)
        self.decided |= {suppression.key for suppression in held}

    def record(self, anew: datetime | None = None) -> Step:
        calls = []
        for _ in range(1 if anew else self.one_of((1, 1, 1, 3))):
            incident = self.one_of(INCIDENTS)
            letters = self.some(lambda incident=incident: self.letter(incident))
            held = self.some(lambda incident=incident: self.suppression(incident), 2)
            self._decide(letters, held)
            calls.append((incident, self.some(self.fact), letters, held, anew))

        async def deed(told: Told) -> Any:
            return await asyncio.gather(*(told.ledger.record(*call) for call in calls))

        return f"record {calls}", deed

    def anew(self) -> Step:
        return self.record(self.at())

    def begin(self) -> Step:
        if not self.letters:
            return self.record()
        calls = [
            (self.one_of(self.letters), Channel.SMS, self.one_of(ADDRESSES), self.at(), self.one_of(("", "a kill")))
            for _ in range(self.one_of((1, 1, 4)))
        ]
        provider = self.one_of(PROVIDERS)
        self.attempts += len(calls)

        async def deed(told: Told) -> Any:
            begun = (told.ledger.begin_attempt(*call, provider=provider) for call in calls)
            return await told.begin(await asyncio.gather(*begun))

        return f"begin {calls} by {provider}", deed

    def bundle(self) -> Step:
        if len(self.letters) < 3:
            return self.record()
        keys = self.chance.sample(self.letters, self.chance.randint(2, 3))
        bundle = Bundle(self.one_of(("b1", "b2", "b3")), Content(self.one_of(TEXTS)))
        causes = {keys[0]: "a kill"} if self.chance.random() < 0.5 else {}
        address, at, provider = self.one_of(ADDRESSES), self.at(), self.one_of(PROVIDERS)
        self.attempts += len(keys)

        async def deed(told: Told) -> Any:
            begun = told.ledger.begin_bundle(bundle, keys, Channel.SMS, address, at, causes, provider=provider)
            return await told.begin(await begun)

        return f"bundle {bundle} {keys} {causes} {address} {at} {provider}", deed

    def _places(self) -> list[int]:
        return [self.chance.randrange(self.attempts) for _ in range(self.one_of((1, 1, 3)))]

    def end(self) -> Step:
        if not self.attempts:
            return self.begin()
        outcomes = (
            Accepted("SM1"),
            Accepted(),
            Deferred(self.one_of(TEXTS), "421", Fault.PROVIDER, MINUTE),
            Refused(self.one_of(TEXTS), "550"),
            Refused('"fault": "message"', "21617", self.one_of((Fault.MESSAGE, Fault.ADDRESS))),
            Uncertain(self.one_of(TEXTS), pending=True),
        )
        ends = [(place, self.one_of(outcomes), self.at()) for place in self._places()]

        async def deed(told: Told) -> Any:
            await asyncio.gather(*(told.ledger.end_attempt(told.begun[place], how, at) for place, how, at in ends))

        return f"end {ends}", deed

    def receipt(self) -> Step:
        if not self.attempts:
            return self.begin()
        said = [(place, self.one_of(tuple(Receipt)), self.at(), self.one_of(("", "30005"))) for place in self._places()]

        async def deed(told: Told) -> Any:
            await asyncio.gather(
                *(told.ledger.record_receipt(told.begun[place], receipt, at, code) for place, receipt, at, code in said)
            )

        return f"receipt {said}", deed

    def finish(self) -> Step:
        incident = self.one_of(INCIDENTS)
        return f"finish {incident}", lambda told: told.ledger.finish(incident)

    def settle(self) -> Step:
        key = f"{self.one_of(INCIDENTS)}/{self.chance.randint(1, 12)}"
        state, at = self.one_of(("accepted", "unwanted")), self.at()
        return f"settle {key} {state} {at}", lambda told: told.ledger.settle(key, state, at)

    def keep_file(self) -> Step:
        file = self.one_of(INCIDENTS), self.one_of(("a.yaml", "\udcff.yaml")), self.one_of(("d1", "d2")), b"\xff\0x"
        return f"keep {file}", lambda told: told.ledger.keep_file(*file)

    def arrive(self) -> Step:
        kinds = tuple(ArrivalKind)
        came = [
            Arrival(self.one_of(kinds), self.one_of("abcd"), self.one_of(ADDRESSES), self.one_of(TEXTS), self.at())
            for _ in range(self.one_of((1, 1, 4)))
        ]
        self.arrivals += came

        async def deed(told: Told) -> Any:
            return await asyncio.gather(*map(told.ledger.record_arrival, came))

        return f"arrive {came}", deed

    def judge(self) -> Step:
        if not self.arrivals:
            return self.arrive()
        arrival, result, words = self.one_of(self.arrivals), self.one_of(("acted", "unknown")), self.one_of(TEXTS)

        async def deed(told: Told) -> Any:
            await told.unjudged()
            await told.ledger.record_result(told.rows[arrival.kind, arrival.ref], result, words)

        return f"judge {arrival} {result} {words}", deed

    def answer(self) -> Step:
        letter = self.letter(self.one_of(INCIDENTS))
        answers = [(self.one_of(INCIDENTS), Answered(self.at(), "ana", Answer.OK)) for _ in range(2)]
        self._decide([letter])
        return f"answer {answers} {letter}", lambda told: told.ledger.record_answers(answers, letter)

    def opt(self) -> Step:
        via, address = self.one_of(tuple(Channel)), self.one_of(ADDRESSES)
        if self.chance.random() < 0.4:
            return f"opt in {via} {address}", lambda told: told.ledger.opt_in(via, address)
        opted = OptOut(via, address, self.at(), self.one_of(TEXTS))
        return f"opt out {opted}", lambda told: told.ledger.opt_out(opted)

    def sign_in(self) -> Step:
        digest = self.one_of("abcd") * 64
        if self.chance.random() < 0.4:
            ended = [digest, "e" * 64]
            return f"sign out {ended}", lambda told: told.ledger.end_sessions(ended)
        session = Session(digest, self.one_of(PEOPLE), self.at())
        return f"sign in {session}", lambda told: told.ledger.begin_session(session)

    def config(self) -> Step:
        revision, files, at = self.one_of(("r1", "r2")), {"a.yaml": b"\0\xff", "b": b""}, self.at()
        templates = self.one_of((None, {}, {"page.txt.j2": self.one_of(TEXTS)}))
        return f"config {revision} {at}", lambda told: told.ledger.record_config(revision, files, at, "", templates)

    def notice(self) -> Step:
        cause, at, quiet = self.one_of(CAUSES), self.at(), self.one_of((0, 1, 60)) * MINUTE
        return f"notice {cause} {at} {quiet}", lambda told: told.ledger.claim_notice(cause, at, quiet)

    def clock(self) -> Step:
        by, now = self.one_of((-30, 45, 1)) * MINUTE, self.at()
        if self.chance.random() < 0.5:
            return f"bring back to {now}", lambda told: told.ledger.bring_back(now)
        return f"move by {by} to {now}", lambda told: told.ledger.move_clock(by, now)

    def restart(self) -> Step:
        return "restart", Told.restart

    def questions(self) -> Iterator[Step]:
        """Everything that can be asked, once."""
        since, until = self.at(), self.at()
        names = self.chance.sample(INCIDENTS, 3)
        person, address = self.one_of(PEOPLE), self.one_of(ADDRESSES)
        yield "incidents", _asked(lambda ledger: ledger.incidents(), sorted)
        yield "unfinished", _asked(lambda ledger: ledger.unfinished())
        yield "unsettled", _asked(lambda ledger: ledger.unsettled())
        yield "unreadable", _asked(lambda ledger: ledger.unreadable_letters())
        yield "files", _asked(lambda ledger: ledger.files())
        yield "closed", _asked(lambda ledger: ledger.last_closed(2))
        yield "versions", _asked(lambda ledger: ledger.newest_versions(names))
        yield "digests", _asked(lambda ledger: ledger.version_digests(names))
        yield "newest digests", _asked(lambda ledger: ledger.version_digests(names, newest=True))
        yield "summaries", _asked(lambda ledger: ledger.summaries(names))
        for name in names:
            yield f"facts {name}", _asked(lambda ledger, name=name: ledger.facts(name))
            yield f"records {name}", _asked(lambda ledger, name=name: ledger.records(name))
            yield f"file {name}", _asked(lambda ledger, name=name: ledger.file(name))
        yield f"sent since {since}", _asked(lambda ledger: ledger.sent_pages(since))
        yield f"sent to {person}", _asked(lambda ledger: ledger.sent_pages(since, person))
        yield (
            f"handed over to {person} by {until}",
            _asked(lambda ledger: ledger.pages_handed_over(person, until, begun=False)),
        )
        yield "refusals", _asked(lambda ledger: ledger.refusals())
        yield "proofs", _asked(lambda ledger: ledger.proofs())
        yield "opt outs", _asked(lambda ledger: ledger.opt_outs())
        yield f"codes {since}", _asked(lambda ledger: ledger.reserved_codes(since))
        yield "sessions", _asked(lambda ledger: ledger.sessions())
        yield "session", _asked(lambda ledger: ledger.session("a" * 64))
        yield "link", _asked(lambda ledger: ledger.answer_link("a" * 64))
        yield "bundle", _asked(lambda ledger: ledger.bundle("b1"))
        yield "config", _asked(lambda ledger: ledger.last_good_config())
        yield "noticed", _asked(lambda ledger: ledger.noticed("disk"))
        yield "noticed at", _asked(lambda ledger: ledger.noticed_at("Disk"))
        yield "unjudged", Told.unjudged
        for kind in (ArrivalKind.SMS, ArrivalKind.EDIT):
            yield "outcome", _asked(lambda ledger, kind=kind: ledger.outcome(kind, "a"))
            yield "has_arrived", _asked(lambda ledger, kind=kind: ledger.has_arrived(kind, "a"))
            yield "results", _asked(lambda ledger, kind=kind: ledger.newest_results(kind, address, 2))
            yield "since", _asked(lambda ledger, kind=kind: ledger.results_since(kind, address, since))
            yield "last", _asked(lambda ledger, kind=kind: ledger.last_arrival_at(kind))
        yield "tally", _asked(lambda ledger: ledger.tally(LONG_AGO))
        for place in {self.chance.randrange(self.attempts) for _ in range(3)} if self.attempts else ():
            yield f"attempt {place}", _attempt(place)


def _asked(question: Callable[[Ledger], Awaitable[Any]], order: Callable[[Any], Any] = lambda answer: answer) -> Deed:
    async def ask(told: Told) -> Any:
        return told.plain(order(await question(told.ledger)))

    return ask


def _attempt(place: int) -> Deed:
    async def ask(told: Told) -> Any:
        return told.plain(await told.ledger.find_attempt(told.begun[place].id))

    return ask


async def tell(seed: int, ways: Sequence[Callable[[], Awaitable[Ledger]]], steps: int) -> None:
    """Tell a story to ledgers opened in these ways, and compare whatever they say."""
    listeners = [Told(way, await way()) for way in ways]
    story, past = Story(seed), list[str]()

    async def compare(step: Step) -> None:
        past.append(step[0])
        answers = [await step[1](told) for told in listeners]
        for answer in answers[1:]:
            assert answer == answers[0], "\n".join([*past[-40:], f"{answer}\n!=\n{answers[0]}"])

    try:
        for number, step in enumerate(story.steps(steps), 1):
            await compare(step)
            if number % 10 == 0:
                for question in story.questions():
                    await compare(question)
                    past.pop()
    finally:
        for told in listeners:
            await told.ledger.close()


def memory() -> Callable[[], Awaitable[Ledger]]:
    """The fake."""
    pages = Pages()

    async def open_() -> Ledger:
        return MemoryLedger(pages)

    return open_


def sqlite(path: Path) -> Callable[[], Awaitable[Ledger]]:
    """A file."""

    async def open_() -> Ledger:
        return SqlLedger(FileStore(open_file(path, "now")))

    return open_


def postgresql(url: str) -> Callable[[], Awaitable[Ledger]]:
    """A database of a server."""

    async def open_() -> Ledger:
        return SqlLedger(await open_leading(url))

    return open_


async def test_all_three_tell_the_same_story(postgres_server: Server, tmp_path: Path) -> None:
    """A short one."""
    with postgres_server.database(make_tables) as database:
        await tell(0, [sqlite(tmp_path / "tocsin.db"), memory(), postgresql(database.url())], 20)


async def test_a_file_and_the_fake_tell_the_same_story(tmp_path: Path) -> None:
    """Of each step, and of everything that can be asked after ten."""
    await tell(1, [sqlite(tmp_path / "tocsin.db"), memory()], 40)


@pytest.mark.attack
@pytest.mark.parametrize("tens", range(20))
async def test_long_stories(tens: int, postgres_server: Server, tmp_path: Path) -> None:
    """Ten of them."""
    with postgres_server.database(make_tables) as database:
        for seed in range(1000 + 10 * tens, 1010 + 10 * tens):
            empty_tables(database.url())
            ways = [sqlite(tmp_path / f"{seed}.db"), memory(), postgresql(database.url())]
            await tell(seed, ways, 120)
