"""What comes in through the ledger is brought once, in its order, and none is skipped."""

from dataclasses import replace
from datetime import timedelta

import pytest
from tocsin.app.replies.inbound import BROKEN, UNKNOWN, Arrivals
from tocsin.app.replies.ledger_feed import TOLD_WITHIN, LedgerFeed
from tocsin.app.state.agenda import Agenda
from tocsin.app.state.incident_state import RecordedFact
from tocsin.app.state.incidents import Incidents
from tocsin.app.state.notices import Notices
from tocsin.domain.arrival import Arrival, ArrivalKind
from tocsin.domain.facts import Answer, Answered
from tocsin.ports.ledger import LedgerError, Report

from tests.fakes.clock import StillClock
from tests.fakes.ledger import MemoryLedger

ANA = "+14155550101"
SECOND, HOUR = timedelta(seconds=1), timedelta(hours=1)


class Feed:
    """A feed over a ledger in memory, and what it brought."""

    def __init__(self, last: int = 0, ledger: MemoryLedger | None = None) -> None:
        self.clock, self.ledger = StillClock(), ledger or MemoryLedger()
        self.incidents, self.notices = Incidents(Agenda()), Notices(self.clock)
        self.feed = LedgerFeed(self.clock, self.ledger, self.incidents, self.notices, last)

    async def answer(self, person: str, incident: str = "db") -> None:
        """Another process records an answer."""
        await self.ledger.record(incident, [Answered(self.clock.now(), person, Answer.OK)], (), ())

    def answered(self, incident: str = "db") -> list[str]:
        """Whose answers were brought."""
        events = self.incidents.state(incident).events
        return [
            event.fact.person
            for event in events
            if isinstance(event, RecordedFact) and isinstance(event.fact, Answered)
        ]


async def test_each_answer_is_brought_once() -> None:
    """To its incident, in the order of the ledger, however often it is asked and however many came at once."""
    feed = Feed()
    await feed.feed.ask()
    assert feed.answered() == []
    for person in ("ana", "bo"):
        await feed.answer(person)
    await feed.answer("chen", "web")
    for _ in range(3):
        await feed.feed.ask()
    await feed.answer("dee")
    for _ in range(2):
        await feed.feed.ask()
    assert feed.answered() == ["ana", "bo", "dee"]
    assert feed.answered("web") == ["chen"]


async def test_what_the_daemon_knew_at_its_start_is_not_brought_again() -> None:
    """After the row that it knows, the next one is the first."""
    before = Feed()
    for person in ("ana", "bo"):
        await before.answer(person)
    rows = [row for row, _, _ in await before.ledger.answers_since(0)]
    again = Feed(rows[0], before.ledger)
    await again.feed.ask()
    assert again.answered() == ["bo"]


async def test_trouble_loses_nothing() -> None:
    """What came in while the ledger could not be asked is brought when it can."""
    feed = Feed()
    await feed.answer("ana")
    feed.ledger.trouble = "locked"
    with pytest.raises(LedgerError):
        await feed.feed.ask()
    feed.ledger.trouble = ""
    await feed.feed.ask()
    assert feed.answered() == ["ana"]


async def test_reports_are_told_once_while_they_are_news() -> None:
    """Operators hear each report of another process once; one that is an hour old, or older, is told to nobody, and hides
    none that comes after it.
    """
    feed = Feed()
    now = feed.clock.now()
    for cause, age in (("old", TOLD_WITHIN), ("late", TOLD_WITHIN - timedelta(seconds=1)), ("new", timedelta(0))):
        await feed.ledger.report(cause, f"{cause} text", now - age)
    for _ in range(2):
        await feed.feed.ask()
    await feed.ledger.report("newest", "newest text", now)
    for _ in range(2):
        await feed.feed.ask()
    told = feed.notices.take()
    assert [(notice.cause, notice.text) for notice in told] == [
        (f"word-left:{cause}", f"{cause} text") for cause in ("late", "new", "newest")
    ]


class Inbound:
    """Arrivals of a ledger in memory, and who judged what."""

    def __init__(self) -> None:
        self.ledger, self.notices = MemoryLedger(), Notices(StillClock())
        self.judged: list[str] = []
        self.arrivals = Arrivals(self.ledger, {ArrivalKind.SMS: self.judge}, self.notices)

    async def judge(self, arrival: Arrival) -> str:
        """Whatever the text says happens."""
        self.judged.append(arrival.ref)
        if arrival.body == "poison":
            raise KeyError(arrival.body)
        if arrival.body == "trouble" and self.judged.count(arrival.ref) == 1:
            raise LedgerError("locked")
        return arrival.body

    async def come(self, *bodies: str, kind: ArrivalKind = ArrivalKind.SMS) -> None:
        """These come in."""
        for body in bodies:
            number = len(self.ledger.pages.arrivals)
            await self.ledger.record_arrival(Arrival(kind, f"SM{number}", ANA, body, StillClock().now()))


