"""What a machine hands in of its folder, and how the ledger keeps it as an arrival until the leader has judged it.

Pure: a value to an arrival and back. What does not read as one is a ValueError; nothing is guessed.
"""

import hashlib
import json
import zlib
from base64 import b64decode, b64encode
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from typing import Any, Self

from tocsin.domain.arrival import Arrival, ArrivalKind
from tocsin.domain.delivery import Accepted, Attempt, Uncertain
from tocsin.domain.notification import Notification
from tocsin.domain.operator_notice import OperatorNotice, Trouble
from tocsin.domain.people import Channel
from tocsin.formats.incident.read import digest

DATA_MOST = 1024 * 1024
"""Octets of a file that are taken in at the most: more than any incident file has."""
HELD_MOST = 64
"""Contents that a file held before of which the digests are handed in: the newest, and one that stands for the rest."""


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


@dataclass(frozen=True, slots=True)
class SentStep:
    """Which page of an incident: the same on every machine, which a key is not, since each has its own instant."""

    incident: str
    episode: int
    to: str
    via: Channel
    reason: str
    level: int | None
    round: int | None

    @classmethod
    def of(cls, page: Notification) -> Self:
        """That of a page."""
        return cls(page.incident, page.episode, page.to, page.via, page.reason.value, page.level, page.round)


@dataclass(frozen=True, slots=True)
class SentFromMemory:
    """A page left, or may have left, while the ledger was away: which one, and the try as it ended (R52)."""

    machine: str
    step: SentStep
    attempt: Attempt


def held_after(held: tuple[str, ...], content: str) -> tuple[str, ...]:
    """What a file has held so far, now that it holds this content. What was before the newest HELD_MOST is folded into
    one digest: a file that goes to and fro hands in something new each time.
    """
    held = held if held[-1:] == (content,) else (*held, content)
    return held if len(held) <= HELD_MOST else (digest(f"{held[0]} {held[1]}".encode()), *held[2:])


HandIn = FileVersion | FilesGone | MachineNotice | SentFromMemory


def incidents_of(hand_in: HandIn) -> frozenset[str]:
    """Those of whose files it says something."""
    if isinstance(hand_in, FileVersion):
        return frozenset([hand_in.incident])
    return frozenset(hand_in.incidents if isinstance(hand_in, FilesGone) else ())


def arrival_of(hand_in: HandIn, at: datetime) -> Arrival:
    """What the ledger keeps of it. The same handed in twice has the same name, and counts once."""
    values: dict[str, Any]
    match hand_in:
        case FileVersion():
            kind, held = ArrivalKind.VERSION, held_after(hand_in.held, hand_in.digest)
            mark: tuple[str, ...] = (hand_in.incident, hand_in.digest, hand_in.trouble, *held[:-1])
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
        case SentFromMemory(attempt=attempt, step=step):
            kind, mark = ArrivalKind.SENT, (attempt.reference, attempt.address, attempt.started_at.isoformat())
            values = {**asdict(step), "via": step.via.value, **_of_attempt(attempt)}
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
        if arrival.kind is ArrivalKind.SENT:
            return _sent(arrival.who, values)
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


def _of_attempt(attempt: Attempt) -> dict[str, Any]:
    outcome, ended_at = attempt.outcome, attempt.ended_at or attempt.started_at
    values = {"key": attempt.reference, "address": attempt.address, "provider": attempt.provider}
    values |= {"started_at": attempt.started_at.isoformat(), "ended_at": ended_at.isoformat()}
    values["provider_id"] = outcome.provider_id if isinstance(outcome, Accepted) else ""
    detail = outcome.detail if isinstance(outcome, Uncertain) else ""
    return {**values, "accepted": isinstance(outcome, Accepted), "detail": detail, "why": attempt.possible_duplicate}


def _sent(machine: str, values: Any) -> SentFromMemory:
    via, (level, round_) = Channel(_text(values["via"])), (_whole(values["level"]), _whole(values["round"]))
    names = _text(values["incident"]), _whole(values["episode"]) or 0, _text(values["to"])
    step = SentStep(*names, via, _text(values["reason"]), level, round_)
    started_at, ended_at = (datetime.fromisoformat(_text(values[name])) for name in ("started_at", "ended_at"))
    accepted, lost = Accepted(_text(values["provider_id"])), Uncertain(_text(values["detail"]))
    outcome = accepted if values["accepted"] is True else lost
    attempt = Attempt("", _text(values["key"]), 0, via, _text(values["address"]), started_at, outcome, ended_at)
    why, provider = _text(values["why"]), _text(values["provider"])
    return SentFromMemory(machine, step, replace(attempt, possible_duplicate=why, provider=provider))


def _whole(value: object) -> int | None:
    if not (value is None or isinstance(value, int)):
        raise TypeError(f"{type(value).__name__} where a number is meant")
    return value


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
