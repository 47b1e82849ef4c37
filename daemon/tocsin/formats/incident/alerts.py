"""The comments in an incident file by which it remembers alerts: where they stand, and whether they are the same."""

import re
from hashlib import blake2b

_BEGINNING = b"# alertmanager"
LINES = re.compile(rb"^# alertmanager[ :][^\n]*(?:\n|\Z)", re.MULTILINE)
"""Each of them, its line break included."""


def alerts_digest(data: bytes) -> str:
    """What tells one memory of alerts from another; empty for a file that has none."""
    if _BEGINNING not in data:
        return ""
    lines = b"".join(line.rstrip() + b"\n" for line in LINES.findall(data))
    return blake2b(lines, digest_size=8).hexdigest() if lines else ""
