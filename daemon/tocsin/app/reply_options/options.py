"""Which ways to answer a message offers its reader (rule 42): by the settings, the channel and the kind."""

from datetime import datetime

from tocsin.app.reply_options import signed_links
from tocsin.app.reply_options.codes import Codes
from tocsin.app.state.active_config import ActiveConfig
from tocsin.domain.facts import Coded
from tocsin.domain.notification import ASKING, NO_REPLY_OFFER, Kind, Notification, ReplyOffer
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
        if not routes.links:
            return ReplyOffer(code) if code else NO_REPLY_OFFER, coded
        answer = (
            signed_links.answer(routes.keys, notification.incident, notification.to)
            if person and notification.kind in ASKING
            else ""
        )
        page = (
            f"/incidents/{notification.incident}"
            if notification.external
            else signed_links.page(routes.keys, notification.incident)
        )
        return ReplyOffer(code, routes.public_url + answer if answer else "", routes.public_url + page), coded

    def unsubscribe(self, notification: Notification) -> str:
        """Where a reader asks to be taken off (RFC 8058): in emails of updates only, where there are links."""
        routes = self._config.reply_routes
        if notification.kind is not Kind.UPDATE or not notification.via.traits.unsubscribes or not routes.links:
            return ""
        return routes.public_url + signed_links.unsubscribe(routes.keys, notification.incident, notification.to)
