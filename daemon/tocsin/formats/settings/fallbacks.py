"""Fallbacks as they are written, before they are read as settings: which there are, and what cannot be meant so.

Decides what is wrong with how they are put, each at its place. Must not know whether one works.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from tocsin.domain.problem import Problem
from tocsin.formats.schema.pydantic_problems import Located
from tocsin.formats.settings.variables import CHANNELS, FALLBACKS, FallbackNames
from tocsin.text.scalars import variable_name

OUTBOX = "outbox"


def fallback_names(values: Mapping[str, Any]) -> FallbackNames:
    """The names of each channel's fallbacks, in the order of the config."""
    return {section: tuple(map(str, _written(values, section))) for section in CHANNELS}


def check_fallbacks(values: Mapping[str, Any], located: Located) -> tuple[dict[str, Any], list[Problem]]:
    """The same without what fallbacks cannot have, and what is wrong with that."""
    problems: list[Problem] = []
    checked = dict(values)
    for section in CHANNELS:
        fallbacks = _written(values, section)
        if not fallbacks:
            continue
        problems += _faults(section, values[section], fallbacks, located)
        inner = {
            name: {key: setting for key, setting in fallback.items() if key != FALLBACKS}
            if isinstance(fallback, dict)
            else fallback
            for name, fallback in fallbacks.items()
        }
        checked[section] = {**values[section], FALLBACKS: inner}
    return checked, problems


def _written(values: Mapping[str, Any], section: str) -> Mapping[str, Any]:
    """A channel's fallbacks; empty where there are none, or something else stands in their place."""
    channel = values.get(section)
    fallbacks = channel.get(FALLBACKS) if isinstance(channel, dict) else None
    return fallbacks if isinstance(fallbacks, dict) else {}


def _faults(
    section: str, channel: Mapping[str, Any], fallbacks: Mapping[str, Any], located: Located
) -> Iterator[Problem]:
    """What cannot be meant so, whatever else the settings say."""
    known: dict[str, str] = {}
    for name, fallback in fallbacks.items():
        path = (section, FALLBACKS, name)
        where = ".".join(path)
        other = known.setdefault(variable_name(name), name)
        if other != name:
            message = f"{where}: it shares its variables with {other}; give one of them another name"
            yield located.problem(path, "name-twice", message, key=True)
        if not isinstance(fallback, dict):
            continue
        if fallback.get(FALLBACKS) is not None:
            message = f"{where}: a fallback has none of its own; write all into {section}.{FALLBACKS}, in order"
            yield located.problem((*path, FALLBACKS), "nested-fallbacks", message, key=True)
        if fallback.get("transport") == OUTBOX and channel.get("transport", OUTBOX) not in {OUTBOX, None}:
            message = f"{where}: what falls back to an outbox reaches nobody and yet counts as sent; name a provider"
            yield located.problem((*path, "transport"), "outbox-fallback", message)
