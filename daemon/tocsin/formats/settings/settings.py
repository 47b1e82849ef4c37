"""The daemon's own settings: what tocsin.yaml, the environment and credential files may say.

Decides names, types and defaults. Must not know where a value came from (`layers`), nor whether the people and
severities that it names exist (`app/configuration`). Secrets never show in a repr.
"""

import json
import re
from collections.abc import Iterator, Mapping
from datetime import timedelta
from enum import StrEnum
from pathlib import Path
from typing import Any, Self

from pydantic import BaseModel, Field, ValidationError, model_validator
from pydantic.fields import FieldInfo
from pydantic_settings import BaseSettings, EnvSettingsSource, PydanticBaseSettingsSource, SettingsConfigDict

from tocsin.domain.problem import Problem
from tocsin.formats.schema.fields import Called, Duration, Model, NamesOnce, Text
from tocsin.formats.schema.pydantic_problems import Located, model_in, validation_problems
from tocsin.formats.settings.reply_routes import ReplyRoutes
from tocsin.formats.settings.types import (
    SQLITE,
    AccountSid,
    FilePath,
    LedgerUrl,
    Listen,
    MailSender,
    Port,
    Secret,
    Secrets,
    ServiceSid,
    SmsSender,
    Url,
)

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


class EmailSettings(Model):
    """Email: the outbox folder, or an SMTP server."""

    transport: MailTransport = Field(MailTransport.OUTBOX, description="outbox writes files; smtp sends")
    sender: MailSender = Field(description="what emails come from: Incidents <incidents@example.com>")
    host: Text | None = Field(None, description="the mail server's name")
    port: Port = Field(587, description="the mail server's port")
    security: Security = Field(Security.STARTTLS, description="how the connection is protected")
    username: Text | None = Field(None, description="who logs in; the password is TOCSIN_EMAIL__PASSWORD")
    password: Secret = None
    ca_file: FilePath | None = Field(None, description="further authorities to trust, a PEM file relative to this one")

    @model_validator(mode="after")
    def _server(self) -> Self:
        if self.transport is MailTransport.SMTP and not self.host:
            raise ValueError("transport smtp needs `host`: the mail server's name")
        return self


class SmsSettings(Model):
    """SMS: the outbox folder, or Twilio."""

    transport: SmsTransport = Field(SmsTransport.OUTBOX, description="outbox writes files; twilio sends")
    sender: SmsSender | None = Field(None, description="the number, short code or name that SMS come from")
    messaging_service_sid: ServiceSid | None = Field(
        None, description="a Twilio messaging service, instead of `sender`"
    )
    account_sid: AccountSid | None = Field(None, description="the Twilio account; the token is TOCSIN_SMS__AUTH_TOKEN")
    auth_token: Secrets = Field(default_factory=list)  # two while it is being changed: the first sends, all verify
    api_key: Secret = None
    api_secret: Secret = None
    api_url: Url | None = Field(None, description="replaces scheme and host of the provider's API")

    @model_validator(mode="after")
    def _account(self) -> Self:
        if self.transport is SmsTransport.TWILIO and not self.account_sid:
            raise ValueError("transport twilio needs `account_sid`: the account's id, which begins with AC")
        if not self.sender and not self.messaging_service_sid:
            raise ValueError('needs `sender` (a number such as "+15005550006") or `messaging_service_sid`')
        if self.messaging_service_sid and self.transport is SmsTransport.OUTBOX and not self.sender:
            raise ValueError("transport outbox needs `sender`; `messaging_service_sid` is Twilio's")
        return self


class RepliesSettings(Model):
    """How SMS answers come in, and how often they are asked for."""

    by: RepliesBy = Field(default=RepliesBy.POLL, description="poll needs no open port; webhook needs `public_url`")
    every: Duration = Field(default=timedelta(seconds=10), description="how often the provider is asked")


class AlertmanagerSettings(Model):
    """How alerts become incidents: which labels name the severity and the service."""

    severity_label: Text = Field(default="severity", description="the label that names the severity")
    severities: dict[str, Called] = Field(default_factory=dict, description="severities by the label's values")
    service_label: Text = Field(default="service", description="the label that names the service")
    default_severity: Called | None = Field(
        default=None, description="the severity of an alert whose label says nothing known"
    )


