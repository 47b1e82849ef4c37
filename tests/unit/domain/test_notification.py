"""Which notifications people take for one message."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from tocsin.domain.notification import Kind, Notification, Reason, in_one
from tocsin.domain.people import Channel

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
PAGE = Notification(
    "k",
    "db",
    1,
    Kind.PAGE,
    Reason.ESCALATED,
    NOON,
    "bo",
    Channel.SMS,
    ("scribe",),
    level=1,
    round=2,
    rule="roles.yaml:3",
)
UPDATE = Notification(
    "k", "db", 1, Kind.UPDATE, Reason.DUE, NOON, "ana", Channel.EMAIL, group="support", rule="severities.yaml:9"
)
CLOSING = Notification(
    "k", "db", 1, Kind.CLOSING, Reason.RESOLVED, NOON, "ana", Channel.EMAIL, rule="severities.yaml:2"
)


def messages(*notifications: Notification, one_closing: bool = True) -> list[tuple[Notification, ...]]:
    """What people hear, as messages."""
    return in_one(notifications, lambda each: each, one_closing=one_closing)


def test_a_page_by_all_its_channels_is_one_message() -> None:
    """Channels do not tell messages apart."""
    by_email = replace(PAGE, via=Channel.EMAIL, key="other")
    assert messages(PAGE, by_email) == [(PAGE, by_email)]


def test_an_update_to_a_group_is_one_message() -> None:
    """Nor do the readers of a group."""
    other = replace(UPDATE, to="customer@example.com")
    assert messages(UPDATE, other) == [(UPDATE, other)]


def test_the_end_is_one_message_unless_each_reader_counts() -> None:
    """Everybody hears the same end: one message, or one to each reader by all their channels."""
    by_sms, to_bo = replace(CLOSING, via=Channel.SMS), replace(CLOSING, to="bo")
    assert messages(CLOSING, to_bo, by_sms) == [(CLOSING, to_bo, by_sms)]
    assert messages(CLOSING, to_bo, by_sms, one_closing=False) == [(CLOSING, by_sms), (to_bo,)]


@pytest.mark.parametrize(
    "other",
    [
        replace(PAGE, at=NOON + timedelta(seconds=1)),
        replace(PAGE, kind=Kind.VERIFY),
        replace(PAGE, to="ana"),
        replace(PAGE, reason=Reason.REPEATED),
        replace(PAGE, roles=("technical_lead",)),
        replace(PAGE, level=2),
        replace(PAGE, round=3),
        replace(PAGE, rule="roles.yaml:4"),
    ],
)
def test_messages_that_differ_stay_apart(other: Notification) -> None:
    """Another instant, kind, reader, reason, role, level, round or rule makes another message."""
    assert messages(PAGE, other) == [(PAGE,), (other,)]


def test_groups_stay_apart_and_messages_in_order() -> None:
    """Two groups hear two updates; messages keep the order of their first notification."""
    leads = replace(UPDATE, group="leads")
    again = replace(UPDATE, to="bo")
    assert messages(UPDATE, PAGE, leads, again) == [(UPDATE, again), (PAGE,), (leads,)]
