"""Policy tests as machines read them: a JUnit report, which every CI server shows, and annotations of a pull request.

JUnit: one suite for each file, which it names; a failure begins with file and line of what was expected. Nothing goes
into it that the schema of Jenkins (junit-10) lacks, for some servers refuse a report that has more; nor a second
failure of one case, for most show the first alone.
"""

from collections.abc import Iterator, Sequence
from xml.sax.saxutils import escape, quoteattr

from tocsin.app.policy_tests.judge import Failure
from tocsin.app.policy_tests.run import PolicyTestResult
from tocsin.cli.output.test_lines import block
from tocsin.domain.problem import Problem
from tocsin.text.cleaning import clean

SUITES = "tocsin policy tests"
_NOT_IN_XML = {ord(letter): "\ufffd" for letter in "\ufffe\uffff"}
_NEWLINES = {"\n": "&#10;"}


def junit(trials: Sequence[PolicyTestResult], problems: Sequence[Problem]) -> Iterator[str]:
    """The whole report. A problem of a file is a case of its own that ended in an error."""
    failed = sum(bool(trial.failures) for trial in trials)
    yield '<?xml version="1.0" encoding="UTF-8"?>'
    yield _opening("testsuites", name=SUITES, **_counts(len(trials) + len(problems), failed, len(problems)))
    files = dict.fromkeys([*(_place(trial.test.place)[0] for trial in trials), *(fault.file for fault in problems)])
    for file in files:
        own = [trial for trial in trials if _place(trial.test.place)[0] == file]
        faults = [problem for problem in problems if problem.file == file]
        failed = sum(bool(trial.failures) for trial in own)
        counts = _counts(len(own) + len(faults), failed, len(faults))
        yield "  " + _opening("testsuite", name=file, file=file, skipped="0", **counts)
        for trial in own:
            yield from _case(trial, file)
        for fault in faults:
            yield from _fault(fault)
        yield "  </testsuite>"
    yield "</testsuites>"


def github(trials: Sequence[PolicyTestResult], problems: Sequence[Problem]) -> Iterator[str]:
    """A workflow command for each failure and each problem, which the code host shows beside the line."""
    for trial in trials:
        for failure in trial.failures:
            file, line = _place(failure.place)
            yield annotation("error", file, line, "\n".join([failure.hint, *block(failure)]), title=trial.test.name)
    for problem in problems:
        yield problem_annotation(problem)


def problem_annotation(problem: Problem) -> str:
    """A problem as a workflow command."""
    return annotation(str(problem.level), problem.file, problem.line, problem.message, column=problem.column)


def annotation(level: str, file: str, line: int, message: str, *, column: int = 0, title: str = "") -> str:
    """A workflow command that code hosts show beside a line; a `title` stands above it."""
    where = f"file={_escaped(file, ',:')},line={line}" + (f",col={column}" if column else "")
    headed = f",title={_escaped(title, ',:')}" if title else ""
    return f"::{level} {where}{headed}::{_escaped(message)}"


def _case(trial: PolicyTestResult, file: str) -> Iterator[str]:
    opened = _opening("testcase", name=trial.test.name, classname=file)
    if not trial.failures:
        yield f"    {opened[:-1]}/>"
        return
    first, *others = trial.failures
    message = _sentence(first) + (f" (and {len(others)} more)" if others else "")
    yield f"    {opened}"
    yield f"      {_opening('failure', type='expectation', message=message)}"
    for failure in trial.failures:
        yield escape(_fit("\n".join([_sentence(failure), *block(failure)])))
    yield "      </failure>"
    yield "    </testcase>"


def _fault(problem: Problem) -> Iterator[str]:
    yield f"    {_opening('testcase', name=f'{problem.file}:{problem.line}', classname=problem.file)}"
    yield f"      {_opening('error', type=problem.code, message=str(problem))[:-1]}/>"
    yield "    </testcase>"


def _sentence(failure: Failure) -> str:
    return f"{failure.place}: {failure.hint}"


def _counts(tests: int, failures: int, errors: int) -> dict[str, str]:
    return {"tests": str(tests), "failures": str(failures), "errors": str(errors)}


def _opening(tag: str, **attributes: str) -> str:
    pairs = (f" {name}={quoteattr(_fit(text), _NEWLINES)}" for name, text in attributes.items())
    return f"<{tag}{''.join(pairs)}>"


def _fit(text: str) -> str:
    """A text without what no XML may hold."""
    return clean(text).translate(_NOT_IN_XML)


def _place(place: str) -> tuple[str, int]:
    """A place's file and line."""
    file, _, line = place.rpartition(":")
    return (file, int(line)) if file and line.isdecimal() else (place, 1)


def _escaped(text: str, besides: str = "") -> str:
    return "".join(f"%{ord(letter):02X}" if letter in "%\r\n" + besides else letter for letter in _fit(text))
