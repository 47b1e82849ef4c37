"""Facts and letters in the light of a clock that was wrong."""

from dataclasses import fields
from datetime import UTC, datetime, timedelta
from typing import get_args

import pytest
from tocsin.domain.delivery import Accepted, Attempt, Content, Letter
from tocsin.domain.facts import (
    Closed,
    EtaReminded,
    Fact,
    Paged,
    PageLost,
    ReachSettled,
    RefusalTakenBack,
    Reminded,
    Seen,
    Updated,
)
from tocsin.domain.incident import Acknowledgment, Incident, Status
from tocsin.domain.notification import Kind, Notification, Reason
from tocsin.domain.people import Channel
from tocsin.planning.history.redating import letter_not_later, moved, not_later

NOW = datetime(2026, 11, 23, 10, tzinfo=UTC)
HOUR = timedelta(hours=1)
MINUTE = timedelta(minutes=1)
INSTANTS = {
    "at": set(get_args(Fact)),
    "page_at": {PageLost, ReachSettled},
    "due_at": {ReachSettled, Reminded},
    "waiting": {Paged},
    "again": {PageLost},
    "again_at": {RefusalTakenBack},
    "promised_at": {Updated},
    "eta": {EtaReminded},
}
"""Every field of a fact that holds instants, by its name: what `moved` must know; an ETA is what people wrote."""


@pytest.mark.parametrize("kind", get_args(Fact))
def test_every_instant_of_every_fact_is_known(kind: type) -> None:
    """Rule 60: a fact that gains an instant must be moved by it too."""
    holding = {field.name for field in fields(kind) if "datetime.datetime" in str(field.type)}
    assert holding == {name for name, kinds in INSTANTS.items() if kind in kinds}


def page(at: datetime) -> Paged:
    waiting = ((Channel.SMS, at + MINUTE),)
    return Paged(at, "ana", ("technical_lead",), 0, 1, Reason.DECLARED, (Channel.EMAIL,), waiting)


@pytest.mark.parametrize("by", [HOUR, -HOUR])
def test_a_fact_is_moved_whole(by: timedelta) -> None:
    """Rule 60: all of its instants, but for those that people wrote into the file."""
    assert moved(page(NOW), by) == page(NOW + by)
    assert moved(PageLost(NOW, "ana", NOW - MINUTE), by) == PageLost(NOW + by, "ana", NOW + by - MINUTE)
    once_more = PageLost(NOW, "ana", NOW, again=(Channel.SMS, NOW + MINUTE))
    assert moved(once_more, by) == PageLost(NOW + by, "ana", NOW + by, again=(Channel.SMS, NOW + by + MINUTE))
    good = RefusalTakenBack(NOW, "ana", Channel.SMS, "+1", NOW + MINUTE)
    assert moved(good, by) == RefusalTakenBack(NOW + by, "ana", Channel.SMS, "+1", NOW + by + MINUTE)
    for_good = RefusalTakenBack(NOW, "ana", Channel.SMS, "+1")
    assert moved(for_good, by) == RefusalTakenBack(NOW + by, "ana", Channel.SMS, "+1")
    reach = ReachSettled(NOW, "ana", NOW - MINUTE, Channel.SMS, NOW + MINUTE, sent=True)
    later = ReachSettled(NOW + by, "ana", NOW + by - MINUTE, Channel.SMS, NOW + by + MINUTE, sent=True)
    assert moved(reach, by) == later
    assert moved(Reminded(NOW, ("support",), NOW + MINUTE), by) == Reminded(NOW + by, ("support",), NOW + by + MINUTE)
    told = Updated(NOW, "support", Reason.DUE, False, (), NOW + MINUTE)
    assert moved(told, by) == Updated(NOW + by, "support", Reason.DUE, False, (), NOW + by + MINUTE)
    silent = Updated(NOW, "support", Reason.DUE, False, ())
    assert moved(silent, by) == Updated(NOW + by, "support", Reason.DUE, False, ())
    assert moved(EtaReminded(NOW, NOW), by) == EtaReminded(NOW + by, NOW)
    file = Incident("db", "Down", "sev1", Status.INVESTIGATING, acknowledged=(Acknowledgment("ana", NOW),), eta=NOW)
    seen = moved(Seen(NOW, file, "d"), by)
    assert (seen, moved(seen, by)) == (Seen(NOW + by, file, "d", by), Seen(NOW + 2 * by, file, "d", 2 * by))


def test_what_has_happened_stays_as_it_is() -> None:
    """Rule 59: what is due later is no fact of the future."""
    for fact in (page(NOW), Closed(NOW - HOUR), Reminded(NOW, (), NOW + HOUR)):
        assert not_later(fact, NOW) is fact


def test_a_fact_of_the_future_counts_as_now() -> None:
    """Rule 59: and a page's later channels are found again by the page's instant and their own."""
    assert not_later(Closed(NOW + HOUR), NOW) == Closed(NOW)
    known = not_later(page(NOW + HOUR), NOW)
    assert known == page(NOW)
    settled = ReachSettled(NOW + HOUR + MINUTE, "ana", NOW + HOUR, Channel.SMS, NOW + HOUR + MINUTE, sent=True)
    assert not_later(settled, NOW) == ReachSettled(NOW, "ana", NOW, Channel.SMS, NOW + MINUTE, sent=True)
    early = ReachSettled(NOW + HOUR, "ana", NOW - MINUTE, Channel.SMS, NOW, sent=True)
    assert not_later(early, NOW) == ReachSettled(NOW, "ana", NOW - MINUTE, Channel.SMS, NOW, sent=True)
    assert not_later(PageLost(NOW + HOUR, "ana", NOW - MINUTE), NOW) == PageLost(NOW, "ana", NOW - MINUTE)
    assert not_later(PageLost(NOW + HOUR, "ana", NOW + MINUTE), NOW) == PageLost(NOW, "ana", NOW)
    file = Incident("db", "Down", "sev1")
    assert not_later(Seen(NOW + HOUR, file, moved=MINUTE), NOW) == Seen(NOW, file, moved=MINUTE)


def test_a_letter_of_the_future_counts_as_now() -> None:
    """Rule 59: so does each of its tries; the words and the key stay."""
    at = NOW + HOUR
    notification = Notification(
        "k", "db", 1, Kind.UPDATE, Reason.DUE, at, "ana", Channel.EMAIL, next_update_at=at + MINUTE
    )
    tries = (
        Attempt("1", "k", 1, Channel.EMAIL, "a@x", NOW - MINUTE, Accepted(), at),
        Attempt("2", "k", 2, Channel.EMAIL, "a@x", at),
    )
    letter = letter_not_later(Letter(notification, Content("text"), tries), NOW)
    assert (letter.notification.key, letter.notification.at, letter.notification.next_update_at) == (
        "k",
        NOW,
        NOW + MINUTE,
    )
    assert [(attempt.started_at, attempt.ended_at) for attempt in letter.attempts] == [(NOW - MINUTE, NOW), (NOW, None)]
    assert letter_not_later(Letter(notification, Content("text"), tries), at + HOUR) == Letter(
        notification, Content("text"), tries
    )
