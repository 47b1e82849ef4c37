"""The bytes of an email: a message in, a complete RFC 5322 message out.

Decides headers, encodings, ids and threads. The bytes depend on the message and the sender only, so that a second try
is the same mail. What all readers of one content share (subject and bodies) is put together once and kept; only the
address lines are made for each. Written by hand for speed, and proved by the tests against Python's own parser. Must
not know how mail travels: the transport stuffs leading dots.
"""

import re
from base64 import b64encode
from binascii import b2a_qp
from email.header import decode_header, make_header
from email.utils import format_datetime, parseaddr
from functools import lru_cache
from hashlib import blake2b

from tocsin.domain.delivery import Content, Message

SUBJECT_MOST = 500
"""Characters of a subject that are kept."""
NAME_MOST = 100
"""Characters of a display name that are kept."""
LINE_MOST = 998
"""Octets in a line (RFC 5322, section 2.1.1)."""
URL_MOST = 900
"""Octets of a web address that a header line can hold; it must not be folded."""
CONTENTS_KEPT = 128
"""Contents whose bytes are kept; each is as large as its mail."""
ELSEWHERE = "tocsin.invalid"
"""Stands for the sender's domain where that is too long for ids under 60 characters, which clients never fold."""

_CRLF = "\r\n"
_UNSEEN = re.compile("[\x00-\x20\x7f-\xa0\u2028\u2029\ud800-\udfff]+")
_NAMED = re.compile(r"([^\"<>]*)<([^<>]*)>\s*")
_ATOMS = re.compile(r"[A-Za-z0-9!#$%&'*+\-/=?^_`{|}~ ]*")
_BREAKS = re.compile("\r\n?")
_PLAIN_BODY = re.compile(rb"[\t\n\x20-\x7e]*")


class Letterhead:
    """What all our mails share: the sender, such as `Incidents <incidents@example.com>`, its domain's list and ids."""

    def __init__(self, sender: str) -> None:
        name, address = _named(sender)
        self.address = ascii_domain(address)
        domain = self.address.rpartition("@")[2]
        self._id_domain = domain if domain.isascii() and 0 < len(domain) <= 32 else ELSEWHERE
        self._shared = (
            "MIME-Version: 1.0\r\nAuto-Submitted: auto-generated\r\n"
            f"List-Id: <tocsin.{self._id_domain}>\r\nFrom: {_mailbox(name, self.address)}\r\n"
        )

    def compose(self, message: Message) -> bytes:
        """The whole mail, with CRLF at the end of each line. No text of a stranger can add a header to it."""
        incident = _UNSEEN.sub("_", message.incident) or "-"
        incidents = [_UNSEEN.sub("_", name) for name in message.incidents] or [incident]
        head = (
            f"{self._shared}To: {_mailbox(message.name, ascii_domain(message.address))}\r\n"
            f"Date: {format_datetime(message.at)}\r\n"
            f"Message-ID: {self.id_for(message.reference)}\r\n"
            f"{''.join(f'X-Tocsin-Incident: {name}{_CRLF}' for name in incidents)}"
            f"X-Tocsin-Kind: {_UNSEEN.sub('_', message.kind)}\r\n"
        )
        if incident != "-" and not message.incidents:  # several pages in one mail are no thread of one incident
            thread = self.id_for(f"thread {incident}")
            head += f"In-Reply-To: {thread}\r\nReferences: {thread}\r\n"
        if message.unsubscribe_url:
            head += _unsubscribe(message.unsubscribe_url, one_click=message.one_click)
        return head.encode("utf-8", "replace") + _rest(message.content)

    def id_for(self, reference: str) -> str:
        """The Message-ID that belongs to a reference, the same for ever; under 60 characters."""
        return f"<{_digest(reference, 12)}@{self._id_domain}>"


