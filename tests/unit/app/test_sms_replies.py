"""Answers by SMS, sentence by sentence of `docs/answering.md`, on a ledger in memory."""

import random
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from tocsin.app.arrivals.in_memory.answers import AnswersInMemory
from tocsin.app.arrivals.inbound import Arrivals
from tocsin.app.delivery.bundles import Bundles
from tocsin.app.delivery.context import DeliveryContext
from tocsin.app.delivery.parcels.delivery import KILLED
from tocsin.app.delivery.providers import Providers
from tocsin.app.delivery.rooms import Rooms
from tocsin.app.delivery.sender import Sender
from tocsin.app.delivery.transports import Transports
from tocsin.app.engine.reconcile import Reconciler
from tocsin.app.lifecycle.startup import recall
from tocsin.app.replies.flips import Flips
from tocsin.app.replies.sms import SmsReplies
from tocsin.app.replies.sms_words import status
from tocsin.app.replies.stops import Stops
from tocsin.app.reply_options.codes import RESERVED_FOR, Codes
from tocsin.app.reply_options.options import ReplyOptions
from tocsin.app.state.agenda import Agenda
from tocsin.app.state.incidents import Incidents
from tocsin.app.state.notices import Notices
from tocsin.domain.arrival import Arrival, ArrivalKind
from tocsin.domain.delivery import Outcome
from tocsin.domain.facts import Answer, Answered, Coded, Noted, Seen
from tocsin.domain.incident import Incident, Status
from tocsin.domain.notification import Kind
from tocsin.domain.people import MAIN, Channel
from tocsin.planning.current_state import current_state
from tocsin.ports.ledger.trouble import LedgerError
from tocsin.text.gsm import segments
from tocsin.wording.language.language import ENGLISH

from tests.builders.active_config import OURS, active_config, polled
from tests.builders.daemon_parts import PlainBundles, shipped_words
from tests.builders.policies import paging_policy
from tests.fakes.clock import StillClock
from tests.fakes.ledger import MemoryLedger, Pages
from tests.fakes.transport import MemoryTransport
from tests.simulation.world import PlainRenderer

ANA, BO, CHEN, EVE = "+14155550101", "+14155550102", "+14155550103", "+14155550105"
SECOND, MINUTE = timedelta(seconds=1), timedelta(minutes=1)


class House:
    """A daemon without wires: incidents are seen, people answer, time passes when told to."""

    def __init__(self, clock: StillClock | None = None, pages: Pages | None = None, machine: str = "") -> None:
        self.clock, self.ledger, self.policy = clock or StillClock(), MemoryLedger(pages), paging_policy()
        self.dice = random.Random(7)
        self.count, self.machine = 0, machine

    async def open(self) -> "House":
        """Begin, with what the ledger holds."""
        now = self.clock.now()
        codes = Codes(self.dice, await self.ledger.reserved_codes(now - RESERVED_FOR), now)
        self.config = config = active_config(self.policy, polled())
        notices = Notices(self.clock)
        self.incidents = Incidents(Agenda())
        context = DeliveryContext(
            config, self.incidents, notices, ReplyOptions(codes, config, self.ledger), machine=self.machine
        )
        transports = Transports(polled(), lambda _settings: {via: {MAIN: MemoryTransport()} for via in Channel})
        rooms, bundles = Rooms(self.clock, context), Bundles(context, PlainBundles())
        providers = Providers(self.clock, transports, notices)
        sender = Sender(self.clock, self.ledger, context, providers, self.dice, rooms, bundles)
        self.reconciler = Reconciler(self.clock, self.ledger, PlainRenderer(), context, sender, rooms)
        await recall(self.ledger, self.incidents, self.clock.now())
        self.stops = stops = Stops(self.clock, self.ledger, context)
        self.in_memory = AnswersInMemory(self.clock, context, Flips(self.clock), sender.open)
        self.replies = SmsReplies(self.clock, self.ledger, context, sender, stops, shipped_words(), self.in_memory)
        self.notices, self.sender = notices, sender
        self.arrivals = Arrivals(self.ledger, {ArrivalKind.SMS: self.replies.judge}, notices)
        return self

    async def see(self, id_: str, title: str = "Card payments fail", **changes: Any) -> None:
        """A version of an incident's file counts."""
        incident = replace(Incident(id_, title, "sev1", Status.INVESTIGATING), **changes)
        self.incidents.add_event(id_, Seen(self.clock.now(), incident, f"{incident}"))
        await self.reconciler.reconcile(id_)

    async def go(self, span: timedelta, *incidents: str) -> None:
        """Time passes, then these are looked at."""
        self.clock.go(span)
        for incident in incidents:
            await self.reconciler.reconcile(incident)

    def code(self, incident: str, number: str = ANA) -> str:
        """The code that a number got for an incident, newest."""
        facts = [fact for name, fact in self.ledger.pages.facts if name == incident and isinstance(fact, Coded)]
        return next(fact.code for fact in reversed(facts) if fact.number == number)

    async def text(self, number: str, body: str, ref: str = "") -> str:
        """Somebody writes to us; what we answer, "" for nothing."""
        await self.comes(number, body, ref)
        said = await self.judge()
        assert len(said) <= 1
        return said[0] if said else ""

    async def comes(self, number: str, body: str, ref: str = "", ago: timedelta = timedelta(0)) -> None:
        """Somebody's message comes in, and waits."""
        self.count += 1
        at = self.clock.now() - ago
        await self.ledger.record_arrival(Arrival(ArrivalKind.SMS, ref or f"SM{self.count}", number, body, at))

    async def judge(self) -> list[str]:
        """What waits is judged and brought to the incidents; what we answer."""
        before = set(self.ledger.pages.letters)
        await self.arrivals.look()
        for incident in await self.ledger.incidents():
            await self.reconciler.reconcile(incident)
        new = [each for key, each in self.ledger.pages.letters.items() if key not in before]
        said = [each.content.text for each in new if each.notification.kind is Kind.ANSWER]
        assert all(segments(each) == 1 for each in said)
        return said

    def facts(self, kind: Any) -> list[Any]:
        return [fact for _, fact in self.ledger.pages.facts if isinstance(fact, kind)]


