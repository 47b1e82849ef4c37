"""Events that happen once and say nothing odd: most of a calendar that another program writes, shift by shift.

They are read here, ten times cheaper than by the library, which is left whatever is not exactly as expected: each comes
to what the library would make of it. Must not know whom an event names.
"""

import re
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, tzinfo

_BEGIN, _END = "BEGIN:VEVENT", "END:VEVENT"
_COMPONENT = re.compile(r"(BEGIN|END):([A-Z]+)", re.ASCII)
_WRAPPER = (("BEGIN", "VCALENDAR"), ("END", "VCALENDAR"))
_UID = re.compile(r"UID:([\w@.+=/{}-]+)", re.ASCII)
_DAY = r"(?:19|20|21)[0-9]{6}"
_TIME = re.compile(
    rf"(DTSTART|DTEND)(?:;TZID=([A-Za-z0-9_+\-/]{{1,64}}):({_DAY}T[0-9]{{6}})|:({_DAY}T[0-9]{{6}}Z?)|;VALUE=DATE:({_DAY}))",
    re.ASCII,
)
_SUMMARY = re.compile(r"SUMMARY:((?! )[\w .,:;@()'/+&!?#=<>|\[\]{}’–—-]+(?<! ))")
_OTHER = re.compile(r"(STATUS:[A-Z]{1,20}|SEQUENCE:[0-9]{1,9})", re.ASCII)


@dataclass(frozen=True, slots=True)
class PlainEvent:
    """An event from start to end, which are both days or both times, in one zone or in none. `number` is its place
    among the events of the file, from 0.
    """

    number: int
    start: date
    end: date
    summary: str
    status: str = ""


@dataclass(frozen=True, slots=True)
class Divided:
    """The lines of a file, apart: the plain events, the lines of all else, and for each event in these its place among
    all events of the file.
    """

    plain: tuple[PlainEvent, ...]
    lines: Sequence[str]
    numbers: Sequence[int]


EVERY = range(1 << 31)
"""The places of events where none was taken out."""


def divide(lines: Sequence[str], zone: Callable[[str], tzinfo | None]) -> Divided:
    """Take the plain events out of a file of one calendar. `zone` is a zone by a name that this machine knows. Where
    components do not lie in each other as they should, or it is not clear who shares a UID, none is plain.
    """
    blocks = _blocks(lines)
    uids = Counter(line for line in lines if line[:3].upper() == "UID")
    if blocks is None or not all(_UID.fullmatch(line) for line in uids):
        return Divided((), lines, EVERY)
    plain: list[PlainEvent] = []
    rest: list[str] = []
    numbers: list[int] = []
    last = 0
    zones = _Zones(zone)
    for number, (begin, end) in enumerate(blocks):
        rest += lines[last:begin]
        last = end
        if event := _event(number, lines[begin + 1 : end - 1], uids, zones):
            plain.append(event)
        else:
            rest += lines[begin:end]
            numbers.append(number)
    return Divided(tuple(plain), [*rest, *lines[last:]], numbers) if plain else Divided((), lines, EVERY)


def _blocks(lines: Sequence[str]) -> list[tuple[int, int]] | None:
    """Where each event begins and ends, if the file is one calendar in which events hold nothing else."""
    blocks: list[tuple[int, int]] = []
    inside: list[str] = []
    for place, line in enumerate(lines):
        if line[:5].upper() != "BEGIN" and line[:3].upper() != "END":
            if not inside:
                return None
            continue
        match = _COMPONENT.fullmatch(line)
        if match is None or bool(inside) == (place == 0):
            return None
        verb, name = match.groups()
        if verb == "BEGIN":
            if "VEVENT" in inside or (name == "VEVENT" and len(inside) != 1):
                return None
            inside.append(name)
            begin = place
        elif inside.pop() != name:
            return None
        elif name == "VEVENT":
            blocks.append((begin, place + 1))
    return blocks if lines and not inside and _component(lines[0]) == "VCALENDAR" else None


def _component(line: str) -> str:
    match = _COMPONENT.fullmatch(line)
    return match[2] if match else ""


class _Zones:
    """Zones by name, each looked for once."""

    def __init__(self, zone: Callable[[str], tzinfo | None]) -> None:
        self._zone = zone
        self._known: dict[str, tzinfo | None] = {}

    def known(self, name: str) -> tzinfo | None:
        if name not in self._known:
            self._known[name] = self._zone(name)
        return self._known[name]


def _event(number: int, lines: Sequence[str], uids: Counter[str], zones: _Zones) -> PlainEvent | None:
    """An event, if all that its lines say is plain, and said once."""
    said: dict[str, str] = {}
    for line in lines:
        name = re.split("[:;]", line, maxsplit=1)[0]
        if name in said:
            return None
        said[name] = line
    if "UID" in said and uids[said.pop("UID")] > 1:
        return None
    times = [_TIME.fullmatch(said.pop(name, "")) for name in ("DTSTART", "DTEND")]
    summary = _SUMMARY.fullmatch(said.pop("SUMMARY", ""))
    if not all(times) or summary is None or not all(_OTHER.fullmatch(line) for line in said.values()):
        return None
    start, end = (_moment(match, zones) for match in times if match)
    if start is None or end is None or not _together(start, end):
        return None
    return PlainEvent(number, start, end, summary[1], said.get("STATUS", "")[len("STATUS:") :])


def _moment(match: re.Match[str], zones: _Zones) -> date | None:
    """What a time means; None for one that is none, or whose zone is not known."""
    _, name, local, moment, day = match.groups()
    zone = zones.known(name) if name else None
    if name and zone is None:
        return None
    try:
        if day:
            return date.fromisoformat(day)
        read = datetime.fromisoformat(local or moment)
        return read.replace(tzinfo=zone) if name else read
    except ValueError:
        return None


def _together(start: date, end: date) -> bool:
    """Whether these can be compared as they are, and come in this order."""
    if isinstance(start, datetime) and isinstance(end, datetime):
        return start.tzinfo == end.tzinfo and start.replace(tzinfo=None) <= end.replace(tzinfo=None)
    return type(start) is type(end) and start <= end
