"""The daemon's own settings: what tocsin.yaml, the environment and credential files may say (product.md section 3).

Decides names, types and defaults. Must not know where a value came from (`layers.py`), nor whether the people and
severities that it names exist (`configuration.py`). Secrets never show in a repr.
"""

import json
import re
from collections.abc import Iterator, Mapping
from datetime import timedelta
from email.utils import formataddr, parseaddr
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, Self
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, BeforeValidator, Field, SecretStr, ValidationError, model_validator
from pydantic.fields import FieldInfo
from pydantic_settings import BaseSettings, EnvSettingsSource, PydanticBaseSettingsSource, SettingsConfigDict

from daemon.documents import contacts, scalars
from daemon.documents.fields import Duration, Model, NamesOnce, Text
from daemon.documents.problems import Located, model_in, of_validation
from daemon.domain.problem import Problem

SQLITE = "sqlite:///"
DEFAULT_LEDGER = "sqlite:///../var/tocsin.db"


class MailTransport(StrEnum):
    """How email leaves."""

    OUTBOX = "outbox"
    SMTP = "smtp"


class SmsTransport(StrEnum):
    """How SMS leaves."""

    OUTBOX = "outbox"
    TWILIO = "twilio"


class Security(StrEnum):
    """How the connection to the mail server is protected."""

    STARTTLS = "starttls"
    TLS = "tls"
    NONE = "none"


class RepliesBy(StrEnum):
    """How SMS answers come in."""

    POLL = "poll"
    WEBHOOK = "webhook"
    OFF = "off"


def _mail_sender(text: str) -> str:
    if re.search(r"[\x00-\x1f\x7f]", text):
        raise ValueError("a sender cannot hold line breaks or control characters")
    name, address = parseaddr(text)
    checked = contacts.email(address or text)
    return formataddr((name, checked)) if name else checked


def _sms_sender(text: str) -> str:
    written = text.strip()
    if re.fullmatch(r"[0-9]{3,8}", written) or re.fullmatch(r"(?=.*[A-Za-z])[A-Za-z0-9 ]{1,11}", written):
        return written
    return contacts.phone(written)


def _url(text: str) -> str:
    try:
        parts = urlsplit(text)
        good = parts.scheme in {"http", "https"} and bool(parts.hostname) and (parts.port or 1) > 0
    except ValueError:
        good = False
    if not good or re.search(r"\s", text):
        raise ValueError(f'"{text}" is no web address; write it such as https://tocsin.example.com')
    return text.rstrip("/")


def _ledger(text: str) -> str:
    if text.startswith(("postgresql:", "postgres:")):
        raise ValueError("PostgreSQL ledgers are not supported yet; write sqlite:///../var/tocsin.db")
    if not text.startswith(SQLITE) or re.search(r"[?#]", text) or text in {SQLITE, "sqlite:///:memory:"}:
        raise ValueError("must be a SQLite file; write it such as sqlite:///../var/tocsin.db")
    return text


def _listen(text: str) -> str:
    host, colon, port = text.rpartition(":")
    if not colon or not host or not re.fullmatch(r"[0-9]{1,5}", port) or int(port) > 65535:
        raise ValueError(f'"{text}" is no address to listen on; write host:port such as 127.0.0.1:8765')
    return text


def _keys(value: Any) -> Any:
    return [value] if isinstance(value, str) else value


def _sid(prefix: str) -> Any:
    def check(text: str) -> str:
        if not re.fullmatch(rf"{prefix}[0-9A-Za-z]+", text):
            raise ValueError(f'"{text}" is no such id; it begins with {prefix}')
        return text

    return AfterValidator(check)


Url = Annotated[str, AfterValidator(_url)]
Port = Annotated[int, BeforeValidator(lambda value: scalars.whole(value) if isinstance(value, str) else value)]


class Email(Model):
    """Email: the outbox folder, or an SMTP server."""

    transport: MailTransport = MailTransport.OUTBOX
    sender: Annotated[str, AfterValidator(_mail_sender)]
    host: Text | None = None
    port: Annotated[Port, Field(ge=1, le=65535)] = 587
    security: Security = Security.STARTTLS
    username: Text | None = None
    password: SecretStr | None = None
    ca_file: Path | None = None

    @model_validator(mode="after")
    def _server(self) -> Self:
        if self.transport is MailTransport.SMTP and not self.host:
            raise ValueError("transport smtp needs `host`: the mail server's name")
        return self


