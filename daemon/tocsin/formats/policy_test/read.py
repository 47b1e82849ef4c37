"""Reads policy tests: YAML text in, tests out, each with its place. A file holds one test or a list.

Decides whether a test makes sense under a policy: its incident and its steps are readable without a fault, its names
lead somewhere, and what it expects lies in the time played. Must not know folders, nor what the plan does.
Never raises on bad input.
"""

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import chain
from typing import Any

from pydantic import ValidationError

from tocsin.domain.policy import Policy
from tocsin.domain.problem import Problem, ProblemLevel
from tocsin.formats.incident.file_name import stem
from tocsin.formats.incident.read import read_incident
from tocsin.formats.policy_test.entries import Entries
from tocsin.formats.policy_test.expectations import (
    Exactly,
    Expectation,
    ExpectedMessage,
    MessagePattern,
    Never,
    NoneAfter,
)
from tocsin.formats.policy_test.models import PolicyTestEntry
from tocsin.formats.policy_test.script import ScriptStep, in_time_order, read_step
from tocsin.formats.schema.pydantic_problems import Located, validation_problems
from tocsin.text.decoding import displayed_path
from tocsin.text.times import brief
from tocsin.text.yaml import Document, KeyPath, Value, read_yaml

TESTS_LIMIT = 1000
"""The most tests of one file."""
PLAYED = timedelta(hours=4)
"""How long a test is played whose expectations have no end of their own; `simulate` shows as much."""

Fetch = Callable[[str], bytes | None]
"""Gives a file's bytes by its path relative to the test file; None when there is none."""


@dataclass(frozen=True, slots=True)
class PolicyTest:
    """One test. `incident` are the bytes of its incident file, `file_name` how that is called; it is first seen `at`
    and played for `span`. `place` is file:line.
    """

    name: str
    place: str
    incident: bytes
    file_name: str
    at: datetime
    span: timedelta
    steps: tuple[ScriptStep, ...]
    expect: tuple[Expectation, ...]


def read_policy_tests(
    data: bytes, file: str, policy: Policy, fetch: Fetch
) -> tuple[tuple[PolicyTest, ...], tuple[Problem, ...]]:
    """The tests of a file that make sense, and what is wrong with the others. `file` is its name in problems."""
    document = read_yaml(data, file)
    problems = list(document.problems)
    value = document.value
    listed: list[tuple[KeyPath, Value, str]] = []
    name = stem(file.rpartition("/")[2])
    if isinstance(value, list):
        listed = [((index,), entry, f"{name}-{index + 1}") for index, entry in enumerate(value)]
    elif isinstance(value, dict):
        listed = [((), value, name)]
    if not listed and not problems:
        message = "the file holds no test; write at: (an instant), incident: and expect:, or a list of such"
        problems.append(document.problem((), "no-test", message))
    if len(listed) > TESTS_LIMIT:
        message = f"a file holds at most {TESTS_LIMIT} tests; move the rest into another"
        problems.append(document.problem((TESTS_LIMIT,), "too-many-tests", message))
    tests = []
    for path, entry, default in listed[:TESTS_LIMIT]:
        reader = _Reader(document, path, policy, fetch)
        test = reader.test(entry, default)
        problems += reader.problems
        if test is not None and not reader.problems:
            tests.append(test)
    return tuple(tests), tuple(problems)


