"""How often one address may ask: a bucket for each address that fills steadily.

A signed answer or webhook must never be lost to this: the bucket holds far more than people and providers send.
"""

from collections import OrderedDict
from collections.abc import Callable

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
        left, now = self._left(address)
        self._buckets.pop(address, None)
        allowed = left >= 1
        self._buckets[address] = (left - 1 if allowed else left, now)
        if len(self._buckets) > ADDRESSES_MOST:
            self._buckets.popitem(last=False)
        return allowed

    def has_room(self, address: str) -> bool:
        """Whether one more would be within the rate. Counts nothing."""
        return self._left(address)[0] >= 1

    def _left(self, address: str) -> tuple[float, float]:
        """What is left in a bucket, and the time."""
        now = self._seconds()
        left, at = self._buckets.get(address, (self._burst, now))
        return min(self._burst, left + max(0.0, now - at) * self._steady), now  # the clock may be put back
