"""One incident brought up to now: events, plan, words, one transaction, and what is told."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from tocsin.app.engine import reconcile
from tocsin.app.engine.reconcile import BACKS_OFF, EVICTS_AGAIN, WRITES_AGAIN, Reconciler
from tocsin.app.state.incident_state import ChannelFailed, IncidentEvent, RecordedFact
from tocsin.domain.delivery import Content
from tocsin.domain.facts import Answer, Answered, ChannelRefused, Coded, Gone, Paged, PageLost, Seen, Updated
from tocsin.domain.history import History
from tocsin.domain.incident import Incident, Status
from tocsin.domain.notification import Kind, Reason, Why
from tocsin.domain.operator_notice import Trouble
from tocsin.domain.people import Channel, Person
from tocsin.domain.plan import Plan
from tocsin.domain.policy import Cadence, Policy, Severity, Span, Stream
from tocsin.planning.plan import plan
from tocsin.wording.operator.advice import ADVICE

from tests.builders.active_config import polled
from tests.builders.daemon_parts import PAY, DaemonParts
from tests.builders.policies import paging_policy
from tests.fakes.clock import StillClock
from tests.fakes.fence import AwayFence
from tests.simulation.world import PlainRenderer

MINUTE = timedelta(minutes=1)
RESOLVED = replace(PAY, status=Status.RESOLVED)


class Desk:
    """A reconciler that is told when to look."""

    def __init__(self, **changes: Any) -> None:
        self.clock = StillClock()
        self.parts = DaemonParts(self.clock, **changes)
        self.incidents, self.ledger = self.parts.incidents, self.parts.ledger
        self.renderer: Any = PlainRenderer()
        self.reconciler = Reconciler(
            self.clock, self.ledger, self.renderer, self.parts.context, self.parts.sender, self.parts.rooms
        )

    async def see(self, incident: Incident = PAY) -> datetime | None:
        """A version of its file counts, and is looked at."""
        return await self.after(Seen(self.clock.now(), incident, f"{incident}"))

    async def after(self, event: IncidentEvent, incident: str = "pay") -> datetime | None:
        """Something comes in, and is looked at."""
        self.incidents.add_event(incident, event)
        return await self.reconciler.reconcile(incident)

    def letters(self, kind: Kind = Kind.PAGE) -> list[tuple[str, Reason]]:
        """The letters of a kind, to whom and why."""
        notifications = [letter.notification for letter in self.ledger.pages.letters.values()]
        return [(each.to, each.reason) for each in notifications if each.kind is kind]

    def causes(self) -> list[str]:
        """What operators are to hear."""
        return [notice.cause for notice in self.parts.notices.take()]


@pytest.fixture
def desk() -> Desk:
    return Desk()


async def test_a_declared_incident_is_decided_recorded_and_sent(desk: Desk) -> None:
    """Facts and letters in one transaction; the letters go to the sender; the next look is the next step of a ladder."""
    next_look = await desk.see()
    assert next_look == desk.clock.now() + 5 * MINUTE
    assert set(desk.letters()) == {("ana", Reason.DECLARED), ("chen", Reason.DECLARED)}
    assert isinstance(desk.ledger.pages.facts[0][1], Seen)
    assert len(desk.parts.sender.open) == len(desk.ledger.pages.letters)
    assert desk.incidents.state("pay").events == []


@pytest.mark.parametrize("trouble", ["", "no space left on device"])
async def test_the_sender_knows_what_it_is_about(desk: Desk, trouble: str) -> None:
    """Rule 48: when the first pages of an incident come to the sender its severity is known, also when they go out from
    memory: a worse one leaves before a milder one.
    """
    known: list[Incident | None] = []
    enqueue = desk.parts.sender.enqueue

    def looked_at(*letters: Any, **how: Any) -> None:
        known.append(desk.incidents.history("pay").incident)
        enqueue(*letters, **how)

    desk.parts.sender.enqueue = looked_at  # type: ignore[method-assign]  # what it may see then
    desk.ledger.trouble = trouble
    await desk.see()
    assert known == [PAY]


async def test_looking_again_changes_nothing(desk: Desk) -> None:
    """Same facts, same plan: nothing is due twice, nothing recorded twice."""
    await desk.see()
    facts = len(desk.ledger.pages.facts)
    assert await desk.reconciler.reconcile("pay") == desk.clock.now() + 5 * MINUTE
    assert len(desk.ledger.pages.facts) == facts


async def test_one_plan_is_all_of_a_look(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """A plan that is at rest would find nothing more at its instant, so it is not made again (tests/property)."""
    plans: list[datetime] = []

    def counted(incident: Incident, policy: Policy, history: History, now: datetime, **how: bool) -> Plan:
        plans.append(now)
        return plan(incident, policy, history, now, **how)

    monkeypatch.setattr(reconcile, "plan", counted)
    await desk.see()
    assert plans == [desk.clock.now()]


async def test_a_plan_that_is_not_at_rest_is_made_again() -> None:
    """Updates each second for a minute that nobody looked: more than one plan says, and all of them count."""
    policy = paging_policy()
    each_second = Severity("sev1", "Critical", updates=(Stream(("execs",), Cadence((Span(timedelta(seconds=1)),))),))
    desk = Desk(policy=replace(policy, severities={"sev1": each_second}))
    await desk.see()
    desk.clock.go(timedelta(seconds=50))
    assert await desk.reconciler.reconcile("pay") == desk.clock.now() + timedelta(seconds=1)
    assert sum(isinstance(fact, Updated) for _, fact in desk.ledger.pages.facts) == 51


async def test_an_answer_counts_at_the_instant_of_the_next_step(desk: Desk) -> None:
    """Rule 1: facts first. An ok at exactly 5 minutes stops the page that is due then."""
    await desk.see()
    desk.clock.go(5 * MINUTE)
    await desk.after(Answered(desk.clock.now(), "ana", Answer.OK))
    assert ("bo", Reason.ESCALATED) not in desk.letters()
    assert ("dai", Reason.ESCALATED) in desk.letters()


async def test_events_count_in_their_order(desk: Desk) -> None:
    """Two that came in before one look: the later one is judged in the light of the earlier."""
    desk.incidents.add_event("pay", Seen(desk.clock.now(), PAY, "d"))
    desk.incidents.add_event("pay", Seen(desk.clock.now(), RESOLVED, "e"))
    await desk.reconciler.reconcile("pay")
    assert desk.letters() == []
    assert desk.incidents.history("pay").resolved_at is not None or desk.incidents.is_archived("pay")


async def test_what_comes_in_during_a_look_is_kept_for_the_next(desk: Desk) -> None:
    """Only the events that were looked at are taken away."""
    answer = Answered(desk.clock.now(), "ana", Answer.OK)
    record = desk.ledger.record

    async def slow(*arguments: Any) -> Any:
        desk.incidents.add_event("pay", answer)
        return await record(*arguments)

    desk.ledger.record = slow  # type: ignore[method-assign]  # the world goes on while the disk writes
    await desk.see()
    desk.ledger.record = record  # type: ignore[method-assign]
    assert desk.incidents.state("pay").events == [answer]
    await desk.reconciler.reconcile("pay")
    assert desk.incidents.history("pay").holder("technical_lead") == "ana"


async def test_a_fact_of_another_process_is_not_recorded_again(desk: Desk) -> None:
    """`tocsin ack` has written it already; it counts all the same."""
    await desk.see()
    before = [fact for _, fact in desk.ledger.pages.facts if isinstance(fact, Answered)]
    await desk.after(RecordedFact(Answered(desk.clock.now(), "ana", Answer.OK)))
    assert [fact for _, fact in desk.ledger.pages.facts if isinstance(fact, Answered)] == before == []
    assert desk.incidents.history("pay").holder("technical_lead") == "ana"


async def test_a_channel_that_failed_brings_the_page_elsewhere() -> None:
    """The refusal is a fact, and the page by the other channel leaves in the same transaction."""
    desk = Desk(policy=paging_policy(via=(Channel.SMS,)))
    await desk.see()
    page = next(letter.notification for letter in desk.ledger.pages.letters.values() if letter.notification.to == "ana")
    desk.clock.go(timedelta(seconds=5))
    await desk.after(ChannelFailed(page, refused=True))
    refusals = [fact for _, fact in desk.ledger.pages.facts if isinstance(fact, ChannelRefused)]
    assert refusals == [ChannelRefused(desk.clock.now(), "ana", Channel.SMS)]
    vias = [letter.notification.via for letter in desk.ledger.pages.letters.values() if letter.notification.to == "ana"]
    assert vias == [Channel.SMS, Channel.EMAIL]


async def test_an_answer_to_nothing_leaves_nothing(desk: Desk) -> None:
    """An incident that nobody has seen: no fact, no state, no next look."""
    assert await desk.after(Answered(desk.clock.now(), "ana", Answer.OK), "typo") is None
    assert desk.ledger.pages.facts == []
    assert not desk.incidents.is_archived("typo")


async def test_a_finished_file_met_again_says_nothing(desk: Desk) -> None:
    """After a restart the resolved file is seen as it was: no fact, and no message."""
    await desk.see()
    desk.clock.go(MINUTE)
    await desk.see(RESOLVED)
    facts = len(desk.ledger.pages.facts)
    desk.clock.go(MINUTE)
    await desk.see(RESOLVED)
    assert len(desk.ledger.pages.facts) == facts


async def test_a_full_ledger_lets_pages_go_from_memory_and_keeps_the_rest(desk: Desk) -> None:
    """Rule 44: the pages leave now, marked as unrecorded; everything is written as soon as it can be, once."""
    desk.ledger.trouble = "no space left"
    next_look = await desk.see()
    assert next_look == desk.clock.now() + WRITES_AGAIN
    assert desk.causes() == ["ledger-unwritable"]
    assert desk.ledger.pages.letters == {}
    sent = [parcel.lead.notification for parcel in desk.parts.sender._open.values()]
    assert {notification.kind for notification in sent} == {Kind.PAGE}
    assert not any(parcel.lead.recorded for parcel in desk.parts.sender._open.values())
    desk.ledger.trouble = ""
    desk.clock.go(WRITES_AGAIN)
    await desk.reconciler.reconcile("pay")
    assert len([fact for _, fact in desk.ledger.pages.facts if isinstance(fact, Seen)]) == 1
    assert set(desk.letters()) == {("ana", Reason.DECLARED), ("chen", Reason.DECLARED)}
    assert desk.letters(Kind.UPDATE)
    assert all(parcel.lead.recorded for parcel in desk.parts.sender._open.values())
    assert desk.incidents.state("pay").unwritten.facts == ()


async def test_a_database_that_takes_nothing_is_told_as_that() -> None:
    """Rule 54: with the database's words and cure, not those of a file; and that it is back. A leader that wakes up
    under another's term is silent, and says nothing of pages from memory.
    """
    desk, fence = Desk(), AwayFence()
    context = replace(desk.parts.context, machine="attic", fence=fence)
    desk.reconciler = Reconciler(desk.clock, desk.ledger, desk.renderer, context, desk.parts.sender, desk.parts.rooms)
    desk.ledger.trouble, fence.lets = "another machine leads", False
    await desk.see()
    assert desk.causes() == []
    desk.ledger.trouble, fence.lets = "password authentication failed", True
    desk.clock.go(WRITES_AGAIN)
    await desk.reconciler.reconcile("pay")
    (told,) = desk.parts.notices.take()
    assert told.trouble is Trouble.LEDGER_AWAY
    assert "takes nothing from this machine (password authentication failed)" in told.text
    assert "PostgreSQL" in ADVICE[told.trouble].act
    desk.ledger.trouble = ""
    desk.clock.go(WRITES_AGAIN)
    await desk.reconciler.reconcile("pay")
    assert Trouble.LEDGER_AWAY in {over.trouble for over in desk.parts.notices.take_recovered()}


async def test_what_the_ledger_could_not_take_twice_is_written_whole(desk: Desk) -> None:
    """Rule 44: a second look without a ledger forgets nothing of what the first decided."""
    desk.ledger.trouble = "no space left"
    await desk.see()
    desk.clock.go(MINUTE)
    await desk.after(Answered(desk.clock.now(), "ana", Answer.OK))
    desk.ledger.trouble = ""
    await desk.reconciler.reconcile("pay")
    kinds = [type(fact) for _, fact in desk.ledger.pages.facts]
    assert (kinds.count(Seen), kinds.count(Answered)) == (1, 1)
    assert set(desk.letters()) == {("ana", Reason.DECLARED), ("chen", Reason.DECLARED)}


async def test_a_look_that_breaks_is_backed_off_and_told(desk: Desk) -> None:
    """P7: it is tried again, slower and slower; what came in for it is not lost; the others go on."""

    class Broken:
        def render(self, *_arguments: Any) -> Content:
            raise RuntimeError("a mistake")

    desk.reconciler._renderer = Broken()
    waits = []
    for _ in range(len(BACKS_OFF) + 1):
        next_look = await desk.see() if not waits else await desk.reconciler.reconcile("pay")
        assert next_look is not None
        waits.append((next_look - desk.clock.now()).total_seconds())
    assert waits == [*BACKS_OFF, BACKS_OFF[-1]]
    assert desk.causes() == ["incident-stuck:pay"]
    desk.reconciler._renderer = PlainRenderer()
    await desk.reconciler.reconcile("pay")
    assert ("ana", Reason.DECLARED) in desk.letters()
    desk.reconciler._renderer = Broken()
    desk.clock.go(5 * MINUTE)
    again = await desk.reconciler.reconcile("pay")
    assert again == desk.clock.now() + timedelta(seconds=BACKS_OFF[0]), "the count began anew"


async def test_codes_are_given_with_pages_and_close_with_the_incident() -> None:
    """A page by SMS that may be answered carries a code, recorded with it; at the end the code is free after a while."""
    desk = Desk(in_force=polled())
    await desk.see()
    codes = [fact for _, fact in desk.ledger.pages.facts if isinstance(fact, Coded)]
    assert {fact.person for fact in codes} == {"ana", "chen"}
    desk.clock.go(MINUTE)
    await desk.see(RESOLVED)
    own = desk.parts.codes.of_person("+14155550101", "ana")
    assert [code.closed_at for code in own] == [desk.clock.now()]


async def test_a_resolution_asks_for_the_review_once(desk: Desk) -> None:
    """Just now; looking again asks no more."""
    await desk.see()
    desk.clock.go(MINUTE)
    await desk.see(RESOLVED)
    assert await desk.incidents.next_resolved() == ("pay", True)
    await desk.reconciler.reconcile("pay")
    assert desk.incidents._resolved.empty()


async def test_one_that_was_resolved_before_we_began_is_asked_for_too(desk: Desk) -> None:
    """Its draft may be missing: the process before may have died while it wrote it."""
    await desk.see()
    desk.clock.go(MINUTE)
    await desk.see(RESOLVED)
    facts = [fact for _, fact in desk.ledger.pages.facts]
    again = Desk()
    again.incidents.load("pay", facts)
    again.clock.go(MINUTE)
    await again.reconciler.reconcile("pay")
    assert await again.incidents.next_resolved() == ("pay", False)


async def test_a_finished_incident_stays_until_its_letters_are_settled(desk: Desk) -> None:
    """Then it is let go, and the ledger knows that a start need not load it."""
    await desk.see()
    desk.clock.go(MINUTE)
    assert await desk.see(RESOLVED) == desk.clock.now() + EVICTS_AGAIN
    for _ in range(len(desk.parts.sender.open)):
        desk.incidents.remove_unsettled("pay")
    desk.ledger.trouble = "no space left"
    assert await desk.reconciler.reconcile("pay") == desk.clock.now() + EVICTS_AGAIN
    desk.ledger.trouble = ""
    assert await desk.reconciler.reconcile("pay") is None
    assert desk.incidents.is_archived("pay")
    assert await desk.ledger.unfinished() == {}


async def test_an_archived_incident_comes_back_whole(desk: Desk) -> None:
    """A reopened file: its facts are read from the ledger first, so that it is a new episode and not a new incident."""
    await desk.see()
    desk.clock.go(MINUTE)
    await desk.see(RESOLVED)
    for _ in range(len(desk.parts.sender.open)):
        desk.incidents.remove_unsettled("pay")
    await desk.reconciler.reconcile("pay")
    desk.clock.go(MINUTE)
    await desk.see(replace(PAY, title="It fails again"))
    assert ("ana", Reason.REOPENED) in desk.letters()
    assert desk.incidents.history("pay").episode == 2


async def test_an_archived_incident_of_the_future_comes_back_as_of_now(desk: Desk) -> None:
    """Rule 59: it was closed while the clock was ahead, and reopens with the clock put right."""
    await desk.see()
    desk.clock.go(MINUTE)
    await desk.see(RESOLVED)
    for _ in range(len(desk.parts.sender.open)):
        desk.incidents.remove_unsettled("pay")
    await desk.reconciler.reconcile("pay")
    desk.clock.go(-timedelta(hours=1))
    await desk.see(replace(PAY, title="It fails again"))
    assert desk.incidents.history("pay").reopened_after == desk.clock.now()


async def test_what_came_in_while_it_was_finished_does_not_count_its_facts_twice(desk: Desk) -> None:
    """The state stays when something comes in while the ledger is told: its facts are folded once."""
    await desk.see()
    desk.clock.go(MINUTE)
    await desk.see(RESOLVED)
    for _ in range(len(desk.parts.sender.open)):
        desk.incidents.remove_unsettled("pay")
    finish = desk.ledger.finish

    async def slow(incident: str) -> None:
        await finish(incident)
        desk.incidents.add_event("pay", Gone(desk.clock.now()))

    desk.ledger.finish = slow  # type: ignore[method-assign]  # the world goes on while the disk writes
    history = desk.incidents.history("pay")
    await desk.reconciler.reconcile("pay")
    assert desk.incidents.history("pay") == history
    assert not desk.incidents.is_archived("pay")


async def test_pages_that_reach_nobody_are_told(desk: Desk) -> None:
    """Operators hear of a level without anybody on call, with the place in the config, and of an ok that accepts nothing."""
    policy = paging_policy()
    people = {name: person for name, person in policy.people.items() if name != "ana"}
    desk.parts.config.replace(replace(policy, people=people), desk.parts.config.settings)
    await desk.see()
    assert [cause.split(":")[:2] for cause in desk.causes()] == [["nobody-on-call", "pay"]]
    await desk.after(Answered(desk.clock.now(), "eve", Answer.OK))
    await desk.reconciler.reconcile("pay")
    assert desk.causes() == ["answer-in-vain:pay:eve"]


async def test_a_step_whose_people_passed_is_no_trouble(desk: Desk) -> None:
    """Rule 16: whoever passed was reached, and somebody else is paged: operators sleep on. Why the step paged nobody is
    recorded all the same.
    """
    policy = paging_policy()
    severity = policy.severities["sev1"]
    assert severity.page
    twice = replace(severity, page=replace(severity.page, rounds=2))
    desk.parts.config.replace(replace(policy, severities={"sev1": twice}), desk.parts.config.settings)
    await desk.see()
    for person in ("ana", "bo"):
        await desk.after(Answered(desk.clock.now(), person, Answer.PASS))
    assert desk.causes() == []
    assert Reason.LAST_RESORT in {reason for _, reason in desk.letters()}
    held = [held for held in desk.ledger.pages.held.values() if held.kind is Kind.PAGE]
    assert {each.why for each in held} == {Why.ASKED_BEFORE}


async def test_a_page_to_nobody_is_told_by_the_title(desk: Desk) -> None:
    """Whoever reads it at night does not know an incident by its id."""
    policy = paging_policy()
    people = {name: person for name, person in policy.people.items() if name != "ana"}
    desk.parts.config.replace(replace(policy, people=people), desk.parts.config.settings)
    await desk.see()
    (notice,) = desk.parts.notices.take()
    assert notice.text.startswith("SEV1 Card payments fail: ")
    assert notice.text.endswith("; incident pay")


async def test_an_ok_in_vain_before_the_start_is_not_told_again(desk: Desk) -> None:
    """What the process before told is known from the ledger's facts."""
    await desk.see()
    await desk.after(Answered(desk.clock.now(), "eve", Answer.OK))
    again = Desk()
    again.incidents.load("pay", [fact for _, fact in desk.ledger.pages.facts])
    again.clock.go(MINUTE)
    await again.reconciler.reconcile("pay")
    assert again.causes() == []


