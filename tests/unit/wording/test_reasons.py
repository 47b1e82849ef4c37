"""Why a message comes or does not, which setting makes it come, and what is wrong with an address: in words."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from tocsin.domain.facts import Assessed
from tocsin.domain.history import History, RoleHistory
from tocsin.domain.incident import Incident
from tocsin.domain.notification import Kind, Notification, Reason, Suppression, Why
from tocsin.domain.people import Channel, Person, StakeholderGroup
from tocsin.domain.policy import RESPONDER, Cadence, ReviewPolicy, Severity, Span, Stream
from tocsin.wording.language.language import ENGLISH
from tocsin.wording.message.locale import language_of, zone_of
from tocsin.wording.message.page_words import page_reason
from tocsin.wording.report.reason_text import reason_text, suppression_text

from tests.builders.policies import small_policy

AT = datetime(2026, 11, 23, 10, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
PAGE = Notification("k", "card", 1, Kind.PAGE, Reason.ESCALATED, AT, "bo", Channel.SMS, ("scribe",), level=1, round=2)
POLICY = small_policy()
SEVERITY = replace(
    POLICY.severities["sev1"],
    updates=(
        Stream(("executives",), Cadence((Span(30 * MINUTE), Span(60 * MINUTE)))),
        Stream(("support",), Cadence((), cron="0 9 * * *", timezone="Europe/Berlin")),
    ),
    remind_before=10 * MINUTE,
    verify_after=60 * MINUTE,
    review=ReviewPolicy(timedelta(days=5), remind_every=timedelta(days=1)),
)


def kind(of: Kind, reason: Reason, **changes: object) -> Notification:
    return replace(PAGE, kind=of, reason=reason, level=None, round=None, **changes)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("notification", "text"),
    [
        (PAGE, "escalated: nobody accepted scribe (level 1, round 2, acknowledge_within 5m)"),
        (replace(PAGE, round=None), "escalated: nobody accepted scribe (acknowledge_within 5m)"),
        (replace(PAGE, roles=(RESPONDER,)), "escalated: nobody accepted responder (round 2, acknowledge_within 5m)"),
        (replace(PAGE, reason=Reason.DECLARED), "declared: first page for scribe (level 1, round 2)"),
        (kind(Kind.PAGE, Reason.REACH), "reach: page as scribe not answered or not delivered"),
        (kind(Kind.PAGE, Reason.LAST_RESORT, roles=()), "last resort: the incident file cannot be read (acknowledge_within 5m)"),
        (kind(Kind.STAND_DOWN, Reason.HANDOVER), "handover: somebody else has taken over scribe"),
        (kind(Kind.UPDATE, Reason.DUE, group="executives"), "due: the cadence says so (every 30m, then 1h)"),
        (kind(Kind.UPDATE, Reason.DUE, group="support"), 'due: the cadence says so (cron "0 9 * * *" in Europe/Berlin)'),
        (kind(Kind.UPDATE, Reason.DUE, group="a service's"), "due: the cadence says so (every 30m, then 1h)"),
        (kind(Kind.UPDATE, Reason.CHANGED, group="support"), "changed: there was something new to say"),
        (
            kind(Kind.REMINDER, Reason.UPDATE_DUE, next_update_at=AT),
            "update due: nothing new was written for its readers (remind_before 10m)",
        ),
        (kind(Kind.REMINDER, Reason.UPDATE_DUE), "update due: nothing new was written for its readers"),
        (kind(Kind.REMINDER, Reason.ETA_PASSED), "ETA passed: the incident is still open, and there is no new one"),
        (kind(Kind.VERIFY, Reason.VERIFY_DUE), "verify due: is the system healthy? (verify_after 1h)"),
        (kind(Kind.REVIEW, Reason.REVIEW_DUE), "review due: the review is not marked as done (remind_every 1d)"),
        (kind(Kind.CLOSING, Reason.RESOLVED), "resolved: whoever heard of it hears the end"),
    ],
)  # fmt: skip
def test_why_it_was_sent(notification: Notification, text: str) -> None:
    """The reason, the step of the ladder, and the setting that made it come then: the cadence is the group's own."""
    assert reason_text(notification, POLICY, SEVERITY) == text
    assert reason_text(notification, POLICY, None).startswith(text.partition(" (")[0])
    assert not {"every", "cron", "within", "remind"} & set(reason_text(notification, POLICY, None).split())


