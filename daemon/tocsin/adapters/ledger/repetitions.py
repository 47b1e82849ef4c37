"""What may leave a second time, since the ledger does not know that it left: as many messages of each sort as it lacks
(rule 64). Must not know how that was found out.
"""

from collections import Counter
from datetime import datetime, timedelta
from hashlib import blake2b

from tocsin.domain.people import Channel

OLDER_COPY = "the ledger is an older copy"
"""Why a message may have left already that the ledger knows nothing of."""
REPEATED_WITHIN = timedelta(hours=1)
"""For how long after a start a message may be the repetition of one that the ledger lacks."""


class Repetitions:
    """`left` is how many messages of each sort may be repetitions yet, as was found out at `since`."""

    def __init__(self, left: Counter[str], since: datetime) -> None:
        self._left = left
        self._since = since

    def cause(self, key: str, via: Channel, address: str, at: datetime) -> str:
        """Why this may be the second copy of something that the ledger lacks; empty: it is none."""
        sort = alike(key, via.value, address)
        if not self._left[sort] or at - self._since >= REPEATED_WITHIN:
            return ""
        self._left[sort] -= 1
        return OLDER_COPY


def hash_of(text: str) -> str:
    """A short name for a text that may hold an address."""
    return blake2b(text.encode("utf-8", "surrogatepass"), digest_size=8).hexdigest()


def alike(key: str, via: str, address: str) -> str:
    """What a message has in common with its repetition: incident, kind, channel, address."""
    incident, _, rest = key.partition("/")
    kind = rest.split("/")[1] if rest.count("/") else ""
    return hash_of(f"{incident}\0{kind}\0{via}\0{address}")
