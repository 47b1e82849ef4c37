"""How often somebody may ask for a code, or try one, before anything of it is left for the daemon (P8).

Everybody on the net may do both, so all of them together are bounded too: the inbox is for answers first. Who comes by
a link of their own is not counted with the others of their address: a whole office signs in when everything is down.
"""

from tocsin.ports.clock import Clock
from tocsin.web.http.clients import Client
from tocsin.web.http.rate_limit import RateLimit

REQUESTS_AN_HOUR, TRIES_AN_HOUR = 10.0, 60.0
"""Codes that are asked for, and typed, from one address."""
BEHIND_PROXY = 10.0
"""How many times that where a proxy names nobody: all the world shares its address."""
AT_ONCE, A_SECOND = 100.0, 5.0
"""Of all addresses together."""
WORDS = (
    "Too many codes were asked for, or tried, from here. Try again in an hour, or answer by the link of a message, by "
    "SMS or by a call."
)


class SignInRate:
    """Counts what comes in."""

    def __init__(self, clock: Clock) -> None:
        def seconds() -> float:
            return clock.now().timestamp()

        self._requests = RateLimit(seconds, REQUESTS_AN_HOUR, REQUESTS_AN_HOUR / 3600)
        self._tries = RateLimit(seconds, TRIES_AN_HOUR, TRIES_AN_HOUR / 3600)
        self._shared = RateLimit(seconds, REQUESTS_AN_HOUR * BEHIND_PROXY, REQUESTS_AN_HOUR * BEHIND_PROXY / 3600)
        self._all = RateLimit(seconds, AT_ONCE, A_SECOND)

    def allows_request(self, client: Client, *, own: bool) -> bool:
        """Whether one more code may be asked for. Counts it. `own`: they come by a link of their own."""
        limit = self._shared if client.is_proxy else self._requests
        return (own or limit.allow(client.address)) and self._all.allow("")

    def allows_try(self, client: Client) -> bool:
        """Whether one more may be tried. Counts it."""
        return (client.is_proxy or self._tries.allow(client.address)) and self._all.allow("")
