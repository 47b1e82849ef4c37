"""What a message of each kind is made of: every word that its reader gets, no word that is another's.

The incident is full: everything that only insiders may read holds the word INTERNAL.
"""

from dataclasses import fields, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from tocsin.adapters.jinja.renderer import JinjaRenderer
from tocsin.domain.facts import Assessed
from tocsin.domain.history import GroupHistory, History, RoleHistory
from tocsin.domain.incident import Incident, Status, TimelineNote, UpdateEntry
from tocsin.domain.notification import ANSWERED_FOR, Kind, Notification, Reason, ReplyOffer
from tocsin.domain.people import Channel, Person, StakeholderGroup
from tocsin.domain.policy import Cadence, ReviewPolicy, Role, Service, Severity, Span, Stream
from tocsin.wording.message.builtin import builtin_content
from tocsin.wording.message.update_words import News
from tocsin.wording.message.wording import Wording, wording

from tests.builders.policies import small_policy

TEMPLATES = Path(__file__).parents[3] / "templates"
AT = datetime(2026, 11, 23, 10, 0, tzinfo=UTC)
BEGUN = AT - timedelta(minutes=45)
HALF_HOUR = timedelta(minutes=30)
OFFER = ReplyOffer("K7", "https://x.example/answer/INTERNAL", "https://x.example/incidents/INTERNAL")
POLICY = small_policy(
    severities={
        name: Severity(
            name,
            f"{name} INTERNAL-TITLE",
            f"INTERNAL-MEANING of {name}",
            updates=(Stream(("executives",), Cadence((Span(HALF_HOUR),))), Stream(("customers",), Cadence((Span(HALF_HOUR * 2),)))),
            review=ReviewPolicy(timedelta(days=5)),
        )
        for name in ("sev1", "sev2")
    },
    roles={
        "lead": Role("lead", "INTERNAL Lead", "INTERNAL Directs the fix."),
        "scribe": Role("scribe", "INTERNAL Scribe"),
    },
    people={
        "ana": Person("ana", "Ana INTERNAL-NAME", "ana@example.com", timezone="America/Sao_Paulo"),
        "bo": Person("bo", "Bo Berg", "bo@example.com", timezone="Europe/Berlin"),
    },
    services={"checkout": Service("checkout", "INTERNAL Checkout")},
    stakeholders={
        "executives": StakeholderGroup("executives", "Executives", ("bo",)),
        "customers": StakeholderGroup("customers", "Customers", (), ("c@example.com",), external=True, timezone="Asia/Kolkata"),
    },
)  # fmt: skip
HEARD = Incident(
    "INTERNAL-id",
    "Card payments fail",
    "sev2",
    summary="INTERNAL-SUMMARY",
    impact="Some payments fail.",
    services=("checkout", "gone"),
    roles=(("lead", "bo"),),
    declared_by="INTERNAL-DECLARER",
    updates=(UpdateEntry("INTERNAL-OLD", "Old.", None, "INTERNAL-AUTHOR"),),
    timeline=(TimelineNote("INTERNAL-NOTE", None, "INTERNAL-AUTHOR"),),
    resolution="INTERNAL-RESOLUTION",
)
INCIDENT = replace(
    HEARD,
    severity="sev1",
    status=Status.IDENTIFIED,
    impact="All payments fail.",
    eta=AT + timedelta(hours=1),
    updates=(*HEARD.updates, UpdateEntry("INTERNAL-NEW", "We found it.", AT, "INTERNAL-AUTHOR\x1b[31m")),
)
PAST = History(
    INCIDENT,
    1,
    started_at=BEGUN,
    assessed=Assessed(BEGUN, "sev2", "r1"),
    roles={
        "": RoleHistory("", needed=True),
        "lead": RoleHistory("lead", needed=True, holder="ana"),
        "scribe": RoleHistory("scribe", needed=True),
        "x": RoleHistory("x", holder="ana"),
    },
    groups={name: GroupHistory(name, name == "customers", BEGUN, AT, HEARD) for name in ("executives", "customers")},
)

