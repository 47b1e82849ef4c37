"""What a machine hands in of its folder, and how the ledger keeps it as an arrival until the leader has judged it.

Pure: a value to an arrival and back. What does not read as one is a ValueError; nothing is guessed.
"""

import hashlib
import json
import zlib
from base64 import b64decode, b64encode
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from tocsin.domain.arrival import Arrival, ArrivalKind
from tocsin.domain.operator_notice import OperatorNotice, Trouble
from tocsin.formats.incident.read import digest

DATA_MOST = 1024 * 1024
"""Octets of a file that are taken in at the most: more than any incident file has."""
HELD_MOST = 64
"""Contents that a file held before of which the digests are handed in, the newest."""


@dataclass(frozen=True, slots=True)
class FileVersion:
    """A file says something new: whose `machine` and which file, of which incident, its bytes now and `before` (None:
    it was not there), and the digests of what it `held` before, oldest first. `trouble`: why it has no bytes.
    """

    machine: str
    incident: str
    file: str
    data: bytes
    before: bytes | None = None
    held: tuple[str, ...] = ()
    trouble: str = ""

    @property
    def digest(self) -> str:
        """What tells its content from others."""
        return digest(self.data)


@dataclass(frozen=True, slots=True)
class FilesGone:
    """Files have been gone for 10 s, of these incidents. `text` and `about` are for the operators; where the file was
    `never_read`, its pages end (rule 32).
    """

    machine: str
    incidents: tuple[str, ...]
    about: str = ""
    text: str = ""
    never_read: bool = False


@dataclass(frozen=True, slots=True)
class MachineNotice:
    """What operators are to hear of another machine. `over`: it is not so any more."""

    machine: str
    notice: OperatorNotice
    over: bool = False


HandIn = FileVersion | FilesGone | MachineNotice


def arrival_of(hand_in: HandIn, at: datetime) -> Arrival:
    """What the ledger keeps of it. The same handed in twice has the same name, and counts once."""
    values: dict[str, Any]
    match hand_in:
        case FileVersion():
            kind, mark = ArrivalKind.VERSION, (hand_in.incident, hand_in.digest, hand_in.trouble, *hand_in.held)
            values = {"incident": hand_in.incident, "file": hand_in.file, "data": _packed(hand_in.data)}
            values["before"] = None if hand_in.before is None else _packed(hand_in.before)
            values |= {"held": hand_in.held, "trouble": hand_in.trouble}
        case FilesGone():
            kind, mark = ArrivalKind.VANISHED, (*hand_in.incidents, at.isoformat())
            values = {"incidents": hand_in.incidents, "about": hand_in.about, "text": hand_in.text}
            values["never_read"] = hand_in.never_read
        case MachineNotice(notice=notice):
            kind, mark = ArrivalKind.NOTICE, (notice.cause, str(hand_in.over), at.isoformat())
            values = {"trouble": notice.trouble.value, "text": notice.text, "about": notice.about, "name": notice.name}
            values |= {"minor": notice.minor, "aspect": notice.aspect, "over": hand_in.over}
            values["since"] = notice.since.isoformat() if notice.since else ""
    ref = hashlib.blake2b("\0".join((hand_in.machine, *mark)).encode("utf-8", "replace"), digest_size=20).hexdigest()
    return Arrival(kind, ref, hand_in.machine, json.dumps(values), at)


def hand_in_of(arrival: Arrival) -> HandIn:
    """What was handed in. Raises ValueError."""
    try:
        values = json.loads(arrival.body)
        if arrival.kind is ArrivalKind.VERSION:
            return _version(arrival.who, values)
        if arrival.kind is ArrivalKind.VANISHED:
            texts = _text(values["about"]), _text(values["text"])
            incidents = tuple(map(_text, values["incidents"]))
            return FilesGone(arrival.who, incidents, *texts, never_read=values["never_read"] is True)
        return _notice(arrival.who, values)
    except (KeyError, TypeError, zlib.error) as fault:
        raise ValueError(f"what {arrival.who} handed in cannot be read ({fault})") from None


def _version(machine: str, values: Any) -> FileVersion:
    before = None if values["before"] is None else _unpacked(values["before"])
    held, trouble = tuple(map(_text, values["held"])), _text(values["trouble"])
    names = _text(values["incident"]), _text(values["file"])
    return FileVersion(machine, *names, _unpacked(values["data"]), before, held, trouble)


def _notice(machine: str, values: Any) -> MachineNotice:
    trouble = next((one for one in Trouble if one.value == values["trouble"]), Trouble.WORD_LEFT)
    since = datetime.fromisoformat(values["since"]) if values["since"] else None
    notice = OperatorNotice(trouble, _text(values["text"]), _text(values["about"]), values["minor"] is True, since)
    notice = replace(notice, aspect=_text(values["aspect"]), name=_text(values["name"]))
    return MachineNotice(machine, notice, over=values["over"] is True)


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError(f"{type(value).__name__} where a text is meant")
    return value


def _packed(data: bytes) -> str:
    return b64encode(zlib.compress(data)).decode()


def _unpacked(text: str) -> bytes:
    unpacker = zlib.decompressobj()
    data = unpacker.decompress(b64decode(text, validate=True), DATA_MOST)
    if not unpacker.eof:
        raise ValueError(f"a file of more than {DATA_MOST} octets was handed in, or not all of it")
    return data
