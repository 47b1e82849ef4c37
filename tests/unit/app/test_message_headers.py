"""What a message carries beside its words: where answers go, and whether it is one of a list's."""

import re
from dataclasses import replace
from email.parser import BytesParser

from tocsin.app.delivery.message import message
from tocsin.app.delivery.parcels.delivery import Delivery
from tocsin.app.delivery.parcels.parcel import Parcel
from tocsin.domain.delivery import Attempt, Message
from tocsin.domain.notification import UNSUBSCRIBE_LINK, Kind, Notification, Reason
from tocsin.domain.people import Channel, Person, StakeholderGroup, Unsubscribing
from tocsin.domain.policy import Policy
from tocsin.wording.message.email import Letterhead, opaque_name

from tests.builders.active_config import settings
from tests.builders.daemon_parts import DaemonParts, letter
from tests.builders.instants import T0
from tests.builders.policies import paging_policy
from tests.fakes.clock import StillClock

LETTERHEAD = Letterhead("Incidents <incidents@example.com>")
PAGED = "ana"
"""Who is paged by the policy of these tests."""
LINKS = settings(public_url="https://tocsin.example.com", web={"signing_key": ["a key of more than sixteen"]})


def policy() -> Policy:
    """Dee and the one who is paged are outsiders in one group and insiders in another."""
    paging = paging_policy()
    groups = {
        **paging.stakeholders,
        "customers": StakeholderGroup(
            "customers",
            "Customers",
            ("dee", PAGED),
            ("list@example.com", "both@example.com"),
            external=True,
            unsubscribe=Unsubscribing.ONE_CLICK,
        ),
        "executives": StakeholderGroup("executives", "Executives", ("dee", PAGED)),
        "support": StakeholderGroup("support", "Support", (), ("both@example.com",)),
    }
    people = {**paging.people, "dee": Person("dee", "Dee", "dee@example.com")}
    return replace(paging, people=people, stakeholders=groups, reply_to="desk@example.com")


def noted(kind: Kind, to: str, group: str | None = None) -> Notification:
    return Notification(
        f"{kind} {to}",
        "pay",
        1,
        kind,
        Reason.DECLARED,
        T0,
        to,
        Channel.EMAIL,
        group=group,
        external=group == "customers",
    )


def sent(parts: DaemonParts, notification: Notification) -> Message:
    attempt = Attempt("1", notification.key, 1, Channel.EMAIL, "x@example.com", T0)
    return message(Parcel([Delivery(letter(notification))]), attempt, parts.context)


def test_updates_and_closings_are_a_lists_and_nothing_else_is() -> None:
    """One list a group; a closing to somebody who was paged is for them alone. Answers go to one place, of each mail."""
    parts = DaemonParts(StillClock(), policy())
    assert PAGED in {notification.to for notification in parts.declare()}
    lists = {
        noted(Kind.UPDATE, "list@example.com", "customers"): ("customers", "Customers"),
        noted(Kind.UPDATE, PAGED, "executives"): ("executives", "Executives"),
        noted(Kind.CLOSING, "list@example.com"): ("customers", "Customers"),
        noted(Kind.CLOSING, "dee"): ("executives", "Executives"),
        noted(Kind.CLOSING, PAGED): ("", ""),
        noted(Kind.CLOSING, "left@example.com"): ("", ""),
    }
    others = (Kind.PAGE, Kind.STAND_DOWN, Kind.REMINDER, Kind.VERIFY, Kind.REVIEW, Kind.OPERATOR)
    lists |= {noted(kind, PAGED): ("", "") for kind in others}
    for notification, expected in lists.items():
        made = sent(parts, notification)
        assert (made.mailing_list, made.list_title) == expected, notification.key
        assert made.reply_to == "desk@example.com"


def test_a_visible_link_stands_where_a_click_takes_effect() -> None:
    """As the header for programs does: to plain addresses of that group, which no internal one names too."""
    parts = DaemonParts(StillClock(), policy(), LINKS)
    for notification, takes_effect in {
        noted(Kind.UPDATE, "list@example.com", "customers"): True,
        noted(Kind.UPDATE, "both@example.com", "customers"): False,
        noted(Kind.UPDATE, "dee", "customers"): False,
        noted(Kind.UPDATE, "dee", "executives"): False,
        noted(Kind.CLOSING, "list@example.com"): False,
    }.items():
        ((offer, _),) = parts.context.reply_options.offers([notification], policy(), T0)
        assert offer.unsubscribe_url == (UNSUBSCRIBE_LINK if takes_effect else ""), notification.key
        assert sent(parts, notification).one_click is takes_effect
    without = DaemonParts(StillClock(), policy())
    update = noted(Kind.UPDATE, "list@example.com", "customers")
    ((offer, _),) = without.context.reply_options.offers([update], policy(), T0)
    assert offer.unsubscribe_url == ""


def test_a_mail_to_outsiders_does_not_name_the_incidents_id() -> None:
    """An id is often made of the title for insiders; filters get a name that is always the same."""
    parts = DaemonParts(StillClock(), policy(), LINKS)
    notifications = (noted(Kind.UPDATE, "list@example.com", "customers"), noted(Kind.UPDATE, "dee", "executives"))
    made = [replace(sent(parts, told), incident="db-disk-full") for told in notifications]
    outside, inside = (BytesParser().parsebytes(LETTERHEAD.compose(mail)) for mail in made)
    assert inside["X-Tocsin-Incident"] == "db-disk-full"
    assert outside["X-Tocsin-Incident"] == opaque_name("db-disk-full") != opaque_name("db-disk")
    assert re.fullmatch("[0-9a-f]{24}", outside["X-Tocsin-Incident"])
    assert outside["References"] == f"<{opaque_name('db-disk-full')}@example.com>"
    assert "db-disk-full" not in outside.as_string()
