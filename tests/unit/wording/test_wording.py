"""Wording: who reads what, in which zone, and what counts as new."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from tocsin.adapters.jinja.renderer import JinjaRenderer
from tocsin.adapters.jinja.sources import shipped_folder
from tocsin.domain.facts import Assessed
from tocsin.domain.history import GroupHistory, HeldGroup, History, RoleHistory
from tocsin.domain.incident import Acknowledgment, Incident, Status, UpdateEntry
from tocsin.domain.notification import OUTSIDE_PLAN, Kind, Notification, Reason
from tocsin.domain.people import Channel, FirstUpdate, Person, StakeholderGroup
from tocsin.domain.policy import Cadence, Policy, ReviewPolicy, Role, Severity, Span, Stream
from tocsin.text.gsm import segments
from tocsin.text.times import clock, dated, moment, span, utc
from tocsin.wording.language.language import ENGLISH
from tocsin.wording.message.builtin import builtin_content
from tocsin.wording.message.one_segment import cut
from tocsin.wording.message.wording import Wording, wording

from tests.builders.policies import small_policy

AT = datetime(2026, 11, 23, 10, 0, tzinfo=UTC)
HALF_HOUR = timedelta(minutes=30)
FIRST = UpdateEntry("We see errors.", "Payments fail.", AT, "ana")
SECOND = UpdateEntry("It is the database.", "", AT, "bo")
THIRD = UpdateEntry("Failover done.", "Most payments work.", AT, "bo")
INCIDENT = Incident("checkout", "Card payments fail", "sev1", updates=(FIRST,))


@pytest.fixture
def policy() -> Policy:
    """Two severities with a review, three people in their zones, an internal and an external group."""
    stream = Stream(("executives", "customers"), Cadence((Span(HALF_HOUR),)))
    severities = {
        name: Severity(name, name.title(), updates=(stream,), review=ReviewPolicy(timedelta(days=5)))
        for name in ("sev1", "sev2")
    }
    return small_policy(
        severities=severities,
        roles={"technical_lead": Role("technical_lead", "Technical Lead"), "scribe": Role("scribe", "Scribe")},
        people={
            "ana": Person("ana", "Ana Souza", "ana@example.com", timezone="America/Sao_Paulo"),
            "bo": Person("bo", "Bo Berg", "bo@example.com", timezone="Europe/Berlin"),
        },
        stakeholders={
            "executives": StakeholderGroup("executives", "Executives", ("ana",)),
            "customers": StakeholderGroup(
                "customers", "Customers", (), ("List@example.com",), external=True, timezone="Asia/Kolkata"
            ),
        },
    )


def notification(kind: Kind, reason: Reason, **changes: object) -> Notification:
    each = Notification("key", "checkout", 1, kind, reason, AT, "bo", Channel.EMAIL)
    return replace(each, **changes)  # type: ignore[arg-type]  # a table of fields for a constructor


def update(
    policy: Policy, incident: Incident, told: Incident | None, *, external: bool = False, **changes: object
) -> Wording:
    """The words of an update to a group that was told of a version."""
    group = "customers" if external else "executives"
    groups = {group: GroupHistory(group, external, AT, AT, told)} if told else {}
    each = notification(Kind.UPDATE, Reason.CHANGED, group=group, external=external, **changes)
    return wording(each, incident, History(incident, 1, started_at=AT, groups=groups), policy)


CHANGED = {
    "raised": ({"severity": "sev2"}, {}, "Severity raised from SEV2 to SEV1."),
    "lowered": ({}, {"severity": "sev2"}, "Severity lowered from SEV1 to SEV2."),
    "unknown": ({"severity": "huge"}, {}, "Severity changed from HUGE to SEV1."),
    "status": ({}, {"status": Status.MONITORING}, "A fix is in place; we are watching it."),
    "eta": ({}, {"eta": AT + timedelta(hours=1)}, "Expected to be fixed by 12:00 CET."),
    "eta moved": (
        {"eta": AT + timedelta(hours=1)},
        {"eta": AT + timedelta(minutes=150)},
        "Expected to be fixed by 13:30 CET (we had said 12:00).",
    ),
    "eta tomorrow": (
        {"eta": AT + timedelta(hours=1)},
        {"eta": AT + timedelta(days=1)},
        "Expected to be fixed by Tue 24 Nov, 11:00 CET (we had said 12:00).",
    ),
    "eta gone": ({"eta": AT}, {}, "There is no estimate any more (we had said 11:00 CET)."),
    "impact gone": ({"impact": "All of it."}, {}, "The impact is no longer stated."),
    "title": ({"title": "Something"}, {"summary": "New."}, None),
}


@pytest.mark.parametrize(("before", "after", "said"), CHANGED.values(), ids=CHANGED.keys())
def test_what_changed_is_said(
    policy: Policy, before: dict[str, object], after: dict[str, object], said: str | None
) -> None:
    """A change since the group last heard is one sentence, in the reader's zone."""
    words = update(policy, replace(INCIDENT, **after), replace(INCIDENT, **before))  # type: ignore[arg-type]  # tables
    assert words.changes == ((said,) if said else ())
    assert not words.first