async def test_a_page_that_every_channel_refused_is_told(desk: Desk) -> None:
    """It reached nobody; the plan goes on to whoever is next at once."""
    await desk.see()
    pages = [letter.notification for letter in desk.ledger.pages.letters.values() if letter.notification.to == "ana"]
    desk.causes()
    for page in pages:
        if page.kind is Kind.PAGE:
            await desk.after(ChannelFailed(page, refused=True))
    assert desk.causes() == ["page-lost:pay:ana"]
    assert ("bo", Reason.ESCALATED) in desk.letters()


@pytest.mark.parametrize("how", ["delivered", "answered", "resolved"])
@pytest.mark.parametrize("told", [False, True])
async def test_a_lost_page_that_arrives_after_all(desk: Desk, how: str, told: bool) -> None:
    """Rule 39: before it was told nobody hears anything; whoever was told hears that it arrived, of that person alone."""
    await desk.see()
    for person in ("ana", "chen"):
        await desk.after(PageLost(desk.clock.now(), person, desk.clock.now()))
    if told:
        await desk.parts.operator_notices.flush()
    desk.clock.go(MINUTE / 2)
    page_at = desk.clock.now() - MINUTE / 2
    if how == "resolved":
        await desk.see(RESOLVED)
    elif how == "answered":
        await desk.after(Answered(desk.clock.now(), "ana", Answer.OK))
    else:
        await desk.after(PageLost(desk.clock.now(), "ana", page_at, Channel.SMS, delivered=True))
    before = set(desk.ledger.pages.letters)
    await desk.parts.operator_notices.flush()
    new = [letter for key, letter in desk.ledger.pages.letters.items() if key not in before]
    texts = [letter.content.text for letter in new if letter.notification.via is Channel.EMAIL]
    assert len(texts) == (how != "resolved")
    after_all = {"delivered": "ana has the page after all", "answered": "ana has answered", "resolved": ""}[how]
    if told and texts:
        assert after_all in texts[0]
        assert "A page arrived after all" in texts[0]
    elif texts:
        assert "ana" not in texts[0]
        assert "the page to chen" in texts[0]


