"""Which ways to answer a message offers its reader (rule 42): by the settings, the channel and the kind."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from tocsin.app.reply_options import signed_links
from tocsin.app.reply_options.codes import Codes
from tocsin.app.state.active_config import ActiveConfig
from tocsin.domain.facts import Coded
from tocsin.domain.notification import (
    ASKING,
    LINKED,
    NO_REPLY_OFFER,
    NOBODY,
    UNSUBSCRIBE_LINK,
    AnswerLink,
    Kind,
    Notification,
    ReplyOffer,
)
from tocsin.domain.people import Person
from tocsin.domain.policy import Policy
from tocsin.ports.ledger.file import LedgerPlace


class ReplyOptions:
    """What each message offers, and the codes that were given out for it. `place` tells whether the web side sees what
    the ledger is told.
    """

    def __init__(self, codes: Codes, config: ActiveConfig, place: LedgerPlace) -> None:
        self.codes = codes
        self._config = config
        self._place = place

    def offers(
        self, notifications: Sequence[Notification], policy: Policy, now: datetime
    ) -> list[tuple[ReplyOffer, Coded | None]]:
        """How each of these may be answered that are decided together, and the fact to record when that gives out a
        code. An email names the code of the SMS beside it, whichever of them comes first.
        """
        asking = [notification for notification in notifications if notification.kind in ASKING]
        texted = {(asks.incident, asks.to) for asks in asking if asks.via.traits.takes_replies}
        return [
            self._offer(notification, policy, now, gives=(notification.incident, notification.to) in texted)
            for notification in notifications
        ]

    def _offer(
        self, notification: Notification, policy: Policy, now: datetime, *, gives: bool
    ) -> tuple[ReplyOffer, Coded | None]:
        """How this message may be answered. `gives`: its person is texted, so that a number without a code gets one."""
        routes, person = self._config.reply_routes, policy.people.get(notification.to)
        code, coded = "", None
        number = _number(person) if person and notification.kind in ASKING else ""
        if person and number and routes.takes_sms(number):
            of, over = (notification.incident, person.id, number), notification.kind is Kind.VERIFY
            code, coded = self.codes.give(*of, now, over=over) if gives else (self.codes.known(*of, over=over), None)
        offer = self._with_links(notification, code, person)
        if self.unsubscribe(notification) and policy.lets_go_from(notification.group or "", notification.to):
            offer = replace(offer, unsubscribe_url=UNSUBSCRIBE_LINK)
        return offer, coded

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
        number = _number(person)
        known = self.codes.of_person(number, person.id) if number and routes.takes_sms(number) else ()
        codes = {code.incident: code.code for code in known if code.closed_at is None}
        return [self._with_links(page, codes.get(page.incident, ""), person) for page in notifications]

    def _with_links(self, notification: Notification, code: str, person: Person | None) -> ReplyOffer:
        """A code, or none, and what links lead to where there are links."""
        routes = self._config.reply_routes
        if not routes.links:
            return ReplyOffer(code, needs_code=routes.needs_code) if code else NO_REPLY_OFFER
        url = routes.public_url
        if notification.external:
            page, link = self._status(notification)
            return ReplyOffer(code, page_url=url + page if page else "", link=link)
        answer, link = self._answer(notification) if person and notification.kind in LINKED else ("", None)
        page = signed_links.page(routes.keys, notification.incident)
        return ReplyOffer(code, url + answer if answer else "", url + page, routes.needs_code, link=link)

    def _answer(self, notification: Notification) -> tuple[str, AnswerLink | None]:
        """The path by which a person answers, and what the ledger must know of it: a short one. While the ledger is in
        memory (rule 64) the web side sees nothing new of it: then a long one, which it understands by itself.
        """
        keys, incident, person = self._config.reply_routes.keys, notification.incident, notification.to
        if self._place.away:
            return signed_links.answer(keys, incident, person, notification.episode), None
        letters = signed_links.token(keys[0], incident, notification.episode, person)
        link = AnswerLink(signed_links.token_digest(letters), incident, notification.episode, person)
        return signed_links.SHORT + letters, link

    def _status(self, notification: Notification) -> tuple[str, AnswerLink | None]:
        """The path of what outsiders were told, which does not name the incident's id, and what the ledger must know of
        it; none while the ledger is in memory (rule 64).
        """
        if self._place.away:
            return "", None
        letters = signed_links.status_token(self._config.reply_routes.keys[0], notification.incident)
        link = AnswerLink(signed_links.token_digest(letters), notification.incident, 0, "")
        return signed_links.STATUS + letters, link

    def unsubscribe(self, notification: Notification) -> str:
        """Where a reader asks to be taken off (RFC 8058): in emails of updates only, where there are links."""
        routes = self._config.reply_routes
        if notification.kind is not Kind.UPDATE or not notification.via.traits.unsubscribes or not routes.links:
            return ""
        return routes.public_url + signed_links.unsubscribe(routes.keys, NOBODY, notification.to)


def _number(person: Person) -> str:
    """Where somebody writes from when they answer; "" for who has no such address."""
    return next((person.address(via) for via in person.channels if via.traits.takes_replies), "")
