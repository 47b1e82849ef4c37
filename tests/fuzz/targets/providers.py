"""What providers and DNS answer: JSON of the SMS provider, lines of a mail server, records of a sender's domain."""

import json

from tocsin.adapters.smtp import dialogue
from tocsin.adapters.smtp.dialogue import SmtpReply
from tocsin.adapters.twilio import responses
from tocsin.domain.delivery import Accepted, Deferred, Refused, Uncertain
from tocsin.formats.mail_records.dkim import is_key, key_problem
from tocsin.formats.mail_records.dmarc import is_dmarc, read_dmarc
from tocsin.formats.mail_records.spf import is_spf, read_spf

from tests.fuzz.fuzzer import Fuzzer

RECORDS = (
    b"v=spf1 include:_spf.mailprovider.example a mx:relay.example.com ip4:192.0.2.0/24 ip6:2001:db8::/32 ~all",
    b"v=spf1 exists:%{i}.spf.example.com redirect=_spf.example.com exp=why.example.com",
    b"v=DMARC1; p=quarantine; sp=reject; pct=50; adkim=s; aspf=r; rua=mailto:dmarc@example.com!10m,mailto:b@example.com",
    b"v=DKIM1; k=rsa; h=sha256; s=email:*; t=y:s; p=MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEAwYZ3",
)
ANSWERS = (
    {"sid": "SM0123456789abcdef0123456789abcdef", "status": "queued"},
    {
        "code": 21211,
        "message": "The 'To' number is not a valid phone number.",
        "status": 400,
        "more_info": "https://a.b",
    },
    {"code": "30006", "message": None, "detail": ["x"]},
    {"errors": [{"code": 20429}], "retry_after": 3},
)
REPLIES = (
    b"250\n2.0.0 Ok: queued as 12345",
    b"421 4.7.0 Try again later",
    b"550\n5.1.1 <ana@example.com>: no such user",
)


def records(data: bytes) -> None:
    """A record is read, or it is said what is wrong with it, in one line."""
    text = data.decode("utf-8", "replace")
    is_spf(text), is_dmarc(text), is_key(text)
    for problem in (read_spf(text).problem, read_dmarc(text).problem, key_problem(text)):
        assert len(problem) < len(text) + 200


def sms(data: bytes) -> None:
    """Each answer is an outcome, whatever its status; only one that was taken counts as taken."""
    text = data.decode("utf-8", "replace")
    for status in (200, 201, 301, 400, 401, 404, 429, 500, 503):
        outcome = responses.to_create(status, text, text[:40])
        assert isinstance(outcome, Accepted | Deferred | Refused | Uncertain)
        assert isinstance(outcome, Accepted) <= (status < 300)
        assert not (status < 300 and isinstance(outcome, Deferred | Refused))  # it may have left


def smtp(data: bytes) -> None:
    """Each reply is an outcome, or that the dialogue goes on."""
    digits, _, text = data.decode("utf-8", "replace").partition("\n")
    for code in {250, 354, 421, 452, 550, 554, int(digits[-3:]) if digits[-3:].isdecimal() else 0}:
        reply = SmtpReply(code, text)
        for outcome in (dialogue.after_command(b"MAIL", reply), dialogue.after_mail(reply)):
            assert outcome is None or isinstance(outcome, Accepted | Deferred | Refused | Uncertain)
        assert isinstance(dialogue.while_connecting(reply), Deferred)
        assert isinstance(dialogue.after_mail(reply), Accepted) <= (200 <= code < 300)


def fuzzers() -> list[Fuzzer]:
    """All of them."""
    answers = [json.dumps(answer).encode() for answer in ANSWERS]
    return [
        Fuzzer("sms-provider", answers, sms, (b"code", b"sid", b"message", b"21211", b"30006"), sample=150),
        Fuzzer("smtp", REPLIES, smtp, (b"5.1.1", b"4.2.2", b"552", b"2.0.0"), sample=150),
        Fuzzer("dns", RECORDS, records, (b"v=spf1", b"v=DMARC1", b"all", b"ip4:", b"p=", b"%{d}"), sample=300),
    ]