@pytest.fixture(params=["", "a"], ids=["alone", "several"])
async def house(request: pytest.FixtureRequest) -> House:
    """With several machines everyday answers are judged as with one."""
    found = await House(machine=request.param).open()
    await found.see("pay")
    await found.go(MINUTE)
    return found


@pytest.mark.parametrize(
    "said", ["ok", "OK", "ack", "a", "Yes", "ok {}", "{} ok", "{}", "„ok {}“", " o\u200bk   {} ", "Ok, {}."]
)
async def test_an_ok_accepts(house: House, said: str) -> None:
    """By any of its words, with or without the code while one incident is open; the answer says what is now true."""
    code = house.code("pay")
    assert await house.text(ANA, said.format(code.lower())) == "You are technical_lead of Card payments fail (SEV1)."
    assert house.incidents.history("pay").holder("technical_lead") == "ana"


async def test_a_second_ok_is_answered_with_who_and_when(house: House) -> None:
    """To the holder since when, to somebody else who has it."""
    await house.go(5 * MINUTE, "pay")
    await house.text(BO, "ok")
    await house.go(MINUTE)
    assert await house.text(BO, "ok") == "You are already technical_lead of Card payments fail, since 10:06 UTC."
    assert (
        await house.text(ANA, "ok")
        == "Bo took technical_lead of Card payments fail at 10:06 UTC. You need not do anything."
    )
    assert house.incidents.history("pay").holder("technical_lead") == "bo"


async def test_a_pass_asks_the_next(house: House) -> None:
    """The next level is paged at once."""
    assert (
        await house.text(ANA, "pass")
        == "Noted: you pass on technical_lead of Card payments fail. Somebody else is asked."
    )
    assert house.code("pay", BO)
    assert house.facts(Answered)[-1].answer is Answer.PASS
    assert await house.text(ANA, "no") == "You passed on Card payments fail already."


async def test_a_holder_who_left_the_config_holds_nothing(house: House) -> None:
    """Rule 8: the role is open again, and a status says so in the moment before the next look, too."""
    await house.text(ANA, "ok")
    people = {name: person for name, person in house.policy.people.items() if name != "ana"}
    policy, history, now = replace(house.policy, people=people), house.incidents.history("pay"), house.clock.now()
    assert history.incident is not None
    state = current_state(history.incident, policy, history, now)
    words = status(history, state, policy, policy.people["bo"], now, ENGLISH)
    assert words.holders == (("technical_lead", ""), ("incident_commander", ""))


