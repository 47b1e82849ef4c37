"""The setting that makes a message come when it does."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from tocsin.domain.notification import Kind, Notification, Reason
from tocsin.domain.people import Channel
from tocsin.domain.policy import Cadence, PagePolicy, ReviewPolicy, Severity, Span, Stream
from tocsin.wording.report.reason_text import Setting, timing

MINUTE = timedelta(minutes=1)
SLOWING = Cadence((Span(30 * MINUTE, 120 * MINUTE), Span(60 * MINUTE)))
SEVERITY = Severity(
    "sev1",
    "Critical",
    page=PagePolicy(("scribe",), (Channel.SMS,), 5 * MINUTE, still_there_after=60 * MINUTE, place="severities.yaml:4"),
    updates=(
        Stream(("support",), SLOWING, "severities.yaml:9"),
        Stream(("leads",), Cadence(cron="0 9 * * *", timezone="Europe/Berlin"), "severities.yaml:10"),
    ),
    remind_before=10 * MINUTE,
    verify_after=30 * MINUTE,
    review=ReviewPolicy(120 * MINUTE, 1440 * MINUTE, "severities.yaml:12"),
)
LADDER = Setting("acknowledge_within 5m", "severities.yaml:4")


def message(kind: Kind, reason: Reason, group: str | None = None) -> Notification:
    """A message of that kind, for that reason."""
    at = datetime(2026, 3, 2, 12, tzinfo=UTC)
    return Notification("k", "db", 1, kind, reason, at, "bo", Channel.SMS, group=group, rule="services.yaml:3")


@pytest.mark.parametrize(
    ("kind", "reason", "group", "setting"),
    [
        (Kind.PAGE, Reason.ESCALATED, None, LADDER),
        (Kind.PAGE, Reason.REPEATED, None, LADDER),
        (Kind.PAGE, Reason.LAST_RESORT, None, LADDER),
        (Kind.PAGE, Reason.STILL_THERE, None, Setting("still_there_after 1h", "severities.yaml:4")),
        (Kind.PAGE, Reason.DECLARED, None, None),
        (Kind.STAND_DOWN, Reason.ACCEPTED, None, None),
        (Kind.UPDATE, Reason.DUE, "support", Setting("every 30m, then 1h")),
        (Kind.UPDATE, Reason.DUE, "leads", Setting('cron "0 9 * * *" in Europe/Berlin')),
        (Kind.UPDATE, Reason.CHANGED, "support", None),
        (Kind.REMINDER, Reason.UPDATE_DUE, None, Setting("remind_before 10m")),
        (Kind.VERIFY, Reason.VERIFY_DUE, None, Setting("verify_after 30m")),
        (Kind.REVIEW, Reason.REVIEW_DUE, None, Setting("remind_every 1d")),
        (Kind.CLOSING, Reason.RESOLVED, None, None),
    ],
)
def test_the_setting_is_named_with_its_value(
    kind: Kind, reason: Reason, group: str | None, setting: Setting | None
) -> None:
    """Each message that a setting makes come at its instant names it; the others name none."""
    due_at = datetime(2026, 3, 2, 12, 10, tzinfo=UTC) if reason is Reason.UPDATE_DUE else None
    assert timing(replace(message(kind, reason, group), next_update_at=due_at), SEVERITY) == setting


def test_a_reminder_of_a_group_that_waits_names_no_setting() -> None:
    """Rule 56: it needs no `remind_before`; nor does one of an ETA (rule 57)."""
    assert timing(message(Kind.REMINDER, Reason.UPDATE_DUE), SEVERITY) is None
    assert timing(message(Kind.REMINDER, Reason.ETA_PASSED), SEVERITY) is None


def test_the_groups_of_a_service_have_the_first_cadence() -> None:
    """A group that only a service names hears on the cadence of the first stream (rule 21)."""
    assert timing(message(Kind.UPDATE, Reason.DUE, "partners"), SEVERITY) == Setting("every 30m, then 1h")


def test_without_settings_there_is_nothing_to_name() -> None:
    """An unknown severity, or one without the setting, names nothing."""
    bare = Severity("sev3", "Minor")
    about = [(Kind.PAGE, Reason.ESCALATED), (Kind.UPDATE, Reason.DUE), (Kind.REVIEW, Reason.REVIEW_DUE)]
    for kind, reason in about:
        assert timing(message(kind, reason), bare) is None
        assert timing(message(kind, reason), None) is None
    paging = Severity("sev3", "Minor", page=PagePolicy(("scribe",), (Channel.SMS,), 5 * MINUTE))
    assert timing(message(Kind.PAGE, Reason.STILL_THERE), paging) is None