NEWS = {
    "first update": (None, (FIRST, SECOND), ("We see errors.", "It is the database."), ("Payments fail.",)),
    "the newest of many": (
        None,
        (FIRST, SECOND, SECOND, THIRD),
        ("It is the database.",) * 2 + ("Failover done.",),
        ("Payments fail.", "Most payments work."),
    ),
    "nothing new": ((FIRST,), (FIRST,), (), ()),
    "one more": ((FIRST,), (FIRST, THIRD), ("Failover done.",), ("Most payments work.",)),
    "two more": ((), (FIRST, SECOND), ("We see errors.", "It is the database."), ("Payments fail.",)),
    "not for outsiders": ((FIRST,), (FIRST, SECOND), ("It is the database.",), ()),
    "on top": ((FIRST,), (THIRD, FIRST), ("Failover done.",), ("Most payments work.",)),
    "the same again": ((FIRST,), (FIRST, FIRST), ("We see errors.",), ("Payments fail.",)),
    "a mended entry": ((FIRST,), (replace(FIRST, text="We saw errors."),), (), ()),
    "mended and new": (
        (FIRST,),
        (replace(FIRST, text="Mended."), THIRD),
        ("Failover done.",),
        ("Most payments work.",),
    ),
    "removed": ((FIRST, SECOND), (FIRST,), (), ()),
}


@pytest.mark.parametrize(("told", "now", "inside", "outside"), NEWS.values(), ids=NEWS.keys())
def test_news_are_entries_not_heard_yet(
    policy: Policy,
    told: tuple[UpdateEntry, ...] | None,
    now: tuple[UpdateEntry, ...],
    inside: tuple[str, ...],
    outside: tuple[str, ...],
) -> None:
    """An entry is told once, when the list has grown; outsiders get its public text without its author (rule 22)."""
    incident = replace(INCIDENT, updates=now)
    before = replace(INCIDENT, updates=told) if told is not None else None
    assert tuple(each.text for each in update(policy, incident, before).news) == inside
    seen = update(policy, incident, before, external=True, to="List@example.com").news
    assert tuple(each.text for each in seen) == outside
    assert not any(each.by or each.at for each in seen)


@pytest.mark.parametrize(
    ("written", "shown"),
    [("bo", "Bo Berg"), ("BO", "Bo Berg"), ("bo@Example.com", "Bo Berg"), ("Bo Berg", "Bo Berg"), ("the vendor", "the vendor"), ("", "")],
)  # fmt: skip
def test_who_wrote_stands_by_name(policy: Policy, written: str, shown: str) -> None:
    """An id or an address of a person is shown as their name; whatever else the file says stays."""
    incident = replace(INCIDENT, updates=(replace(FIRST, by=written),))
    assert [entry.by for entry in update(policy, incident, None).news] == [shown]


def test_there_is_always_something_to_say(policy: Policy) -> None:
    """Without news the standing sentence of the status speaks; to whom the status is no news, it says "still"."""
    assert update(policy, INCIDENT, None).standing == "We are investigating."
    assert update(policy, INCIDENT, INCIDENT).standing == "We are still investigating."
    for status in (Status.IDENTIFIED, Status.MONITORING):
        incident = replace(INCIDENT, status=status)
        assert " still " in update(policy, incident, incident, external=True).standing
        assert " still " not in update(policy, incident, INCIDENT).standing
    reminder = wording(notification(Kind.REMINDER, Reason.UPDATE_DUE), INCIDENT, History(INCIDENT, 1), policy)
    assert reminder.standing == "We are still investigating."


