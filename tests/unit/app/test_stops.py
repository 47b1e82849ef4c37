"""STOP and START by SMS (rule 51): kept for good, told at once, and whoever was asked there is asked elsewhere."""

from dataclasses import replace
from datetime import timedelta

import pytest
from tocsin.app.replies.stops import stop_notice
from tocsin.app.state.opt_outs import OptOuts
from tocsin.domain.arrival import ArrivalKind, OptOut
from tocsin.domain.delivery import Accepted, Receipt
from tocsin.domain.facts import Answer, Answered, PageLost
from tocsin.domain.notification import Kind, Notification, Why
from tocsin.domain.operator_notice import Trouble
from tocsin.domain.people import Channel, Person, StakeholderGroup
from tocsin.domain.policy import Level, Who
from tocsin.ports.ledger.trouble import LedgerError
from tocsin.wording.report.timeline import steps_of, timeline_lines

from tests.builders.policies import WITHIN
from tests.unit.app.test_sms_replies import ANA, BO, MINUTE, House

SMS, EMAIL = Channel.SMS, Channel.EMAIL


class Line(House):
    """A daemon of which the severity pages by SMS first, unless told otherwise."""

    async def open(self, *via: Channel) -> "Line":
        await super().open()
        self.config.opt_outs = OptOuts(await self.ledger.opt_outs())
        severity = self.policy.severities["sev1"]
        assert severity.page
        page = replace(severity.page, via=via or (SMS,))
        self.policy = replace(self.policy, severities={"sev1": replace(severity, page=page)})
        self.config.replace(self.policy, self.config.settings)
        return self

    def without_email(self, *people: str) -> None:
        """These have a phone, and nothing else."""
        left = {
            name: replace(person, email="") if name in people else person for name, person in self.policy.people.items()
        }
        self.policy = replace(self.policy, people=left)
        self.config.replace(self.policy, self.config.settings)

    def pages(self, to: str) -> list[Notification]:
        """What was decided for somebody, in order."""
        letters = (letter.notification for letter in self.ledger.pages.letters.values())
        return [page for page in letters if page.kind is Kind.PAGE and page.to == to]

    def told(self) -> list[tuple[Trouble, str]]:
        """What operators hear."""
        return [(notice.trouble, notice.text) for notice in self.notices.take()]


@pytest.fixture
async def line() -> Line:
    made = Line()
    await made.open()
    await made.see("pay")
    await made.go(MINUTE)
    return made


@pytest.mark.parametrize("word", ["STOP", "stopall", "Unsubscribe.", "CANCEL", "end", "Quit", "REVOKE", "optout"])
async def test_stop_asks_by_the_next_channel_at_once(line: Line, word: str) -> None:
    """We answer nothing (the carrier does); the page goes by email, operators hear who and what to do."""
    assert [page.via for page in line.pages("ana")] == [SMS]
    assert await line.text(ANA, word) == ""
    assert [(page.via, page.at) for page in line.pages("ana")][1:] == [(EMAIL, line.pages("ana")[0].at)]
    ((trouble, text),) = line.told()
    assert trouble is Trouble.NUMBER_STOPPED
    assert text == (
        f"call Ana, have them text START to +14155550106; until then no SMS goes to {ANA}, which answered STOP, "
        "and pages go by email"
    )
    assert await line.ledger.opt_outs() == (OptOut(SMS, ANA, line.clock.now(), "SM1"),)


async def test_stop_again_changes_nothing(line: Line) -> None:
    """To be told so twice, by the same message or another one, pages nobody twice."""
    for _ in range(3):
        await line.text(ANA, "STOP")
    assert [page.via for page in line.pages("ana")] == [SMS, EMAIL]
    assert len(line.told()) == 1
    assert [opt_out.ref for opt_out in await line.ledger.opt_outs()] == ["SM1"]


async def test_whoever_answered_is_asked_no_more(line: Line) -> None:
    """Only a page that still waits for an answer goes elsewhere."""
    await line.text(ANA, "ok")
    await line.text(ANA, "STOP")
    assert [page.via for page in line.pages("ana")] == [SMS]


async def test_the_newest_page_that_is_still_wanted_goes_elsewhere(line: Line) -> None:
    """Rule 51: what ana was asked last somebody else has accepted; what she was asked before it is open."""
    commander = line.policy.roles["incident_commander"]
    asked_later = replace(commander, chain=(commander.chain[0], Level((Who("ana"),))))
    line.policy = replace(line.policy, roles={**line.policy.roles, "incident_commander": asked_later})
    line.config.replace(line.policy, line.config.settings)
    await line.see("db", "Database down")
    await line.go(WITHIN, "db")
    first, last = [page for page in line.pages("ana") if page.incident == "db"]
    assert (first.roles, last.roles) == (("technical_lead",), ("incident_commander",))
    line.incidents.add_event("db", Answered(line.clock.now(), "chen", Answer.OK))
    await line.go(MINUTE, "db")
    await line.text(ANA, "STOP")
    later = [page for page in line.pages("ana") if page.incident == "db"][2:]
    assert [(page.via, page.at, page.roles) for page in later] == [(EMAIL, first.at, first.roles)]


