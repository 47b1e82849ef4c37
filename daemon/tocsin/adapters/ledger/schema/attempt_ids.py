"""Names for attempts, made by the process before anything is written: UUIDs of version 7, each later than the one
before. Two processes never make the same one (R52).

The instant in them is the attempt's own. Must not know the ledger.
"""

import secrets
from datetime import datetime
from threading import Lock
from uuid import UUID

_RANDOM_BITS = 74
_VERSION, _VARIANT = 7, 2


class AttemptIds:
    """Makes the ids of one process. A clock that is put back does not put them back."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._millisecond = 0
        self._rest = 0

    def make(self, at: datetime) -> str:
        """The next id, of an attempt that begins at that instant."""
        millisecond = max(0, int(at.timestamp() * 1000))
        with self._lock:
            if millisecond > self._millisecond:
                # the highest bit is free, so that many of one millisecond can follow
                self._millisecond, self._rest = millisecond, secrets.randbits(_RANDOM_BITS - 1)
            else:
                self._rest += 1
            high, low = divmod(self._rest, 1 << 62)
            return str(UUID(int=self._millisecond << 80 | _VERSION << 76 | high << 64 | _VARIANT << 62 | low))