def test_a_severity_without_settings() -> None:
    """No page and no updates: then no setting is named."""
    bare = Severity("sev4", "Sev4")
    assert reason_text(PAGE, POLICY, bare) == "escalated: nobody accepted scribe (level 1, round 2)"
    assert reason_text(kind(Kind.UPDATE, Reason.DUE, group="x"), POLICY, bare) == "due: the cadence says so"
    assert reason_text(kind(Kind.REVIEW, Reason.REVIEW_DUE), POLICY, bare).endswith("marked as done")


def test_why_it_was_not_sent() -> None:
    """The plan's own words where nobody was reached; else the reason, with what is known besides."""
    held = Suppression("k", "card", 1, Kind.PAGE, Why.NOBODY_ON_CALL, AT, "", "level 1 reached nobody")
    assert suppression_text(held) == "level 1 reached nobody"
    assert suppression_text(replace(held, detail="")) == "it reached nobody"
    assert suppression_text(replace(held, why=Why.LATE)) == "it came too late to be of use (level 1 reached nobody)"
    assert suppression_text(replace(held, why=Why.LATE, detail="")) == "it came too late to be of use"


def test_why_a_page_comes_now() -> None:
    """Who holds the role that one is assigned to, never oneself; a severity that stayed only "changed"; nothing of a
    file that cannot be read.
    """
    incident = Incident("card", "Cards fail", "sev1")
    assigned = replace(PAGE, reason=Reason.ASSIGNED)
    past = History(incident, 1, roles={"scribe": RoleHistory("scribe", holder="bo")})
    assert page_reason(assigned, incident, past, POLICY, ENGLISH) == "You were assigned."
    past = History(incident, 1, roles={"scribe": RoleHistory("scribe", holder="ana")})
    assert (
        page_reason(assigned, incident, past, POLICY, ENGLISH)
        == "You take over from Ana Souza, who has it until you accept."
    )
    raised = replace(PAGE, reason=Reason.SEVERITY_RAISED)
    past = replace(past, assessed=Assessed(AT, "sev1", "r"))
    assert page_reason(raised, incident, past, POLICY, ENGLISH) == "The severity changed."
    assert page_reason(PAGE, replace(incident, unreadable=True), past, POLICY, ENGLISH) == ""


def test_whose_zone_and_language() -> None:
    """A person has their own; a plain address that of the group it is in, in any case; anybody else UTC and English."""
    policy = small_policy(
        people={"bo": Person("bo", "Bo", "bo@example.com", timezone="Europe/Berlin", language="de")},
        stakeholders={
            "one": StakeholderGroup("one", "One", (), ("X@Example.com",), timezone="Asia/Kolkata", language="hi"),
            "two": StakeholderGroup("two", "Two", (), ("x@example.com",), timezone="Asia/Tokyo", language="ja"),
        },
    )

    def read_by(to: str, group: str | None = None) -> tuple[str, str]:
        notification = replace(PAGE, to=to, group=group)
        return zone_of(notification, policy), language_of(notification, policy)

    assert read_by("bo", "one") == ("Europe/Berlin", "de")
    assert read_by("x@example.com", "two") == ("Asia/Tokyo", "ja")
    assert read_by("x@example.COM") == ("Asia/Kolkata", "hi")
    assert read_by("nobody@example.com") == read_by("x@example.com", "gone") == ("UTC", "en")
