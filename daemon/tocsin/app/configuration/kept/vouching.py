"""Who vouches for a kept config: a signing key, by a code over its revision and every file (HMAC-SHA256).

The first key signs, all verify, as with links. Whoever writes into the ledger without a key makes no such code.
"""

import hashlib
import hmac
from collections.abc import Mapping, Sequence

from tocsin.ports.ledger import KeptConfig


def code_of(keys: Sequence[str], revision: str, files: Mapping[str, bytes]) -> str:
    """The code by which the first key vouches for these files; empty without a key."""
    return _code(keys[0], revision, files) if keys else ""


def vouched(keys: Sequence[str], kept: KeptConfig) -> bool:
    """Whether one of the keys vouches for a kept config, in constant time."""
    code = kept.mac.encode("utf-8", "replace")
    matches = [hmac.compare_digest(_code(key, kept.revision, kept.files).encode(), code) for key in keys]
    return any(matches)


def _code(key: str, revision: str, files: Mapping[str, bytes]) -> str:
    """Each part with its length, so that no two configs are one text."""
    digest = hmac.new(key.encode(), b"tocsin kept config 1:", hashlib.sha256)
    for name in sorted(files):
        for part in (name.encode("utf-8", "surrogatepass"), files[name]):
            digest.update(b"%d:%s" % (len(part), part))
    revised = revision.encode("utf-8", "surrogatepass")
    digest.update(b"%d:%s" % (len(revised), revised))
    return digest.hexdigest()