async def test_status_and_note(house: House) -> None:
    """What is true, and a note that lands in the timeline, with its words as they were written."""
    await house.text(ANA, "ok")
    said = await house.text(ANA, "Status")
    assert "looking for the cause" in said
    assert "technical_lead: Ana" in said
    assert (
        await house.text(ANA, f"note {house.code('pay')} Fehler im Größe-Feld 数据") == "Noted for Card payments fail."
    )
    assert await house.text(ANA, "note A9 is the broken host") == "Noted for Card payments fail."
    assert [each.text for each in house.facts(Noted)] == ["Fehler im Größe-Feld 数据", "A9 is the broken host"]


async def test_two_open_incidents_want_a_code(house: House) -> None:
    """A bare ok lists the codes and accepts nothing; a code names its incident."""
    await house.see("db", "Database down")
    first, second = house.code("pay"), house.code("db")
    said = await house.text(ANA, "ok")
    assert f"{first} Card payments fail" in said
    assert f"{second} Database down" in said
    assert not house.facts(Answered)
    assert "Database down" in await house.text(ANA, f"ok {second}")
    assert house.incidents.history("pay").holder("technical_lead") is None


async def test_a_code_works_only_for_whom_it_was_given(house: House) -> None:
    """Another number's code says nothing here, even of somebody else who is asked for the same incident."""
    code = house.code("pay", ANA)
    while code == house.code("pay", CHEN):
        raise AssertionError("the dice of this test give two codes")
    assert (await house.text(CHEN, f"ok {code}")).startswith(f"{code} is no code of yours.")
    assert not house.facts(Answered)


async def test_nobody_else_is_listened_to(house: House) -> None:
    """P9: an unknown number gets no answer; somebody of the config who was not asked gets one, and changes nothing."""
    assert await house.text("+14155550199", "ok") == ""
    assert await house.text(EVE, "ok") == "You have no open page. Nothing has changed."
    assert not house.facts(Answered)


async def test_after_five_answers_in_vain_we_are_quiet(house: House) -> None:
    """Until a valid one; the carrier's words are never answered."""
    answers = [await house.text(ANA, "what is this?") for _ in range(8)]
    assert [bool(answer) for answer in answers] == [True] * 5 + [False] * 3
    assert await house.text(ANA, "STOP") == ""
    assert await house.text(ANA, "ok")
    assert await house.text(ANA, "hm?")


async def test_quiet_stays_quiet(house: House) -> None:
    """A machine that answers each of our answers is not answered again, however long it goes on."""
    answers = [await house.text(ANA, "I am on holiday until Monday.") for _ in range(120)]
    assert sum(map(bool, answers)) == 5


async def test_what_changed_nothing_counts_as_in_vain(house: House) -> None:
    """Valid words that lead nowhere are answered five times, too."""
    await house.see("pay", status=Status.RESOLVED)
    answers = [await house.text(ANA, house.code("pay")) for _ in range(7)]
    assert [bool(answer) for answer in answers] == [True] * 5 + [False] * 2


async def test_our_own_number_is_never_answered(house: House) -> None:
    """Even if somebody of the config is given as having it: we would talk to ourselves."""
    assert await house.text(OURS, "ok") == ""
    assert await house.text(OURS, "hm") == ""


async def test_the_same_message_by_both_ways_counts_once(house: House) -> None:
    """One name of the provider's, one answer."""
    assert await house.text(ANA, "note disk is full", "SMx")
    assert await house.text(ANA, "note disk is full", "SMx") == ""
    assert len(house.facts(Noted)) == 1


async def test_two_who_answer_at_once(house: House) -> None:
    """Both are heard in one go; the second is told who has it, not that they have it too."""
    await house.go(5 * MINUTE, "pay")
    await house.comes(ANA, "ok")
    await house.comes(BO, "ok")
    assert await house.judge() == [
        "You are technical_lead of Card payments fail (SEV1).",
        "Ana took technical_lead of Card payments fail at 10:06 UTC. You need not do anything.",
    ]


@pytest.mark.parametrize("said", ["ok", "pass", "note disk is full", "status", "hm?"])
async def test_killed_before_it_was_judged(house: House, said: str) -> None:
    """What it means and our answer are on disk together: judged again after a restart it counts once."""
    await house.comes(ANA, said)
    await house.replies.judge((await house.ledger.unjudged_arrivals())[0][1])
    facts, letters = len(house.ledger.pages.facts), len(house.ledger.pages.letters)
    again = await House(house.clock, house.ledger.pages).open()
    await again.arrivals.look()
    assert (len(again.ledger.pages.facts), len(again.ledger.pages.letters)) == (facts, letters)
    assert not await again.ledger.unjudged_arrivals()


