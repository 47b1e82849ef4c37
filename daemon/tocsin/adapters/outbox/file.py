"""A file of the outbox read back as the message that its reader would see. It must not know how it is shown."""

import json
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from email import message_from_bytes
from email.errors import MessageError
from email.header import decode_header, make_header
from email.message import Message

from tocsin.domain.people import Channel

HEAD_MOST = 1000
"""Characters of a header that are shown."""
TEXT_MOST = 20_000
"""Characters of a text that are shown."""
HTML_MOST = 200_000
"""Characters of an HTML body that are shown."""

_NAME = re.compile(r"(\d{8}T\d{6}Z)-(\d{1,18})-(email|sms)-([A-Za-z0-9@.+_-]{1,100})\.(eml|json)")


@dataclass(frozen=True, slots=True)
class OutboxFile:
    """A message as it lies in the outbox. `at` is when it was written, in UTC; `person` who it is for, as far as suits
    a file's name; `segments` is 0 for an email, `html` says whether there is an HTML body. `incidents` are all that it
    is about, of several pages in one message the worst first (`incident`).
    """

    name: str
    at: datetime
    via: Channel
    person: str
    sender: str
    to: str
    subject: str
    text: str
    incident: str
    kind: str
    segments: int = 0
    html: bool = False
    incidents: tuple[str, ...] = ()


def order(name: str) -> tuple[str, int] | None:
    """What sorts a file's name by age, oldest first; None when it names no message."""
    match = _NAME.fullmatch(name)
    return (match[1], int(match[2])) if match else None


def read(name: str, data: bytes) -> OutboxFile | None:
    """The message of a file; None when it is none of ours."""
    match = _NAME.fullmatch(name)
    if match is None:
        return None
    try:
        at = datetime.strptime(match[1], "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
    except ValueError:
        return None
    if match[5] == "json":
        return _sms(name, at, match[4], data)
    return _email(name, at, match[4], data)


def html_of(data: bytes) -> str | None:
    """The HTML body of an email, if it has one, with line breaks as browsers count them."""
    return _body(message_from_bytes(data), "html").replace("\r\n", "\n")[:HTML_MOST] or None


def _sms(name: str, at: datetime, person: str, data: bytes) -> OutboxFile | None:
    try:
        sheet = json.loads(data)
        words = {key: str(sheet[key])[:TEXT_MOST] for key in ("from", "to", "body", "incident", "kind")}
        segments = int(sheet["segments"])
        incidents = tuple(str(name)[:HEAD_MOST] for name in sheet.get("incidents", ())) or (words["incident"],)
    except (ValueError, LookupError, TypeError, ArithmeticError, RecursionError):
        return None
    return OutboxFile(
        name, at, Channel.SMS, person, words["from"], words["to"], "", words["body"],
        words["incident"], words["kind"], segments, incidents=incidents,
    )  # fmt: skip


def _email(name: str, at: datetime, person: str, data: bytes) -> OutboxFile:
    mail = message_from_bytes(data)
    return OutboxFile(
        name, at, Channel.EMAIL, person, _head(mail, "From"), _head(mail, "To"), _head(mail, "Subject"),
        _body(mail, "plain")[:TEXT_MOST], _head(mail, "X-Tocsin-Incident"), _head(mail, "X-Tocsin-Kind"),
        html=bool(_body(mail, "html")), incidents=tuple(_plain(raw) for raw in mail.get_all("X-Tocsin-Incident", ())),
    )  # fmt: skip


def _head(mail: Message, name: str) -> str:
    """A header in plain letters, as one line."""
    return _plain(str(mail.get(name, "")))


def _plain(raw: str) -> str:
    """A header's text in plain letters, as one line; as it is where it cannot be decoded."""
    try:
        text = str(make_header(decode_header(raw)))
    except (MessageError, ValueError, LookupError):
        text = raw
    return " ".join(text.split())[:HEAD_MOST]


def _body(mail: Message, kind: str) -> str:
    """The first body of a kind; nothing when there is none, or it is in letters unknown here."""
    for part in mail.walk():
        data = part.get_payload(decode=True) if part.get_content_type() == f"text/{kind}" else None
        if isinstance(data, bytes):
            try:
                return data.decode(part.get_content_charset() or "utf-8", "replace")
            except (LookupError, ValueError):  # no encoding has that name, or that name at all
                return ""
    return ""
