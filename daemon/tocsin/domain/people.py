"""Who can be reached, and by which channels: people and stakeholder groups; and who is signed in."""

import hashlib
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

MAIN = "main"
"""The name of the provider that stands first in the config; in attempts of older versions it is empty."""


@dataclass(frozen=True, slots=True)
class ChannelTraits:
    """What sets a channel apart.

    `word` names it in a sentence, `provider` whoever carries its messages. `address_field` is the field of a person
    that holds their address, `address_word` what people call one. A message is one text that must fit a few GSM
    segments where it is `short`, else a subject, a text and an HTML body. `wakes`: it may wake somebody at night.
    `takes_replies`: a reader may answer with a code. `unsubscribes`: it can carry a link to be taken off (RFC 8058).
    `at_once` messages are under way at the same time. `look_ups` tell when the provider is asked for a message of
    uncertain fate, counted from the end of the try (rule 40).
    """

    word: str
    provider: str
    address_field: str
    address_word: str
    at_once: int
    look_ups: tuple[timedelta, ...]
    short: bool = False
    wakes: bool = False
    takes_replies: bool = False
    unsubscribes: bool = False


class Channel(StrEnum):
    """A way to reach somebody."""

    SMS = "sms"
    EMAIL = "email"

    @property
    def traits(self) -> ChannelTraits:
        """What sets it apart."""
        return _TRAITS[self]


_TRAITS = {
    Channel.SMS: ChannelTraits(
        word="SMS",
        provider="the SMS provider",
        address_field="phone",
        address_word="number",
        at_once=16,
        look_ups=tuple(timedelta(seconds=seconds) for seconds in (1, 3, 7, 15)),
        short=True,
        wakes=True,
        takes_replies=True,
    ),
    Channel.EMAIL: ChannelTraits(
        word="email",
        provider="the mail server",
        address_field="email",
        address_word="address",
        at_once=4,
        look_ups=(timedelta(seconds=30),),
        unsubscribes=True,
    ),
}


@dataclass(frozen=True, slots=True)
class Limit:
    """How many pages an address takes at once, and how often it takes one more (rule 45)."""

    burst: int
    every: timedelta


QUIET_FIRST = tuple(sorted(Channel, key=lambda via: via.traits.wakes))
"""Every channel, those that wake nobody first."""
_ADDRESS_FIELDS = tuple((via, via.traits.address_field) for via in Channel)
"""Looked up once: a plan asks for somebody's channels dozens of times."""


@dataclass(frozen=True, slots=True)
class ReachEntry:
    """One entry of a person's `reach`: a channel, and how long after the page it goes."""

    via: Channel
    after: timedelta = timedelta(0)


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody in the config. `phone` is E.164, `timezone` an IANA name; either address may be empty, not both.
    `stopped` are channels whose address wants nothing more (rule 51): the config does not say so, they did.
    `closing_by_email`: no SMS tells them the end that an email tells them.
    """

    id: str
    name: str
    email: str = ""
    phone: str = ""
    timezone: str = "UTC"
    reach: tuple[ReachEntry, ...] = ()
    language: str = "en"
    place: str = ""
    stopped: tuple[Channel, ...] = ()
    closing_by_email: bool = False

    def address(self, via: Channel) -> str:
        """The person's address on a channel; empty when there is none."""
        address: str = getattr(self, via.traits.address_field)
        return address

    @property
    def channels(self) -> tuple[Channel, ...]:
        """Every channel the person has an address for that takes messages, SMS first: a phone wakes, a mailbox does
        not.
        """
        return tuple([via for via, field in _ADDRESS_FIELDS if getattr(self, field) and via not in self.stopped])


class Unsubscribing(StrEnum):
    """What comes of it when a reader of a group unsubscribes: it takes effect, or the operators hear of the wish."""

    ONE_CLICK = "one_click"
    OPERATORS = "operators"


class FirstUpdate(StrEnum):
    """When an external group hears of an incident at first: as it is declared, once a role is accepted, or once there
    is a word for the public.
    """

    AT_ONCE = "at_once"
    ACCEPTED = "accepted"
    PUBLIC = "public"


@dataclass(frozen=True, slots=True)
class StakeholderGroup:
    """A group that hears updates. An `external` one gets public wording only, from the moment that `first` says;
    `unsubscribed` are plain addresses that the config names in it and that want nothing more.
    """

    id: str
    title: str
    people: tuple[str, ...] = ()
    emails: tuple[str, ...] = ()
    via: tuple[Channel, ...] = (Channel.EMAIL,)
    external: bool = False
    language: str = "en"
    timezone: str = "UTC"
    place: str = ""
    unsubscribe: Unsubscribing = Unsubscribing.OPERATORS
    unsubscribed: tuple[str, ...] = ()
    first: FirstUpdate = FirstUpdate.AT_ONCE

    def lets_go(self, address: str) -> bool:
        """Whether this plain address of it is off by one click, and stays off."""
        listed = any(address.casefold() == email.casefold() for email in self.emails)
        return listed and self.external and self.unsubscribe is Unsubscribing.ONE_CLICK


SESSION_LASTS = timedelta(hours=12)
"""How long somebody stays signed in (P8)."""


@dataclass(frozen=True, slots=True)
class Session:
    """A browser in which somebody has signed in at `began_at` (UTC): `digest` is that of the random id in its cookie,
    which nobody but that browser keeps.
    """

    digest: str
    person: str
    began_at: datetime

    @property
    def ends_at(self) -> datetime:
        """When it is over, if nothing ends it before."""
        return self.began_at + SESSION_LASTS


def session_digest(id_: str) -> str:
    """The digest under which a session is known, of the id in its cookie."""
    return hashlib.sha256(b"tocsin session 3:" + id_.encode("utf-8", "replace")).hexdigest()
