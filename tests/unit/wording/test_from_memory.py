"""What a page says while its machine cannot see the ledger (R54)."""

from dataclasses import replace
from typing import Any

import pytest
from tocsin.adapters.jinja.renderer import UnseenRenderer
from tocsin.adapters.jinja.sources import shipped_folder
from tocsin.app.engine.reconcile import Reconciler
from tocsin.domain.delivery import Content
from tocsin.domain.facts import Seen
from tocsin.domain.history import History
from tocsin.domain.incident import Incident
from tocsin.domain.notification import NO_REPLY_OFFER, Kind, Notification, Reason, ReplyOffer
from tocsin.domain.people import Channel
from tocsin.domain.policy import Policy
from tocsin.ports.renderer import BundledPage
from tocsin.text.gsm import segments
from tocsin.wording.language.language import Language
from tocsin.wording.message.page_words import behind, in_front, unseen_warning

from tests.builders.active_config import polled
from tests.builders.daemon_parts import PAY, DaemonParts, shipped_words
from tests.builders.instants import T0
from tests.builders.policies import paging_policy
from tests.fakes.clock import StillClock

ENGLISH = Language("en")
CODED = ReplyOffer("7k", "https://example.com/a", "https://example.com/p")


class Offers:
    """A renderer that keeps what was offered."""

    def __init__(self) -> None:
        self.offers: list[ReplyOffer] = []

    def render(
        self, page: Notification, _incident: Incident, _history: History, _policy: Policy, offer: ReplyOffer, *_: Any
    ) -> Content:
        if page.kind is Kind.PAGE:
            self.offers.append(offer)
        return Content("words")


def test_it_says_who_sees_nothing_and_that_somebody_may_have_answered() -> None:
    """R54: behind a text message, in front of a mail; an answer needs no code that others may have given out."""
    unseen = CODED.unseen("mare", code_known=False)
    warning = "mare cannot see the ledger; perhaps answered already."
    assert (unseen.code, unseen.answer_url, unseen.page_url) == ("", "", "")
    assert unseen_warning(unseen, ENGLISH) == warning
    assert behind("Pay is down. ", warning) == f"Pay is down. {warning}"
    assert behind("Accept: tocsin ack pay --as ana", warning) == f"Accept: tocsin ack pay --as ana. {warning}"
    mail = in_front(Content("Pay is down.", "s", "<p>"), unseen, ENGLISH)
    assert (mail.text, mail.subject, mail.html) == (f"{warning} To answer by SMS, send: ok\n\nPay is down.", "s", "")


@pytest.mark.parametrize(
    "title", ["Pay", "Card payments in Europe fail with a time-out since the last release of the morning"]
)
@pytest.mark.parametrize("language", ["en", "de", "fr", "es", "pt"])
def test_a_text_message_stays_one_segment(title: str, language: str) -> None:
    """R42, R54: it leaves room for the warning, and offers the `ok` alone where that will do."""
    policy = paging_policy()
    policy = replace(policy, people={**policy.people, "ana": replace(policy.people["ana"], language=language)})
    page = Notification("k", "pay", 1, Kind.PAGE, Reason.DECLARED, T0, "ana", Channel.SMS)
    history, incident = DaemonParts(StillClock()).incidents.history("pay"), replace(PAY, title=title)
    known = replace(history, incident=incident, started_at=T0)
    for offer in (CODED, NO_REPLY_OFFER):
        text = shipped_words().render(page, incident, known, policy, offer.unseen("mare", code_known=False)).text
        assert segments(text) == 1, text
        assert "mare" in text
        assert ("tocsin ack" in text, ": ok. mare" in text) == ((False, True) if offer.code else (True, False)), text


def test_a_code_that_the_ledger_has_is_named() -> None:
    """R54: nobody else gives it out; and where an `ok` needs a code, none is asked for without one."""
    known = CODED.unseen("mare", code_known=True)
    assert (known.code, known.bare_reply) == ("7k", False)
    assert not replace(CODED, needs_code=True).unseen("mare", code_known=False).bare_reply


@pytest.mark.parametrize("language", ["en", "de", "fr", "es", "pt"])
def test_in_every_language(language: str) -> None:
    """The machine is named in each; a template cannot leave it out."""
    policy = paging_policy()
    ana = replace(policy.people["ana"], language=language)
    policy = replace(policy, people={**policy.people, "ana": ana})
    page = Notification("k", "pay", 1, Kind.PAGE, Reason.DECLARED, T0, "ana", Channel.SMS)
    history = DaemonParts(StillClock()).incidents.history("pay")
    words = [
        shipped_words().render(page, PAY, replace(history, incident=PAY, started_at=T0), policy, offer).text
        for offer in (NO_REPLY_OFFER, NO_REPLY_OFFER.unseen("mare", code_known=False))
    ]
    assert "mare" in words[1].rpartition("tocsin ack")[2]
    assert ("perhaps" in words[1]) == (language == "en")


@pytest.mark.parametrize("machine", ["mare", ""])
async def test_only_pages_that_the_ledger_did_not_take(machine: str) -> None:
    """R54: and only where other machines share it; with SQLite words and codes stay as they are."""
    clock, renderer = StillClock(), Offers()
    parts = DaemonParts(clock, in_force=polled())
    plain: Any = renderer
    context = replace(parts.context, machine=machine)
    reconciler = Reconciler(clock, parts.ledger, plain, context, parts.sender, parts.rooms)
    parts.ledger.trouble = "it does not answer"
    parts.incidents.add_event("pay", Seen(clock.now(), PAY, "1"))
    await reconciler.reconcile("pay")
    decided, reworded = renderer.offers[:4], renderer.offers[4:]
    assert [bool(offer.code) for offer in decided] == [True] * 4
    assert [(offer.unseen_by, offer.code, offer.bare_reply) for offer in reworded] == (
        [(machine, "", True)] * 4 if machine else []
    )


def test_a_machine_without_the_ledger_says_so_in_each_page() -> None:
    """R54: in one alone and in several that leave as one; none names a code, or leads anywhere."""
    policy, history = paging_policy(), DaemonParts(StillClock()).incidents.history("pay")
    known = replace(history, incident=PAY, started_at=T0)
    renderer = UnseenRenderer("mare", shipped_folder(), lambda _problem: None)
    for via in (Channel.SMS, Channel.EMAIL):
        page = Notification("k", "pay", 1, Kind.PAGE, Reason.DECLARED, T0, "ana", via)
        alone = renderer.render(page, PAY, known, policy, CODED)
        bundled = renderer.render_bundle([BundledPage(page, PAY, known, CODED)] * 2, policy)
        for content in (alone, bundled):
            assert content.text.count("mare cannot see the ledger; perhaps answered already.") == 1
            assert "7k" not in content.text.lower()
            assert "example.com" not in content.text
        assert ("Accept: ok. mare" if via is Channel.SMS else "To answer by SMS, send: ok") in alone.text
