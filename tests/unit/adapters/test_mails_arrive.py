"""Every sample of every kind in every language through a real mail server, read back by Python's own parser."""

import email.policy
import re
from email.message import EmailMessage
from email.parser import BytesParser

import pytest
from tocsin.adapters.smtp.transport import Smtp
from tocsin.domain.delivery import Accepted, Message
from tocsin.domain.notification import OUTSIDE_PLAN, UNSUBSCRIBE_LINK, Kind

from tests.builders.mail_bodies import UNSUBSCRIBE_URL, mails
from tests.fakes.smtp_server import Relay

LISTED = (Kind.UPDATE, Kind.CLOSING)


def read_back(data: bytes) -> EmailMessage:
    read = BytesParser(policy=email.policy.default).parsebytes(data)
    assert isinstance(read, EmailMessage)
    return read


async def test_every_mail_arrives_whole() -> None:
    """No defect in any part, both bodies as they were written, the headers that its kind has and no other, lines that
    every server takes; the one link to be taken off is the reader's own, in the head and in both bodies.
    """
    sent = list(mails())
    async with Relay() as relay:
        transport = Smtp(host="localhost", port=relay.port, sender="Acme <incidents@example.com>", security="none")
        for message in sent:
            assert isinstance(await transport.send(message), Accepted)
        await transport.close()
        arrived = [mail.data for mail in relay.arrived]
    assert len(arrived) == len(sent) > 100
    for message, data in zip(sent, arrived, strict=True):
        read = read_back(data)
        assert not [defect for part in read.walk() for defect in part.defects], message.reference
        assert max(map(len, data.split(b"\r\n"))) <= 998
        check_headers(message, read)
        for subtype, words in (("plain", message.content.text), ("html", message.content.html)):
            part = read.get_body((subtype,))
            assert part is not None
            body = str(part.get_content()).replace("\r\n", "\n")
            assert body == words.replace(UNSUBSCRIBE_LINK, UNSUBSCRIBE_URL if message.kind == Kind.UPDATE else "")


def check_headers(message: Message, read: EmailMessage) -> None:
    """What programs are told of this kind."""
    listed, update = message.kind in LISTED, message.kind == Kind.UPDATE
    assert read["Subject"] == message.content.subject
    assert (read["Content-Language"], read["Reply-To"]) == (message.content.language, "desk@example.com")
    assert (read["Auto-Submitted"], read["X-Auto-Response-Suppress"]) == ("auto-generated", "All")
    assert read["List-Id"] == ("Customers <customers.example.com>" if listed else None)
    assert read["List-Unsubscribe"] == (f"<{UNSUBSCRIBE_URL}>" if update else None)
    assert read["List-Unsubscribe-Post"] == ("List-Unsubscribe=One-Click" if update else None)
    assert read["Precedence"] is None
    assert read["In-Reply-To"] == read["References"]


@pytest.mark.parametrize("kind", [kind for kind in Kind if kind not in OUTSIDE_PLAN])
def test_a_subject_is_the_title_and_no_more(kind: Kind) -> None:
    """Of no mail about an incident, in no language, is a status, a kind, a role or a severity in it; a drill says so
    before it.
    """
    subjects = {message.content.subject for message in mails() if message.kind == kind}
    assert {re.sub(r"^\w+ (?=Card)", "", subject) for subject in subjects} == {"Card payments fail at checkout"}
    assert all(subject == "Card payments fail at checkout" or subject.startswith("DRILL ") for subject in subjects)
