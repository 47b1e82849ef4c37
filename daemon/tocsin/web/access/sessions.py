"""How a browser shows that its person once gave the token: a cookie made from it, which is not the token.

A new token ends all sessions.
"""

import hashlib
import hmac
from datetime import UTC, datetime, timedelta

COOKIE = "tocsin_session"
LASTS = timedelta(days=7)


def new_session(token: str, now: datetime) -> str:
    """The value of a cookie that counts from now on."""
    expires = int((now + LASTS).timestamp())
    return f"{expires}.{_signature(token, str(expires))}"


def is_valid(value: str, token: str, now: datetime) -> bool:
    """Whether a cookie's value is ours and has not expired."""
    expires, _, signature = value.partition(".")
    if not hmac.compare_digest(_signature(token, expires).encode(), signature.encode("utf-8", "replace")):
        return False
    return now < datetime.fromtimestamp(int(expires), UTC)


def _signature(token: str, expires: str) -> str:
    return hmac.new(
        token.encode(), f"tocsin session 1:{expires}".encode("utf-8", "replace"), hashlib.sha256
    ).hexdigest()
