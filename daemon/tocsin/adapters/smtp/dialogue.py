"""The SMTP dialogue without its sockets: what is said to announce a mail, and what the replies mean for it (RFC 5321).

It must not know how the bytes travel, nor what silence means.

    where                     reply                                 outcome
    MAIL, RCPT, DATA          nonsense: nothing has left            deferred
    the mail, before its dot  nonsense: nothing has left            deferred
    the dot                   nonsense: nobody knows                uncertain
    anywhere                  4xx or 5xx                            as `wording/delivery/smtp_verdicts.py` has it:
                                                                    refused if it is the address's or this mail's
                                                                    fault, else deferred
"""

import re
from dataclasses import dataclass, field

from tocsin.domain.delivery import Accepted, Deferred, Fault, Outcome, Refused, Uncertain
from tocsin.wording.delivery.smtp_verdicts import FROM_RCPT, Place, smtp_verdict

DETAIL_MOST = 200
"""Characters of a reply that are kept."""
REPLY_MOST = 32 * 1024
"""Octets of one reply that are read."""
RSET, DATA, DOT, QUIT = b"RSET\r\n", b"DATA\r\n", b".\r\n", b"QUIT\r\n"
_PLACES = {b"RCPT": Place.RCPT, b"DATA": Place.DATA}

_QUEUED_AS = re.compile(r"\bqueued as ([A-Za-z0-9._-]{1,64})", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Relay:
    """Where a mail server is and how it wants to be spoken to. `security` is `starttls`, `tls` (from the first byte) or
    `none`; there is no falling back from the first two. `login` is a name and a password.
    """

    host: str
    port: int
    security: str
    login: tuple[str, str] | None = field(repr=False)

    def __str__(self) -> str:
        return f"{self.host}:{self.port}"


@dataclass(frozen=True, slots=True)
class SmtpReply:
    """One reply, its lines joined. Code 0: it was no reply as the protocol has them."""

    code: int
    text: str

    @property
    def refuses(self) -> bool:
        """Whether it is a refusal, for good or for now, as the protocol has them."""
        return 400 <= self.code < 600

    def __str__(self) -> str:
        return " ".join(f"{self.code or ''} {self.text}".split())[:DETAIL_MOST]


class ReplyReader:
    """Bytes in, whole replies out, however the bytes are cut."""

    def __init__(self) -> None:
        self._rest = b""
        self._lines: list[str] = []
        self._size = 0

    def feed(self, data: bytes) -> list[SmtpReply]:
        """The replies that these bytes complete."""
        *lines, self._rest = (self._rest + data).split(b"\n")
        replies = []
        self._size += len(data)
        for line in lines:
            self._lines.append(line[4:].strip().decode("utf-8", "replace"))
            if not line[:3].isdigit():
                replies.append(self._end(0, line.decode("utf-8", "replace")))
            elif line[3:4] != b"-":
                replies.append(self._end(int(line[:3]), " ".join(self._lines)))
        if self._size > REPLY_MOST:
            self._rest = b""
            replies.append(self._end(0, "a reply without an end"))
        return replies

    def _end(self, code: int, text: str) -> SmtpReply:
        self._lines, self._size = [], 0
        return SmtpReply(code, text)


def envelope_commands(sender: str, to: str, *, again: bool) -> tuple[bytes, ...]:
    """The commands that announce a mail. `again`: one was announced before on this connection and not ended."""
    utf8 = b"" if sender.isascii() and to.isascii() else b" SMTPUTF8 BODY=8BITMIME"
    mail = b"MAIL FROM:<" + sender.encode("utf-8", "replace") + b">" + utf8 + b"\r\n"
    rcpt = b"RCPT TO:<" + to.encode("utf-8", "replace") + b">\r\n"
    return (RSET, mail, rcpt, DATA) if again else (mail, rcpt, DATA)


def dot_stuffed(mail: bytes) -> bytes:
    """The mail as it is written after DATA, up to its `DOT`. It begins with a header, so never with a dot."""
    return mail.replace(b"\r\n.", b"\r\n..") + (b"" if mail.endswith(b"\r\n") else b"\r\n")


def after_command(command: bytes, reply: SmtpReply) -> Outcome | None:
    """What a reply to one of the announcing commands means; None: go on."""
    if reply.code in ((354,) if command == DATA else (250, 251)):
        return None
    place = _PLACES.get(command[:4], Place.MAIL)
    return _refusal(place, reply) or Deferred(f"a reply that makes no sense: {reply}", str(reply.code))


def before_the_dot(reply: SmtpReply) -> Outcome:
    """What a reply means that came while the mail was still written: there is no mail without its dot."""
    made_no_sense = Deferred(f"a reply before the end of the mail that makes no sense: {reply}", str(reply.code))
    return _refusal(Place.DOT, reply) or made_no_sense


def after_mail(reply: SmtpReply) -> Outcome:
    """What the reply to the dot that ends a mail means."""
    if 200 <= reply.code < 300:
        match = _QUEUED_AS.search(reply.text)
        return Accepted(match[1].rstrip("._-") if match else "")
    return _refusal(Place.DOT, reply) or Uncertain(f"a reply to the mail that makes no sense: {reply}", str(reply.code))


def while_connecting(reply: SmtpReply) -> Deferred:
    """A refusal of the greeting, EHLO, STARTTLS or AUTH: no address has been spoken of yet."""
    outcome = _refusal(Place.CONNECT, reply)
    return outcome if isinstance(outcome, Deferred) else Deferred(str(reply), str(reply.code))


def not_carried(sender: str, to: str) -> Outcome:
    """The relay offers no SMTPUTF8, so it cannot carry a mail from or to one of these addresses (RFC 6531)."""
    if not sender.isascii():
        return Deferred(f"the relay offers no SMTPUTF8, which the sender {sender} needs", fault=Fault.PROVIDER)
    return Refused(f"the relay offers no SMTPUTF8, which the address {to} needs", fault=Fault.MESSAGE)


def our_name(machine: str, sender: str) -> str:
    """What we call ourselves in EHLO: the machine's name where it is a full one, else the sender's domain."""
    if re.fullmatch(r"[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)+", machine):
        return machine
    domain = sender.rpartition("@")[2]
    return domain if domain.isascii() and domain else "localhost"


def _refusal(place: Place, reply: SmtpReply) -> Deferred | Refused | None:
    if not reply.refuses:
        return None
    fault = smtp_verdict(place, reply.code, reply.text).fault
    if fault in (Fault.ADDRESS, Fault.MESSAGE):
        return Refused(str(reply), str(reply.code), fault)
    recipient = fault is Fault.PROVIDER and place in FROM_RCPT
    return Deferred(str(reply), str(reply.code), fault, recipient=recipient)