async def test_what_went_by_both_channels_goes_by_neither_again(desk: Desk) -> None:
    """Which channels a page has gone by is known from the look that sent it."""
    await desk.see()
    page = next(letter.notification for letter in desk.ledger.pages.letters.values() if letter.notification.to == "ana")
    before = len(desk.letters())
    await desk.after(ChannelFailed(page, refused=True))
    assert len(desk.letters()) == before


async def test_a_key_that_the_ledger_knows_is_not_sent_again(desk: Desk) -> None:
    """P3: whatever was forgotten, the same intended message has the same key, and leaves once."""
    await desk.see()
    again = Desk()
    again.ledger.pages.letters.update(desk.ledger.pages.letters)
    await again.see()
    assert not again.parts.sender.open


async def test_the_words_of_a_page_elsewhere_are_those_of_before_it() -> None:
    """A renderer gets the history from before the decision, as for every message."""
    histories: list[bool] = []

    class Looks(PlainRenderer):
        def render(self, notification: Any, incident: Any, history: Any, *rest: Any) -> Content:
            histories.append(history.refuses("ana", Channel.SMS, "+14155550101"))
            return super().render(notification, incident, history, *rest)

    desk = Desk(policy=paging_policy(via=(Channel.SMS,)))
    await desk.see()
    desk.reconciler._renderer = Looks()
    page = next(letter.notification for letter in desk.ledger.pages.letters.values() if letter.notification.to == "ana")
    await desk.after(ChannelFailed(page, refused=True))
    assert histories == [False]