@pytest.mark.parametrize(
    ("to", "zone_time", "short"),
    [
        ("bo", "Mon 23 Nov, 11:30 CET (10:30 UTC)", "11:30 CET"),
        ("ana", "Mon 23 Nov, 07:30 UTC-03 (10:30 UTC)", "07:30 UTC-03"),
        ("somebody@example.com", "Mon 23 Nov, 10:30 UTC", "10:30 UTC"),
    ],
)
def test_the_next_update_in_the_readers_zone(policy: Policy, to: str, zone_time: str, short: str) -> None:
    """A person reads their own zone, a plain address its group's."""
    words = update(policy, INCIDENT, INCIDENT, to=to, next_update_at=AT + HALF_HOUR)
    assert (words.next, words.next_short) == (zone_time, short)


def test_no_promise_is_no_time(policy: Policy) -> None:
    """A group that only hears of changes is promised nothing."""
    words = update(policy, INCIDENT, INCIDENT)
    assert words.next == words.next_short == ""
    assert "We will write again when something changes." in builtin_content(words, Channel.EMAIL).text


def test_a_closing_to_a_plain_address_has_its_groups_zone(policy: Policy) -> None:
    """A closing message names no group: the address is looked for, in any case."""
    each = notification(Kind.CLOSING, Reason.RESOLVED, to="list@EXAMPLE.com", external=False)
    past = History(INCIDENT, 1, started_at=AT, resolved_at=AT + timedelta(hours=26, minutes=5))
    words = wording(each, replace(INCIDENT, status=Status.RESOLVED, resolution="Rolled back."), past, policy)
    assert words.since == "Mon 23 Nov, 15:30 IST (10:00 UTC)"
    assert words.duration == "1 day 2 hours"
    assert words.resolution == "Rolled back."
    assert words.name == words.acknowledge == ""


WHYS = [
    (Reason.DECLARED, ""),
    (Reason.ESCALATED, "Nobody has accepted yet."),
    (Reason.REPEATED, "Still nobody has accepted."),
    (Reason.LAST_RESORT, "Nobody else answered: you are the last resort."),
    (Reason.ASSIGNED, "You take over from Ana Souza, who has it until you accept."),
    (Reason.SEVERITY_RAISED, "Severity raised from SEV2 to SEV1."),
    (Reason.REOPENED, "It is open again."),
    (Reason.DECLINED, "Somebody passed it on."),
    (Reason.REACH, "You have not answered yet."),
    (Reason.STILL_THERE, "Nothing was heard for a while. Are you still on it? Please confirm."),
]


@pytest.mark.parametrize(("reason", "said"), WHYS)
def test_why_a_page_comes(policy: Policy, reason: Reason, said: str) -> None:
    """Each reason of a page is a short human sentence; the first page needs none."""
    roles = {"technical_lead": RoleHistory("technical_lead", needed=True, holder="ana")}
    past = History(INCIDENT, 1, started_at=AT, roles=roles, assessed=Assessed(AT, "sev2", "r1"))
    words = wording(notification(Kind.PAGE, reason, roles=("technical_lead",)), INCIDENT, past, policy)
    assert words.why == said
    assert words.your_role == "Technical Lead"
    assert words.holders == (("Technical Lead", "Ana Souza"),)
    assert [each.text for each in words.news] == ["We see errors."]


def test_an_eta_of_another_year_bears_it(policy: Policy) -> None:
    """A slip in the year is seen by who reads it."""
    slip = replace(INCIDENT, eta=datetime(2039, 3, 23, 5, 42, tzinfo=UTC))
    words = wording(notification(Kind.PAGE, Reason.DECLARED), slip, History(slip, 1, started_at=AT), policy)
    assert words.eta.startswith("Wed 23 Mar 2039, ")
    assert words.eta_short.startswith("Wed 23 Mar 2039, ")


def test_a_second_try_says_that_the_first_did_not_arrive(policy: Policy) -> None:
    """Rule 66: whoever was not reached before is not told that they did not answer; whoever was, is."""
    page = notification(Kind.PAGE, Reason.REACH, roles=("technical_lead",))
    lost = History(INCIDENT, 1, started_at=AT, lost=frozenset({(page.to, AT)}))
    assert wording(page, INCIDENT, lost, policy).why == "An earlier page did not reach you."
    others = replace(lost, lost=frozenset({("somebody-else", AT)}))
    assert wording(page, INCIDENT, others, policy).why == "You have not answered yet."


