"""The bytes of an email: a message in, a complete RFC 5322 message out.

Decides headers, encodings, ids and threads. The bytes depend on the message and the sender only, so that a second try
is the same mail. What all readers of one content share (subject and bodies) is put together once and kept; only the
address lines are made for each. Written by hand for speed, and proved by the tests against Python's own parser. Must
not know how mail travels: the transport stuffs leading dots.
"""

import re
from base64 import b64encode
from binascii import b2a_qp
from dataclasses import replace
from datetime import datetime
from email.header import decode_header, make_header
from email.utils import format_datetime, parseaddr
from functools import lru_cache
from hashlib import blake2b
from html import escape

from tocsin.domain.delivery import Content, Message
from tocsin.domain.notification import UNSUBSCRIBE_LINK

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
_FOLDED_AT = 76
_ID_SIZE = 12
_UNSEEN = re.compile("[\x00-\x20\x7f-\xa0\u2028\u2029\ud800-\udfff]+")
_NAMED = re.compile(r"([^\"<>]*)<([^<>]*)>\s*")
_ATOMS = re.compile(r"[A-Za-z0-9!#$%&'*+\-/=?^_`{|}~ ]*")
_BREAKS = re.compile("\r\n?")
_LANGUAGE = re.compile(r"[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8})*")
_PLAIN_OCTETS = bytes((9, 10, *range(32, 127)))


class Letterhead:
    """What all our mails share: the sender, such as `Incidents <incidents@example.com>`, and the domain of their ids.
    Each tells other machines to send no answer (RFC 3834, and Exchange's own word for it). `house` is the sender whose
    domain the ids have, if that is another one: a second copy by a fallback is the same mail (rule 40), in one thread.
    """

    def __init__(self, sender: str, house: str = "") -> None:
        name, address = _named(sender)
        self.address = ascii_domain(address)
        domain = ascii_domain(_named(house or sender)[1]).rpartition("@")[2]
        self._id_domain = domain if domain.isascii() and 0 < len(domain) <= 32 else ELSEWHERE
        self._shared = (
            "MIME-Version: 1.0\r\nAuto-Submitted: auto-generated\r\nX-Auto-Response-Suppress: All\r\n"
            f"From: {_mailbox(name, self.address)}\r\n"
        )

    def compose(self, message: Message) -> bytes:
        """The whole mail, with CRLF at the end of each line. No text of a stranger can add a header to it."""
        incident = _UNSEEN.sub("_", message.incident) or "-"
        incidents = [_UNSEEN.sub("_", name) for name in message.incidents] or [
            opaque_name(incident) if message.external else incident
        ]
        head = (
            f"{self._shared}To: {_mailbox(message.name, ascii_domain(message.address))}\r\n"
            f"Date: {_date(message.at)}\r\n"
            f"Message-ID: {self.id_for(message.reference)}\r\n"
            f"{''.join(f'X-Tocsin-Incident: {name}{_CRLF}' for name in incidents)}"
            f"X-Tocsin-Kind: {_UNSEEN.sub('_', message.kind)}\r\n"
        )
        if incident != "-" and not message.incidents:  # several pages in one mail are no thread of one incident
            thread = f"<{opaque_name(incident)}@{self._id_domain}>"
            head += f"In-Reply-To: {thread}\r\nReferences: {thread}\r\n"
        if message.reply_to:
            head += f"Reply-To: {_mailbox(*_plain(message.reply_to))}\r\n"
        if message.mailing_list:
            list_id = f"{_UNSEEN.sub('_', message.mailing_list)}.{self._id_domain}"
            head += f"List-Id: {_mailbox(message.list_title, list_id, bare=False)}\r\n"
        link = _on_one_line(message.unsubscribe_url)
        if link:
            at_once = "List-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n" if message.one_click else ""
            head += f"List-Unsubscribe: <{link}>\r\n{at_once}"
        return head.encode("utf-8", "replace") + _with_link(message.content, link)

    def id_for(self, reference: str) -> str:
        """The Message-ID that belongs to a reference, the same for ever; under 60 characters."""
        return f"<{_digest(reference, _ID_SIZE)}@{self._id_domain}>"


@lru_cache(64)
def _date(at: datetime) -> str:
    """An instant as mails have it; all letters of an update are of one."""
    return format_datetime(at)


def _on_one_line(url: str) -> str:
    """A web address as a header line can hold it; nothing for one that none can."""
    return "" if len(url) > URL_MOST or not url.isascii() or re.search("[\x00-\x20\x7f<>]", url) else url