class Sms(Model):
    """SMS: the outbox folder, or Twilio."""

    transport: SmsTransport = SmsTransport.OUTBOX
    sender: Annotated[str, AfterValidator(_sms_sender)] | None = None
    messaging_service_sid: Annotated[str, _sid("MG")] | None = None
    account_sid: Annotated[str, _sid("AC")] | None = None
    auth_token: SecretStr | None = None
    api_key: SecretStr | None = None
    api_secret: SecretStr | None = None
    api_url: Url | None = None

    @model_validator(mode="after")
    def _account(self) -> Self:
        if self.transport is SmsTransport.TWILIO and not self.account_sid:
            raise ValueError("transport twilio needs `account_sid`: the account's id, which begins with AC")
        if not self.sender and not self.messaging_service_sid:
            raise ValueError('needs `sender` (a number such as "+15005550006") or `messaging_service_sid`')
        if self.messaging_service_sid and self.transport is SmsTransport.OUTBOX and not self.sender:
            raise ValueError("transport outbox needs `sender`; `messaging_service_sid` is Twilio's")
        return self


class Replies(Model):
    """How SMS answers come in, and how often they are asked for."""

    by: RepliesBy = RepliesBy.POLL
    every: Duration = timedelta(seconds=10)


class Alertmanager(Model):
    """How alerts become incidents: which labels name the severity and the service."""

    severity_label: Text = "severity"
    severities: dict[str, Text] = Field(default_factory=dict)
    service_label: Text = "service"
    default_severity: Text | None = None


class Web(Model):
    """The web side's listener and its secrets. The first signing key signs, all verify."""

    listen: Annotated[str, AfterValidator(_listen)] = "127.0.0.1:8765"
    alertmanager: Alertmanager | None = None
    signing_key: Annotated[list[SecretStr], BeforeValidator(_keys)] = Field(default_factory=list)
    token: SecretStr | None = None

    @property
    def host(self) -> str:
        """The address to listen on, without brackets."""
        return self.listen.rpartition(":")[0].strip("[]")

    @property
    def port(self) -> int:
        """The port to listen on."""
        return int(self.listen.rpartition(":")[2])


class Heartbeat(Model):
    """A dead man's switch: an address pinged only after a full healthy pass."""

    url: Url | None = None
    every: Duration = timedelta(seconds=60)


class Settings(BaseSettings):
    """All settings. Paths are absolute once `layers.py` has read them; `ledger` stays a URL."""

    model_config = SettingsConfigDict(
        extra="forbid", frozen=True, env_prefix="TOCSIN_", env_nested_delimiter="__", env_ignore_empty=True
    )

    incidents: Path = Path("../incidents")
    templates: Path = Path("../templates")
    reviews: Path = Path("../reviews")
    ledger: Annotated[str, AfterValidator(_ledger)] = DEFAULT_LEDGER
    operators: NamesOnce
    last_resort: NamesOnce
    unreadable_severity: Text = "sev1"
    email: Email
    sms: Sms
    outbox: Path = Path("../var/outbox")
    replies: Replies = Field(default_factory=Replies)
    web: Web = Field(default_factory=Web)
    public_url: Url | None = None
    heartbeat: Heartbeat = Field(default_factory=Heartbeat)

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],  # noqa: ARG003 - the library's signature
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,  # noqa: ARG003
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Only what `layers.py` hands in: the process's environment is never read behind its back."""
        return (init_settings,)

    @property
    def database(self) -> Path:
        """The ledger's file."""
        return Path(self.ledger.removeprefix(SQLITE))


class _Variables(EnvSettingsSource):
    """Variables of a mapping handed in, instead of the process's environment."""

    def __init__(self, variables: Mapping[str, str]) -> None:
        super().__init__(Settings)
        self.env_vars = {name.lower(): value for name, value in variables.items() if value}

    def decode_complex_value(self, field_name: str, field: FieldInfo, value: Any) -> Any:  # noqa: ARG002
        """Lists and mappings are JSON; anything else stays text, for the setting itself to judge."""
        try:
            decoded = json.loads(value)
        except ValueError:
            return value
        return decoded if isinstance(decoded, (list, dict)) else value


def from_variables(variables: Mapping[str, str]) -> dict[str, Any]:
    """What variables (or credential files, named alike) set, nested as in tocsin.yaml."""
    return _Variables(variables)()


def build(values: Mapping[str, Any], located: Located) -> tuple[Settings | None, list[Problem]]:
    """The settings, or what is wrong with each value at the place that `located` knows."""
    try:
        return Settings(**values), []
    except ValidationError as fault:
        return None, of_validation(fault, located, (), Settings)


def paths(model: type[BaseModel] = Settings, above: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """Every setting that there is, as its keys from the top."""
    for name, info in model.model_fields.items():
        yield (*above, name)
        inner = model_in(info.annotation)
        if inner:
            yield from paths(inner, (*above, name))
