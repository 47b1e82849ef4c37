"""The words of several pages that leave as one message (rule 47), made anew before each try from those still wanted.

It decides which pages a bundle speaks of, and when it is another one. The words themselves are the renderer's.
"""

from dataclasses import replace
from datetime import datetime

from tocsin.app.delivery.context import DeliveryContext
from tocsin.app.delivery.parcels.delivery import Delivery
from tocsin.app.delivery.parcels.parcel import Parcel
from tocsin.domain.delivery import Bundle, Content
from tocsin.domain.notification import AnswerLink
from tocsin.ports.renderer import BundledPage, BundleRenderer


class Bundles:
    """Makes a bundle of a parcel that holds several pages."""

    def __init__(self, context: DeliveryContext, renderer: BundleRenderer) -> None:
        self._context = context
        self._renderer = renderer

    def bundle_of(self, parcel: Parcel, now: datetime) -> Bundle | None:
        """What a parcel leaves as; None when it is one letter, and leaves as itself. Pages that say what they said at
        the last try are the same bundle.
        """
        if len(parcel.members) == 1:
            return None
        content, links = self._content(_one_an_incident(parcel))
        if parcel.bundle and parcel.bundle.content == content:
            return parcel.bundle
        return Bundle(f"{parcel.lead.notification.key}/bundle/{now:%Y%m%dT%H%M%S.%fZ}", content, links)

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

    def _content(self, pages: list[Delivery]) -> tuple[Content, tuple[AnswerLink, ...]]:
        """Words for these, the worst first, and the links in them; two pages of one incident leave as the newer one."""
        if len(pages) == 1:
            return pages[0].letter.content, ()
        policy, notifications = self._context.config.policy, [page.notification for page in pages]
        known = self._context.reply_options.known_offers(notifications, policy)
        offers = [offer if page.recorded else offer.from_memory for page, offer in zip(pages, known, strict=True)]
        bundled = []
        for notification, offer in zip(notifications, offers, strict=True):
            history = self._context.incidents.history(notification.incident)
            assert history.incident is not None, "a page that is wanted has an incident"
            bundled.append(BundledPage(notification, history.incident, history, offer))
        links = tuple(offer.link for offer in offers if offer.link)
        return self._renderer.render_bundle(bundled, policy), links


def _one_an_incident(parcel: Parcel) -> list[Delivery]:
    """The newest page of each incident, in the order of the first."""
    newest: dict[str, Delivery] = {}
    for member in parcel.members:
        incident = member.notification.incident
        known = newest.get(incident)
        if known is None or known.notification.at < member.notification.at:
            newest[incident] = member
    return list(newest.values())
