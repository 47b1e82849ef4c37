"""How many wrong tokens a client may try, by whichever door: the form, `Authorization`, a cookie.

Nobody guesses a good token; but people choose bad ones, and a log full of guesses hides everything else.
"""

from hmac import compare_digest

from tocsin.formats.settings.advice import KEY_LEAST
from tocsin.ports.clock import Clock
from tocsin.web.http.clients import Client
from tocsin.web.http.rate_limit import RateLimit

TRIES, TRIES_STEADY = 10.0, 1 / 6
"""Wrong tokens that one client may try at once, and each second after that: nobody guesses, people mistype."""


class TooManyTriesError(Exception):
    """This client has tried too many wrong tokens: this one was not looked at."""


class TokenTries:
    """Compares tokens, and counts the wrong ones."""

    def __init__(self, clock: Clock) -> None:
        self._limit = RateLimit(lambda: clock.now().timestamp(), TRIES, TRIES_STEADY)

    def is_right(self, client: Client, given: str, token: str) -> bool:
        """Whether the token is right, in constant time. A wrong one is counted. Raises TooManyTriesError.

        Behind a proxy that names nobody all are one client; there a right token that is long enough counts in any case,
        or one stranger would lock out everybody.
        """
        right = compare_digest(given.encode("utf-8", "replace"), token.encode("utf-8", "replace")) and bool(token)
        shared = client.is_proxy and len(token) >= KEY_LEAST
        if not self._limit.has_room(client.address) and not (shared and right):
            raise TooManyTriesError
        if not right:
            self._limit.allow(client.address)
        return right

    def count_wrong(self, client: Client) -> None:
        """One that is known to be wrong. Raises TooManyTriesError."""
        if not self._limit.allow(client.address):
            raise TooManyTriesError
