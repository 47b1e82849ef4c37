"""What others leave in the inbox: its entries and their names, and a webhook on its whole way, from the web side's
form to what the daemon believes of it.
"""

import json
from types import SimpleNamespace
from typing import Any
from urllib.parse import unquote, urlencode

from multidict import CIMultiDict
from pydantic import SecretStr
from tocsin.app.arrivals.webhooks import webhook_arrival
from tocsin.domain.arrival import (
    AnswerEntry,
    Arrival,
    InboxEntry,
    ResubscribeEntry,
    WebhookEntry,
    WebhookRoute,
    WishEntry,
    WordEntry,
)
from tocsin.domain.facts import Answer
from tocsin.formats.inbox.entries import ENTRY_MOST, read_entry, write_entry
from tocsin.formats.inbox.names import entry_name, read_entry_name
from tocsin.web.routes import twilio

from tests.builders.active_config import settings
from tests.builders.instants import T0
from tests.fakes.twilio_webhooks import ACCOUNT, inbound, signature, status
from tests.fuzz.fuzzer import Fuzzer

TOKEN, PUBLIC = "0123456789abcdef", "https://tocsin.example.com/pager"
WEBHOOKS = (
    ("/twilio/inbound", inbound("ok K7")),
    ("/twilio/inbound", inbound("okFrom+14155550102FromA")),
    ("/twilio/inbound?site=eu&x=%20", inbound("Déjà vu 🙂 & = + %2B;\nMessageSid=SM1")),
    ("/twilio/status?try=1024", status("undelivered", code="30006")),
    ("/twilio/status?try=019ab0a1-7c00-7123-8abc-0123456789ab", status("sent")),
)
REF = "0123456789abcdef"
ENTRIES: tuple[InboxEntry, ...] = (
    AnswerEntry(REF, "checkout", 2, "ana", Answer.OK, "s" * 22),
    WebhookEntry(REF, WebhookRoute.INBOUND, WEBHOOKS[0][0], tuple(WEBHOOKS[0][1].items()), "c2lnbmF0dXJl"),
    WishEntry(REF, "checkout", "status@lists.example.com", "s" * 22),
    WordEntry(REF, "pull", "The repository cannot be reached: é."),
    ResubscribeEntry(REF, "ana@example.com"),
)
FILE_NAMES = (
    b"20261126T101112.123456Z-answer-0123456789abcdef.json",
    b"20261126T101112.000000Z-webhook-ABCDEFgh01.json",
    b".0123456789abcdef.tmp",
)
FORM_WORDS = (
    *(b"From", b"FromA", b"Body", b"MessageSid", b"AccountSid", b"To=", b"&", b"=", b"%", b"%0A", b"+", b";", b"%26"),
    *(b"&From=%2B14155550102", b"&Body=ok", b"?try=1", b"?try=1&try=2", b"bodySHA256=", b"%2b"),
)


def entry(data: bytes) -> None:
    """An entry is read whole or refused, in words that repeat nothing; what is read is written the same again."""
    read = read_entry(data)
    if isinstance(read, str):
        assert read.isprintable()
        assert len(read) < 100
    else:
        assert len(data) <= ENTRY_MOST
        assert read_entry(write_entry(read)) == read


def name(data: bytes) -> None:
    """A name is taken apart without loss, or is none. (Python writes years before 1000 without their zeros.)"""
    text = data.decode("utf-8", "surrogateescape")
    read = read_entry_name(text)
    assert read is None or entry_name(read) == text or text.startswith("0")


def fuzzers() -> list[Fuzzer]:
    """All of them."""
    sms = {"transport": "twilio", "sender": "+15005550006", "account_sid": ACCOUNT, "auth_token": [SecretStr(TOKEN)]}
    ours = settings(sms=sms, public_url=PUBLIC)
    signatures = [signature(TOKEN, PUBLIC + address, values) for address, values in WEBHOOKS]

    def left(address: str, body: bytes, signed: str) -> WebhookEntry | None:
        """What the web side leaves for such a request."""
        headers = CIMultiDict({"X-Twilio-Signature": signed})
        request: Any = SimpleNamespace(raw_path=address, path=unquote(address.partition("?")[0]), headers=headers)
        made = twilio._entry(request, body)
        return None if isinstance(made, str) else made

    def believed(address: str, body: bytes, signed: str) -> Arrival | None:
        found = left(address, body, signed)
        arrival = webhook_arrival(found, ours, T0) if found else None
        assert arrival is None or isinstance(arrival, Arrival) or arrival.isprintable()
        return arrival if isinstance(arrival, Arrival) else None

    written = [(address, urlencode(values).encode()) for address, values in WEBHOOKS]
    genuine = [believed(*parts, signed) for parts, signed in zip(written, signatures, strict=True)]

    def webhook(data: bytes) -> None:
        """Nothing is believed under a genuine signature but what it was given for."""
        line, _, body = data.partition(b"\n")
        address = line.decode("latin-1")
        if address.partition("?")[0] not in {f"/twilio/{route}" for route in WebhookRoute}:  # no route of ours
            address = WEBHOOKS[0][0]
        for signed, known in zip(signatures, genuine, strict=True):
            arrival = believed(address, body, signed)
            assert arrival is None or arrival == known
        altered = left(address, body, signatures[0])
        if altered:
            believed(address, body, signature(TOKEN, PUBLIC + address, dict(altered.parameters)))

    assert sum(arrival is not None for arrival in genuine) >= 3
    return [
        Fuzzer("webhook", [b"\n".join((a.encode(), b)) for a, b in written], webhook, FORM_WORDS, sample=150),
        Fuzzer("entry", [write_entry(kept) for kept in ENTRIES], entry, _words(), sample=300),
        Fuzzer("entry-name", FILE_NAMES, name, (b"-", b"Z", b".json", b"word"), sample=300),
    ]


def _words() -> list[bytes]:
    """What stands in entries, piece by piece."""
    pairs = [pair for kept in ENTRIES for pair in json.loads(write_entry(kept)).items()]
    return [json.dumps(part).encode() for pair in pairs for part in pair]
