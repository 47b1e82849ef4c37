"""`ok all` and `pass all` (rule 47): one answer to everything that is asked of somebody."""

import asyncio
import time
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from tocsin.domain.arrival import ArrivalKind
from tocsin.domain.delivery import Accepted, Deferred, Outcome
from tocsin.domain.facts import Answer, Answered
from tocsin.domain.incident import Status
from tocsin.domain.notification import Kind
from tocsin.planning.history.asked_for import asked_for
from tocsin.text.gsm import segments

from tests.unit.app.test_sms_replies import ANA, BO, EVE, MINUTE, House


class Storm(House):
    """A daemon whose pages are handed to a provider when told to."""

    async def hand_over(self, *incidents: str, to: str = "ana", outcome: Outcome | None = None) -> None:
        """The newest page of these is taken by a provider now."""
        now = self.clock.now()
        for incident in incidents:
            pages = [
                letter.notification
                for letter in self.ledger.pages.letters.values()
                if (letter.notification.incident, letter.notification.kind, letter.notification.to)
                == (incident, Kind.PAGE, to)
            ]
            attempt = await self.ledger.begin_attempt(pages[-1].key, pages[-1].via, ANA, now)
            await self.ledger.end_attempt(attempt, outcome or Accepted("id"), now)

    async def breaks(self, *incidents: str, **changes: Any) -> None:
        """These break, and ana's pages of them have left a minute ago."""
        for incident in incidents:
            await self.see(incident, f"Trouble with {incident}", **changes)
        await self.hand_over(*incidents)

    def held_by(self, person: str) -> list[str]:
        """The incidents in which somebody is technical lead."""
        return [id_ for id_ in self.incidents.open_ids() if self.lead(id_) == person]

    def lead(self, incident: str) -> str | None:
        return self.incidents.history(incident).holder("technical_lead")


@pytest.fixture
async def storm() -> Storm:
    made = Storm()
    await made.open()
    return made


async def test_ok_all_accepts_everything_that_was_asked(storm: Storm) -> None:
    """It is counted, and the worst is named with its code."""
    await storm.breaks("pay", "db", "web")
    await storm.go(MINUTE)
    assert await storm.text(ANA, "Ok all.") == (
        f"You accepted 3: 3 SEV1. Worst: SEV1 Trouble with pay ({storm.code('pay')})."
    )
    assert storm.held_by("ana") == ["pay", "db", "web"]
    assert {fact.ref for fact in storm.facts(Answered)} == {"SM1"}
    assert all(fact.asked_only for fact in storm.facts(Answered))


async def test_the_worst_is_counted_first(storm: Storm) -> None:
    """By the order of the config's severities, whatever the order in which they broke."""
    sev1 = storm.policy.severities["sev1"]
    severities = {"sev1": sev1, "sev2": replace(sev1, name="sev2"), "sev3": replace(sev1, name="sev3")}
    storm.config.replace(replace(storm.policy, severities=severities), storm.config.settings)
    await storm.breaks("a", "b", severity="sev3")
    await storm.breaks("c", severity="sev1")
    await storm.breaks("d", "e", severity="sev2")
    await storm.go(MINUTE)
    said = await storm.text(ANA, "ack all")
    assert said == f"You accepted 5: 1 SEV1, 2 SEV2, 2 SEV3. Worst: SEV1 Trouble with c ({storm.code('c')})."


async def test_with_nothing_open(storm: Storm) -> None:
    """One clear line; nothing changes, and nobody is marked."""
    for said in ("ok all", "pass all"):
        assert await storm.text(ANA, said) == "Nothing is asked of you now. Nothing has changed."
    assert not storm.facts(Answered)
    assert await storm.text("+14155550199", "ok all") == ""


async def test_answers_in_vain_are_counted(storm: Storm) -> None:
    """After five of them we are quiet; one that answers something ends that."""
    answers = [await storm.text(ANA, "ok all") for _ in range(7)]
    assert [bool(answer) for answer in answers] == [True] * 5 + [False] * 2
    await storm.breaks("pay")
    await storm.go(MINUTE)
    assert await storm.text(ANA, "ok all")


async def test_what_has_not_left_stays_asked(storm: Storm) -> None:
    """Rule 47: pages that wait, and pages that left after the answer was sent, are not answered; the answer says so."""
    await storm.breaks("pay")
    await storm.see("db", "Database down")
    await storm.go(timedelta(seconds=30))
    await storm.see("web", "Website down")
    await storm.go(timedelta(seconds=5))
    await storm.hand_over("web")
    await storm.comes(ANA, "ok all", ago=timedelta(seconds=10))
    (said,) = await storm.judge()
    assert said == (
        f"You accepted 1: SEV1 Trouble with pay ({storm.code('pay')}). 2 more, just sent or on their way, still ask you."
    )
    assert storm.held_by("ana") == ["pay"]


async def test_only_what_waits(storm: Storm) -> None:
    """Nothing that had left asks: nothing changes, and what is on its way is told."""
    await storm.see("db", "Database down")
    await storm.hand_over("db", outcome=Deferred("busy"))
    await storm.go(MINUTE)
    said = await storm.text(ANA, "ok all")
    assert said.endswith("nothing has changed. 1 more, just sent or on its way, still asks you.")
    assert not storm.facts(Answered)