@pytest.mark.parametrize(
    "known",
    [
        {"undelivered": frozenset({("ana", AT, Channel.SMS)})},
        {"refused": frozenset({("ana", Channel.SMS, "+14155550109")})},
    ],
)
def test_a_page_by_a_channel_that_failed_says_so(policy: Policy, known: dict[str, Any]) -> None:
    """Rules 65, 66: ana had the earlier page by email, if at all; by another channel nothing of the kind is said."""
    page = replace(notification(Kind.PAGE, Reason.REACH, roles=("technical_lead",)), to="ana", via=Channel.SMS)
    past = History(INCIDENT, 1, started_at=AT, **known)
    assert wording(page, INCIDENT, past, policy).why == "An earlier page by SMS did not reach you."
    email = replace(page, via=Channel.EMAIL)
    assert wording(email, INCIDENT, past, policy).why == "You have not answered yet."
    assert wording(replace(page, to="bo"), INCIDENT, past, policy).why == "You have not answered yet."


def test_why_where_little_is_known(policy: Policy) -> None:
    """An assignment without a holder, a severity that config changed, and a file that cannot be read."""
    past = History(INCIDENT, 1, started_at=AT)
    for reason, said in ((Reason.ASSIGNED, "You were assigned."), (Reason.SEVERITY_RAISED, "The severity changed.")):
        assert wording(notification(Kind.PAGE, reason, roles=("scribe",)), INCIDENT, past, policy).why == said
    unreadable = replace(INCIDENT, unreadable=True, summary="a: [1")
    words = wording(notification(Kind.PAGE, Reason.LAST_RESORT), unreadable, past, policy)
    assert (words.why, words.your_role, words.unreadable, words.summary) == ("", "", True, "a: [1")
    assert "The incident file cannot be read." in builtin_content(words, Channel.SMS).text


def test_several_roles_in_one_page(policy: Policy) -> None:
    """A page names all its roles, the responder's and one that the config no longer has too."""
    each = notification(Kind.PAGE, Reason.DECLARED, roles=("technical_lead", "gone", "responder"))
    words = wording(each, INCIDENT, History(INCIDENT, 1, started_at=AT), policy)
    assert words.your_role == "Technical Lead, gone and responder"
    assert words.acknowledge == "tocsin ack checkout --as bo"
    assert words.acknowledge_line == "acknowledged: [bo]"


def test_no_line_for_the_file_that_would_not_count(policy: Policy) -> None:
    """Rules 15, 32: a name that stands there already counts no second time, and a line more in a file that cannot be
    read may make an incident of it; the command is left.
    """
    page, past = (
        notification(Kind.PAGE, Reason.STILL_THERE, roles=("technical_lead",)),
        History(INCIDENT, 1, started_at=AT),
    )
    stands = replace(INCIDENT, acknowledged=(Acknowledgment("bo"),))
    for incident in (stands, replace(INCIDENT, unreadable=True)):
        seen = replace(past, incident=incident)
        words = wording(page, incident, seen, policy)
        assert (words.acknowledge, words.acknowledge_line) == ("tocsin ack checkout --as bo", "")
        mail = JinjaRenderer(shipped_folder(), lambda _: None).render(page, incident, seen, policy)
        assert words.acknowledge in mail.text
        assert "or write in" not in mail.text + mail.html
    others = replace(INCIDENT, acknowledged=(Acknowledgment("ana"),))
    assert wording(page, others, replace(past, incident=others), policy).acknowledge_line == "acknowledged: [bo]"


def test_a_stand_down_names_who_accepted(policy: Policy) -> None:
    """Who accepted is named, once, also somebody who has left the config."""
    roles = {
        "technical_lead": RoleHistory("technical_lead", holder="ana"),
        "scribe": RoleHistory("scribe", holder="zoe"),
    }
    past = History(INCIDENT, 1, started_at=AT, roles=roles)
    each = notification(Kind.STAND_DOWN, Reason.ACCEPTED, roles=("technical_lead", "scribe"))
    assert wording(each, INCIDENT, past, policy).accepted_by == "Ana Souza and zoe"


def test_a_reminder_names_the_groups_due(policy: Policy) -> None:
    """Those whose interval ends then, and when in the holder's zone."""
    groups = {
        "executives": GroupHistory("executives", False, AT, AT, INCIDENT),
        "customers": GroupHistory("customers", True, AT, AT - timedelta(minutes=7), INCIDENT),
    }
    past = History(INCIDENT, 1, started_at=AT, groups=groups)
    each = notification(Kind.REMINDER, Reason.UPDATE_DUE, next_update_at=AT + HALF_HOUR)
    words = wording(each, INCIDENT, past, policy)
    assert (words.groups, words.due_short) == ("Executives", "11:30 CET")
    assert words.next == ""


