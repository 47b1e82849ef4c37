"""The pages' views of an incident: what is folded, counted, promised and drawn, from facts and records alone."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from tocsin.domain import facts as f
from tocsin.domain.delivery import Accepted, Attempt, Outcome, Receipt, Record, Refused
from tocsin.domain.incident import Incident, Status, UpdateEntry
from tocsin.domain.notification import Kind, Notification, Reason
from tocsin.domain.people import Channel, FirstUpdate, Person, StakeholderGroup
from tocsin.domain.policy import RESPONDER, PagePolicy, ReviewPolicy, Role, Severity
from tocsin.planning.cadence.first_word import FirstWord
from tocsin.planning.current_state import CurrentState, NextPages, RoleHolder
from tocsin.text.markdown import markdown
from tocsin.wording.report.chart import Chart, ChartBand, MarkSign, Tone
from tocsin.wording.report.chart_lanes import chart
from tocsin.wording.report.chart_svg import LANES_MOST, WIDE, draw
from tocsin.wording.report.deliveries import NAMED_MOST, deliveries, went_well
from tocsin.wording.report.internal_view import Contact, InternalView, internal_view, promises
from tocsin.wording.report.page_timeline import FIRST_MOST, LAST_MOST, TimelineMoment, first_and_last, moments
from tocsin.wording.report.public.view import PublicView, public_chart, public_view
from tocsin.wording.report.review import draft
from tocsin.wording.report.timeline import TimelineStep, acceptances, steps_of, timeline_lines

from tests.builders.policies import small_policy
from tests.unit.wording.records import record

T0 = datetime(2026, 11, 23, 10, tzinfo=UTC)
NOW = T0 + timedelta(minutes=30)
CARD = Incident("card", "Card payments fail", "sev1", impact="Some.", eta=T0 + timedelta(hours=3))
OVER = replace(CARD, status=Status.RESOLVED)
PEOPLE = {name: Person(name, name.title(), f"{name}@example.com") for name in ("ana", "bo", "chen", "dee", "eli")}
POLICY = small_policy(
    people=PEOPLE,
    roles={"lead": Role("lead", "Lead"), "scribe": Role("scribe", "Scribe")},
    severities={
        name: Severity(
            name,
            name.title(),
            page=PagePolicy(("lead", "scribe"), (Channel.SMS,), timedelta(minutes=5)),
            review=ReviewPolicy(timedelta(days=5)),
        )
        for name in ("sev1", "sev2")
    },
    stakeholders={
        "customers": StakeholderGroup("customers", "Customers", (), ("c@example.com",), external=True),
        "partners": StakeholderGroup("partners", "Partners", (), ("p@example.com",), external=True),
        "support": StakeholderGroup("support", "Support", ("ana",)),
    },
)
PAGE = Notification("k", "card", 1, Kind.PAGE, Reason.DECLARED, T0, "bo", Channel.SMS, ("lead",))


def after(minutes: float) -> datetime:
    return T0 + timedelta(minutes=minutes)


def told(minutes: float, group: str = "customers", **changes: object) -> f.Updated:
    readers = ((f"{group}@example.com", Channel.EMAIL),)
    made = f.Updated(after(minutes), group, Reason.DECLARED, POLICY.stakeholders[group].external, readers)
    return replace(made, **changes)  # type: ignore[arg-type]  # a table of fields for a constructor


def update(minutes: float, group: str, promised: datetime | None) -> Record:
    """An update's record, with the next one that it promises."""
    return record(
        replace(PAGE, kind=Kind.UPDATE, at=after(minutes), to="x@example.com", group=group, next_update_at=promised)
    )


def tried(outcome: Outcome, **changes: object) -> Attempt:
    return replace(Attempt("1", "k", 1, Channel.SMS, "x", T0, outcome, T0), **changes)  # type: ignore[arg-type]


def inside(steps: list[TimelineStep], *records: Record) -> InternalView:
    return internal_view(steps, records, standing_of(), {}, POLICY, NOW)


def standing_of(*roles: RoleHolder, untold: tuple[FirstWord, ...] = ()) -> CurrentState:
    """How it stands: by default Bo is expected to lead, and nobody keeps notes."""
    expected = RoleHolder("lead", "bo", None), RoleHolder("scribe", None, None), RoleHolder(RESPONDER, "ana", None)
    return CurrentState(roles or expected, None, untold)


