"""The types of single settings: senders, web addresses, where the ledger is and where to listen.

Each gives its value or a sentence about what to write instead, and what editors see of it. Must not know which setting
has the value, nor where it came from.
"""

import re
from collections.abc import Callable
from datetime import timedelta
from email.utils import parseaddr, quote
from ipaddress import IPv4Network, IPv6Network, ip_network
from pathlib import Path
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import AfterValidator, BeforeValidator, Field, PlainSerializer, SecretStr, WithJsonSchema

from tocsin.domain.people import MAIN
from tocsin.formats.schema import addresses, json_schema, patterns
from tocsin.formats.schema.fields import Duration, Name, one_or_many
from tocsin.formats.settings.ledger_address import LedgerAddress, read_address
from tocsin.text import contacts, scalars

KEEPS_AT_LEAST = timedelta(days=7)
"""How long a closed incident stays at the least: so long its reply codes are nobody else's, and links lead to it."""
_NEEDS_QUOTES = re.compile(r'[][\\()<>@,:;".]')


def mail_sender(text: str) -> str:
    """An email address, with a name or without. The name stays as people write it; a header may have to encode it."""
    if re.search(r"[\x00-\x1f\x7f]", text):
        raise ValueError("a sender cannot hold line breaks or control characters")
    name, address = parseaddr(text)
    checked = contacts.email(address or text)
    if not name:
        return checked
    return f'"{quote(name)}" <{checked}>' if _NEEDS_QUOTES.search(name) else f"{name} <{checked}>"


def _reply_to(text: str) -> str:
    """Where answers go. It stands in a header, and letters beyond ASCII there would need a server that takes them."""
    if not text.strip():
        raise ValueError("must not be empty; leave it out instead")
    try:
        address = contacts.email(text)
    except ValueError as fault:
        raise ValueError(f"{fault}; write one address such as desk@example.com") from None
    if not address.isascii():
        raise ValueError(
            f'"{text}" has letters before the @ that many mail servers refuse, and the whole mail with them; '
            "write an address in plain letters such as desk@example.com"
        )
    return address


def sms_sender(text: str) -> str:
    """A number in E.164, a short code, or a name of up to eleven letters and digits."""
    written = text.strip()
    if re.fullmatch(r"[0-9]{3,8}", written) or re.fullmatch(r"(?=.*[A-Za-z])[A-Za-z0-9 ]{1,11}", written):
        return written
    return contacts.phone(written)


def _fallback_name(text: str) -> str:
    if text.lower() == MAIN:
        raise ValueError(f'"{text}" is what the first provider is called; give the fallback another name')
    return text


def _url(text: str) -> str:
    if why := addresses.why_no_url(text):
        raise ValueError(f"it is no web address ({why}); write it such as https://tocsin.example.com")
    return text.rstrip("/")


def host_of(url: str) -> str:
    """Scheme, host and port of a web address, without what may be secret: who logs in, and what follows."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}"


def _ledger(value: object) -> object:
    """The address as it is written; one that was read already stays."""
    return read_address(value) if isinstance(value, str) else value


def _keep(span: timedelta) -> timedelta:
    """How long closed incidents stay. Raises ValueError."""
    if span < KEEPS_AT_LEAST:
        raise ValueError(
            f"must be at least {KEEPS_AT_LEAST.days}d: so long codes and links of a closed incident still count"
        )
    return span


def _listen(text: str) -> str:
    host, colon, port = text.rpartition(":")
    if not colon or not host or not re.fullmatch(r"[0-9]{1,5}", port) or int(port) > 65535:
        raise ValueError(f'"{text}" is no address to listen on; write host:port such as 127.0.0.1:8765')
    return text


def _network(value: object) -> object:
    """An address is a network of one."""
    if not isinstance(value, str):
        return value
    try:
        return ip_network(value.strip(), strict=False)
    except ValueError:
        raise ValueError(
            f'"{value}" is no address and no network; write it such as 192.0.2.1 or 192.0.2.0/24'
        ) from None


def _sid(prefix: str) -> Callable[[str], str]:
    def check(text: str) -> str:
        if not re.fullmatch(rf"{prefix}[0-9A-Za-z]+", text):
            raise ValueError(f"it is no such id, which begins with {prefix}")  # often a token in the wrong place
        return text

    return check


account_sid = _sid("AC")
"""The id of an account at Twilio."""

MailSender = Annotated[str, AfterValidator(mail_sender), WithJsonSchema(patterns.MAIL_SENDER)]
ReplyTo = Annotated[str, AfterValidator(_reply_to), WithJsonSchema(patterns.REPLY_TO)]
SmsSender = Annotated[str, AfterValidator(sms_sender), WithJsonSchema(patterns.SMS_SENDER)]
NumberPrefix = Annotated[str, AfterValidator(contacts.prefix), WithJsonSchema(patterns.NUMBER_PREFIX)]
FallbackName = Annotated[Name, AfterValidator(_fallback_name), WithJsonSchema(patterns.FALLBACK_NAME)]
AccountSid = Annotated[str, AfterValidator(account_sid), WithJsonSchema(patterns.sid("AC"))]
ServiceSid = Annotated[str, AfterValidator(_sid("MG")), WithJsonSchema(patterns.sid("MG"))]
Url = Annotated[str, AfterValidator(_url), WithJsonSchema(patterns.URL)]
IpNetwork = Annotated[IPv4Network | IPv6Network, BeforeValidator(_network), WithJsonSchema(patterns.NETWORK)]
IpNetworks = Annotated[
    list[IpNetwork], BeforeValidator(one_or_many), WithJsonSchema(json_schema.one_or_list(patterns.NETWORK, least=0))
]
Keep = Annotated[Duration, AfterValidator(_keep)]
Listen = Annotated[str, AfterValidator(_listen), WithJsonSchema(patterns.LISTEN)]
Ledger = Annotated[
    LedgerAddress,
    BeforeValidator(_ledger),
    PlainSerializer(lambda place: place.written, return_type=str),
    WithJsonSchema(patterns.LEDGER),
]
FilePath = Annotated[Path, WithJsonSchema({"type": "string"})]
Port = Annotated[
    int,
    BeforeValidator(lambda value: scalars.whole(value) if isinstance(value, str) else value),
    Field(ge=1, le=65535),
    WithJsonSchema(json_schema.whole(1, 65535)),
]
Secret = Annotated[SecretStr | None, WithJsonSchema(json_schema.NOT_IN_FILES)]
Secrets = Annotated[list[SecretStr], BeforeValidator(one_or_many), WithJsonSchema(json_schema.NOT_IN_FILES)]
