"""The mail server: is its name found, does it answer, is its certificate good, does it let us in, take the sender and
mail to our readers?

Decides what is asked and what the answers mean for the operators; what they mean for a mail stands in
`adapters/smtp/dialogue.py`, what cures them in `wording/delivery`. No mail is written.
"""

import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from tocsin.adapters.smtp.connection import Step
from tocsin.adapters.smtp.dialogue import Relay
from tocsin.adapters.smtp.inspection import RelayInspection, inspect_relay
from tocsin.app.doctor.check import WITH_SECRETS, Check, Resolve, not_tried
from tocsin.domain.delivery import Deferred, Fault, Outcome, Refused
from tocsin.domain.people import Channel
from tocsin.wording.delivery.answer_words import cure, for_provider, provider_cure

ANSWERS_WITHIN = 9.0
"""Seconds for a server to go through all of it."""
ENDS_SOON = timedelta(days=14)
"""So long before its end a certificate is warned of: whoever renews it has not."""
NAME, CONNECT, TLS, CERTIFICATE, LOGIN, SENDER, READER = CODES = (
    "relay-name", "relay-connect", "relay-tls", "relay-certificate", "relay-login", "relay-sender", "relay-reader",
)  # fmt: skip
SUBJECTS = {
    CONNECT: "no connection",
    TLS: "no TLS",
    CERTIFICATE: "its certificate is not good",
    LOGIN: "it does not let us in",
    SENDER: "it does not take the sender",
    READER: "it takes no mail to {reader}",
}
"""What goes wrong there, before the words of the server or the system."""
GENERAL_CURES = {
    CONNECT: "are email.host and email.port right, and does a firewall let this machine out to them?",
    TLS: "are email.port and email.security right, and can email.ca_file be read?",
    LOGIN: "are email.username and TOCSIN_EMAIL__PASSWORD right?",
    SENDER: "use an email.sender of a domain that this server sends for, or log in",
    READER: "log in (email.username), or have whoever runs the server let this machine send to that domain",
    CERTIFICATE: "are email.host and email.ca_file right?",
}
"""What to look at where the server's answer tells no more."""
SILENT_CURE = "is email.host the server for sending, and email.port its port? Its log may say more"
"""And where it said nothing at all, or ended the talk."""


@dataclass(frozen=True, slots=True)
class MailServer:
    """One provider of email. `name` is empty for the first; `secret_lacks` names the
    variable of a password that it wants and nobody here has. `setting` is where it stands in the settings. `readers`
    are addresses that it is to take mail to.
    """

    relay: Relay
    sender: str
    ca_file: Path | None = None
    secret_lacks: str = ""
    name: str = ""
    setting: str = "email"
    readers: tuple[str, ...] = ()

    @property
    def target(self) -> str:
        """What it is called."""
        return f"{self.name} ({self.relay})" if self.name else str(self.relay)


async def examine_relay(server: MailServer, resolve: Resolve, now: datetime) -> list[Check]:
    """All there is to see of a server without sending anything."""
    found = await resolve(server.relay.host)
    if isinstance(found, str):
        cure = f"is {server.setting}.host right, and does this machine find other names (getent hosts example.com)?"
        first = Check(NAME, server.target, False, f"{server.relay.host} {found}", cure)
        return [first, *not_tried(CODES[1:], server.target, "its name is not found")]
    first = Check(NAME, server.target, True, f"{server.relay.host} is {found[0]}{_more(found)}")
    inspection = await inspect_relay(
        server.relay,
        server.sender,
        ca_file=server.ca_file,
        with_sender=not server.secret_lacks,
        within=ANSWERS_WITHIN,
        readers=server.readers,
    )
    return [first, *judge(server, inspection, now)]


