"""Good settings that may still not do what was meant: a secret that nothing gives, values that do not go together.

Warnings only: a check in a pipeline has no secrets, and `ack` needs none. Must not know where a value came from.
"""

from collections.abc import Iterator
from ipaddress import ip_address
from urllib.parse import urlsplit

from tocsin.domain.people import MAIN
from tocsin.domain.problem import Problem, ProblemLevel
from tocsin.formats.schema.pydantic_problems import Located
from tocsin.formats.settings.providers import Security, SmsTransport
from tocsin.formats.settings.settings import RepliesBy, Settings
from tocsin.formats.settings.variables import FALLBACKS, variable
from tocsin.text.yaml import KeyPath

LACKING = "missing-secret"
"""The code of a secret that the settings ask for and nothing gives."""
DOUBTFUL = "doubtful"
"""The code of values that do not go well together."""
LONG_HOST = "long-host"
"""The code of a `public_url` whose links do not fit in every SMS: `check` refuses it, the daemon goes on (R42)."""
HOST_MOST = 40
"""Letters of `public_url` behind its scheme, so that a link fits in an SMS beside what must stand there."""
LONG_ORGANISATION = "long-organisation"
"""The code of an `organisation` that fills what a locked phone shows of an SMS."""
ORGANISATION_MOST = 20
"""Letters of `organisation` that leave a phone's preview of 40 room for the severity and the title."""
SWAPPED = {(Security.TLS, 587): (465, Security.STARTTLS), (Security.STARTTLS, 465): (587, Security.TLS)}
"""What is written where the other was meant: the port that usually goes with it, and what this port speaks."""
KEY_LEAST = 16
"""Characters of a signing key, and of the web side's token, below which `check` warns."""


def advise_on_settings(settings: Settings, located: Located) -> Iterator[Problem]:
    """Every warning about these settings, at its place."""
    for path in _missing_secrets(settings):
        name = variable(path)
        message = f"{_shown(path)} is missing; set {name}, or a credential file {name.lower()}"
        yield located.problem(path, LACKING, message, level=ProblemLevel.WARNING)
    for path, message in (*_doubts(settings), *_doubts_about_fallbacks(settings), *_doubts_about_senders(settings)):
        yield located.problem(path, DOUBTFUL, message, level=ProblemLevel.WARNING)
    length = len((settings.public_url or "").partition("://")[2])
    if length > HOST_MOST:
        message = f"public_url has {length} letters behind its ://, and a link in an SMS has room for {HOST_MOST}"
        cure = "use a shorter host name, or SMS name the command where they cannot be answered"
        yield located.problem(("public_url",), LONG_HOST, f"{message}: {cure}", level=ProblemLevel.WARNING)
    length = len(settings.organisation or "")
    if length > ORGANISATION_MOST:
        message = (
            f"organisation has {length} letters and stands before every SMS, of which a locked phone shows some 40"
        )
        cure = f"write a name of at most {ORGANISATION_MOST}, so that severity and title are seen"
        yield located.problem(("organisation",), LONG_ORGANISATION, f"{message}: {cure}", level=ProblemLevel.WARNING)


def short_secrets(settings: Settings) -> Iterator[tuple[KeyPath, str]]:
    """Secrets of the web side that can be guessed."""
    cure = "can be guessed; make one such as with openssl rand -hex 32"
    if any(len(key.get_secret_value()) < KEY_LEAST for key in settings.web.signing_key):
        yield ("web", "signing_key"), f"web.signing_key holds a key of fewer than {KEY_LEAST} characters, which {cure}"
    token = settings.web.token
    if token and len(token.get_secret_value()) < KEY_LEAST:
        yield ("web", "token"), f"web.token has fewer than {KEY_LEAST} characters, so it {cure}"


def needless_secrets(settings: Settings) -> list[str]:
    """The variables of secrets that only the daemon needs, those that are given: a web side apart should hold none."""
    mail = [(*_path("email", name), "password") for name, of in settings.email.providers.items() if of.password]
    sms = [
        (*_path("sms", name), secret)
        for name, of in settings.sms.providers.items()
        for secret in ("auth_token", "api_key", "api_secret")
        if getattr(of, secret)
    ]
    return [variable(path) for path in (*mail, *sms)]


def missing_sms_secret(settings: Settings, name: str) -> str:
    """The variable that gives the secret which this SMS account lacks; empty if it lacks none."""
    place = _path("sms", name)
    return next((variable(path) for path in _missing_secrets(settings) if path[:-1] == place), "")


def _shown(path: KeyPath) -> str:
    """A setting as people write it."""
    return ".".join(map(str, path))


def _path(section: str, name: str) -> KeyPath:
    """Where a provider stands."""
    return (section,) if name == MAIN else (section, FALLBACKS, name)


