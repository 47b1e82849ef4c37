"""The layers of the settings: tocsin.yaml, over it credential files, over them the environment.

Decides which layer a value comes from, and names that layer in every problem. Must not read files, nor know what the
settings mean.
"""

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from tocsin.domain.problem import Problem, ProblemLevel
from tocsin.formats.settings.advice import advise_on_settings
from tocsin.formats.settings.fallbacks import check_fallbacks, fallback_names
from tocsin.formats.settings.providers import EmailProvider
from tocsin.formats.settings.settings import DEFAULT_LEDGER, Settings, build_settings
from tocsin.formats.settings.types import SQLITE
from tocsin.formats.settings.variables import (
    PREFIX,
    FallbackNames,
    fallback_part,
    fallback_paths,
    read_fallbacks,
    read_variables,
    secret_paths,
    setting_paths,
    variable,
    written_as,
)
from tocsin.text.decoding import TOP, problem
from tocsin.text.scalars import closest, variable_name
from tocsin.text.yaml import Document, KeyPath

UNKNOWN_VARIABLE = "unknown-variable"
"""The code of a variable that means nothing; it stops only `check` and a first `run` (rule 43)."""
NOT_SETTINGS = frozenset({"TOCSIN_AS", "TOCSIN_CONFIG"})
_OPEN = ("web", "alertmanager", "severities")
"""The one setting whose keys are the user's own and may be variables."""

P = TypeVar("P", bound=EmailProvider)


@dataclass(frozen=True, slots=True)
class SettingsReading:
    """What the layers say together. `settings` is None when they cannot be used."""

    settings: Settings | None
    problems: tuple[Problem, ...]
    places: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class SettingsLayers:
    """The three sources of a setting: the file, credential files by name, variables by name. `base` is the folder that
    relative paths start from.
    """

    document: Document
    credentials: Mapping[str, str]
    variables: Mapping[str, str]
    base: Path

    def source(self, path: KeyPath) -> str | None:
        """The variable or credential file that a setting comes from, or None for the file."""
        for length in range(len(path), 0, -1):
            name = variable(path[:length])
            if written := written_as(name, self.variables) or written_as(name, self.credentials):
                return written
        return None

    def problem(
        self, path: KeyPath, code: str, message: str, *, key: bool = False, level: ProblemLevel = ProblemLevel.ERROR
    ) -> Problem:
        """A problem with a setting, at the place it comes from."""
        source = self.source(path)
        if source:
            return problem(source, TOP, code, message, level)
        return self.document.problem(path, code, message, key=key, level=level)

    def place(self, path: KeyPath) -> str:
        """Where a setting comes from, as file:line or the variable's name."""
        line, _ = self.document.place(path, key=True)
        return self.source(path) or f"{self.document.file}:{line}"


def read_settings(layers: SettingsLayers) -> SettingsReading:
    """Merge the layers and check them; every problem is told."""
    values, problems = _from_file(layers.document)
    problems += layers.document.problems
    for layer in (layers.credentials, layers.variables):
        values = _over(values, read_variables(layer))
    names = fallback_names(values)
    problems += _unknown(layers, names)
    if layers.document.broken:
        return SettingsReading(None, tuple(problems))
    for layer in (layers.credentials, layers.variables):
        values = _over(values, read_fallbacks(layer, names))
    values, misplaced = check_fallbacks(values, layers)
    settings, wrong = build_settings(values, layers)
    problems += [*misplaced, *wrong]
    if settings is None:
        return SettingsReading(None, tuple(problems))
    problems += advise_on_settings(settings, layers)
    places = {path[0]: layers.place(path) for path in setting_paths() if len(path) == 1}
    return SettingsReading(_absolute(settings, layers.base), tuple(problems), places)


def ledger_files(layers: SettingsLayers, state_folders: Iterable[Path] = ()) -> tuple[Path, ...]:
    """Where the ledger is looked for when the settings cannot be used (rule 43), in this order: where they say as far
    as they can be read, and nowhere else; else at the default place, then in each of a server's state folders.
    """
    written = layers.document.value.get("ledger") if isinstance(layers.document.value, dict) else None
    candidates = (layers.variables.get("TOCSIN_LEDGER"), layers.credentials.get("tocsin_ledger"), written)
    urls = (url for url in candidates if isinstance(url, str) and url.startswith(SQLITE))
    url = next(urls, None)
    if url is not None:
        return (_join(layers.base, url.removeprefix(SQLITE)),)
    default = _join(layers.base, DEFAULT_LEDGER.removeprefix(SQLITE))
    return (default, *(folder / default.name for folder in state_folders))