def outside(steps: list[TimelineStep], promised: dict[str, datetime] | None = None) -> PublicView:
    view = public_view(steps, promised or {}, POLICY)
    assert view is not None
    return view


def lines(*facts: f.Fact) -> list[str]:
    return [markdown(line.words) for line in timeline_lines(steps_of(facts), (), POLICY)]


def test_steps_begin_with_the_first_version() -> None:
    """What came before it (a code given out) is no step, and no history is made of it."""
    steps = steps_of([f.Coded(after(-1), "bo", "+1", "K7"), f.Answered(after(-1), "bo", f.Answer.OK), f.Seen(T0, CARD)])
    assert [type(step.fact) for step in steps] == [f.Seen]
    assert steps[0].before.incident is None


LADDER: tuple[f.Fact, ...] = (
    f.Seen(T0, CARD),
    f.RoleOpened(T0, "lead", Reason.DECLARED),
    f.StepFired(T0, "lead", 1, 0, ("bo",)),
    f.Answered(after(1), "bo", f.Answer.OK),
)


def test_who_accepted_whom_it_was_taken_from_and_who_lost_it() -> None:
    """Each acceptance once, though later facts show the same holder; one taken over names whom from; a new episode
    begins anew.
    """
    again = (f.Seen(after(3), OVER, "b"), f.Closed(after(3)), f.Seen(after(9), CARD, "c"))
    reopened = (f.RoleOpened(after(9), "lead", Reason.REOPENED), f.StepFired(after(9), "lead", 1, 0, ("bo",)))
    steps = steps_of(
        [*LADDER, f.Noted(after(2), "ana", "n"), *again, *reopened, f.Answered(after(10), "bo", f.Answer.OK)]
    )
    taken = [(acceptance.at, acceptance.person, acceptance.former) for acceptance in acceptances(steps)]
    assert taken == [(after(1), "bo", None), (after(10), "bo", None)]
    handover = (f.HandoverAsked(after(2), "lead", "chen", 1), f.Answered(after(3), "chen", f.Answer.OK))
    assigned = f.Seen(after(2), replace(CARD, roles=(("lead", "chen"),)), "b")
    assert "**Chen accepted Lead**, taking over from Bo" in lines(*LADDER, assigned, *handover)
    assert "Bo no longer holds Lead" in lines(*LADDER, f.RoleDropped(after(2), "lead"))


def test_answers_are_told_once() -> None:
    """A responder's answer and an acknowledgment in vain stand at the fact that brought them, not at later ones."""
    entries = lines(
        f.Seen(T0, CARD),
        f.RespondersAsked(T0, ("checkout",), 1, ("ana",), Reason.DECLARED),
        f.Answered(after(1), "ana", f.Answer.OK),
        f.Answered(after(2), "eli", f.Answer.OK),
        f.Noted(after(3), "ana", "n"),
    )
    assert entries.count("**Ana answered as responder**") == 1
    assert len([line for line in entries if "had not been asked" in line]) <= 1


def test_a_second_is_one_moment() -> None:
    """What happened within it stands together; its messages are summed up by kind: names, of many how many, and how
    many did not arrive.
    """
    steps = steps_of(
        [f.Seen(T0, CARD), f.Noted(T0 + timedelta(milliseconds=900), "ana", "One"), f.Noted(after(1), "bo", "Two")]
    )
    lost = (
        record(PAGE, (tried(Refused("no")),)),
        record(replace(PAGE, to="ana"), (tried(Accepted()),), Receipt.UNDELIVERED),
    )
    well = record(replace(PAGE, to="chen"), (tried(Accepted()),), Receipt.DELIVERED)
    first, last = moments(steps, [*lost, well], POLICY)
    assert (first.at, len(first.lines), first.sent, first.failed) == (T0, 2, "Pages to Bo, Ana, Chen", 2)
    assert (last.sent, last.failed, len(first.messages)) == ("", 0, 3)
    one = moments(steps, [record(PAGE), update(0, "support", None)], POLICY)[0]
    assert one.sent == "Page to Bo; update to Support"
    four, five = ([record(replace(PAGE, to=name)) for name in list(PEOPLE)[:count]] for count in (4, 5))
    assert moments(steps, four, POLICY)[0].sent == "Pages to Ana, Bo, Chen, Dee"
    assert moments(steps, five, POLICY)[0].sent == "Pages to 5 readers"


