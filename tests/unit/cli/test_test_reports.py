"""Policy tests for machines: a JUnit report as the schemas have it, annotations as code hosts read them."""

from datetime import timedelta
from xml.etree import ElementTree as ET

from tocsin.app.policy_tests.judge import DiffLine, DiffMark, Failure
from tocsin.app.policy_tests.run import PolicyTestResult
from tocsin.cli.output.test_reports import github, junit, problem_annotation
from tocsin.domain.problem import Problem, ProblemLevel
from tocsin.formats.policy_test.read import PolicyTest

from tests.builders.instants import T0

_SCHEMA: dict[str, tuple[set[str], set[str], set[str]]] = {
    "testsuites": ({"name"}, {"time", "tests", "failures", "errors"}, {"testsuite"}),
    "testsuite": (
        {"name", "tests", "failures", "errors"},
        {"group", "time", "skipped", "timestamp", "hostname", "id", "package", "file", "log", "url"},
        {"testsuite", "properties", "testcase", "system-out", "system-err"},
    ),
    "testcase": ({"name"}, {"time", "classname", "group"}, {"skipped", "error", "failure", "system-out", "system-err"}),
    "failure": ({"type", "message"}, set(), set()),
    "error": ({"type", "message"}, set(), set()),
}
"""The schema of Jenkins (junit-10) as a table: attributes that must and that may be there, and what may lie inside."""


def assert_in_schema(element: ET.Element) -> None:
    """The element and all in it are what the schema knows; a case has one verdict, as Ant's schema wants it."""
    needed, allowed, inside = _SCHEMA[element.tag]
    assert needed <= set(element.attrib) <= needed | allowed, element.attrib
    assert {child.tag for child in element} <= inside
    assert element.tag != "testcase" or len(element) <= 1
    for child in element:
        assert_in_schema(child)


def trial(name: str, place: str, *failures: Failure) -> PolicyTestResult:
    return PolicyTestResult(PolicyTest(name, place, b"", "x.yaml", T0, timedelta(hours=1), (), ()), failures)


def failure(place: str, hint: str) -> Failure:
    lines = (
        DiffLine(DiffMark.EXPECTED, "5m", "page fay", "", place),
        DiffLine(DiffMark.PLANNED, "6m", "page fay", "escalated", "config/roles.yaml:13"),
    )
    return Failure(place, hint, lines)


TRIALS = [
    trial("climbs", "config/tests/a.yaml:3"),
    trial(
        'says "<&>"\x1b[31m\ufffe',
        "config/tests/a.yaml:9",
        failure("config/tests/a.yaml:12", "fay is paged at 6m, not at 5m"),
        failure("config/tests/a.yaml:14", "50% of a\nsentence"),
    ),
    trial("holds", "config/tests/b.yaml:1"),
]
PROBLEM = Problem("config/tests/c,d.yaml", 4, 23, ProblemLevel.ERROR, "unknown-person", 'unknown person "fey"')


def test_a_report_is_what_the_schemas_know() -> None:
    """One suite a file with its counts; a failed case says where, why and what else in one failure; a test that cannot
    be read is an error.
    """
    report = ET.fromstring("\n".join(junit(TRIALS, [PROBLEM])))
    assert_in_schema(report)
    assert [report.get(name) for name in ("tests", "failures", "errors")] == ["4", "1", "1"]
    assert [
        (suite.get("file"), suite.get("tests"), suite.get("failures"), suite.get("errors")) for suite in report
    ] == [
        ("config/tests/a.yaml", "2", "1", "0"),
        ("config/tests/b.yaml", "1", "0", "0"),
        ("config/tests/c,d.yaml", "1", "0", "1"),
    ]
    failed = report[0][1]
    assert (failed.get("name"), failed.get("classname")) == ('says "<&>"', "config/tests/a.yaml")
    assert failed[0].get("message") == "config/tests/a.yaml:12: fay is paged at 6m, not at 5m (and 1 more)"
    assert (failed[0].text or "").split("\n")[1:4] == [
        "config/tests/a.yaml:12: fay is paged at 6m, not at 5m",
        "  - 5m  page fay             config/tests/a.yaml:12",
        "  + 6m  page fay  escalated  config/roles.yaml:13",
    ]
    error = report[2][0]
    assert (error.get("name"), error[0].get("type")) == ("config/tests/c,d.yaml:4", "unknown-person")


def test_a_report_of_nothing_is_a_report() -> None:
    """No test at all is a report without suites."""
    report = ET.fromstring("\n".join(junit([], [])))
    assert_in_schema(report)
    assert (report.get("tests"), len(report)) == ("0", 0)


def test_annotations_stand_beside_what_was_expected() -> None:
    """One for each failure at its own line, with the diff, and one for each problem; what ends a command is escaped."""
    first, second, problem = github(TRIALS, [PROBLEM])
    assert first.startswith(
        '::error file=config/tests/a.yaml,line=12,title=says "<&>"::fay is paged at 6m, not at 5m%0A  - 5m '
    )
    assert "line=14" in second
    assert "::50%25 of a%0Asentence%0A" in second
    assert (
        problem
        == '::error file=config/tests/c%2Cd.yaml,line=4,col=23::unknown person "fey"'
        == problem_annotation(PROBLEM)
    )