EVERYBODY = {
    "title": "Card payments fail",
    "subject_title": "Card payments fail",
    "status": "identified",
    "status_text": "cause found",
    "impact": "All payments fail.",
    "eta": "Mon 23 Nov, 12:00 CET (11:00 UTC)",
    "eta_short": "12:00 CET",
    "standing": "We know the cause and are still working on it.",
    "page_url": OFFER.page_url,
    "since": "Mon 23 Nov, 10:15 CET (09:15 UTC)",
    "since_short": "10:15 CET",
}
INSIDERS = EVERYBODY | {
    "id": "INTERNAL-id",
    "file": "INTERNAL-id.yaml",
    "tag": "SEV1",
    "severity_title": "sev1 INTERNAL-TITLE",
    "severity_meaning": "INTERNAL-MEANING of sev1",
    "summary": "INTERNAL-SUMMARY",
    "services": ("INTERNAL Checkout",),
    "review_file": "reviews/INTERNAL-id.md",
    "holders": (("INTERNAL Lead", "Ana INTERNAL-NAME"), ("INTERNAL Scribe", "")),
}
PERSONAL = INSIDERS | {
    "person": "bo",
    "name": "Bo Berg",
    "roles": ("INTERNAL Lead", "INTERNAL Scribe"),
    "your_role": "INTERNAL Lead and INTERNAL Scribe",
    "your_role_short": "INTERNAL Lead +1 role",
    "duties": (("INTERNAL Lead", "INTERNAL Directs the fix."),),
    "acknowledge": "tocsin ack INTERNAL-id --as bo",
    "acknowledge_line": "acknowledged: [bo]",
    "accepted_by": "Ana INTERNAL-NAME",
    "code": "K7",
    "answer_url": OFFER.answer_url,
}
DUE = {"due": "Mon 23 Nov, 11:30 CET (10:30 UTC)", "due_short": "11:30 CET"}
CONTACTS = {"contacts": (("INTERNAL Lead", "Ana INTERNAL-NAME", ""),)}
NEXT = {"next": "Mon 23 Nov, 11:30 CET (10:30 UTC)", "next_short": "11:30 CET"}
PUBLIC_CHANGES = ("We have found the cause and are working on it.", "Expected to be fixed by 12:00 CET.")
MADE_OF = {
    Kind.PAGE: PERSONAL
    | DUE
    | CONTACTS
    | {
        "asked": True,
        "why": "Severity raised from SEV2 to SEV1.",
        "why_short": "Was SEV2.",
        "since_short": "10:15",
        "news": (News("INTERNAL-NEW", "INTERNAL-AUTHOR", "11:00 CET"),),
    },
    Kind.STAND_DOWN: PERSONAL | DUE,
    Kind.REMINDER: PERSONAL
    | DUE
    | CONTACTS
    | {"groups": "Executives", "otherwise": "Severity raised from SEV2 to SEV1."},
    Kind.VERIFY: PERSONAL | DUE | CONTACTS,
    Kind.REVIEW: PERSONAL | DUE | CONTACTS,
    Kind.CLOSING: INSIDERS,
    Kind.UPDATE: INSIDERS
    | NEXT
    | {
        "told_as": "Executives",
        "standing": "We have found the cause and are working on it.",
        "impact_new": True,
        "impact_was": "Some payments fail.",
        "lead": "Severity raised from SEV2 to SEV1.",
        "severity_means": "SEV1 means: INTERNAL-MEANING of sev1",
        "changes": ("Severity raised from SEV2 to SEV1.", *PUBLIC_CHANGES),
        "news": (News("INTERNAL-NEW", "INTERNAL-AUTHOR", "11:00 CET"),),
    },
}
"""Every field of a message to Bo in Berlin that is not empty."""


def notification(kind: Kind, **changes: object) -> Notification:
    """A message to Bo, for both roles; of an update, as the executives get it."""
    group = "executives" if kind is Kind.UPDATE else None
    made = Notification(
        "k", "INTERNAL-id", 1, kind, Reason.SEVERITY_RAISED, AT, "bo", Channel.EMAIL, ("lead", "scribe"), group=group, next_update_at=AT + HALF_HOUR
    )  # fmt: skip
    return replace(made, **changes)  # type: ignore[arg-type]  # a table of fields for a constructor


def filled(words: Wording) -> dict[str, object]:
    """The fields that hold something, without those that only say what it is, and in which language."""
    named = {field.name: getattr(words, field.name) for field in fields(words)}
    apart = ("kind", "reason", "language", "direction")
    return {name: held for name, held in named.items() if held and name not in apart}