async def test_the_ledger_is_in_trouble(house: House) -> None:
    """Nothing is lost and nothing is said before it is on disk; when the ledger is back it counts."""
    await house.comes(ANA, "ok")
    house.ledger.trouble = "disk full"
    with pytest.raises(LedgerError):
        await house.arrivals.look()
    house.ledger.trouble = ""
    assert await house.judge() == ["You are technical_lead of Card payments fail (SEV1)."]


async def test_an_ok_from_before_the_page_does_not_answer_it(house: House) -> None:
    """One without a code that comes late (the daemon was down, the provider slow) is about something else; with a
    code it is clear.
    """
    await house.comes(ANA, "ok", ago=timedelta(hours=1))
    assert (await house.judge())[0].startswith("Which one?")
    assert not house.facts(Answered)
    await house.see("db", "Database down")
    await house.go(timedelta(hours=2), "pay", "db")
    await house.see("web", "Website down")
    await house.comes(ANA, f"ok {house.code('db')}", ago=timedelta(hours=1))
    assert await house.judge() == ["You are technical_lead of Database down (SEV1)."]


async def page_left(house: House, started_ago: timedelta, ended_ago: timedelta, outcome: Outcome = KILLED) -> None:
    """Ana's page is in the ledger as one that left so long ago."""
    now = house.clock.now()
    key = next(key for key in house.ledger.pages.letters if key.startswith("pay/") and "/ana/" in key)
    attempt = await house.ledger.begin_attempt(key, Channel.SMS, ANA, now - started_ago)
    await house.ledger.end_attempt(attempt, outcome, now - ended_ago)


@pytest.mark.parametrize("ago", [MINUTE, 11 * 60 * MINUTE])
async def test_an_ok_that_is_kept(ago: timedelta) -> None:
    """Its page was sent from memory elsewhere, is written down later, and was killed or answered late there: it counts
    if the try began before it, however long after it was sent it is read first.
    """
    house = await House(machine="a").open()
    await house.comes(ANA, "ok", ago=ago)
    assert await house.judge() == ["You have no open page. Nothing has changed."]
    await house.go(10 * MINUTE)
    await house.see("pay")
    assert not await house.judge()
    await page_left(house, ago + 9 * MINUTE, timedelta(0))
    assert not await house.judge(), "that one left after it"
    await page_left(house, ago + 11 * MINUTE, timedelta(0))
    assert await house.judge() == ["You are technical_lead of Card payments fail (SEV1)."]


async def test_an_ok_is_kept_for_twelve_hours() -> None:
    """Then it is over; and no more than three of one person within an hour are kept."""
    house = await House(machine="a").open()
    for _ in range(4):
        await house.comes(ANA, "ok")
    await house.judge()
    assert len(await house.ledger.unjudged_arrivals()) == 3
    for span, waiting in ((60 * MINUTE, 4), (11 * 60 * MINUTE - SECOND, 4), (SECOND, 1)):
        await house.go(span)
        if span == 60 * MINUTE:
            await house.comes(ANA, "ok")
        await house.judge()
        assert len(await house.ledger.unjudged_arrivals()) == waiting
    await house.go(60 * MINUTE)
    await house.judge()
    assert not await house.ledger.unjudged_arrivals()


async def test_the_next_leader_judges_what_was_kept() -> None:
    """It does not know that it was kept: it counts for what had its code before it was sent, and for nothing since."""
    house = await House(machine="a").open()
    await house.comes(ANA, "ok")
    await house.judge()
    await house.go(2 * MINUTE)
    await house.see("pay")
    await house.go(MINUTE)
    house = await House(house.clock, house.ledger.pages, machine="b").open()
    await house.arrivals.look()
    assert not house.facts(Answered), "the page came after it"
    await house.comes(ANA, "ok", "SM2", ago=30 * SECOND)
    house = await House(house.clock, house.ledger.pages, machine="c").open()
    await house.arrivals.look()
    assert [fact.person for fact in house.facts(Answered)] == ["ana"]


