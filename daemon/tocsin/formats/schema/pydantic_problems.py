"""What pydantic finds wrong with an entry, as problems for people with the place in the file.

Decides the words and the codes; must not know which rules the models hold.
"""

from collections.abc import Iterator
from typing import Any, Protocol, get_args, get_origin

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from tocsin.domain.problem import Problem, ProblemLevel
from tocsin.text.scalars import closest
from tocsin.text.yaml import KeyPath

UNKNOWN_EMPTY = "unknown-empty-key"
"""The code of an unknown key without a value: what has none counts as absent only where it is known."""

_WORDS = {
    "string_type": ("wrong-type", "must be text, one single value"),
    "list_type": ("wrong-type", "must be a list"),
    "dict_type": ("wrong-type", "must be a mapping of keys to values"),
    "model_type": ("wrong-type", "must be a mapping of keys to values"),
    "model_attributes_type": ("wrong-type", "must be a mapping of keys to values"),
    "bool_type": ("wrong-type", "must be true or false"),
    "int_type": ("wrong-type", "must be a whole number"),
    "time_delta_type": ("wrong-type", "must be a duration such as 5m"),
    "datetime_type": ("wrong-type", "must be a time"),
    "too_short": ("empty-list", "must name at least one"),
    "too_long": ("too-many", "lists more than is read; write fewer"),
    "string_pattern_mismatch": ("wrong-value", "is not written as it should be"),
}


class Located(Protocol):
    """Whatever knows where its values stand: a document, or layers of settings."""

    def problem(
        self, path: KeyPath, code: str, message: str, *, key: bool = False, level: ProblemLevel = ProblemLevel.ERROR
    ) -> Problem:
        """A problem with the value (or the key) at a path."""
        ...


def validation_problems(
    fault: ValidationError, document: Located, path: KeyPath, model: type[BaseModel]
) -> list[Problem]:
    """One problem for each fault of the entry at `path`, which was read as `model`."""
    return [_problem(error, document, path, model) for error in fault.errors(include_url=False)]


def _problem(error: ErrorDetails, document: Located, path: KeyPath, model: type[BaseModel]) -> Problem:
    loc = tuple(part for part in error["loc"] if part != "[key]")
    where = (*path, *loc)
    words = ".".join(part for part in where if isinstance(part, str))
    kind, context = error["type"], error.get("ctx", {})
    if kind == "extra_forbidden":
        name = str(loc[-1])
        return document.problem(where, "unknown-key", _unknown(name, known_keys(model, loc[:-1])), key=True)
    if kind == "missing":
        return document.problem(where, "missing-key", f"{words} is missing")
    if kind in {"value_error", "assertion_error"}:
        key = len(error["loc"]) != len(loc) or not isinstance(error["input"], (str, list))
        return document.problem(where, "wrong-value", f"{words}: {context.get('error', error['msg'])}", key=key)
    if kind == "enum":
        known = context["expected"].replace("'", "").replace(" or ", ", ").split(", ")
        named, given = ", ".join(known), error["input"]
        if not isinstance(given, str):
            return document.problem(where, "wrong-value", f"{words} must be one value, one of {named}")
        if len(known) == 1:
            return document.problem(where, "wrong-value", f'{words}: write {named}, or leave it out; not "{given}"')
        message = f'{words}: "{given}" is none of {named}{closest(given, known)}'
        return document.problem(where, "wrong-value", message)
    if kind in {"greater_than_equal", "less_than_equal"}:
        bound = f"at least {context['ge']}" if "ge" in context else f"at most {context['le']}"
        return document.problem(where, "wrong-value", f"{words} must be {bound}")
    if kind in {"model_type", "model_attributes_type"} and (known := known_keys(model, loc)):
        message = f"{words} must be a mapping; write its keys ({', '.join(known)}) below it, or in {{ }}"
        return document.problem(where, "wrong-type", message)
    code, complaint = _WORDS.get(kind, ("wrong-value", error["msg"][:1].lower() + error["msg"][1:]))
    return document.problem(where, code, f"{words} {complaint}")


def empty_key_problems(value: object, document: Located, path: KeyPath, model: type[BaseModel]) -> list[Problem]:
    """The keys without a value that `model`, or one inside it, does not know: the models never see them."""
    return [
        document.problem((*path, *loc), UNKNOWN_EMPTY, _unknown(str(loc[-1]), known_keys(inner, ())), key=True)
        for loc, inner in _empty_keys(value, model, ())
    ]


def _empty_keys(value: object, model: type[BaseModel], loc: KeyPath) -> Iterator[tuple[KeyPath, type[BaseModel]]]:
    """Where they stand, and in which model."""
    if isinstance(value, list):
        for number, entry in enumerate(value):
            yield from _empty_keys(entry, model, (*loc, number))
        return
    fields = {field.alias or name: field.annotation for name, field in model.model_fields.items()}
    for key, entry in value.items() if isinstance(value, dict) else ():
        if key not in fields and entry is None:
            yield (*loc, key), model
        inner = model_in(fields.get(key))
        if inner is None:
            continue
        if _is_mapping(fields[key]) and isinstance(entry, dict):  # whose keys are the writer's own
            for name, each in entry.items():
                yield from _empty_keys(each, inner, (*loc, key, name))
        else:
            yield from _empty_keys(entry, inner, (*loc, key))


def _is_mapping(annotation: Any) -> bool:
    return get_origin(annotation) is dict or any(map(_is_mapping, get_args(annotation)))


def _unknown(name: str, known: list[str]) -> str:
    """What is said of an unknown key; never what stands behind a colon in it, which may be a secret."""
    if "://" in name:
        return "an address stands where a key is meant; write its key, a colon and a blank before it"
    key, colon, _ = name.partition(":")
    if colon:
        return f'unknown key "{key}:…"; is a blank missing behind the colon?'
    return f'unknown key "{name}"{closest(name, known)}'


def known_keys(model: type[BaseModel], loc: tuple[Any, ...]) -> list[str]:
    """The keys that the model at `loc` inside `model` knows."""
    current: type[BaseModel] | None = model
    for part in loc:
        if current is not None and isinstance(part, str):
            info = next((f for name, f in current.model_fields.items() if part in {name, f.alias}), None)
            current = model_in(info.annotation) if info else current
    return [field.alias or name for name, field in current.model_fields.items()] if current else []


def model_in(annotation: Any) -> type[BaseModel] | None:
    """The first model inside an annotation, however deep."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    return next((inner_model for inner in get_args(annotation) if (inner_model := model_in(inner))), None)