def _unsubscribe(url: str, *, one_click: bool) -> str:
    """Where to be taken off by hand (RFC 2369), and, where that acts, by one click (RFC 8058); nothing for an address
    that no line can hold.
    """
    if len(url) > URL_MOST or not url.isascii() or re.search("[\x00-\x20\x7f<>]", url):
        return ""
    at_once = "List-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n" if one_click else ""
    return f"List-Unsubscribe: <{url}>\r\n{at_once}"


def _named(mailbox: str) -> tuple[str, str]:
    """Name and address of a mailbox. A name with a comma is one name even where the quotes were forgotten."""
    plain = _NAMED.fullmatch(mailbox)
    name, address = (plain[1].strip(), plain[2]) if plain else parseaddr(mailbox)
    return str(make_header(decode_header(name))), address


def ascii_domain(address: str) -> str:
    """The address in one piece, with its domain in ASCII where IDNA knows how; the part before the @ stays."""
    local, at, domain = _UNSEEN.sub("", address).replace("<", "").replace(">", "").rpartition("@")
    try:
        return local + at + (domain if domain.isascii() else domain.encode("idna").decode("ascii"))
    except UnicodeError:
        return local + at + domain


@lru_cache(CONTENTS_KEPT)
def _rest(content: Content) -> bytes:
    """What all readers of a content share: the last headers, the empty line, the bodies."""
    subject = _UNSEEN.sub(" ", content.subject).strip()[:SUBJECT_MOST].rstrip()
    head = f"Subject: {_unstructured(subject)}\r\n".encode()
    text = _part("plain", content.text)
    if not content.html:
        return head + text
    mark = f"=_{_digest(content.text + content.html, 12)}".encode()
    kind = b'Content-Type: multipart/alternative; boundary="' + mark + b'"\r\n\r\n'
    html = _part("html", content.html)
    line = b"\r\n--" + mark
    return head + kind + line[2:] + b"\r\n" + text + line + b"\r\n" + html + line + b"--\r\n"


def _part(subtype: str, text: str) -> bytes:
    """One body with its headers: as it is where it is plain enough to travel, else quoted-printable."""
    data = _BREAKS.sub("\n", text).encode("utf-8", "replace")
    encoding = b"7bit"
    if not _PLAIN_BODY.fullmatch(data) or max(map(len, data.split(b"\n"))) > LINE_MOST:
        encoding, data = b"quoted-printable", b2a_qp(data, istext=True)
    kind = f'Content-Type: text/{subtype}; charset="utf-8"\r\nContent-Transfer-Encoding: '.encode()
    return kind + encoding + b"\r\n\r\n" + data.replace(b"\n", b"\r\n")


@lru_cache(1024)
def _mailbox(name: str, address: str) -> str:
    """An address with its display name (RFC 5322, section 3.4), a name of any letters as encoded words."""
    name = _UNSEEN.sub(" ", name).strip()[:NAME_MOST].rstrip()
    if not name:
        return address
    if not name.isascii() or "=?" in name:
        name = _encoded_words(name, 45)
    elif not _ATOMS.fullmatch(name):
        name = '"' + name.replace("\\", "\\\\").replace('"', '\\"') + '"'
    return f"{name}\r\n <{address}>" if len(name) + len(address) > 70 else f"{name} <{address}>"


def _unstructured(text: str) -> str:
    """A header's text, as it is where it is short and plain, else as encoded words."""
    return text if text.isascii() and len(text) < 68 and "=?" not in text else _encoded_words(text, 42)


def _encoded_words(text: str, most: int) -> str:
    """The text in words that each hold whole letters, of at most `most` octets, so as to fit a line (RFC 2047)."""
    pieces = [b""]
    for letter in text:
        data = letter.encode("utf-8", "replace")
        if len(pieces[-1]) + len(data) > most:
            pieces.append(b"")
        pieces[-1] += data
    return "\r\n ".join(f"=?utf-8?b?{b64encode(piece).decode()}?=" for piece in pieces)


def _digest(text: str, size: int) -> str:
    return blake2b(text.encode("utf-8", "replace"), digest_size=size).hexdigest()
