"""Words that are made as pages leave: of several that leave as one message (rule 47), made anew before each try from
those still wanted; and of one by itself whose own words have become untrue.

It decides which pages a bundle speaks of, and when it is another one. The words themselves are the renderer's.
"""

from dataclasses import replace
from datetime import datetime

from tocsin.app.delivery.context import DeliveryContext
from tocsin.app.delivery.parcels.delivery import Delivery
from tocsin.app.delivery.parcels.parcel import Parcel
from tocsin.domain.delivery import Bundle, Content
from tocsin.domain.incident import Incident
from tocsin.domain.notification import AnswerLink
from tocsin.planning.delivery.still_wanted import says_otherwise
from tocsin.ports.renderer import BundledPage, LeavingRenderer

TOGETHER, ANEW = "/bundle/", "/anew/"
"""What stands in the id of a bundle: several pages, or one in words of its own."""


class Bundles:
    """Makes a bundle of a parcel that holds several pages, or one page that must say something else by now."""

    def __init__(self, context: DeliveryContext, renderer: LeavingRenderer) -> None:
        self._context = context
        self._renderer = renderer

    def bundle_of(self, parcel: Parcel, now: datetime) -> Bundle | None:
        """What a parcel leaves as; None when it is one letter, and leaves as itself. Pages that say what they said at
        the last try are the same bundle; so is one page in words of its own of which a copy may have left (rule 40).
        """
        alone = len(parcel.members) == 1
        if alone and parcel.bundle and ANEW in parcel.bundle.id and parcel.lead.may_have_left_as(parcel.bundle.id):
            return parcel.bundle
        if alone and not self._is_untrue(parcel.lead):
            return None
        content, links = self._one(parcel.lead) if alone else self._content(self._one_an_incident(parcel))
        if alone and content == parcel.lead.letter.content:
            return None
        if parcel.bundle and parcel.bundle.content == content:
            return parcel.bundle
        return Bundle(
            f"{parcel.lead.notification.key}{ANEW if alone else TOGETHER}{now:%Y%m%dT%H%M%S.%fZ}", content, links
        )

    def say_unseen(self, parcel: Parcel) -> None:
        """Pages leave from memory where other machines may know more (R54): those that were decided before say so now,
        and so does what several leave as.
        """
        policy, machine = self._context.config.policy, self._context.machine
        if not machine or not parcel.lead.page:
            return
        for member in parcel.members:
            page, letter = member.notification, member.letter
            if member.recorded and not member.says_unseen:
                content = self._renderer.unseen(letter.content, page, policy, machine)
                member.letter, member.says_unseen = replace(letter, content=content), True
        if (bundle := parcel.bundle) is not None:
            content = self._renderer.unseen(bundle.content, parcel.lead.notification, policy, machine)
            parcel.bundle = said = replace(bundle, content=content)
            for member in parcel.members:
                member.bundles[said.id] = said

    def _is_untrue(self, page: Delivery) -> bool:
        """Whether a page that leaves alone must say something else than it was decided with. One of which a copy may
        have left as it is stays the same message (rule 40); the ledger must know of a page before it has other words.
        """
        if not (page.page and page.recorded) or (page.copies and not page.attempts[-1].bundle):
            return False
        return says_otherwise(page.notification, self._context.incidents.history(page.notification.incident))

    def _one(self, page: Delivery) -> tuple[Content, tuple[AnswerLink, ...]]:
        """The words of a page by itself, as its incident is now, and the link in them."""
        policy, notification = self._context.config.policy, page.notification
        (offer,) = self._context.reply_options.known_offers([notification], policy)
        history = self._context.incidents.history(notification.incident)
        content = self._renderer.render(notification, self._incident_of(page), history, policy, offer)
        return content, (offer.link,) if offer.link else ()

    def _content(self, pages: list[Delivery]) -> tuple[Content, tuple[AnswerLink, ...]]:
        """Words for these, the worst first, and the links in them; two pages of one incident leave as the newer one."""
        if len(pages) == 1:
            return pages[0].letter.content, ()
        policy, notifications = self._context.config.policy, [page.notification for page in pages]
        known = self._context.reply_options.known_offers(notifications, policy)
        offers = [offer if page.recorded else offer.from_memory for page, offer in zip(pages, known, strict=True)]
        bundled = []
        for page, offer in zip(pages, offers, strict=True):
            history = self._context.incidents.history(page.notification.incident)
            bundled.append(BundledPage(page.notification, self._incident_of(page), history, offer))
        links = tuple(offer.link for offer in offers if offer.link)
        return self._renderer.render_bundle(bundled, policy), links

    def _incident_of(self, page: Delivery) -> Incident:
        """Its incident as it is now."""
        incident = self._context.incidents.history(page.notification.incident).incident
        assert incident is not None, "a page that is wanted has an incident"
        return incident

    def _one_an_incident(self, parcel: Parcel) -> list[Delivery]:
        """The newest page of each incident, in the order of the first; what became a drill meanwhile leads nothing."""
        newest: dict[str, Delivery] = {}
        for member in parcel.members:
            incident = member.notification.incident
            known = newest.get(incident)
            if known is None or known.notification.at < member.notification.at:
                newest[incident] = member
        return sorted(newest.values(), key=lambda page: self._incident_of(page).drill)
