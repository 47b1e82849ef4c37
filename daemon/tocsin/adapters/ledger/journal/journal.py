"""What this machine remembers of the ledger, in a file beside what it keeps for itself (P9): the tries of the last hour
and how they ended, which incidents there are, under which term it led, and which installation's ledger it was (P7).

A line of JSON for each, written by a thread of its own in the order noted. A try is on disk before its first byte
leaves; a disk that does not take it in time stops nothing. Must not know what follows from it.
"""

import asyncio
import json
import os
from collections import OrderedDict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future
from datetime import datetime, timedelta
from pathlib import Path
from queue import SimpleQueue
from typing import Any, Self
from uuid import UUID

from tocsin.adapters.files.disk_threads import DiskThreads
from tocsin.adapters.files.whole_file import sync, write_whole
from tocsin.adapters.ledger.schema.decoding import read_instant, write_instant
from tocsin.adapters.ledger.schema.outcome_codec import read_outcome
from tocsin.adapters.ledger.statements import Row
from tocsin.domain.delivery import CERTAINTY, Attempt
from tocsin.domain.notification import NOBODY
from tocsin.domain.people import Channel
from tocsin.ports.leadership import Term

NAME = "journal"
MODE = 0o600
KEPT_FOR = timedelta(hours=1)
"""How long a try is remembered."""
TIDIED_AFTER = timedelta(hours=2)
"""How old a try may be that is still in the file: it names an address."""
INCIDENTS_MOST = 200_000
"""The most incidents remembered, the newest: more than are ever open, for what is open is asked for again and again,
and would be new each time.
"""
GROWS_TO = 4 << 20
"""Bytes that it may grow to before what is too old goes."""
READS_WITHIN = 3.0
"""Seconds that a start waits for the disk."""
READ_MOST = 64 << 20
"""Characters of it that are read, whoever made it grow."""
WAITS = 1.0
"""Seconds that a first byte waits for the disk."""
HANGS = "the disk does not answer"
BEGUN, ENDED, INCIDENTS, TERM, INSTALLATION = "begun", "ended", "incidents", "term", "installation"
_COLUMNS = ("id", "key", "via", "address", "started_at", "possible_duplicate", "provider", "bundle")


