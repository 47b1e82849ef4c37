"""YAML text to values with places. Decides what counts as safe YAML here, and says of the rest where it stands.

Scalars follow the YAML 1.2 core rules with one simplification: a plain null is None, and every other scalar stays the
text as it is written, quoted or not, so that `+14155550101`, `0012` and `2026-11-23` are never spoiled; whoever wants a
number or a truth reads it from that text. Refused, each as a problem with line and column: duplicate keys, anchors,
aliases, tags, merge keys, several documents, nesting over 40. What is refused is left out and the rest is kept, so that
an incident file is used as far as it can be read safely (rule 41).

One pass over the parser's events, with a stack of our own: the C composer crashes on deep nesting, its event stream
does not recurse. Must not know what a file means. Never raises.
"""

from dataclasses import dataclass, field
from typing import Protocol

import yaml
from yaml.events import (
    AliasEvent,
    DocumentStartEvent,
    Event,
    MappingEndEvent,
    MappingStartEvent,
    ScalarEvent,
    SequenceEndEvent,
    SequenceStartEvent,
    StreamEndEvent,
)

from tocsin.domain.problem import Problem, ProblemLevel
from tocsin.text.decoding import FILE_LIMIT, UNPRINTABLE, Place, decode, join_surrogates, problem
from tocsin.text.yaml_errors import explain

DEPTH_LIMIT = 40
"""The deepest nesting that is read."""
ABYSS = 1000
"""Nesting at which reading stops: beyond it the parser's own cost grows with the square of the depth."""
PROBLEM_LIMIT = 100
"""The most problems told of one file's YAML."""

Value = str | list["Value"] | dict[str, "Value"] | None
KeyPath = tuple[str | int, ...]

_Node = ScalarEvent | MappingStartEvent | SequenceStartEvent
_Loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_NULLS = frozenset({"", "~", "null", "Null", "NULL"})
_KEEP = "write it without, as a plain value"


class ParserMark(Protocol):
    """Where something begins, as the parser counts: from 0."""

    line: int
    column: int


@dataclass(slots=True)
class Document:
    """What a file says. `value` holds what could be read (None: nothing); `problems` say what was left out and why.

    `broken`: the text stops being YAML somewhere, and `value` is what stood before that place. `keys` and `values` are
    where each key and each value begins, by its path, as the parser marks it: few of them are ever asked for.
    """

    file: str
    text: str = ""
    value: Value = None
    problems: list[Problem] = field(default_factory=list)
    broken: bool = False
    keys: dict[KeyPath, ParserMark] = field(default_factory=dict)
    values: dict[KeyPath, ParserMark] = field(default_factory=dict)

    def place(self, path: KeyPath, *, key: bool = False) -> Place:
        """Where the value (or its key) at a path stands; for a path that the file lacks, its nearest parent's place."""
        first, second = (self.keys, self.values) if key else (self.values, self.keys)
        while path:
            mark = first.get(path) or second.get(path)
            if mark:
                return _place(mark)
            if path[-1] != 0:  # the first entry of a list may be one value in its stead
                first, second = self.keys, self.values
            path = path[:-1]
        return 1, 1

    def tell(self, place: Place, code: str, message: str) -> None:
        """Note a problem, up to the limit."""
        if len(self.problems) < PROBLEM_LIMIT:
            self.problems.append(problem(self.file, place, code, message))

    def problem(
        self, path: KeyPath, code: str, message: str, *, key: bool = False, level: ProblemLevel = ProblemLevel.ERROR
    ) -> Problem:
        """A problem with the value (or the key) at a path."""
        return problem(self.file, self.place(path, key=key), code, message, level)


def read_yaml(data: bytes | str, file: str, limit: int = FILE_LIMIT) -> Document:
    """Read one YAML file of at most `limit` bytes; `file` is its name in problems."""
    if isinstance(data, str):
        data = data.encode("utf-8", "surrogatepass")
    text, problems = decode(data, file, limit)
    document = Document(file, text, problems=[*problems])
    fault = _parse(document)
    joined = join_surrogates(text) if fault else text
    if joined != text and _parse(whole := Document(file, joined, problems=problems)) is None:
        return whole
    if fault and len(data) <= limit:  # a cut text may well end in the middle of something
        place, words = explain(fault, text.splitlines())
        document.tell(place, "not-yaml", words)
        document.broken = True
    return document


def _parse(document: Document) -> yaml.YAMLError | None:
    """Read the text into the document, as far as it is YAML; what stopped it, if anything did."""
    builder, parser = _Builder(document), _Loader(document.text)
    try:
        while builder.take(parser.get_event()):
            pass
    except yaml.YAMLError as fault:
        return fault
    finally:
        parser.dispose()
    return None


def _place(mark: ParserMark) -> Place:
    """The place that the parser marked."""
    return mark.line + 1, mark.column + 1


class _Dropped:
    """Stands for a key whose value is left out."""


_DROPPED = _Dropped()