async def test_somebody_without_an_address_is_told(desk: Desk) -> None:
    """A page that nobody can be sent reached nobody, and operators hear where that is decided."""
    policy = paging_policy()
    people = {**policy.people, "ana": Person("ana", "Ana")}
    desk.parts.config.replace(replace(policy, people=people), desk.parts.config.settings)
    await desk.see()
    assert [cause.split(":")[:2] for cause in desk.causes()] == [["nobody-on-call", "pay"]]


@pytest.mark.parametrize("by_email_alone", [True, False])
async def test_who_hears_the_end_by_email_alone_hears_it_by_sms_where_that_mail_is_refused(
    by_email_alone: bool,
) -> None:
    """Rule 58: the closing did not reach them by email, though their mailbox is good. Once, and nobody else."""
    policy = paging_policy()
    ana = replace(policy.people["ana"], closing_by_email=by_email_alone)
    desk = Desk(policy=replace(policy, people={**policy.people, "ana": ana}))
    await desk.see()
    desk.clock.go(MINUTE)
    await desk.see(replace(PAY, status=Status.RESOLVED))
    ends = [it.notification for it in desk.ledger.pages.letters.values() if it.notification.kind is Kind.CLOSING]
    mail = next(end for end in ends if (end.to, end.via) == ("ana", Channel.EMAIL))
    for _ in range(2):
        desk.clock.go(MINUTE)
        await desk.after(ChannelFailed(mail, undelivered=True))
    letters = [it.notification for it in desk.ledger.pages.letters.values() if it.notification.kind is Kind.CLOSING]
    late = [letter for letter in letters if letter not in ends]
    assert [(end.to, end.via, end.reason) for end in late] == [("ana", Channel.SMS, Reason.RESOLVED)] * by_email_alone
    assert sorted(end.via for end in letters if end.to == "ana") == [Channel.EMAIL, Channel.SMS]