async def ask_whether_healthy(house: House) -> None:
    """Ana's incident is over, and she is asked whether all is well."""
    severity = house.policy.severities["sev1"]
    asking = replace(severity, verify_after=30 * MINUTE)
    house.config.replace(replace(house.policy, severities={"sev1": asking}), polled())
    house.incidents.poke_all()
    await house.go(timedelta(0), "pay")
    await house.text(ANA, "ok")
    await house.see("pay", status=Status.RESOLVED)
    await house.go(31 * MINUTE, "pay")


async def test_an_ok_to_a_verify(house: House) -> None:
    """A resolved incident that asks whether all is well is confirmed by `ok`, and is over then."""
    await ask_whether_healthy(house)
    assert await house.text(ANA, "ok") == "Thank you. Card payments fail: confirmed healthy."
    await house.see("db", "Database down")
    assert await house.text(ANA, "ok") == "You are technical_lead of Database down (SEV1)."


@pytest.mark.parametrize("said", ["no", "pass {}", "no all", "ok all"])
async def test_a_no_to_a_verify_is_told_whom_to_call(house: House, said: str) -> None:
    """Asked "is it healthy?" somebody writes `no`: nothing is opened again by it, and they must not read that there is
    nothing to do. `all` never means that question (rule 47).
    """
    await ask_whether_healthy(house)
    answer = await house.text(ANA, said.format(house.code("pay")))
    assert answer == "SEV1 Card payments fail: resolved. Is it healthy? If not, call Olga, +14155550106."
    assert await house.text(ANA, "ok") == "Thank you. Card payments fail: confirmed healthy."
    assert await house.text(ANA, f"no {house.code('pay')}") == (
        "Card payments fail was resolved at 10:01 UTC. Nothing to do."
    )


async def test_a_pass_of_a_file_that_cannot_be_read(house: House) -> None:
    """Rules 16, 32: a page offers it, so it does something, and the answers say what is true; so with `pass all`."""
    house.config.replace(replace(house.policy, last_resort=("bo", "eve")), polled())
    await house.see("broken", "broken.yaml", unreadable=True)
    await house.go(MINUTE)
    how = f"status {house.code('broken', BO)}"
    unread = "SEV1 broken.yaml: its file cannot be read;"
    assert await house.text(BO, how) == f"{unread} nobody looks after it yet."
    assert await house.text(BO, f"pass {house.code('broken', BO)}") == "Noted for broken.yaml. Somebody else is asked."
    assert await house.text(BO, f"pass {house.code('broken', BO)}") == "You passed on broken.yaml already."
    assert (await house.text(BO, "pass all")).startswith("Nothing is asked of you now.")
    assert await house.text(EVE, "pass") == "Noted for broken.yaml. Nobody is asked in your place."
    code = house.code("broken", BO)
    assert (
        await house.text(BO, f"ok {code}") == "Noted: you look after broken.yaml. Its file cannot be read; correct it."
    )
    assert await house.text(BO, how) == f"{unread} somebody looks after it."


async def test_a_closed_incident_is_named(house: House) -> None:
    """Whoever answers too late is told so, and that they need not do anything."""
    await house.see("pay", status=Status.RESOLVED)
    for said in ("ok {}", "pass {}"):
        answer = await house.text(ANA, said.format(house.code("pay")))
        assert answer == "Card payments fail was resolved at 10:01 UTC. Nothing to do."


async def test_a_reopened_incident_keeps_its_code(house: House) -> None:
    """The code still names it, and it is an open page again."""
    code = house.code("pay")
    await house.see("pay", status=Status.RESOLVED)
    assert await house.text(ANA, "ok") == "You have no open page. Nothing has changed."
    await house.see("pay")
    assert house.code("pay") == code
    assert await house.text(ANA, "ok") == "You are technical_lead of Card payments fail (SEV1)."


@pytest.mark.parametrize(
    "title", ["x" * 300, "数据库" * 60, "Größe {curly} " * 20, "Ошибка базы " * 20, "👍" * 50, "a\nb"]
)
async def test_every_answer_is_one_segment(title: str) -> None:
    """Whatever the titles are, and however many; the codes stay readable, and so does what is said of a title."""
    house = await House().open()
    await house.see("pay", title)
    await house.see("db", title)
    said = await house.text(ANA, "ok")
    assert house.code("pay") in said
    assert house.code("db") in said
    assert (await house.text(ANA, f"pass {house.code('db')}")).startswith("Noted: you pass on technical_lead of ")
    assert "is no code of yours" in await house.text(ANA, "ok Z99")
    assert "Not understood" in await house.text(ANA, "?")
    assert await house.text(ANA, f"status {house.code('pay')}")
    await house.see("pay", title, status=Status.RESOLVED)
    assert "was resolved at" in await house.text(ANA, house.code("pay"))


