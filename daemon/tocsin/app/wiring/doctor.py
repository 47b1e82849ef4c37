"""What `tocsin doctor` looks at, as the settings say: the providers of each channel, and this machine."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from pathlib import Path

from tocsin.adapters.clock import is_synchronized
from tocsin.adapters.dns.resolver import Resolver
from tocsin.adapters.files.disk_threads import DiskThreads
from tocsin.adapters.ledger.journal.journal import Journal
from tocsin.adapters.smtp.dialogue import Relay
from tocsin.adapters.twilio.account import TwilioAccount
from tocsin.app.configuration.load import Configuration
from tocsin.app.doctor import machine, machines, mail_domain, relay, sms_account
from tocsin.app.doctor.check import Check, not_tried
from tocsin.app.doctor.examine import Examination, resolve
from tocsin.app.doctor.relay import MailServer
from tocsin.app.doctor.sms_account import SmsAccount
from tocsin.app.leadership.this_node import key_fingerprint
from tocsin.domain.people import MAIN
from tocsin.domain.policy import Policy
from tocsin.formats.settings.providers import EmailProvider, MailTransport, SmsProvider, SmsTransport
from tocsin.formats.settings.settings import Settings, reply_routes
from tocsin.formats.settings.variables import variable
from tocsin.planning.machines.clocks import ahead_at_least
from tocsin.ports.clock import Clock
from tocsin.ports.dns import DnsResolver
from tocsin.ports.leadership import Machines
from tocsin.ports.ledger.ledger import Ledger
from tocsin.ports.ledger.trouble import LedgerError
from tocsin.wording.message.email import Letterhead

FIND = partial(resolve, DiskThreads)
"""How hosts are found: as the daemon does, in a thread of their own."""
READERS_MOST = 5
"""Domains of readers that a mail server is asked about."""
OUTBOX = "messages go to the outbox: nothing leaves"


@dataclass(frozen=True, slots=True)
class DoctorOptions:
    """What somebody names beside the config: another resolver, the selector of the DKIM key."""

    resolver: str = ""
    resolver_port: int = 53
    selector: str = ""


@dataclass(frozen=True, slots=True)
class OpenedInstallation:
    """What is looked at: the config in force, where it lies, and the ledger, or why it cannot be opened; the machines
    that share it, where it lies on a server, and this one's name among them.
    """

    good: Configuration
    folder: Path
    ledger: Ledger | None
    ledger_trouble: str
    machines: Callable[[], Awaitable[Machines]] | None = None
    name: str = ""


def make_examinations(opened: OpenedInstallation, options: DoctorOptions, clock: Clock) -> list[Examination]:
    """Everything, in the order in which it is told."""
    settings, policy, now = opened.good.settings, opened.good.policy, clock.now()
    assert settings is not None
    assert policy is not None
    clock_checks = partial(machine.examine_clock, is_synchronized(), shared=opened.machines is not None)
    resolver = Resolver(options.resolver, options.resolver_port)
    return [
        *_email(settings, policy, resolver, options, now),
        *_sms(settings, policy, clock),
        Examination(
            "folders and disks", machine.FOLDER, partial(machine.examine_places, settings, opened.folder, DiskThreads)
        ),
        Examination("the clock", machine.CLOCK, clock_checks),
        Examination("the daemon", machine.DAEMON, partial(_daemon, opened, settings, clock)),
        Examination("from outside", machine.PUBLIC_URL, partial(machine.examine_outside, settings, FIND)),
    ]


async def _daemon(opened: OpenedInstallation, settings: Settings, clock: Clock) -> list[Check]:
    now = clock.now()
    ledger = await machine.examine_ledger(opened.good.ledger, opened.ledger, opened.ledger_trouble, now)
    daemon = await machine.examine_daemon(settings.incidents, now, DiskThreads)
    return [*ledger, *daemon, *await _machines(opened, settings, clock, runs_here=any(check.ok for check in daemon))]


async def _machines(opened: OpenedInstallation, settings: Settings, clock: Clock, *, runs_here: bool) -> list[Check]:
    if opened.machines is None:
        return []
    try:
        asked = clock.now()
        all_machines = await opened.machines()
        ahead = ahead_at_least(asked, all_machines.now, clock.now())
    except LedgerError:  # told by the check of the ledger
        return []
    folder = str(settings.incidents)
    key = key_fingerprint(reply_routes(settings).keys)
    taken = (
        *filter(None, (machines.taken_by_another(all_machines, opened.name, folder, runs_here=runs_here),)),
        *machines.stranger(all_machines, opened.name, folder, key, runs_here=runs_here),
    )
    return machines.examine_machines(all_machines, taken, (await Journal.open(settings.state)).known(), ahead)


def _email(
    settings: Settings, policy: Policy, resolver: DnsResolver, options: DoctorOptions, now: datetime
) -> list[Examination]:
    """Each mail server, and each domain that mail comes from."""
    examinations, domains = [], []
    for name, email in settings.email.providers.items():
        title = _title("email", name)
        if email.transport is MailTransport.OUTBOX:
            checks = not_tried((*relay.CODES, *mail_domain.CODES), title, OUTBOX)
            examinations.append(Examination(title, relay.CONNECT, partial(_known, checks)))
            continue
        server = _mail_server(name, email, _readers(policy))
        work: Callable[[], Awaitable[list[Check]]] = partial(relay.examine_relay, server, FIND, now)
        examinations.append(Examination(f"{title}: {server.relay}", relay.CONNECT, work))
        domain = Letterhead(email.sender).address.rpartition("@")[2].lower()
        if domain not in domains:
            domains.append(domain)
    for domain in domains:
        if mail_domain.is_example(domain) and not options.resolver:
            why = f"{domain} is a domain for examples or of a private network, which DNS does not serve"
            work = partial(_known, not_tried(mail_domain.CODES, domain, why))
        else:
            work = partial(mail_domain.examine_domain, domain, resolver, options.selector)
        examinations.append(Examination(f"DNS of {domain}", mail_domain.RESOLVER, work))
    return examinations


def _readers(policy: Policy) -> tuple[str, ...]:
    """One address of each domain that mail goes to, the operators' first: many a relay denies other domains alone."""
    people = [*(policy.people[name] for name in policy.operators if name in policy.people), *policy.people.values()]
    addresses = [person.email for person in people]
    addresses += [address for group in policy.stakeholders.values() for address in group.emails]
    by_domain: dict[str, str] = {}
    for address in addresses:
        if address and address.isascii():
            by_domain.setdefault(address.rpartition("@")[2].lower(), address)
    return tuple(by_domain.values())[:READERS_MOST]


