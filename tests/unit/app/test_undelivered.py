"""What counts as undelivered on every channel (rule 71): pages by person, notices by all operators together."""

from dataclasses import replace
from datetime import timedelta

from tocsin.app.delivery.parcels.undelivered import Undelivered
from tocsin.domain.notification import NOBODY, Kind, Notification, Reason
from tocsin.domain.people import Channel

from tests.builders.daemon_parts import page_to
from tests.builders.instants import T0

SMS, EMAIL = page_to("ana", T0), page_to("ana", T0, Channel.EMAIL)


def notice(to: str, via: Channel) -> Notification:
    """A notice to one operator."""
    return Notification(f"-/{to}/{via}", NOBODY, 0, Kind.OPERATOR, Reason.TROUBLE, T0, to, via)


def always(_notification: Notification) -> bool:
    return True


def test_a_page_that_one_channel_took_is_delivered() -> None:
    """The other channel may hang for as long as it likes."""
    undelivered = Undelivered(always)
    for way in (SMS, EMAIL):
        undelivered.begin(way, way.at)
    assert undelivered.since() == T0
    undelivered.note(SMS, taken=True)
    assert undelivered.since() is None
    undelivered.end(SMS, given_up=False)
    assert undelivered.since() is None
    undelivered.end(EMAIL, given_up=True)
    assert undelivered.since() is None


def test_a_page_that_was_taken_and_not_delivered_is_not() -> None:
    """The provider's last word counts."""
    undelivered = Undelivered(always)
    for way in (SMS, EMAIL):
        undelivered.begin(way, way.at)
    undelivered.note(SMS, taken=True)
    undelivered.note(SMS, taken=False)
    assert undelivered.since() == T0


def test_only_what_is_wanted_counts_and_the_oldest_first() -> None:
    """An answered page is nobody's trouble; of two people's the older one counts; a later channel is no page of its own."""
    wanted = {"ana", "bo", "chen"}
    undelivered = Undelivered(lambda notification: notification.to in wanted)
    later = replace(page_to("bo", T0), at=T0 + timedelta(minutes=1))
    for way in (SMS, later, replace(page_to("chen", T0 - timedelta(hours=1)), reason=Reason.REACH)):
        undelivered.begin(way, way.at)
    assert undelivered.since() == T0
    wanted.discard("ana")
    assert undelivered.since() == later.at
    wanted.clear()
    assert undelivered.since() is None


def test_a_notice_left_when_it_left_to_one_operator() -> None:
    """By any channel; updates are not watched over."""
    undelivered = Undelivered(always)
    ways = [notice(to, via) for to in ("olga", "pia") for via in Channel]
    for way in ways:
        undelivered.begin(way, way.at)
    undelivered.begin(replace(SMS, kind=Kind.UPDATE), T0 - timedelta(hours=1))
    assert undelivered.since() == T0
    undelivered.note(ways[3], taken=True)
    assert undelivered.since() is None


def test_a_notice_that_one_operator_got_was_not_given_up() -> None:
    """Whatever became of the others'; and that a page is taken says nothing of notices."""
    undelivered = Undelivered(always)
    first, second = notice("olga", Channel.SMS), notice("pia", Channel.SMS)
    for way in (first, second):
        undelivered.begin(way, way.at)
    undelivered.note(first, taken=True)
    undelivered.end(first, given_up=False)
    undelivered.end(second, given_up=True)
    assert undelivered.since() is None
    undelivered.begin(second, second.at)
    undelivered.end(second, given_up=True)
    undelivered.begin(SMS, SMS.at)
    undelivered.note(SMS, taken=True)
    assert undelivered.since() == T0


def test_a_notice_that_was_given_up_is_remembered_until_one_leaves() -> None:
    """After an hour it is not worth sending any more; that nothing leaves is still true."""
    undelivered = Undelivered(always)
    ways = [notice("olga", via) for via in Channel]
    for way in ways:
        undelivered.begin(way, way.at)
    for way in ways:
        undelivered.end(way, given_up=True)
    assert undelivered.since() == T0
    another = replace(notice("olga", Channel.SMS), key="another", at=T0 + timedelta(hours=2))
    undelivered.begin(another, another.at)
    undelivered.note(another, taken=True)
    assert undelivered.since() is None


def test_what_was_out_before_a_start_is_not_undelivered() -> None:
    """Its SMS still waits, an email has left: neither the heartbeat nor the lead is given up for it."""
    undelivered = Undelivered(always)
    told = notice("olga", Channel.SMS)
    for way in (SMS, told):
        undelivered.begin(way, way.at, out=True)
        undelivered.note(way, taken=False)
    assert (undelivered.since(), undelivered.page_since(), undelivered.cannot_leave()) == (None, None, False)
    assert undelivered.is_out(SMS)
    undelivered.end(told, given_up=True)
    assert undelivered.since() is None


def test_pages_alone() -> None:
    """P9: what another machine might send. No notice counts there, open or given up."""
    undelivered = Undelivered(always)
    ways = [notice("olga", via) for via in Channel]
    page = replace(SMS, at=T0 + timedelta(minutes=1))
    for way in (*ways, page):
        undelivered.begin(way, way.at)
    assert (undelivered.since(), undelivered.page_since()) == (T0, page.at)
    undelivered.end(page, given_up=True)
    for way in ways:
        undelivered.end(way, given_up=True)
    assert (undelivered.since(), undelivered.page_since()) == (T0, None)


def test_a_notice_cannot_leave_once_every_channel_was_tried_in_vain() -> None:
    """Rule 71: at once, also of several operators; a page has its minute, and what nobody wants any more holds up nothing."""
    wanted = {"ana", "olga"}
    undelivered = Undelivered(lambda notification: notification.to in wanted)
    ways = [notice("olga", via) for via in Channel]
    for way in (*ways, SMS):
        undelivered.begin(way, way.at)
        undelivered.note(way, taken=False, tried=False)
    undelivered.note(SMS, taken=False)
    undelivered.note(ways[0], taken=False)
    assert not undelivered.cannot_leave(), "one is still under way"
    undelivered.note(ways[1], taken=False)
    assert undelivered.cannot_leave()
    wanted.clear()
    assert not undelivered.cannot_leave()
    wanted.add("olga")
    undelivered.note(ways[1], taken=True)
    assert not undelivered.cannot_leave()