class Journal:
    """The journal in a folder. What cannot be read of it counts as not there. `trouble` is why it cannot be written;
    empty if it can.
    """

    def __init__(self, state: Path) -> None:
        self.path = state / NAME
        self.trouble = ""
        self.threads = DiskThreads("journal")
        self._attempts: dict[str, Row] = {}
        self._incidents = OrderedDict[str, None]()
        self._installation = ""
        self._term: Sequence[Any] = ()
        self._size, self._grows_to = 0, GROWS_TO
        self._queue: SimpleQueue[tuple[bool, str]] = SimpleQueue()

    @classmethod
    async def open(cls, state: Path) -> Self:
        """With what the process before has left there, if that can be read in time."""
        journal = cls(state)
        reading = asyncio.wrap_future(journal.threads.submit(journal._read))
        if (await asyncio.wait({reading}, timeout=READS_WITHIN))[0]:
            journal._recall(reading.result())
        else:
            journal.trouble = HANGS
        return journal

    async def note_begun(self, attempts: Iterable[Attempt]) -> None:
        """Tries begin; on return they are on disk, or it is known that this is not to be waited for. Never raises."""
        lines = [{BEGUN: row} for row in map(_row, attempts) if not row["key"].startswith(f"{NOBODY}/")]
        if not lines:
            return
        self._attempts.update((line[BEGUN]["id"], line[BEGUN]) for line in lines)
        waits, written = not self.trouble, asyncio.wrap_future(self._write(lines))
        if waits and not (await asyncio.wait({written}, timeout=WAITS))[0]:
            self.trouble = HANGS

    def note_ended(self, end: Mapping[str, Any]) -> None:
        """So a try ended: a row of `writes.end_attempt`. What says less than is known counts for nothing."""
        if _end(self._attempts, end):
            self._write([{ENDED: dict(end)}])

    def note_incidents(self, incidents: Iterable[str]) -> None:
        """These are in the ledger."""
        new = [incident for incident in incidents if incident not in self._incidents]
        if new:
            self._add_incidents(new)
            self._write([{INCIDENTS: new}])

    def note_term(self, term: Term) -> None:
        """This machine leads under it."""
        self._term = [term.epoch, term.id]
        self._write([{TERM: self._term}])

    def knows(self, incident: str) -> bool:
        """Whether it was ever seen in the ledger."""
        return incident in self._incidents

    def knows_incidents(self) -> bool:
        """Whether any was."""
        return bool(self._incidents)

    def attempts(self, now: datetime) -> tuple[Row, ...]:
        """The tries of the last hour in the order begun, each a row of the ledger with `outcome` and `ended_at`, if it
        has ended.
        """
        since = write_instant(now - KEPT_FOR)
        return tuple(row for row in self._attempts.values() if row["started_at"] >= since)

    def tidy(self, now: datetime) -> None:
        """Nothing older stays in the file. To be called now and then."""
        oldest = next(iter(self._attempts.values()), None)
        if oldest is not None and oldest["started_at"] < write_instant(now - TIDIED_AFTER):
            self._write_anew(now)

    def forget(self) -> None:
        """What it knows is of another ledger."""
        self._attempts, self._incidents = {}, OrderedDict()
        self._write_anew()

    def known(self) -> str:
        """The installation whose ledger it was; empty: none was."""
        return self._installation

    def keep(self, id_: str) -> None:
        """It is this one from now on. It blocks. Raises OSError."""
        self._installation = id_
        self._queue.put((False, _text([{INSTALLATION: id_}])))
        self._drain()
        if self.trouble:
            raise OSError(self.trouble)

    async def close(self) -> None:
        """What was noted is written, if the disk takes it."""
        await asyncio.wait({asyncio.wrap_future(self.threads.submit(self._drain))}, timeout=WAITS)

    def _add_incidents(self, incidents: Iterable[str]) -> None:
        self._incidents.update(dict.fromkeys(incidents))
        while len(self._incidents) > INCIDENTS_MOST:
            self._incidents.popitem(last=False)

    def _write(self, lines: Iterable[Mapping[str, Any]]) -> Future[None]:
        """In line, behind all that was noted before."""
        text = _text(lines)
        self._size += len(text)
        if self._size > self._grows_to:
            return self._write_anew()
        self._queue.put((False, text))
        return self.threads.submit(self._drain)

    def _write_anew(self, now: datetime | None = None) -> Future[None]:
        """Only what counts yet. Where no clock is at hand, *now* is when the newest try began."""
        if now is None and self._attempts:
            now = max(read_instant(row["started_at"]) for row in self._attempts.values())
        since = write_instant(now - KEPT_FOR) if now else ""
        self._attempts = {id_: row for id_, row in self._attempts.items() if row["started_at"] >= since}
        text = _text(self._lines())
        self._size, self._grows_to = len(text), max(GROWS_TO, 2 * len(text))
        self._queue.put((True, text))
        return self.threads.submit(self._drain)

    def _lines(self) -> Iterator[Mapping[str, Any]]:
        if self._installation:
            yield {INSTALLATION: self._installation}
        if self._term:
            yield {TERM: self._term}
        yield {INCIDENTS: list(self._incidents)}
        yield from ({BEGUN: row} for row in self._attempts.values())

    def _drain(self) -> None:
        """In the thread: whatever has come together is on disk at once."""
        anew, lines = False, list[str]()
        while not self._queue.empty():
            whole, text = self._queue.get()
            if whole:
                anew, lines = True, []
            lines.append(text)
        if not lines:
            return
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True, mode=0o750)
            if anew:
                write_whole(self.path, "".join(lines).encode(), MODE)
            else:
                self._append("".join(lines).encode())
        except OSError as fault:
            self.trouble = fault.strerror or str(fault)
        else:
            self.trouble = ""

    def _append(self, data: bytes) -> None:
        flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC | os.O_NOFOLLOW
        with os.fdopen(os.open(self.path, flags, MODE), "ab") as file:
            file.write(data)
            sync(file)

    def _read(self) -> str:
        """In the thread."""
        try:
            with self.path.open(encoding="utf-8", errors="replace") as file:
                return file.read(READ_MOST)
        except OSError:
            return ""

    def _recall(self, text: str) -> None:
        """A line that is broken, as by a power loss, is left out."""
        for line in text.splitlines():
            try:
                self._take(json.loads(line))
            except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
                continue
        self._size, self._grows_to = len(text), max(GROWS_TO, len(text))

    def _take(self, line: Any) -> None:
        """Raises what a strange line leads to."""
        ((kind, value),) = line.items()
        if kind == BEGUN:
            row = _checked(value)
            self._attempts[row["id"]] = row
        elif kind == ENDED:
            read_outcome(value["outcome"])
            _check_instant(value["ended_at"])
            _end(self._attempts, value)
        elif kind == INCIDENTS:
            self._add_incidents(str(incident) for incident in value)
        elif kind == TERM:
            self._term = list(value)
        elif kind == INSTALLATION:
            self._installation = str(value)


def _row(attempt: Attempt) -> Row:
    started_at = write_instant(attempt.started_at)
    how = {"via": attempt.via.value, "address": attempt.address, "started_at": started_at}
    more = {"possible_duplicate": attempt.possible_duplicate, "provider": attempt.provider, "bundle": attempt.bundle}
    return {"id": attempt.id, "key": attempt.reference, **how, **more, "outcome": None, "ended_at": None}


def _checked(value: Any) -> Row:
    """A row that the ledger can take. Raises what a strange one leads to."""
    row = {column: value[column] for column in _COLUMNS}
    if not all(isinstance(text, str) for text in row.values()):
        raise TypeError("a column is no text")
    UUID(row["id"])
    Channel(row["via"])
    _check_instant(row["started_at"])
    ended = value["outcome"] is not None
    if ended:
        read_outcome(value["outcome"])
        _check_instant(value["ended_at"])
    return row | {"outcome": value["outcome"] if ended else None, "ended_at": value["ended_at"] if ended else None}


def _check_instant(text: str) -> None:
    """Raises ValueError for what the ledger does not keep as one."""
    if write_instant(read_instant(text)) != text:
        raise ValueError(text)


def _end(attempts: Mapping[str, Row], end: Mapping[str, Any]) -> bool:
    """Whether that is news of one of these tries."""
    row = attempts.get(end["this"])
    if row is None or end["certainty"] < certainty_of(row["outcome"]):
        return False
    row["outcome"], row["ended_at"] = end["outcome"], end["ended_at"]
    return True


def certainty_of(outcome: str | None) -> int:
    """How much an outcome says, as the ledger keeps it; nothing: it has none."""
    return CERTAINTY[type(read_outcome(outcome))] if outcome else 0


def _text(lines: Iterable[Mapping[str, Any]]) -> str:
    return "".join(f"{json.dumps(line)}\n" for line in lines)