def _with_link(content: Content, link: str) -> bytes:
    """What follows the address lines; where the words hold the place of a reader's own link, with that."""
    if UNSUBSCRIBE_LINK not in content.text and UNSUBSCRIBE_LINK not in content.html:
        return _rest(content)
    text, html = content.text.replace(UNSUBSCRIBE_LINK, link), content.html.replace(UNSUBSCRIBE_LINK, escape(link))
    return _rest.__wrapped__(replace(content, text=text, html=html))


def _named(mailbox: str) -> tuple[str, str]:
    """Name and address of a mailbox. A name with a comma is one name even where the quotes were forgotten."""
    plain = _NAMED.fullmatch(mailbox)
    name, address = (plain[1].strip(), plain[2]) if plain else parseaddr(mailbox)
    return str(make_header(decode_header(name))), address


@lru_cache(16)
def _plain(mailbox: str) -> tuple[str, str]:
    """Name and address of a mailbox, the domain in ASCII."""
    name, address = _named(mailbox)
    return name, ascii_domain(address)


@lru_cache(1024)
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
    language = f"Content-Language: {content.language}\r\n" if _LANGUAGE.fullmatch(content.language) else ""
    head = f"Subject: {_unstructured(subject, len('Subject: '))}\r\n{language}".encode()
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
    data = (_BREAKS.sub("\n", text) if "\r" in text else text).encode("utf-8", "replace")
    encoding = b"7bit"
    if data.translate(None, _PLAIN_OCTETS) or max(map(len, data.split(b"\n"))) > LINE_MOST:
        encoding, data = b"quoted-printable", b2a_qp(data, istext=True)
    kind = f'Content-Type: text/{subtype}; charset="utf-8"\r\nContent-Transfer-Encoding: '.encode()
    return kind + encoding + b"\r\n\r\n" + data.replace(b"\n", b"\r\n")


@lru_cache(1024)
def _mailbox(name: str, address: str, *, bare: bool = True) -> str:
    """An address with its display name (RFC 5322, section 3.4), a name of any letters as encoded words. Without a name
    it stands `bare`, or in its brackets. So is a list's id written (RFC 2919).
    """
    name = _UNSEEN.sub(" ", name).strip()[:NAME_MOST].rstrip()
    if not name:
        return address if bare else f"<{address}>"
    if not name.isascii() or "=?" in name:
        name = _encoded_words(name, 45)
    elif not _ATOMS.fullmatch(name):
        name = '"' + name.replace("\\", "\\\\").replace('"', '\\"') + '"'
    return f"{name}\r\n <{address}>" if len(name) + len(address) > 70 else f"{name} <{address}>"


def _unstructured(text: str, taken: int) -> str:
    """A header's text: as it is where it is plain, folded at its blanks, else as encoded words. A word that is longer
    than a line stays whole: lines may have 998 octets. `taken` is what stands before it in its first line.
    """
    if not text.isascii():
        return _encoded_words(text, 42)
    if "=?" in text:  # would be taken for an encoded word
        return "\r\n ".join(f"=?us-ascii?q?{_quoted(text[at : at + 18])}?=" for at in range(0, len(text), 18))
    lines, room = [""], _FOLDED_AT - taken
    for word in text.split(" "):
        if lines[-1] and len(lines[-1]) + 1 + len(word) > room:
            lines.append("")
            room = _FOLDED_AT
        lines[-1] += f" {word}" if lines[-1] else word
    return "\r\n ".join(lines)


def _quoted(text: str) -> str:
    """Plain letters as an encoded word's (RFC 2047, section 4.2)."""
    return "".join(letter if letter.isalnum() else "_" if letter == " " else f"={ord(letter):02X}" for letter in text)


def _encoded_words(text: str, most: int) -> str:
    """The text in words that each hold whole letters, of at most `most` octets, so as to fit a line (RFC 2047)."""
    pieces = [b""]
    for letter in text:
        data = letter.encode("utf-8", "replace")
        if len(pieces[-1]) + len(data) > most:
            pieces.append(b"")
        pieces[-1] += data
    return "\r\n ".join(f"=?utf-8?b?{b64encode(piece).decode()}?=" for piece in pieces)


@lru_cache(1024)
def opaque_name(incident: str) -> str:
    """What names an incident to outsiders, whom its id tells too much: the letters of its thread's id."""
    return _digest(_thread(incident), _ID_SIZE)


def _thread(incident: str) -> str:
    return f"thread {incident}"


def _digest(text: str, size: int) -> str:
    return blake2b(text.encode("utf-8", "replace"), digest_size=size).hexdigest()