@pytest.mark.parametrize("kind", MADE_OF)
def test_what_a_message_to_an_insider_is_made_of(kind: Kind) -> None:
    """All that its kind needs, in the reader's zone, and nothing else."""
    words = wording(notification(kind), INCIDENT, PAST, POLICY, OFFER)
    assert filled(words) == MADE_OF[kind]
    assert (words.kind, words.reason) == (kind.value, "severity_raised")


@pytest.mark.parametrize("kind", MADE_OF)
def test_once_resolved(kind: Kind) -> None:
    """How long it lasted, the resolution and the review's date stand in every kind; an ETA in none any more."""
    over = replace(INCIDENT, status=Status.RESOLVED)
    past = replace(PAST, incident=over, resolved_at=AT)
    words = wording(notification(kind), over, past, POLICY, OFFER)
    assert (words.eta, words.eta_short) == ("", "")
    assert (words.duration, words.resolution) == ("45 minutes", "INTERNAL-RESOLUTION")
    assert (words.review_due, words.review_overdue) == ("Sat 28 Nov 2026, 11:00 CET", False)
    due = AT + timedelta(days=5)
    assert not wording(notification(kind, at=due), over, past, POLICY).review_overdue
    assert wording(notification(kind, at=due + timedelta(seconds=1)), over, past, POLICY).review_overdue


def test_a_link_stands_as_long_as_it_leads_somewhere() -> None:
    """Until a week after the resolution: what comes later offers the file and the command alone."""
    over = replace(INCIDENT, status=Status.RESOLVED)
    past = replace(PAST, incident=over, resolved_at=AT)
    for late, url in ((timedelta(seconds=-1), OFFER.answer_url), (timedelta(0), "")):
        words = wording(notification(Kind.VERIFY, at=AT + ANSWERED_FOR + late), over, past, POLICY, OFFER)
        assert (words.answer_url, words.acknowledge) == (url, "tocsin ack INTERNAL-id --as bo")


OUTSIDE = {
    Kind.CLOSING: EVERYBODY,
    Kind.UPDATE: EVERYBODY
    | {
        "standing": "We have found the cause and are working on it.",
        "impact_new": True,
        "lead": "We have found the cause and are working on it.",
        "changes": ("We have found the cause and are working on it.", "Expected to be fixed by 16:30 IST."),
        "impact_was": "Some payments fail.",
        "news": (News("We found it."),),
        "next": "Mon 23 Nov, 16:00 IST (10:30 UTC)",
        "next_short": "16:00 IST",
    },
}


@pytest.mark.parametrize("kind", OUTSIDE)
@pytest.mark.parametrize("drill", [False, True])
def test_what_an_outsider_reads(kind: Kind, drill: bool) -> None:
    """Title, status, impact, ETA, public texts, in the group's zone: no word of the inside, not in any part of the mail
    nor in the built-in texts. Of what has become a drill they hear that, and nobody's mark.
    """
    offer = ReplyOffer("", "", "https://x.example/incidents/1")
    incident = replace(INCIDENT, drill=drill)
    group = "customers" if kind is Kind.UPDATE else None
    about = notification(kind, to="c@example.com", roles=(), group=group, external=True)
    words = wording(about, incident, PAST, POLICY, offer)
    expected = OUTSIDE[kind] | {
        "eta": "Mon 23 Nov, 16:30 IST (11:00 UTC)",
        "eta_short": "16:30 IST",
        "since": "Mon 23 Nov, 14:45 IST (09:15 UTC)",
        "since_short": "14:45 IST",
        "external": True,
        "page_url": offer.page_url,
    }
    if drill and kind is Kind.UPDATE:
        exercise = "This was an exercise of ours: there is no disruption."
        left_out = ("impact", "impact_was", "impact_new", "eta", "eta_short", "since", "since_short", "news", "changes")
        expected = {name: value for name, value in expected.items() if name not in (*left_out, "next", "next_short")}
        expected |= {"taken_back": True, "lead": exercise, "standing": exercise, "status_text": "an exercise"}
    assert filled(words) == expected
    mail = JinjaRenderer(TEMPLATES, lambda _: None).render(about, incident, PAST, POLICY, offer)
    builtin = [builtin_content(words, via) for via in Channel]
    for content in (mail, *builtin):
        assert "INTERNAL" not in f"{content.text}{content.subject}{content.html}"
        assert "SEV" not in f"{content.text}{content.subject}{content.html}"
        assert "DRILL" not in f"{content.text}{content.subject}{content.html}"
    assert mail.html


