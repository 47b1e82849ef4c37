"""JSON Schema 2020-12 for editors: its small parts, and what pydantic says of a model, made fit to be read.

Decides how the liberal forms of the files (one value where a list is meant, a key without a value, plain digits) are
said in a schema, so that editors complete them. Must not know any field. `patternErrorMessage` and `errorMessage` are
words that editors show and validators pass over.
"""

from datetime import timedelta
from typing import Any

from pydantic import BaseModel

from tocsin.text.scalars import duration

JsonSchema = dict[str, Any]

DIALECT = "https://json-schema.org/draft/2020-12/schema"
NULL: JsonSchema = {"type": "null"}
NOT_IN_FILES: JsonSchema = {"writeOnly": True}
"""Marks a key that no file may have: `model_schema` leaves it out."""


def text_matching(pattern: str, words: str, *examples: str, digits: JsonSchema | None = None) -> JsonSchema:
    """A text that is written so; `told` is what an editor says of any other. `digits`: what plain digits may be, which
    an editor's YAML takes for a number.
    """
    return {
        "type": ["string", "integer"] if digits else "string",
        "pattern": f"^(?:{pattern})$",
        "patternErrorMessage": words,
        **({"examples": list(examples)} if examples else {}),
        **(digits or {}),
    }


def text(limit: int) -> JsonSchema:
    """Free text; plain digits are text too."""
    return {"type": ["string", "number"], "maxLength": limit}


def whole(least: int, most: int) -> JsonSchema:
    """A whole number in a range."""
    return {"type": "integer", "minimum": least, "maximum": most}


def list_of(item: JsonSchema, *, least: int = 1, most: int = 0, once: bool = False) -> JsonSchema:
    """A list of these; `most` 0 is as many as one likes."""
    counted: JsonSchema = {**({"minItems": least} if least else {}), **({"maxItems": most} if most else {})}
    return {"type": "array", "items": item, **counted, **({"uniqueItems": True} if once else {})}


def one_or_list(item: JsonSchema, *, least: int = 1, most: int = 0, once: bool = False) -> JsonSchema:
    """A list of these, of which one will do without brackets."""
    return {"anyOf": [item, list_of(item, least=least, most=most, once=once)]}


def one_at_least(*keys: str) -> JsonSchema:
    """One of these keys stands there, and one that does has a value."""
    present = [{"required": [key]} for key in keys]
    nothing: JsonSchema = {"enum": [None, []]}
    return {"anyOf": present, "not": {"anyOf": present, "properties": dict.fromkeys(keys, nothing)}}


def not_both(one: str, other: str) -> JsonSchema:
    """At most one of two keys has a value. (As a condition, for then editors say so at the key, and offer both.)"""
    absent: JsonSchema = {**NULL, "errorMessage": f"write `{one}` or `{other}`, not both"}
    return {
        "if": {"required": [one], "properties": {one: {"not": NULL}}},
        "then": {"properties": {other: absent}},
    }


def goes_with(one: str, other: str) -> JsonSchema:
    """A key that has a value needs another one beside it."""
    nothing: JsonSchema = {"enum": [None, []]}
    return {
        "if": {"required": [one], "properties": {one: {"not": nothing}}},
        "then": {"required": [other], "properties": {other: {"not": NULL}}},
    }


def one_exactly(one: str, other: str) -> JsonSchema:
    """One of two keys has a value, and the other none."""
    return one_at_least(one, other) | not_both(one, other)


def or_null(schema: JsonSchema) -> JsonSchema:
    """The same, or no value: a key without a value counts as absent."""
    if "anyOf" in schema:
        choices = schema["anyOf"]
        return schema if NULL in choices else {**schema, "anyOf": [*choices, NULL]}
    if "$ref" in schema or "enum" in schema or "const" in schema:
        head: JsonSchema = {key: schema[key] for key in ("description", "default") if key in schema}
        rest = {key: value for key, value in schema.items() if key not in head}
        return {**head, "anyOf": [rest, NULL]}
    types = [schema["type"]] if isinstance(schema["type"], str) else schema["type"]
    return schema if "null" in types else {**schema, "type": [*types, "null"]}


def model_schema(model: type[BaseModel]) -> JsonSchema:
    """The schema of a model, with what it refers to under `$defs`."""
    schema: JsonSchema = model.model_json_schema()
    defs = {_section(name): _tidy(definition) for name, definition in schema.pop("$defs", {}).items()}
    for name, definition in defs.items():
        if not definition.keys() & {
            "required",
            "anyOf",
            "oneOf",
        }:  # an entry without a value has no keys, which will do here
            defs[name] = or_null(definition)
    return {**_tidy(schema), "$defs": defs}


def _tidy(schema: JsonSchema) -> JsonSchema:
    """A part of pydantic's schema without its made-up titles, with null where a key may stand without a value."""
    tidy: JsonSchema = {}
    for key, value in schema.items():
        if key == "title" or (key == "default" and value in ("", None, [], {})):
            continue
        if key == "properties":
            in_files = {name: inner for name, inner in value.items() if not inner.get("writeOnly")}
            needed = schema.get("required", ())
            tidy[key] = {
                name: _tidy(inner) if name in needed else or_null(_tidy(inner)) for name, inner in in_files.items()
            }
        elif key == "$ref":
            tidy[key] = _section(value)
        elif key in {"items", "not", "contains"}:
            tidy[key] = _tidy(value)
        elif key in {"anyOf", "allOf"}:
            tidy[key] = [_tidy(inner) for inner in value]
        elif key == "patternProperties":
            tidy |= {key: {name: _tidy(inner) for name, inner in value.items()}, "additionalProperties": False}
        else:
            tidy[key] = _span(value) if key == "default" else value
    choices = tidy.get("anyOf", [])
    if len(choices) == 2 and choices[1] == NULL:  # pydantic's way to say `| None`
        del tidy["anyOf"]
        return or_null({**choices[0], **tidy})
    return tidy


def _section(name: str) -> str:
    """A section of the settings is called in schemas as people call it: `Email`, not `EmailSettings`."""
    return name.removesuffix("Settings")


def _span(default: Any) -> Any:
    """A default as people write it: `1d` for pydantic's `P1D`."""
    if not isinstance(default, str) or not default.startswith("P"):
        return default
    span = duration(default)
    sizes = {"d": timedelta(days=1), "h": timedelta(hours=1), "m": timedelta(minutes=1), "s": timedelta(seconds=1)}
    unit = next((unit for unit, size in sizes.items() if span and not span % size), "s")
    return f"{span // sizes[unit]}{unit}"