def test_a_long_timeline_has_its_ends() -> None:
    """The first and the last moments; one that just fits is whole."""
    whole = [TimelineMoment(after(number), ()) for number in range(FIRST_MOST + LAST_MOST + 1)]
    assert first_and_last(whole[1:]) == (tuple(whole[1:]), (), 0)
    first, last, left_out = first_and_last(whole)
    assert (first, last, left_out) == (tuple(whole[:FIRST_MOST]), tuple(whole[-LAST_MOST:]), 1)


def test_which_messages_went_well() -> None:
    """Accepted by the newest try, once, and not called back by a receipt."""
    good = tried(Accepted())
    assert went_well(record(PAGE, (tried(Refused("no")), good)))
    assert went_well(record(PAGE, (good,), Receipt.DELIVERED))
    for bad in (record(PAGE), record(PAGE, (good, tried(Refused("no")))), record(PAGE, (good,), Receipt.UNDELIVERED)):
        assert not went_well(bad)
    assert not went_well(record(PAGE, (replace(good, possible_duplicate="killed"),)))


def test_up_to_how_many_readers_are_named() -> None:
    """Of an update or the end; a try is numbered from the second on."""
    closing = replace(PAGE, kind=Kind.CLOSING, reason=Reason.RESOLVED)
    sent = [
        record(replace(closing, to=f"r{number}"), (tried(Accepted(), number=2),)) for number in range(NAMED_MOST + 1)
    ]
    ((_, words),) = deliveries(sent[1:], POLICY)
    assert markdown(words).count("SMS accepted 10:00:00 at try 2") == NAMED_MOST
    assert markdown(words).startswith("Closing message: r1 by SMS accepted")
    ((_, words),) = deliveries(sent, POLICY)
    assert markdown(words) == f"Closing message: {NAMED_MOST + 1} of {NAMED_MOST + 1} messages accepted"


def test_what_insiders_see_of_roles() -> None:
    """Each role by its title, with whom its newest step asked while nobody has accepted it; responders are no role."""
    steps = steps_of(LADDER[:3])
    view = inside(steps)
    assert [(role.title, role.holder.name, role.asked) for role in view.roles] == [
        ("Lead", "Bo", (Contact("Bo", at=T0),)),
        ("Scribe", "", ()),
    ]
    assert view.unaccepted == "Lead and Scribe"
    state = standing_of(RoleHolder("lead", "bo", after(1)))
    accepted = internal_view(steps_of(LADDER), (), state, {}, POLICY, after(2))
    assert [(role.accepted_at, role.asked) for role in accepted.roles] == [(after(1), ())]


def test_who_is_paged_next_stands_with_each_role() -> None:
    """With their numbers and the instant; of all roles the earliest is the page's."""
    numbers = {name: replace(person, phone=f"+1{name}") for name, person in POLICY.people.items()}
    policy = replace(POLICY, people=numbers)
    coming = {
        "lead": NextPages(after(5), ("bo", "ana"), last_resort=False),
        "scribe": NextPages(after(3), ("ana",), last_resort=True),
    }
    view = internal_view(steps_of(LADDER[:3]), (), standing_of(), coming, policy, after(1))
    lead, scribe = view.roles
    assert [contact.phone for contact in (*lead.asked, *lead.next_people)] == ["+1bo", "+1bo", "+1ana"]
    assert (lead.next_at, lead.next_is_last_resort, scribe.next_is_last_resort) == (after(5), False, True)
    assert view.next_at == after(3)


def test_instants_in_the_words_of_a_timeline_are_the_readers() -> None:
    """As the page that they stand on, the winter time of Berlin; the record keeps to UTC."""
    facts = [f.Seen(T0, CARD), f.Seen(after(1), replace(CARD, eta=after(60)), "b"), f.PageLost(after(2), "bo", T0)]
    view = internal_view(steps_of(facts), (), standing_of(), {}, POLICY, NOW, "Europe/Berlin")
    told = [markdown(line) for moment in view.timeline for line in moment.lines]
    assert told[1:] == [
        "File changed: ETA 2026-11-23 14:00:00 CET → 2026-11-23 12:00:00 CET",
        "The page of 2026-11-23 11:00:00 CET to Bo reached nobody",
    ]
    assert "2026-11-23 11:00:00 UTC" in markdown(timeline_lines(steps_of(facts), (), POLICY)[1].words)