async def test_from_then_on_everything_goes_elsewhere(line: Line) -> None:
    """In later incidents too; that the SMS is held back is recorded, with why (P6)."""
    await line.text(ANA, "STOP")
    await line.see("db", "Database down")
    (page,) = [page for page in line.pages("ana") if page.incident == "db"]
    assert page.via is EMAIL
    (held,) = [held for held in line.ledger.pages.held.values() if held.why is Why.OPTED_OUT and held.to == "ana"]
    assert (held.incident, held.detail) == ("db", "not by SMS: the number answered STOP")


async def test_nobody_left_passes_the_step_at_once(line: Line) -> None:
    """Whoever has nothing else was not reached: the next level is asked now, and operators hear of it."""
    line.without_email("ana", "chen")
    await line.text(ANA, "STOP")
    assert any(isinstance(fact, PageLost) and fact.person == "ana" for fact in line.facts(PageLost))
    assert line.pages("bo")
    assert {trouble for trouble, _ in line.told()} >= {Trouble.NUMBER_STOPPED, Trouble.PAGE_LOST}
    await line.see("db", "Database down")
    assert not [page for page in line.pages("ana") if page.incident == "db"]
    assert [page for page in line.pages("bo") if page.incident == "db"]


@pytest.mark.parametrize("fate", ["taken", "waits", "undelivered"])
async def test_who_hears_that_a_page_reached_nobody(line: Line, fate: str) -> None:
    """Rules 39, 51: a page that had been taken when STOP came reached its reader: the operators hear with the STOP which
    incidents had asked. Of one that had not left they hear that it reached nobody, why, and who is asked instead.
    """
    line.without_email("ana", "chen")
    (page,) = line.pages("ana")
    if fate != "waits":
        attempt = await line.ledger.begin_attempt(page.key, SMS, ANA, line.clock.now())
        await line.ledger.end_attempt(attempt, Accepted("SM"), line.clock.now())
    if fate == "undelivered":
        await line.ledger.record_receipt(attempt, Receipt.UNDELIVERED, line.clock.now())
    await line.text(ANA, "STOP")
    told = dict(line.told())
    stop = told.pop(Trouble.NUMBER_STOPPED)
    assert stop.endswith("and nothing reaches them: have somebody else asked (pay had asked them)")
    assert line.pages("bo")
    if fate == "taken":
        assert told == {}
    else:
        assert told == {
            Trouble.PAGE_LOST: "SEV1 Card payments fail: call Ana (+14155550101), or name somebody with "
            "tocsin assign pay; the page to ana of 10:00:00 UTC reached nobody: the number answered STOP; bo is asked"
        }
    story = str(timeline_lines(steps_of(await line.ledger.facts("pay")), (), line.policy))
    assert ("answered STOP after the page of" in story) == (fate == "taken")
    assert ("reached nobody" in story) == (fate != "taken")


async def test_many_incidents_had_asked(line: Line) -> None:
    """Five are named, the others counted."""
    line.without_email("ana")
    for number in range(6):
        await line.see(f"i{number}", "Trouble")
    await line.text(ANA, "STOP")
    stop = dict(line.told())[Trouble.NUMBER_STOPPED]
    assert stop.endswith("have somebody else asked (pay, i0, i1, i2, i3 and 2 more had asked them)")


async def test_answers_still_count(line: Line) -> None:
    """`ok` from a number that is stopped accepts; our answer is decided, and not sent there by the sender."""
    await line.text(ANA, "STOP")
    await line.comes(ANA, f"ok {line.code('pay')}")
    await line.judge()
    assert line.incidents.history("pay").holder("technical_lead") == "ana"


async def test_yes_from_a_stopped_number_is_start_only(line: Line) -> None:
    """The provider hears START; nothing is accepted by it. With a code, or from any other number, it is an answer."""
    await line.text(ANA, "STOP")
    assert await line.text(ANA, "YES") == ""
    assert not line.facts(Answered)
    assert await line.ledger.opt_outs() == ()
    assert await line.text(ANA, "yes") == "You are technical_lead of Card payments fail (SEV1)."


async def test_yes_with_a_code_is_an_answer(line: Line) -> None:
    """The provider would not lift it for that, and somebody answers."""
    await line.text(ANA, "STOP")
    await line.comes(ANA, f"yes {line.code('pay')}")
    await line.judge()
    assert line.facts(Answered)
    assert len(await line.ledger.opt_outs()) == 1


@pytest.mark.parametrize("word", ["START", "unstop", "Yes!"])
async def test_start_lifts_it_in_open_incidents_too(line: Line, word: str) -> None:
    """Operators hear that it is over; what leaves from then on goes by SMS again."""
    await line.text(BO, "STOP")
    await line.ledger.claim_notice("number-stopped:bo", line.clock.now(), timedelta(0))
    assert await line.text(BO, word) == ""
    (over,) = [over for over in line.notices.take_recovered() if over.trouble is Trouble.NUMBER_STOPPED]
    assert (over.about, over.headline) == ("bo", "Bo takes SMS again")
    await line.go(5 * MINUTE, "pay")
    assert [page.via for page in line.pages("bo")] == [SMS]
    assert await line.ledger.newest_results(ArrivalKind.SMS, BO, 2) == ("started", "stopped")