def _missing_secrets(settings: Settings) -> Iterator[KeyPath]:
    """Secrets that the settings ask for and no layer has."""
    for name, mail in settings.email.providers.items():
        if mail.username and not mail.password:
            yield (*_path("email", name), "password")
    for name, account in settings.sms.providers.items():
        if account.api_key and not account.api_secret:
            yield (*_path("sms", name), "api_secret")
        if account.transport is SmsTransport.TWILIO and not account.api_key and not account.auth_token:
            yield (*_path("sms", name), "auth_token")
    if settings.web.alertmanager and not settings.web.token:
        yield ("web", "token")
    if settings.public_url and not settings.web.signing_key:
        yield ("web", "signing_key")


def _doubts(settings: Settings) -> Iterator[tuple[KeyPath, str]]:
    """Settings that do not go together well."""
    for name, mail in settings.email.providers.items():
        path = _path("email", name)
        where = _shown(path)
        if mail.username and mail.security is Security.NONE and not _is_here(mail.host or ""):
            doubt = f"{where}.security none sends the password in the clear; write starttls or tls"
            yield (*path, "security"), doubt
        if meant := SWAPPED.get((mail.security, mail.port)):
            port, security = meant
            on_that = f"on {mail.port} it is {security.value}"
            yield (*path, "port"), f"{where}.security {mail.security.value} usually goes with port {port}; {on_that}"
    for name, account in settings.sms.providers.items():
        path = (*_path("sms", name), "api_url")
        if _in_the_clear(account.api_url or ""):
            yield path, f"{_shown(path)} is not https: the account's secret and every text travel in the clear"
        if settings.replies.by is RepliesBy.WEBHOOK and account.api_key and not account.auth_token:
            token = variable((*_path("sms", name), "auth_token"))
            yield (
                ("replies", "by"),
                f"replies.by webhook needs {token} beside the API key: no webhook can be checked without it",
            )
    if settings.replies.by is RepliesBy.WEBHOOK and not settings.public_url:
        yield ("replies", "by"), "replies.by webhook needs public_url: the address that the provider calls"
    yield from short_secrets(settings)
    if any(network.prefixlen == 0 for network in settings.web.proxies):
        yield (
            ("web", "proxies"),
            "web.proxies holds every address, so whoever asks can name another; name the proxies alone",
        )
    if _in_the_clear(settings.heartbeat.url or ""):
        yield ("heartbeat", "url"), "heartbeat.url is not https: whoever listens on the way can ping in its place"
    if _in_the_clear(settings.public_url or ""):
        yield (
            ("public_url",),
            "public_url is not https: whoever listens on the way reads the links, and can answer by them",
        )
    if below := urlsplit(settings.public_url or "").path.strip("/"):
        yield (
            ("public_url",),
            f"public_url has a path (/{below}), and pages lead to the root of their host: nobody can sign in there; "
            "give the web side a host name of its own",
        )


def _doubts_about_fallbacks(settings: Settings) -> Iterator[tuple[KeyPath, str]]:
    """Fallbacks that are sick whenever the provider before them is."""
    for section, providers in (("email", settings.email.providers), ("sms", settings.sms.providers)):
        seen: dict[tuple[object, ...], str] = {}
        for name, provider in providers.items():
            other = seen.setdefault(provider.place, name)
            if other != name:
                path, first = _path(section, name), _shown(_path(section, other))
                what = "server" if section == "email" else "account and sender"
                yield path, f"{_shown(path)} is the same {what} as {first}: when one is sick, both are"


def _doubts_about_senders(settings: Settings) -> Iterator[tuple[KeyPath, str]]:
    """Senders that are names: whoever reads such an SMS cannot answer it (rule 42)."""
    providers = settings.sms.providers if settings.sms.transport is SmsTransport.TWILIO else {}
    for name, account in providers.items():
        senders, path = account.by_number, _path("sms", name)
        others = [other.by_number for known, other in providers.items() if known != name]
        by_prefix = {prefix: (*path, "senders", prefix) for prefix in senders.prefixes}
        for number, setting in {"": (*path, "sender"), **by_prefix}.items():
            if senders.answerable(number):
                continue
            name_of = f"{_shown(setting)} is a name, which cannot be answered"
            whose = f" to {number}…" if number else ""
            if not settings.public_url:
                yield setting, f"{name_of}, and without public_url an SMS carries no link either"
            elif any(other.answerable(number) for other in others):
                yield setting, f"{name_of}: so no SMS{whose} offers `ok`, by whichever provider; name a number"


def _in_the_clear(url: str) -> bool:
    """Whether an address travels unencrypted, beyond this machine."""
    parts = urlsplit(url)
    return parts.scheme == "http" and not _is_here(parts.hostname or "")


def _is_here(host: str) -> bool:
    """Whether what goes to a host stays on this machine."""
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False
