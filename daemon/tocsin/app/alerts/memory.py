"""Which alerts an incident file has heard of, in comments at its end: they go where the file goes and change in the
same instant.

A file without them (somebody took them out) has heard of nothing.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from hashlib import sha256

from tocsin.domain.arrival import FiringAlerts
from tocsin.formats.incident.alerts import LINES
from tocsin.text.decoding import FILE_LIMIT
from tocsin.text.yaml import read_yaml

KNOWN_MOST = 20_000
"""Alerts that a file remembers, the newest."""
IN_A_LINE = 10
_HEAD = "# alertmanager"
_FIRST = re.compile(rb"^# alertmanager: newest (\S{1,40}) summary (\S{1,20}) ", re.MULTILINE)
_MARKS = re.compile(rb"^# alertmanager ((?:[a-z2-7]{8} ?)+)\r?$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class AlertMemory:
    """The alerts heard of (their marks, newest first), when the newest of them began, and a digest of the summary that
    was written: another one is somebody's own.
    """

    marks: tuple[str, ...] = ()
    newest_at: datetime | None = None
    summary: str = "-"

    def new(self, alerts: Iterable[FiringAlerts]) -> tuple[FiringAlerts, ...]:
        """Those not heard of before."""
        known, new = frozenset(self.marks), []
        for some in alerts:
            marks = "".join(mark for mark in some.all_marks if mark not in known)
            new += [replace(some, marks=marks)] if marks else []
        return tuple(new)

    def wrote(self, summary: str) -> bool:
        """Whether this is the summary that was written last."""
        return self.summary == _digest(summary)

    def with_summary(self, summary: str) -> "AlertMemory":
        """Having written this summary."""
        return replace(self, summary=_digest(summary))

    def with_alerts(self, alerts: Iterable[FiringAlerts], now: datetime) -> "AlertMemory":
        """Having heard of these too. None of them begins in the future, whatever it says."""
        new = self.new(alerts)
        starts = [min(some.newest_at, now) for some in new] + ([self.newest_at] if self.newest_at else [])
        marks = dict.fromkeys([*(mark for some in new for mark in some.all_marks), *self.marks])
        return replace(self, marks=tuple(marks)[:KNOWN_MOST], newest_at=max(starts, default=None))


def read_memory(data: bytes) -> AlertMemory:
    """What a file remembers."""
    first = _FIRST.search(data)
    marks = tuple(dict.fromkeys(mark for line in _MARKS.findall(data) for mark in line.decode("ascii").split()))
    if first is None:
        return AlertMemory(marks)
    try:
        newest = datetime.fromisoformat(first[1].decode("ascii", "replace"))
    except ValueError:
        newest = None
    return AlertMemory(marks, newest if newest and newest.tzinfo else None, first[2].decode("ascii", "replace"))


def with_memory(data: bytes, memory: AlertMemory) -> bytes:
    """The file with this memory instead of its own. A file that would then say something else stays as it is."""
    content = LINES.sub(b"", data)
    newest = memory.newest_at.isoformat() if memory.newest_at else "-"
    lines = [f"{_HEAD}: newest {newest} summary {memory.summary} (leave these lines: they tell which alerts are known)"]
    places = range(0, len(memory.marks), IN_A_LINE)
    lines += [f"{_HEAD} {' '.join(memory.marks[place : place + IN_A_LINE])}" for place in places]
    end = "\r\n" if b"\r\n" in content else "\n"
    joint = b"" if content.endswith(b"\n") or not content else end.encode()
    result = content + joint + "".join(line + end for line in lines).encode()
    same = len(result) <= FILE_LIMIT and read_yaml(result, "").value == read_yaml(data, "").value
    return result if same else data


def _digest(summary: str) -> str:
    return sha256(summary.encode("utf-8", "replace")).hexdigest()[:12]
