"""Which message offers which way to answer, and where a reader may ask to be taken off."""

import random
from dataclasses import replace
from datetime import UTC, datetime
from itertools import product

import pytest
from tocsin.app.reply_options import signed_links
from tocsin.app.reply_options.codes import Codes
from tocsin.app.reply_options.options import ReplyOptions
from tocsin.domain.facts import Coded
from tocsin.domain.notification import AnswerLink, Kind, Notification, Reason
from tocsin.domain.people import Channel
from tocsin.formats.settings.reply_routes import ReplyRoutes

from tests.builders.active_config import OURS, active_config, polled, settings
from tests.builders.policies import paging_policy, small_policy
from tests.fakes.ledger import MemoryLedger

AT = datetime(2026, 11, 23, 10, tzinfo=UTC)
OPEN = ReplyRoutes(
    public_url="https://tocsin.example.com",
    keys=("a key of more than sixteen", "an older key of sixteen"),
)
EVERY = list(product(Kind, Channel, ("bo", "list@example.com")))


def of(routes: ReplyRoutes) -> ReplyOptions:
    in_force = settings(public_url=routes.public_url or None, web={"signing_key": list(routes.keys)})
    return ReplyOptions(Codes(random.Random(0)), active_config(small_policy(), in_force), MemoryLedger())


def message(kind: Kind, via: Channel, to: str) -> Notification:
    return Notification("key", "card", 1, kind, Reason.DECLARED, AT, to, via)


@pytest.mark.parametrize(("kind", "via", "to"), EVERY)
def test_who_is_asked_gets_a_link_of_their_own(kind: Kind, via: Channel, to: str) -> None:
    """Pages, requests to verify, reminders and reviews to people of the config, and nothing else; the page of the
    incident is everybody's. The link is short, and comes with what the ledger must know of it.
    """
    ((offer, _),) = of(OPEN).offers([message(kind, via, to)], small_policy(), AT)
    asks = kind in (Kind.PAGE, Kind.VERIFY, Kind.REMINDER, Kind.REVIEW) and to == "bo"
    token = signed_links.token(OPEN.keys[0], "card", 1, "bo")
    assert offer.answer_url == (f"{OPEN.public_url}/a/{token}" if asks else "")
    assert offer.link == (AnswerLink(signed_links.token_digest(token), "card", 1, "bo") if asks else None)
    assert offer.page_url == OPEN.public_url + signed_links.page(OPEN.keys, "card")


@pytest.mark.parametrize(("kind", "via", "to"), EVERY)
def test_only_updates_by_email_can_be_left(kind: Kind, via: Channel, to: str) -> None:
    """Nobody is offered to leave pages, nor anything that is read on a phone's SMS. The link does not name the incident,
    whose id may be made of words for insiders.
    """
    url = of(OPEN).unsubscribe(message(kind, via, to))
    leaves = (kind, via) == (Kind.UPDATE, Channel.EMAIL)
    assert url == (OPEN.public_url + signed_links.unsubscribe(OPEN.keys, "-", to) if leaves else "")


@pytest.mark.parametrize(
    "routes", [ReplyRoutes(), ReplyRoutes(public_url=OPEN.public_url), ReplyRoutes(keys=OPEN.keys)]
)
@pytest.mark.parametrize(("kind", "via", "to"), EVERY)
def test_without_key_or_address_nothing_is_offered(routes: ReplyRoutes, kind: Kind, via: Channel, to: str) -> None:
    """Links need both."""
    each = message(kind, via, to)
    ((offer, coded),) = of(routes).offers([each], small_policy(), AT)
    assert (offer.code, offer.answer_url, offer.page_url, coded) == ("", "", "", None)
    assert of(routes).unsubscribe(each) == ""


def by_sms() -> ReplyOptions:
    """Answers by SMS are asked for; there are no links."""
    return ReplyOptions(Codes(random.Random(0)), active_config(paging_policy(), polled()), MemoryLedger())


