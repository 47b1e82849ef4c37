"""The kinds of value in an incident file: how each is read, and what an editor knows of it.

A wrong value is dropped with a problem, never guessed. Editors are stricter than the reader, which uses whatever can be
read, but know nothing of the config: whether a severity, person, role or service exists. Must not know which fields
there are.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from tocsin.domain.incident import Status
from tocsin.domain.policy import Policy
from tocsin.domain.problem import Problem, ProblemLevel
from tocsin.formats.schema import addresses, json_schema, patterns
from tocsin.formats.schema.json_schema import JsonSchema
from tocsin.text import scalars
from tocsin.text.cleaning import clean, cut, one_line
from tocsin.text.names import person_named, quotable, role_named, service_named, severity_named, status_named
from tocsin.text.yaml import Document, KeyPath, Value

TITLE_LIMIT = 200
"""The longest title, in characters."""
NAME_LIMIT = 200
"""The longest free-text name (`by`, `declared_by`, `verified_by`), in characters."""
TEXT_LIMIT = 10_000
"""The longest of the long texts (`summary`, `impact`, `resolution`, an entry's `text`), in characters."""
LINK_LIMIT = addresses.ADDRESS_LIMIT
"""The longest link under `review`, in characters."""
REVIEWED = "review"
"""What `drill` says of a drill that asks for health and review as well (rule 28)."""
PROBLEM_LIMIT = 100
"""The most problems told of one file's fields."""

_TRUTHS = {"yes": True, "no": False, "on": True, "off": False}
_STATUSES = tuple(str(status) for status in Status)


class IncidentReader:
    """One file while it is read: its document, the policy that its names are from, and the problems so far."""

    __slots__ = ("document", "escapes_lost", "policy", "problems")

    def __init__(self, document: Document, policy: Policy) -> None:
        self.document = document
        self.policy = policy
        self.problems: list[Problem] = []
        self.escapes_lost = any(problem.code == "control-character" for problem in document.problems)

    def tell(self, path: KeyPath, code: str, message: str, *, key: bool = False, warn: bool = False) -> None:
        """Note a problem at a path, up to the limit."""
        if len(self.problems) < PROBLEM_LIMIT:
            level = ProblemLevel.WARNING if warn else ProblemLevel.ERROR
            self.problems.append(self.document.problem(path, code, message, key=key, level=level))

    def scalar(self, path: KeyPath, value: Value, meant: str) -> str | None:
        """A single value as written; None when it is empty, or something else (a problem)."""
        if isinstance(value, (list, dict)):
            shape = "a list" if isinstance(value, list) else "a mapping"
            self.tell(path, "wrong-type", f"{name_of(path)} is {shape}; write {meant} instead")
            return None
        return value.strip() or None if value is not None else None


@dataclass(frozen=True, slots=True)
class ValueKind:
    """One kind of value: `read` gives the value at a path, or nothing and a problem; `schema` is for editors; `absent`
    is what `read` gives where nothing stands, which is so of most fields of most files.
    """

    read: Callable[[IncidentReader, KeyPath, Value], Any]
    schema: JsonSchema
    absent: Any = None


def text(limit: int = TEXT_LIMIT, *, least: int = 0, lines: bool = True) -> ValueKind:
    """Free text, cleaned and cut to its limit in characters; empty when there is none. Without `lines` on one line."""

    def read(reader: IncidentReader, path: KeyPath, value: Value) -> str:
        written = reader.scalar(path, value, "a text")
        if written is None:
            return ""
        text = clean(written, escapes_lost=reader.escapes_lost)
        if not lines:
            text = one_line(text)
        if len(text) > limit:
            reader.tell(path, "too-long", f"{name_of(path)} is cut to {limit} characters; shorten it", warn=True)
        return cut(text, limit)

    return ValueKind(read, {**json_schema.text(limit), **({"minLength": least} if least else {})}, "")


def named(meant: str, find: Callable[[str, Policy], str], schema: JsonSchema, *, key: bool = False) -> ValueKind:
    """A name that the config knows, as the config writes it; None when there is none, or a wrong one (a problem)."""

    def read(reader: IncidentReader, path: KeyPath, value: Value) -> str | None:
        written = reader.scalar(path, value, f"the name of a {meant}")
        if written is None:
            return None
        try:
            return find(written, reader.policy)
        except ValueError as fault:
            reader.tell(path, f"unknown-{meant}", str(fault), key=key)
            return None

    return ValueKind(read, schema)


def _instant(reader: IncidentReader, path: KeyPath, value: Value) -> datetime | None:
    """An instant with an offset or Z, in UTC."""
    written = reader.scalar(path, value, "an instant such as 2026-11-23T10:04:00Z")
    if written is None:
        return None
    try:
        return scalars.instant(quotable(written))
    except ValueError as fault:
        reader.tell(path, "not-an-instant", f"{name_of(path)}: {fault}")
        return None


def _drill(reader: IncidentReader, path: KeyPath, value: Value) -> tuple[bool, bool]:
    """Whether it is a drill, true or false also in the words people use, and whether with review; neither when it is
    something else (a problem).
    """
    written = reader.scalar(path, value, "true, false or review")
    if written is None:
        return False, False
    if written.lower() == REVIEWED:
        return True, True
    if written.lower() in _TRUTHS:
        return _TRUTHS[written.lower()], False
    try:
        return scalars.truth(written.capitalize()), False
    except ValueError:
        reader.tell(path, "not-a-truth", f'{name_of(path)} is "{quotable(written)}"; write true, false or review')
        return False, False


def _links(reader: IncidentReader, path: KeyPath, value: Value) -> tuple[tuple[str, str], ...]:
    """Addresses as (title, address) pairs, in the order written."""
    if not isinstance(value, dict):
        if value is not None:
            example = "{Dashboard: https://grafana.example.com/d/1}"
            reader.tell(path, "wrong-type", f"{name_of(path)} is no mapping; write {example}")
        return ()
    pairs = []
    for key, entry in value.items():
        place = (*path, key)
        title = cut(one_line(clean(key)), patterns.LINE_LIMIT)
        written = reader.scalar(place, entry, "an address")
        if not title or written is None:
            continue
        try:
            pairs.append((title, addresses.link(clean(written))))
        except ValueError as fault:
            reader.tell(place, "not-a-link", f"{name_of(place)}: {fault}")
    if len(pairs) > patterns.LINKS_MOST:
        reader.tell(path, "too-many", f"{name_of(path)}: the first {patterns.LINKS_MOST} are used", warn=True)
    return tuple(pairs[: patterns.LINKS_MOST])


def _review(reader: IncidentReader, path: KeyPath, value: Value) -> str:
    """`done`, or a link to the finished review."""
    written = one_line(clean(reader.scalar(path, value, "done or a link") or ""))
    if written.lower() == "done":
        return "done"
    if not written or (written.lower().startswith(("https://", "http://")) and len(written) <= LINK_LIMIT):
        return written
    reader.tell(path, "not-a-link", f'{name_of(path)} is "{quotable(written)}"; write done or an https:// link')
    return ""


def _roles(reader: IncidentReader, path: KeyPath, value: Value) -> tuple[tuple[str, str], ...]:
    """Explicit assignments as (role, person) pairs, in the order written."""
    if not isinstance(value, dict):
        if value is not None:
            reader.tell(path, "wrong-type", f"{name_of(path)} is no mapping; write {{technical_lead: ana}}")
        return ()
    pairs = []
    for key, entry in value.items():
        role = _ROLE.read(reader, (*path, key), key)
        person = PERSON.read(reader, (*path, key), entry) if role else None
        if role and person:
            pairs.append((role, person))
    return tuple(pairs)


TITLE = text(TITLE_LIMIT, least=1, lines=False)
LONG = text()
WORDS = text(least=1)
FREE_NAME = text(NAME_LIMIT, lines=False)
INSTANT = ValueKind(_instant, patterns.INSTANT)
LINE = text(patterns.LINE_LIMIT, lines=False)
LINKS = ValueKind(_links, {**patterns.LINKS, "additionalProperties": json_schema.or_null(patterns.LINK)}, ())
DRILL = ValueKind(
    _drill,
    {
        "default": False,
        "anyOf": [
            {"type": "boolean"},
            json_schema.text_matching(
                patterns.one_of(("true", "false", REVIEWED, *_TRUTHS)), "write true, false or review"
            ),
        ],
    },
    (False, False),
)
REVIEW = ValueKind(
    _review,
    json_schema.text_matching(
        rf" *{patterns.any_case('done')} *|(?=.{{1,{LINK_LIMIT}}}$)\s*[Hh][Tt][Tt][Pp][Ss]?:\/\/.*",
        "write done, or an https:// link to the finished review",
        "done",
    ),
    "",
)
SEVERITY = named("severity", severity_named, patterns.NAME)
STATUS = named(
    "status",
    lambda written, _: status_named(written),
    {
        "default": str(Status.INVESTIGATING),
        "anyOf": [
            {"type": "string", "enum": list(_STATUSES)},
            json_schema.text_matching(
                patterns.one_of(_STATUSES), f"write {', '.join(_STATUSES[:-1])} or {_STATUSES[-1]}"
            ),
        ],
    },
)
SERVICE = named("service", service_named, patterns.NAME)
PERSON = named("person", person_named, {**json_schema.text(NAME_LIMIT), "minLength": 1})
_ROLE = named("role", role_named, {**patterns.NAME, "type": "string"}, key=True)
ROLES = ValueKind(
    _roles,
    {
        "type": "object",
        "propertyNames": _ROLE.schema,
        "additionalProperties": json_schema.or_null(
            {**PERSON.schema, "description": "a person's id, full name or email"}
        ),
    },
    (),
)


def says_nothing(value: Value) -> bool:
    """Whether a value is absent, or an empty text."""
    return value is None or (isinstance(value, str) and not value.strip())


def name_of(path: KeyPath) -> str:
    """The field at a path, in words: `updates[2].at`."""
    return "".join(f"[{part + 1}]" if isinstance(part, int) else f".{quotable(part)}" for part in path).lstrip(".")