@pytest.mark.parametrize("refused", [True, False])
async def test_an_end_by_sms_after_all_keeps_no_other_end_back(refused: bool) -> None:
    """P5, rule 58: in the look that learns that ana's mail was refused it also becomes known that olga was paged
    elsewhere. Both hear the end by SMS.
    """
    policy = paging_policy()
    ana = replace(policy.people["ana"], closing_by_email=True)
    desk = Desk(policy=replace(policy, people={**policy.people, "ana": ana}))
    await desk.see()
    desk.clock.go(MINUTE)
    await desk.see(RESOLVED)
    before = set(desk.ledger.pages.letters)
    ends = [it.notification for it in desk.ledger.pages.letters.values() if it.notification.kind is Kind.CLOSING]
    mail = next(end for end in ends if (end.to, end.via) == ("ana", Channel.EMAIL))
    desk.clock.go(MINUTE)
    elsewhere = Paged(desk.clock.now(), "olga", (), None, None, Reason.LAST_RESORT, (Channel.SMS,))
    if refused:
        desk.incidents.add_event("pay", elsewhere)
        await desk.after(ChannelFailed(mail, undelivered=True))
    else:
        await desk.after(elsewhere)
    late = [it.notification for key, it in desk.ledger.pages.letters.items() if key not in before]
    assert {(end.kind, end.to, end.via) for end in late} == {
        (Kind.CLOSING, to, Channel.SMS) for to in (["ana"] if refused else []) + ["olga"]
    }
    assert len(late) == 1 + refused
