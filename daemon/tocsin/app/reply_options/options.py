"""Which ways to answer a message offers its reader (rule 42): by the settings, the channel and the kind."""

from collections.abc import Sequence
from datetime import datetime

from tocsin.app.reply_options import signed_links
from tocsin.app.reply_options.codes import Codes
from tocsin.app.state.active_config import ActiveConfig
from tocsin.domain.facts import Coded
from tocsin.domain.notification import ASKING, NO_REPLY_OFFER, Kind, Notification, ReplyOffer
from tocsin.domain.people import Person
from tocsin.domain.policy import Policy


class ReplyOptions:
    """What each message offers, and the codes that were given out for it."""

    def __init__(self, codes: Codes, config: ActiveConfig) -> None:
        self.codes = codes
        self._config = config

    def offer(self, notification: Notification, policy: Policy, now: datetime) -> tuple[ReplyOffer, Coded | None]:
        """How this message may be answered, and the fact to record when it gives out a code."""
        routes, person = self._config.reply_routes, policy.people.get(notification.to)
        number = person.address(notification.via) if person and notification.via.traits.takes_replies else ""
        code, coded = "", None
        if number and routes.takes_sms(number) and notification.kind in ASKING and person:
            over = notification.kind is Kind.VERIFY
            code, coded = self.codes.give(notification.incident, person.id, number, now, over=over)
        return self._with_links(notification, code, person), coded

    def code_moved(self, page: Notification, former: str, policy: Policy, now: datetime) -> Coded | None:
        """The code by which a page is answered from its person's number, which was `former` when it was decided;
        None: it has one, or there is nothing to reply to.
        """
        person = policy.people.get(page.to)
        number = person.address(page.via) if person and page.via.traits.takes_replies else ""
        if person is None or not number or not self._config.reply_routes.takes_sms(number):
            return None
        return self.codes.give(page.incident, person.id, number, now, former=former)[1]

    def known_offers(self, notifications: Sequence[Notification], policy: Policy) -> list[ReplyOffer]:
        """How pages to one person may be answered, by codes that were given out for them already, whatever the
        channel: an email may name what a text message is answered with.
        """
        routes, person = self._config.reply_routes, policy.people[notifications[0].to]
        numbers = [person.address(via) for via in person.channels if via.traits.takes_replies]
        known = [
            code for number in numbers if routes.takes_sms(number) for code in self.codes.of_person(number, person.id)
        ]
        codes = {code.incident: code.code for code in known if code.closed_at is None}
        return [self._with_links(page, codes.get(page.incident, ""), person) for page in notifications]

    def _with_links(self, notification: Notification, code: str, person: Person | None) -> ReplyOffer:
        """A code, or none, and what links lead to where there are links."""
        routes = self._config.reply_routes
        if not routes.links:
            return ReplyOffer(code, needs_code=routes.needs_code) if code else NO_REPLY_OFFER
        answer = (
            signed_links.answer(routes.keys, notification.incident, notification.to, notification.episode)
            if person and notification.kind in ASKING
            else ""
        )
        page = (
            f"/incidents/{notification.incident}"
            if notification.external
            else signed_links.page(routes.keys, notification.incident)
        )
        return ReplyOffer(
            code, routes.public_url + answer if answer else "", routes.public_url + page, routes.needs_code
        )

    def unsubscribe(self, notification: Notification) -> str:
        """Where a reader asks to be taken off (RFC 8058): in emails of updates only, where there are links."""
        routes = self._config.reply_routes
        if notification.kind is not Kind.UPDATE or not notification.via.traits.unsubscribes or not routes.links:
            return ""
        return routes.public_url + signed_links.unsubscribe(routes.keys, notification.incident, notification.to)
