"""Replies of a mail server, one row a reply: what it means for the mail it was given to (rules 37, 38, 39; RFC 3463,
RFC 5321 and what the large receivers document).

A mail has one reader, so a reply to DATA or to the dot may be about the address as well as one to RCPT. The first row
that fits counts: each names places in the dialogue, replies (x for any digit), enhanced codes, and words in the text.
"""

import re
from dataclasses import dataclass
from enum import StrEnum

from tocsin.domain.delivery import Fault
from tocsin.wording.delivery.verdict import Verdict


class Place(StrEnum):
    """How far the dialogue had come when the reply was given; CONNECT is all before MAIL, login and TLS as well."""

    CONNECT = "connect"
    MAIL = "mail"
    RCPT = "rcpt"
    DATA = "data"
    DOT = "dot"


ANYWHERE = tuple(Place)
FROM_MAIL = (Place.MAIL, Place.RCPT, Place.DATA, Place.DOT)
FROM_RCPT = (Place.RCPT, Place.DATA, Place.DOT)

NO_CODE = "none"
"""For a reply without an enhanced code, or with X.0.0, which says nothing."""

_RECORDS = "publish SPF, DKIM and DMARC for the domain of email.sender (docs/installing.md#mail-that-arrives)"
_LOGIN = "are TOCSIN_EMAIL__PASSWORD and email.username right?"
_SENDER = "use an address in email.sender that it sends for"
_RELAY = "log in (email.username, TOCSIN_EMAIL__PASSWORD), or have it let this machine send"
_ASK = "ask whoever runs the mail server; it may have to let this machine or email.sender in"
_CORRECT = "correct it in the config"
_SHORTER = "shorten what is long in it, or have the server take larger mails"


@dataclass(frozen=True, slots=True)
class SmtpVerdict:
    """A row. `codes` and `enhanced` are lists with blanks between, `words` with commas; an empty one fits whatever
    there is.
    """

    places: tuple[Place, ...]
    codes: str
    enhanced: str
    words: str
    verdict: Verdict

    def fits(self, place: Place | None, code: str, enhanced: str, text: str) -> bool:
        """Whether it is about such a reply; without a place, about such a reply anywhere."""
        return (
            (place is None or place in self.places)
            and _among(code, self.codes)
            and _among(enhanced, self.enhanced)
            and (not self.words or any(word in text for word in self.words.split(", ")))
        )


def _row(
    places: tuple[Place, ...], codes: str, enhanced: str, words: str, fault: Fault, meaning: str, cure: str = ""
) -> SmtpVerdict:
    return SmtpVerdict(places, codes, enhanced, words, Verdict(fault, meaning, cure))


ADDRESS, MESSAGE, PROVIDER, PASSING = Fault.ADDRESS, Fault.MESSAGE, Fault.PROVIDER, Fault.PASSING

