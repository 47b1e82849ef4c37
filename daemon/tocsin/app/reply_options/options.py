"""Invitations: which ways to answer a message offers its reader (product.md sections 6 and 8, rule 42).

It decides from the settings, the channel and the kind. It must not know the words, nor what an answer does.
"""

from datetime import datetime

from tocsin.app.reply_options import links
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

    def offer(self, each: Notification, policy: Policy, now: datetime) -> tuple[ReplyOffer, Coded | None]:
        """How this message may be answered, and the fact to record when it gives out a code."""
        routes, person = self._config.reply_routes, policy.people.get(each.to)
        number = person.address(each.via) if person and each.via.traits.takes_replies else ""
        code, coded = "", None
        if routes.replies and each.kind in ASKING and person and number:
            over = each.kind is Kind.VERIFY
            code, coded = self.codes.give(each.incident, person.id, number, now, over=over)
        if not routes.links:
            return ReplyOffer(code) if code else NO_REPLY_OFFER, coded
        answer = links.answer(routes.keys, each.incident, each.to) if person and each.kind in ASKING else ""
        page = f"/incidents/{each.incident}" if each.external else links.page(routes.keys, each.incident)
        return ReplyOffer(code, routes.public_url + answer if answer else "", routes.public_url + page), coded

    def unsubscribe(self, each: Notification) -> str:
        """Where a reader asks to be taken off (RFC 8058): in emails of updates only, where there are links."""
        routes = self._config.reply_routes
        if each.kind is not Kind.UPDATE or not each.via.traits.unsubscribes or not routes.links:
            return ""
        return routes.public_url + links.unsubscribe(routes.keys, each.incident, each.to)
