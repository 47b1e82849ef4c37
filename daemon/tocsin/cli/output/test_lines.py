"""The verdict on a policy test as lines for people: ok or FAIL with name and place, and a diff for each failure."""

from collections.abc import Iterator

from tocsin.app.policy_tests.judge import Failure
from tocsin.app.policy_tests.run import PolicyTestResult
from tocsin.cli.output.terminal.line import Line, Mark, marked

INDENT = " " * 6


def verdict(trial: PolicyTestResult) -> Iterator[str]:
    """One line, and for each failure what the plan does instead."""
    verdict = marked("FAIL", Mark.ALARM) if trial.failures else "ok  "
    yield Line(verdict, f"  {trial.test.place}  {trial.test.name}", hang=len(INDENT))
    for failure in trial.failures:
        yield ""
        yield f"{INDENT}{failure.place}: {failure.hint}"
        yield from (Line(INDENT, line, hang=len(INDENT) + 4) for line in block(failure))
    if trial.failures:
        yield ""


def summary(tests: int, failed: int, problems: int) -> str:
    """One line: how it went."""
    counts = [f"{tests - failed} ok"] + [f"{failed} failed"] * bool(failed)
    faults = f"; {problems} problem{'s' * (problems > 1)} in the test files" if problems else ""
    return f"{tests} policy test{'s' * (tests != 1)}: {', '.join(counts)}{faults}"


def block(failure: Failure) -> Iterator[str]:
    """The diff of a failure in columns."""
    wide = [max(len(getattr(line, part)) for line in failure.lines) for part in ("when", "what", "why")]
    for line in failure.lines:
        parts = [text.ljust(width) for text, width in zip((line.when, line.what, line.why), wide, strict=True)]
        yield f"  {line.mark} {'  '.join([*parts, line.place])}".rstrip()
