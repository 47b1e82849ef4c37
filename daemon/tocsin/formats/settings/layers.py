"""The layers of the settings: tocsin.yaml, over it credential files, over them the environment.

Decides which layer a value comes from, and names that layer in every problem. Must not read files, nor know what the
settings mean.
"""

import os
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from tocsin.domain.problem import Problem, ProblemLevel
from tocsin.formats.settings.settings import DEFAULT_LEDGER, Settings, build_settings, read_variables, setting_paths
from tocsin.formats.settings.types import SQLITE
from tocsin.text.decoding import TOP, problem
from tocsin.text.scalars import closest
from tocsin.text.yaml import Document, KeyPath

PREFIX = "TOCSIN_"
UNKNOWN_VARIABLE = "unknown-variable"
"""The code of a variable that means nothing; it stops only `check` and a first `run` (rule 43)."""
LACKING = "missing-secret"
"""The code of a secret that the settings ask for and nothing gives."""
NOT_SETTINGS = frozenset({"TOCSIN_CONFIG"})
SECRETS = (
    ("email", "password"),
    ("sms", "auth_token"),
    ("sms", "api_key"),
    ("sms", "api_secret"),
    ("web", "signing_key"),
    ("web", "token"),
)
"""Settings that never stand in a file under version control."""
KEY_LEAST = 16
"""Characters of a signing key below which `check` warns."""
_OPEN = ("web", "alertmanager", "severities")
"""The one setting whose keys are the user's own."""


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
            name = _variable(path[:length])
            if self.variables.get(name):
                return name
            if self.credentials.get(name.lower()):
                return name.lower()
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
    problems += _unknown(layers)
    if layers.document.broken:
        return SettingsReading(None, tuple(problems))
    for layer in (layers.credentials, layers.variables):
        values = _over(values, read_variables(layer))
    settings, wrong = build_settings(values, layers)
    problems += wrong
    if settings is None:
        return SettingsReading(None, tuple(problems))
    problems += _missing_secrets(settings, layers)
    problems += _doubtful(settings, layers)
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
    for section, secret in SECRETS:
        inner = values.get(section)
        if isinstance(inner, dict) and inner.get(secret) is not None:
            message = (
                f"{section}.{secret} is a secret and never stands in a file; remove it here and set "
                f"{_variable((section, secret))}, or a credential file {_variable((section, secret)).lower()}"
            )
            problems.append(document.problem((section, secret), "secret-in-file", message, key=True))
            values[section] = {key: value for key, value in inner.items() if key != secret}
    return values, problems


def _unknown(layers: SettingsLayers) -> Iterator[Problem]:
    """Variables and credential files of ours that mean nothing."""
    known = {_variable(path) for path in setting_paths()} | NOT_SETTINGS
    for names, sort in ((layers.variables, "variable"), (layers.credentials, "credential file")):
        for written in sorted(names):
            name = written.upper() if sort != "variable" else written
            if name.startswith(PREFIX) and name not in known and not name.startswith(_variable(_OPEN) + "__"):
                message = f"unknown {sort} {written}{closest(name, known, cutoff=0.8)}"
                yield problem(written, TOP, UNKNOWN_VARIABLE, message)


def _variable(path: KeyPath) -> str:
    """The variable that sets a setting."""
    return PREFIX + "__".join(str(part) for part in path).upper()


def _over(below: dict[str, Any], above: Mapping[str, Any]) -> dict[str, Any]:
    """One layer over another, mappings key by key."""
    merged = dict(below)
    for key, value in above.items():
        under = merged.get(key)
        merged[key] = _over(under, value) if isinstance(under, dict) and isinstance(value, dict) else value
    return merged


def _missing_secrets(settings: Settings, layers: SettingsLayers) -> Iterator[Problem]:
    """Secrets that the settings ask for and no layer has. Warnings: a check in CI has none, and `ack` needs none."""
    email, sms, web = settings.email, settings.sms, settings.web
    wanted = {
        ("email", "password"): bool(email.username) and not email.password,
        ("sms", "api_secret"): bool(sms.api_key) and not sms.api_secret,
        ("sms", "auth_token"): sms.transport == "twilio" and not sms.api_key and not sms.auth_token,
        ("web", "token"): bool(web.alertmanager) and not web.token,
        ("web", "signing_key"): bool(settings.public_url) and not web.signing_key,
    }
    for path, missing in wanted.items():
        if missing:
            name = _variable(path)
            message = f"{'.'.join(path)} is missing; set {name}, or a credential file {name.lower()}"
            yield layers.problem(path, LACKING, message, level=ProblemLevel.WARNING)


def _doubtful(settings: Settings, layers: SettingsLayers) -> Iterator[Problem]:
    """Settings that do not go together well. Warnings."""
    email = settings.email
    doubts = {
        ("email", "security"): email.username
        and email.security == "none"
        and "email.security none sends the password in the clear; write starttls or tls",
        ("email", "port"): email.security == "tls"
        and email.port == 587
        and "email.security tls usually goes with port 465; on 587 it is starttls",
        ("replies", "by"): settings.replies.by == "webhook"
        and not settings.public_url
        and "replies.by webhook needs public_url: the address that the provider calls",
        ("web", "signing_key"): any(len(key.get_secret_value()) < KEY_LEAST for key in settings.web.signing_key)
        and f"web.signing_key holds a key of fewer than {KEY_LEAST} characters, which can be guessed; make one such as"
        " with openssl rand -hex 32",
        ("public_url",): _in_the_clear(settings.public_url or "")
        and "public_url is not https: whoever listens on the way reads the links, and can answer by them",
    }
    for path, message in doubts.items():
        if message:
            yield layers.problem(path, "doubtful", message, level=ProblemLevel.WARNING)


def _in_the_clear(url: str) -> bool:
    """Whether an address travels unencrypted, beyond this machine."""
    parts = urlsplit(url)
    return parts.scheme == "http" and parts.hostname not in ("localhost", "127.0.0.1", "::1")


def _join(base: Path, path: str | Path) -> Path:
    return Path(os.path.normpath(base / path))


def _absolute(settings: Settings, base: Path) -> Settings:
    """The settings with every path absolute; relative ones start from tocsin.yaml's folder."""
    folders = {name: _join(base, getattr(settings, name)) for name in ("incidents", "templates", "reviews", "outbox")}
    ledger = SQLITE + str(_join(base, settings.database))
    ca_file = settings.email.ca_file and _join(base, settings.email.ca_file)
    email = settings.email.model_copy(update={"ca_file": ca_file})
    return settings.model_copy(update={**folders, "ledger": ledger, "email": email})