class _Reader:
    """One test of a file, and what is wrong with it."""

    def __init__(self, document: Document, path: KeyPath, policy: Policy, fetch: Fetch) -> None:
        self.document = document
        self.path = path
        self.policy = policy
        self.fetch = fetch
        self.problems: list[Problem] = []

    def test(self, value: Value, default: str) -> PolicyTest | None:
        """The whole test, or None where even its shape is wrong."""
        located = _Located(self.document, (*self.path, "expect"))
        try:
            entry = PolicyTestEntry.model_validate(value)
        except ValidationError as fault:
            self.problems += validation_problems(fault, located, self.path, PolicyTestEntry)
            return None
        data, file_name = self._incident(entry.incident, default)
        steps = tuple(chain.from_iterable(self._step(step, index) for index, step in enumerate(entry.steps)))
        entries = Entries(located, self.policy)
        expect: list[Expectation] = []
        for index, expect_entry in enumerate(entry.expect):
            path = (*self.path, "expect", index)
            expectations = list(entries.read(expect_entry, path))
            expect += expectations
            if entry.for_ is not None:
                self.problems += [
                    problem
                    for expectation in expectations
                    for problem in _beyond(expectation, entry.for_, located, path)
                ]
        self.problems += entries.problems
        line, _ = self.document.place(self.path)
        return PolicyTest(
            entry.name or default,
            f"{self.document.file}:{line}",
            data,
            file_name,
            entry.at,
            entry.for_ or time_played(expect, steps),
            tuple(in_time_order(steps)),
            tuple(expect),
        )

    def _incident(self, value: Any, default: str) -> tuple[bytes, str]:
        """The bytes of the incident's file and its name."""
        path = (*self.path, "incident")
        if isinstance(value, dict):
            self.problems += self._field_faults(value, path)
            return json.dumps(value, ensure_ascii=False).encode(), f"{default}.yaml"
        data = self.fetch(value) if isinstance(value, str) else None
        if isinstance(value, str) and data is not None:
            file = displayed_path(self.document.file.rpartition("/")[0] or ".", value)
            reading = read_incident(data, value.rpartition("/")[2], self.policy, None, file)
            self.problems += _faults(reading.problems)
            return data, value.rpartition("/")[2]
        instead = "write {title: …, severity: …}, or the path of an incident file"
        message = f'there is no file "{value}" beside this one' if isinstance(value, str) else "incident is no mapping"
        self.problems.append(self.document.problem(path, "no-incident", f"{message}; {instead}"))
        return b"", ""

    def _field_faults(self, fields: Mapping[str, Any], path: KeyPath) -> Iterator[Problem]:
        """What is wrong with the fields of an incident that stand in the test, at their places there."""
        written = json.dumps(fields, ensure_ascii=False)
        faults = list(_faults(read_incident(written.encode(), "", self.policy, None, "").problems))
        inside = read_yaml(written if faults else "", "")
        values = {inside.place(where_): where_ for where_ in inside.values}
        keys = {inside.place(where_, key=True): where_ for where_ in inside.keys}
        for fault in faults:
            place = (fault.line, fault.column)
            where = values.get(place, keys.get(place, ()))
            yield self.document.problem((*path, *where), fault.code, fault.message, key=place not in values)

    def _step(self, value: Any, index: int) -> Iterator[ScriptStep]:
        """One step of the script, if nothing is wrong with it."""
        path = (*self.path, "steps", index)
        entry = value if isinstance(value, dict) else {}
        try:
            step = read_step(entry, self.policy)
        except ValueError as fault:
            where = next((key for key in entry if key != "after" and self._wrong(key, entry[key])), None)
            inside = (*path, where) if where else path
            self.problems.append(self.document.problem(inside, "script-step", str(fault)))
            return
        known = {"title": "x", "severity": self.policy.unreadable_severity}
        if step.fields:
            self.problems += self._field_faults({**known, **step.fields}, (*path, "set"))
        if step.entry:
            self.problems += self._field_faults({**known, "updates": [step.entry]}, path)
        yield step

    def _wrong(self, key: str, value: Any) -> bool:
        """Whether this part of a step is what is wrong with it."""
        try:
            read_step({"after": "1s", key: value}, self.policy)
        except ValueError:
            return True
        return False


class _Located:
    """The document, where one value or expectation may stand without a list: the model has it as the first of one."""

    def __init__(self, document: Document, expect: KeyPath) -> None:
        self.document = document
        self.expect = expect

    def problem(
        self, path: KeyPath, code: str, message: str, *, key: bool = False, level: ProblemLevel = ProblemLevel.ERROR
    ) -> Problem:
        """A problem with the value (or the key) at a path."""
        size = len(self.expect)
        if path[:size] == self.expect and (*self.expect, 0) not in self.document.values:
            path = (*self.expect, *path[size + 1 :])
        if path and isinstance(path[-1], int) and path not in self.document.values:
            path = path[:-1]  # one value stands where the model has a list
        return self.document.problem(path, code, message, key=key, level=level)


def time_played(expect: list[Expectation], steps: tuple[ScriptStep, ...]) -> timedelta:
    """How long a test without `for` is played: to the last moment that it names; where an expectation has no end of its
    own, 4h, or 4h beyond the last moment if that lies later.
    """
    ends: list[timedelta | None] = []
    named = [timedelta(0)]
    for expectation in expect:
        if isinstance(expectation, NoneAfter):
            ends.append(None)
            named.append(expectation.after + timedelta(seconds=1))
        else:
            if isinstance(expectation, Exactly):
                ends.append(None)
            for pattern in _wanted(expectation):
                ends.append(pattern.when.last)
                named.append(pattern.when.last or pattern.when.first)
    if None not in ends:
        return max(named)
    last = max([*named, *(step.after for step in steps)])
    return PLAYED if last <= PLAYED else last + PLAYED


def _beyond(expectation: Expectation, span: timedelta, document: Located, path: KeyPath) -> Iterator[Problem]:
    """What lies beyond the time played and so could never be seen."""
    if isinstance(expectation, NoneAfter):
        if expectation.after >= span:
            message = f"none_after: nothing is played after {brief(span)} (`for`); write a longer `for`"
            yield document.problem((*path, "none_after"), "beyond-for", message)
        return
    for pattern in _wanted(expectation):
        if pattern.when.first > span:
            message = f"{pattern.when} lies beyond the {brief(span)} that are played (`for`); write a longer `for`"
            inside = (*path, "after") if not isinstance(expectation, Exactly) else (*path, "exactly")
            yield document.problem(inside, "beyond-for", message)


def _wanted(expectation: ExpectedMessage | Never | Exactly) -> tuple[MessagePattern, ...]:
    """The messages that an expectation speaks of."""
    return expectation.wanted if isinstance(expectation, Exactly) else (expectation.wanted,)


def _faults(problems: tuple[Problem, ...]) -> Iterator[Problem]:
    """What makes an incident another than is written, be it only a warning for the daemon; a test needs no title."""
    return (replace(problem, level=ProblemLevel.ERROR) for problem in problems if problem.code != "title-missing")