async def test_pass_all_lets_go_of_nothing_that_is_held(storm: Storm) -> None:
    """Rule 47: it declines what is asked, and only that."""
    await storm.breaks("pay", "db")
    await storm.go(MINUTE)
    await storm.text(ANA, f"ok {storm.code('pay')}")
    said = await storm.text(ANA, "pass all")
    assert said == (
        f"You passed on 1: SEV1 Trouble with db ({storm.code('db')}). Others are asked. What you hold stays yours (1)."
    )
    assert storm.lead("pay") == "ana"
    assert storm.lead("db") is None
    assert storm.code("db", BO)


async def test_pass_all_promises_nobody_who_is_not_asked(storm: Storm) -> None:
    """A responder has no next level; where others respond, or a role goes on to its next level, somebody is asked."""
    await storm.breaks("pay", "db")
    await storm.go(MINUTE)
    for incident, others in (("pay", ()), ("db", ("bo",))):
        state = storm.incidents.state(incident)
        roles = {name: replace(role, holder="eve", passed=frozenset()) for name, role in state.history.roles.items()}
        responders = tuple((name, storm.clock.now()) for name in ("ana", *others))
        state.history = replace(state.history, roles=roles, responders=responders)
    assert "Others are asked in 1, nobody in 1." in await storm.text(ANA, "pass all")


async def test_pass_all_of_the_only_responder(storm: Storm) -> None:
    """Nobody is asked in their place, and they are told so."""
    await storm.breaks("pay")
    await storm.go(MINUTE)
    state = storm.incidents.state("pay")
    roles = {name: replace(role, holder="eve") for name, role in state.history.roles.items()}
    state.history = replace(state.history, roles=roles, responders=(("ana", storm.clock.now()),))
    code = storm.code("pay")
    assert await storm.text(ANA, "pass all") == (
        f"You passed on 1: SEV1 Trouble with pay ({code}). Nobody is asked in your place."
    )


async def test_what_was_lost_is_not_on_its_way(storm: Storm) -> None:
    """A page that reached nobody (STOP came before it left) and is not tried again does not come after START."""
    await storm.breaks("pay")
    await storm.see("db", "Database down")
    await storm.go(MINUTE)
    state = storm.incidents.state("db")
    page_at = state.history.newest_pages["ana"].at
    state.history = replace(state.history, lost=frozenset({("ana", page_at)}))
    said = await storm.text(ANA, "ok all")
    assert said == f"You accepted 1: SEV1 Trouble with pay ({storm.code('pay')}). 1 more could not be sent to you."
    assert storm.held_by("ana") == ["pay"]
    assert await storm.text(ANA, "ok all") == (
        "Nothing that you had been sent asks for an answer; nothing has changed. 1 more could not be sent to you."
    )


async def test_held_and_asked_in_one_incident(storm: Storm) -> None:
    """Of one incident in which somebody holds a role and is asked for another only that is declined."""
    await storm.breaks("pay")
    await storm.go(MINUTE)
    await storm.text(ANA, "ok")
    history = storm.incidents.history("pay")
    asked = replace(history.roles["technical_lead"], role="incident_commander", holder=None)
    storm.incidents.state("pay").history = replace(history, roles={**history.roles, "incident_commander": asked})
    assert asked_for(storm.incidents.history("pay"), "ana").roles == ("incident_commander",)
    await storm.comes(ANA, "pass all")
    await storm.arrivals.look()
    (event,) = storm.incidents.state("pay").events
    after = storm.incidents.answered_history("pay")
    assert event
    assert after.holder("technical_lead") == "ana"
    assert "ana" in after.roles["incident_commander"].passed
    assert "ana" not in after.roles["technical_lead"].passed


async def test_somebody_else_took_it(storm: Storm) -> None:
    """What somebody else has accepted is not asked any more, also when that is not looked at yet."""
    await storm.breaks("pay", "db")
    await storm.go(5 * MINUTE, "pay", "db")
    await storm.hand_over("pay", "db", to="bo")
    await storm.go(MINUTE)
    await storm.comes(ANA, f"ok {storm.code('pay')}")
    await storm.comes(BO, "ok all")
    said = await storm.judge()
    assert said[1] == f"You accepted 1: SEV1 Trouble with db ({storm.code('db', BO)})."
    assert (storm.lead("pay"), storm.lead("db")) == ("ana", "bo")


async def test_judged_twice_counts_once(storm: Storm) -> None:
    """After a kill before its result was noted: nothing is written, nothing is said again."""
    await storm.breaks("pay", "db")
    await storm.go(MINUTE)
    await storm.comes(ANA, "ok all")
    arrival = storm.ledger.pages.arrivals[0][0]
    assert await storm.replies.judge(arrival) == "acted"
    facts, letters = len(storm.ledger.pages.facts), len(storm.ledger.pages.letters)
    again = await Storm(storm.clock, storm.ledger.pages).open()
    await again.arrivals.look()
    assert (len(again.ledger.pages.facts), len(again.ledger.pages.letters)) == (facts, letters)
    assert await again.ledger.newest_results(ArrivalKind.SMS, ANA, 1) == ("acted",)


