"""Which message offers which way to answer, and where a reader may ask to be taken off."""

import random
from datetime import UTC, datetime
from itertools import product

import pytest
from tocsin.app.reply_options import links
from tocsin.app.reply_options.codes import Codes
from tocsin.app.reply_options.options import ReplyOptions
from tocsin.domain.notification import Kind, Notification, Reason
from tocsin.domain.people import Channel, Person
from tocsin.formats.settings.reply_routes import ReplyRoutes

from tests.builders.active_config import active_config, polled, settings
from tests.builders.policies import small_policy

AT = datetime(2026, 11, 23, 10, tzinfo=UTC)
OPEN = ReplyRoutes(
    replies=False,
    public_url="https://tocsin.example.com",
    keys=("a key of more than sixteen", "an older key of sixteen"),
)
EVERY = list(product(Kind, Channel, ("bo", "list@example.com")))


def of(routes: ReplyRoutes) -> ReplyOptions:
    in_force = settings(public_url=routes.public_url or None, web={"signing_key": list(routes.keys)})
    return ReplyOptions(Codes(random.Random(0)), active_config(small_policy(), in_force))


def message(kind: Kind, via: Channel, to: str) -> Notification:
    return Notification("key", "card", 1, kind, Reason.DECLARED, AT, to, via)


@pytest.mark.parametrize(("kind", "via", "to"), EVERY)
def test_who_is_asked_gets_a_link_of_their_own(kind: Kind, via: Channel, to: str) -> None:
    """Pages and verify requests to people of the config, and nothing else; the page of the incident is everybody's."""
    offer, _ = of(OPEN).offer(message(kind, via, to), small_policy(), AT)
    asks = kind in (Kind.PAGE, Kind.VERIFY) and to == "bo"
    assert offer.answer_url == (OPEN.public_url + links.answer(OPEN.keys, "card", "bo") if asks else "")
    assert offer.page_url == OPEN.public_url + links.page(OPEN.keys, "card")


@pytest.mark.parametrize(("kind", "via", "to"), EVERY)
def test_only_updates_by_email_can_be_left(kind: Kind, via: Channel, to: str) -> None:
    """Nobody is offered to leave pages, nor anything that is read on a phone's SMS."""
    url = of(OPEN).unsubscribe(message(kind, via, to))
    leaves = (kind, via) == (Kind.UPDATE, Channel.EMAIL)
    assert url == (OPEN.public_url + links.unsubscribe(OPEN.keys, "card", to) if leaves else "")


@pytest.mark.parametrize(
    "routes", [ReplyRoutes(), ReplyRoutes(public_url=OPEN.public_url), ReplyRoutes(keys=OPEN.keys)]
)
@pytest.mark.parametrize(("kind", "via", "to"), EVERY)
def test_without_key_or_address_nothing_is_offered(routes: ReplyRoutes, kind: Kind, via: Channel, to: str) -> None:
    """Links need both."""
    each = message(kind, via, to)
    offer, coded = of(routes).offer(each, small_policy(), AT)
    assert (offer.code, offer.answer_url, offer.page_url, coded) == ("", "", "", None)
    assert of(routes).unsubscribe(each) == ""


@pytest.mark.parametrize(("kind", "via", "to"), EVERY)
def test_who_is_asked_by_sms_gets_a_code(kind: Kind, via: Channel, to: str) -> None:
    """Only an SMS is answered with a code, and only where it asks somebody of the config for something (rule 42)."""
    people = {"bo": Person("bo", "Bo Berg", "bo@example.com", "+14155550102")}
    policy = small_policy(people=people)
    options = ReplyOptions(Codes(random.Random(0)), active_config(policy, polled()))
    offer, coded = options.offer(message(kind, via, to), policy, AT)
    asks = kind in (Kind.PAGE, Kind.VERIFY) and via is Channel.SMS and to == "bo"
    assert bool(offer.code) == asks
    assert (coded.number if coded else "") == ("+14155550102" if asks else "")
