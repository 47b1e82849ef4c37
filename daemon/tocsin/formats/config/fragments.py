"""The sections of every config file, merged: entries with a name, a model and a place.

Decides what is declared and where, and that no name is declared twice. Must not know what the entries mean
(`references`) nor what they become (`policy`).
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

from pydantic import ValidationError

from tocsin.domain.problem import Problem, ProblemLevel
from tocsin.formats.config.entries import (
    SECTIONS,
    GroupEntry,
    HoursEntry,
    PersonEntry,
    RoleEntry,
    RotationEntry,
    ServiceEntry,
    SeverityEntry,
)
from tocsin.formats.schema.fields import Model
from tocsin.formats.schema.pydantic_problems import empty_key_problems, validation_problems
from tocsin.text.scalars import closest, name
from tocsin.text.yaml import Document, KeyPath, Value

M_co = TypeVar("M_co", bound=Model, covariant=True)


@dataclass(frozen=True, slots=True)
class DeclaredEntry(Generic[M_co]):
    """One declared thing. Without a `model` it cannot be used, but its name still counts as declared."""

    name: str
    document: Document
    path: KeyPath
    model: M_co | None

    def at(self, *inside: str | int) -> str:
        """The place of something inside the entry (or of the entry's name), as file:line; of a key, the key's line."""
        path = (*self.path, *inside)
        line, _ = self.document.place(path, key=isinstance(path[-1], str))
        return f"{self.document.file}:{line}"

    def problem(
        self, inside: KeyPath, code: str, message: str, *, key: bool = False, level: ProblemLevel = ProblemLevel.ERROR
    ) -> Problem:
        """A problem with something inside the entry, or with its name."""
        path = (*self.path, *inside)
        return self.document.problem(path, code, message, key=key or not inside, level=level)


@dataclass(slots=True)
class Fragments:
    """Everything that the fragments declare, by section and name, in the order of files and lines."""

    severities: dict[str, DeclaredEntry[SeverityEntry]] = field(default_factory=dict)
    roles: dict[str, DeclaredEntry[RoleEntry]] = field(default_factory=dict)
    people: dict[str, DeclaredEntry[PersonEntry]] = field(default_factory=dict)
    rotations: dict[str, DeclaredEntry[RotationEntry]] = field(default_factory=dict)
    services: dict[str, DeclaredEntry[ServiceEntry]] = field(default_factory=dict)
    stakeholders: dict[str, DeclaredEntry[GroupEntry]] = field(default_factory=dict)
    hours: dict[str, DeclaredEntry[HoursEntry]] = field(default_factory=dict)

    def section(self, section: str) -> dict[str, DeclaredEntry[Any]]:
        """A section by its key."""
        entries: dict[str, DeclaredEntry[Any]] = getattr(self, section)
        return entries


def merge_fragments(documents: Iterable[Document]) -> tuple[Fragments, list[Problem]]:
    """Everything declared in these files, and what is wrong with its shape."""
    fragments, problems = Fragments(), []
    for document in documents:
        problems += document.problems
        if isinstance(document.value, dict):
            for section, content in document.value.items():
                problems += _section(fragments, document, section, content)
        elif document.value is not None and not document.broken:
            message = f"a config file is a mapping that holds any of {', '.join(SECTIONS)}"
            problems.append(document.problem((), "wrong-type", message))
    return fragments, problems


def _section(fragments: Fragments, document: Document, section: str, content: Value) -> list[Problem]:
    """Take in one section of one file."""
    model = SECTIONS.get(section)
    if model is None:
        message = f'unknown key "{section}"{closest(section, SECTIONS)} (a config file may hold {", ".join(SECTIONS)})'
        return [document.problem((section,), "unknown-key", message, key=True)]
    if content is None or (document.broken and not isinstance(content, dict)):
        return []
    if not isinstance(content, dict):
        return [document.problem((section,), "wrong-type", f"{section} must be a mapping from names to entries")]
    problems, known = [], fragments.section(section)
    for key, value in content.items():
        path = (section, key)
        try:
            name(key)
        except ValueError as fault:
            problems.append(document.problem(path, "wrong-name", str(fault), key=True))
        first = _declared(known, key, any_case=section == "severities")
        if first:
            message = f'{section}: "{key}" is declared twice, first in {first.at()}; keep one'
            problems.append(document.problem(path, "declared-twice", message, key=True))
            continue
        entry, wrong = _entry(key, document, path, value, model)
        known[key] = entry
        problems += wrong
    return problems


def _declared(known: dict[str, DeclaredEntry[Any]], key: str, *, any_case: bool) -> DeclaredEntry[Any] | None:
    """An entry that already has this name."""
    if any_case:
        return next((entry for name, entry in known.items() if name.lower() == key.lower()), None)
    return known.get(key)


def _entry(
    key: str, document: Document, path: KeyPath, value: Value, model: type[Model]
) -> tuple[DeclaredEntry[Model], list[Problem]]:
    """Read one entry as its model. In a file that is no YAML from some place on, what was read may be half a thing."""
    problems = [] if document.broken else empty_key_problems(value, document, path, model)
    try:
        return DeclaredEntry(key, document, path, model.model_validate(value)), problems
    except ValidationError as fault:
        problems += [] if document.broken else validation_problems(fault, document, path, model)
        return DeclaredEntry(key, document, path, None), problems