def test_a_first_update_and_the_last_word() -> None:
    """Who hears for the first time hears the newest entries and of no change; the last word says that it is it."""
    past = replace(PAST, groups={})
    words = wording(notification(Kind.UPDATE), INCIDENT, past, POLICY)
    assert (words.first, words.changes, words.impact_new, words.last_word) == (True, (), True, False)
    assert [entry.text for entry in words.news] == ["INTERNAL-OLD", "INTERNAL-NEW"]
    assert not wording(notification(Kind.UPDATE), replace(INCIDENT, impact=""), past, POLICY).impact_new
    assert wording(notification(Kind.UPDATE, reason=Reason.SEVERITY_LOWERED), INCIDENT, PAST, POLICY).last_word
    unchanged = replace(PAST, groups={"executives": replace(PAST.groups["executives"], told_version=INCIDENT)})
    words = wording(notification(Kind.UPDATE), INCIDENT, unchanged, POLICY)
    assert (words.first, words.changes, words.impact_new, words.news) == (False, (), False, ())


def test_flags_of_an_incident() -> None:
    """A later episode says that it is open again, a drill that it is one; a title that is empty has a name all the same."""
    words = wording(notification(Kind.PAGE, episode=2), replace(INCIDENT, drill=True, title="\u200b"), PAST, POLICY)
    assert (words.reopened, words.drill, words.title) == (True, True, "Untitled incident")
    words = wording(notification(Kind.PAGE), INCIDENT, PAST, POLICY)
    assert (words.reopened, words.drill) == (False, False)


def test_which_groups_a_reminder_names() -> None:
    """A group with several streams has the cadence of its first one; a service's group, that no stream names, the one
    of the first stream; a group that is not due then, or that the config lost, is not named.
    """
    hour = replace(PAST, groups=PAST.groups | {"gone": PAST.groups["executives"]})
    assert wording(notification(Kind.REMINDER), INCIDENT, hour, POLICY).groups == "Executives"
    later = notification(Kind.REMINDER, next_update_at=AT + HALF_HOUR * 2)
    assert wording(later, INCIDENT, hour, POLICY).groups == "Customers"
    both = replace(
        POLICY,
        severities={
            "sev1": replace(
                POLICY.severities["sev1"],
                updates=(
                    Stream(("executives",), Cadence((Span(HALF_HOUR),))),
                    Stream(("executives",), Cadence((Span(HALF_HOUR * 2),))),
                ),
            )
        },
    )
    assert wording(notification(Kind.REMINDER), INCIDENT, PAST, both).groups == "Executives and Customers"
    assert wording(later, INCIDENT, PAST, both).groups == ""


def test_every_text_comes_clean() -> None:
    """Whatever the file's texts hold, no control character and no escape is left in any field."""
    hostile = "a\x1b[31mb\x00\u202ec"
    entry = UpdateEntry(hostile, hostile, AT, hostile)
    dirty = replace(
        INCIDENT, title=hostile, summary=hostile, impact=hostile, resolution=hostile, updates=(*HEARD.updates, entry)
    )
    for kind in MADE_OF:
        for external in (False, True) if kind in OUTSIDE else (False,):
            for incident in (dirty, replace(dirty, status=Status.RESOLVED)):
                words = wording(notification(kind, external=external), incident, PAST, POLICY, OFFER)
                assert not set("\x1b\x00\u202e") & set("".join(map(str, filled(words).values())))
                assert "\\x1b" not in repr(filled(words))


def test_who_accepted_is_named_not_who_did_not() -> None:
    """Of several roles those that somebody holds, each person once."""
    roles = PAST.roles | {"x": RoleHistory("x", holder="bo"), "y": RoleHistory("y", holder="ana")}
    about = notification(Kind.STAND_DOWN, roles=("scribe", "lead", "x", "y"))
    assert wording(about, INCIDENT, replace(PAST, roles=roles), POLICY).accepted_by == "Ana INTERNAL-NAME and Bo Berg"
