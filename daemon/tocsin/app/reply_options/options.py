"""Invitations: which ways to answer a message offers its reader (product.md sections 6 and 8, rule 42).

It decides from the settings, the channel and the kind. It must not know the words, nor what an answer does.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from tocsin.app.reply_options import links
from tocsin.app.reply_options.codes import Codes
from tocsin.domain.facts import Coded
from tocsin.domain.invitation import NO_INVITATION, Invitation
from tocsin.domain.notification import Kind, Notification
from tocsin.domain.people import Channel
from tocsin.domain.policy import Policy

ASKING = frozenset({Kind.PAGE, Kind.VERIFY})
"""Kinds that want an answer."""


@dataclass(frozen=True, slots=True)
class Doors:
    """Where answers come in: by SMS (`replies`), and at `public_url` by links that `keys` sign; how often receipts of
    pages are asked for, if at all.
    """

    replies: bool = False
    public_url: str = ""
    keys: tuple[str, ...] = ()
    receipts_every: timedelta | None = None

    @property
    def links(self) -> bool:
        """Whether messages carry links."""
        return bool(self.public_url and self.keys)


CLOSED_DOORS = Doors()


class Invitations:
    """What each message offers, and the codes that were given out for it."""

    def __init__(self, codes: Codes, doors: Callable[[], Doors]) -> None:
        self.codes = codes
        self.doors = doors

    def invite(self, each: Notification, policy: Policy, now: datetime) -> tuple[Invitation, Coded | None]:
        """How this message may be answered, and the fact to record when it gives out a code."""
        doors, person = self.doors(), policy.people.get(each.to)
        code, coded = "", None
        if doors.replies and each.kind in ASKING and each.via is Channel.SMS and person and person.phone:
            over = each.kind is Kind.VERIFY
            code, coded = self.codes.give(each.incident, person.id, person.phone, now, over=over)
        if not doors.links:
            return Invitation(code) if code else NO_INVITATION, coded
        answer = links.answer(doors.keys, each.incident, each.to) if person and each.kind in ASKING else ""
        page = f"/incidents/{each.incident}" if each.external else links.page(doors.keys, each.incident)
        return Invitation(code, doors.public_url + answer if answer else "", doors.public_url + page), coded

    def unsubscribe(self, each: Notification) -> str:
        """Where a reader asks to be taken off (RFC 8058): in emails of updates only, where there are links."""
        doors = self.doors()
        if each.kind is not Kind.UPDATE or each.via is not Channel.EMAIL or not doors.links:
            return ""
        return doors.public_url + links.unsubscribe(doors.keys, each.incident, each.to)