SMTP_VERDICTS = (
    _row(ANYWHERE, "4xx", "", "", PASSING, "it is busy, or asks us to come again"),
    _row(
        ANYWHERE, "5xx", "", "must issue a starttls, starttls first, starttls required, requires starttls, encryption",
        PROVIDER, "it wants TLS", "set email.security to starttls, or to tls",
    ),
    _row(ANYWHERE, "535", "", "", PROVIDER, "it refuses our login", _LOGIN),
    _row(ANYWHERE, "530 534 538", "", "", PROVIDER, "it wants a login, or another kind of it", _LOGIN),
    _row(
        ANYWHERE, "521", "", "", PROVIDER, "it takes no mail, or none from here",
        "is email.host the server that sends for you? If so, have it let this machine in",
    ),
    _row(FROM_MAIL, "5xx", "5.2.3 5.3.4", "", MESSAGE, "it is too big", _SHORTER),
    _row(FROM_MAIL, "552", NO_CODE, "size, too big, too large, too long", MESSAGE, "it is too big", _SHORTER),
    _row(
        FROM_MAIL, "5xx", "5.6.x", "", MESSAGE, "the server cannot carry it as it is written",
        "ask whoever runs the mail server; if the address has letters beyond ASCII, give a plain one",
    ),
    _row(FROM_RCPT, "5xx", "5.2.2", "", PASSING, "the mailbox is full", "its owner must make room"),
    _row(FROM_RCPT, "552", NO_CODE, "", PASSING, "the mailbox is full", "its owner must make room"),
    _row(FROM_MAIL, "5xx", "4.x.x", "", PASSING, "it asks us to come again"),
    _row(FROM_RCPT, "5xx", "5.1.1", "", ADDRESS, "there is no such mailbox", _CORRECT),
    _row(FROM_RCPT, "5xx", "5.1.2", "", ADDRESS, "there is no such mail domain", _CORRECT),
    _row(FROM_RCPT, "5xx", "5.1.3", "", ADDRESS, "it is no valid address", _CORRECT),
    _row(FROM_RCPT, "5xx", "5.1.6", "", ADDRESS, "the mailbox has moved", _CORRECT),
    _row(FROM_RCPT, "5xx", "5.1.10", "", ADDRESS, "its domain takes no mail", _CORRECT),
    _row(FROM_RCPT, "5xx", "5.2.1", "", ADDRESS, "the mailbox is closed", "have it opened, or give another address"),
    _row(
        FROM_MAIL, "5xx", "5.7.20 5.7.21 5.7.22 5.7.23 5.7.24 5.7.26 5.7.27 5.7.30 5.7.509 5.7.515", "", PROVIDER,
        "the sender's domain does not prove that the mail is its own", _RECORDS,
    ),
    _row(
        ANYWHERE, "5xx", "", "spf, dkim, dmarc", PROVIDER,
        "the sender's domain does not prove that the mail is its own", _RECORDS,
    ),
    _row(
        ANYWHERE, "5xx", "5.7.25", "", PROVIDER, "this machine's address has no name",
        "the address of this machine needs a name in DNS that leads back to it (PTR)",
    ),
    _row(
        ANYWHERE, "5xx", "", "reverse dns, rdns, ptr record", PROVIDER, "this machine's address has no name",
        "the address of this machine needs a name in DNS that leads back to it (PTR)",
    ),
    _row(ANYWHERE, "5xx", "5.7.29", "", PROVIDER, "it wants TLS", "set email.security to starttls, or to tls"),
    _row(ANYWHERE, "5xx", "5.7.8 5.7.9 5.7.11 5.7.57", "", PROVIDER, "it wants a login", _LOGIN),
    _row(
        ANYWHERE, "5xx", "", "authentication required, not authenticated, log in, login", PROVIDER,
        "it wants a login", _LOGIN,
    ),
    _row(
        ANYWHERE, "5xx", "", "relay", PROVIDER, "it takes nothing from us for others", _RELAY,
    ),
    _row(
        ANYWHERE, "5xx", "", "client host rejected: access denied", PROVIDER, "it lets in only whom it knows", _RELAY,
    ),
    _row(FROM_MAIL, "5xx", "5.1.7 5.1.8 5.7.60", "", PROVIDER, "it does not take email.sender", _SENDER),
    _row(
        FROM_MAIL, "5xx", "", "sender, is not verified, not owned by", PROVIDER, "it does not take email.sender",
        _SENDER,
    ),
    _row(FROM_RCPT, "5xx", "5.1.0", "", ADDRESS, "it does not take the address", _CORRECT),
    _row(
        (Place.DOT,), "554", "", "", MESSAGE, "its filter does not take it",
        "if it was taken for spam: docs/installing.md#mail-that-arrives",
    ),
    _row(
        ANYWHERE, "5xx", "",
        "blocked using, blacklist, blocklist, block list, spamhaus, client host, reputation, banned", PROVIDER,
        "this machine's address is blocked", "have it taken off the list that the answer names",
    ),
    _row(
        FROM_RCPT, "550 551 553", NO_CODE,
        "polic, denied, prohibit, authenti, authori, spam, unsolicited, block", PROVIDER,
        "its rules deny it", _ASK,
    ),
    _row(FROM_RCPT, "550 551 553", NO_CODE, "", ADDRESS, "there is no such mailbox", _CORRECT),
    _row(FROM_MAIL, "5xx", "5.2.x", "", PASSING, "the mailbox cannot take it now", "its owner must see to it"),
    _row(FROM_MAIL, "5xx", "5.3.x", "", PROVIDER, "it takes no mail as it is set up", _ASK),
    _row(
        FROM_MAIL, "5xx", "5.4.x", "", PROVIDER, "it knows no way there",
        "ask whoever runs the mail server. If it is Microsoft's and says 5.4.1 of one address alone, correct that",
    ),
    _row(
        ANYWHERE, "5xx", "5.5.x", "", PROVIDER, "it does not understand us",
        "are email.host and email.port a mail server's for sending?",
    ),
    _row(
        ANYWHERE, "500 501 502 503 504 555", NO_CODE, "", PROVIDER, "it does not understand us",
        "are email.host and email.port a mail server's for sending?",
    ),
    _row(ANYWHERE, "5xx", "5.7.x", "", PROVIDER, "its rules deny it", _ASK),
    _row(ANYWHERE, "5xx", "", "", PROVIDER, "it takes no mail from us", _ASK),
)  # fmt: skip

