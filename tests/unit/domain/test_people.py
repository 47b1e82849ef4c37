"""A channel is a row of traits; a person has those channels that they have an address for."""

from dataclasses import fields
from datetime import timedelta

import pytest
from tocsin.domain.people import QUIET_FIRST, Channel, Person

EVERYWHERE = Person("bo", "Bo Berg", "bo@example.com", "+4915112345678")


@pytest.mark.parametrize(
    ("person", "channels"),
    [
        (EVERYWHERE, (Channel.SMS, Channel.EMAIL)),
        (Person("bo", "Bo", email="bo@example.com"), (Channel.EMAIL,)),
        (Person("bo", "Bo", phone="+4915112345678"), (Channel.SMS,)),
    ],
)
def test_a_person_has_the_channels_of_their_addresses(person: Person, channels: tuple[Channel, ...]) -> None:
    """A channel without an address is none, and a phone comes before a mailbox."""
    assert person.channels == channels


def test_each_channel_has_its_own_address() -> None:
    """An SMS goes to the phone, an email to the mailbox."""
    assert EVERYWHERE.address(Channel.SMS) == "+4915112345678"
    assert EVERYWHERE.address(Channel.EMAIL) == "bo@example.com"


@pytest.mark.parametrize("via", Channel)
def test_every_channel_has_a_row(via: Channel) -> None:
    """Each channel has words for people, an address in the person's entry, room to send, and a first look-up (rule 40)."""
    traits = via.traits
    assert traits.word
    assert traits.provider
    assert traits.address_word
    assert traits.address_field in {field.name for field in fields(Person)}
    assert traits.at_once > 0
    assert traits.look_ups[0] > timedelta(0)
    assert list(traits.look_ups) == sorted(traits.look_ups)


def test_channels_that_wake_nobody_come_first_in_quiet_order() -> None:
    """Where no severity says how people are paged, the mailbox comes before the phone."""
    assert QUIET_FIRST == (Channel.EMAIL, Channel.SMS)
    assert Channel.SMS.traits.wakes
    assert not Channel.EMAIL.traits.wakes


def test_what_an_sms_can_do_and_an_email_cannot() -> None:
    """An SMS is one short text that a code answers; an email has a subject and a link to be taken off."""
    sms, email = Channel.SMS.traits, Channel.EMAIL.traits
    assert (sms.short, sms.takes_replies, sms.unsubscribes) == (True, True, False)
    assert (email.short, email.takes_replies, email.unsubscribes) == (False, False, True)
