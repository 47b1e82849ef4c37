"""The daemon's own settings: what tocsin.yaml, the environment and credential files may say.

Decides names, types and defaults. Must not know where a value came from (`layers`), nor whether the people and
severities that it names exist (`app/configuration`). Secrets never show in a repr.
"""

from collections.abc import Mapping
from datetime import timedelta
from enum import StrEnum
from ipaddress import ip_network
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from tocsin.domain.people import Channel
from tocsin.domain.problem import Problem
from tocsin.formats.schema.fields import Called, Duration, Line, Model, NamesOnce, Text
from tocsin.formats.schema.pydantic_problems import Located, validation_problems
from tocsin.formats.settings.ledger_address import LedgerAddress
from tocsin.formats.settings.limits import AddressLimits
from tocsin.formats.settings.providers import EmailSettings, MailTransport, SmsSettings, SmsTransport
from tocsin.formats.settings.reply_routes import ReplyRoutes
from tocsin.formats.settings.senders import SmsSenders
from tocsin.formats.settings.types import (
    FilePath,
    IpNetworks,
    Keep,
    Ledger,
    Listen,
    ReplyTo,
    Secret,
    Secrets,
    Url,
)

LOOPBACK = ("127.0.0.1", "::1")
"""Where a proxy on this machine is seen to come from."""
DEFAULT_LEDGER = LedgerAddress(Path("../var/tocsin.db"))
DEFAULT_INBOX = Path("../var/inbox")


class RepliesBy(StrEnum):
    """How SMS answers come in."""

    POLL = "poll"
    WEBHOOK = "webhook"
    OFF = "off"


class ReplyCodes(StrEnum):
    """Whether an answer by SMS must name its page."""

    OPTIONAL = "optional"
    REQUIRED = "required"


class RepliesSettings(Model):
    """How SMS answers come in, how often they are asked for, and what they must say."""

    by: RepliesBy = Field(default=RepliesBy.POLL, description="poll needs no open port; webhook needs `public_url`")
    every: Duration = Field(default=timedelta(seconds=10), description="how often the provider is asked")
    code: ReplyCodes = Field(
        default=ReplyCodes.OPTIONAL,
        description="required: only an answer with a page's code counts, which a forged sender cannot know",
    )


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
    proxies: IpNetworks = Field(
        default_factory=lambda: list(map(ip_network, LOOPBACK)),
        description="addresses or networks of the proxies in front, whose X-Forwarded-For names the client",
    )
    alertmanager: AlertmanagerSettings | None = Field(default=None, description="how alerts become incidents")
    inbox: FilePath | None = Field(
        default=None,
        description="the folder by which what comes in reaches the daemon; absent: inbox, beside the ledger",
    )
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


class Settings(BaseModel):
    """All settings. Paths are absolute once `layers` has read them."""

    model_config = ConfigDict(extra="forbid", frozen=True, validate_default=True, defer_build=True)

    incidents: FilePath = Field(Path("../incidents"), description="the folder of incident files")
    templates: FilePath = Field(Path("../templates"), description="the folder of templates of your own")
    reviews: FilePath = Field(Path("../reviews"), description="the folder that review drafts are written to")
    ledger: Ledger = Field(DEFAULT_LEDGER, description="where everything sent is recorded")
    node: Called | None = Field(
        None, description="what this machine is called among those that share a ledger; absent: its host name"
    )
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
    organisation: Line | None = Field(None, description="who writes, as readers know it: stands in every message")
    reply_to: ReplyTo | None = Field(
        None, description="the mailbox that answers to mails go to; without it mails say that nobody reads answers"
    )
    bridge: Line | None = Field(None, description="where people meet in an incident: an address or a number")
    limits: AddressLimits = Field(
        default_factory=AddressLimits, description="how many pages one address takes in a storm"
    )
    keep: Keep | None = Field(None, description="how long closed incidents stay in the ledger; absent: for ever")

    @property
    def keeps_outbox(self) -> bool:
        """Whether messages of any channel are written to the outbox instead of sent."""
        return self.email.transport is MailTransport.OUTBOX or self.sms.transport is SmsTransport.OUTBOX

    @property
    def leaving(self) -> frozenset[Channel]:
        """The channels by which messages really leave."""
        email = {Channel.EMAIL} if self.email.transport is not MailTransport.OUTBOX else set()
        return frozenset(email | ({Channel.SMS} if self.sms.transport is not SmsTransport.OUTBOX else set()))

    @property
    def database(self) -> Path | None:
        """The ledger's file; None where it lies on a server."""
        return self.ledger.file

    @property
    def state(self) -> Path:
        """The folder of what this machine keeps for itself: the ledger's, else the one that the inbox lies in."""
        return self.database.parent if self.database is not None else self.inbox.parent

    @property
    def inbox(self) -> Path:
        """The folder by which what comes in from outside reaches this machine's daemon."""
        return self.web.inbox or (self.database.parent / "inbox" if self.database is not None else DEFAULT_INBOX)

    @property
    def receives_callbacks(self) -> bool:
        """Whether the SMS provider tells by itself what becomes of messages, at `public_url`."""
        return self.replies.by is RepliesBy.WEBHOOK and self.public_url is not None


def reply_routes(settings: Settings) -> ReplyRoutes:
    """Where answers come in (rule 42)."""
    return ReplyRoutes(
        senders=_reply_senders(settings),
        public_url=settings.public_url or "",
        receipts_every=settings.replies.every if settings.replies.by is RepliesBy.POLL else None,
        needs_code=settings.replies.code is ReplyCodes.REQUIRED,
        keys=tuple(filter(None, (key.get_secret_value() for key in settings.web.signing_key))),
    )


def _reply_senders(settings: Settings) -> tuple[SmsSenders, ...]:
    """The senders of every account that may carry an SMS, if answers to them come in: the outbox sends nothing, and a
    webhook needs an address.
    """
    received = settings.replies.by is RepliesBy.POLL or settings.receives_callbacks
    if settings.sms.transport is SmsTransport.OUTBOX or not received:
        return ()
    return tuple(provider.by_number for provider in settings.sms.providers.values())


def build_settings(values: Mapping[str, Any], located: Located) -> tuple[Settings | None, list[Problem]]:
    """The settings, or what is wrong with each value at the place that `located` knows."""
    try:
        return Settings(**values), []
    except ValidationError as fault:
        return None, validation_problems(fault, located, (), Settings)
