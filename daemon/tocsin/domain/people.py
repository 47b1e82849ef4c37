"""Who can be reached, and how: people, channels, stakeholder groups (product.md section 3)."""

from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum


class Channel(StrEnum):
    """A way to reach somebody."""

    SMS = "sms"
    EMAIL = "email"


@dataclass(frozen=True, slots=True)
class ReachEntry:
    """One entry of a person's `reach`: a channel, and how long after the page it goes."""

    via: Channel
    after: timedelta = timedelta(0)


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody in the config. `phone` is E.164, `timezone` an IANA name; either address may be empty, not both."""

    id: str
    name: str
    email: str = ""
    phone: str = ""
    timezone: str = "UTC"
    reach: tuple[ReachEntry, ...] = ()
    language: str = "en"
    place: str = ""

    def address(self, via: Channel) -> str:
        """The person's address on a channel; empty when there is none."""
        return self.phone if via is Channel.SMS else self.email

    @property
    def channels(self) -> tuple[Channel, ...]:
        """Every channel the person has an address for, SMS first: a phone wakes, a mailbox does not."""
        return tuple(via for via in (Channel.SMS, Channel.EMAIL) if self.address(via))


@dataclass(frozen=True, slots=True)
class StakeholderGroup:
    """A group that hears updates. An `external` one gets public wording only."""

    id: str
    title: str
    people: tuple[str, ...] = ()
    emails: tuple[str, ...] = ()
    via: tuple[Channel, ...] = (Channel.EMAIL,)
    external: bool = False
    language: str = "en"
    timezone: str = "UTC"
    place: str = ""
