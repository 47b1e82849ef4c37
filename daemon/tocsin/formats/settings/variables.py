"""Variables and credential files: how the one that sets a setting is called, and what they set.

Decides names alone. Must not know which layer wins (`layers`), nor what a value means.
"""

import json
from collections.abc import Iterator, Mapping
from typing import Any, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from tocsin.formats.schema.pydantic_problems import model_in
from tocsin.formats.settings.providers import EmailProvider, SmsProvider
from tocsin.formats.settings.settings import Settings
from tocsin.text.scalars import variable_name
from tocsin.text.yaml import KeyPath

PREFIX = "TOCSIN_"
SECRETS = (
    ("email", "password"),
    ("sms", "auth_token"),
    ("sms", "api_key"),
    ("sms", "api_secret"),
    ("web", "signing_key"),
    ("web", "token"),
)
"""Settings that never stand in a file under version control; a fallback has those of its channel."""
FALLBACKS = "fallbacks"
CHANNELS: Mapping[str, type[BaseModel]] = {"email": EmailProvider, "sms": SmsProvider}
"""The sections that may have fallbacks, and what one of those is."""

FallbackNames = Mapping[str, tuple[str, ...]]
"""By section, the names of its fallbacks as the config writes them."""


def variable(path: KeyPath) -> str:
    """The variable that sets a setting; the credential file is called the same in lower case."""
    return PREFIX + "__".join(variable_name(str(part)) for part in path)


def written_as(name: str, names: Mapping[str, str]) -> str | None:
    """How a variable that is set is written, in whatever case its fallback's name stands there."""
    if names.get(name):
        return name
    return next((written for written, value in names.items() if value and variable_name(written) == name), None)


def setting_paths(model: type[BaseModel] = Settings, above: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """Every setting that there is, as its keys from the top; what a mapping of the user's own holds is one with it."""
    for name, info in model.model_fields.items():
        yield (*above, name)
        inner = model_in(info.annotation)
        if inner and get_origin(info.annotation) is not dict:
            yield from setting_paths(inner, (*above, name))


def fallback_paths(names: FallbackNames) -> Iterator[tuple[str, ...]]:
    """Every setting of these fallbacks."""
    for section, provider in CHANNELS.items():
        for name in names.get(section, ()):
            yield from ((section, FALLBACKS, name, field) for field in provider.model_fields)


def secret_paths(names: FallbackNames) -> Iterator[tuple[str, ...]]:
    """Every setting that is a secret, those of the fallbacks too."""
    yield from SECRETS
    for section, secret in SECRETS:
        yield from ((section, FALLBACKS, name, secret) for name in names.get(section, ()))


def fallback_part(written: str) -> tuple[str, str, str] | None:
    """The section, the fallback's name and its setting, of a variable that belongs to a fallback; either may lack."""
    for section in CHANNELS:
        begin = variable((section, FALLBACKS)) + "__"
        if written.upper().startswith(begin):
            name, _, setting = written[len(begin) :].rpartition("__")
            return section, name, setting.lower()
    return None


def read_variables(variables: Mapping[str, str]) -> dict[str, Any]:
    """What variables (or credential files, named alike) set, nested as in tocsin.yaml, those of fallbacks apart."""
    own = variable(("sms", "senders")) + "__"  # prefixes are no words of a variable's name
    names = (name for name in variables if not (fallback_part(name) or name.upper().startswith(own)))
    ours = {variable((name,)) for name in Settings.model_fields}  # what only says where the config is sets nothing
    given = {name: variables[name] for name in names if variables[name] and name.upper().partition("__")[0] in ours}
    return _read(given) if given else {}


def read_fallbacks(variables: Mapping[str, str], names: FallbackNames) -> dict[str, Any]:
    """What variables set of these fallbacks, nested as in tocsin.yaml."""
    values: dict[str, Any] = {}
    for section, _, name, setting in fallback_paths(names):
        written = written_as(variable((section, FALLBACKS, name, setting)), variables)
        if written:
            several = get_origin(CHANNELS[section].model_fields[setting].annotation) in {list, dict}
            value = _decoded(variables[written]) if several else variables[written]
            values.setdefault(section, {}).setdefault(FALLBACKS, {}).setdefault(name, {})[setting] = value
    return values


def _read(given: Mapping[str, str]) -> dict[str, Any]:
    """What variables of a mapping handed in set, instead of those of the process's environment."""
    from pydantic_settings import EnvSettingsSource  # noqa: PLC0415 - dear, and most configs are a file alone

    class Variables(EnvSettingsSource):
        def decode_complex_value(self, field_name: str, field: FieldInfo, value: Any) -> Any:  # noqa: ARG002
            """Lists and mappings are JSON."""
            return _decoded(value)

    source = Variables(
        Settings,  # type: ignore[arg-type]  # it looks at the fields alone
        env_prefix=PREFIX,
        env_nested_delimiter="__",
        env_ignore_empty=True,
    )
    source.env_vars = {name.lower(): value for name, value in given.items()}
    return source()


def _decoded(text: str) -> Any:
    """A list or a mapping in JSON; anything else stays text, for the setting itself to judge."""
    try:
        decoded = json.loads(text)
    except ValueError:
        return text
    return decoded if isinstance(decoded, (list, dict)) else text