async def test_drills_and_real_incidents(storm: Storm) -> None:
    """Both are answered; the answer says which is which, and the worst is a real one."""
    await storm.breaks("exercise", drill=True)
    await storm.breaks("pay")
    await storm.go(MINUTE)
    said = await storm.text(ANA, "ok all")
    assert said == (
        f"You accepted 2: 2 SEV1. Worst: SEV1 Trouble with pay ({storm.code('pay')}). 1 of them is a drill."
    )


async def test_a_holder_who_is_asked_confirms(storm: Storm) -> None:
    """Rule 19: `still there` counts as asked for `ok`, and not for `pass`."""
    severity = storm.policy.severities["sev1"]
    assert severity.page
    asking = replace(severity, page=replace(severity.page, still_there_after=timedelta(hours=2)))
    storm.config.replace(replace(storm.policy, severities={"sev1": asking}), storm.config.settings)
    await storm.breaks("pay")
    await storm.go(MINUTE)
    await storm.text(ANA, "ok")
    await storm.go(timedelta(hours=2), "pay")
    await storm.hand_over("pay")
    await storm.go(MINUTE, "pay")
    assert asked_for(storm.incidents.history("pay"), "ana").still_there
    assert await storm.text(ANA, "pass all") == "Nothing is asked of you now. Nothing has changed."
    assert (await storm.text(ANA, "ok all")) == f"You confirmed 1: SEV1 Trouble with pay ({storm.code('pay')})."
    assert not asked_for(storm.incidents.history("pay"), "ana").still_there


async def test_verify_is_never_meant(storm: Storm) -> None:
    """What is resolved is not open: that all is healthy is confirmed by its own answer."""
    severity = storm.policy.severities["sev1"]
    asking = replace(severity, verify_after=30 * MINUTE)
    storm.config.replace(replace(storm.policy, severities={"sev1": asking}), storm.config.settings)
    await storm.breaks("pay")
    await storm.text(ANA, "ok")
    await storm.see("pay", status=Status.RESOLVED)
    await storm.go(31 * MINUTE, "pay")
    assert "resolved. Is it healthy? If not, call " in await storm.text(ANA, "ok all")
    assert not storm.incidents.history("pay").verified


async def test_who_was_not_asked_answers_nothing(storm: Storm) -> None:
    """P9: somebody of the config whom no page went to accepts nothing by it."""
    await storm.breaks("pay")
    await storm.go(MINUTE)
    assert await storm.text(EVE, "ok all") == "Nothing is asked of you now. Nothing has changed."
    assert not storm.facts(Answered)


@pytest.mark.parametrize("title", ["x" * 300, "数据库" * 60, "Größe {curly} €" * 20, "a\nb"])
@pytest.mark.parametrize("said", ["ok all", "pass all"])
async def test_every_answer_is_one_segment(title: str, said: str) -> None:
    """Whatever the titles and the severities are called, and however much waits: the count is never lost."""
    storm = Storm()
    await storm.open()
    sev1 = storm.policy.severities["sev1"]
    names = [f"severity-{'long-' * 8}{number}" for number in range(5)]
    severities = {"sev1": sev1, **{name: replace(sev1, name=name) for name in names}}
    storm.config.replace(replace(storm.policy, severities=severities), storm.config.settings)
    for number, name in enumerate(names):
        await storm.see(f"i{number}", title, severity=name)
        await storm.hand_over(f"i{number}")
    await storm.see("held", title)
    await storm.hand_over("held")
    await storm.go(MINUTE)
    await storm.text(ANA, f"ok {storm.code('held')}")
    await storm.see("late", title)
    answer = await storm.text(ANA, said)
    assert segments(answer) == 1
    assert answer.startswith(("You accepted 5", "You passed on 5"))
    assert "1 more" in answer


@pytest.mark.parametrize("many", [250, pytest.param(1000, marks=pytest.mark.attack)])
async def test_a_thousand_at_once_hold_up_nobody(many: int) -> None:
    """Judged within two seconds, in one transaction; nothing else waits for its turn much longer than 50 ms."""
    storm = Storm()
    await storm.open()
    for number in range(many):
        await storm.see(f"i{number}", f"Trouble {number}")
    await storm.hand_over(*(f"i{number}" for number in range(many)))
    await storm.go(MINUTE)
    await storm.comes(ANA, "ok all")
    waits: list[float] = []

    async def others() -> None:
        while True:
            began = time.perf_counter()
            await asyncio.sleep(0)
            waits.append(time.perf_counter() - began)

    beside, began = asyncio.create_task(others()), time.perf_counter()
    await storm.arrivals.look()
    took = time.perf_counter() - began
    beside.cancel()
    assert len(storm.facts(Answered)) == many
    assert took < 2
    assert sorted(waits)[-2] < 0.1
    assert storm.facts(Answered)[0].answer is Answer.OK
