"""No message promises a link that the ledger does not know (P8 TOKEN, rule 44): decided pages, bundles, from memory."""

import re
from dataclasses import replace
from typing import Any

import pytest
from tocsin.app.delivery.bundles import Bundles
from tocsin.app.delivery.parcels.delivery import Delivery
from tocsin.app.delivery.parcels.parcel import Parcel
from tocsin.app.engine.reconcile import WRITES_AGAIN
from tocsin.app.reply_options import signed_links
from tocsin.domain.delivery import Content
from tocsin.domain.facts import Seen
from tocsin.domain.history import History
from tocsin.domain.incident import Incident, Status
from tocsin.domain.notification import NO_REPLY_OFFER, AnswerLink, Kind, Notification, ReplyOffer
from tocsin.domain.plan import AfterPages
from tocsin.domain.policy import Policy
from tocsin.ports.renderer import BundledPage

from tests.builders.active_config import polled
from tests.builders.daemon_parts import PAY, shipped_words
from tests.builders.policies import shipped_policy
from tests.unit.app.test_reconcile import Desk

KEYS = ["a key of more than sixteen", "the key before that one"]
PUBLIC = "https://tocsin.example.com"
LINK = re.compile(rf"{PUBLIC}/a/([0-9A-Za-z]{{16}})(?![0-9A-Za-z])")


class OfferWords:
    """A renderer that says nothing but how to answer."""

    def render(
        self,
        notification: Notification,
        incident: Incident,
        history: History,
        policy: Policy,
        offer: ReplyOffer = NO_REPLY_OFFER,
        after: AfterPages | None = None,
    ) -> Content:
        """The offer."""
        return Content(f"{incident.title}: {offer.code or '-'} {offer.answer_url} {offer.page_url}")

    def render_bundle(self, pages: Any, policy: Policy) -> Content:
        """The offers."""
        of: list[BundledPage] = list(pages)
        return Content("\n".join(f"{page.offer.code or '-'} {page.offer.answer_url}" for page in of))


@pytest.fixture
def desk() -> Desk:
    return desk_of()


def desk_of(**changes: Any) -> Desk:
    """One with links and answers by SMS, whose words are the offers."""
    made = Desk(in_force=polled(public_url=PUBLIC, web={"signing_key": KEYS}), **changes)
    made.renderer = OfferWords()
    made.reconciler._renderer = made.renderer
    return made


def tokens(text: str) -> list[str]:
    return LINK.findall(text)


def known(desk: Desk, text: str) -> bool:
    """Whether the ledger knows every link in a text."""
    return all(signed_links.token_digest(token) in desk.ledger.pages.links for token in tokens(text))


def own(desk: Desk) -> list[AnswerLink]:
    """The links of people that the ledger knows; the one of outsiders is nobody's."""
    return [link for link in desk.ledger.pages.links.values() if link.person]


async def test_a_page_is_written_down_with_whom_its_link_is_for(desk: Desk) -> None:
    """In one transaction; by every channel it is the same link, and each person has their own."""
    await desk.see()
    letters = [it for it in desk.ledger.pages.letters.values() if it.notification.kind is Kind.PAGE]
    assert letters
    for letter in letters:
        (token,) = tokens(letter.content.text)
        assert token == signed_links.token(KEYS[0], "pay", 1, letter.notification.to)
        link = desk.ledger.pages.links[signed_links.token_digest(token)]
        assert (link.incident, link.episode, link.person) == ("pay", 1, letter.notification.to)
    assert len(own(desk)) == len({letter.notification.to for letter in letters})


async def test_from_memory_a_page_names_the_code_alone(desk: Desk) -> None:
    """Rule 44: what leaves while the ledger cannot be written promises no link, neither the person's own nor the
    incident's; what is written down later are the words that left. The next page has its link again.
    """
    desk.ledger.trouble = "no space left"
    await desk.see()
    left = [parcel.lead.letter for parcel in desk.parts.sender._open.values()]
    assert left
    for letter in left:
        assert "http" not in letter.content.text
        assert re.search(r": [A-Z]\d ", letter.content.text)
        assert letter.link is None
    assert own(desk) == []
    desk.ledger.trouble = ""
    desk.clock.go(WRITES_AGAIN)
    await desk.reconciler.reconcile("pay")
    written = desk.ledger.pages.letters
    assert [written[letter.notification.key].content for letter in left] == [letter.content for letter in left]
    assert own(desk) == []
    desk.clock.go(WRITES_AGAIN * 200)
    await desk.reconciler.reconcile("pay")
    later = [it for it in written.values() if it.notification.kind is Kind.PAGE][len(left) :]
    assert later
    assert all(tokens(letter.content.text) and known(desk, letter.content.text) for letter in later)


