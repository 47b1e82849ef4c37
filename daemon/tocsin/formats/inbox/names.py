"""The names of the inbox's files: when an entry was left, of which kind it is, and its reference. A name is a promise
only; what counts is the entry.
"""

import re
from dataclasses import dataclass
from datetime import UTC, datetime

from tocsin.domain.arrival import EntryKind

REF = r"[A-Za-z0-9]{8,40}"
"""What references look like, as a regular expression."""
HIDDEN = "."
"""Begins the name of a file that is still being written."""
_NAME = re.compile(rf"(\d{{8}}T\d{{6}}\.\d{{6}})Z-({'|'.join(EntryKind)})-({REF})\.json", re.ASCII)
_TIME = "%Y%m%dT%H%M%S.%f"


@dataclass(frozen=True, slots=True)
class EntryName:
    """A file's name taken apart; `left_at` is UTC, by whoever's clock."""

    left_at: datetime
    kind: EntryKind
    ref: str


def entry_name(name: EntryName) -> str:
    """The name of an entry's file."""
    return f"{name.left_at.astimezone(UTC):{_TIME}}Z-{name.kind.value}-{name.ref}.json"


def read_entry_name(name: str) -> EntryName | None:
    """What a file's name says; None: no entry is called so."""
    match = _NAME.fullmatch(name)
    if match is None:
        return None
    try:
        left_at = datetime.strptime(match[1], _TIME).replace(tzinfo=UTC)
    except ValueError:
        return None
    return EntryName(left_at, EntryKind(match[2]), match[3])
