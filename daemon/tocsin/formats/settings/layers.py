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
from tocsin.formats.schema.pydantic_problems import UNKNOWN_EMPTY, empty_key_problems
from tocsin.formats.settings.advice import advise_on_settings
from tocsin.formats.settings.fallbacks import check_fallbacks, fallback_names
from tocsin.formats.settings.ledger_address import LedgerAddress, is_address, read_address
from tocsin.formats.settings.providers import EmailProvider
from tocsin.formats.settings.settings import DEFAULT_INBOX, DEFAULT_LEDGER, Settings, build_settings
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
WITHOUT_EFFECT = frozenset({UNKNOWN_VARIABLE, UNKNOWN_EMPTY})
"""Codes of errors that refuse nothing to a daemon: what they name sets nothing. A key without a value was taken by all
versions before, and a start pages whatever becomes of the ledger's memory of that (rule 64).
"""
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
        values = _over(values, _with_place(values.get("ledger"), read_variables(layer)))
    names = fallback_names(values)
    problems += _unknown(layers, names)
    if layers.document.broken:
        return SettingsReading(None, tuple(problems))
    for layer in (layers.credentials, layers.variables):
        values = _over(values, read_fallbacks(layer, names))
    values, misplaced = check_fallbacks(values, layers)
    settings, wrong = build_settings(values, layers)
    problems += [*misplaced, *wrong, *empty_key_problems(layers.document.value, layers.document, (), Settings)]
    if settings is None:
        return SettingsReading(None, tuple(problems))
    problems += advise_on_settings(settings, layers)
    places = {path[0]: layers.place(path) for path in setting_paths() if len(path) == 1}
    return SettingsReading(_absolute(settings, layers.base), tuple(problems), places)


def ledger_addresses(layers: SettingsLayers, state_folders: Iterable[Path] = ()) -> tuple[LedgerAddress, ...]:
    """Where the ledger is looked for when the settings cannot be used (rule 43), in this order: where they say as far
    as they can be read, and nowhere else; else at the default place, then in each of a server's state folders.
    """
    written = layers.document.value.get("ledger") if isinstance(layers.document.value, dict) else None
    place = _readable(written)
    for given in (layers.credentials.get("tocsin_ledger"), layers.variables.get("TOCSIN_LEDGER")):
        place = _readable(_overlaid(place, given)) or place
    if place is not None:
        return (_absolute_place(place, layers.base),)
    default = _absolute_place(DEFAULT_LEDGER, layers.base)
    assert default.file is not None
    return (default, *(LedgerAddress(folder / default.file.name) for folder in state_folders))


def _readable(written: object) -> LedgerAddress | None:
    """The ledger that is meant, if that can be read."""
    if not isinstance(written, str):
        return written if isinstance(written, LedgerAddress) else None
    try:
        return read_address(written)
    except ValueError:
        return None


def _with_place(below: object, above: dict[str, Any]) -> dict[str, Any]:
    """What a layer sets, where it may give no more of the ledger than the password (P3)."""
    return above | {"ledger": _overlaid(below, above["ledger"])} if "ledger" in above else above


def _overlaid(below: object, given: object) -> object:
    """The ledger of one layer over that of another: a whole address, or the password for the server of the other."""
    place = _readable(below)
    if not isinstance(given, str) or is_address(given) or place is None or place.file is not None:
        return given
    return place.with_password(given.strip())


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
    place = _readable(values.get("ledger"))
    if place is not None and place.password:
        message = (
            "ledger: a password never stands in a file; remove it here and set TOCSIN_LEDGER, or a credential file "
            "tocsin_ledger, to it (the password alone will do), or use libpq's passfile"
        )
        problems.append(document.problem(("ledger",), "secret-in-file", message))
        values["ledger"] = place.with_password("")
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
    ledger = _absolute_place(settings.ledger, base)
    email = _with_absolute_ca_file(settings.email, base)
    fallbacks = {name: _with_absolute_ca_file(fallback, base) for name, fallback in email.fallbacks.items()}
    email = email.model_copy(update={"fallbacks": fallbacks})
    inbox = settings.web.inbox or (DEFAULT_INBOX if ledger.file is None else None)
    web = settings.web.model_copy(update={"inbox": _join(base, inbox) if inbox else None})
    return settings.model_copy(update={**folders, "ledger": ledger, "email": email, "web": web})


def _absolute_place(place: LedgerAddress, base: Path) -> LedgerAddress:
    return place if place.file is None else LedgerAddress(_join(base, place.file))


def _with_absolute_ca_file(provider: P, base: Path) -> P:
    return provider.model_copy(update={"ca_file": provider.ca_file and _join(base, provider.ca_file)})