async def test_many_open_incidents(house: House) -> None:
    """The list gives up titles before it gives up codes."""
    for number in range(25):
        await house.see(f"i{number}", f"Something fails {number}")
    said = await house.text(ANA, "pass")
    assert said.startswith("Which one? Reply pass with its code, or pass all: ")
    assert all(house.code(f"i{number}") in said for number in range(25))


async def test_a_bare_ok_names_what_still_asks(house: House) -> None:
    """The worst first, and that `ok all` answers all of them; what they hold already is not in question."""
    sev1 = house.policy.severities["sev1"]
    severities = {"sev1": sev1, "sev3": replace(sev1, name="sev3")}
    house.config.replace(replace(house.policy, severities=severities), house.config.settings)
    await house.text(ANA, "ok")
    await house.see("mild", "Slow", severity="sev3")
    await house.see("drill", "Practice", drill=True)
    assert await house.text(ANA, "ok") == (
        f"Which one? Reply ok with its code, or ok all: {house.code('mild')} Slow; {house.code('drill')} Practice"
    )
    await house.see("bad", "Down")
    said = await house.text(ANA, "ok")
    assert [said.index(house.code(incident)) for incident in ("bad", "mild", "drill")] == sorted(
        said.index(house.code(incident)) for incident in ("bad", "mild", "drill")
    )
    assert house.code("pay") not in said
    assert house.code("pay") in await house.text(ANA, "pass")
    for incident in ("mild", "drill"):
        await house.text(ANA, f"ok {house.code(incident)}")
    assert await house.text(ANA, "ok") == f"Which one? Reply ok with its code: {house.code('bad')} Down"
    await house.text(ANA, f"ok {house.code('bad')}")
    said = await house.text(ANA, "ok")
    assert said.startswith("Nothing is asked of you now. Open: ")
    assert house.code("bad") in said
    assert (await house.text(ANA, "note It is slow")).startswith("Which one? Reply note with its code and the text: ")


async def test_more_codes_than_fit(house: House) -> None:
    """The worst ones' stand whole, and how many more there are; the way to answer all of them stands first."""
    for number in range(99):
        await house.see(f"i{number}", f"Something fails {number}")
    said = await house.text(ANA, "ok")
    assert segments(said) == 1
    assert said.startswith(f"Which one? Reply ok with its code, or ok all: {house.code('pay')} {house.code('i0')} ")
    codes, _, more = said.partition(": ")[2].partition(" +")
    assert len(codes.split()) + int(more) == 100
    assert len(said) > 150


@pytest.mark.parametrize(
    ("people", "then"),
    [((), "Somebody else is asked."), (("ana",), "Nobody is asked in your place.")],
)
async def test_whether_somebody_else_is_asked(people: tuple[str, ...], then: str) -> None:
    """Rule 16, by the plan itself: whoever is the only one that the config names is told so."""
    house = await House().open()
    if people:
        house.policy = replace(house.policy, people={name: house.policy.people[name] for name in people})
        house.config.replace(house.policy, house.config.settings)
    await house.see("pay")
    said = await house.text(ANA, "pass")
    assert said == f"Noted: you pass on technical_lead of Card payments fail. {then}"


async def test_a_code_lives_a_week_beyond_its_incident(house: House) -> None:
    """It is told that the incident is over, also after a restart; then it is free, and a reopening gives a new page."""
    code = house.code("pay")
    await house.see("pay", status=Status.RESOLVED)
    assert await house.text(ANA, f"ok {code}") == "Card payments fail was resolved at 10:01 UTC. Nothing to do."
    house.clock.go(RESERVED_FOR - MINUTE)
    again = await House(house.clock, house.ledger.pages).open()
    again.count = 100
    assert "was resolved" in await again.text(ANA, code)
    again.clock.go(2 * MINUTE)
    later = await House(again.clock, again.ledger.pages).open()
    later.count = 200
    assert (await later.text(ANA, code)).startswith(f"{code} is no code of yours.")


