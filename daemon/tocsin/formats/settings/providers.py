"""The providers of each channel, as tocsin.yaml names them: the first, and the fallbacks that stand in for it.

Decides names, types and defaults, and which provider sends at all. Must not know whether secrets are there (`advice`),
nor whether a provider works. Secrets never show in a repr.
"""

from collections.abc import Mapping
from enum import StrEnum
from typing import Any, Self

from pydantic import Field, model_validator

from tocsin.domain.people import MAIN
from tocsin.formats.schema.fields import Model, Text
from tocsin.formats.settings.senders import SmsSenders
from tocsin.formats.settings.types import (
    AccountSid,
    FallbackName,
    FilePath,
    MailSender,
    NumberPrefix,
    Port,
    Secret,
    Secrets,
    ServiceSid,
    SmsSender,
    Url,
)

NOWHERE = "left-out.invalid"
"""A host that there never is (RFC 2606), for a provider that is not to be reached."""


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


class EmailProvider(Model):
    """One way for email: the outbox folder, or an SMTP server."""

    transport: MailTransport = Field(MailTransport.OUTBOX, description="outbox writes files; smtp sends")
    sender: MailSender = Field(description="what emails come from: Incidents <incidents@example.com>")
    host: Text | None = Field(None, description="the mail server's name")
    port: Port = Field(587, description="the mail server's port")
    security: Security = Field(Security.STARTTLS, description="how the connection is protected")
    username: Text | None = Field(
        None, description="who logs in; the password is TOCSIN_EMAIL__PASSWORD, or …__FALLBACKS__NAME__PASSWORD"
    )
    password: Secret = None
    ca_file: FilePath | None = Field(None, description="further authorities to trust, a PEM file relative to this one")

    @model_validator(mode="after")
    def _server(self) -> Self:
        if self.transport is MailTransport.SMTP and not self.host:
            raise ValueError("transport smtp needs `host`: the mail server's name")
        return self

    @property
    def place(self) -> tuple[object, ...]:
        """What tells this provider from another one."""
        return (self.host or "").lower().rstrip("."), self.port, self.username


class SmsProvider(Model):
    """One way for SMS: the outbox folder, or an account at Twilio."""

    transport: SmsTransport = Field(SmsTransport.OUTBOX, description="outbox writes files; twilio sends")
    sender: SmsSender | None = Field(None, description="the number, short code or name that SMS come from")
    senders: dict[NumberPrefix, SmsSender] = Field(
        default_factory=dict,
        description="other senders, by how the reader's number begins: the longest that fits, else `sender`",
    )
    messaging_service_sid: ServiceSid | None = Field(
        None, description="a Twilio messaging service, instead of `sender`"
    )
    account_sid: AccountSid | None = Field(
        None, description="the account; its token is TOCSIN_SMS__AUTH_TOKEN, or …__FALLBACKS__NAME__AUTH_TOKEN"
    )
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

    @property
    def place(self) -> tuple[object, ...]:
        """What tells this provider from another one: a second sender of one account is a second way."""
        return self.account_sid, self.messaging_service_sid or self.sender

    @property
    def by_number(self) -> SmsSenders:
        """Who an SMS comes from, by the number it goes to. A messaging service picks one of its own numbers."""
        return SmsSenders("" if self.messaging_service_sid else self.sender or "", self.senders)


class EmailSettings(EmailProvider):
    """Email: how it leaves, and by which other servers when that one is sick."""

    fallbacks: dict[FallbackName, EmailProvider] = Field(
        default_factory=dict,
        description="further mail servers by name, tried in this order when the first is sick",
    )

    @model_validator(mode="before")
    @classmethod
    def _as_the_first(cls, value: Any) -> Any:
        return _completed(value, MailTransport, "transport", "sender")

    @property
    def providers(self) -> Mapping[str, EmailProvider]:
        """Every provider in use by its name, in the order in which they are tried. While the first writes files
        nothing is to leave, so nothing falls back.
        """
        return {MAIN: self} | (self.fallbacks if self.transport is not MailTransport.OUTBOX else {})


class SmsSettings(SmsProvider):
    """SMS: how they leave, and by which other accounts when that one is sick."""

    fallbacks: dict[FallbackName, SmsProvider] = Field(
        default_factory=dict,
        description="further accounts by name, tried in this order when the first is sick",
    )

    @model_validator(mode="before")
    @classmethod
    def _as_the_first(cls, value: Any) -> Any:
        return _completed(value, SmsTransport, "transport")

    @property
    def providers(self) -> Mapping[str, SmsProvider]:
        """Every provider in use by its name, in the order in which they are tried. While the first writes files
        nothing is to leave, so nothing falls back.
        """
        return {MAIN: self} | (self.fallbacks if self.transport is not SmsTransport.OUTBOX else {})

    @property
    def own_numbers(self) -> frozenset[str]:
        """Every sender of ours: what comes from one is no answer."""
        return frozenset(sender for provider in self.providers.values() for sender in provider.by_number.all)


def leads_nowhere(provider: EmailProvider | SmsProvider) -> bool:
    """Whether there is nothing to be reached by a provider: what was known of it was left out."""
    return NOWHERE in (
        getattr(provider, "host", None),
        (getattr(provider, "api_url", None) or "").removeprefix("https://"),
    )


def _completed(value: Any, transports: type[StrEnum], *inherited: str) -> Any:
    """A channel's settings, each fallback with what it leaves out and the first provider has."""
    fallbacks = value.get("fallbacks") if isinstance(value, dict) else None
    if not isinstance(fallbacks, dict):
        return value
    first = {key: value[key] for key in inherited if isinstance(value.get(key), str)}
    if first.get("transport") not in {None, *transports}:
        del first["transport"]  # a wrong one is told once
    return {**value, "fallbacks": {name: _over(first, inner) for name, inner in fallbacks.items()}}


def _over(first: Mapping[str, Any], value: Any) -> Any:
    """One fallback as it is written, over what it takes from the first provider."""
    if value is None:
        return dict(first)
    if not isinstance(value, dict):
        return value
    return {**first, **{key: inner for key, inner in value.items() if inner is not None}}