class WebSettings(Model):
    """The web side's listener and its secrets. The first signing key signs, all verify."""

    listen: Listen = Field(default="127.0.0.1:8765", description="host:port that `tocsin web` listens on")
    alertmanager: AlertmanagerSettings | None = Field(default=None, description="how alerts become incidents")
    signing_key: Secrets = Field(default_factory=list)
    token: Secret = None

    @property
    def host(self) -> str:
        """The address to listen on, without brackets."""
        return self.listen.rpartition(":")[0].strip("[]")

    @property
    def port(self) -> int:
        """The port to listen on."""
        return int(self.listen.rpartition(":")[2])


class HeartbeatSettings(Model):
    """A dead man's switch: an address pinged only after a full healthy pass."""

    url: Url | None = Field(default=None, description="pinged after each full healthy pass")
    every: Duration = Field(default=timedelta(seconds=60), description="time between two pings")


class Settings(BaseSettings):
    """All settings. Paths are absolute once `layers` has read them; `ledger` stays a URL."""

    model_config = SettingsConfigDict(
        extra="forbid", frozen=True, env_prefix="TOCSIN_", env_nested_delimiter="__", env_ignore_empty=True
    )

    incidents: FilePath = Field(Path("../incidents"), description="the folder of incident files")
    templates: FilePath = Field(Path("../templates"), description="the folder of templates of your own")
    reviews: FilePath = Field(Path("../reviews"), description="the folder that review drafts are written to")
    ledger: LedgerUrl = Field(DEFAULT_LEDGER, description="where everything sent is recorded")
    operators: NamesOnce = Field(description="people who are told when the daemon itself has trouble")
    last_resort: NamesOnce = Field(description="people who are paged when a chain reaches nobody or nobody answers")
    unreadable_severity: Called = Field("sev1", description="how a file whose severity can't be read is treated")
    email: EmailSettings = Field(description="how email leaves")
    sms: SmsSettings = Field(description="how SMS leave")
    outbox: FilePath = Field(Path("../var/outbox"), description="the folder that the outbox transport writes to")
    replies: RepliesSettings = Field(default_factory=RepliesSettings, description="how SMS answers come in")
    web: WebSettings = Field(default_factory=WebSettings, description="the web side")
    public_url: Url | None = Field(None, description="where the web side is reached; switches on links in messages")
    heartbeat: HeartbeatSettings = Field(default_factory=HeartbeatSettings, description="a dead man's switch")

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],  # noqa: ARG003 - the library's signature
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,  # noqa: ARG003
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Only what `layers` hands in: the process's environment is never read behind its back."""
        return (init_settings,)

    @property
    def keeps_outbox(self) -> bool:
        """Whether messages of any channel are written to the outbox instead of sent."""
        return self.email.transport is MailTransport.OUTBOX or self.sms.transport is SmsTransport.OUTBOX

    @property
    def database(self) -> Path:
        """The ledger's file."""
        return Path(self.ledger.removeprefix(SQLITE))

    @property
    def receives_callbacks(self) -> bool:
        """Whether the SMS provider tells by itself what becomes of messages, at `public_url`."""
        return self.replies.by is RepliesBy.WEBHOOK and self.public_url is not None


def reply_routes(settings: Settings) -> ReplyRoutes:
    """Where answers come in (rule 42)."""
    return ReplyRoutes(
        replies=_answerable(settings),
        public_url=settings.public_url or "",
        receipts_every=settings.replies.every if settings.replies.by is RepliesBy.POLL else None,
        keys=tuple(filter(None, (key.get_secret_value() for key in settings.web.signing_key))),
    )


def _answerable(settings: Settings) -> bool:
    """Whether an SMS can be answered. The outbox sends nothing; a sender that is a name has no number to answer to; and
    a webhook needs an address.
    """
    sms, by = settings.sms, settings.replies.by
    numbered = bool(sms.messaging_service_sid) or not re.search(r"[A-Za-z]", sms.sender or "")
    received = by is RepliesBy.POLL or settings.receives_callbacks
    return sms.transport is not SmsTransport.OUTBOX and numbered and received


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


def read_variables(variables: Mapping[str, str]) -> dict[str, Any]:
    """What variables (or credential files, named alike) set, nested as in tocsin.yaml."""
    return _Variables(variables)()


def build_settings(values: Mapping[str, Any], located: Located) -> tuple[Settings | None, list[Problem]]:
    """The settings, or what is wrong with each value at the place that `located` knows."""
    try:
        return Settings(**values), []
    except ValidationError as fault:
        return None, validation_problems(fault, located, (), Settings)


def setting_paths(model: type[BaseModel] = Settings, above: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """Every setting that there is, as its keys from the top."""
    for name, info in model.model_fields.items():
        yield (*above, name)
        inner = model_in(info.annotation)
        if inner:
            yield from setting_paths(inner, (*above, name))
