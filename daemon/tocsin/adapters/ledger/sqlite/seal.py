"""The seal of what the daemon itself keeps in its ledger: a code by a key that lies beside it, for its owner's eyes
alone. Whoever writes into the ledger without being the daemon's user makes none.

It vouches where no signing key is set, and against who has one: the web side knows the signing key, and not this.
"""

import hashlib
import hmac
import os
import secrets
import stat
from contextlib import suppress
from pathlib import Path

from tocsin.adapters.files.safe_open import read_with_status
from tocsin.adapters.files.whole_file import write_whole

KEY_OCTETS = 32
_OF_OTHERS = stat.S_IRWXG | stat.S_IRWXO


class Seal:
    """The seal of one ledger. `making`: by the daemon, which makes the key where there is none."""

    def __init__(self, ledger: Path, *, making: bool = False) -> None:
        path = ledger.with_name(f"{ledger.name}.key")
        if making and not os.path.lexists(path):
            with suppress(OSError):  # a full disk, or one to be read only: nothing is sealed then
                write_whole(path, secrets.token_bytes(KEY_OCTETS), 0o600)
        self._key = _key(path)

    def of(self, revision: str, content: bytes) -> str:
        """The code over a kept config; empty without a key."""
        if self._key is None:
            return ""
        parts = b"tocsin ledger 1:%d:" % len(content), content, revision.encode("utf-8", "surrogatepass")
        return hmac.new(self._key, b"".join(parts), hashlib.sha256).hexdigest()

    def holds(self, code: str | None, revision: str, content: bytes) -> bool:
        """Whether a code is ours, in constant time."""
        if self._key is None or not code:
            return False
        return hmac.compare_digest(self.of(revision, content).encode(), code.encode("utf-8", "replace"))


def _key(path: Path) -> bytes | None:
    """The key, unless it lacks, is not ours to read, or open to anybody else."""
    try:
        data, status = read_with_status(path, KEY_OCTETS + 1)
    except OSError:
        return None
    return data if len(data) == KEY_OCTETS and not status.st_mode & _OF_OTHERS else None