@pytest.mark.parametrize(("kind", "via", "to"), EVERY)
def test_who_is_asked_by_sms_gets_a_code(kind: Kind, via: Channel, to: str) -> None:
    """Pages and verify requests to people, by a channel that takes answers; the code is one to record."""
    options = by_sms()
    ((offer, fact),) = options.offers([message(kind, via, to)], paging_policy(), AT)
    if kind in (Kind.PAGE, Kind.VERIFY) and via is Channel.SMS and to == "bo":
        number = paging_policy().people["bo"].phone
        assert fact == Coded(AT, "bo", number, offer.code)
        assert options.codes.incident(number, "bo", offer.code) == "card"
    else:
        assert (offer.code, fact) == ("", None)
    assert (offer.answer_url, offer.page_url) == ("", "")


def test_a_code_in_a_request_to_verify_is_of_a_closed_incident() -> None:
    """It is free again as the others of that incident are; one in a page is taken until the incident is closed."""
    for kind, closed_at in ((Kind.VERIFY, AT), (Kind.PAGE, None)):
        options = by_sms()
        options.offers([message(kind, Channel.SMS, "bo")], paging_policy(), AT)
        (code,) = options.codes.of_person(paging_policy().people["bo"].phone, "bo")
        assert code.closed_at == closed_at


def test_without_answers_by_sms_no_code_is_given_out() -> None:
    """Nobody would hear the answer."""
    ((_, coded),) = of(OPEN).offers([message(Kind.PAGE, Channel.SMS, "ana")], paging_policy(), AT)
    assert coded is None


def test_outsiders_get_the_public_page() -> None:
    """By a token that the ledger learns with the message, without the incident's id, which may be made of words for
    insiders. A page for insiders is signed.
    """
    token = signed_links.status_token(OPEN.keys[0], "card")
    known = AnswerLink(signed_links.token_digest(token), "card", 0, "")
    pages = ((True, f"/s/{token}", known), (False, signed_links.page(OPEN.keys, "card"), None))
    for external, page, link in pages:
        update = replace(message(Kind.UPDATE, Channel.EMAIL, "list@example.com"), external=external)
        ((offer, _),) = of(OPEN).offers([update], small_policy(), AT)
        assert (offer.page_url, offer.link) == (OPEN.public_url + page, link)


def test_a_code_and_a_link_may_stand_together() -> None:
    """An SMS page shows both where both are answered."""
    in_force = polled(public_url=OPEN.public_url, web={"signing_key": list(OPEN.keys)})
    options = ReplyOptions(Codes(random.Random(0)), active_config(paging_policy(), in_force), MemoryLedger())
    ((offer, fact),) = options.offers([message(Kind.PAGE, Channel.SMS, "bo")], paging_policy(), AT)
    assert fact is not None
    token = signed_links.token(OPEN.keys[0], "card", 1, "bo")
    assert (offer.code, offer.answer_url) == (fact.code, f"{OPEN.public_url}/a/{token}")


@pytest.mark.parametrize(
    ("senders", "fallback", "code"),
    [({}, OURS, True), ({"+1": "ACME"}, OURS, False), ({"+49": "ACME"}, OURS, True), ({}, "ACME", False)],
)
def test_a_code_is_given_only_where_the_very_sender_can_be_answered(
    senders: dict[str, str], fallback: str, code: bool
) -> None:
    """Rule 42: of every account that may carry the page to that number; the link stands either way."""
    account = {"transport": "twilio", "account_sid": "AC" + "0" * 32, "auth_token": ["secret"], "sender": OURS}
    second = {**account, "account_sid": "AC" + "1" * 32, "sender": fallback}
    in_force = settings(
        sms={**account, "senders": senders, "fallbacks": {"second": second}},
        replies={"by": "poll"},
        public_url=OPEN.public_url,
        web={"signing_key": list(OPEN.keys)},
    )
    options = ReplyOptions(Codes(random.Random(0)), active_config(paging_policy(), in_force), MemoryLedger())
    pages = [message(Kind.PAGE, via, "ana") for via in (Channel.EMAIL, Channel.SMS)]
    (mail, first), (text, second) = options.offers(pages, paging_policy(), AT)
    assert (bool(text.code), mail.code) == (code, text.code)
    assert (first is not None, second) == (code, None)
    assert mail.answer_url == text.answer_url != ""


