"""A config in force, as the daemon holds it."""

from typing import Any

from tocsin.app.state.active_config import ActiveConfig
from tocsin.domain.policy import Policy
from tocsin.formats.settings.settings import Settings

OURS = "+14155550106"
"""The number that SMS come from."""


def settings(**changes: Any) -> Settings:
    """Settings that the daemon would start with: outboxes, and no answers by SMS. Groups may be given as mappings."""
    fields: dict[str, Any] = {
        "operators": ["olga"],
        "last_resort": ["olga"],
        "email": {"sender": "tocsin@example.com"},
        "sms": {"sender": OURS},
        "replies": {"by": "off"},
    }
    return Settings.model_validate(fields | changes)


def polled(every: str = "10s", **changes: Any) -> Settings:
    """Settings by which an SMS provider is asked for what came in."""
    account = {"transport": "twilio", "sender": OURS, "account_sid": "AC" + "0" * 32, "auth_token": ["secret"]}
    return settings(sms=account, replies={"by": "poll", "every": every}, **changes)


def active_config(policy: Policy, in_force: Settings | None = None) -> ActiveConfig:
    """This policy with these settings."""
    return ActiveConfig(policy, in_force or settings())
