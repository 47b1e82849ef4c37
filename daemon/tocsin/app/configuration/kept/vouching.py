"""Who vouches for a kept config: a signing key, by a code over its revision, every file and template (HMAC-SHA256); or
the ledger's own key, which its daemon alone can use.

The first key signs, all verify, as with links. Whoever writes into the ledger without a key makes no such code.
"""

import hashlib
import hmac
from collections.abc import Mapping, Sequence

from tocsin.ports.ledger.ledger import KeptConfig


def code_of(
    keys: Sequence[str], revision: str, files: Mapping[str, bytes], templates: Mapping[str, str] | None = None
) -> str:
    """The code by which the first key vouches for these files and templates; empty without a key."""
    return _code(keys[0], revision, files, templates) if keys else ""


def vouched(keys: Sequence[str], kept: KeptConfig) -> bool:
    """Whether the ledger's own key or one of the signing keys vouches for a kept config."""
    return kept.sealed or signed(keys, kept)


def signed(keys: Sequence[str], kept: KeptConfig) -> bool:
    """Whether one of the signing keys does, in constant time."""
    code = kept.mac.encode("utf-8", "replace")
    matches = [
        hmac.compare_digest(_code(key, kept.revision, kept.files, kept.templates).encode(), code) for key in keys
    ]
    return any(matches)


def _code(key: str, revision: str, files: Mapping[str, bytes], templates: Mapping[str, str] | None) -> str:
    """Each part with its length, so that no two configs are one text. Without templates it is as it was before they
    were kept.
    """
    parts = [part for name in sorted(files) for part in (_bytes(name), files[name])]
    parts.append(_bytes(revision))
    head = b"tocsin kept config 1:"
    if templates is not None:
        head = b"tocsin kept config 2:%d:" % len(files)
        parts += [_bytes(part) for name in sorted(templates) for part in (name, templates[name])]
    digest = hmac.new(key.encode(), head, hashlib.sha256)
    for part in parts:
        digest.update(b"%d:%s" % (len(part), part))
    return digest.hexdigest()


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")
