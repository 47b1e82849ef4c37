"""The JSON Schema of an incident file: what a good one looks like (product.md section 4).

Decides what an editor offers and underlines. Stricter than the reader, which uses whatever can be read: what would be a
problem there is refused here. Must not know the config: whether a severity, person, role or service exists.
"""

from tocsin.domain.incident import Status
from tocsin.formats.incident.fields import FIELDS
from tocsin.formats.incident.values import LINK_LIMIT, NAME_LIMIT, TEXT_LIMIT, TITLE_LIMIT
from tocsin.formats.schema.json_schema import DIALECT, JsonSchema, or_nothing, some, text, written
from tocsin.formats.schema.patterns import INSTANT, NAME, any_case, one_of

_STATUSES = tuple(str(status) for status in Status)
_LONG = text(TEXT_LIMIT)
_BY = {**text(NAME_LIMIT), "description": "who, in any words"}
_PERSON: JsonSchema = {**text(NAME_LIMIT), "minLength": 1}
_WORDS: JsonSchema = {**_LONG, "minLength": 1}
_AT = {**INSTANT, "description": "when; absent: when it is first seen"}


def schema() -> JsonSchema:
    """The whole schema, its properties in the order of the manual."""
    return {
        "$schema": DIALECT,
        "$id": "urn:tocsin:schema:incident",
        "title": "tocsin incident file",
        "description": "An incident: title and severity are enough. The file's name is the incident's id.",
        **fields("title", "severity"),
    }


def fields(*needed: str) -> JsonSchema:
    """The fields of an incident, of which some must be there."""
    said = _properties()
    assert set(said) == set(FIELDS)
    return {
        "type": "object",
        "additionalProperties": False,
        "required": list(needed),
        "properties": {key: said[key] if key in needed else or_nothing(said[key]) for key in FIELDS},
    }


def _properties() -> dict[str, JsonSchema]:
    """Every key of an incident file."""
    return {
        "title": {**text(TITLE_LIMIT), "minLength": 1, "description": "one line that says what is broken"},
        "severity": {**NAME, "description": "how bad it is: a severity of the config, in any case"},
        "status": {
            "description": "how far the response is; only `resolved` ends the incident",
            "default": str(Status.INVESTIGATING),
            "anyOf": [{"type": "string", "enum": list(_STATUSES)}, written(one_of(_STATUSES), _one_of(_STATUSES))],
        },
        "summary": {**_LONG, "description": "what is known so far, for responders"},
        "impact": {**_LONG, "description": "what customers notice; external stakeholders read it"},
        "services": {**some(NAME, least=0), "description": "the affected services, by their names in the config"},
        "roles": {
            "description": "explicit assignments, which beat the rotation: {incident_commander: bo}",
            "type": "object",
            "propertyNames": {**NAME, "type": "string"},
            "additionalProperties": or_nothing({**_PERSON, "description": "a person's id, full name or email"}),
        },
        "acknowledged": {**some(_ACKNOWLEDGMENT, least=0), "description": "who accepted what they were paged for"},
        "eta": {**INSTANT, "description": "when it is expected to be over"},
        "declared_at": {**INSTANT, "description": "when it was declared"},
        "declared_by": {**_BY, "description": "who declared it, in any words"},
        "updates": {**some(_UPDATE, least=0), "description": "what stakeholders hear, newest last"},
        "timeline": {**some(_NOTE, least=0), "description": "the Scribe's notes, for the review"},
        "resolution": {**_LONG, "description": "what ended it; everybody who was told hears this"},
        "verified_by": {**_BY, "description": "who confirmed that all is healthy again"},
        "review": {
            **written(
                rf" *{any_case('done')} *|(?=.{{1,{LINK_LIMIT}}}$)\s*[Hh][Tt][Tt][Pp][Ss]?:\/\/.*",
                "write done, or an https:// link to the finished review",
                "done",
            ),
            "description": "`done`, or a link: ends the reminders of the post-incident review",
        },
        "drill": {
            "description": "an exercise: every message says DRILL, external stakeholders hear nothing",
            "default": False,
            "anyOf": [
                {"type": "boolean"},
                written(one_of(("true", "false", "yes", "no", "on", "off")), "write true or false"),
            ],
        },
    }


def _one_of(words: tuple[str, ...]) -> str:
    return f"write {', '.join(words[:-1])} or {words[-1]}"


_ACKNOWLEDGMENT: JsonSchema = {
    "anyOf": [
        {**_PERSON, "description": "a person's id, full name or email"},
        {
            "type": "object",
            "additionalProperties": False,
            "required": ["by"],
            "properties": {
                "by": {**_PERSON, "description": "a person's id, full name or email"},
                "at": or_nothing(_AT),
            },
        },
    ]
}
_NOTED: JsonSchema = {"at": or_nothing(_AT), "by": or_nothing(_BY)}
_NOTE: JsonSchema = {
    "anyOf": [
        _WORDS,
        {
            "type": "object",
            "additionalProperties": False,
            "required": ["text"],
            "properties": {**_NOTED, "text": {**_WORDS, "description": "what happened"}},
        },
    ]
}
_SAID: JsonSchema = {"type": ["string", "number"], "minLength": 1}
_UPDATE: JsonSchema = {
    "anyOf": [
        _WORDS,
        {
            "type": "object",
            "additionalProperties": False,
            "anyOf": [
                {"required": ["text"], "properties": {"text": _SAID}},
                {"required": ["public"], "properties": {"public": _SAID}},
            ],
            "properties": {
                **_NOTED,
                "text": {**or_nothing(_LONG), "description": "what internal stakeholders hear"},
                "public": {**or_nothing(_LONG), "description": "what external stakeholders hear"},
            },
        },
    ]
}