def test_what_was_promised_last() -> None:
    """By each group's newest update; nothing is awaited once it is over."""
    records = [update(5, "customers", after(35)), update(1, "customers", after(31)), update(5, "support", None)]
    assert promises(records) == promises(records[::-1]) == {"customers": after(35)}
    assert promises([update(5, "customers", None), update(1, "customers", after(31))]) == {}
    steps = steps_of([f.Seen(T0, CARD), told(5)])
    assert [group.next_at for group in inside(steps, *records).groups] == [after(35)]
    over = steps_of([f.Seen(T0, CARD), told(5), f.Seen(after(9), OVER, "b")])
    view = inside(over, *records)
    assert [group.next_at for group in view.groups] == [None]
    assert (view.lasted, view.review_at) == ("9 minutes", after(9) + timedelta(days=5))
    assert inside(steps).lasted == "30 minutes"


def test_who_wrote_declared_and_confirmed_is_called_by_name() -> None:
    """The browser writes ids into the file (P8), editors what they like: the page and the review say the name."""
    words = replace(CARD, declared_by="ANA@example.com", updates=(UpdateEntry("x", at=after(1), by="dee"),))
    steps = steps_of([f.Seen(T0, words), f.Seen(after(2), replace(words, verified_by="chen"), "b")])
    view = inside(steps)
    assert (view.latest.by, view.declared_by, view.verified_by) == ("Dee", "Ana", "Chen")
    text = draft(steps, (), POLICY).decode()
    for told in (
        "| Declared by | Ana |",
        "| Health confirmed by | Chen |",
        "**Update** by Dee: x",
        "**Declared** by Ana",
    ):
        assert told in text


def test_what_was_written_last() -> None:
    """The newest entry that still stands, by its instant; the standing sentence where there is none."""
    old, new, gone = (UpdateEntry(text, at=after(at), by="Bo") for text, at in (("old", 1), ("new", 5), ("gone", 8)))
    versions = [
        f.Seen(T0, replace(CARD, updates=(new, old, gone))),
        f.Seen(after(9), replace(CARD, updates=(new, old)), "b"),
    ]
    latest = inside(steps_of(versions)).latest
    assert (latest.text, latest.by, latest.at) == ("new", "Bo", after(5))
    assert inside(steps_of([f.Seen(T0, CARD)])).latest.text == "We are still investigating."
    told = replace(CARD, updates=(old,))
    over = f.Seen(after(9), replace(told, status=Status.RESOLVED), "b")
    again = inside(steps_of([f.Seen(T0, told), over, f.Seen(after(20), told, "c")]))
    assert again.latest.text == "This incident is open again. We are investigating."  # not what was said of it before


def test_after_a_reopening_the_last_word_of_the_end_is_no_news() -> None:
    """What is true now is that it is open again, until somebody writes in this episode; both beginnings are told."""
    over = replace(OVER, updates=(UpdateEntry("Rolled back.", at=after(2), by="bo"),))
    again = replace(over, status=Status.INVESTIGATING)
    facts = [f.Seen(T0, CARD), f.Seen(after(3), over, "b"), f.Closed(after(3)), f.Seen(after(9), again, "c")]
    view = inside(steps_of(facts))
    assert (view.latest.text, view.latest.at) == ("This incident is open again. We are investigating.", None)
    assert (view.declared_at, view.reopened_at) == (T0, after(9))
    assert inside(steps_of(facts[:1])).reopened_at is None
    written = replace(again, updates=(*again.updates, UpdateEntry("Looking.", at=after(10), by="bo")))
    assert inside(steps_of([*facts, f.Seen(after(11), written, "d")])).latest.text == "Looking."


