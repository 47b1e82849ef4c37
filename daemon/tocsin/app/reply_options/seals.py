"""What only the daemon may read of an entry in the inbox: the id of a session, a typed code. The folder is open to a
group, and an entry waits there while the daemon is away; so these are sealed with the signing key that the web side
shares with the daemon. Where there is no such key (a trial, as a rule) they lie there as they are.

A seal is for one field of one reference: it opens nowhere else.
"""

import base64
import hashlib
import hmac
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from tocsin.domain.arrival import AnswerEntry, CodeEntry, DeclareEntry, EditEntry, InboxEntry, LeaveEntry

MARK = "~"
"""Begins what is sealed; no id and no code does."""
_CHECK_OCTETS = 8
"""By so much of a digest it is seen that the right key has opened it."""
_SEALED: dict[type, tuple[str, ...]] = {
    AnswerEntry: ("session",),
    EditEntry: ("session",),
    DeclareEntry: ("session",),
    LeaveEntry: ("session",),
    CodeEntry: ("code", "proof"),
}


def sealed(entry: InboxEntry, keys: Sequence[str]) -> InboxEntry:
    """The entry as it may lie in the folder."""
    if not keys:
        return entry
    values: dict[str, Any] = {name: _seal(keys[0], entry.ref, name, text) for name, text in _texts(entry)}
    return replace(entry, **values)


def opened(entry: InboxEntry, keys: Sequence[str]) -> InboxEntry:
    """The entry as it was left. What none of the keys opens is empty, and so shows nothing."""
    values: dict[str, Any] = {
        name: _open(keys, entry.ref, name, text) for name, text in _texts(entry) if text.startswith(MARK)
    }
    return replace(entry, **values)


def _texts(entry: InboxEntry) -> list[tuple[str, str]]:
    named = ((name, getattr(entry, name)) for name in _SEALED.get(type(entry), ()))
    return [(name, text) for name, text in named if text]


def _seal(key: str, ref: str, field: str, text: str) -> str:
    octets = text.encode("utf-8", "replace")
    mixed = _mixed(key, ref, field, hashlib.sha256(octets).digest()[:_CHECK_OCTETS] + octets)
    return MARK + base64.urlsafe_b64encode(mixed).rstrip(b"=").decode()


def _open(keys: Sequence[str], ref: str, field: str, text: str) -> str:
    try:
        octets = base64.urlsafe_b64decode(text[len(MARK) :] + "=" * (-(len(text) - len(MARK)) % 4))
    except ValueError:
        return ""
    for key in keys:
        plain = _mixed(key, ref, field, octets)
        check, rest = plain[:_CHECK_OCTETS], plain[_CHECK_OCTETS:]
        if hmac.compare_digest(check, hashlib.sha256(rest).digest()[:_CHECK_OCTETS]):
            return rest.decode("utf-8", "replace")
    return ""


def _mixed(key: str, ref: str, field: str, octets: bytes) -> bytes:
    """Each octet with one that only who has the key can make: the same once more gives them back."""
    stream = b""
    while len(stream) < len(octets):
        block = f"tocsin seal 1:{ref}:{field}:{len(stream)}".encode()
        stream += hmac.new(key.encode(), block, hashlib.sha256).digest()
    return bytes(ours ^ theirs for ours, theirs in zip(stream, octets, strict=False))
