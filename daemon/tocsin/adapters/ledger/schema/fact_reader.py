"""Facts from their JSON, one after the other, for incidents of any length.

Each version of a file holds all `updates` and `timeline` notes that people ever wrote, so that reading each one whole
would cost the square of their number, in time and in memory: an entry that stood in an earlier version is taken from
there. What cannot be read so is read whole by `codec`, which also says what is wrong with it.
"""

import json
from typing import Generic

from tocsin.adapters.ledger.schema.codec import Entry, read_entry, read_fact
from tocsin.domain.facts import Fact, Seen
from tocsin.domain.incident import TimelineNote, UpdateEntry
from tocsin.planning.history.fast_replace import replace

ANY_ENTRY = "{}"
"""What stands for all entries of a list while the rest of a version is read."""
_DECODER = json.JSONDecoder()


class FactReader:
    """Reads the facts of one incident, in their order."""

    def __init__(self) -> None:
        self._updates = ListReader("updates", UpdateEntry)
        self._timeline = ListReader("timeline", TimelineNote)

    def read(self, name: str, body: str) -> Fact:
        """As `read_fact` does."""
        if name != Seen.__name__:
            return read_fact(name, body)
        try:
            return self._read_version(body)
        except (ValueError, RecursionError):
            return read_fact(name, body)

    def _read_version(self, body: str) -> Fact:
        """Raises ValueError where it must be read whole."""
        body, updates = self._updates.take_out(body)
        body, timeline = self._timeline.take_out(body)
        fact = read_fact(Seen.__name__, body)
        if not updates and not timeline:
            return fact
        assert isinstance(fact, Seen)
        rest = fact.incident
        if (len(rest.updates), len(rest.timeline)) != (bool(updates), bool(timeline)):
            raise ValueError("a list stands elsewhere")
        return replace(fact, incident=replace(rest, updates=updates, timeline=timeline))


class ListReader(Generic[Entry]):
    """Reads one list of each version. An entry is known by its text: no good text is the beginning of another."""

    def __init__(self, field: str, kind: type[Entry]) -> None:
        self._begins = f'"{field}":['
        """It stands in no text of people: there quotes are escaped."""
        self._kind: type[Entry] = kind
        self._known: dict[str, Entry] = {}
        self._text = ""
        """The whole list of the version before."""
        self._entries: tuple[Entry, ...] = ()

    def take_out(self, body: str) -> tuple[str, tuple[Entry, ...]]:
        """The body with ANY_ENTRY alone in the list, and the entries; the same body where it has no such list. Raises
        ValueError.
        """
        begin = body.find(self._begins)
        if begin < 0:
            return body, ()
        begin += len(self._begins)
        entries, end = self._read(body, begin)
        rest = body[end:]
        if self._begins in rest:
            raise ValueError("it stands there twice")
        self._text, self._entries = body[begin:end], entries
        return f"{body[:begin]}{ANY_ENTRY}{rest}", entries

    def _read(self, body: str, at: int) -> tuple[tuple[Entry, ...], int]:
        """The entries from there on, and where they end. Raises ValueError."""
        entries: list[Entry] = []
        while True:
            if self._text and body.startswith(self._text, at):
                entries += self._entries
                at += len(self._text)
            else:
                entry, at = self._read_entry(body, at)
                entries.append(entry)
            if body.startswith("]", at):
                return tuple(entries), at
            if not body.startswith(",", at):
                raise ValueError("it is no list")
            at += 1

    def _read_entry(self, body: str, at: int) -> tuple[Entry, int]:
        """The entry that begins there, and where it ends. Raises ValueError."""
        end = body.find("},{", at) + 1
        entry = self._known.get(body[at:end])
        if entry is None:
            _, end = _DECODER.raw_decode(body, at)
            text = body[at:end]
            entry = self._known.get(text)
            if entry is None:
                entry = self._known[text] = read_entry(self._kind, text)
        return entry, end
