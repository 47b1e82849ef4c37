"""Edits of an incident file that keep its comments and layout: text in, text out.

Decides how an acknowledgment, an update, an assignment, a note or a resolution is written. Whoever edits must not know
YAML, and this module must not know files. What it cannot edit without harm it leaves alone (None), and a file is
written anew from the last good version instead.
"""

import io
from collections.abc import Callable, Collection, Mapping
from difflib import SequenceMatcher
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap, CommentedSeq
from ruamel.yaml.error import YAMLError
from ruamel.yaml.resolver import VersionedResolver
from ruamel.yaml.scalarstring import FoldedScalarString, LiteralScalarString

from tocsin.domain.incident import Edit, Incident
from tocsin.formats.incident.sections import Sections
from tocsin.formats.incident.written import (
    acknowledgment_entry,
    document_of,
    instant,
    on_one_line,
    text_of,
    update_entry,
)
from tocsin.text.yaml import Document, Value, read_yaml

WIDTH = 100_000
"""Lines are never folded: what was one line stays one."""
_HOPELESS = frozenset({"file-too-large", "not-utf8", "too-deep", "several-documents"})
"""Problems of a file that a round trip would not survive."""
_Change = Callable[[CommentedMap], None]
_ENTRIES_BY_NAME = frozenset({"roles", "links"})
"""The keys under which each entry has a name."""


class _Plain(VersionedResolver):
    """Every plain scalar is a text but null, so that dates, versions and numbers are written back as they stood."""

    def add_version_implicit_resolver(self, version: Any, tag: Any, regexp: Any, first: Any) -> None:
        """Keep the rule for null only."""
        if str(tag).endswith((":null", ":merge")):
            super().add_version_implicit_resolver(version, tag, regexp, first)


def edit_incident(data: bytes, edit: Edit) -> bytes | None:
    """The file after the edit; None when it cannot be edited with everything else kept."""
    before = read_yaml(data, "")
    result = _changed(data, before, edit.keys, lambda mapping: _apply(mapping, edit))
    if result is None or not isinstance(before.value, dict):
        return None
    return result if _kept(before.value, read_yaml(result, "").value, edit) else None


def rewrite_incident(data: bytes, before: Incident, after: Incident) -> bytes | None:
    """The file of one version as it says another one, comments kept; None where that cannot be. Whether it reads as
    that version is for the caller to see: a file may say things in words of its own.
    """
    old, new = document_of(before), document_of(after)
    differing = [key for key in {**old, **new} if old.get(key) != new.get(key)]

    def change(mapping: CommentedMap) -> None:
        for key in differing:
            _rewrite(mapping, key, old.get(key), new.get(key))

    return _changed(data, read_yaml(data, ""), differing, change)


def _changed(data: bytes, before: Document, keys: Collection[str], change: _Change) -> bytes | None:
    """The file after a change of what it says under these keys: everything else as it stood, letter by letter, where it
    can be cut so. None where it does not survive being read and written.
    """
    if (
        before.broken
        or not isinstance(before.value, dict)
        or any(problem.code in _HOPELESS for problem in before.problems)
    ):
        return None
    try:
        text = data.decode("utf-8-sig") if before.problems else before.text  # in which JSON's escapes are YAML's
    except ValueError:
        return None
    lines, indents = text.replace("\r\n", "\n"), _indents(before)
    after = _changed_sections(lines, before, keys, indents, change)
    if after is None:
        after = _round_trip(lines, indents, change)
    if after is None:
        return None
    return (after.replace("\n", "\r\n") if "\r\n" in text else after).encode()


def _changed_sections(
    text: str, before: Document, keys: Collection[str], indents: tuple[int, int], change: _Change
) -> str | None:
    """The text with a change in the sections of these keys alone; None where that would say something else, or where
    something of the text was not read, so that nobody can tell.
    """
    sections = None if before.problems else Sections.of(text, before)
    changed = _round_trip(sections.text_of(keys), indents, change) if sections else None
    if sections is None or changed is None:
        return None
    made = Sections.of(changed, read_yaml(changed.encode(), ""))
    if made is None or made.head or not (sections.by_key.keys() & set(keys) <= made.by_key.keys()):
        return None
    after = sections.with_changed(made)
    assert isinstance(before.value, dict)
    untouched = {key: value for key, value in before.value.items() if key not in keys}
    value, wanted = read_yaml(after.encode(), "").value, read_yaml(changed.encode(), "").value
    return after if isinstance(wanted, dict) and value == untouched | wanted else None


