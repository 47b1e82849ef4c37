"""Which lines of a config changed between two trees, and a tree in which one of them did not.

Decides what one change is: a value, a list of words as a whole, an entry that came or went. Comments, order of keys and
names of files are none. Must not know what a change means for anybody.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import Enum

from tocsin.formats.config.entries import SECTIONS
from tocsin.formats.config.tree import ConfigTree, Tree, config_tree_files
from tocsin.text.decoding import displayed_path
from tocsin.text.yaml import KeyPath, Value


class Absent(Enum):
    """Stands for what is not written at all; null is written."""

    ABSENT = "absent"


ABSENT = Absent.ABSENT
REFERRED = ("people", "rotations", "stakeholders", "hours", "roles")
"""The sections whose entries do nothing unless something else names them."""


@dataclass(frozen=True, slots=True)
class ChangedLine:
    """One change. `file` and `line` are where it stands now, or for what was removed, where it stood. A calendar is one
    path, the file's, without values.
    """

    path: KeyPath
    before: Value | Absent = field(hash=False)
    after: Value | Absent = field(hash=False)
    file: str
    line: int

    @property
    def name(self) -> str:
        """The path as people write it: `severities.sev1.updates[0].every`."""
        words = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in self.path)
        return words.removeprefix(".")


def find_changed_lines(old: ConfigTree, new: ConfigTree) -> tuple[ChangedLine, ...]:
    """Every change, in the order of files and lines."""
    lines = [*_mappings((), old.tree, new.tree, old, new), *_calendars(old, new)]
    return tuple(sorted(lines, key=lambda line: (line.file, line.line, line.name)))


def files_without_change(
    old: ConfigTree, new: ConfigTree, lines: Iterable[ChangedLine], line: ChangedLine
) -> Iterator[dict[str, bytes]]:
    """The files of the new config, had this one line stayed as it was; of several ways the first that loads
    counts. Entries that were removed come back where they do nothing by themselves, for the line may name them.
    """
    if line.path in {(path,) for path in old.calendars.keys() | new.calendars.keys()}:
        yield config_tree_files(new.tree, {**new.calendars, **old.calendars})
        return
    calendars = {**old.calendars, **new.calendars}
    whole = new.tree
    for other in lines:
        if other.after is ABSENT and len(other.path) == 2 and other.path[0] in REFERRED:
            whole = _with(whole, other.path, other.before)
    for tree in (whole, new.tree) if whole is not new.tree else (whole,):
        yield config_tree_files(_with(tree, line.path, line.before), calendars)


def _with(tree: Tree, path: KeyPath, value: Value | Absent) -> Tree:
    """A copy of a tree with another value (or none) at a path."""
    made = _put(tree, path, value)
    assert isinstance(made, dict)
    return made


def _put(value: Value, path: KeyPath, put: Value | Absent) -> Value:
    first, rest = path[0], path[1:]
    if isinstance(value, list):
        assert isinstance(first, int)
        assert rest or put is not ABSENT
        return [*value[:first], _put(value[first], rest, put) if rest else put, *value[first + 1 :]]  # type: ignore[list-item]  # ABSENT is ruled out
    inside: dict[str, Value] = dict(value) if isinstance(value, dict) else {}
    assert isinstance(first, str)
    if rest:
        inside[first] = _put(inside.get(first), rest, put)
    elif isinstance(put, Absent):
        inside.pop(first, None)
    else:
        inside[first] = put
    return inside


def _mappings(
    path: KeyPath, before: Mapping[str, Value], after: Mapping[str, Value], old: ConfigTree, new: ConfigTree
) -> Iterator[ChangedLine]:
    for key in dict.fromkeys([*before, *after]):
        yield from _values((*path, key), before.get(key, ABSENT), after.get(key, ABSENT), old, new)


def _values(
    path: KeyPath, before: Value | Absent, after: Value | Absent, old: ConfigTree, new: ConfigTree
) -> Iterator[ChangedLine]:
    if before == after:
        return
    section = len(path) == 1 and path[0] in SECTIONS
    if section or (isinstance(before, dict) and isinstance(after, dict)):
        was, now = (value if isinstance(value, dict) else {} for value in (before, after))
        yield from _mappings(path, was, now, old, new)
    elif after is ABSENT:
        yield ChangedLine(path, before, after, *old.place(path, key=True))
    elif before is ABSENT:
        yield ChangedLine(path, before, after, *new.place(path, key=True))
    elif isinstance(before, list) and isinstance(after, list):
        yield from _lists(path, before, after, old, new)
    else:
        yield ChangedLine(path, before, after, *new.place(path))


def _lists(
    path: KeyPath, before: list[Value], after: list[Value], old: ConfigTree, new: ConfigTree
) -> Iterator[ChangedLine]:
    """A list of words is one change. Of a list of entries, those that were changed, if none came or went."""
    if len(before) == len(after) and all(isinstance(entry, dict) for entry in [*before, *after]):
        for number, (was, now) in enumerate(zip(before, after, strict=True)):
            yield from _values((*path, number), was, now, old, new)
        return
    same = next((place for place, (was, now) in enumerate(zip(before, after, strict=False)) if was != now), None)
    first = same if same is not None else min(len(before), len(after))
    yield ChangedLine(path, before, after, *new.place((*path, first) if first < len(after) else path, key=True))


def _calendars(old: ConfigTree, new: ConfigTree) -> Iterator[ChangedLine]:
    """Calendars that say something else, each at its first line that differs."""
    for path in sorted(old.calendars.keys() & new.calendars.keys()):
        was, now = old.calendars[path].splitlines(), new.calendars[path].splitlines()
        if was != now:
            alike = next((place for place, (a, b) in enumerate(zip(was, now, strict=False)) if a != b), None)
            line = alike if alike is not None else max(0, min(len(was), len(now) - 1))
            yield ChangedLine((path,), None, None, displayed_path(new.label, path), line + 1)
