"""Alertmanager's webhook, format version 4: what a notification must hold to be understood, and which keys matter.

Others may come and go with Alertmanager's versions. It knows neither incidents nor what a label means here.
"""

import base64
import hashlib
from datetime import UTC, datetime
from functools import cached_property
from typing import Annotated, Literal

from pydantic import AfterValidator, AwareDatetime, BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from tocsin.domain.arrival import MARK_LENGTH

ALERTS_MOST = 50_000
"""Alerts of one notification; Alertmanager sends all of a group in one."""
_ZERO = datetime(1970, 1, 1, tzinfo=UTC)
"""Nothing starts or ends before; Go's zero time (year 1) says that there is no time."""


def _mark(text: str, length: int) -> str:
    """A short name for a text, fit for file names in any case."""
    return base64.b32encode(hashlib.sha256(text.encode("utf-8", "replace")).digest()).decode().lower()[:length]


def _utc(at: datetime) -> datetime:
    try:
        return at.astimezone(UTC)
    except OverflowError:
        raise ValueError("is no time that can be reckoned with") from None


def _texts(value: object) -> object:
    return {} if value is None else value


def _text(value: object) -> object:
    return value if isinstance(value, str) else ""


Texts = Annotated[dict[str, str], BeforeValidator(_texts)]
Link = Annotated[str, BeforeValidator(_text)]
"""An address that helps; one that is none stops no alert."""
At = Annotated[AwareDatetime, AfterValidator(_utc)]


class _Part(BaseModel):
    """Of a notification only what is known counts."""

    model_config = ConfigDict(extra="ignore", frozen=True, defer_build=True)


class Alert(_Part):
    """One alert of a group."""

    status: Literal["firing", "resolved"]
    labels: Texts
    annotations: Texts = Field(default_factory=dict)
    starts_at: At = Field(alias="startsAt")
    ends_at: At | None = Field(default=None, alias="endsAt")
    fingerprint: str = ""
    source: Link = Field(default="", alias="generatorURL")

    @property
    def firing(self) -> bool:
        """Whether it still fires."""
        return self.status == "firing"

    @property
    def ended_at(self) -> datetime | None:
        """When it ended; None while it fires."""
        return self.ends_at if not self.firing and self.ends_at and self.ends_at > _ZERO else None

    @cached_property
    def mark(self) -> str:
        """What tells this firing of the alert from every other: the same in each repetition and from each peer, another
        once it has ended and begun again.
        """
        identity = self.fingerprint or "\0".join(f"{name}\1{value}" for name, value in sorted(self.labels.items()))
        return _mark(f"{identity}\0{self.starts_at.isoformat()}", MARK_LENGTH)


class AlertGroup(_Part):
    """A group of alerts, as one notification tells of it."""

    version: Literal["4"]
    group_key: str = Field(alias="groupKey", min_length=1)
    receiver: str = ""
    status: Literal["firing", "resolved"]
    truncated: int = Field(default=0, alias="truncatedAlerts")
    group_labels: Texts = Field(default_factory=dict, alias="groupLabels")
    common_labels: Texts = Field(default_factory=dict, alias="commonLabels")
    common_annotations: Texts = Field(default_factory=dict, alias="commonAnnotations")
    alerts: list[Alert] = Field(min_length=1, max_length=ALERTS_MOST)
    alertmanager: Link = Field(default="", alias="externalURL")

    @cached_property
    def key(self) -> str:
        """The group's short name: the same from each peer of a cluster, another for another receiver. Forty bits: two
        of a thousand groups share one once in two million installations.
        """
        return _mark(f"{self.receiver}\0{self.group_key}", 8)

    @cached_property
    def firing(self) -> tuple[Alert, ...]:
        """The alerts that fire, the one that began first before the others."""
        return tuple(sorted((alert for alert in self.alerts if alert.firing), key=lambda alert: alert.starts_at))

    @property
    def began_at(self) -> datetime | None:
        """When the first of those that fire began; None where none fires or none says so."""
        return next((alert.starts_at for alert in self.firing if alert.starts_at > _ZERO), None)

    @property
    def ended_at(self) -> datetime | None:
        """When the last of the alerts that ended did so."""
        return max((alert.ended_at for alert in self.alerts if alert.ended_at), default=None)


def read_notification(data: bytes) -> AlertGroup | str:
    """The group, or a sentence that says what is wrong with the notification. Never raises."""
    try:
        group = AlertGroup.model_validate_json(data)
    except ValidationError as fault:
        return _sentence(fault)
    assert all(alert.mark for alert in group.alerts)  # known from here on: whoever reads may take their time
    return group


def _sentence(fault: ValidationError) -> str:
    """The first thing that is wrong, and where."""
    first = fault.errors(include_url=False, include_context=False, include_input=False)[0]
    if first["type"] == "json_invalid":
        return "This is no JSON."
    where = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in first["loc"]).lstrip(".")[:100]
    why = {"missing": "is missing", "literal_error": "is not what version 4 has there"}.get(first["type"], "is wrong")
    place = "".join(letter if letter.isprintable() else "?" for letter in where)
    return f"This is no notification of Alertmanager (version 4): {place or 'the whole'} {why}."