NOT_BY_REPLY = (
    _row(
        (Place.CONNECT,), "", "", "certificate has expired", PROVIDER, "its certificate has expired",
        "have whoever runs the mail server renew its certificate",
    ),
    _row(
        (Place.CONNECT,), "", "", "certificate is not yet valid", PROVIDER, "its certificate is not valid yet",
        "is this machine's clock right (timedatectl)?",
    ),
    _row(
        (Place.CONNECT,), "", "", "hostname mismatch, ip address mismatch, is not valid for", PROVIDER,
        "its certificate is for another name", "name the server in email.host as its certificate does",
    ),
    _row(
        (Place.CONNECT,), "", "", "certificate_verify_failed", PROVIDER,
        "its certificate is signed by nobody we trust", "name the file of a private authority in email.ca_file",
    ),
    _row(
        (Place.CONNECT,), "", "", "ca_file", PROVIDER, "email.ca_file cannot be used",
        "is email.ca_file a PEM file of certificates, and may everybody read it (chmod 644)?",
    ),
    _row(
        (Place.CONNECT,), "", "", "starttls, ssl", PROVIDER, "it does not speak TLS as the settings ask for",
        "are email.port and email.security right?",
    ),
    _row(
        (Place.CONNECT,), "", "", "auth extension is not supported", PROVIDER, "it offers no login",
        "leave out email.username if it takes mail from this machine without one; "
        "else, are email.port and email.security right?",
    ),
    _row(
        (Place.CONNECT,), "", "", "no suitable authentication method", PROVIDER, "it offers no login by a password",
        "have it let us log in by PLAIN or LOGIN, or name a server in email.host that does",
    ),
    _row(
        (Place.MAIL,), "", "", "smtputf8, which the sender", PROVIDER, "it cannot carry email.sender",
        "give email.sender an ASCII address, or name a server that offers SMTPUTF8",
    ),
    _row(
        (Place.RCPT,), "", "", "smtputf8, which the address", MESSAGE, "the server offers no SMTPUTF8, which it needs",
        "give an ASCII address, or name a server that offers SMTPUTF8",
    ),
)  # fmt: skip
"""What is known without a reply: what fits here is told by these words."""

_ENHANCED = re.compile(r"(?<![\d.])([45]\.\d{1,3}\.\d{1,3})(?!\.?\d)")
_AN_ADDRESS = re.compile(r"<[^<>]*>|\S+@\S+")


def smtp_verdict(place: Place, code: int, text: str) -> Verdict:
    """What a reply of 4xx or 5xx means that was given at this place."""
    assert 400 <= code < 600, code
    return next(row.verdict for row in SMTP_VERDICTS if row.fits(place, str(code), *_parts(text)))


def known_smtp_verdict(fault: Fault, code: str, detail: str) -> Verdict | None:
    """The same for an answer that was kept: where it was given is not known any more, but whose fault it was. `code` is
    the reply's, or no number where none was given.
    """
    rows = SMTP_VERDICTS if code.isdecimal() else NOT_BY_REPLY
    found = (row.verdict for row in rows if row.verdict.fault is fault and row.fits(None, code, *_parts(detail)))
    return next(found, None)


def _parts(text: str) -> tuple[str, str]:
    """The enhanced code of a reply, and its words in small letters; addresses are no words."""
    enhanced = _ENHANCED.search(text)
    code = enhanced[1] if enhanced and not enhanced[1].endswith(".0.0") else NO_CODE
    return code, _AN_ADDRESS.sub(" ", text).casefold()


def _among(code: str, wanted: str) -> bool:
    """Whether a code is one of those; an empty list has them all."""
    return not wanted or any(_is(code, one) for one in wanted.split())


def _is(code: str, one: str) -> bool:
    """Whether a code is this one, where an x stands for any digits of its place."""
    if "." not in one:
        return len(code) == len(one) and all(wanted in ("x", digit) for digit, wanted in zip(code, one, strict=True))
    parts, wanted = code.split("."), one.split(".")
    return len(parts) == len(wanted) and all(part in (number, "x") for number, part in zip(parts, wanted, strict=True))