async def test_more_incidents_than_short_codes() -> None:
    """Two digits once all of a letter and a digit are taken; no two open incidents share one."""
    codes = Codes(random.Random(3))
    clock = StillClock()
    given = [codes.give(f"i{number}", "ana", ANA, clock.now())[0] for number in range(300)]
    assert len(set(given)) == 300
    assert {len(code) for code in given[:216]} == {2}
    assert {len(code) for code in given[216:]} == {3}


async def test_one_that_breaks_the_judge_stops_nobody(house: House) -> None:
    """P7: it is set aside and told to the operators; the next is judged."""
    sound = house.replies.judge

    async def judge(arrival: Arrival) -> str:
        if arrival.body == "poison":
            raise KeyError("poison")
        return await sound(arrival)

    house.arrivals = Arrivals(house.ledger, {ArrivalKind.SMS: judge}, house.notices)
    assert await house.text(ANA, "poison") == ""
    assert await house.text(ANA, "ok")
    assert await house.ledger.newest_results(ArrivalKind.SMS, ANA, 2) == ("acted", "broken")
    assert [notice.cause for notice in house.notices.take()] == ["arrival-unjudged:sms"]


async def test_who_is_quiet_is_each_number_alone(house: House) -> None:
    """One who has had five answers in vain keeps nobody else from being answered; asking how it stands is not in vain,
    and a valid answer begins the count anew.
    """
    for _ in range(6):
        await house.text(ANA, "what?")
    assert await house.text(ANA, "what?") == ""
    await house.go(5 * MINUTE, "pay")
    assert await house.text(BO, "what?")
    assert await house.text(ANA, "status")
    answers = [await house.text(ANA, "what?") for _ in range(6)]
    assert [bool(answer) for answer in answers] == [True] * 5 + [False]


async def test_a_carriers_word_counts_for_nothing(house: House) -> None:
    """It is neither answered nor counted among the answers in vain, nor does it end the quiet."""
    for _ in range(4):
        assert await house.text(ANA, "what?")
    for _ in range(3):
        assert await house.text(ANA, "stop") == ""
    assert await house.text(ANA, "what?")
    assert await house.text(ANA, "what?") == ""
    assert await house.text(ANA, "help") == ""
    assert await house.text(ANA, "what?") == ""


@pytest.mark.parametrize("said", ["ok {}", "ok", "ok all"])
async def test_an_ok_counts_before_the_ledger_can_be_written(house: House, said: str) -> None:
    """R54: at the instant it came, so that nobody else is asked; it is confirmed once it is written down."""
    body = said.format(house.code("pay"))
    house.sender.open.clear()  # they have left
    heard = Arrival(ArrivalKind.SMS, "SM7", ANA, body, house.clock.now())
    house.ledger.trouble = "no space left on device"
    for _ in range(2):  # the provider's list is asked again and again
        await house.in_memory.hear([heard])
        await house.reconciler.reconcile("pay")
    accepted = house.incidents.history("pay").roles["technical_lead"]
    assert (accepted.holder, accepted.accepted_at) == ("ana", house.clock.now())
    at = house.clock.now()
    house.ledger.trouble = ""
    await house.ledger.record_arrival(heard)
    await house.go(MINUTE)
    assert await house.judge() == [], "it is not written down yet"
    said_then = await house.judge()
    assert len(said_then) == 1
    assert "Technical Lead" in said_then[0] or "Card payments fail" in said_then[0]
    assert [fact.at for fact in house.facts(Answered)] == [at]
    assert await house.judge() == []


@pytest.mark.parametrize(("episode", "counts"), [(1, True), (2, False)])
async def test_an_answer_by_link_counts_before_the_ledger_can_be_written(
    house: House, episode: int, *, counts: bool
) -> None:
    """R54: like one by SMS, where it is of the life that the incident has now; it is written down once."""
    at, heard = house.clock.now(), Arrival(ArrivalKind.ANSWER, "L7", "ana", f"ok {episode} pay", house.clock.now())
    house.ledger.trouble = "no space left on device"
    for _ in range(2):
        await house.in_memory.hear([heard])
        await house.reconciler.reconcile("pay")
    assert house.incidents.history("pay").roles["technical_lead"].holder == ("ana" if counts else None)
    house.ledger.trouble = ""
    await house.go(MINUTE, "pay")
    assert [(fact.at, fact.ref) for fact in house.facts(Answered)] == ([(at, "L7")] if counts else [])
