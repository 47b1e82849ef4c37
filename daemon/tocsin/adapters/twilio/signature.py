"""Twilio's signature of its webhooks, by its own SDK.

The address that is signed is the public one that Twilio was given, never one rebuilt from a request's headers.
"""

from collections.abc import Mapping

from twilio.request_validator import RequestValidator


def signed(token: str, url: str, values: Mapping[str, str], signature: str) -> bool:
    """Whether the account's token signed this address with these form values."""
    try:
        return bool(RequestValidator(token).validate(url, values, signature))
    except ValueError:  # an address that is none
        return False