class _Builder:
    """The value under construction: open containers with their paths, and the key that waits for its value."""

    __slots__ = ("containers", "document", "documents", "key", "path", "paths", "skip_is_key", "skipping")

    def __init__(self, document: Document) -> None:
        self.document = document
        self.containers: list[list[Value] | dict[str, Value]] = []
        self.paths: list[KeyPath] = []
        self.path: KeyPath = ()
        self.key: str | _Dropped | None = None
        self.skipping = 0
        self.skip_is_key = False
        self.documents = 0

    def refuse(self, event: Event, code: str, message: str) -> None:
        """Note a problem at an event."""
        mark = event.start_mark
        assert mark is not None
        self.document.tell(_place(mark), code, message)

    def take(self, event: Event | None) -> bool:
        """One event further; False when nothing more is to be read."""
        if self.skipping:
            return self.skip(event)
        if isinstance(event, ScalarEvent):
            self.scalar(event)
        elif isinstance(event, MappingStartEvent):
            self.open(event, {})
        elif isinstance(event, SequenceStartEvent):
            self.open(event, [])
        elif isinstance(event, (MappingEndEvent, SequenceEndEvent)):
            self.containers.pop()
            self.paths.pop()
        elif isinstance(event, AliasEvent):
            self.refuse(event, "alias", "aliases (*name) are not read; write the value out")
            self.leave_out()
        elif isinstance(event, DocumentStartEvent):
            self.documents += 1
            if self.documents > 1:
                self.refuse(event, "several-documents", "a file holds one document; remove the --- and what follows")
                return False
        return not (event is None or isinstance(event, StreamEndEvent))

    def skip(self, event: Event | None) -> bool:
        """Pass over a subtree that is left out, without descending for ever."""
        if isinstance(event, (MappingStartEvent, SequenceStartEvent)):
            self.skipping += 1
            if self.skipping > ABYSS:
                return False
        elif isinstance(event, (MappingEndEvent, SequenceEndEvent)):
            self.skipping -= 1
            if not self.skipping:
                self.leave_out(as_key=self.skip_is_key)
        return not (event is None or isinstance(event, StreamEndEvent))

    def leave_out(self, *, as_key: bool | None = None) -> None:
        """Something was left out here: a key takes its value with it, a value its key."""
        self.key = _DROPPED if (self.at_key() if as_key is None else as_key) else None

    def at_key(self) -> bool:
        """Whether the next node is a mapping's key."""
        return bool(self.containers) and self.key is None and type(self.containers[-1]) is dict

    def bare(self, event: _Node) -> None:
        """Refuse anchors and tags; the value itself is kept."""
        if event.anchor is not None:
            self.refuse(event, "anchor", f"anchors (&{event.anchor}) are not read; {_KEEP}")
        if event.tag is not None:
            self.refuse(event, "tag", f"tags ({event.tag}) are not read; {_KEEP}")

    def scalar(self, event: ScalarEvent) -> None:
        """A key, or a value."""
        if event.anchor is not None or event.tag is not None:
            self.bare(event)
        text = event.value
        if event.style == '"' and (bad := UNPRINTABLE.search(text)):
            self.refuse(
                event, "control-character", f"the character U+{ord(bad[0]):04X} cannot stand in a text; remove it"
            )
            text = UNPRINTABLE.sub("", text)
        if self.key is None and self.at_key():
            self.begin(event, text)
        else:
            self.attach(event, None if text in _NULLS and event.implicit[0] else text)

    def begin(self, event: ScalarEvent, key: str) -> None:
        """A key begins an entry of the open mapping."""
        self.path = path = (*self.paths[-1], key)
        keys = self.document.keys
        known = keys.get(path)
        self.key = _DROPPED
        if known:
            place = _place(known)
            self.refuse(event, "duplicate-key", f'"{key}" stands twice here, first in line {place[0]}; keep one')
        elif key == "<<" and event.implicit[0]:
            self.refuse(event, "merge-key", "merge keys (<<) are not read; write the entries out")
        elif not key:
            self.refuse(event, "empty-key", "a key is missing before the colon")
        else:
            assert event.start_mark is not None
            keys[path] = event.start_mark
            self.key = key

    def attach(self, event: _Node, value: Value) -> KeyPath | None:
        """Put a value where it belongs; its path, or None when it is left out."""
        path: KeyPath = ()
        if not self.containers:
            self.document.value = value
        else:
            top = self.containers[-1]
            if isinstance(top, list):
                path = (*self.paths[-1], len(top))
                top.append(value)
            else:
                key, self.key = self.key, None
                if not isinstance(key, str):
                    return None
                path = self.path
                top[key] = value
        assert event.start_mark is not None
        self.document.values[path] = event.start_mark
        return path

    def open(self, event: _Node, container: list[Value] | dict[str, Value]) -> None:
        """A list or mapping begins."""
        self.bare(event)
        self.skip_is_key = self.at_key()
        if self.skip_is_key:
            self.refuse(event, "key-not-text", "a key must be one word; did you mean to quote {{ }} or [ ]?")
        elif len(self.containers) >= DEPTH_LIMIT:
            self.refuse(event, "too-deep", f"nested over {DEPTH_LIMIT} deep; nothing below is read")
        else:
            path = self.attach(event, container)
            if path is not None:
                self.containers.append(container)
                self.paths.append(path)
                return
        self.skipping = 1
