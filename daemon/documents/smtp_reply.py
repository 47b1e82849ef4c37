"""The SMTP dialogue: what the replies of a mail server mean for a mail, and our name in it (RFC 5321; rules 37, 38).

Decides from codes and texts. Must not know how they were heard, nor what silence means.
"""

import re

from daemon.domain.delivery import Accepted, Deferred, Fault, Outcome, Refused

LOGIN_WANTED = (530, 534, 535, 538)
"""The account is wrong, not the address."""
DETAIL_MOST = 200
"""Characters of a reply that are kept."""

_QUEUED_AS = re.compile(r"\bqueued as ([A-Za-z0-9._-]{1,64})", re.IGNORECASE)


def to_command(code: int, text: str) -> Outcome:
    """A reply to MAIL, RCPT or DATA that does not let us go on; nothing has left."""
    return _refusal(code, text) or Deferred(f"a reply that makes no sense: {detail(code, text)}", str(code))


def to_dot(code: int, text: str) -> Outcome | None:
    """The reply to the dot that ends a mail; None when it tells us nothing."""
    if 200 <= code < 300:
        queued = _QUEUED_AS.search(text)
        return Accepted(queued[1].rstrip("._-") if queued else "")
    return _refusal(code, text)


def while_connecting(code: int, text: str) -> Deferred:
    """A refusal of the greeting, EHLO, STARTTLS or AUTH: no address has been spoken of yet."""
    fault = Fault.PROVIDER if 500 <= code < 600 else Fault.PASSING
    return Deferred(detail(code, text), str(code), fault)


def not_carried(sender: str, to: str) -> Outcome:
    """The relay offers no SMTPUTF8, so it cannot carry one of these addresses (RFC 6531)."""
    if not sender.isascii():
        return Deferred(f"the relay offers no SMTPUTF8, which the sender {sender} needs", fault=Fault.PROVIDER)
    return Refused(f"the relay offers no SMTPUTF8, which the address {to} needs")


def our_name(machine: str, sender: str) -> str:
    """What we call ourselves in EHLO: the machine's name where it is a full one, else the sender's domain."""
    if re.fullmatch(r"[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)+", machine):
        return machine
    domain = sender.rpartition("@")[2]
    return domain if domain.isascii() and domain else "localhost"


def detail(code: int, text: str) -> str:
    """The reply on one line, shortened."""
    return " ".join(f"{code} {text}".split())[:DETAIL_MOST]


def _refusal(code: int, text: str) -> Outcome | None:
    if code in LOGIN_WANTED:
        return Deferred(detail(code, text), str(code), Fault.PROVIDER)
    if 500 <= code < 600:
        return Refused(detail(code, text), str(code))
    return Deferred(detail(code, text), str(code)) if 400 <= code < 500 else None