async def test_what_waits_for_the_ledger_keeps_its_link() -> None:
    """Only pages leave from memory; a request to verify leaves once it is written down, and its link with it."""
    desk = desk_of(policy=shipped_policy())
    await desk.see()
    desk.clock.go(WRITES_AGAIN)
    await desk.see(replace(PAY, status=Status.RESOLVED))
    desk.ledger.pages.links.clear()
    before = list(desk.ledger.pages.letters)
    desk.ledger.trouble = "no space left"
    desk.clock.go(WRITES_AGAIN * 3600)
    await desk.reconciler.reconcile("pay")
    desk.ledger.trouble = ""
    await desk.reconciler.reconcile("pay")
    asked = [letter for key, letter in desk.ledger.pages.letters.items() if key not in before]
    assert Kind.VERIFY in {letter.notification.kind for letter in asked}
    assert all(tokens(letter.content.text) and known(desk, letter.content.text) for letter in asked)


@pytest.mark.parametrize("recorded", [True, False])
async def test_a_bundle_carries_each_pages_link(desk: Desk, recorded: bool) -> None:
    """Rule 47: with what the ledger must know of them before it leaves; a page that the ledger does not know has none."""
    await desk.see()
    database = replace(PAY, id="db", title="Database down")
    await desk.after(Seen(desk.clock.now(), database, "db"), "db")
    pages = [it for it in desk.ledger.pages.letters.values() if it.notification.kind is Kind.PAGE]
    of_ana = {it.notification.incident: it for it in pages if it.notification.to == "ana"}
    assert set(of_ana) == {"pay", "db"}
    members = [Delivery(of_ana["pay"]), Delivery(of_ana["db"], recorded=recorded)]
    bundle = Bundles(desk.parts.context, desk.renderer).bundle_of(Parcel(members), desk.clock.now())
    assert bundle is not None
    wanted = {name: signed_links.token(KEYS[0], name, 1, "ana") for name in ("pay", "db")}
    named = [wanted["pay"], *([wanted["db"]] if recorded else [])]
    assert tokens(bundle.content.text) == named
    assert [link.digest for link in bundle.links] == [signed_links.token_digest(token) for token in named]


async def test_a_page_that_must_say_something_else_carries_its_link() -> None:
    """Rules 28 and 46: its severity was raised before it left, or it became a drill. It is the page that it was, with
    its code and link, in the words that a page has by then; as nothing changes it leaves as itself.
    """
    desk = desk_of(policy=shipped_policy())
    desk.reconciler._renderer = shipped_words()
    await desk.see(replace(PAY, severity="sev3"))
    [letter] = [it for it in desk.ledger.pages.letters.values() if it.notification.kind is Kind.PAGE]
    bundles, parcel = Bundles(desk.parts.context, shipped_words()), Parcel([Delivery(letter)])
    assert bundles.bundle_of(parcel, desk.clock.now()) is None
    desk.clock.go(WRITES_AGAIN)
    await desk.see(replace(PAY, severity="sev1", drill=True))
    parcel.bundle = bundle = bundles.bundle_of(parcel, desk.clock.now())
    assert bundle is not None
    assert "SEV3" in letter.content.text
    assert bundle.content.text.startswith("DRILL")
    assert "SEV1" in bundle.content.text
    assert "SEV3" not in bundle.content.text
    assert tokens(bundle.content.text) == tokens(letter.content.text) != []
    assert [link.digest for link in bundle.links] == [signed_links.token_digest(tokens(letter.content.text)[0])]
    assert bundles.bundle_of(parcel, desk.clock.now() + WRITES_AGAIN) is bundle


async def test_a_page_of_a_title_that_is_read_by_now_names_it() -> None:
    """Rule 31: it was decided when the file's name stood for a title that could not be read."""
    desk = desk_of(policy=shipped_policy())
    desk.reconciler._renderer = shipped_words()
    await desk.see(replace(PAY, title="pay", severity="sev3", never_read=("title",)))
    [letter] = [it for it in desk.ledger.pages.letters.values() if it.notification.kind is Kind.PAGE]
    assert "The title could not be read" in letter.content.text
    desk.clock.go(WRITES_AGAIN)
    await desk.see(replace(PAY, severity="sev3"))
    bundle = Bundles(desk.parts.context, shipped_words()).bundle_of(Parcel([Delivery(letter)]), desk.clock.now())
    assert bundle is not None
    assert PAY.title in bundle.content.text
    assert "could not be read" not in bundle.content.text
