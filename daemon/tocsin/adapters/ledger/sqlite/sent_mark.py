"""A mark outside the ledger of what was sent lately, so that an older copy of the ledger is known for one (rule 64).

One line an attempt: its instant, its id, a hash of its key, and one of what a repetition would have in common with it
(incident, kind, channel, address); `noticed` and an instant where what is lacking was told. Decides what a ledger
lacks. Must not know what follows from it.
"""

import os
import re
import threading
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from queue import SimpleQueue
from typing import NamedTuple
from uuid import UUID

from tocsin.adapters.files.rights import mode_in
from tocsin.adapters.files.whole_file import write_whole
from tocsin.adapters.ledger.repetitions import REPEATED_WITHIN, alike, hash_of
from tocsin.domain.delivery import numbered_attempt

KEPT_FOR = timedelta(days=1)
"""How long what was sent is remembered; never more than `KEPT_MOST` of it."""
KEPT_MOST = 20_000
"""The most attempts remembered after a start."""
GROWS_TO = 4 << 20
"""Bytes that it may grow to before the oldest half goes."""
NOTICED = "noticed"
_PLAIN = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
"""An id as it is written down."""


class Sent(NamedTuple):
    """One attempt, as the mark remembers it."""

    at: datetime
    id: str
    key: str
    alike: str


@dataclass(slots=True)
class LedgerLack:
    """What a ledger lacks of what was sent: how many messages since when, and whether that is news. `left` is how many
    messages of each sort may be repetitions yet.
    """

    count: int = 0
    since: datetime | None = None
    news: bool = False
    left: Counter[str] = field(default_factory=Counter)


class SentMark:
    """The mark beside one ledger. It is written by a thread of its own, in the order noted. `trouble` is why it cannot
    be; empty if it can.
    """

    def __init__(self, ledger: Path) -> None:
        self.path = ledger.with_name(f"{ledger.name}.sent")
        self.trouble = ""
        self._whole = True
        """Whether all that was read last can be read: else what is noted next could stand behind half a line."""
        self._unread = False
        """Whether there is a mark that could not be read: the next start may be able to."""
        self._queue: SimpleQueue[str | None] = SimpleQueue()
        self._thread = threading.Thread(target=self._write, name="sent-mark", daemon=True)
        self._thread.start()

    def note(self, attempt: str, key: str, via: str, address: str, at: datetime) -> None:
        """An attempt begins; at once, and never raising."""
        self._queue.put(f"{at.isoformat()} {attempt} {hash_of(key)} {alike(key, via, address)}\n")

    def close(self) -> None:
        """Write what is noted."""
        self._queue.put(None)
        self._thread.join(5)

    def read(self) -> list[Sent | datetime]:
        """What was noted, in its order; an instant where what was lacking before it was told. What cannot be read is
        left out.
        """
        try:
            text = self.path.read_text("ascii", "replace")
        except FileNotFoundError:
            return []
        except OSError:
            self._unread = True
            return []
        written = text.splitlines()
        lines = [line for line in map(_line, written) if line is not None]
        self._whole = len(lines) == len(written) and text[-1:] in {"", "\n"}
        return lines

    def lack(self, lines: Sequence[Sent | datetime], keys: Mapping[str, str], now: datetime) -> LedgerLack:
        """What a ledger lacks of what was read, if it has these keys of attempts by their ids. It is kept in mind that
        it was told.
        """
        lack = LedgerLack()
        keys_seen: set[str] = set()
        told = [place for place, line in enumerate(lines) if isinstance(line, datetime)]
        for place, sent in enumerate(lines):
            if not isinstance(sent, Sent) or (sent.id in keys and hash_of(keys[sent.id]) == sent.key):
                continue
            noticed = next((lines[later] for later in told if later > place), None)
            if isinstance(noticed, datetime) and now - noticed >= REPEATED_WITHIN:
                continue
            lack.since = min(lack.since or sent.at, sent.at)
            lack.news = lack.news or noticed is None
            if sent.key not in keys_seen:
                keys_seen.add(sent.key)
                lack.count += 1
                lack.left[sent.alike] += 1
        kept = [line for line in lines if isinstance(line, datetime) or now - line.at < KEPT_FOR][-KEPT_MOST:]
        if lack.news or len(kept) < len(lines) or not self._whole:
            self._rewrite([*kept, now] if lack.news else kept)
        elif not self._append(""):  # what is noted next would be lost: a file of ours takes its place, if it can
            self._put_aside_unread()
            self._rewrite(kept)
        return lack

    def _put_aside_unread(self) -> None:
        """Leave what cannot be read to whoever mends it."""
        if self._unread:
            with suppress(OSError):
                self.path.replace(self.path.with_name(f"{self.path.name}.unread"))

    def _write(self) -> None:
        """In the thread: whatever has come together is on disk at once."""
        going = True
        while going:
            lines = [self._queue.get()]
            while not self._queue.empty():
                lines.append(self._queue.get())
            going = None not in lines
            text = "".join(line for line in lines if line is not None)
            if text:
                self._append(text)

    def _append(self, text: str) -> bool:
        """Whether it is on disk."""
        flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC | os.O_NOFOLLOW
        try:
            mark = os.open(self.path, flags, mode_in(self.path.parent))
            try:
                left = text.encode("ascii")
                while left:
                    left = left[os.write(mark, left) :]
                os.fsync(mark)
                grown = os.fstat(mark).st_size > GROWS_TO
            finally:
                os.close(mark)
        except OSError as fault:
            self.trouble = fault.strerror or str(fault)
            return False
        self.trouble = ""
        if grown:
            lines = self.read()
            self._rewrite(lines[len(lines) // 2 :])
        return True

    def _rewrite(self, lines: Iterable[Sent | datetime]) -> None:
        """Only these lines, whole or not at all."""
        try:
            write_whole(self.path, "".join(map(_text, lines)).encode("ascii"), mode_in(self.path.parent))
        except OSError as fault:
            self.trouble = fault.strerror or str(fault)
        else:
            self.trouble = ""


def first_id(lines: Iterable[Sent | datetime]) -> str | None:
    """The smallest id noted; None: nothing is."""
    return min((line.id for line in lines if isinstance(line, Sent)), default=None)


def _line(text: str) -> Sent | datetime | None:
    words = text.split()
    try:
        at = datetime.fromisoformat(words[1] if words[0] == NOTICED else words[0])
        if at.tzinfo is None:
            return None
        return at if words[0] == NOTICED else Sent(at, _attempt_id(words[1]), words[2], words[3])
    except (ValueError, IndexError):
        return None


def _attempt_id(word: str) -> str:
    """The id of an attempt; lines of an older version name a number. Raises ValueError."""
    if _PLAIN.fullmatch(word):
        return word
    return numbered_attempt(int(word)) if word.isdecimal() else str(UUID(word))


def _text(line: Sent | datetime) -> str:
    if isinstance(line, datetime):
        return f"{NOTICED} {line.isoformat()}\n"
    return f"{line.at.isoformat()} {line.id} {line.key} {line.alike}\n"