def test_what_outsiders_are_promised() -> None:
    """The soonest promise to a group that was told, none that insiders got, and none once it is over; then no ETA."""
    promised = {"customers": after(60), "partners": after(40), "support": after(10)}
    steps = [f.Seen(T0, CARD), told(0), told(0, "support")]
    assert outside(steps_of(steps), promised).next_update_at == after(60)
    assert outside(steps_of([*steps, told(1, "partners")]), promised).next_update_at == after(40)
    assert outside(steps_of(steps)).eta == CARD.eta
    over = outside(steps_of([*steps, f.Seen(after(20), OVER, "b"), f.Closed(after(20))]), promised)
    assert (over.next_update_at, over.eta, over.resolved_at, over.status) == (None, None, after(20), Status.RESOLVED)


def test_an_end_that_outsiders_did_not_hear_is_not_shown() -> None:
    """An episode in which nobody outside was told ends without them."""
    first = (f.Seen(T0, CARD), told(1), f.Seen(after(2), OVER, "b"), f.Closed(after(2)))
    second = (f.Seen(after(5), CARD, "c"), f.Seen(after(6), OVER, "d"), f.Closed(after(6)))
    assert [update.at for update in outside(steps_of([*first, *second])).updates] == [after(1), after(2)]


def test_open_again_is_said_once() -> None:
    """At the first update of the later episode, not at those that follow."""
    first = (f.Seen(T0, CARD), told(1), f.Seen(after(2), OVER, "b"), f.Closed(after(2)))
    second = (f.Seen(after(5), CARD, "c"), told(5), told(9))
    changed = [update.changes for update in outside(steps_of([*first, *second])).updates]
    assert changed == [(), (), ("This incident is open again.",), ()]


def test_the_public_chart() -> None:
    """One band for as long as a status held, a mark for each update, the promise while it lies ahead."""
    steps = steps_of([f.Seen(T0, CARD), told(0), told(10), f.Seen(after(20), OVER, "b"), f.Closed(after(20))])
    going = replace(outside(steps[:3]), next_update_at=after(40))
    drawn = public_chart(going, after(15))
    assert drawn.lanes[0].bands == (ChartBand(T0, after(15), Tone.ALARM, "investigating"),)
    assert [(mark.at, mark.sign) for mark in drawn.lanes[1].marks] == [
        (T0, MarkSign.UPDATE),
        (after(10), MarkSign.UPDATE),
        (after(40), MarkSign.PROMISED),
    ]
    assert (drawn.now, drawn.start) == (after(15), T0)
    late = public_chart(going, after(41))
    assert MarkSign.PROMISED not in {mark.sign for mark in late.lanes[1].marks}
    over = public_chart(outside(steps), after(99))
    assert (over.now, over.lanes[0].bands[-1].end) == (None, after(20))


def drawing(*facts: f.Fact, promised: dict[str, datetime] | None = None) -> Chart:
    return chart(steps_of(facts), promised or {}, POLICY, NOW)


def test_the_chart_of_an_incident() -> None:
    """Status, and severity once it changed, as long as they held; each role's page and acceptance, each group's updates, and a promise
    that is not too far ahead; what comes after the end is not drawn.
    """
    facts = (*LADDER, told(2))
    drawn = drawing(*facts, promised={"customers": after(60)})
    lanes = {lane.title: lane for lane in drawn.lanes}
    assert list(lanes) == ["Status", "Lead", "Customers"]
    assert [(mark.at, mark.sign) for mark in lanes["Lead"].marks] == [
        (T0, MarkSign.PAGE),
        (after(1), MarkSign.ACCEPTED),
    ]
    assert lanes["Lead"].bands == (
        ChartBand(T0, after(1), Tone.ALARM, "", thin=True),
        ChartBand(after(1), after(30), Tone.GOOD, "Bo"),
    )
    assert lanes["Lead"].note == "Bo"
    assert [mark.sign for mark in lanes["Customers"].marks] == [MarkSign.UPDATE, MarkSign.PROMISED]
    far = drawing(*facts, promised={"customers": after(30 + 61)})
    assert [mark.sign for mark in far.lanes[-1].marks] == [MarkSign.UPDATE]
    changed = f.Seen(after(9), replace(CARD, severity="sev2", status=Status.MONITORING), "e")
    ended = (f.Seen(after(20), replace(OVER, severity="sev2"), "b"), f.Closed(after(20)))
    over = drawing(*facts, changed, *ended, f.Seen(after(25), replace(OVER, severity="sev1"), "z"))
    lanes = {lane.title: lane for lane in over.lanes}
    assert [(band.label, band.end) for band in lanes["Severity"].bands] == [("SEV1", after(9)), ("SEV2", after(20))]
    assert [band.label for band in lanes["Status"].bands] == ["investigating", "monitoring"]
    assert over.now is None
    assert [mark.at for mark in lanes["Customers"].marks] == [after(2), after(20)]


