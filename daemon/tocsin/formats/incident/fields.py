"""The fields of an incident file, in the order of the manual: the one table that both the reader and the schema follow.

Decides which keys there are, also inside entries, and what each is for. Must not know what a missing field means for
the incident, nor that there was an earlier version.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tocsin.domain.incident import Acknowledgment, TimelineNote, UpdateEntry
from tocsin.formats.incident.values import (
    DRILL,
    FREE_NAME,
    INSTANT,
    LINE,
    LINKS,
    LONG,
    NAME_LIMIT,
    PERSON,
    REVIEW,
    ROLES,
    SERVICE,
    SEVERITY,
    STATUS,
    TITLE,
    TITLE_LIMIT,
    WORDS,
    IncidentReader,
    ValueKind,
    says_nothing,
    text,
)
from tocsin.formats.schema.json_schema import JsonSchema, one_or_list, or_null
from tocsin.text.cleaning import clean, cut
from tocsin.text.scalars import closest
from tocsin.text.yaml import KeyPath, Value


@dataclass(frozen=True, slots=True)
class IncidentField:
    """One key: what it holds, and what an editor says of it. The values that are read are named as their keys; a kind
    that gives two values has another name for the second, `beside`.
    """

    key: str
    kind: ValueKind
    description: str
    beside: str = ""

    @property
    def schema(self) -> JsonSchema:
        """What an editor knows of it. (What a large schema is for stands before it.)"""
        if "default" in self.kind.schema or self.kind.schema.get("type") == "object":
            return {"description": self.description, **self.kind.schema}
        return {**self.kind.schema, "description": self.description}


Fields = Sequence[IncidentField]


def read_fields(reader: IncidentReader, path: KeyPath, mapping: Mapping[str, Value], fields: Fields) -> dict[str, Any]:
    """The value of each field, by its name, of the mapping at a path."""
    values: dict[str, Any] = {}
    for field in fields:
        kind, written = field.kind, mapping.get(field.key)
        value = kind.absent if written is None else kind.read(reader, (*path, field.key), written)
        if field.beside:
            values[field.key], values[field.beside] = value
        else:
            values[field.key] = value
    return values


def warn_of_unknown_keys(reader: IncidentReader, path: KeyPath, mapping: Mapping[str, Value], fields: Fields) -> None:
    """Warn of keys that mean nothing in the mapping at a path."""
    known = [field.key for field in fields]
    for key in mapping:
        if key not in known:
            words = f'unknown key "{cut(clean(key), NAME_LIMIT)}"{closest(key, known)}'
            reader.tell((*path, key), "unknown-key", words, key=True, warn=True)


def fields_schema(fields: Fields, *needed: str, rule: JsonSchema | None = None) -> JsonSchema:
    """A mapping of these fields, of which some must be there, or for which another `rule` holds."""
    return {
        "type": "object",
        "additionalProperties": False,
        **({"required": list(needed)} if rule is None else rule),
        "properties": {field.key: field.schema if field.key in needed else or_null(field.schema) for field in fields},
    }


def _entries(path: KeyPath, value: Value) -> Iterator[tuple[KeyPath, Value]]:
    """The entries of a list; one value where a list is meant will do."""
    if isinstance(value, list):
        for number, entry in enumerate(value):
            yield (*path, number), entry
    elif value is not None:
        yield path, value


def _list_of(kind: ValueKind, *, once: bool = False) -> ValueKind:
    """The good entries in the order written; with `once` each only once."""

    def read(reader: IncidentReader, path: KeyPath, value: Value) -> tuple[Any, ...]:
        values = [kind.read(reader, place, entry) for place, entry in _entries(path, value)]
        good = [value for value in values if value is not None]
        return tuple(dict.fromkeys(good) if once else good)

    return ValueKind(read, one_or_list(kind.schema, least=0), ())


def _read_acknowledgment(reader: IncidentReader, path: KeyPath, value: Value) -> Acknowledgment | None:
    """Who acknowledged: a bare name, or {by, at}."""
    if not isinstance(value, dict):
        person = PERSON.read(reader, path, value)
        return Acknowledgment(person) if person else None
    warn_of_unknown_keys(reader, path, value, _ACKNOWLEDGMENT)
    if says_nothing(value.get("by")):
        reader.tell(path, "nobody-named", "an acknowledgment must say who; write {by: ana}")
    values = read_fields(reader, path, value, _ACKNOWLEDGMENT)
    return Acknowledgment(**values) if values["by"] else None


def _entry_reader(
    make: type[UpdateEntry | TimelineNote], fields: Fields, subject: str
) -> Callable[[IncidentReader, KeyPath, Value], UpdateEntry | TimelineNote | None]:
    """Reads an entry, {text, …}, of which a plain text will do."""

    def read(reader: IncidentReader, path: KeyPath, value: Value) -> UpdateEntry | TimelineNote | None:
        if isinstance(value, dict):
            warn_of_unknown_keys(reader, path, value, fields)
            values = read_fields(reader, path, value, fields)
        else:
            values = {"text": WORDS.read(reader, path, value)}
        if values["text"] or values.get("public"):
            return make(**values)
        if value is not None:
            reader.tell(path, "empty-entry", f'{subject} needs words; write {{text: "…"}}')
        return None

    return read


def _read_resolution(reader: IncidentReader, path: KeyPath, value: Value) -> tuple[str, str]:
    """What ended it, for insiders and for outsiders: a text, or {text, public}."""
    if not isinstance(value, dict):
        return LONG.read(reader, path, value), ""
    warn_of_unknown_keys(reader, path, value, _RESOLUTION)
    values = read_fields(reader, path, value, _RESOLUTION)
    return values["text"], values["public"]


_WHEN_AND_WHO = (
    IncidentField("at", INSTANT, "when; absent: when it is first seen"),
    IncidentField("by", FREE_NAME, "who, in any words"),
)
_ACKNOWLEDGMENT = (
    IncidentField("by", PERSON, "a person's id, full name or email"),
    IncidentField("at", INSTANT, "when; absent: when it is first seen"),
)
_NOTE = (*_WHEN_AND_WHO, IncidentField("text", WORDS, "what happened"))
_UPDATE = (
    *_WHEN_AND_WHO,
    IncidentField("text", LONG, "what internal stakeholders hear"),
    IncidentField("public", LONG, "what external stakeholders hear"),
)
_RESOLUTION = (
    IncidentField("text", LONG, "what internal stakeholders hear"),
    IncidentField("public", LONG, "what external stakeholders hear"),
)
_SOME_TEXT: JsonSchema = {"type": ["string", "number"], "minLength": 1}
_TEXT_OR_PUBLIC: JsonSchema = {
    "anyOf": [{"required": [key], "properties": {key: _SOME_TEXT}} for key in ("text", "public")]
}

ACKNOWLEDGED = _list_of(
    ValueKind(_read_acknowledgment, {"anyOf": [_ACKNOWLEDGMENT[0].schema, fields_schema(_ACKNOWLEDGMENT, "by")]})
)
UPDATES = _list_of(
    ValueKind(
        _entry_reader(UpdateEntry, _UPDATE, "an update"),
        {"anyOf": [WORDS.schema, fields_schema(_UPDATE, rule=_TEXT_OR_PUBLIC)]},
    )
)
TIMELINE = _list_of(
    ValueKind(
        _entry_reader(TimelineNote, _NOTE, "a note"),
        {"anyOf": [WORDS.schema, fields_schema(_NOTE, "text")]},
    )
)
RESOLUTION = ValueKind(_read_resolution, {"anyOf": [LONG.schema, fields_schema(_RESOLUTION, rule={})]}, ("", ""))

FIELDS = (
    IncidentField("title", TITLE, "one line that says what is broken"),
    IncidentField("public_title", text(TITLE_LIMIT, lines=False), "what outsiders read instead of `title`"),
    IncidentField("severity", SEVERITY, "how bad it is: a severity of the config, in any case"),
    IncidentField("status", STATUS, "how far the response is; only `resolved` ends the incident"),
    IncidentField("summary", LONG, "what is known so far, for responders"),
    IncidentField("impact", LONG, "what customers notice; external stakeholders read it"),
    IncidentField("services", _list_of(SERVICE, once=True), "the affected services, by their names in the config"),
    IncidentField("roles", ROLES, "explicit assignments, which beat the rotation: {incident_commander: bo}"),
    IncidentField("acknowledged", ACKNOWLEDGED, "who accepted what they were paged for"),
    IncidentField("eta", INSTANT, "when it is expected to be over"),
    IncidentField("started_at", INSTANT, "when it really began; absent: when it was declared"),
    IncidentField("declared_at", INSTANT, "when it was declared"),
    IncidentField("declared_by", FREE_NAME, "who declared it, in any words"),
    IncidentField("updates", UPDATES, "what stakeholders hear, newest last"),
    IncidentField("timeline", TIMELINE, "the Scribe's notes, for the review"),
    IncidentField("bridge", LINE, "where people meet: an address or a number; only insiders read it"),
    IncidentField("links", LINKS, "what helps: {Dashboard: https://…}; only insiders read it"),
    IncidentField(
        "resolution",
        RESOLUTION,
        "what ended it: a text that insiders hear, or {text, public} for outsiders as well",
        "public_resolution",
    ),
    IncidentField("verified_by", FREE_NAME, "who confirmed that all is healthy again"),
    IncidentField("review", REVIEW, "`done`, or a link: ends the reminders of the post-incident review"),
    IncidentField(
        "drill",
        DRILL,
        "an exercise: every message says DRILL, external stakeholders hear nothing; `review`: with health and review",
        "reviewed_drill",
    ),
)
"""Every key that an incident file may have."""