async def test_each_arrival_is_judged_once() -> None:
    """In the order in which they came; the result is kept, and one that cannot be judged holds up none after it."""
    inbound = Inbound()
    await inbound.come("acted", "poison", "answered")
    for _ in range(2):
        await inbound.arrivals.look()
    await inbound.come("quiet")
    await inbound.arrivals.look()
    assert inbound.judged == ["SM0", "SM1", "SM2", "SM3"]
    assert await inbound.ledger.newest_results(ArrivalKind.SMS, ANA, 9) == ("quiet", "answered", BROKEN, "acted")
    (notice,) = inbound.notices.take()
    assert (notice.cause, "sms" in notice.text, "poison" in notice.text) == ("arrival-unjudged:sms", True, True)


async def test_what_trouble_kept_from_being_judged_is_judged_next() -> None:
    """It keeps its place, and those after it wait."""
    inbound = Inbound()
    await inbound.come("trouble", "acted")
    with pytest.raises(LedgerError):
        await inbound.arrivals.look()
    assert inbound.judged == ["SM0"]
    await inbound.arrivals.look()
    assert inbound.judged == ["SM0", "SM0", "SM1"]
    assert inbound.notices.take() == ()


async def test_what_nobody_judges_is_set_aside() -> None:
    """An arrival of a kind that this daemon does not know is looked at once, and is no reason to wake anybody."""
    inbound = Inbound()
    await inbound.come("delivered", kind=ArrivalKind.RECEIPT)
    await inbound.come("acted")
    await inbound.arrivals.look()
    assert inbound.judged == ["SM1"]
    assert await inbound.ledger.newest_results(ArrivalKind.RECEIPT, ANA, 9) == (UNKNOWN,)
    assert inbound.notices.take() == ()


class WatchedLedger(MemoryLedger):
    """Remembers from where its reports were asked for."""

    def __init__(self) -> None:
        super().__init__()
        self.asked_since: list[int] = []

    async def reports_since(self, last: int) -> tuple[Report, ...]:
        """In order."""
        self.asked_since.append(last)
        return await super().reports_since(last)


async def test_reports_are_not_read_again_and_again() -> None:
    """The ledger is asked for what came after the last one known, also when that was too old to tell."""
    ledger = WatchedLedger()
    feed = Feed(ledger=ledger)
    await ledger.report("old", "old text", feed.clock.now() - timedelta(days=1))
    await ledger.report("new", "new text", feed.clock.now())
    for _ in range(3):
        await feed.feed.ask()
    rows = [report.row for report in await ledger.reports_since(0)]
    assert ledger.asked_since == [0, rows[-1], rows[-1], 0]


@pytest.mark.parametrize("wrong", [timedelta(days=400), -HOUR])
async def test_an_answer_by_another_clock_counts_from_now(wrong: timedelta) -> None:
    """Rule 59: whatever instant it bears, in the ledger too; one of a moment ago keeps its own."""
    feed = Feed()
    now = feed.clock.now()
    answers = [Answered(now + wrong, "ana", Answer.PASS), Answered(now - 2 * SECOND, "bo", Answer.OK)]
    await feed.ledger.record("db", answers, (), ())
    await feed.feed.ask()
    counted = [replace(answers[0], at=now), answers[1]]
    assert [event.fact for event in feed.incidents.state("db").events if isinstance(event, RecordedFact)] == counted
    assert list(await feed.ledger.facts("db")) == counted


async def test_an_answer_counts_although_the_ledger_is_full() -> None:
    """Rule 59: that its instant cannot be put right on disk keeps nobody's answer out."""
    feed = Feed()
    await feed.ledger.record("db", [Answered(feed.clock.now() + HOUR, "ana", Answer.OK)], (), ())

    async def full(_row: int, _answer: Answered) -> None:
        raise LedgerError("no space left on device")

    feed.ledger.correct_answer = full  # type: ignore[method-assign]
    await feed.feed.ask()
    assert feed.answered() == ["ana"]