def _round_trip(text: str, indents: tuple[int, int], change: _Change) -> str | None:
    """A text after a change; None where it does not survive being read and written."""
    plain = text.replace("\t", " ")  # which the writer knows as white space only where a line begins
    if plain != text and read_yaml(plain.encode(), "").value == read_yaml(text.encode(), "").value:
        text = plain
    try:
        writer = _writer(*indents)
        mapping = writer.load(text) if text else CommentedMap()
        if not isinstance(mapping, CommentedMap):
            return None
        change(mapping)
        return _dump(writer, mapping)
    except (YAMLError, ValueError, TypeError, AttributeError, NotImplementedError, RecursionError):
        return None


def write_incident(incident: Incident, edit: Edit | None = None) -> bytes:
    """A whole file for this version, and the edit."""
    mapping = CommentedMap(document_of(incident))
    if edit:
        _apply(mapping, edit)
    return _dump(_writer(), mapping).encode()


def _kept(before: Mapping[str, Value], after: Value, edit: Edit) -> bool:
    """Whether everything that the edit does not touch still reads the same, and what it says is there."""
    if not isinstance(after, dict) or not after.keys() <= before.keys() | edit.keys:
        return False
    untouched = all(after.get(key) == value for key, value in before.items() if key not in edit.keys)
    return untouched and _holds(after, edit)


def _holds(after: Mapping[str, Value], edit: Edit) -> bool:
    """Whether the file says what the edit says, as it is read and not as it was meant."""
    parted = isinstance(after.get("resolution"), dict) and "resolution" in edit.keys
    alone = CommentedMap({"resolution": CommentedMap()} if parted else {})
    _apply(alone, edit)
    wanted = read_yaml(_dump(_writer(), alone).encode(), "").value
    if edit.no_eta and not edit.eta and after.get("eta") is not None:
        return False
    return isinstance(wanted, dict) and all(_includes(after.get(key), value) for key, value in wanted.items())


def _includes(found: Value, wanted: Value) -> bool:
    """Whether a value is the one wanted: of a list its end, of a mapping a part."""
    if isinstance(wanted, list):
        return isinstance(found, list) and found[-len(wanted) :] == wanted
    if isinstance(wanted, dict):
        return isinstance(found, dict) and all(found.get(key) == value for key, value in wanted.items())
    return found == wanted


def _indents(document: Document) -> tuple[int, int]:
    """How far the file indents mappings, and the dashes of its lists; 2 and 2 where it has none."""
    mapping, offset = 2, 2
    for path, mark in document.values.items():
        key = document.keys.get(path[:1])
        if len(path) == 2 and key and key.line < mark.line:
            if isinstance(path[1], int):
                offset = max(0, mark.column - 2)
            elif path in document.keys:
                mapping = max(2, document.keys[path].column)
    return min(mapping, 8), min(offset, 8)


def _writer(mapping: int = 2, offset: int = 2) -> YAML:
    writer = YAML(typ="rt")
    writer.Resolver = _Plain
    writer.preserve_quotes = True
    writer.width = WIDTH
    writer.indent(mapping=mapping, sequence=offset + 2, offset=offset)
    writer.composer.warn_double_anchors = False  # an anchor may be given twice, and nobody reads that warning
    return writer


def _dump(writer: YAML, mapping: CommentedMap) -> str:
    stream = io.StringIO()
    writer.dump(mapping, stream)
    return stream.getvalue()


def _apply(mapping: CommentedMap, edit: Edit) -> None:
    """Make the edit on the loaded file."""
    _append_all(mapping, edit)
    if edit.role:
        role, person = edit.role
        _put(mapping, "roles", role, person, on_one_line({}))
    if edit.status:
        mapping["status"] = str(edit.status)
    if edit.eta:
        mapping["eta"] = instant(edit.eta)
    elif edit.no_eta and "eta" in mapping:
        mapping["eta"] = None  # the key stays, and with it the comments around it
    _resolve(mapping, edit)
    for key in ("severity", "review"):
        if (word := getattr(edit, key)) is not None:
            mapping[key] = word
    for key in ("summary", "impact", "public_title", "verified_by"):
        if (text := getattr(edit, key)) is not None:
            mapping[key] = text_of(text)


def _append_all(mapping: CommentedMap, edit: Edit) -> None:
    """Add what joins a list."""
    if edit.acknowledgment:
        _append(mapping, "acknowledged", on_one_line(acknowledgment_entry(edit.acknowledgment)))
    if edit.entry:
        _append(mapping, "updates", on_one_line(update_entry(edit.entry)))
    if edit.note:
        _append(mapping, "timeline", on_one_line(update_entry(edit.note)))
    for service in edit.services or ():
        _append(mapping, "services", service)
    for title, address in edit.links or ():
        _put(mapping, "links", title, text_of(address), CommentedMap())


