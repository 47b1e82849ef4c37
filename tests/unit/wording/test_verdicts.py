"""Address, message or provider: what every known answer of a mail server and of Twilio means (rules 37, 38, 39)."""

import json
from pathlib import Path

import pytest
from tocsin.adapters.smtp.dialogue import SmtpReply, after_command, after_mail, not_carried, while_connecting
from tocsin.adapters.twilio.responses import fate, to_create
from tocsin.domain.delivery import Accepted, Deferred, Fault, Outcome, Receipt, Refused, Uncertain
from tocsin.domain.people import Channel
from tocsin.wording.delivery.answer_words import (
    cause,
    cure,
    known_verdict,
    provider_cure,
    undelivered_cause,
    undelivered_cure,
)
from tocsin.wording.delivery.sms_verdicts import SMS_VERDICTS
from tocsin.wording.delivery.smtp_verdicts import SMTP_VERDICTS

from tests.builders.provider_tables import sms_table, smtp_table

ADDRESS, MESSAGE, PROVIDER, PASSING = Fault.ADDRESS, Fault.MESSAGE, Fault.PROVIDER, Fault.PASSING
PROVIDERS = Path(__file__).parents[3] / "docs" / "providers.md"

REPLIES = [
    # the connection, TLS and the login: nobody's address was spoken of
    ("connect", "554 5.7.1 no access from your network", PROVIDER, "let this machine"),
    ("rcpt", "554 5.7.1 <vm[10.0.0.1]>: Client host rejected: Access denied", PROVIDER, "log in"),
    ("connect", "550 5.7.1 Client host blocked using zen.spamhaus.org", PROVIDER, "taken off the list"),
    ("connect", "521 mail.example.com does not accept mail", PROVIDER, "email.host"),
    ("connect", "550 5.1.1 who knows", PROVIDER, "ask whoever runs"),
    ("connect", "554 5.7.25 no PTR record for 192.0.2.7", PROVIDER, "PTR"),
    ("connect", "550 fix your reverse DNS", PROVIDER, "PTR"),
    ("connect", "550 5.7.29 not over TLS", PROVIDER, "email.security"),
    ("connect", "504 what", PROVIDER, "email.port"),
    ("connect", "421 4.7.0 too many connections", PASSING, ""),
    ("connect", "454 4.7.0 TLS not available now", PASSING, ""),
    ("connect", "535 5.7.8 wrong name or password", PROVIDER, "TOCSIN_EMAIL__PASSWORD"),
    ("connect", "534 5.7.9 application-specific password required", PROVIDER, "TOCSIN_EMAIL__PASSWORD"),
    ("connect", "502 5.5.1 unrecognized command", PROVIDER, "email.port"),
    # MAIL: still nobody's address
    ("mail", "530 5.7.0 log in first", PROVIDER, "email.username"),
    ("mail", "530 5.7.0 Must issue a STARTTLS command first", PROVIDER, "email.security"),
    ("mail", "550 5.7.1 sender rejected", PROVIDER, "email.sender"),
    ("mail", "553 5.7.1 <i@example.com>: Sender address rejected: not owned by user", PROVIDER, "email.sender"),
    ("mail", "550 5.7.57 Client was not authenticated to send anonymous mail", PROVIDER, "TOCSIN_EMAIL__PASSWORD"),
    ("mail", "550 no", PROVIDER, "ask whoever runs"),
    ("mail", "554 5.7.1 denied", PROVIDER, "ask whoever runs"),
    ("mail", "550 5.1.8 bad sender's mailbox", PROVIDER, "email.sender"),
    ("mail", "550 5.1.1 unknown", PROVIDER, "ask whoever runs"),
    ("mail", "552 5.3.4 message size exceeds fixed limit", MESSAGE, "shorten"),
    ("mail", "451 4.3.0 try later", PASSING, ""),
    # RCPT: the address, if the reply is about it
    ("rcpt", "550 5.1.0 address rejected", ADDRESS, "correct it"),
    ("rcpt", "550 5.1.1 <ana@example.com>: user unknown in virtual mailbox table", ADDRESS, "correct it"),
    ("rcpt", "550 5.1.2 no such domain", ADDRESS, "correct it"),
    ("rcpt", "501 5.1.3 bad recipient address syntax", ADDRESS, "correct it"),
    ("rcpt", "551 5.1.6 moved", ADDRESS, "correct it"),
    ("rcpt", "556 5.1.10 domain does not accept mail", ADDRESS, "correct it"),
    ("rcpt", "550 5.1.10 RESOLVER.ADR.RecipientNotFound", ADDRESS, "correct it"),
    ("rcpt", "550 5.2.1 the account that you tried to reach is disabled", ADDRESS, "have it opened"),
    ("rcpt", "550 no such user here", ADDRESS, "correct it"),
    ("rcpt", "550 5.0.0 no such user here", ADDRESS, "correct it"),
    ("rcpt", "551 user not local", ADDRESS, "correct it"),
    ("rcpt", "553 mailbox name not allowed", ADDRESS, "correct it"),
    ("rcpt", "511 sorry, no mailbox here by that name (#5.1.1 - chkuser)", ADDRESS, "correct it"),
    ("rcpt", "550 <spam@relay.example.com>: no such user", ADDRESS, "correct it"),
    ("rcpt", "550 relay not permitted", PROVIDER, "email.username"),
    ("rcpt", "554 5.7.1 <ana@example.com>: Relay access denied", PROVIDER, "email.username"),
    ("rcpt", "554 5.7.1 relay access denied", PROVIDER, "email.username"),
    ("rcpt", "550 5.7.54 SMTP; Unable to relay recipient in non-accepted domain", PROVIDER, "email.username"),
    ("rcpt", "550 denied by policy", PROVIDER, "ask whoever runs"),
    ("rcpt", "550 authentication required", PROVIDER, "TOCSIN_EMAIL__PASSWORD"),
    ("rcpt", "550 rejected as spam", PROVIDER, "ask whoever runs"),
    ("rcpt", "550 poor reputation of 192.0.2.7", PROVIDER, "taken off the list"),
    ("rcpt", "550 5.1.0 sender denied", PROVIDER, "email.sender"),
    ("rcpt", "521 5.2.1 will not accept delivery of this message", PROVIDER, "email.host"),
    ("rcpt", "554 delivery error", PROVIDER, "ask whoever runs"),
    ("rcpt", "550 5.4.1 Recipient address rejected: Access denied", PROVIDER, "5.4.1"),
    ("rcpt", "550 5.5.0 mailbox unavailable", PROVIDER, "email.port"),
    ("rcpt", "550 5.3.0 system full", PROVIDER, "ask whoever runs"),
    ("rcpt", "550 5.7.1 [5.1.1.9] refused by our rules", PROVIDER, "ask whoever runs"),
    ("rcpt", "552 5.2.2 mailbox full", PASSING, "make room"),
    ("rcpt", "552 exceeded storage allocation", PASSING, "make room"),
    ("rcpt", "550 4.2.2 over quota", PASSING, ""),
    ("rcpt", "550 5.2.0 mailbox trouble", PASSING, "see to it"),
    ("rcpt", "450 4.7.1 greylisted, come again in 300 s", PASSING, ""),
    ("rcpt", "421 4.3.2 shutting down", PASSING, ""),
    ("rcpt", "452 4.2.2 over quota", PASSING, ""),
    # DATA: the address or the provider, never this mail alone
    ("data", "550 5.1.1 unknown", ADDRESS, "correct it"),
    ("data", "554 no valid recipients", PROVIDER, "ask whoever runs"),
    ("data", "421 4.4.2 timeout", PASSING, ""),
    # the dot: this mail, the address of its one reader, or the provider
    ("dot", "554 5.6.0 bad content", MESSAGE, "ASCII"),
    ("dot", "554 transaction failed", MESSAGE, "spam"),
    ("dot", "554 5.7.1 this looks like spam", MESSAGE, "spam"),
    ("dot", "552 5.3.4 too big", MESSAGE, "shorten"),
    ("dot", "552 5.2.3 longer than the reader takes", MESSAGE, "shorten"),
    ("dot", "552 message exceeds the maximum size", MESSAGE, "shorten"),
    ("dot", "552 5.2.2 mailbox full", PASSING, "make room"),
    ("dot", "550 5.1.1 unknown", ADDRESS, "correct it"),
    ("dot", "550 no such user", ADDRESS, "correct it"),
    ("dot", "550 5.7.515 Access denied, sending domain example.com does not meet the required authentication level",
     PROVIDER, "DMARC"),
    ("dot", "550 5.7.26 unauthenticated email is not accepted due to the domain's DMARC policy", PROVIDER, "DMARC"),
    ("dot", "550 rejected by the sender's SPF record", PROVIDER, "DMARC"),
    ("dot", "550 5.7.509 DMARC did not pass", PROVIDER, "DMARC"),
    ("dot", "550 5.7.1 likely unsolicited mail", PROVIDER, "ask whoever runs"),
    ("dot", "554 Message rejected: Email address is not verified", PROVIDER, "email.sender"),
    ("dot", "554 5.7.1 relay access denied", PROVIDER, "email.username"),
    ("dot", "550 5.7.60 SMTP; Client does not have permissions to send as this sender", PROVIDER, "email.sender"),
    ("dot", "451 4.7.1 come again", PASSING, ""),
    ("dot", "421 4.3.0 closing", PASSING, ""),
]  # fmt: skip
"""Where a reply comes, the reply, whose fault it is, and a word of what operators are to do."""