def _mail_server(name: str, email: EmailProvider, readers: tuple[str, ...]) -> MailServer:
    password = email.password.get_secret_value() if email.password else ""
    login = (email.username, password) if email.username and password else None
    path = _path("email", name)
    return MailServer(
        Relay(email.host or "", email.port, email.security.value, login),
        sender=email.sender,
        ca_file=email.ca_file,
        secret_lacks=variable((*path, "password")) if email.username and not password else "",
        name="" if name == MAIN else name,
        setting=".".join(path),
        readers=readers,
    )


def _path(section: str, name: str) -> tuple[str, ...]:
    """Where a provider stands in the settings."""
    return (section,) if name == MAIN else (section, "fallbacks", name)


def _title(channel: str, name: str) -> str:
    return channel if name == MAIN else f"{channel} by {name}"


def _sms(settings: Settings, policy: Policy, clock: Clock) -> list[Examination]:
    """Each SMS account."""
    phones = {person.id: person.phone for person in policy.people.values() if person.phone}
    examinations = []
    for name, sms in settings.sms.providers.items():
        title = _title("SMS", name)
        if sms.transport is SmsTransport.OUTBOX:
            checks = not_tried(sms_account.CODES, title, OUTBOX)
            examinations.append(Examination(title, sms_account.LOGIN, partial(_known, checks)))
            continue
        provider = _sms_account(name, sms, clock)
        host = sms_account.host_of(sms.api_url or "")
        work = partial(sms_account.examine_provider, provider, phones, host, FIND)
        examinations.append(Examination(f"{title}: account {provider.sid}", sms_account.LOGIN, work))
    return examinations


def _sms_account(name: str, sms: SmsProvider, clock: Clock) -> SmsAccount:
    path = _path("sms", name)
    token = sms.auth_token[0].get_secret_value() if sms.auth_token else ""
    key = sms.api_key.get_secret_value() if sms.api_key else ""
    secret = sms.api_secret.get_secret_value() if sms.api_secret else ""
    account, lacks = None, variable((*path, "api_secret" if key else "auth_token"))
    if (key and secret) or (token and not key):
        account = TwilioAccount(
            account_sid=sms.account_sid or "",
            auth_token=token,
            api_key=key,
            api_secret=secret,
            api_url=sms.api_url or "",
            clock=clock,
        )
    return SmsAccount(
        sid=sms.account_sid or "",
        account=account,
        senders=sms.by_number,
        service=sms.messaging_service_sid or "",
        name="" if name == MAIN else name,
        setting=".".join(path),
        secret_lacks="" if account else lacks,
    )


async def _known(checks: list[Check]) -> list[Check]:
    """What needs no look."""
    return checks
