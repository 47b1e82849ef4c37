"""How a browser shows that its person once gave the token: a cookie with a random id, which ends at the log-out.

The ids are known to this process alone, and to it only their digests, made with the token: a new token ends all
sessions, and so does a restart.
"""

import hashlib
import hmac
import secrets
from collections import OrderedDict
from datetime import datetime, timedelta

COOKIE = "tocsin_session"
LASTS = timedelta(days=7)
SESSIONS_MOST = 1000
"""Sessions remembered; the oldest is forgotten first. Only who knows the token begins any."""
ID_OCTETS = 32


class Sessions:
    """The sessions that have begun."""

    def __init__(self, most: int = SESSIONS_MOST) -> None:
        self._most = most
        self._ends: OrderedDict[str, datetime] = OrderedDict()

    def begin(self, token: str, now: datetime) -> str:
        """The value of a cookie that counts from now on."""
        value = secrets.token_urlsafe(ID_OCTETS)
        self._ends[_digest(value, token)] = now + LASTS
        while len(self._ends) > self._most:
            self._ends.popitem(last=False)
        return value

    def is_valid(self, value: str, token: str, now: datetime) -> bool:
        """Whether a cookie's value is ours and has not expired."""
        ends_at = self._ends.get(_digest(value, token))
        return ends_at is not None and now < ends_at

    def end(self, value: str, token: str) -> None:
        """Somebody has logged out."""
        self._ends.pop(_digest(value, token), None)


def _digest(value: str, token: str) -> str:
    return hmac.new(
        token.encode("utf-8", "replace"), b"tocsin session 2:" + value.encode("utf-8", "replace"), hashlib.sha256
    ).hexdigest()