def test_a_reminder_speaks_of_what_was_promised(policy: Policy) -> None:
    """What a group's last update promised counts, whatever its cadence would say (rule 22)."""
    promised = GroupHistory("customers", True, AT, AT, INCIDENT, promised_at=AT + 2 * HALF_HOUR)
    past = History(INCIDENT, 1, started_at=AT, groups={"customers": promised})
    each = notification(Kind.REMINDER, Reason.UPDATE_DUE, next_update_at=AT + 2 * HALF_HOUR)
    assert wording(each, INCIDENT, past, policy).groups == "Customers"
    assert wording(replace(each, next_update_at=AT + HALF_HOUR), INCIDENT, past, policy).groups == ""


def test_a_reminder_names_who_has_heard_nothing(policy: Policy) -> None:
    """Groups that wait for a public text, until there is one; not those that wait for somebody to accept (rule 56)."""
    waiting = replace(policy.stakeholders["customers"], first=FirstUpdate.PUBLIC)
    policy = replace(policy, stakeholders={**policy.stakeholders, "customers": waiting})
    past = History(INCIDENT, 1, started_at=AT, held_groups={"customers": HeldGroup("customers", AT)})
    each = notification(Kind.REMINDER, Reason.UPDATE_DUE)
    words = wording(each, INCIDENT, past, policy)
    assert (words.unheard, words.groups, words.otherwise) == ("Customers", "", "")
    assert wording(each, INCIDENT, replace(past, public_at=AT), policy).unheard == ""
    assert wording(replace(each, reason=Reason.ETA_PASSED), INCIDENT, past, policy).unheard == ""
    accepted = replace(policy, stakeholders={"customers": replace(waiting, first=FirstUpdate.ACCEPTED)})
    assert wording(each, INCIDENT, past, accepted).unheard == ""
    assert wording(each, INCIDENT, past, replace(policy, stakeholders={})).unheard == ""


def test_a_reminder_says_why_outsiders_wait_whatever_is_written(policy: Policy) -> None:
    """While title or severity were never read a public text lets nobody hear: the reminder says that, and not that one
    is needed (rule 56).
    """
    waiting = replace(policy.stakeholders["customers"], first=FirstUpdate.PUBLIC)
    policy = replace(policy, stakeholders={**policy.stakeholders, "customers": waiting})
    each = notification(Kind.REMINDER, Reason.UPDATE_DUE)
    for unread, named in (
        (("title",), "title"),
        (("severity",), "severity"),
        (("title", "severity"), "title and severity"),
    ):
        incident = replace(INCIDENT, never_read=unread)
        past = History(incident, 1, started_at=AT, held_groups={"customers": HeldGroup("customers", AT)})
        for public_at in (None, AT):
            words = wording(each, incident, replace(past, public_at=public_at), policy)
            assert words.blocked == f"Customers hear nothing until the file's {named} can be read."
            assert words.unheard == ""
    assert wording(each, INCIDENT, replace(past, incident=INCIDENT), policy).blocked == ""
    assert wording(each, incident, replace(past, held_groups={}), policy).blocked == ""
    assert wording(replace(each, kind=Kind.VERIFY, reason=Reason.VERIFY_DUE), incident, past, policy).blocked == ""


OTHERWISE = {
    "nothing new": ({}, AT + HALF_HOUR, "We are still investigating."),
    "late by then": ({"eta": AT + timedelta(minutes=20)}, AT + HALF_HOUR, "This takes longer than the 11:20 CET we expected; no new estimate yet."),
    "not late yet": ({"eta": AT + timedelta(minutes=40)}, AT + HALF_HOUR, "We are still investigating."),
    "watching": ({"status": Status.MONITORING}, AT + HALF_HOUR, "The fix is in place; we are still watching it."),
}  # fmt: skip


@pytest.mark.parametrize(("changes", "due", "sentence"), OTHERWISE.values(), ids=OTHERWISE.keys())
def test_a_reminder_says_what_is_read_otherwise(
    policy: Policy, changes: dict[str, Any], due: datetime, sentence: str
) -> None:
    """The very sentence that leads the update if nobody writes: as of the instant at which it is due."""
    incident = replace(INCIDENT, **changes)
    told = GroupHistory("executives", False, AT, AT, incident, promised_at=due)
    past = History(incident, 1, started_at=AT, groups={"executives": told})
    each = notification(Kind.REMINDER, Reason.UPDATE_DUE, at=due - timedelta(minutes=5), next_update_at=due)
    assert wording(each, incident, past, policy).otherwise == sentence
    update_then = notification(Kind.UPDATE, Reason.DUE, at=due, group="executives")
    assert wording(update_then, incident, past, policy).lead == sentence


