"""Policy tests played with a policy, and judged (`tocsin test`).

Decides which test files there are, and which config a test is tried under: the one on disk, with calendars read around
the test's own moment. Nothing is sent, written or rendered.
"""

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path

from tocsin.adapters.files.rights import is_folder
from tocsin.adapters.files.safe_open import read_regular
from tocsin.app.configuration.load import label_of
from tocsin.app.policy_tests.hints import PlayedTest
from tocsin.app.policy_tests.judge import Failure, judge
from tocsin.app.policy_tests.planned_message import group_messages
from tocsin.app.simulation.play import play_within
from tocsin.domain.policy import Policy
from tocsin.domain.problem import Problem
from tocsin.formats.policy_test.expectations import ExpectedMessage
from tocsin.formats.policy_test.read import Fetch, PolicyTest, read_policy_tests
from tocsin.planning.current_state import first_words
from tocsin.text.decoding import FILE_LIMIT, TOP, problem

SUFFIXES = (".yaml", ".yml")
FILES_LIMIT = 2000
"""The most test files of one run."""
BEYOND_LEAST = timedelta(hours=1)
BEYOND_MOST = timedelta(days=1)
"""How much longer a test is played when it failed: as long again, within these bounds."""
PolicyAt = Callable[[datetime], Policy]
"""The policy with its calendars read around a moment."""


@dataclass(frozen=True, slots=True)
class PolicyTestResult:
    """A test and what did not hold in it."""

    test: PolicyTest
    failures: tuple[Failure, ...]


def policy_test_files(paths: Sequence[Path]) -> list[Path]:
    """The test files that these paths name: files as they are, of folders the YAML files right in them. Whatever lies
    deeper may be incident files that tests name.
    """
    files: dict[Path, None] = {}
    for path in paths:
        if not is_folder(path):
            files[path] = None
            continue
        for name in sorted(os.listdir(path)):  # noqa: PTH208 - names, not paths
            if name.endswith(SUFFIXES) and name[0] != "." and not is_folder(path / name):
                files[path / name] = None
    return list(files)


def read_test_files(paths: Sequence[Path], policy: Policy) -> tuple[list[PolicyTest], list[Problem]]:
    """The tests of these files that make sense, and what is wrong with the others."""
    tests: list[PolicyTest] = []
    problems: list[Problem] = []
    for path in paths[:FILES_LIMIT]:
        try:
            data = read_regular(path, FILE_LIMIT + 1, follow=True)
        except OSError as fault:
            message = f"the file cannot be read: {fault.strerror or fault}"
            problems.append(problem(label_of(path), TOP, "unreadable-file", message))
            continue
        read_here, wrong_here = read_policy_tests(data, label_of(path), policy, _beside(path.parent))
        tests += read_here
        problems += wrong_here
    if len(paths) > FILES_LIMIT:
        message = f"over {FILES_LIMIT} test files; this one and those after it are not read"
        problems.append(problem(label_of(paths[FILES_LIMIT]), TOP, "too-many-files", message))
    return tests, problems


def run_policy_test(test: PolicyTest, policy: Policy) -> PolicyTestResult:
    """Play one test and judge each of its expectations. Where a message is missing, the plan is played on, to say when
    it comes.
    """
    played = _played(test, policy, test.span)
    verdicts = [judge(expectation, played) for expectation in test.expect]
    pairs = zip(verdicts, test.expect, strict=True)
    if any(failure and isinstance(expectation, ExpectedMessage) for failure, expectation in pairs):
        longer = _played(test, policy, test.span + min(max(test.span, BEYOND_LEAST), BEYOND_MOST))
        beyond = tuple(message for message in longer.planned if message.after > test.span)
        verdicts = [judge(expectation, replace(played, beyond=beyond)) for expectation in test.expect]
    return PolicyTestResult(test, tuple(failure for failure in verdicts if failure is not None))


def _played(test: PolicyTest, policy: Policy, span: timedelta) -> PlayedTest:
    """What the plan says in that time."""
    played = play_within(policy, test.incident, test.file_name, test.at, span, test.steps)
    steady = not any("severity" in (step.fields or {}) for step in test.steps)
    history = played.history
    assert history.incident is not None
    severity = policy.severity(history.incident.severity) if steady else None
    planned = group_messages((message.notification for message in played.messages), played.start)
    waits_for = {word.group: word.waits_for for word in first_words(history.incident, policy, history)}
    return PlayedTest(tuple(planned), span, severity, waits_for=waits_for)


def policies(policy: Policy, load: PolicyAt) -> PolicyAt:
    """The policy for each moment. Only calendars depend on it: without one a single policy serves all tests."""
    known: dict[tuple[int, int], Policy] = {}

    def at(moment: datetime) -> Policy:
        if not any(rotation.calendar for rotation in policy.rotations.values()):
            return policy
        month = (moment.year, moment.month)
        if month not in known:
            known[month] = load(moment)
        return known[month]

    return at


def _beside(folder: Path) -> Fetch:
    """Incident files by their paths relative to a test file."""

    def fetch(path: str) -> bytes | None:
        try:
            return read_regular(folder / path, FILE_LIMIT + 1, follow=True)
        except (OSError, ValueError):
            return None

    return fetch
