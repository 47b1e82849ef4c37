"""Reads scripts: the YAML list of steps that `simulate` and policy tests play to an incident.

Says what a step is; `app/simulation` plays it. Never raises on bad input.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from tocsin.domain.people import Channel
from tocsin.domain.policy import Policy
from tocsin.domain.problem import Problem
from tocsin.text.names import person_named
from tocsin.text.scalars import closest, duration
from tocsin.text.yaml import read_yaml

STEPS_LIMIT = 1000
"""The most steps of one script."""
_KEYS = ("after", "ack", "pass", "set", "update", "public", "fail")


@dataclass(frozen=True, slots=True)
class ScriptStep:
    """What happens `after` the moment at which the incident is first seen, in this order: a channel is refused for
    good, fields are replaced, an update is appended, people answer.
    """

    after: timedelta
    fails: tuple[tuple[str, Channel], ...] = ()
    fields: Mapping[str, Any] | None = None
    entry: Mapping[str, Any] | None = None
    oks: tuple[str, ...] = ()
    passes: tuple[str, ...] = ()


def read_script(data: bytes, file: str, policy: Policy) -> tuple[tuple[ScriptStep, ...], tuple[Problem, ...]]:
    """The steps of a script in time order, and what is wrong with it."""
    document = read_yaml(data, file)
    value = document.value
    if value is None and not document.problems:
        return (), ()
    if not isinstance(value, list):
        shape = document.problem((), "script-shape", "a script is a list of steps; write - {after: 5m, ack: ana}")
        return (), (*document.problems, shape)
    steps: list[ScriptStep] = []
    problems = list(document.problems)
    for index, entry in enumerate(value[:STEPS_LIMIT]):
        try:
            steps.append(read_step(entry if isinstance(entry, Mapping) else {}, policy))
        except ValueError as fault:
            problems.append(document.problem((index,), "script-step", str(fault)))
    return tuple(in_time_order(steps)), tuple(problems)


def in_time_order(steps: Sequence[ScriptStep]) -> list[ScriptStep]:
    """Steps by their instant; those of one instant stay in the order written (rule 1)."""
    return sorted(steps, key=lambda step: step.after)


def read_step(entry: Mapping[str, Any], policy: Policy) -> ScriptStep:
    """One step. Raises ValueError with a sentence that says what to write instead."""
    unknown = next((key for key in entry if key not in _KEYS), None)
    if unknown is not None:
        raise ValueError(f'unknown key "{unknown}" in a step{closest(str(unknown), _KEYS)}')
    if "after" not in entry:
        raise ValueError("a step needs `after`; write {after: 5m, ack: ana}")
    if len(entry) == 1:
        raise ValueError("a step does nothing; add ack, pass, set, update, public or fail")
    after = entry["after"]
    fields = entry.get("set")
    if fields is not None and not isinstance(fields, Mapping):
        raise ValueError("`set` takes fields; write set: {status: identified}")
    return ScriptStep(
        after=after if isinstance(after, timedelta) else duration(str(after)),
        fails=_fails(entry.get("fail"), policy),
        fields=fields,
        entry=_entry(entry),
        oks=_people(entry.get("ack"), policy),
        passes=_people(entry.get("pass"), policy),
    )


def _entry(entry: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """The `updates` entry a step appends, if it has one."""
    texts = {"text": entry.get("update"), "public": entry.get("public")}
    given_texts = {key: text for key, text in texts.items() if text is not None}
    return given_texts or None


def _people(value: object, policy: Policy) -> tuple[str, ...]:
    if value is None:
        return ()
    names = value if isinstance(value, list) else [value]
    return tuple(person_named(str(name), policy) for name in names)


def _fails(value: object, policy: Policy) -> tuple[tuple[str, Channel], ...]:
    """Who is refused by which channel; a plain address of a group is named as it stands there."""
    if value is None:
        return ()
    if not isinstance(value, Mapping) or not {"person", "via"} >= set(value) or "person" not in value:
        raise ValueError("`fail` names a person and a channel; write fail: {person: ana, via: sms}")
    who = str(value["person"])
    addresses = {email for group in policy.stakeholders.values() for email in group.emails}
    reader = who if who in addresses else person_named(who, policy)
    via = str(value.get("via", "")).lower()
    if via not in list(Channel):
        raise ValueError(f'"{via}" is no channel; write via: sms or via: email')
    return ((reader, Channel(via)),)