def _resolve(mapping: CommentedMap, edit: Edit) -> None:
    """Write what ended it: a text, or where outsiders are told something too, {text, public}. No text ends both."""
    ended = {"text": edit.resolution, "public": edit.public_resolution}
    words = {key: text_of(text) for key, text in ended.items() if text is not None}
    there = mapping.get("resolution")
    if not words:
        return
    if isinstance(there, CommentedMap) and edit.resolution != "":
        there.update(words)
        return
    below = _trailing(there) if isinstance(there, CommentedMap) else None
    commented, key = mapping, "resolution"
    if "public" in words:
        mapping[key] = commented = CommentedMap(({"text": there} if there else {}) | words)
        key = "public"
    else:
        mapping[key] = words["text"]
    if below:
        commented.ca.items[key] = [None, None, below, None]


def _put(mapping: CommentedMap, key: str, name: str, value: str, empty: CommentedMap) -> None:
    """Set an entry of the mapping at `key`, of an `empty` one where there is none."""
    if not isinstance(mapping.get(key), CommentedMap):
        mapping[key] = empty
    entries = mapping[key]
    trailing = _trailing(entries) if name not in entries else None
    entries[name] = value
    if trailing:
        entries.ca.items[name] = [None, None, trailing, None]


def _append(mapping: CommentedMap, key: str, entry: CommentedMap | str) -> None:
    """Add an entry to a list; one value where a list is meant becomes its first entry."""
    entries = mapping.get(key)
    if not isinstance(entries, CommentedSeq):
        entries = CommentedSeq([] if entries is None else [entries])
        mapping[key] = entries
    trailing = _trailing(entries)
    entries.append(entry)
    if trailing:
        entries.ca.items[len(entries) - 1] = [trailing, None]


def _rewrite(mapping: CommentedMap, key: str, old: Any, new: Any) -> None:
    """Have the file say something else under a key; what stays of a list or a mapping stays as it is written."""
    there = mapping.get(key)
    if isinstance(new, CommentedSeq) and isinstance(there, CommentedSeq) and len(there) == len(old or ()):
        _rewrite_list(mapping, key, list(map(repr, old)), new)
    elif key in _ENTRIES_BY_NAME and isinstance(there, CommentedMap) and _is_in_order(there, new):
        for name in [name for name in there if name not in new]:
            del there[name]
        for name, value in new.items():
            if there.get(name) != value:
                _put(mapping, key, name, value, CommentedMap())
    elif new is None and key not in mapping:
        return
    else:
        below = _trailing(there) if isinstance(there, (CommentedSeq, CommentedMap)) else None
        mapping[key] = new
        if below:
            mapping.ca.items[key] = [None, None, below, None]


def _is_in_order(there: CommentedMap, new: Any) -> bool:
    """Whether nothing but leaving entries out and adding some at the end leads to the new ones."""
    if not isinstance(new, CommentedMap):
        return False
    stay, join = [name for name in there if name in new], [name for name in new if name not in there]
    return list(new) == stay + join


def _rewrite_list(mapping: CommentedMap, key: str, old: list[str], new: CommentedSeq) -> None:
    """Take out the entries that went, and put in those that came, each in its place."""
    there = mapping[key]
    steps = SequenceMatcher(None, old, list(map(repr, new)), autojunk=False).get_opcodes()
    for tag, first, end, start, stop in reversed(steps):
        if tag == "equal":
            continue
        below = _trailing(there) if end == len(there) else None
        for place in reversed(range(first, end)):
            del there[place]
        for place, entry in enumerate(new[start:stop], first):
            there.insert(place, entry)
        if below and there:
            there.ca.items[len(there) - 1] = [below, None]
    if not there:
        mapping[key] = None


def _trailing(entries: CommentedSeq | CommentedMap) -> Any:
    """Take what stands below the last entry (blank lines, comments of what follows) off it, so that a new last entry
    comes above that. A comment on the entry's own line stays.
    """
    node: Any = entries
    comments, slot, place = None, 0, None
    while isinstance(node, (CommentedSeq, CommentedMap)) and node:
        key = len(node) - 1 if isinstance(node, CommentedSeq) else next(reversed(node))
        slot = 0 if isinstance(node, CommentedSeq) else 2
        if key in node.ca.items and len(node.ca.items[key]) > slot and node.ca.items[key][slot]:
            comments, place = node.ca.items[key], slot
        node = node[key]
    if comments is None or place is None:
        return None
    token = comments[place]
    block = isinstance(node, (LiteralScalarString, FoldedScalarString))  # below it a comment begins a line of its own
    own, newline, rest = ("", "\n", token.value) if block else token.value.partition("\n")
    if not rest:
        return None
    moved = type(token)(newline + rest, token.start_mark, None)
    if own:
        token.value = own + newline
    else:
        comments[place] = None
    return moved
