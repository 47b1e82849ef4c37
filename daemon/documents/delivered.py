"""Delivered: a file of the outbox as the message that its reader would see (product.md section 3, the outbox).

Must not know where the file was, nor how it is shown.
"""

import json
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from email import message_from_bytes, policy
from email.errors import MessageError
from email.message import EmailMessage

from daemon.domain.people import Channel

TEXT_MOST = 20_000
"""Characters of a text that are shown."""
HTML_MOST = 200_000
"""Characters of an HTML body that are shown."""

_NAME = re.compile(r"(\d{8}T\d{6}Z)-(\d{1,18})-(email|sms)-([A-Za-z0-9@.+_-]{1,100})\.(eml|json)")


@dataclass(frozen=True, slots=True)
class Delivered:
    """A message. `at` is when it was written, in UTC; `person` who it is for, as far as suits a file's name; `segments`
    is 0 for an email, `html` says whether there is an HTML body.
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


def order(name: str) -> tuple[str, int] | None:
    """What sorts a file's name by age, oldest first; None when it names no message."""
    match = _NAME.fullmatch(name)
    return (match[1], int(match[2])) if match else None


def read(name: str, data: bytes) -> Delivered | None:
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
    mail = _parsed(data)
    return _body(mail, "html").replace("\r\n", "\n")[:HTML_MOST] or None if mail else None


def _sms(name: str, at: datetime, person: str, data: bytes) -> Delivered | None:
    try:
        sheet = json.loads(data)
        words = {key: str(sheet[key])[:TEXT_MOST] for key in ("from", "to", "body", "incident", "kind")}
        segments = int(sheet["segments"])
    except (ValueError, LookupError, TypeError, RecursionError):
        return None
    return Delivered(
        name, at, Channel.SMS, person, words["from"], words["to"], "", words["body"],
        words["incident"], words["kind"], segments,
    )  # fmt: skip


def _email(name: str, at: datetime, person: str, data: bytes) -> Delivered | None:
    mail = _parsed(data)
    if mail is None:
        return None
    head = {key: str(mail.get(key, ""))[:1000] for key in ("From", "To", "Subject", "X-Tocsin-Incident")}
    kind, text, html = str(mail.get("X-Tocsin-Kind", "")), _body(mail, "plain"), bool(_body(mail, "html"))
    return Delivered(
        name, at, Channel.EMAIL, person, head["From"], head["To"], head["Subject"], text[:TEXT_MOST],
        head["X-Tocsin-Incident"], kind, html=html,
    )  # fmt: skip


def _parsed(data: bytes) -> EmailMessage | None:
    try:
        mail = message_from_bytes(data, policy=policy.default)
    except (MessageError, ValueError, LookupError):
        return None
    return mail if isinstance(mail, EmailMessage) else None


def _body(mail: EmailMessage, kind: str) -> str:
    """The body of a kind; nothing when there is none, or it is in letters unknown here."""
    part = mail.get_body((kind,))
    if part is None:
        return ""
    try:
        return str(part.get_content())
    except (ValueError, LookupError):
        return ""