def test_a_passed_estimate_is_asked_for_anew(policy: Policy) -> None:
    """At the instant of an ETA: what had been expected, and what readers get from then on (rule 57)."""
    late = replace(INCIDENT, eta=AT)
    words = wording(notification(Kind.REMINDER, Reason.ETA_PASSED), late, History(late, 1, started_at=AT), policy)
    assert (words.eta_short, words.eta_passed, words.due) == ("11:00 CET", True, "")
    assert words.otherwise == "This takes longer than the 11:00 CET we expected; no new estimate yet."


def test_a_review_is_due_and_then_overdue(policy: Policy) -> None:
    """The due date is the resolution and the severity's `within`."""
    past = History(INCIDENT, 1, started_at=AT, resolved_at=AT)
    each = notification(Kind.REVIEW, Reason.REVIEW_DUE, roles=("scribe",))
    words = wording(each, INCIDENT, past, policy)
    assert (words.review_due, words.review_overdue) == ("Sat 28 Nov 2026, 11:00 CET", False)
    assert wording(replace(each, at=AT + timedelta(days=6)), INCIDENT, past, policy).review_overdue


def test_texts_come_clean(policy: Policy) -> None:
    """Escapes, direction marks and line breaks in a title are gone before any template sees them."""
    incident = replace(INCIDENT, title="a\r\nb\x1b[31mc\u202ed", summary="x\x00y\r\nz")
    words = update(policy, incident, None)
    assert words.title == "a bcd"
    assert words.summary == "xy\nz"


@pytest.mark.parametrize("kind", [kind for kind in Kind if kind not in OUTSIDE_PLAN])
@pytest.mark.parametrize("via", Channel)
def test_the_built_in_text_is_whole(policy: Policy, kind: Kind, via: Channel) -> None:
    """Without templates each kind still says what matters, marked as a drill where it is one."""
    past = History(INCIDENT, 1, started_at=AT, resolved_at=AT + timedelta(minutes=1))
    incident = replace(INCIDENT, title="x" * 400, drill=True, resolution="Rolled back.")
    each = notification(kind, Reason.DECLARED, roles=("scribe",), group="executives", next_update_at=AT + HALF_HOUR)
    made = builtin_content(wording(each, incident, past, policy), via)
    assert made.text.startswith("DRILL ")
    if via is Channel.EMAIL:
        assert made.subject.startswith("DRILL ")
        assert made.html == ""
    else:
        assert segments(made.text) <= (1 if kind in (Kind.PAGE, Kind.STAND_DOWN) else 3)
    wanted = {
        Kind.PAGE: "tocsin ack checkout --as bo",
        Kind.STAND_DOWN: "Scribe",
        Kind.UPDATE: "Next update by 11:30 CET.",
        Kind.CLOSING: "after 1 minute",
        Kind.REMINDER: "due 11:30 CET",
        Kind.VERIFY: "tocsin ack checkout --as bo",
        Kind.REVIEW: "reviews/checkout.md",
    }
    assert wanted[kind] in made.text


def test_times_in_words() -> None:
    """Clock, date, change and span as people say them, on both sides of daylight saving."""
    summer = datetime(2026, 7, 1, 22, 30, tzinfo=UTC)
    assert clock(summer, "Europe/Berlin", AT) == "Thu 2 Jul, 00:30 CEST"
    assert dated(summer, "Europe/London") == "Wed 1 Jul, 23:30 BST (22:30 UTC)"
    assert dated(AT, "Europe/London") == "Mon 23 Nov, 10:00 GMT"
    assert moment(AT, "Asia/Kathmandu") == "Mon 23 Nov 2026, 15:45 UTC+05:45"
    assert utc(AT) == "2026-11-23 10:00:00 UTC"
    spans = {0: "1 minute", 61: "1 minute", 3600: "1 hour", 7500: "2 hours 5 minutes", 90_061: "1 day 1 hour"}
    assert {seconds: span(timedelta(seconds=seconds)) for seconds in spans} == spans


def test_lists_and_cuts() -> None:
    """Names are listed as people do; a cut text is never longer than asked."""
    assert [ENGLISH.listed(tuple(names)) for names in ("", "a", "ab", "abc")] == ["", "a", "a and b", "a, b and c"]
    for length in range(12):
        assert len(cut("0123456789", length)) <= length
    assert cut("0123456789", 8) == "01234..."