def judge(server: MailServer, inspection: RelayInspection, now: datetime) -> list[Check]:
    """What an inspection says, in the order in which it went."""
    step, failure = inspection.step, inspection.failure
    if failure is not None and step is Step.CONNECT and isinstance(failure, Deferred) and failure.code == "tls":
        step = Step.TLS  # from the first byte
    failed = {Step.CONNECT: CONNECT, Step.TLS: TLS, Step.LOGIN: LOGIN, Step.SENDER: SENDER, Step.READER: READER}[step]
    if failed == TLS and failure is not None and "certificate" in failure_words(failure).lower():
        failed = CERTIFICATE
    checks = []
    for code in CODES[1:]:
        if failure is not None and code == failed:
            checks.append(_failed(server, code, failure, inspection.reader))
            return checks + not_tried(CODES[CODES.index(code) + 1 :], server.target, "the step before it failed")
        checks.append(_passed(server, code, inspection, now))
    return checks


def failure_words(outcome: Outcome) -> str:
    """What went wrong, in the server's own words or the system's, without what only a program reads."""
    detail = getattr(outcome, "detail", "")
    said = re.sub(r".*certificate verify failed: ", "", detail)
    return re.sub(r" \(_ssl\.c:\d+\)", "", said)


def _passed(server: MailServer, code: str, inspection: RelayInspection, now: datetime) -> Check:
    """A step that went well, or was not asked for."""
    target, secured = server.target, server.relay.security != "none"
    if code == CONNECT:
        return Check(code, target, True, "it answers")
    if code == TLS:
        if secured:
            return Check(code, target, True, f"{inspection.tls or 'TLS'} by {server.relay.security}")
        return Check(code, target, None, f"not tried: {server.setting}.security is none")
    if code == CERTIFICATE:
        return _certificate(server, inspection.certificate_until, now)
    if server.secret_lacks:
        return _secret_lacks(server, code)
    if code == LOGIN:
        if server.relay.login is None:
            return Check(code, target, None, f"not tried: {server.setting}.username is not set")
        return Check(code, target, True, f"it lets {server.relay.login[0]} in")
    if code == SENDER:
        return Check(code, target, True, f"it takes mail from {server.sender}")
    if not server.readers:
        return Check(code, target, None, "not tried: nobody in the config has an address of email")
    return Check(code, target, True, f"it takes mail to {', '.join(server.readers)}")


def _certificate(server: MailServer, until: datetime | None, now: datetime) -> Check:
    if until is None:
        return Check(CERTIFICATE, server.target, None, f"not tried: {server.setting}.security is none")
    days = (until.date() - now.date()).days
    left = f"in {days} day{'s' * (days != 1)}" if days else "today"
    message = f"its certificate is good, its last day is {until:%Y-%m-%d} ({left})"
    cure = "have whoever runs the server renew it: after that day no mail leaves" if until - now < ENDS_SOON else ""
    return Check(CERTIFICATE, server.target, True, message, cure)


def _secret_lacks(server: MailServer, code: str) -> Check:
    return Check(code, server.target, None, f"not tried: {server.secret_lacks} is not known here", WITH_SECRETS)


def _failed(server: MailServer, code: str, failure: Outcome, reader: str) -> Check:
    """A step that failed; one that time may cure (greylisting, a busy server) does not count as that."""
    said = failure_words(failure)
    passing = isinstance(failure, Deferred) and failure.fault is Fault.PASSING and failure.code[:1] == "4"
    if passing:
        return Check(code, server.target, True, f"not now: {said}", "try again in some minutes, as tocsin would")
    silent = isinstance(failure, Deferred) and failure.fault is Fault.PASSING and code != CONNECT
    general, subject = SILENT_CURE if silent else GENERAL_CURES[code], SUBJECTS[code]
    if code == READER and isinstance(failure, Refused):
        return Check(
            code, server.target, False, f"{subject.format(reader=reader)}: {said}", cure(Channel.EMAIL, failure)
        )
    blamed = Deferred(said, failure.code, Fault.PROVIDER) if isinstance(failure, Refused) else failure
    remedy = for_provider(provider_cure(Channel.EMAIL, blamed) or general, "email", server.setting)
    return Check(code, server.target, False, f"{subject.format(reader=reader)}: {said}", remedy)


def _more(found: tuple[str, ...]) -> str:
    return f" (and {len(found) - 1} more)" if len(found) > 1 else ""