OF_SOME_NUMBERS = (21408, 21606, 21608, 21612, 21657, 21659, 21660, 21661)
"""Codes that may hold for the numbers of one country, or of one sender, alone."""


def answered(place: str, line: str) -> Outcome | None:
    """How a try ends that gets this reply there."""
    reply = SmtpReply(int(line[:3]), line[4:])
    commands = {"mail": b"MAIL FROM:<i@example.com>\r\n", "rcpt": b"RCPT TO:<ana@example.com>\r\n", "data": b"DATA\r\n"}
    if place in commands:
        return after_command(commands[place], reply)
    return while_connecting(reply) if place == "connect" else after_mail(reply)


@pytest.mark.parametrize(("place", "line", "fault", "act"), REPLIES, ids=lambda value: str(value)[:60])
def test_a_reply_of_a_mail_server(place: str, line: str, fault: Fault, act: str) -> None:
    """Rules 37, 38: refused for the address's or this mail's sake, else deferred; and what operators are to do."""
    outcome = answered(place, line)
    of_recipient = fault is PROVIDER and place in ("rcpt", "data", "dot")
    deferred = Deferred(line, line[:3], fault, recipient=of_recipient)
    assert outcome == (Refused(line, line[:3], fault) if fault in (ADDRESS, MESSAGE) else deferred)
    assert isinstance(outcome, (Refused, Deferred))
    verdict = known_verdict(Channel.EMAIL, outcome)
    assert verdict is not None
    assert act in verdict.cure
    assert bool(act) or not verdict.cure
    assert provider_cure(Channel.EMAIL, outcome) == (verdict.cure if fault is PROVIDER else "")
    if isinstance(outcome, Refused):
        assert cause(Channel.EMAIL, outcome) == f"{verdict.meaning} ({line})"
        assert cure(Channel.EMAIL, outcome) == verdict.cure