EMAIL, SMS = message(Kind.PAGE, Channel.EMAIL, "bo"), message(Kind.PAGE, Channel.SMS, "bo")


@pytest.mark.parametrize("kind", [Kind.PAGE, Kind.VERIFY])
@pytest.mark.parametrize("order", [(Channel.SMS, Channel.EMAIL), (Channel.EMAIL, Channel.SMS)])
def test_the_mail_and_the_sms_of_one_instant_name_one_code(order: tuple[Channel, Channel], kind: Kind) -> None:
    """Whichever is written first; it is given out once, and recorded once. Others' mails name nothing of it."""
    options = by_sms()
    pages = [*(message(kind, via, "bo") for via in order), message(kind, Channel.EMAIL, "ana")]
    first, second, other = options.offers(pages, paging_policy(), AT)
    assert first[0].code == second[0].code != ""
    assert [coded for _, coded in (first, second, other)] == [
        Coded(AT, "bo", paging_policy().people["bo"].phone, first[0].code),
        None,
        None,
    ]
    assert other[0].code == ""


def test_a_mail_names_the_code_that_its_person_has() -> None:
    """From a page before, while that can be answered with it: not of another incident, not once the incident was closed
    and is open again, but to a request to verify; never a code that nobody was texted.
    """
    options, policy = by_sms(), paging_policy()

    def named(kind: Kind = Kind.PAGE, incident: str = "card") -> str:
        mail = replace(message(kind, Channel.EMAIL, "bo"), incident=incident)
        ((offer, coded),) = options.offers([mail], policy, AT)
        assert coded is None
        return offer.code

    assert named() == ""
    ((offer, _),) = options.offers([SMS], policy, AT)
    assert (named(), named(incident="db"), options.known_offers([EMAIL], policy)[0].code) == (
        offer.code,
        "",
        offer.code,
    )
    options.codes.close("card", AT)
    assert (named(), named(Kind.VERIFY)) == ("", offer.code)


def test_who_cannot_be_texted_gets_no_code_by_mail() -> None:
    """Somebody with an email alone, and somebody whose number wants nothing more: nothing is given out for the mail."""
    policy = paging_policy()
    bo = policy.people["bo"]
    for person in (replace(bo, phone=""), replace(bo, stopped=(Channel.SMS,))):
        without = replace(policy, people={**policy.people, "bo": person})
        assert [(offer.code, coded) for offer, coded in by_sms().offers([EMAIL], without, AT)] == [("", None)]


def test_without_answers_by_sms_the_mail_names_no_code() -> None:
    """Rule 42: the mail promises what the SMS does, and no more."""
    assert [offer.code for offer, _ in of(OPEN).offers([SMS, EMAIL], paging_policy(), AT)] == ["", ""]


def test_a_ledger_in_memory_promises_no_short_link() -> None:
    """Rule 64: the web side sees the ledger's file as it was, and would not know it; a long one says itself whose it is."""
    ledger = MemoryLedger()
    in_force = settings(public_url=OPEN.public_url, web={"signing_key": list(OPEN.keys)})
    options = ReplyOptions(Codes(random.Random(0)), active_config(small_policy(), in_force), ledger)
    ledger.away = "the disk is full"
    ((offer, _),) = options.offers([EMAIL], small_policy(), AT)
    assert (offer.answer_url, offer.link) == (OPEN.public_url + signed_links.answer(OPEN.keys, "card", "bo"), None)
    ledger.away = ""
    assert "/a/" in options.offers([EMAIL], small_policy(), AT)[0][0].answer_url


def test_from_memory_no_link_is_promised() -> None:
    """Rule 44: nobody knows the link before the ledger does; the code stands."""
    in_force = polled(public_url=OPEN.public_url, web={"signing_key": list(OPEN.keys)})
    options = ReplyOptions(Codes(random.Random(0)), active_config(paging_policy(), in_force), MemoryLedger())
    ((offer, _),) = options.offers([SMS], paging_policy(), AT)
    assert offer.answer_url
    left = offer.from_memory
    assert (left.code, left.answer_url, left.page_url, left.link) == (offer.code, "", "", None)