def _from_file(document: Document) -> tuple[dict[str, Any], list[Problem]]:
    """What tocsin.yaml says, without the secrets that must not stand in it."""
    if document.value is None:
        return {}, []
    if not isinstance(document.value, dict):
        return {}, [
            document.problem((), "wrong-type", "tocsin.yaml is a mapping of settings, such as `operators: [ana]`")
        ]
    values: dict[str, Any] = {key: value for key, value in document.value.items() if value is not None}
    problems = []
    for path in secret_paths(fallback_names(values)):
        *sections, secret = path
        inner = _at(values, sections)
        if inner.get(secret) is not None:
            message = (
                f"{'.'.join(path)} is a secret and never stands in a file; remove it here and set {variable(path)}, "
                f"or a credential file {variable(path).lower()}"
            )
            problems.append(document.problem(path, "secret-in-file", message, key=True))
            values = _replaced(values, sections, {key: value for key, value in inner.items() if key != secret})
    return values, problems


def _at(values: Mapping[str, Any], path: Sequence[str]) -> Mapping[str, Any]:
    """The mapping at a path; empty where there is none."""
    for key in path:
        inner = values.get(key)
        values = inner if isinstance(inner, dict) else {}
    return values


def _replaced(values: Mapping[str, Any], path: Sequence[str], inner: dict[str, Any]) -> dict[str, Any]:
    """The same, with another mapping at a path."""
    if not path:
        return inner
    return {**values, path[0]: _replaced(values[path[0]], path[1:], inner)}


def _unknown(layers: SettingsLayers, names: FallbackNames) -> Iterator[Problem]:
    """Variables and credential files of ours that mean nothing."""
    known = {variable(path) for path in (*setting_paths(), *fallback_paths(names))} | NOT_SETTINGS
    for layer, sort in ((layers.variables, "variable"), (layers.credentials, "credential file")):
        for written in sorted(layer):
            part = fallback_part(written)
            name = written.upper() if sort != "variable" else written
            name = variable_name(written) if part else name
            if name.startswith(PREFIX) and name not in known and not name.startswith(variable(_OPEN) + "__"):
                message = f"unknown {sort} {written}{_meant(part, names) or closest(name, known, cutoff=0.8)}"
                yield problem(written, TOP, UNKNOWN_VARIABLE, message)


def _meant(part: tuple[str, str, str] | None, names: FallbackNames) -> str:
    """What is wrong with a variable that names a fallback which is none; empty when that is not it."""
    if part is None or not part[1] or variable_name(part[1]) in map(variable_name, names.get(part[0], ())):
        return ""
    section, name, _ = part
    return f': {section}.fallbacks has no "{name}"{closest(name, names.get(section, ()))}'


def _over(below: dict[str, Any], above: Mapping[str, Any]) -> dict[str, Any]:
    """One layer over another, mappings key by key."""
    merged = dict(below)
    for key, value in above.items():
        under = merged.get(key)
        merged[key] = _over(under, value) if isinstance(under, dict) and isinstance(value, dict) else value
    return merged


def _join(base: Path, path: str | Path) -> Path:
    return Path(os.path.normpath(base / path))


def _absolute(settings: Settings, base: Path) -> Settings:
    """The settings with every path absolute; relative ones start from tocsin.yaml's folder."""
    folders = {name: _join(base, getattr(settings, name)) for name in ("incidents", "templates", "reviews", "outbox")}
    ledger = SQLITE + str(_join(base, settings.database))
    email = _with_absolute_ca_file(settings.email, base)
    fallbacks = {name: _with_absolute_ca_file(fallback, base) for name, fallback in email.fallbacks.items()}
    email = email.model_copy(update={"fallbacks": fallbacks})
    inbox = settings.web.inbox
    web = settings.web.model_copy(update={"inbox": _join(base, inbox) if inbox else None})
    return settings.model_copy(update={**folders, "ledger": ledger, "email": email, "web": web})


def _with_absolute_ca_file(provider: P, base: Path) -> P:
    return provider.model_copy(update={"ca_file": provider.ca_file and _join(base, provider.ca_file)})
