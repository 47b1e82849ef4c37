"""What operators are sent when the daemon is in trouble, and by which channels (rule 39)."""

import random

import pytest
from tocsin.app.delivery.context import DeliveryContext
from tocsin.app.delivery.operator_notices import OperatorNotices
from tocsin.app.delivery.sender import Sender
from tocsin.app.delivery.transports import Transports
from tocsin.app.reply_options.codes import Codes
from tocsin.app.reply_options.options import ReplyOptions
from tocsin.app.state.agenda import Agenda
from tocsin.app.state.incidents import Incidents
from tocsin.app.state.notices import Notices
from tocsin.domain.notification import NOBODY
from tocsin.domain.operator_notice import OperatorNotice
from tocsin.domain.people import Channel, Person

from tests.builders.active_config import active_config, settings
from tests.builders.instants import T0
from tests.builders.policies import small_policy
from tests.fakes.clock import StillClock
from tests.fakes.ledger import MemoryLedger

PHONE, MAILBOX = "+14155550101", "olga@example.com"
GRAVE, MINOR = OperatorNotice("disk", "The disk is full."), OperatorNotice("field", "A field was dropped.", minor=True)


async def sent(person: Person, *notices: OperatorNotice) -> dict[Channel, str]:
    """The texts that this operator gets for these notices, by channel."""
    clock, ledger = StillClock(T0), MemoryLedger()
    config = active_config(small_policy(people={"olga": person}, operators=("olga",)))
    waiting = Notices(clock)
    options = ReplyOptions(Codes(random.Random(0)), config)
    context = DeliveryContext(config, Incidents(Agenda()), waiting, options)
    sender = Sender(clock, ledger, context, Transports(settings(), lambda _settings: {}), random.Random(0))
    for notice in notices:
        waiting.tell(notice)
    await OperatorNotices(clock, ledger, config, waiting, sender).flush()
    return {each.notification.via: each.content.text for each in await ledger.records(NOBODY) if each.content}


@pytest.mark.parametrize(
    ("phone", "email", "notice", "channels"),
    [
        (PHONE, MAILBOX, GRAVE, {Channel.SMS, Channel.EMAIL}),
        (PHONE, MAILBOX, MINOR, {Channel.EMAIL}),
        (PHONE, "", GRAVE, {Channel.SMS}),
        (PHONE, "", MINOR, {Channel.SMS}),
        ("", MAILBOX, GRAVE, {Channel.EMAIL}),
        ("", MAILBOX, MINOR, {Channel.EMAIL}),
    ],
)
async def test_what_is_minor_wakes_nobody(
    phone: str, email: str, notice: OperatorNotice, channels: set[Channel]
) -> None:
    """Trouble goes by every channel; a minor one by email alone, unless a phone is all that there is (rule 39)."""
    assert set(await sent(Person("olga", "Olga", email, phone), notice)) == channels


async def test_an_sms_tells_the_first_and_an_email_all() -> None:
    """The SMS counts the others that are grave; the email lists each, the minor ones too."""
    texts = await sent(Person("olga", "Olga", MAILBOX, PHONE), MINOR, GRAVE, OperatorNotice("net", "No network."))
    assert texts[Channel.SMS] == "tocsin: The disk is full. (and 1 more)"
    assert texts[Channel.EMAIL].splitlines()[2:] == ["- A field was dropped.", "- The disk is full.", "- No network."]