CODES = [
    (401, PROVIDER), (429, PASSING), (20003, PROVIDER), (20005, PROVIDER), (20404, PROVIDER), (20429, PASSING),
    (21211, ADDRESS), (21214, ADDRESS), (21217, ADDRESS), (21265, ADDRESS), (21408, PROVIDER), (21602, MESSAGE),
    (21603, PROVIDER), (21605, MESSAGE), (21606, PROVIDER), (21608, PROVIDER), (21610, ADDRESS), (21611, PASSING),
    (21612, PROVIDER), (21614, ADDRESS), (21617, MESSAGE), (21635, ADDRESS), (21657, PROVIDER), (21659, PROVIDER),
    (21660, PROVIDER), (21661, PROVIDER), (21703, PROVIDER), (21704, PROVIDER), (21705, PROVIDER), (30001, PASSING),
    (30002, PROVIDER), (30003, PASSING), (30004, MESSAGE), (30005, ADDRESS), (30006, ADDRESS), (30007, MESSAGE),
    (30008, PASSING), (30019, MESSAGE), (30022, PASSING), (30023, PROVIDER), (30024, PROVIDER), (30027, PROVIDER),
    (30032, PROVIDER), (30033, PROVIDER), (30034, PROVIDER), (30035, PROVIDER), (30036, PASSING), (30037, PROVIDER),
    (30042, PROVIDER), (30410, PASSING), (30450, PASSING), (63038, PROVIDER),
]  # fmt: skip