async def test_start_from_a_number_that_is_not_stopped(line: Line) -> None:
    """The carrier's word, and nothing to us."""
    assert await line.text(ANA, "START") == ""
    assert await line.ledger.newest_results(ArrivalKind.SMS, ANA, 1) == ("carrier",)
    assert line.told() == []


async def test_a_number_that_is_nobody_s(line: Line) -> None:
    """Rule 51, P9: it changes nothing, and nobody hears of it."""
    assert await line.text("+14155550199", "STOP") == ""
    assert await line.ledger.opt_outs() == ()
    assert line.told() == []


async def test_it_holds_beyond_a_restart(line: Line) -> None:
    """Killed right after it was written down, before the incident was looked at: the next process asks elsewhere."""
    await line.comes(ANA, "STOP")
    await line.arrivals.look()
    again = Line(line.clock, line.ledger.pages)
    await again.open()
    assert [page.via for page in again.pages("ana")] == [SMS]
    await again.stops.ask_all_elsewhere()
    await again.go(timedelta(0), "pay")
    assert [page.via for page in again.pages("ana")] == [SMS, EMAIL]
    await again.see("db", "Database down")
    assert again.pages("ana")[-1].via is EMAIL
    await again.stops.ask_all_elsewhere()
    await again.go(timedelta(0), "pay", "db")
    assert len(again.pages("ana")) == 3


async def test_the_ledger_is_in_trouble(line: Line) -> None:
    """Nothing counts before it is on disk; when the ledger is back it is judged again."""
    await line.comes(ANA, "STOP")
    line.ledger.trouble = "disk full"
    with pytest.raises(LedgerError):
        await line.arrivals.look()
    assert line.config.opt_outs.all() == ()
    line.ledger.trouble = ""
    await line.judge()
    assert [page.via for page in line.pages("ana")] == [SMS, EMAIL]


async def test_stop_within_the_hour_of_start_is_news(line: Line) -> None:
    """Somebody did it anew: operators hear at once again."""
    await line.text(ANA, "STOP")
    assert len(line.told()) == 1
    await line.text(ANA, "START")
    line.notices.take_recovered()
    await line.text(ANA, "STOP")
    assert len(line.told()) == 1


async def test_others_are_left_alone(line: Line) -> None:
    """Only the number that said so is stopped."""
    await line.text(ANA, "STOP")
    await line.go(5 * MINUTE, "pay")
    assert line.pages("bo")[0].via is SMS
    assert not line.config.policy.people["bo"].stopped
    assert await line.text(BO, "ok")


async def test_a_stakeholder_hears_by_what_else_they_have(line: Line) -> None:
    """Updates and the end go by email where the group says SMS."""
    group = StakeholderGroup("chiefs", "Chiefs", people=("ana",), via=(SMS,))
    line.policy = replace(line.policy, stakeholders={**line.policy.stakeholders, "chiefs": group})
    assert line.policy.severities["sev1"].updates
    stream = replace(line.policy.severities["sev1"].updates[0], to=("chiefs",))
    severity = replace(line.policy.severities["sev1"], updates=(stream,))
    line.config.replace(replace(line.policy, severities={"sev1": severity}), line.config.settings)
    await line.text(ANA, "STOP")
    await line.see("db", "Database down")
    updates = [
        letter.notification
        for letter in line.ledger.pages.letters.values()
        if letter.notification.kind is Kind.UPDATE and letter.notification.incident == "db"
    ]
    assert [(update.to, update.via) for update in updates] == [("ana", EMAIL)]
    assert any(held.kind is Kind.UPDATE and held.why is Why.OPTED_OUT for held in line.ledger.pages.held.values())


@pytest.mark.parametrize(
    ("sender", "what"),
    [("+15005550006", "have them text START to +15005550006"), ("", "have them text START to our number"),
     ("Acme", "have the provider opt that number in again")],
)  # fmt: skip
def test_what_operators_are_to_do(sender: str, what: str) -> None:
    """Nobody can text START to a sender that is a name; whoever has nothing else is not reached at all."""
    ana = Person("ana", "Ana", phone=ANA, stopped=(SMS,), place="people.yaml:3")
    assert stop_notice(ana, sender).text == (
        f"call Ana, {what}; until then no SMS goes to {ANA}, which answered STOP, and nothing reaches them: have somebody "
        "else asked (people.yaml:3)"
    )


def test_operators_read_a_name() -> None:
    """Who answered STOP is named as people call them; the id is what the trouble is known by."""
    ana = Person("ana", "Ana Souza", "ana@example.com", ANA)
    notice = stop_notice(ana, "+14155550106")
    assert (notice.about, notice.headline) == ("ana", "Ana Souza answered STOP")
