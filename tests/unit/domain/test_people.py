"""A channel is a row of traits; a person has those channels that they have an address for."""

from dataclasses import fields

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
    """A channel leads to a field of a person, and something may leave on it."""
    assert via.traits.address_field in {field.name for field in fields(Person)}
    assert via.traits.at_once > 0


def test_channels_have_words_for_people() -> None:
    """What a sentence calls a channel, its provider, an address on it and the field that holds that."""
    words = {
        via: (via.traits.word, via.traits.provider, via.traits.address_word, via.traits.address_field)
        for via in Channel
    }
    assert words == {
        Channel.SMS: ("SMS", "the SMS provider", "number", "phone"),
        Channel.EMAIL: ("email", "the mail server", "address", "email"),
    }


def test_an_uncertain_message_is_looked_up_at_fixed_instants() -> None:
    """An SMS 1, 3, 7 and 15 s after the try ended, an email once after 30 s (rule 40)."""
    seconds = {via: [wait.total_seconds() for wait in via.traits.look_ups] for via in Channel}
    assert seconds == {Channel.SMS: [1, 3, 7, 15], Channel.EMAIL: [30]}


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
