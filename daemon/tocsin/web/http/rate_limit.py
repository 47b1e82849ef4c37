"""How often one address may ask: a bucket for each address that fills steadily.

A signed answer or webhook must never be lost to this: the bucket holds far more than people and providers send.
"""

from collections import OrderedDict
from collections.abc import Callable
from ipaddress import ip_address

from aiohttp import web

BURST = 1000.0
"""Requests that an address may make at once."""
STEADY = 50.0
"""Requests a second after that."""
ADDRESSES_MOST = 10_000
"""Addresses remembered; the one seen longest ago is forgotten first."""


class RateLimit:
    """Buckets by address. `seconds` gives the time in seconds."""

    def __init__(self, seconds: Callable[[], float], burst: float = BURST, steady: float = STEADY) -> None:
        self._seconds = seconds
        self._burst, self._steady = burst, steady
        self._buckets: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def allow(self, address: str) -> bool:
        """Whether one more request of this address is within its rate. Counts it if so."""
        now = self._seconds()
        left, at = self._buckets.pop(address, (self._burst, now))
        left = min(self._burst, left + max(0.0, now - at) * self._steady)  # the clock may be put back
        allowed = left >= 1
        self._buckets[address] = (left - 1 if allowed else left, now)
        if len(self._buckets) > ADDRESSES_MOST:
            self._buckets.popitem(last=False)
        return allowed


def client_address(request: web.BaseRequest) -> str:
    """Whose request this is: the other end's address, or what a proxy on this machine says it was. One host has the
    whole of an IPv6 network of 64 bits.
    """
    remote = request.remote or ""
    try:
        peer = ip_address(remote)
        if peer.is_loopback and (forwarded_for := request.headers.get("X-Forwarded-For")):
            peer = ip_address(forwarded_for.rpartition(",")[2].strip())
    except ValueError:
        return remote
    if peer.version == 6 and not peer.ipv4_mapped:
        return str(ip_address(int(peer) >> 64 << 64))
    return str(peer)