def test_a_drawing_has_an_end() -> None:
    """No more lanes than a page can show; marks without room between them are one with their number."""
    drawn = drawing(*LADDER)
    many = replace(drawn, lanes=drawn.lanes[:1] * (LANES_MOST + 5))
    assert draw(many, WIDE, "a").count('class="track"') == LANES_MOST
    marks = tuple(replace(drawn.lanes[-1].marks[0], at=T0 + timedelta(seconds=number)) for number in range(3))
    near = replace(drawn, lanes=(replace(drawn.lanes[-1], marks=marks),))
    assert ">3</text>" in draw(near, WIDE, "a")


@pytest.mark.parametrize("by", ["file", "passes"])
def test_who_is_meant_for_a_role_that_nobody_took(by: str) -> None:
    """Who is assigned, else who was paged first and did not pass; a role no longer needed is not listed."""
    asked = (f.RoleOpened(T0, "lead", Reason.DECLARED), f.StepFired(T0, "lead", 1, 0, ("bo", "chen")))
    passed = (f.Answered(after(1), "bo", f.Answer.PASS), f.RoleOpened(T0, "scribe", Reason.DECLARED))
    begun = f.Seen(T0, replace(CARD, roles=(("lead", "dee"),)) if by == "file" else CARD)
    page = draft(steps_of([begun, *asked, *passed, f.RoleDropped(after(2), "scribe")]), (), POLICY).decode()
    assert f"| Lead | {'Dee' if by == 'file' else 'Chen'} | never |" in page
    assert "| Scribe |" not in page


def test_what_a_version_is_called() -> None:
    """Resolved is said once, of the version that says so; one that was over when it was first seen was never declared."""
    verified = replace(OVER, verified_by="Bo")
    entries = lines(f.Seen(T0, CARD), f.Seen(after(1), OVER, "b"), f.Seen(after(2), verified, "c"))
    assert entries[1:] == ["**Resolved**: status investigating → resolved", "File changed: verified by: Bo"]
    entries = lines(f.Seen(T0, OVER), f.Seen(after(1), CARD, "b"))
    assert entries[1:] == ["File changed: status resolved → investigating"]


def test_a_group_that_waits_for_its_first_word_is_shown() -> None:
    """Rule 56: what it waits for, and when it hears at the latest; and since when it really goes on."""
    steps = steps_of([f.Seen(T0, replace(CARD, started_at=after(-30)))])
    word = FirstWord("x", T0, FirstUpdate.ACCEPTED, (), after(20))
    view = internal_view(steps, (), standing_of(untold=(word,)), {}, POLICY, after(5))
    (group,) = view.groups
    assert (group.title, group.last_at, group.updates, group.next_at) == ("x", None, 0, after(20))
    assert group.waits_for == "somebody to accept, or a public text"
    assert (view.since, view.declared_at, view.lasted) == (after(-30), T0, "35 minutes")
    unread = replace(word, unread=("title",), leaves_at=None)
    assert unread.waits_for == "its title to be written"
    assert replace(word, first=FirstUpdate.PUBLIC).waits_for == "a public text"


def test_no_review_is_due_where_nobody_is_asked() -> None:
    """Rule 28: after a drill the page names no day for the review; with `drill: review` it does."""
    over = replace(CARD, severity="sev1", status=Status.RESOLVED, drill=True)
    severity = replace(POLICY.severities["sev1"], review=ReviewPolicy(timedelta(days=1)))
    policy = replace(POLICY, severities={**POLICY.severities, "sev1": severity})
    for reviewed in (False, True):
        steps = steps_of(
            [f.Seen(T0, replace(CARD, drill=True)), f.Seen(after(9), replace(over, reviewed_drill=reviewed), "b")]
        )
        assert bool(internal_view(steps, (), standing_of(), {}, policy, NOW).review_at) is reviewed