@pytest.mark.parametrize(("code", "fault"), CODES)
def test_a_code_of_twilio(code: int, fault: Fault) -> None:
    """Rules 37, 38: the same fault as an answer and as a receipt; the operators' words have the code."""
    status = code if code < 1000 else 400
    outcome = to_create(status, json.dumps({"message": "no", "code": code if code > 1000 else None}))
    deferred = Deferred("no", str(code), fault, recipient=code in OF_SOME_NUMBERS)
    assert outcome == (Refused("no", str(code), fault) if fault in (ADDRESS, MESSAGE) else deferred)
    said = fate("undelivered", code, "SM1")
    assert (said.receipt, said.code, said.fault) == (Receipt.UNDELIVERED, str(code), fault)
    assert said.refused == (Refused(SMS_VERDICTS[str(code)].meaning, str(code), fault) if said.refused else None)
    assert (said.refused is not None) is (fault in (ADDRESS, MESSAGE))
    assert said.may_pass is (fault is PASSING)
    assert undelivered_cause(str(code)) == f"{SMS_VERDICTS[str(code)].meaning} ({code})"
    assert undelivered_cure(str(code))
    if said.refused:
        assert cause(Channel.SMS, said.refused) == undelivered_cause(str(code))
        assert cure(Channel.SMS, said.refused) == SMS_VERDICTS[str(code)].cure
    assert provider_cure(Channel.SMS, outcome) == (SMS_VERDICTS[str(code)].cure if fault is PROVIDER else "")


def test_the_tables_are_whole() -> None:
    """Whoever puts in a row or takes one out says here what it is to mean: each has an example."""
    assert sorted(SMS_VERDICTS, key=int) == [str(code) for code, _ in CODES]
    met = [(fault, line[:3], line) for _, line, fault, _ in REPLIES]
    known = [known_verdict(Channel.EMAIL, _kept(*example)) for example in met]
    assert [row for row in SMTP_VERDICTS if not any(verdict is row.verdict for verdict in known)] == []


def _kept(fault: Fault, code: str, detail: str) -> Outcome:
    refuses = fault in (ADDRESS, MESSAGE)
    return Refused(detail, code, fault) if refuses else Deferred(detail, code, fault)


@pytest.mark.parametrize(("row", "needs"), [(verdict, verdict.cure) for verdict in SMS_VERDICTS.values()])
def test_what_only_somebody_cures_says_how(row: object, needs: str) -> None:
    """Rule 39: whatever is not PASSING names an action."""
    assert needs or row.fault is PASSING  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("outcome", "act"),
    [
        (Deferred("[SSL: CERTIFICATE_VERIFY_FAILED] self-signed certificate", "tls", PROVIDER), "email.ca_file"),
        (
            Deferred("[SSL: CERTIFICATE_VERIFY_FAILED] certificate has expired", "tls", PROVIDER),
            "renew its certificate",
        ),
        (Deferred("[SSL: CERTIFICATE_VERIFY_FAILED] Hostname mismatch", "tls", PROVIDER), "email.host"),
        (Deferred("Server does not offer STARTTLS", fault=PROVIDER), "email.security"),
        (not_carried("störung@example.com", "ana@example.com"), "SMTPUTF8"),
        (Deferred("no such thing"), ""),
        (Deferred("h:587: ca_file /x.pem cannot be used: Permission denied", fault=PROVIDER), "chmod 644"),
        (Deferred("h:25: The SMTP AUTH extension is not supported by this server.", fault=PROVIDER), "email.username"),
        (Deferred("h:587: No suitable authentication method found.", fault=PROVIDER), "PLAIN or LOGIN"),
        (Accepted("q"), ""),
        (Uncertain("lost"), ""),
    ],
)
def test_trouble_without_a_reply(outcome: Outcome, act: str) -> None:
    """Certificates, extensions, files: the setting is named where it is known, and nothing is guessed."""
    words = provider_cure(Channel.EMAIL, outcome)
    assert act in words
    assert bool(act) == bool(words)


def test_letters_that_a_relay_cannot_carry() -> None:
    """Rule 37: that is this mail's trouble with this relay; another may carry it, so the address stays good."""
    refused = not_carried("i@example.com", "änne@example.com")
    assert isinstance(refused, Refused)
    assert refused.fault is MESSAGE
    assert "SMTPUTF8" in cure(Channel.EMAIL, refused)


def test_what_is_not_known_is_told_in_the_providers_words() -> None:
    """A code that stands in them is not repeated, and nothing is made up."""
    assert cause(Channel.SMS, Refused("mailbox gone", "551")) == "mailbox gone (551)"
    assert cause(Channel.SMS, Refused("")) == "the provider gave no reason"
    assert cure(Channel.SMS, Refused("gone")) == "check the number"
    assert cure(Channel.EMAIL, Refused("gone", fault=MESSAGE)) == "look at its words"
    assert undelivered_cause("") == "no reason was given"
    assert undelivered_cause("99999") == "no reason was given (99999)"
    assert "status page" in undelivered_cure("99999")


def test_the_docs_have_the_same_tables() -> None:
    """docs/providers.md repeats both tables, word for word (`python -m tests.builders.provider_tables` prints them)."""
    text = PROVIDERS.read_text()
    assert smtp_table() in text
    assert sms_table() in text
